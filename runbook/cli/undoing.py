"""From the survey of an undo to what ``undo --plan`` prints: pure functions. Scripts rely on the JSON form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from runbook.cli.listing import Json
from runbook.cli.naming import moment
from runbook.cli.planning import counted, differs, folded, headed, node_detail, plan_doc
from runbook.core.state import GLYPHS, NodeState
from runbook.core.undo import Undo
from runbook.core.view import RunView
from runbook.engine.survey import Finding

STAYS: Final = "stays"
LEFT: Final = "left"


def undo_doc(run: str, view: RunView, driver: str | None, findings: Sequence[Finding], undo: Undo) -> Json:
    """What ``undo --plan --json`` prints: as ``plan --json``, with what is left alone and what stays."""
    doc = plan_doc(view, driver, [f for f in findings if not _is_stays(f)], is_run=False)
    for node, finding in zip(doc["nodes"], (f for f in findings if not _is_stays(f)), strict=True):
        node["left_alone"] = _left(finding)
    stays = [{"node": s.node, "title": s.title, "reason": s.reason} for s in undo.stays]
    return {**doc, "undoes": run, "stays": stays}


def undo_lines(run: str, view: RunView, findings: Sequence[Finding], undo: Undo) -> Iterator[str]:
    """Call by call in the order in which they would be made; then what is left alone, and what stays."""
    yield from folded(f"Taking back {run}: what it made or changed, last first", "")
    clock = " of simulated time" if view.mode == "rehearsal" else ""
    yield from folded(f"read at {moment(view.updated_ms)}{clock}", "")
    backs = [f for f in findings if not _is_stays(f)]
    yield from _part("Would be taken back", [f for f in backs if f.node.changes or f.remark.startswith("change")])
    yield from _part("Left alone", [f for f in backs if _left(f)])
    yield from _part("Cannot be told yet", [f for f in backs if _is_open(f)])
    gone = sum(f.is_passed and not _left(f) for f in backs)
    if undo.stays:
        yield ""
        yield "Stays, as it cannot be taken back"
        for stays in undo.stays:
            yield from headed("·", "stays", stays.title)
            yield from folded(stays.reason, " " * 6)
    yield ""
    disruptive = sum(f.node.is_disruptive for f in backs)
    would = sum(bool(f.node.changes) for f in backs)
    risky = f" ({disruptive} of them disruptive)" if disruptive else ""
    left = sum(bool(_left(f)) for f in backs)
    parts = [f"{would} to take back{risky}", f"{left} left alone", f"{gone} gone or as before already"]
    yield from folded(
        f"{counted(len(backs), 'thing')}: {', '.join(parts)}. {counted(len(undo.stays), 'thing')} stay.", ""
    )


def _part(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield ""
    yield title
    for finding in findings:
        node = finding.node
        if left := _left(finding):
            yield from headed(GLYPHS[NodeState.SKIPPED], "left alone", node.doc["target"])
            yield from folded(left, " " * 6)
            continue
        yield from headed(GLYPHS[node.state], finding.verdict.removesuffix("_until"), node.doc["title"])
        for change in node.changes:
            risk = "DISRUPTIVE: " if change["risk"] == "disruptive" else ""
            yield from folded(f"» {risk}{change['title']}", " " * 6)
            if change["method"] != "DELETE":
                for diff in change["diff"]:
                    for row in differs(diff["path"], diff["before"], diff["after"]):
                        yield from folded(row, " " * 8)
            yield f"        $ {change['command']['az']}"
        if not node.changes:
            yield from folded(finding.remark, " " * 6) if finding.remark else ()
            yield from node_detail(node)


def _is_stays(finding: Finding) -> bool:
    return finding.node.doc["step"] == STAYS


def _left(finding: Finding) -> str:
    """Why it is left alone; empty where it is not."""
    if found := str(finding.node.outputs.get(LEFT) or ""):
        return found
    return ""


def _is_open(finding: Finding) -> bool:
    return not finding.is_passed and not finding.node.changes and not finding.remark.startswith("change")
