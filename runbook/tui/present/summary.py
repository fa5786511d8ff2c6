"""What a run would come to, before it is made: from its book alone, and from a look that only read.

Invariant: what a look did not find out is said to be unknown; nothing here guesses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from runbook.book import Book, StepSpec
from runbook.book.refs import fill, paths
from runbook.core.error import BookError
from runbook.core.ids import step_of
from runbook.core.state import GLYPHS, NodeState
from runbook.core.view import RunView
from runbook.engine.survey import Finding
from runbook.tui.present.node import GATES
from runbook.tui.present.text import BLANK, Line, heading, labelled, line, lines, moment, one_line
from runbook.tui.present.words import role

MANY: Final = 8
"""Of one step, more things than this are counted."""

_ORDER: Final = ("change", "blocked", "failed", "waiting", "in progress", "unknown", "satisfied", "not needed")


# ---------------------------------------------------------------- the book alone


def book_rows(book: Book, inputs: Mapping[str, Any]) -> list[Line]:
    """What the book says, with these inputs, without having looked anywhere."""
    steps = [spec for spec in book.steps if not _is_ruled_out(spec, inputs)]
    repeated = sum(spec.for_each is not None for spec in steps)
    rows: list[Line] = lines(
        f"{counted(len(steps), 'step')} in {counted(len({s.phase for s in steps}), 'phase')}; {repeated} of them "
        "become one node for each subscription, server, host pool or the like that is found."
    )
    if book.duration:
        rows += labelled("Takes", " ".join(book.duration.split()))
    rows += [BLANK, heading("Gates: where somebody must say go")]
    for who, name in GATES.items():
        rows += [line((f"  {name}: ", "muted"), _title(spec, inputs)) for spec in steps if spec.gate == who]
    rows += [BLANK, heading("Disruptive, by the book's own words; each wants its own explicit go")]
    rows += [line("  ", ("! ", "bad"), _title(spec, inputs)) for spec in steps if _is_risky(spec)] or lines("  none")
    return rows


def _is_risky(spec: StepSpec) -> bool:
    """Books begin the risk of such a step with this word."""
    return spec.guide.get("risk", "").strip().lower().startswith("disruptive")


def _is_ruled_out(spec: StepSpec, inputs: Mapping[str, Any]) -> bool:
    """Whether the inputs alone say that a step is not needed."""
    if isinstance(spec.when, bool):
        return not spec.when
    if any(path.names[0] != "inputs" for path in paths(spec.when)):
        return False
    try:
        return fill(spec.when, {"inputs": inputs}) is False
    except BookError:
        return False


def _title(spec: StepSpec, inputs: Mapping[str, Any]) -> str:
    """A step's title; what is not known yet is an ellipsis."""
    try:
        return one_line(fill(spec.title, {"inputs": inputs}))
    except BookError:
        return one_line(_blanked(spec.title))


def _blanked(title: str) -> str:
    before, brace, rest = title.partition("${")
    return f"{before}…{_blanked(rest.partition('}')[2])}" if brace else before


# ---------------------------------------------------------------- a look


def seen_rows(book: Book, view: RunView, findings: Sequence[Finding], *, is_whole: bool) -> list[Line]:
    """What a look found a run would do.

    Args:
        book: the run's book.
        view: the run as it would begin.
        findings: of every node, in the book's order.
        is_whole: every node with its commands, as a plan is read; else what a decision needs.
    """
    rows: list[Line] = [_counts(findings)]
    rows += lines(_read_when(view), "muted")
    rows += _section("Stops here: a rule forbids", findings, "blocked", _rule)
    rows += _section("Could not be read", findings, "failed", _failure)
    rows += _changes(findings)
    rows += _disruptive(book, view, findings)
    rows += _gates(findings)
    rows += _section("Waits for somebody outside", findings, "waiting", _wait)
    rows += _unknown(book, view, findings)
    if is_whole:
        rows += [BLANK, heading("Node by node")]
        rows += [row for finding in findings for row in _node(finding)]
    return rows


def _read_when(view: RunView) -> str:
    where = f"scenario {one_line(view.scenario)}" if view.scenario else f"cloud {one_line(view.cloud)}"
    clock = " of simulated time" if view.mode == "rehearsal" else ""
    return f"Read in {where}, edition {view.edition}, at {moment(view.updated_ms)}{clock}; nothing was changed."


def counted(count: int, noun: str) -> str:
    """``1 node``, ``2 nodes``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def word_of(finding: Finding) -> str:
    """What a look says of a node, in a word or two."""
    match finding.node.state:
        case NodeState.SKIPPED:
            return "not needed"
        case NodeState.FAILED:
            return "failed"
        case _:
            return finding.verdict.removesuffix("_until").replace("_", " ")


def _counts(findings: Sequence[Finding]) -> Line:
    counts = Counter(map(word_of, findings))
    parts = [f"{counts[word]:,} {word}" for word in _ORDER if counts[word]]
    return line((f"{counted(len(findings), 'node')}: ", "heading"), ", ".join(parts))


def _section(title: str, findings: Sequence[Finding], word: str, tell: Any) -> list[Line]:
    found = [f for f in findings if word_of(f) == word]
    if not found:
        return []
    rows = [BLANK, heading(title)]
    for _, of_step in _by_step(found):
        rows += [row for finding in of_step[:MANY] for row in tell(finding)]
        rows += _more(len(of_step))
    return rows


def _by_step(findings: Iterable[Finding]) -> Iterable[tuple[str, list[Finding]]]:
    return [(step, list(of_step)) for step, of_step in groupby(findings, key=lambda f: f.node.doc["step"])]


def _more(count: int) -> list[Line]:
    return [line((f"    and {count - MANY:,} more like these", "muted"))] if count > MANY else []


def _rule(finding: Finding) -> list[Line]:
    rule = finding.node.blocked
    if rule is None:
        return []
    rows = [line("  ", (GLYPHS[NodeState.BLOCKED], "bad"), f" {one_line(finding.node.doc['title'])}")]
    rows += lines(f"    {one_line(rule['message'])}", "bad")
    return rows + [row for way in rule["ways_out"] for row in lines(f"    - {one_line(way)}")]


def _failure(finding: Finding) -> list[Line]:
    error = finding.node.error
    told = f"{error['code']}: {one_line(error['message'])} {one_line(error['hint'])}".strip() if error else ""
    return [
        line("  ", (GLYPHS[NodeState.FAILED], "bad"), f" {one_line(finding.node.doc['title'])}"),
        *lines(f"    {told}", "bad"),
    ]


def _wait(finding: Finding) -> list[Line]:
    wait = finding.node.waiting
    who = f": {one_line(wait['who'])}" if wait else ""
    return [line("  ", (GLYPHS[NodeState.WAITING], "wait"), f" {one_line(finding.node.doc['title'])}{who}")]


def _changes(findings: Sequence[Finding]) -> list[Line]:
    found = [f for f in findings if f.verdict == "change"]
    rows = [BLANK, heading("Would be created or changed, as things stand")]
    if not found:
        return [*rows, *lines("  nothing that can be told yet")]
    for _, of_step in _by_step(found):
        rows += _titles("  + ", "", [change["title"] for finding in of_step for change in finding.node.changes])
    return rows


def _titles(mark: str, role_: str, titles: Sequence[str]) -> list[Line]:
    """Each title once, with how often; of many the first."""
    often = Counter(map(one_line, titles))
    rows = [line((mark, role_), f"{title}{f' ({n} times)' if n > 1 else ''}") for title, n in often.items()]
    return [*rows[:MANY], *_more(len(rows))]


def _disruptive(book: Book, view: RunView, findings: Sequence[Finding]) -> list[Line]:
    rows = [BLANK, heading("Disruptive; each wants its own explicit go")]
    known = [c["title"] for f in findings for c in f.node.changes if c["risk"] == "disruptive"]
    rows += _titles("  ! ", "bad", known)
    unknown = {f.node.doc["step"] for f in findings if word_of(f) == "unknown"}
    later = [_title(spec, view.inputs) for spec in book.steps if spec.id in unknown and _is_risky(spec)]
    rows += [line(("  ! ", "bad"), title, ("  (by the book; not read yet)", "muted")) for title in later]
    return rows if known or later else [*rows, *lines("  none")]


def _gates(findings: Sequence[Finding]) -> list[Line]:
    found = [f for f in findings if f.node.doc["gate"] and f.verdict != "satisfied"]
    if not found:
        return []
    rows = [BLANK, heading("Gates: where somebody must say go")]
    for _, of_step in _by_step(found):
        first = of_step[0].node.doc
        count = f" ({len(of_step)} nodes)" if len(of_step) > 1 else ""
        rows.append(line((f"  {GATES.get(first['gate'], first['gate'])}: ", "muted"), one_line(first["title"]) + count))
    return rows


def _unknown(book: Book, view: RunView, findings: Sequence[Finding]) -> list[Line]:
    found = [f for f in findings if word_of(f) == "unknown"]
    if not found:
        return []
    rows = [BLANK, heading("Not known yet, because of what comes before")]
    for _, of_step in _by_step(found):
        title = one_line(of_step[0].node.doc["title"])
        count = f" ({len(of_step)} nodes)" if len(of_step) > 1 else ""
        rows.append(line("  ? ", title + count))
        if after := dict.fromkeys(step_of(n) for n in of_step[0].after):
            first = _title(book.step(next(iter(after))), view.inputs)
            more = f" and {len(after) - 1} more" if len(after) > 1 else ""
            rows.append(line((f"      until done: {first}{more}", "muted")))
    return rows


def _node(finding: Finding) -> list[Line]:
    node = finding.node
    rows = [
        line(
            "  ",
            (f"{GLYPHS[node.state]} {word_of(finding):<11}", role(node.state)),
            f" {one_line(node.doc['title'])}",
        )
    ]
    for change in node.changes if node.state is not NodeState.DONE else ():
        risk = ("DISRUPTIVE: ", "bad") if change["risk"] == "disruptive" else ("", "")
        rows.append(line("      » ", risk, one_line(change["title"])))
        rows += lines(change["command"]["az"], "code", "        $ ")
    if finding.remark:
        rows += lines(f"As things stand: {one_line(finding.remark)}", "muted", "      ")
    return rows


# ---------------------------------------------------------------- a live run


def pinned_rows(pinned: Mapping[str, Any]) -> list[Line]:
    """Where a live run writes."""
    rows = labelled("Cloud", one_line(f"{pinned.get('cloud_name', '')} ({pinned.get('endpoint', '')})"))
    rows += labelled("Tenant", one_line(pinned.get("tenant", "")))
    rows += labelled("Signed in", one_line(pinned.get("account", "")))
    for id_, name in pinned["subscriptions"].items():
        rows += labelled("Subscription", one_line(f"{name or '(no name)'} ({id_})"))
    return rows


def names_in(pinned: Mapping[str, Any]) -> list[str]:
    """What is to be typed: the name of each subscription, or its id where it has none."""
    return [str(name or id_) for id_, name in pinned["subscriptions"].items()]
