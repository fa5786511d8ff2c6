"""From the rechecks of a run to what ``verify`` prints: pure functions. The JSON form is a contract with scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from runbook.cli.listing import Json, run_doc
from runbook.cli.naming import moment, short_ids
from runbook.cli.planning import counted, folded, headed, named, node_detail, seen_doc
from runbook.core.state import GLYPHS, NodeState
from runbook.core.view import RunView
from runbook.engine.recheck import Recheck

_GLYPHS: Final = {"drift": "≠", "unreadable": GLYPHS[NodeState.FAILED]}
_WORDS: Final = {
    "drift": "drifted",
    "unreadable": "could not be read",
    "not_done": "not done yet",
    "ok": "as the run left them",
    "skipped": "skipped or not needed",
}


def verify_doc(view: RunView, driver: str | None, checked: Sequence[Recheck]) -> Json:
    """What ``verify --json`` prints. ``state`` is the run's; checks, commands and diff are of the fresh look."""
    nodes = []
    for recheck in checked:
        doc = seen_doc(recheck.node, recheck.verdict)
        state = view.nodes[recheck.node.id].state.value
        nodes.append({**doc, "state": state, "outcome": recheck.outcome, "after": list(recheck.after)})
    return {
        "run": run_doc(view, driver),
        "nodes": nodes,
        "totals": dict(Counter(recheck.outcome for recheck in checked)),
    }


def verify_lines(view: RunView, checked: Sequence[Recheck]) -> Iterator[str]:
    """What drifted, what could not be read and what is not done; what holds is counted."""
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
                yield from node_detail(node)
    yield ""
    counts = Counter(c.outcome for c in checked)
    parts = [f"{counts[outcome]} {words}" for outcome, words in _WORDS.items() if counts[outcome]]  # type: ignore[index]
    later = f" {counted(view.steps_left, 'step')} of the book have not begun." if view.steps_left else ""
    calm = "No drift. " if counts["ok"] and not counts["drift"] and not counts["unreadable"] else ""
    yield from folded(f"{calm}{counted(len(checked), 'node')}: {', '.join(parts)}.{later}", "")


def _unmet(recheck: Recheck) -> Iterator[str]:
    for check in recheck.node.checks:
        if not check["ok"]:
            yield from folded(f"{check['name']}: expected {check['expected']}, found {check['observed']}", " " * 6)
