"""The pages about the selected row: guide, plan, commands, checks. Entries have a module of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from runbook.core.docs import AppliedDoc, ChangeDoc, CheckDoc, RefusedDoc
from runbook.core.entry import Entry
from runbook.core.expected import Expected
from runbook.core.state import FINISHED, NodeState
from runbook.core.tally import FEW
from runbook.core.view import NodeView, RunView
from runbook.tui.present.along import along
from runbook.tui.present.ids import ids_in, short_forms, shortened
from runbook.tui.present.rows import step_title, tally
from runbook.tui.present.situation import RealS, at_work_since, situation
from runbook.tui.present.text import (
    BLANK,
    Line,
    Span,
    ago,
    clean,
    end_of,
    heading,
    labelled,
    line,
    lines,
    moment,
    one_line,
    short_middle,
)
from runbook.tui.present.words import glyph, glyph_of, role, urgency, wants_me, word

Face = Literal["az", "powershell", "rest", "by_hand"]

FACES: Final[dict[Face, str]] = {
    "az": "Azure CLI",
    "powershell": "PowerShell",
    "rest": "REST",
    "by_hand": "by hand, never run by us",
}


GATES: Final = {"operator": "you", "team": "another team", "microsoft": "Microsoft"}
"""Who must say go, by the book's label."""


def node_head(node: NodeView, now_ms: int, width: int = 80) -> list[Line]:
    """Title, state and target of a node, the latter in at most ``width`` cells."""
    title = one_line(node.doc["title"]) or node.id
    rows = [line((title, "heading"))]
    rows.append(line((f"{glyph(node)} {word(node)}", role(node.state)), (_facts(node, now_ms), "muted")))
    target = one_line(node.doc["target"])
    if target and target.rpartition("/")[2].lower() not in title.lower():
        rows.append(line((short_middle(end_of(target, 2), width), "muted")))
    return rows


def _facts(node: NodeView, now_ms: int) -> str:
    since_ms = node.since_ms
    if node.state is NodeState.WAITING and node.waiting:
        since_ms = node.waiting["since_ms"]
    elif node.state is NodeState.BLOCKED and node.blocked_since_ms is not None:
        since_ms = node.blocked_since_ms
    elif node.state is NodeState.SETTLING:
        since_ms = at_work_since(node)
    facts = []
    if node.state not in FINISHED and since_ms and now_ms - since_ms >= 1000:
        facts.append(f"for {ago(since_ms, now_ms)}")
    if node.attempts > 1 and node.state is not NodeState.WAITING:  # a wait tells its own looks
        facts.append(f"{node.attempts} looks")
    if node.doc["gate"] and node.state not in FINISHED:
        label = one_line(node.doc["gate"])
        facts.append(f"the go comes from {GATES.get(label, label)}")
    return "".join(f" · {fact}" for fact in facts)


def guide(
    view: RunView, node: NodeView, now_ms: int, real_s: RealS | None = None, expected: Expected | None = None
) -> list[Line]:
    """What is the matter now, then why, what and what can go wrong, with the source."""
    now = situation(node, now_ms, real_s=real_s, expected=expected or {})
    rows = [heading("Now"), *now, BLANK] if now else []
    rows += step_guide(_step(view, node.doc["step"]))
    needs = [n for n in node.doc["needs"] if n in view.nodes and view.nodes[n].state not in FINISHED]
    if node.state is NodeState.PENDING and needs:
        rows += [BLANK, heading("Comes after")]
        rows += [_member(view.nodes[n]) for n in needs]
    return _trim(rows) or lines("The book says nothing more about this step.", "muted")


def step_guide(step: Mapping[str, Any]) -> list[Line]:
    """The book's own words on a step."""
    told = step.get("guide") or {}
    told = told if isinstance(told, Mapping) else {"what": told}
    rows: list[Line] = []
    for part, title in (("why", "Why"), ("what", "What happens"), ("risk", "What can go wrong")):
        if told.get(part):
            rows += [heading(title), *lines(str(told[part]).strip()), BLANK]
    if step.get("source"):
        rows += labelled("Source", str(step["source"]).strip(), "muted")
    return _trim(rows)


def group_page(view: RunView, kind: str, id_: str) -> list[Line]:
    """A phase, or a step without exactly one node."""
    if kind == "phase":
        steps = [s for s in view.book.get("steps", ()) if s.get("phase", "") == id_]
        rows: list[Line] = []
    else:
        steps = [_step(view, id_)]
        rows = _standing(view.of_step(id_))
    for step in steps:
        nodes = view.of_step(step["id"])
        if kind == "phase" and len(nodes) > FEW:
            rows.append(_many(step, nodes))
        elif kind == "phase":
            rows += [_member(n) for n in nodes]
        else:
            rows += [_member(n) for n in sorted(nodes, key=_by_need)[:_SHOWN]]
            if len(nodes) > _SHOWN:
                rows += lines(f"and {len(nodes) - _SHOWN} more. Space opens the step, / finds a node.", "muted")
        if not nodes and step["id"] in view.expanded:
            rows.append(line((f"- {step_title(step)}: nothing to do here", "muted")))
        elif not nodes:
            rows.append(line((f"· {step_title(step)}: known when what it needs is finished", "muted")))
    return rows if kind == "phase" else [*rows, BLANK, *step_guide(steps[0])]


_SHOWN: Final = 24
"""More nodes of a step than a page can be read for stand only in the tree."""


def _standing(nodes: list[NodeView]) -> list[Line]:
    """How many nodes of a step there are, and how they stand."""
    return [*lines(f"{tally(nodes).spelled()}."), BLANK] if len(nodes) > 1 else []


def _many(step: Mapping[str, Any], nodes: list[NodeView]) -> Line:
    """A step with many nodes, in one line."""
    count = tally(nodes)
    mark = (f"{glyph_of(count.state)} {count.brief():<12} ", role(count.state))
    return line(mark, f"{step_title(step)}: {count.spelled()}")


def _by_need(node: NodeView) -> tuple[bool, int]:
    """Those first that need the operator, then the most urgent; in book order among equals."""
    return not wants_me(node), urgency(node.state)


def group_head(view: RunView, kind: str, id_: str) -> list[Line]:
    """Title of a phase or step."""
    if kind == "phase":
        titles = {p["id"]: p.get("title", p["id"]) for p in view.book.get("phases", ())}
        return [line((one_line(titles.get(id_, id_)), "heading"))]
    return [line((step_title(_step(view, id_)), "heading"))]


def _member(node: NodeView) -> Line:
    mark = (" ← you", "go") if wants_me(node) else ("", "")
    return line((f"{glyph(node)} {word(node):<9} ", role(node.state)), one_line(node.doc["title"]), mark)


def plan(node: NodeView, *, is_whole: bool = False, key: str = "v", view: RunView | None = None) -> list[Line]:
    """The changes still to be made, with what they alter.

    Args:
        node: the node.
        is_whole: resource ids in full; else what tells them apart.
        key: the key that changes between the two.
        view: where it is known, what goes along with a go for them is told as well.
    """
    ids = ids_in(t for c in node.changes for d in c["diff"] for v in (d["before"], d["after"]) for t in _leaves(v))
    forms = {} if is_whole else short_forms(ids)
    rows: list[Line] = []
    if ids and (is_whole or any(form != id_ for id_, form in forms.items())):
        rows.append(line((key, "key"), (f" {'shortens' if is_whole else 'shows whole'} resource ids", "muted")))
    for number, change in enumerate(node.changes, 1):
        go = ("  approved", "ok") if change["digest"] in node.approved else ("", "")
        rows.append(line((f"{number}. {one_line(change['title'])}", "heading"), go))
        if change["risk"] == "disruptive":
            rows += lines("   Disruptive: people or machines may notice.", "bad")
        if change["repeat"] == "never":
            rows += lines("   Must not be sent twice.", "wait")
        for diff in change["diff"]:
            rows += _diff(one_line(diff["path"]), diff["before"], diff["after"], forms)
        rows.append(BLANK)
    if not node.changes:
        nothing = {NodeState.DONE: "Nothing to change.", NodeState.PENDING: "Not looked at yet."}
        rows += lines(nothing.get(node.state, "No change is planned now."), "muted")
    if view is not None and node.changes and not node.is_approved:
        rows += along(view, node)
    sent = sent_lines(node)
    if sent:
        rows += [BLANK] * bool(not node.changes) + [heading("Sent by this run"), *sent]
    return _trim(rows)


def sent(node: NodeView) -> list[AppliedDoc | RefusedDoc]:
    """Every change that this run sent here and knows an end of, in order."""
    every: list[AppliedDoc | RefusedDoc] = [*node.applied, *node.refused]
    return sorted(every, key=lambda doc: doc.get("seq", 0))


def sent_lines(node: NodeView) -> list[Line]:
    """Every change that this run sent here, in order, and what came of it."""
    rows: list[Line] = []
    for doc in sent(node):
        mark, role_ = came_of(doc)
        rows.append(line((f"{mark} ", role_), f"{one_line(doc['title'])}, {moment(doc['at_ms'])}"))
        if said := doc.get("failed") or doc.get("message"):
            rows += lines(one_line(said), "muted", "    ")
    return rows


def came_of(doc: AppliedDoc | RefusedDoc) -> Span:
    """What came of a change that was sent: a sign and a word."""
    if "code" in doc:
        return ("✗ sent, it failed:" if doc.get("taken") else "✗ refused by Azure:", "bad")
    return ("✗ sent, it failed:", "bad") if doc.get("failed") else ("✓ made:", "ok")


def _diff(path: str, before: Any, after: Any, forms: Mapping[str, str]) -> list[Line]:
    rows = [line(("   ", ""), (path, "muted"))] if path else []
    if before is not None:
        rows += [row for text in _leaves(before) for row in lines(shortened(text, forms), "remove", "   − ")]
    if after is None:
        return rows + lines("(removed)", "remove", "   − ")
    return rows + [row for text in _leaves(after) for row in lines(shortened(text, forms), "add", "   + ")]


def _leaves(value: Any, path: str = "") -> list[str]:
    """A value, one line for each thing in it: ``properties.subnet.id: /subscriptions/…``."""
    match value:
        case dict() if value:
            return [
                text for name, inner in value.items() for text in _leaves(inner, f"{path}.{name}" if path else name)
            ]
        case list() if any(isinstance(inner, dict | list) for inner in value):
            return [text for number, inner in enumerate(value) for text in _leaves(inner, f"{path}[{number}]")]
        case str():
            shown = value
        case _:
            shown = json.dumps(value, ensure_ascii=False)
    return [f"{path}: {shown}" if path else shown]


def known_changes(node: NodeView, entries: Iterable[Entry]) -> list[ChangeDoc]:
    """The changes still to be made, after those this run made, as far as the entries at hand show them."""
    seen: dict[str, ChangeDoc] = {}
    for entry in entries:
        for change in entry.data.get("changes") or ():
            seen.setdefault(change["digest"], change)
    known = dict.fromkeys(doc["digest"] for doc in sent(node))
    done = [seen[name] for name in known if name in seen]
    return [*done, *(c for c in node.changes if c["digest"] not in {d["digest"] for d in done})]


def faces(changes: Sequence[ChangeDoc]) -> list[Face]:
    """The faces that at least one change has."""
    return [f for f in FACES if any(c["command"][f] for c in changes)]


def commands(node: NodeView, changes: Sequence[ChangeDoc], face: Face) -> list[Line]:
    """The commands in one face."""
    if not changes:
        return lines(
            "No command: this node changes nothing" + (" now." if node.state not in FINISHED else "."), "muted"
        )
    made = {doc["digest"]: came_of(doc) for doc in sent(node)}
    shown = [
        ((f"[{FACES[f]}]" if f == face else f" {FACES[f]} "), "tab" if f == face else "muted") for f in faces(changes)
    ]
    rows: list[Line] = [line(*shown), line(("v next form · c copy", "muted")), BLANK]
    for change in changes:
        mark, role_ = made.get(change["digest"], ("", ""))
        rows.append(line((one_line(change["title"]), "heading"), (f"  {mark.rstrip(':')}".rstrip(), role_)))
        rows += lines(change["command"][face] or "(none in this form)", "code")
        if face != "by_hand":  # where it stands among the lines to read
            rows += undo_lines(change)
        rows.append(BLANK)
    return _trim(rows)


def undo_lines(change: ChangeDoc) -> list[Line]:
    """How a change is taken back, where its step says so."""
    undo = change["command"].get("undo", "")
    return [line(("To undo it, never run by us:", "muted")), *lines(undo, "code")] if undo else []


def copyable(changes: Sequence[ChangeDoc], face: Face) -> str:
    """The commands of one face as text for a clipboard; control characters replaced."""
    return "\n".join(clean(c["command"][face]) for c in changes if c["command"][face])


def checks(node: NodeView) -> list[Line]:
    """Every check of the last look."""
    rows: list[Line] = []
    for check in node.checks:
        rows += _check(check)
    return rows or lines("No check has been read yet." if node.state not in FINISHED else "No checks.", "muted")


def _check(check: CheckDoc) -> list[Line]:
    mark = ("✓ ok   ", "ok") if check["ok"] else ("✗ differs ", "bad")
    mark = ("· later ", "muted") if check.get("later") else mark
    rows = [line(mark, one_line(check["name"]))]
    if check["ok"] and check["expected"].lower() == check["observed"].lower():
        return rows + lines(check["observed"], "muted", "    ")
    rows += labelled("    expected", check["expected"])
    rows += labelled("    observed", check["observed"], "" if check["ok"] else "bad")
    return rows


def _step(view: RunView, id_: str) -> Mapping[str, Any]:
    return next((s for s in view.book.get("steps", ()) if s["id"] == id_), {"id": id_})


def _trim(rows: list[Line]) -> list[Line]:
    while rows and rows[-1] == BLANK:
        rows.pop()
    return rows
