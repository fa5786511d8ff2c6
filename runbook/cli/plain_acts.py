"""What an answer in plain lines sets off: the questions that go with it, the command, and how it was taken.

Invariant: what the screen asks for before it decides (a name typed, a reason, a text) is asked for here too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook.cli import output, pages
from runbook.cli.answers import Answers
from runbook.cli.policy import account
from runbook.core.command import Abort, Approve, Command, HandOver, Note, Pause, Retry, Skip, Start
from runbook.core.docs import ChangeDoc
from runbook.core.error import RunbookError
from runbook.core.redact import plain
from runbook.core.state import FINISHED, NodeState
from runbook.core.view import NodeView
from runbook.engine.host import Attachment
from runbook.tui.present import node as faces
from runbook.tui.present.many import Batch, of_phase, of_step
from runbook.tui.present.text import as_text, one_line
from runbook.tui.question import Question
from runbook.tui.screens import questions

_TRIES = 3
"""So often a field is asked for before its question is let go."""


@dataclass
class Acts:
    """Carries out answers for one run.

    Attributes:
        home: the state folder; None where there is none to report from.
    """

    attachment: Attachment
    answers: Answers
    home: Path | None = None

    # ------------------------------------------------------------ one node

    def of_node(self, word: str, node: NodeView) -> None:
        """Approve, attest, retry, skip or hand over a node; approve its step or phase."""
        match word:
            case "approve":
                command = self._approval(node)
            case "retry":
                command = self._retry(node)
            case "skip":
                command = self._skip(node)
            case "attest":
                command = self._word(node)
            case "hand":
                command = self._hand_over(node)
            case "step":
                self._approve_batch(of_step(self.attachment.view, node.doc["step"]))
                return
            case _:
                self._approve_batch(of_phase(self.attachment.view, node.doc["phase"]))
                return
        if command is not None:
            self._submit(command)

    def _approval(self, node: NodeView) -> Command | None:
        if node.is_disruptive:
            change = next(c for c in node.changes if c["risk"] == "disruptive")
            output.data(f"  Resource: {one_line(change['path']).partition('?')[0]}")
            risk = _risk_of(self.attachment, node)
            output.data(f"  What can go wrong: {risk}")
            name = node.at_stake
            if self.answers.ask(f"This is disruptive. Type this name, {name}, to go on (empty: go back)") != name:
                output.data("Not approved: that is not its name.")
                return None
        return Approve(node.id, tuple(c["digest"] for c in node.changes), account(self.attachment.view))

    def _retry(self, node: NodeView) -> Command | None:
        if node.state is NodeState.IN_DOUBT:
            output.data("Sending it again makes the call a second time, if it did take effect.")
            if not self._is_yes("Send it again? yes, no"):
                return None
        if node.handed and node.state is NodeState.WAITING:
            output.data(f"{one_line(node.handed['to'])} was asked to do this: tell them that they need not.")
            if not self._is_yes("Take it back? yes, no"):
                return None
        return Retry(node.id)

    def _hand_over(self, node: NodeView) -> Command | None:
        output.data("Nothing of it is sent from here any more: the run waits for them and looks by itself.")
        to = self.answers.ask("Who does it instead? (a team's name; empty: go back)")
        if not to:
            return None
        note = self.answers.ask("What else should they know, or a ticket's number? (empty: none)")
        output.data(f"What to send them: runbook handover {self.attachment.view.id} {node.id}")
        return HandOver(node.id, to, account(self.attachment.view), note)

    def _skip(self, node: NodeView) -> Command | None:
        output.data("What needs it goes on without it; disruptive changes behind it will ask you first.")
        reason = self.answers.ask("Why is it left out? (it stands in the report; empty: go back)")
        return Skip(node.id, reason) if reason else None

    def _word(self, node: NodeView) -> Command | None:
        now_ms = self.attachment.now_ms()
        question = questions.attest(self.attachment.view, node, now_ms)
        self._print(f"  {row}" for row in as_text(question.body).split("\n") if row)
        answers = self._asked(question, node)
        if answers is None:
            return None
        try:
            return questions.attest_command(node, account(self.attachment.view), answers, now_ms)
        except OSError as error:
            output.data(f"The evidence cannot be read: {error.strerror or error}. Not attested.")
            return None

    def _asked(self, question: Question, node: NodeView) -> dict[str, str] | None:
        """An answer to every field; None where one that is needed stays empty or wrong, or none is needed any more."""
        answers: dict[str, str] = {}
        for field in question.fields:
            label = field.label.removesuffix(":") + ("; nothing: go back" if field.is_required else "")
            for _ in range(_TRIES):
                answers[field.id] = self.answers.ask(label).strip()
                if self.is_over(node):
                    return None
                if field.is_required and not answers[field.id]:
                    return None
                if not (problem := field.problem(answers[field.id])):
                    break
                output.data(problem)
            else:
                return None
        return answers

    # ------------------------------------------------------------ many nodes

    def approve_all(self, step: str, nodes: Sequence[NodeView], risky: int) -> None:
        """Approve nodes of a step that were shown; by the step's name where that may hurt."""
        ask = f"This is disruptive. Type the step's name, {step}, to go on (empty: go back)"
        if risky and self.answers.ask(ask) != step:
            output.data("Not approved: that is not its name.")
            return
        self._approve(nodes)

    def _approve_batch(self, batch: Batch) -> None:
        if not batch.nodes:
            output.data("There is nothing to approve together now.")
            return
        output.data(batch.title)
        self._print(f"  {row}" for row in as_text(batch.remarks).split("\n") if row)
        for group in batch.groups:
            output.data(f"  {group.title}:")
            for node in group.nodes:
                self._print([f"    {one_line(node.doc['title'])}{', disruptive' if node.is_disruptive else ''}"])
                self._print(f"      {row}" for row in pages.plan_lines(node))
        if batch.word:
            if self.answers.ask(f"Type the step's name, {batch.word}, to go on (empty: go back)") != batch.word:
                output.data("Not approved: that is not its name.")
                return
        elif not self._is_yes(f"{batch.go}? yes, no"):
            return
        self._approve(batch.nodes)

    def _approve(self, nodes: Sequence[NodeView]) -> None:
        by = account(self.attachment.view)
        asked = [Approve(n.id, tuple(c["digest"] for c in n.changes), by) for n in nodes]
        futures = [self.attachment.submit(command) for command in asked]
        refused = [error for future in futures if isinstance(error := future.exception(), RunbookError)]
        output.data(f"Approved: {len(asked) - len(refused)} of {len(asked)}.")
        if refused:
            output.data(f"Not recorded: {len(refused)}. The first: {refused[0]}")

    # ------------------------------------------------------------ the run

    def of_run(self, word: str, rest: str) -> None:
        """Pause, go on, abort, note something, or write the report."""
        view = self.attachment.view
        if word == "report":
            self._report(rest)
        elif self.attachment.is_read_only:
            output.data(f"You look on: {self.attachment.driver}. Nothing can be decided from here.")
        elif word == "note":
            text = rest or self.answers.ask("The note? (it cannot be taken out; empty: go back)")
            if text:
                self._submit(Note(text, account(view)))
        elif word == "pause":
            self._either(Pause(), "It is paused already. on goes on.", is_due=not view.paused)
        elif word == "on":
            self._either(Start(), "It is not paused.", is_due=view.paused)
        else:
            self._abort()

    def _abort(self) -> None:
        name = self.attachment.view.id
        output.data("The run ends for good and cannot be resumed. What was changed in Azure stays changed.")
        if self.answers.ask(f"Type the run's name, {name}, to go on (empty: go back)") != name:
            output.data("Not aborted: that is not its name.")
            return
        reason = self.answers.ask("Why? (it stands in the report; empty: go back)")
        if reason:
            self._submit(Abort(reason))
        else:
            output.data("Not aborted.")

    def _report(self, path: str) -> None:
        if self.home is None:
            output.data("A report is written by: runbook report RUN --format html --out report.html")
            return
        path = path or self.answers.ask("Which file? (its ending tells the form: .html, .md, .json; empty: go back)")
        if not path:
            return
        form = {".html": "html", ".htm": "html", ".md": "md", ".json": "json"}.get(Path(path).suffix.lower(), "")
        if not form:
            output.data("Not written: its name must end in .html, .md or .json.")
            return
        from runbook.cli.report import report_text

        try:
            self._write(path, report_text(self.home, self.attachment.view.id, form)[0])
        except RunbookError as error:
            output.data(f"{error.message} {error.hint}".strip())

    # ------------------------------------------------------------ files

    def save(self, rest: str, draft: str, changes: Sequence[ChangeDoc]) -> None:
        """Write the text to hand over, or else the commands, to a file; what the screen copies."""
        face = next((f for name, f in pages.FORMS.items() if rest and name.startswith(rest.lower())), "")
        text = draft if draft and not face else faces.copyable(changes, face or "az")  # type: ignore[arg-type]
        if not text:
            output.data("There is no command and no text to save at this node now.")
            return
        what = "The text to hand over" if text is draft else f"The {faces.FACES[face or 'az']} commands"  # type: ignore[index]
        path = self.answers.ask(f"{what}: to which new file? (empty: go back)")
        if path:
            self._write(path, text + "\n")

    def _write(self, path: str, text: str) -> None:
        """A file of the operator's own; one that exists is left alone."""
        place = Path(path).expanduser()
        try:
            with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(plain(text))
        except FileExistsError:
            output.data(f"{place} exists already and was left as it is. Name another file.")
        except OSError as error:
            output.data(f"{place} cannot be written: {error.strerror}.")
        else:
            output.data(f"Wrote {place}.")

    # ------------------------------------------------------------ to the engine

    def is_over(self, node: NodeView) -> bool:
        """Whether what was asked came by itself while the question stood; if so, say that nothing is needed."""
        now = self.attachment.view.nodes[node.id]
        if node.state in FINISHED or now.state not in FINISHED:
            return False
        how = "is done" if now.state is NodeState.DONE else "was left out"
        output.data(f"“{node.doc['title']}” {how} meanwhile: the answer is not needed any more. Going on.")
        return True

    def _submit(self, command: Command) -> None:
        try:
            self.attachment.submit(command).result()
        except RunbookError as error:
            output.data(str(error))

    def _either(self, command: Command, told: str, *, is_due: bool) -> None:
        if is_due:
            self._submit(command)
        else:
            output.data(told)

    def _is_yes(self, prompt: str) -> bool:
        if self.answers.ask(prompt).lower() in ("y", "yes"):
            return True
        output.data("Not done.")
        return False

    def _print(self, rows: Iterable[str]) -> None:
        for row in rows:
            output.data(row)


def _risk_of(attachment: Attachment, node: NodeView) -> str:
    guides = (s.get("guide") for s in attachment.view.book.get("steps", ()) if s["id"] == node.doc["step"])
    risk = next((g["risk"] for g in guides if isinstance(g, dict) and g.get("risk")), "")
    return one_line(risk) or "People or machines may notice."
