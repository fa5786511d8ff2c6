"""The lines on top: how real this is, what it is about, and where it may write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from runbook.core.state import NodeState, RunState
from runbook.core.view import RunView
from runbook.tui.present.standing import standing
from runbook.tui.present.text import Line, Span, moment, one_line, pack, short, short_middle, time_of_day
from runbook.tui.present.words import RUN_ROLES, RUN_WORDS, driven_by

_CALLING: Final = frozenset({NodeState.OBSERVING, NodeState.APPLYING})
"""States in which a call to ARM is out, or about to be."""

_BADGES: Final = {"rehearsal": "REHEARSAL", "live": "LIVE", "plan": "PLAN ONLY"}

_WIDE: Final = 100
"""From so many cells on, the clock stands in the first line, behind the state."""

_ID, _ID_WIDE = 16, 30
"""So many cells has the run's id: runs of one book differ at its end."""

_ROOMY: Final = 140
"""From so many cells on, the header says in full who drives even when that is you; the help always does."""


@dataclass(frozen=True, slots=True)
class Seat:
    """From where this screen watches: who drives, how fast, and whether keys may decide anything."""

    is_read_only: bool
    driver: str
    speed: float | None
    now_ms: int
    follows: bool = True
    is_opening: bool = False
    """The run is read already, but not yet opened for driving."""
    has_ended: bool = False
    """This screen drove the run and does so no more."""


def header(view: RunView, seat: Seat, width: int) -> list[Line]:
    """The header: two lines on a wide screen, three on a narrow one, as far as what must be told allows."""
    if not view.id:
        return [(("runbook", "heading"),)]
    state = [(_state(view, seat), RUN_ROLES[view.state]), *([("PAUSED", "wait")] if view.paused else [])]
    name = one_line(view.book.get("title", ""))
    own: list[Span] = [(short_middle(view.id, _ID_WIDE if width >= _WIDE else _ID), "muted")] if name else []
    room = width - sum(cell_len(text) + 3 for text, _ in [badge(view), *own, *state])
    top: list[Span] = [badge(view), (short(name or view.id, room), "heading"), *own, *state]
    seats = [*_traffic(view, seat), _seat(seat, width), *([] if seat.follows else [("not following (f)", "muted")])]
    rows: list[Line] = []
    for size in range(4):
        where, clock = _where(view, size), (_clock(view, seat, size), "")
        rows = pack([*top, clock, *where, *seats], width) if width >= _WIDE else pack(top, width)
        rows += [] if width >= _WIDE else pack([*where, clock, *seats], width)
        if len(rows) <= (2 if width >= _WIDE else 3):
            break
    return rows


def _traffic(view: RunView, seat: Seat) -> list[Span]:
    """What is under way, and whether ARM turns calls away."""
    if seat.is_opening or view.state in (RunState.DONE, RunState.ABORTED):
        return []
    known = standing(view)
    calls = sum(n.state in _CALLING and (n.due_ms is None or n.due_ms <= seat.now_ms) for n in known.at_work)
    parts: list[Span] = [(f"{calls} under way", "busy")] if calls else []
    put_off = [n for n in known.throttled if (n.due_ms or 0) > seat.now_ms]
    if put_off:
        until = time_of_day(min(n.due_ms or 0 for n in put_off))
        parts.append((f"ARM throttles: {len(put_off)} wait until {until}", "wait"))
    return parts


def badge(view: RunView) -> Span:
    """How real a run is, in one word that stands out."""
    return (f" {_BADGES.get(view.mode, one_line(view.mode).upper())} ", f"badge-{_badge_role(view.mode)}")


def _badge_role(mode: str) -> str:
    return mode if mode in _BADGES else "live"


def _state(view: RunView, seat: Seat) -> str:
    if (seat.is_read_only or seat.has_ended) and view.state is RunState.NEEDS_OPERATOR:
        return "needs whoever drives"
    return RUN_WORDS[view.state]


def _seat(seat: Seat, width: int) -> Span:
    if seat.is_opening:
        return ("opening…", "wait")
    if seat.has_ended:
        return ("READ-ONLY, you drive no more", "bad")
    if seat.is_read_only:
        return (f"READ-ONLY, {driven_by(seat.driver)}", "bad")
    return (f"you drive, {driven_by(seat.driver, '')}" if width >= _ROOMY else "you drive", "muted")


def _where(view: RunView, size: int) -> list[Span]:
    """The pinned subscriptions always; tenant and cloud the shorter the higher ``size`` is."""
    subscriptions = view.pinned.get("subscriptions", {})
    parts: list[Span] = []
    if subscriptions:
        first = view.inputs.get("subscription")
        main = first if first in subscriptions else next(iter(subscriptions))
        more = f" and {len(subscriptions) - 1} more" if len(subscriptions) > 1 else ""
        parts.append((f"{one_line(subscriptions[main])} {one_line(main)}{more}", ""))
    tenant = one_line(view.pinned.get("tenant") or "")
    if tenant and size < 3:
        parts.append((f"tenant {tenant if size == 0 else short(tenant, 9)}", "muted"))
    if cloud := view.cloud:
        parts.append((one_line(cloud), "muted"))
    return parts


def _clock(view: RunView, seat: Seat, size: int) -> str:
    now = moment(seat.now_ms)
    if view.mode != "rehearsal":
        return now
    has_speed = size < 2 and not seat.is_read_only and not seat.is_opening
    return f"simulated time {now}" + (f", {pace(seat.speed)}" if has_speed else "")


def pace(speed: float | None) -> str:
    """How fast simulated time goes by, in words. Long waits are shortened even more."""
    return "waits are skipped" if speed is None else f"×{speed:g} or faster"
