"""Which question goes with which decision, and which command its answers make. Pure: no screen is touched here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from runbook.core.clock import iso
from runbook.core.command import Abort, Approve, Attest, HandOver, Note, Skip
from runbook.core.docs import ChangeDoc
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.tui.present.along import along
from runbook.tui.present.node import undo_lines
from runbook.tui.present.situation import situation
from runbook.tui.present.text import BLANK, Line, end_of, labelled, line, lines, moment, one_line
from runbook.tui.present.words import driven_by
from runbook.tui.question import Answers, Field, Question, moment_of


def operator_of(view: RunView) -> str:
    """In whose name something is decided here: who is signed in."""
    return one_line(view.pinned.get("account", "")) or "operator"


def approve_command(node: NodeView, by: str) -> Approve:
    """Go, for exactly the changes that are shown."""
    return Approve(node.id, tuple(c["digest"] for c in node.changes), by)


def disruptive(view: RunView, node: NodeView) -> Question:
    """Approving what may hurt: the name of what it is done to has to be typed."""
    change = next(c for c in node.changes if c["risk"] == "disruptive")
    is_one = len({c["path"].lower() for c in node.changes}) == 1 or not node.doc["target"].startswith("/")
    name = one_line(node.at_stake)
    guides = (s.get("guide") for s in view.book.get("steps", ()) if s["id"] == node.doc["step"])
    risk = next((g["risk"] for g in guides if isinstance(g, dict) and g.get("risk")), "")
    body = [
        *_titles(node.changes),
        *lines(str(risk or "Disruptive: people or machines may notice.").strip(), "bad"),
        *(row for c in node.changes for row in undo_lines(c)),
        *along(view, node),
        *place(change["path"] if is_one else node.doc["target"], view.pinned.get("subscriptions", {})),
    ]
    return Question(
        f"Approve: {one_line(node.doc['title'])}?",
        tuple(body),
        "Approve",
        (Field("name", f"To go on, type this name: {name}", "The name", expected=name),),
        is_grave=True,
    )


def place(path: str, names: Mapping[str, str]) -> list[Line]:
    """Where a resource is, from its path, innermost first."""
    parts = one_line(path).partition("?")[0].strip("/").split("/")
    known = dict(zip((p.lower() for p in parts[::2]), parts[1::2], strict=False))
    rows = labelled("Resource", end_of(path, 2), "code")
    if group := known.get("resourcegroups"):
        rows += labelled("Resource group", group, "code")
    if subscription := known.get("subscriptions"):
        rows += labelled("Subscription", f"{one_line(names.get(subscription, ''))} {subscription}".strip(), "code")
    return rows


def _titles(changes: Sequence[ChangeDoc]) -> list[Line]:
    if len(changes) == 1:
        return lines(one_line(changes[0]["title"]))
    risky = ("  disruptive", "bad")
    return [line("• ", one_line(c["title"]), risky if c["risk"] == "disruptive" else ("", "")) for c in changes]


def skip(node: NodeView) -> Question:
    """Leaving a node out."""
    body = [
        *lines(f"{one_line(node.doc['title'])} will be left out of this run."),
        *lines("What needs it goes on without it; disruptive changes behind it will ask you first.", "muted"),
    ]
    return Question(
        "Skip this node?", tuple(body), "Skip", (Field("reason", "Why (it stands in the report):", "A reason"),)
    )


def skip_command(node: str, answers: Answers) -> Skip:
    return Skip(node, answers["reason"])


def words_of(node: NodeView) -> list[tuple[str, str]]:
    """The words that a node takes now: what an ``Attest`` says, and how a person would say it.

    The one that settles it, if there is one, says nothing.
    """
    asked = node.blocked or node.waiting  # a wait may go on behind a rule
    if asked is None:
        return []
    settles = [("", asked["attest"])] if asked["attest"] else []
    return settles + [(w["says"], w["title"]) for w in asked.get("words", ())]


def attest(view: RunView, node: NodeView, now_ms: int) -> Question:
    """The operator's word: which, where there are several, and what backs it."""
    asked = node.blocked or node.waiting
    words = [one_line(title) for _, title in words_of(node)]
    body = lines(one_line(node.doc["title"]), "heading")
    if len(words) > 1:
        body += [line(f"{number}  ", (word, "go")) for number, word in enumerate(words, 1)]
    else:
        body += labelled("You vouch for", words[0] if words else "", "go")
    if view.mode == "rehearsal":
        body += lines(
            "This is a rehearsal: nothing has to be done out there. Write what you would write. "
            "Simulated time goes on while you do.",
            "wait",
        )
    if asked:
        body += [BLANK, *lines(asked["message"])]
    body += along(view, node)
    which = Field("says", "Which of these, by its number:", "A number", choices=tuple(words))
    is_told = node.state is NodeState.WAITING or len(words) > 1  # somebody else's answer may have a number and a date
    when = f"When it happened, such as {iso(now_ms)[:10]}, or empty for now ({moment(now_ms)}):"
    proof = (
        Field("reference", "Their reference, such as a ticket's number, or empty:", is_required=False),
        Field("dated", when, "A day", is_required=False, latest_ms=now_ms),
    )
    fields = (
        *((which,) if len(words) > 1 else ()),
        Field("text", "What you did or saw, when and where (it stands in the report):", "A text"),
        Field(
            "evidence",
            "Evidence file, or empty (its name and SHA-256 are kept):",
            "A file",
            is_required=False,
            is_file=True,
        ),
        *(proof if is_told else ()),
    )
    return Question("Give your word", tuple(body), "Attest", fields)


def attest_command(node: NodeView, by: str, answers: Answers, now_ms: int) -> Attest:
    """Reads the evidence to its end.

    Args:
        node: at which the word is given.
        by: whose word it is.
        answers: to the question of ``attest``.
        now_ms: as it was in that question.

    Raises:
        OSError: the evidence cannot be read.
    """
    words = words_of(node)
    number = int(answers["says"]) if answers.get("says") else 1
    dated = answers.get("dated", "")
    word = Attest(
        node.id,
        answers["text"],
        by,
        reference=answers.get("reference", ""),
        dated_ms=moment_of(dated, now_ms) if dated else None,
        says=words[number - 1][0] if len(words) >= number else "",
    )
    if not answers["evidence"]:
        return word
    path = Path(answers["evidence"]).expanduser()
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return replace(word, evidence=path.name, sha256=sha256)


def hand_over(node: NodeView) -> Question:
    """Another team does it: which."""
    body = [
        *lines(one_line(node.doc["title"]), "heading"),
        *lines(
            "Nothing of it is sent from here any more. The run waits for them, looks by itself, and goes on when it"
            " finds it done, whoever did it."
        ),
        *lines("o then shows the document to send them; r takes it back.", "muted"),
    ]
    fields = (
        Field(
            "to", "Who does it instead, such as: the DNS team", "A name", value=node.handed["to"] if node.handed else ""
        ),
        Field("note", "What else they should know, or a ticket's number; or empty:", is_required=False),
    )
    return Question("Hand over to another team", tuple(body), "Hand over", fields)


def hand_over_command(node: str, by: str, answers: Answers) -> HandOver:
    return HandOver(node, answers["to"], by, answers["note"])


def take_back(node: NodeView) -> Question:
    """What was handed over is to be done here after all."""
    team = one_line(node.handed["to"]) if node.handed else ""
    body = [
        *lines(f"{team} was asked to do this: tell them that they need not."),
        *lines(
            "A fresh look follows. What is still to be done is then asked about here; nothing is sent by this.", "muted"
        ),
    ]
    return Question("Take it back?", tuple(body), "Take back")


def note(view: RunView) -> Question:
    """A remark on the run."""
    body = lines("It stands among the run's entries, in its report and on the home screen, and cannot be taken out.")
    return Question("A note in this run", tuple(body), "Note it", (Field("text", "The note:", "A text"),))


def note_command(by: str, answers: Answers) -> Note:
    return Note(answers["text"], by)


def news(told: Sequence[str]) -> Question:
    """What happened since the operator last looked; there is nothing to decide."""
    rows: list[Line] = []
    for said in told:
        title, _, rest = said.partition(": ")
        rows += [line((one_line(title), "heading")), *lines(one_line(rest))]
    return Question("Since you last looked", tuple(rows), "Go on")


def take_over(run: str, driver: str, lost: str = "") -> Question:
    """Whether to drive a run whose driver is alive.

    Args:
        run: its id.
        driver: who that is, in words.
        lost: how this process lost the run to them, where it did.
    """
    body = [
        *lines(lost or f"It is {driven_by(driver)}, which is alive."),
        *lines("That process writes and sends nothing more from then on."),
        *lines("A call that it has just sent may still arrive; it is looked for before anything else."),
        *lines("Ask them first, if you can."),
    ]
    why = Field("why", "Why (they see it):", "A reason")
    return Question(f"Take over {one_line(run)}?", tuple(body), "Take over", (why,), is_grave=True)


def save(name: str, folder: str) -> Question:
    """Saving a text that is handed over."""
    body = [*lines("The text is written as it is shown, and to a new file only."), *labelled("Folder", folder, "code")]
    return Question("Save the text", tuple(body), "Save", (Field("path", "File:", "A name", is_new=True, value=name),))


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
        Field("name", f"To go on, type the run's name: {view.id}", "The name", expected=view.id),
        Field("reason", "Why (it stands in the report):", "A reason"),
    )
    return Question("Abort this run?", tuple(body), "Abort the run", fields, is_grave=True)


def abort_command(answers: Answers) -> Abort:
    return Abort(answers["reason"])
