"""From the findings of a plan to what is printed: pure functions. The JSON form is a contract with scripts.

Lines are for people: what asks for something is told in full, what is quiet in one line, and many quiet nodes of one
step in one line together. Sentences are folded at ``WIDTH``; commands never are, so that they can be copied.
"""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from runbook.cli.listing import Json, node_doc, run_doc
from runbook.cli.naming import moment, short_ids
from runbook.core.docs import ChangeDoc
from runbook.core.state import FINISHED, GLYPHS, NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.survey import Finding

WIDTH: Final = 80
MANY: Final = 6
"""More quiet nodes of one step than this are told in one line."""
IN_FULL: Final = 10
"""Of one step, this many nodes with changes are told with their commands; the others by what they change."""

_INDENT: Final = " " * 6


def plan_doc(view: RunView, driver: str | None, findings: Sequence[Finding], *, is_run: bool) -> Json:
    """What ``plan --json`` prints. A run that does not exist yet has no id."""
    run = run_doc(view, driver)
    return {
        "run": run if is_run else {**run, "id": "", "mode": "plan"},
        "nodes": [_finding_doc(f) for f in findings],
        "totals": dict(Counter(f.verdict for f in findings)),
    }


def _finding_doc(finding: Finding) -> Json:
    return {**seen_doc(finding.node, finding.verdict), "after": list(finding.after), "remark": finding.remark}


def seen_doc(node: NodeView, verdict: str) -> Json:
    """A node as ``status --json`` has it, with what a fresh look said."""
    return {
        **node_doc(node),
        "verdict": verdict,
        "diff": [dict(d) for c in node.changes for d in c["diff"]],
        "changes": [{"title": c["title"], "risk": c["risk"]} for c in node.changes],
    }


# ---------------------------------------------------------------- text


def plan_lines(view: RunView, findings: Sequence[Finding]) -> Iterator[str]:
    """The whole plan, phase by phase. What the run has finished was not looked at, and is only counted."""
    finished = {n.id for n in view.nodes.values() if n.state in FINISHED}
    findings = [f for f in findings if f.node.id not in finished]
    titles = {p["id"]: p["title"] for p in view.book.get("phases", ())}
    names = short_ids(f.node.id for f in findings)
    for phase, members in groupby(findings, key=lambda f: f.node.doc["phase"]):
        yield ""
        yield str(titles.get(phase, phase))
        for _, of_step in groupby(members, key=lambda f: f.node.doc["step"]):
            yield from _step_lines(list(of_step), names)
    yield ""
    if finished:
        yield from folded(f"{counted(len(finished), 'node')} of this run: done or skipped, and not looked at.", "")
    yield from folded(summary(findings), "")


def heading(view: RunView, *, is_run: bool) -> Iterator[str]:
    """What is planned, from where, read when."""
    yield from folded(f"Plan of {view.id if is_run else view.book.get('id', '')}: {view.book.get('title', '')}", "")
    clock = " of simulated time" if view.mode == "rehearsal" else ""
    where = f"scenario {view.scenario}" if view.scenario else f"cloud {view.cloud}"
    yield from folded(f"{where}, edition {view.edition}, read at {moment(view.updated_ms)}{clock}", "")


def _step_lines(findings: list[Finding], names: Mapping[str, str]) -> Iterator[str]:
    quiet = Counter(_alike(f) for f in findings)
    told: set[tuple[str, ...]] = set()
    changing = 0
    for finding in findings:
        alike = _alike(finding)
        if alike and quiet[alike] > MANY:
            if alike not in told:
                told.add(alike)
                yield from _line(finding, names, f"{quiet[alike]} nodes, such as {names[finding.node.id]}")
            continue
        yield from _line(finding, names, names[finding.node.id])
        changing += finding.verdict == "change"
        yield from _detail(finding, is_brief=changing > IN_FULL)
    if changing > IN_FULL:
        yield from folded(f"The commands of the last {changing - IN_FULL} are in --json.", _INDENT)


def _alike(finding: Finding) -> tuple[str, ...]:
    """What quiet nodes must have in common to be told together; empty for what asks for something."""
    is_quiet = finding.verdict in ("satisfied", "unknown_until") and finding.node.state is not NodeState.FAILED
    return (finding.node.state, *(n.partition("[")[0] for n in finding.after)) if is_quiet else ()


def _line(finding: Finding, names: Mapping[str, str], name: str) -> Iterator[str]:
    node = finding.node
    return headed(GLYPHS[node.state], _word(finding), f"{name}: {node.doc['title']}{_after(finding, names)}")


def _word(finding: Finding) -> str:
    match finding.node.state:
        case NodeState.SKIPPED:
            return "not needed" if finding.node.skipped and finding.node.skipped["by"] == "when" else "skipped"
        case NodeState.FAILED:
            return "failed"
        case _:
            return finding.verdict.removesuffix("_until").replace("_", " ")


def _after(finding: Finding, names: Mapping[str, str]) -> str:
    if not finding.after or finding.verdict == "satisfied":
        return ""
    shown = [names.get(name, name.removesuffix("[*]")) for name in finding.after]
    some = ", ".join(shown[:2]) + (f" and {len(shown) - 2} more" if len(shown) > 2 else "")
    return f" (after {some})" if finding.verdict == "change" else f" (until {some})"


def _detail(finding: Finding, *, is_brief: bool) -> Iterator[str]:
    if finding.remark.startswith("blocked"):
        yield from folded(f"As things stand: {finding.remark}", _INDENT)
    yield from node_detail(finding.node, is_brief=is_brief)


def node_detail(node: NodeView, *, is_brief: bool = False) -> Iterator[str]:
    """What a look found that asks for something, indented: changes, the wait, the rule, the error."""
    for change in node.changes if node.state is not NodeState.DONE else ():
        yield from _change_lines(change, is_brief=is_brief)
    wait, rule, error = node.waiting, node.blocked, node.error
    if node.state is NodeState.WAITING and wait:
        yield from folded(f"Waits for {wait['who']}. {wait['message']}", _INDENT)
        yield from folded(f"Then: {wait['then']}", _INDENT) if wait["then"] else ()
    if node.state is NodeState.BLOCKED and rule:
        yield from folded(f"{rule['rule']}: {rule['message']}", _INDENT)
        for way in rule["ways_out"]:
            yield from folded(f"- {way}", _INDENT)
    if node.state is NodeState.SETTLING and node.summary:
        yield from folded(node.summary, _INDENT)
    if node.state is NodeState.FAILED and error:
        yield from folded(f"{error['code']}: {error['message']} {error['hint']}", _INDENT)


def _change_lines(change: ChangeDoc, *, is_brief: bool) -> Iterator[str]:
    risk = "DISRUPTIVE: " if change["risk"] == "disruptive" else ""
    yield from folded(f"» {risk}{change['title']}", _INDENT)
    if is_brief:
        return
    for diff in change["diff"]:
        for row in differs(diff["path"], diff["before"], diff["after"]):
            yield from folded(row, f"{_INDENT}  ")
    yield f"{_INDENT}  $ {change['command']['az']}"


def differs(path: str, before: Any, after: Any) -> Iterator[str]:
    """One line for each thing that would be other than it is."""
    old, new = dict(_leaves(path, before)), dict(_leaves(path, after))
    for name in dict.fromkeys((*old, *new)):
        label = f"{name}: " if name else ""
        if old.get(name) == new.get(name):
            continue
        if name not in old:
            yield f"+ {label}{new[name]}"
        elif name not in new:
            yield f"- {label}{old[name]}"
        else:
            yield f"~ {label}{old[name]} becomes {new[name]}"


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """A value, one pair for each thing in it; nothing where there is none."""
    match value:
        case None:
            return
        case dict() if value:
            for name, inner in value.items():
                yield from _leaves(f"{path}.{name}" if path else str(name), inner)
        case list() if any(isinstance(inner, dict | list) for inner in value):
            for number, inner in enumerate(value):
                yield from _leaves(f"{path}[{number}]", inner)
        case str():
            yield path, value
        case _:
            yield path, json.dumps(value, ensure_ascii=False)


def summary(findings: Sequence[Finding]) -> str:
    """How many nodes there are of each kind."""
    if not findings:
        return "Nothing is left to do."
    counts = Counter(_word(f) for f in findings)
    disruptive = sum(f.node.is_disruptive for f in findings if f.verdict == "change")
    order = ("change", "blocked", "failed", "waiting", "in progress", "unknown", "satisfied", "not needed", "skipped")
    parts = []
    for word in order:
        if counts[word]:
            more = f" ({disruptive} of them disruptive)" if word == "change" and disruptive else ""
            parts.append(f"{counts[word]} {word}{more}")
    return f"{counted(len(findings), 'node')}: {', '.join(parts)}."


def counted(count: int, noun: str) -> str:
    """``1 node``, ``2 nodes``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def headed(glyph: str, word: str, text: str) -> Iterator[str]:
    """A node's own line: its sign and word, then its name and title, folded beside them."""
    head = f"  {glyph} {word:<11}  "
    yield from textwrap.wrap(
        head + one_line(text), WIDTH, subsequent_indent=" " * len(head), break_long_words=False, break_on_hyphens=False
    )


def folded(text: str, indent: str) -> Iterator[str]:
    """A sentence in lines of at most ``WIDTH`` cells, but for words that are longer."""
    yield from textwrap.wrap(
        one_line(text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  " if indent else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


def one_line(text: str) -> str:
    return " ".join(text.split())


def named(ids: Iterable[str], names: Mapping[str, str]) -> str:
    """Node ids in their short forms."""
    return ", ".join(names.get(name, name.removesuffix("[*]")) for name in ids)
