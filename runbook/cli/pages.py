"""What the pages of the screen tell, as lines to be heard: no sign, no colour, no column carries a meaning.

Pure functions; whatever prints them replaces control characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from runbook.cli.naming import moment, short_ids
from runbook.cli.planning import differs
from runbook.core.clock import duration
from runbook.core.docs import ChangeDoc, CheckDoc
from runbook.core.entry import Entry
from runbook.core.state import FINISHED, TRANSITIONS, NodeState
from runbook.core.tally import FEW, by_step, standing, title_of
from runbook.core.view import NodeView, RunView
from runbook.tui.present import node as pages
from runbook.tui.present.entries import entry_lines
from runbook.tui.present.header import pace
from runbook.tui.present.situation import RealS, situation
from runbook.tui.present.text import as_text, one_line
from runbook.tui.present.words import RUN_WORDS, driven_by, wants_me, word

FORMS: Final = {"az": "az", "cli": "az", "powershell": "powershell", "rest": "rest", "hand": "by_hand"}
"""The forms of a command by the word that asks for them."""

_TITLES: Final = {"az": "Azure CLI", "powershell": "PowerShell", "rest": "REST", "by_hand": "By hand, never run by us"}


def head_lines(node: NodeView, now_ms: int) -> list[str]:
    """Title, state, since when, gate and target."""
    facts = [word(node)]
    since_ms = node.waiting["since_ms"] if node.waiting and node.state is NodeState.WAITING else node.since_ms
    if node.state not in FINISHED and since_ms and now_ms - since_ms >= 1000:
        facts.append(f"for {duration((now_ms - since_ms) / 1000)}")
    if node.attempts > 1 and node.state is not NodeState.WAITING:
        facts.append(f"{node.attempts} looks")
    if node.doc["gate"] and node.state not in FINISHED:
        label = one_line(node.doc["gate"])
        facts.append(f"the go comes from {pages.GATES.get(label, label)}")
    rows = ["", f"{one_line(node.doc['title'])} ({', '.join(facts)})"]
    return rows + ([f"  Target: {one_line(node.doc['target'])}"] if node.doc["target"] else [])


def now_lines(node: NodeView, now_ms: int, real_s: RealS | None = None) -> list[str]:
    """What is the matter now."""
    told = as_text(situation(node, now_ms, real_s=real_s)).replace(
        "Text to hand over  c copies it", "Text to hand over:"
    )
    return [f"  {row}" for row in told.split("\n")] if told else []


def guide_lines(view: RunView, node: NodeView, now_ms: int, real_s: RealS | None = None) -> list[str]:
    """What is the matter, then why, what happens, what can go wrong, the source, and what it comes after."""
    step: Mapping[str, Any] = next((s for s in view.book.get("steps", ()) if s["id"] == node.doc["step"]), {})
    rows = [*head_lines(node, now_ms), *now_lines(node, now_ms, real_s)]
    told = step.get("guide") or {}
    told = told if isinstance(told, Mapping) else {"what": told}
    for part, title in (("why", "Why"), ("what", "What happens"), ("risk", "What can go wrong")):
        if told.get(part):
            rows += [f"{title}:", *(f"  {row}" for row in str(told[part]).strip().splitlines())]
    if step.get("source"):
        rows.append(f"Source: {one_line(step['source'])}")
    needs = [view.nodes[n] for n in node.doc["needs"] if n in view.nodes and view.nodes[n].state not in FINISHED]
    if node.state is NodeState.PENDING and needs:
        rows += ["Comes after:", *(f"  {one_line(n.doc['title'])}: {word(n)}" for n in needs[:FEW])]
        rows += [f"  and {len(needs) - FEW} more"] if len(needs) > FEW else []
    return rows


def plan_lines(node: NodeView) -> list[str]:
    """Every change still to be made, field by field, and what this run has made."""
    rows: list[str] = []
    for number, change in enumerate(node.changes, 1):
        go = ", approved" if change["digest"] in node.approved else ""
        rows.append(f"Change {number} of {len(node.changes)}{go}: {one_line(change['title'])}")
        rows.append(f"  Sends {change['method']} {one_line(change['path'])}")
        if change["risk"] == "disruptive":
            rows.append("  Disruptive: people or machines may notice.")
        if change["repeat"] == "never":
            rows.append("  Must not be sent twice.")
        rows += [f"  {row}" for diff in change["diff"] for row in spoken(diff)]
    if not node.changes:
        nothing = {NodeState.DONE: "Nothing to change.", NodeState.PENDING: "Not looked at yet."}
        rows.append(nothing.get(node.state, "No change is planned now."))
    rows += [f"By this run: {row}" for row in as_text(pages.sent_lines(node)).splitlines()]
    return rows


_SIGNS: Final = {"+ ": "new: ", "- ": "removed: ", "~ ": "changes: "}


def spoken(diff: Mapping[str, Any]) -> list[str]:
    """A diff in words, one line for each thing that differs."""
    return [_SIGNS[row[:2]] + row[2:] for row in differs(diff["path"], diff["before"], diff["after"])]


def command_lines(node: NodeView, changes: Sequence[ChangeDoc], forms: Sequence[str]) -> list[str]:
    """The commands in some of their forms; all of those there are where none is asked for."""
    if not changes:
        return ["No command: this node changes nothing" + ("." if node.state in FINISHED else " now.")]
    made = {doc["digest"]: pages.came_of(doc)[0][2:].rstrip(":") for doc in pages.sent(node)}
    rows: list[str] = []
    for change in changes:
        said = f" ({made[change['digest']]})" if change["digest"] in made else ""
        rows.append(f"{one_line(change['title'])}{said}")
        for form in forms or pages.faces(changes):
            text = dict(change["command"]).get(form)
            rows += [f"  {_TITLES[form]}:", *(f"    {row}" for row in str(text or "(none in this form)").splitlines())]
        if undo := pages.undo_lines(change):
            rows += [f"  {row}" for row in as_text(undo).splitlines()]
    return rows


def check_lines(node: NodeView) -> list[str]:
    """Every check of the last look."""
    rows = [f"{_found(c)}: {one_line(c['name'])}: expected {c['expected']}, found {c['observed']}" for c in node.checks]
    return rows or ["No check has been read yet." if node.state not in FINISHED else "No checks."]


def journal_lines(entries: Iterable[Entry]) -> list[str]:
    """Journal entries, newest first."""
    return as_text(entry_lines(entries)).replace(" → ", " to ").split("\n")


def in_book_order(view: RunView) -> list[str]:
    """Every node's id, step by step as the book has them: the order in which they are numbered."""
    places = {step["id"]: place for place, step in enumerate(view.book.get("steps", ()))}
    return [n.id for n in sorted(view.nodes.values(), key=lambda n: places.get(n.doc["step"], len(places)))]


def overview_lines(view: RunView, numbers: Sequence[str], asked: str = "") -> list[str]:
    """Every node under its phase, numbered, with counts.

    Args:
        view: the run.
        numbers: the nodes' ids; their numbers are their places, from 1.
        asked: a step, whose nodes are all named; ``all`` for every step's; else a step with many is one line.
    """
    titles = {p["id"]: p.get("title", p["id"]) for p in view.book.get("phases", ())}
    members = by_step(view.nodes.values())
    places = {id_: number for number, id_ in enumerate(numbers, 1)}
    rows: list[str] = []
    phase = None
    for step in view.book.get("steps", ()):
        if step.get("phase", "") != phase:
            phase = step.get("phase", "")
            inside = [n.state for n in view.nodes.values() if n.doc["phase"] == phase]
            rows.append(f"{one_line(titles.get(phase, phase))}: {standing(inside) if inside else 'comes later'}")
        nodes = members.get(step["id"], [])
        if not nodes:
            why = "nothing to do here" if step["id"] in view.expanded else "known when what it needs is finished"
            rows.append(f"  {title_of(view, step['id'])}: {why}")
        elif len(nodes) > FEW and asked not in ("all", step["id"]):
            mine = sum(map(wants_me, nodes))
            need = f", {mine} need you" if mine else ""
            rows.append(f"  {title_of(view, step['id'])}: {standing(n.state for n in nodes)}{need}")
            rows.append(f"    overview {step['id']}: names each of its nodes")
        else:
            rows += [node_line(n, places[n.id]) for n in nodes]
    return rows


def node_line(node: NodeView, number: int) -> str:
    """A node in one line."""
    need = ", needs you" if wants_me(node) else ""
    return f"  {number}. {word(node)}{need}: {one_line(node.doc['title']) or node.id}"


def found_lines(view: RunView, ids: Sequence[str], numbers: Sequence[str]) -> list[str]:
    """Nodes that were looked for."""
    places = {id_: number for number, id_ in enumerate(numbers, 1)}
    names = short_ids(view.nodes)
    rows = [f"{node_line(view.nodes[i], places[i])} [{names[i]}]" for i in ids[:_FOUND]]
    return rows + ([f"  and {len(ids) - _FOUND} more"] if len(ids) > _FOUND else [])


_FOUND: Final = 40


def run_lines(view: RunView, driver: str, speed: float | None, now_ms: int, *, is_read_only: bool) -> list[str]:
    """What the screen says on top: how real this is, how it stands, where it may write, who drives."""
    kind = {"rehearsal": "a rehearsal on a simulated Azure: no call leaves this machine", "live": "LIVE, on real Azure"}
    rows = [f"Run {view.id}: {one_line(view.book.get('title', ''))}", f"  Mode: {kind.get(view.mode, view.mode)}"]
    rows.append(f"  State: {RUN_WORDS[view.state]}{', paused' if view.paused else ''}")
    rows.append(f"  Nodes: {standing(n.state for n in view.nodes.values())}")
    for id_, name in view.pinned.get("subscriptions", {}).items():
        rows.append(f"  Subscription: {one_line(name) or '(no name)'} {id_}")
    if tenant := view.pinned.get("tenant"):
        rows.append(f"  Tenant: {one_line(tenant)}")
    if view.cloud:
        rows.append(f"  Cloud: {one_line(view.cloud)}")
    is_simulated = view.mode == "rehearsal"
    rows.append(f"  {'Simulated time' if is_simulated else 'Time'}: {moment(now_ms)}")
    if is_simulated and not is_read_only:
        rows.append(f"  Speed: {pace(speed).replace('×', 'times ')}")
    if not is_read_only:
        return [*rows, f"  You drive: {driven_by(driver, '')}"]
    return [
        *rows,
        f"  You look on: {driven_by(driver)}",
        f"  To drive it yourself: drive, or in a shell: runbook resume {view.id} --take-over",
    ]


def state_lines() -> list[str]:
    """The words for how a node stands, and how a node comes to each."""
    rows = []
    for state in NodeState:
        causes = dict.fromkeys(t.when.replace("`", "") for t in TRANSITIONS if t.target is state)
        rows.append(f"  {state.value.replace('_', ' ')}: {'; '.join(causes) or 'where every node begins'}")
    return rows


def _found(check: CheckDoc) -> str:
    return "later" if check.get("later") else "ok" if check["ok"] else "differs"
