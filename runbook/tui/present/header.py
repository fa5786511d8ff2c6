"""The lines on top: how real this is, what it is about, and where it may write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from runbook.core.view import RunView
from runbook.tui.present.text import Line, Span, moment, one_line, pack, short
from runbook.tui.present.words import RUN_ROLES, RUN_WORDS

_BADGES: Final = {"rehearsal": "REHEARSAL", "live": "LIVE", "plan": "PLAN ONLY"}

_ROOMY: Final = 100
"""From so many cells on, the header says in full who drives even when that is you; the help always does."""


@dataclass(frozen=True, slots=True)
class Seat:
    """From where this screen watches: who drives, how fast, and whether keys may decide anything."""

    is_read_only: bool
    driver: str
    speed: float | None
    now_ms: int
    follows: bool = True


def header(view: RunView, seat: Seat, width: int) -> list[Line]:
    """The header in as few lines as ``width`` cells allow."""
    if not view.id:
        return [(("runbook", "heading"),)]
    badge: Span = (f" {_BADGES.get(view.mode, one_line(view.mode).upper())} ", f"badge-{_badge_role(view.mode)}")
    state = [(RUN_WORDS[view.state], RUN_ROLES[view.state]), *([("PAUSED", "wait")] if view.paused else [])]
    room = width - sum(cell_len(text) + 3 for text, _ in [badge, *state])
    title = short(one_line(view.book.get("title", "")) or view.id, room)
    first = pack([badge, (title, "heading"), *state], width)
    parts = _where(view)
    parts.append((_clock(view, seat), ""))
    if seat.is_read_only:
        parts.append((f"READ-ONLY, driven by {one_line(seat.driver)}", "bad"))
    else:
        parts.append((one_line(seat.driver) if width >= _ROOMY else "you drive", "muted"))
    if not seat.follows:
        parts.append(("not following (f)", "muted"))
    return first + pack(parts, width)


def _badge_role(mode: str) -> str:
    return mode if mode in _BADGES else "live"


def _where(view: RunView) -> list[Span]:
    subscriptions = view.pinned.get("subscriptions", {})
    parts: list[Span] = []
    if subscriptions:
        first = view.inputs.get("subscription")
        main = first if first in subscriptions else next(iter(subscriptions))
        parts.append((f"{one_line(subscriptions[main])} {one_line(main)}", ""))
        if len(subscriptions) > 1:
            parts.append((f"and {len(subscriptions) - 1} more", ""))
    if tenant := view.pinned.get("tenant"):
        parts.append((f"tenant {one_line(tenant)}", "muted"))
    if cloud := view.pinned.get("cloud"):
        parts.append((one_line(cloud), "muted"))
    return parts


def _clock(view: RunView, seat: Seat) -> str:
    speed = "" if seat.is_read_only else " speed max" if seat.speed is None else f" ×{seat.speed:g}"
    return f"virtual {moment(seat.now_ms)}{speed}" if view.mode == "rehearsal" else moment(seat.now_ms)
