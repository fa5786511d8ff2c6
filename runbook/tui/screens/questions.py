"""Which question goes with which decision, and which command its answers make. Pure: no screen is touched here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from runbook.core.command import Abort, Approve, Attest, Skip
from runbook.core.docs import ChangeDoc
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.tui.present.situation import situation
from runbook.tui.present.text import BLANK, Line, labelled, line, lines, one_line
from runbook.tui.screens.dialogs import Answers, Field, Question


def approve_command(node: NodeView) -> Approve:
    """Go, for exactly the changes that are shown."""
    return Approve(node.id, tuple(c["digest"] for c in node.changes))


def disruptive(node: NodeView) -> Question:
    """Approving what may hurt: the resource's name has to be typed."""
    change = next(c for c in node.changes if c["risk"] == "disruptive")
    name = resource_name(change)
    body = [
        *lines("This may be noticed by people or machines:"),
        *_titles(node.changes),
        BLANK,
        *labelled("Resource", change["path"], "code"),
    ]
    return Question(
        f"Approve: {one_line(node.doc['title'])}?",
        tuple(body),
        "Approve",
        (Field("name", f"Type the resource's name to go on: {name}", expected=name),),
        is_grave=True,
    )


def resource_name(change: ChangeDoc) -> str:
    """The last name in a change's path."""
    return one_line(change["path"].partition("?")[0].rstrip("/").rpartition("/")[2])


def _titles(changes: Sequence[ChangeDoc]) -> list[Line]:
    risky = ("  disruptive", "bad")
    return [line("• ", one_line(c["title"]), risky if c["risk"] == "disruptive" else ("", "")) for c in changes]


def approve_phase(view: RunView, phase: str, nodes: Sequence[NodeView]) -> Question:
    """Approving every ready, safe node of a phase."""
    titles = {p["id"]: p.get("title", p["id"]) for p in view.book.get("phases", ())}
    body: list[Line] = []
    for node in nodes:
        title = one_line(node.doc["title"])
        body.append(line("• ", (title, "heading")))
        body += [line("   ", row) for c in node.changes if (row := one_line(c["title"])).lower() not in title.lower()]
    left = [
        n for n in view.nodes.values() if n.doc["phase"] == phase and n.state is NodeState.READY and n.is_disruptive
    ]
    if left:
        body += [BLANK, *lines(f"Not included, because disruptive: {len(left)}. Approve those one by one.", "wait")]
    count = f"{len(nodes)} node{'s' * (len(nodes) != 1)}"
    return Question(f"Approve {count} in {one_line(titles.get(phase, phase))}?", tuple(body), f"Approve {count}")


def skip(node: NodeView) -> Question:
    """Leaving a node out."""
    body = [
        *lines(f"{one_line(node.doc['title'])} will be left out of this run."),
        *lines("What needs it goes on without it; disruptive changes behind it will ask you first.", "muted"),
    ]
    return Question("Skip this node?", tuple(body), "Skip", (Field("reason", "Reason (it stands in the report):"),))


def skip_command(node: str, answers: Answers) -> Skip:
    return Skip(node, answers["reason"])


def attest(node: NodeView, now_ms: int) -> Question:
    """The operator's word."""
    word = (node.waiting and node.waiting["attest"]) or (node.blocked and node.blocked["attest"]) or ""
    body = [
        *lines(one_line(node.doc["title"]), "heading"),
        *labelled("You vouch for", word, "go"),
        BLANK,
        *situation(node, now_ms),
    ]
    fields = (
        Field("text", "What you did or saw, when and where (it stands in the report):"),
        Field("evidence", "Evidence file, if any (its name and SHA-256 are kept):", is_required=False, is_file=True),
    )
    return Question("Give your word", tuple(body), "Attest", fields)


def attest_command(node: str, by: str, answers: Answers) -> Attest:
    """Reads the evidence to its end.

    Raises:
        OSError: the evidence cannot be read.
    """
    if not answers["evidence"]:
        return Attest(node, answers["text"], by)
    path = Path(answers["evidence"]).expanduser()
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Attest(node, answers["text"], by, path.name, sha256)


def resend(node: NodeView, now_ms: int) -> Question:
    """Sending a call again whose answer was lost."""
    body = [*situation(node, now_ms), BLANK, *lines("Sending it again makes the call a second time.", "bad")]
    return Question("Send the call again?", tuple(body), "Send again", is_grave=True)


def abort(view: RunView) -> Question:
    """Ending the run for good."""
    body = [
        *lines("The run ends for good and cannot be resumed."),
        *lines("Calls in flight finish. What was changed in Azure stays changed.", "wait"),
    ]
    fields = (
        Field("name", f"Type the run's name to go on: {view.id}", expected=view.id),
        Field("reason", "Reason (it stands in the report):"),
    )
    return Question("Abort this run?", tuple(body), "Abort the run", fields, is_grave=True)


def abort_command(answers: Answers) -> Abort:
    return Abort(answers["reason"])
