"""From the rechecks of a run to what ``verify`` prints: pure functions. The JSON form is a contract with scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from runbook.cli.listing import Json, run_doc
from runbook.cli.naming import moment, short_ids
from runbook.cli.planning import counted, folded, headed, named, node_detail, seen_doc
from runbook.core.clock import iso
from runbook.core.state import GLYPHS, NodeState
from runbook.core.view import RunView
from runbook.engine.recheck import Recheck
from runbook.engine.since import Since
from runbook.wiring.verify import Verified

_NAMED: Final = 3
"""Names that a trouble spells out."""
_GLYPHS: Final = {"drift": "≠", "unreadable": GLYPHS[NodeState.FAILED]}
_WORDS: Final = {
    "drift": "drifted",
    "unreadable": "could not be read",
    "not_done": "not done yet",
    "ok": "as the run left them",
    "skipped": "skipped or not needed",
}


def verify_doc(view: RunView, driver: str | None, found: Verified) -> Json:
    """What ``verify --json`` prints. ``state`` is the run's; checks, commands and diff are of the fresh look."""
    nodes, checked, table = [], found.checked, found.names
    for recheck in checked:
        doc = seen_doc(recheck.node, recheck.verdict)
        state = view.nodes[recheck.node.id].state.value
        since = _since_doc(found.since.get(recheck.node.id))
        told = {"outcome": recheck.outcome, "after": list(recheck.after), "since": since}
        nodes.append({**doc, "state": state, **told})
    names = None
    if table is not None:
        findings = [
            {"rule": f.rule.value, "place": f.place, "names": list(f.names), "cause": f.cause, "fix": f.fix}
            for f in table.findings
        ]
        names = {"totals": table.totals, "findings": findings}
    return {
        "run": run_doc(view, driver),
        "nodes": nodes,
        "names": names,
        "names_unread": found.names_unread,
        "totals": dict(Counter(recheck.outcome for recheck in checked)),
    }


def _since_doc(since: Since | None) -> Json | None:
    if since is None:
        return None
    return {"at": iso(since.at_ms), "by": since.who, "operation": since.operation, "resource": since.resource}


def verify_lines(view: RunView, found: Verified) -> Iterator[str]:
    """What drifted, what could not be read and what is not done; what holds is counted."""
    checked = found.checked
    yield from folded(f"Fresh look at {view.id}: {view.book.get('title', '')}", "")
    clock = " of simulated time" if view.mode == "rehearsal" else ""
    yield from folded(f"against what the run left at {moment(view.updated_ms)}{clock}", "")
    titles = {p["id"]: p["title"] for p in view.book.get("phases", ())}
    names = short_ids(view.nodes)
    told = [c for c in checked if c.outcome in ("drift", "unreadable", "not_done")]
    for phase, members in groupby(told, key=lambda c: c.node.doc["phase"]):
        yield ""
        yield str(titles.get(phase, phase))
        for recheck in members:
            node = recheck.node
            stands = f" (stands on {named(recheck.after, names)})" if recheck.after else ""
            word = recheck.outcome.replace("_", " ")
            glyph = _GLYPHS.get(recheck.outcome, GLYPHS[node.state])
            yield from headed(glyph, word, f"{names[node.id]}: {node.doc['title']}{stands}")
            if recheck.outcome != "not_done":
                yield from _unmet(recheck)
                if since := found.since.get(node.id):
                    by = f"{since.who} ({since.operation.removeprefix('Microsoft.')}), by the activity log"
                    yield from folded(f"since {moment(since.at_ms)}, by {by}", " " * 6)
                yield from node_detail(node)
    yield from _names(found)
    yield ""
    counts = Counter(c.outcome for c in checked)
    parts = [f"{counts[outcome]} {words}" for outcome, words in _WORDS.items() if counts[outcome]]  # type: ignore[index]
    later = f" {counted(view.steps_left, 'step')} of the book have not begun." if view.steps_left else ""
    is_calm = not (found.names_unread or (found.names is not None and found.names.is_wrong))
    calm = "No drift. " if is_calm and counts["ok"] and not counts["drift"] and not counts["unreadable"] else ""
    yield from folded(f"{calm}{counted(len(checked), 'node')}: {', '.join(parts)}.{later}", "")


def _names(found: Verified) -> Iterator[str]:
    """What is wrong with the names, each trouble once; what is right is counted."""
    table = found.names
    if found.names_unread:
        yield ""
        yield from folded(f"The names could not be looked at: {found.names_unread}", "")
    if table is None:
        return
    yield ""
    totals = table.totals
    unseen = f", {totals['unseen']} not provable from here" if totals["unseen"] else ""
    yield from folded(f"Names: {totals['ok']} answers right, {totals['wrong']} wrong{unseen}", "")
    for finding in table.findings:
        told = ", ".join(finding.names[:_NAMED]) + (
            f" and {len(finding.names) - _NAMED} more" * (len(finding.names) > _NAMED)
        )
        yield from headed(_GLYPHS["drift"], "name", f"{finding.place}: {told}" if finding.place else told)
        yield from folded(finding.cause, " " * 6)
        yield from folded(finding.fix, " " * 6) if finding.fix else ()


def _unmet(recheck: Recheck) -> Iterator[str]:
    for check in recheck.node.checks:
        if not check["ok"]:
            yield from folded(f"{check['name']}: expected {check['expected']}, found {check['observed']}", " " * 6)
