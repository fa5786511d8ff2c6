"""The home screen's words: runs as a table that fits its width, each of them in full, and books.

Invariant: whatever the width, every row says in words how real its run is and how it stands; ``LIVE`` is told by
capitals and brackets, not by colour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from rich.cells import cell_len

from runbook.core.clock import duration, iso
from runbook.core.expected import Experience
from runbook.core.state import GLYPHS, NodeState, RunState
from runbook.core.summary import RunSummary, Spot
from runbook.tui.present.text import BLANK, Line, Span, labelled, line, lines, moment, one_line, short, short_middle
from runbook.tui.present.words import RUN_ROLES, RUN_WORDS, role, to_minute

if TYPE_CHECKING:
    from runbook.journal.runs import Listed
    from runbook.journal.store import Driver

Sort = Literal["urgency", "activity", "name"]

SORTS: Final[tuple[Sort, ...]] = ("urgency", "activity", "name")

SORT_WORDS: Final[dict[Sort, str]] = {
    "urgency": "what needs you first",
    "activity": "last activity first",
    "name": "by name",
}

_GLYPH: Final[dict[RunState, str]] = {
    RunState.ACTIVE: GLYPHS[NodeState.SETTLING],
    RunState.WAITING: GLYPHS[NodeState.WAITING],
    RunState.NEEDS_OPERATOR: GLYPHS[NodeState.READY],
    RunState.FAILED: GLYPHS[NodeState.FAILED],
    RunState.BLOCKED: GLYPHS[NodeState.BLOCKED],
    RunState.DONE: GLYPHS[NodeState.DONE],
    RunState.ABORTED: GLYPHS[NodeState.SKIPPED],
}

_URGENT: Final = (
    RunState.FAILED,
    RunState.BLOCKED,
    RunState.NEEDS_OPERATOR,
    RunState.ACTIVE,
    RunState.WAITING,
    RunState.DONE,
    RunState.ABORTED,
)

_FOLDERS: Final = re.compile(r"\S+[/\\](?=[^\s/\\])")
"""All of a path but its last part, which says enough in a row."""

_FAULTS: Final = {"too_new": "too new", "damaged": "damaged"}

GROUPS: Final = ("Needs you", "Cannot be read", "Stopped; Enter goes on", "Goes on", "Finished", "Put away")
"""In the order of urgency."""


# ---------------------------------------------------------------- which, and in which order


def group(run: Listed) -> str:
    """What of ``GROUPS`` a run belongs to."""
    if run.is_archived:
        return "Put away"
    if run.summary is None:
        return "Cannot be read"
    if run.summary.is_over:
        return "Finished"
    return "Needs you" if needs_me(run) else "Stopped; Enter goes on" if is_stopped(run) else "Goes on"


def is_stopped(run: Listed) -> bool:
    """Whether there is work to do in it that nobody does: its driver has gone, and it goes on with the next one."""
    return run.summary is not None and run.summary.state is RunState.ACTIVE and run.driver is None


def needs_me(run: Listed) -> bool:
    """Whether nothing, or not everything, goes on in it without the operator."""
    return run.summary is not None and not run.summary.is_over and run.summary.wanting > 0


def fitting(runs: Iterable[Listed], asked: str) -> list[Listed]:
    """The runs that every word of ``asked`` fits somewhere; all where nothing is asked."""
    words = asked.lower().split()
    return [run for run in runs if all(word in _haystack(run) for word in words)]


def _haystack(run: Listed) -> str:
    found: list[str] = [run.id, *(text for text, _ in state_words(run)), group(run)]
    if run.driver is not None:
        found += ["driven", _driver(run.driver)]
    if (s := run.summary) is not None:
        found += [s.book, s.title, s.mode, s.edition, s.scenario, s.account, s.cloud, *s.subscriptions]
        found += [f"{spot.title} {spot.node} {spot.who}" for spot in s.spots]
    return " ".join(found).lower()


def ordered(runs: Iterable[Listed], sort: Sort) -> list[tuple[str, list[Listed]]]:
    """Runs under headings; only the order of urgency has several. What was put away always comes last."""
    runs = list(runs)
    if sort == "urgency":
        found = [(name, sorted((r for r in runs if group(r) == name), key=_urgency)) for name in GROUPS]
        return [(name, of) for name, of in found if of]
    here = [r for r in runs if not r.is_archived]
    away = [r for r in runs if r.is_archived]
    found = [
        ("Runs", sorted(here, key=lambda r: _key(r, sort))),
        ("Put away", sorted(away, key=lambda r: _key(r, sort))),
    ]
    return [(name, of) for name, of in found if of]


def _key(run: Listed, sort: Sort) -> tuple[int, str]:
    return (-run.touched_ms, run.id) if sort == "activity" else (0, run.id)


def _urgency(run: Listed) -> tuple[bool, int, int, str]:
    s = run.summary
    place = _URGENT.index(s.state) if s is not None else 0
    # Of two that stand alike, the real one first; then who waits longest where somebody is needed, else the newest.
    return (s is None or s.mode != "live", place, -run.touched_ms, run.id)


# ---------------------------------------------------------------- the table


@dataclass(frozen=True, slots=True)
class _Column:
    """One column.

    Attributes:
        least: it is left out where it would have to be narrower.
        most: it is never wider.
    """

    head: str
    least: int
    most: int


_COLUMNS: Final = (  # in order of worth; the order on the screen is _SHOWN
    _Column("state", 12, 12),
    _Column("mode", 9, 9),
    _Column("run", 14, 44),
    _Column("active", 11, 11),
    _Column("now at", 16, 60),
    _Column("subscription", 14, 40),
    _Column("waits for", 20, 48),
    _Column("driven by", 12, 30),
    _Column("done", 9, 9),
    _Column("book", 12, 30),
)
_SHOWN: Final = (
    "state",
    "mode",
    "run",
    "book",
    "subscription",
    "now at",
    "waits for",
    "done",
    "driven by",
    "active",
)
_GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Table:
    """A head and a row for each run, all of one width.

    Attributes:
        widths: of each column that is shown, by its head.
    """

    head: Line
    rows: tuple[Line, ...]
    widths: dict[str, int]


def table(runs: Sequence[Listed], width: int, now_ms: int) -> Table:
    """The runs, side by side in columns, as many as the width allows.

    Args:
        runs: in the order in which they are shown.
        width: cells.
        now_ms: the machine's clock.
    """
    fits: list[_Column] = []
    left = width + _GAP
    for column in _COLUMNS:
        if column.least + _GAP > left:
            break  # what is worth less is not shown before it
        fits.append(column)
        left -= column.least + _GAP
    heads = {column.head for column in fits}
    cells = [_cells(run, now_ms, heads) for run in runs]
    widths = {column.head: column.least for column in fits}
    wishes = {c.head: min(c.most, max([cell_len(c.head), *(cell_len(row[c.head][0]) for row in cells)])) for c in fits}
    while left > 0 and (narrow := [name for name in widths if widths[name] < wishes[name]]):
        for name in narrow[:left]:  # cell by cell to all that would use it, the worthiest first
            widths[name] += 1
            left -= 1
    shown = [name for name in _SHOWN if name in widths]
    head = tuple((_padded(name.upper(), widths[name]), "muted") for name in shown)
    rows = [
        tuple((_padded(cell[name][0], widths[name], is_id=name == "run"), cell[name][1]) for name in shown)
        for cell in cells
    ]
    return Table(_gapped(head), tuple(map(_gapped, rows)), widths)


def _gapped(cells: Sequence[Span]) -> Line:
    spans: list[Span] = []
    for cell in cells:
        spans += [(" " * _GAP, ""), cell] if spans else [cell]
    return tuple(spans)


def _padded(text: str, width: int, *, is_id: bool = False) -> str:
    text = short_middle(text, width) if is_id else short(text, width)  # runs of one book differ at the end
    return text + " " * (width - cell_len(text))


def _cells(run: Listed, now_ms: int, heads: set[str]) -> dict[str, Span]:
    """Every cell of a run. What has no column of its own is told in another."""
    active = since(run.touched_ms, now_ms)
    if run.driver is not None and "driven by" not in heads:
        active = "driven"
    cells: dict[str, Span] = {
        "state": ("".join(text for text, _ in state_words(run)), state_words(run)[0][1]),
        "run": (one_line(run.id), "heading"),
        "active": (active, ""),
        "driven by": (_driver(run.driver) if run.driver else "nobody", "" if run.driver else "muted"),
    }
    s = run.summary
    if s is None:
        told = _FOLDERS.sub("", one_line(run.fault.message)) if run.fault else ""
        return {**dict.fromkeys(_SHOWN, ("", "")), **cells, "mode": ("unknown", "muted"), "now at": (told, "bad")}
    spot = s.spot
    who = _waits_for(spot, _clock(s, now_ms)) if spot else ""
    at = one_line(spot.title) if spot else "every node is finished" if s.state is RunState.DONE else ""
    if spot and spot.who and "waits for" not in heads:
        at = f"{who}: {at}"
    return {
        **cells,
        "mode": mode_span(s.mode),
        "book": (one_line(s.book), ""),
        "subscription": (_subscriptions(s), ""),
        "now at": (at, role(spot.state) if spot else "muted"),
        "waits for": (who, "wait"),
        "done": (f"{s.finished}/{s.total}{'+' if s.has_more else ''}", "muted"),
    }


def _subscriptions(s: RunSummary) -> str:
    if not s.subscriptions:
        return ""
    more = len(s.subscriptions) - 1
    return one_line(s.subscriptions[0]) + (f" +{more}" if more else "")


def _waits_for(spot: Spot, clock_ms: int) -> str:
    if spot.who:
        return f"{one_line(spot.who)}, {since(spot.since_ms, clock_ms)}"
    if spot.wants_me:
        return f"you, {since(spot.since_ms, clock_ms)}"
    return ""


def mode_span(mode: str) -> Span:
    """``[LIVE]`` or ``rehearsal``: told apart without any colour."""
    return ("[LIVE]", "bad") if mode == "live" else (one_line(mode) or "unknown", "muted")


def state_words(run: Listed) -> list[Span]:
    """A glyph and a word."""
    if run.summary is None:
        word = _FAULTS.get(run.fault.code, "unreadable") if run.fault else "unreadable"
        return [("! ", "bad"), (word, "bad")]
    state = run.summary.state
    if run.summary.paused and not run.summary.is_over:
        return [("‖ ", "wait"), ("paused", "wait")]
    if is_stopped(run):
        return [("‖ ", "wait"), ("stopped", "wait")]
    word = "failed" if state is RunState.FAILED else RUN_WORDS[state]
    return [(f"{_GLYPH[state]} ", RUN_ROLES[state]), (word, RUN_ROLES[state])]


def since(at_ms: int, now_ms: int) -> str:
    """How long ago, to the minute: ``now``, ``5 min``, ``3 h 5 min``, ``2 d 4 h``."""
    minutes = (now_ms - at_ms) // 60_000
    return duration(minutes * 60) if minutes >= 1 else "now"


def _clock(s: RunSummary, now_ms: int) -> int:
    """The run's own time: a rehearsal's stands still while nobody drives it."""
    return now_ms if s.mode == "live" else s.updated_ms


def _driver(driver: Driver) -> str:
    return one_line(f"{driver.account} on {driver.host}")


# ---------------------------------------------------------------- one run, in full


def about(run: Listed, now_ms: int, entries: Sequence[Line] = (), past: Experience | None = None) -> list[Line]:
    """Everything the list knows of a run, in words.

    Args:
        run: the run.
        now_ms: the machine's clock.
        entries: its last journal entries, as lines.
        past: what earlier runs of its book took.
    """
    s = run.summary
    if s is None:
        return _unreadable(run, now_ms)
    badge: Span = ((" LIVE " if s.mode == "live" else f" {one_line(s.mode).upper()} "), f"badge-{_badge(s.mode)}")
    rows = [line(badge, "  ", (one_line(run.id), "heading"), "  ", *state_words(run), *_wanting(s))]
    rows += _spots(s, _clock(s, now_ms), past)
    rows += lines(_what_enter_does(run), "muted")
    more = ", and more will come" if s.has_more else ""
    rows += labelled("Done", f"{s.finished} of {s.total} nodes{more}")
    nobody = "nobody: the last driver ended without leaving" if run.was_lost else "nobody at the moment"
    rows += labelled("Driven by", to_minute(_since(run.driver)) if run.driver else nobody)
    simulated = f" (simulated time {moment(s.updated_ms)})" if s.mode == "rehearsal" else ""
    ago = since(run.touched_ms, now_ms)
    rows += labelled("Last activity", f"{moment(run.touched_ms)}, {ago if ago == 'now' else f'{ago} ago'}{simulated}")
    rows += labelled("Book", f"{one_line(s.title)} ({one_line(s.book)} {one_line(s.book_version)})")
    scenario = f", scenario {one_line(s.scenario)}" if s.scenario else ""
    rows += labelled("Made", f"{moment(s.created_ms)}, edition {one_line(s.edition)}{scenario}")
    where = ", ".join(map(one_line, s.subscriptions)) or "nowhere: nothing is pinned"
    rows += labelled("Writes to", f"{where}{f' in {one_line(s.cloud)}' if s.cloud else ''}")
    if s.account:
        rows += labelled("Account", one_line(s.account))
    if s.aborted is not None:
        rows += labelled("Aborted", one_line(s.aborted) or "no reason given", "bad")
    if entries:
        rows += [BLANK, line(("Last entries", "heading")), *entries]
    return rows


def _badge(mode: str) -> str:
    return "rehearsal" if mode == "rehearsal" else "live"


def _wanting(s: RunSummary) -> list[Span]:
    if not s.wanting or s.is_over:
        return []
    return [(f"  {s.wanting} node{'s' if s.wanting > 1 else ''} need{'' if s.wanting > 1 else 's'} you", "go")]


def _since(driver: Driver) -> str:
    return f"{driver.account} on {driver.host} (process {driver.pid}) since {iso(driver.since_ms)}"


def _what_enter_does(run: Listed) -> str:
    if run.is_archived:
        return "It was put away: z brings it back, then Enter opens it."
    if run.driver is not None:
        return "Somebody drives it: Enter looks on, T takes it over."
    if run.summary is not None and run.summary.is_over:
        return "It is over: Enter shows it, R writes its report, z puts it away."
    if is_stopped(run):
        return "It stopped here: nobody drives it, so nothing moves. Enter goes on with it; w only looks."
    return "Enter goes on with it; w only looks."


def _spots(s: RunSummary, clock_ms: int, past: Experience | None) -> list[Line]:
    rows: list[Line] = []
    for spot in s.spots[:3]:
        rows.append(
            line((f"{GLYPHS[spot.state]} {spot.state.replace('_', ' ')}", role(spot.state)), "  ", one_line(spot.title))
        )
        told = [f"waiting for {one_line(spot.who)}"] if spot.who else []
        if clock_ms - spot.since_ms >= 60_000:
            told.append(f"for {since(spot.since_ms, clock_ms)}")
        if past is not None and (usual := past.steps.get((spot.step, spot.state))) is not None:
            told.append(usual.words())
        if spot.due_ms is not None:
            told.append(_next_look(spot.due_ms, clock_ms, s.mode))
        rows += [line((f"    {', '.join(told)}", "muted"))] if told else []
        if spot.why and spot.state in (NodeState.FAILED, NodeState.BLOCKED, NodeState.IN_DOUBT):
            rows += lines(one_line(spot.why), "", "    ")
    return rows


def _next_look(due_ms: int, clock_ms: int, mode: str) -> str:
    simulated = " of simulated time" if mode == "rehearsal" else ""
    if due_ms <= clock_ms:
        return "next look as soon as somebody drives it"
    return f"next look in {duration((due_ms - clock_ms) / 1000)}{simulated}"


def _unreadable(run: Listed, now_ms: int) -> list[Line]:
    rows = [line((one_line(run.id), "heading"), "  ", *state_words(run))]
    if run.fault is not None:
        rows += lines(run.fault.message)
        if run.fault.hint:
            rows += labelled("What to do", run.fault.hint)
    rows += labelled("Last written", f"{moment(run.touched_ms)}, {since(run.touched_ms, now_ms)} ago")
    away = "z brings it back among the others." if run.is_archived else "z puts it away; nothing of it is deleted."
    return [*rows, *lines(f"The other runs are not touched by this. {away}", "muted")]
