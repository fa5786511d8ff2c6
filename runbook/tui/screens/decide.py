"""From a key to a command: what the operator decides, asked about where it must be, is submitted to the engine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from runbook.core.command import Approve, Attest, Command, HandOver, Pause, Retry, Skip, Start
from runbook.core.error import LeaseLost, RunbookError
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView
from runbook.tui.messages import CommandSettled, EvidenceHashed
from runbook.tui.present import node as pages
from runbook.tui.present.can import DECISIONS, available
from runbook.tui.present.many import Batch, of_phase, of_step
from runbook.tui.present.matter import matter
from runbook.tui.present.text import clean, one_line
from runbook.tui.present.words import driven_by, is_driven
from runbook.tui.question import Answers, Question
from runbook.tui.screens import questions
from runbook.tui.screens.audit import AuditScreen
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.dns import show_names
from runbook.tui.screens.many import ManyDialog
from runbook.tui.screens.reporting import ask_report

if TYPE_CHECKING:
    from runbook.tui.app import RunbookApp
    from runbook.tui.around import Around
    from runbook.tui.screens.run import RunScreen

_NOT_NOW: Final = {
    "approve": "There is nothing to approve at this row now.",
    "approve_phase": "No ready, safe node in this phase.",
    "attest": "This node cannot be settled by your word.",
    "retry": "This node cannot be looked at again now.",
    "skip": "This node cannot be skipped now.",
    "hand": "There is nothing to hand over here: ready, blocked and failed nodes can be.",
}

_AT_A_NODE: Final = frozenset({"approve", "approve_phase", "attest", "retry", "skip", "hand", "open"})
"""What is done at the selected row, and was meant for that one."""

_SHOWN_S: Final = {"information": 5.0, "warning": 3.0, "error": 8.0}
"""For how long a remark stands in the corner."""


class Operator:
    """Carries out what keys stand for, for one run screen."""

    def __init__(self, screen: RunScreen) -> None:
        self._screen = screen
        self._together: set[str] = set()
        """Nodes of a batch whose approvals are on their way."""
        self._refused: list[RunbookError] = []
        """What the engine had against some of them."""
        self.is_taking_over = False
        """Whether the run that the screen only shows is being opened for driving."""
        self._wish: Dialog | None = None
        """The question whether to take over, which outlives the end of driving."""

    @property
    def _around(self) -> Around:
        return cast("RunbookApp", self._screen.app).around

    def act(self, id_: str) -> None:
        """Do what a key of the list stands for, or say why not."""
        screen = self._screen
        if self._has_just_moved(id_) or (id_ in DECISIONS and not self._may(id_)):
            return
        screen.forget_remarks()
        node = screen.node
        match id_:
            case "approve" if node:
                self._approve(node)
            case "approve" if screen.step:
                self._approve_batch(of_step(screen.view, screen.step))
            case "approve_phase" if screen.phase is not None:
                self._approve_batch(of_phase(screen.view, screen.phase))
            case "retry" if node:
                self._retry(node)
            case "skip" if node:
                self._decide(questions.skip(node), lambda answers: questions.skip_command(node.id, answers))
            case "attest" if node:
                self._attest(node)
            case "hand" if node:
                by = questions.operator_of(screen.view)
                self._decide(questions.hand_over(node), partial(questions.hand_over_command, node.id, by))
            case "note":
                by = questions.operator_of(screen.view)
                self._decide(questions.note(screen.view), partial(questions.note_command, by))
            case "pause":
                self.submit(Start() if screen.view.paused else Pause())
            case "abort":
                self._decide(questions.abort(screen.view), questions.abort_command)
            case "change_input":
                self._change_input()
            case "open":
                self._open(node)
            case "dns":
                show_names(screen)
            case "compare":
                from runbook.tui.screens.compare import CompareScreen

                past, runs = screen.attachment.past(), self._around.runs
                screen.show_above(CompareScreen(screen.view.id, runs, past=past))
            case "timeline":
                from runbook.tui.screens.timeline import TimelineScreen

                seen = screen.attachment
                screen.show_above(TimelineScreen(seen.past(), seen, redraw_s=screen.redraw_s, program=screen.program))
            case "audit":
                screen.app.push_screen(AuditScreen(screen.attachment.past()))
            case "report":
                self._report()
            case "copy":
                self._copy()
            case "take_over":
                self._take_over()
            case "quit":
                screen.app.run_worker(screen.app.run_action("leave"))
            case _:
                pass

    def _may(self, id_: str) -> bool:
        screen = self._screen
        if screen.ended_by is not None:
            self._say(f"Driving has ended here. {self._way_back()}", "warning")
            return False
        if screen.attachment.is_read_only:
            if screen.is_opening:
                self._say("The run is still being opened.", "warning")
            else:
                self._say(f"You are watching: {driven_by(screen.attachment.driver)}. {self._way_back()}", "warning")
            return False
        can = available(screen.view, screen.node.id if screen.node else None, screen.phase, False, screen.step)
        if id_ not in can:
            self._say(_NOT_NOW.get(id_, "The run is over."), "warning")
            return False
        if self._together and id_ in ("approve", "approve_phase"):
            self._say(f"{len(self._together)} approvals are being recorded; wait for them.", "warning")
            return False
        if screen.node is not None and screen.node.id in screen.sent and id_ != "pause":
            self._say("Already sent; the journal has not answered yet.", "warning")
            return False
        return True

    def _has_just_moved(self, id_: str) -> bool:
        """Whether this key was most likely meant for what was selected a moment ago; then that is told."""
        screen = self._screen
        if not screen.is_settling or id_ not in _AT_A_NODE:
            return False
        here = f" to {one_line(screen.node.doc['title'])}" if screen.node else ""
        self._say(f"The selection has just moved{here}. Look, then press the key again.", "warning")
        return True

    def _way_back(self) -> str:
        return self.why_not_drive() or "T drives it from here."

    def withdraw(self) -> None:
        """Driving has ended: a question that is still open can lead nowhere, so it is closed, and why is told."""
        screen = self._screen
        above = screen.app.screen
        if screen.ended_by is not None and isinstance(above, Dialog | ManyDialog) and above is not self._wish:
            above.action_cancel()
            self._say(f"{clean(screen.ended_by.message)} Your question was closed; nothing was sent.", "error")

    # ------------------------------------------------------------ decisions

    def _approve(self, node: NodeView) -> None:
        command = questions.approve_command(node, questions.operator_of(self._screen.view))
        if node.is_disruptive:
            self._decide(questions.disruptive(self._screen.view, node), lambda _: command)
        else:
            self.submit(command)

    def _approve_batch(self, batch: Batch) -> None:
        by = questions.operator_of(self._screen.view)

        def agreed(is_yes: bool | None) -> None:
            if is_yes:
                self._together |= {node.id for node in batch.nodes}
                for node in batch.nodes:
                    self._hand_in(questions.approve_command(node, by))
                self._screen.draw_text()

        self._screen.app.push_screen(ManyDialog(batch), agreed)

    def _retry(self, node: NodeView) -> None:
        if node.handed and node.state is NodeState.WAITING:
            self._decide(questions.take_back(node), lambda _: Retry(node.id))
        elif node.state is NodeState.IN_DOUBT:
            self._decide(questions.resend(node, self._screen.attachment.now_ms()), lambda _: Retry(node.id))
        else:
            self.submit(Retry(node.id))

    def _attest(self, node: NodeView) -> None:
        screen = self._screen
        by, now_ms = questions.operator_of(screen.view), screen.attachment.now_ms()

        def work(answers: Answers) -> None:
            try:
                message = EvidenceHashed(questions.attest_command(node, by, answers, now_ms))
            except OSError as error:
                message = EvidenceHashed(None, f"The evidence cannot be read: {error.strerror or error}")
            screen.post_message(message)

        def given(answers: Answers | None) -> None:
            if answers is not None:
                screen.run_worker(partial(work, answers), thread=True, group="evidence", name="evidence")

        screen.app.push_screen(Dialog(questions.attest(screen.view, node, now_ms)), given)

    def hashed(self, message: EvidenceHashed) -> None:
        """The evidence was read: submit the word, or say what is wrong with the file."""
        if message.command is not None:
            self.submit(message.command)
        else:
            self._say(message.problem, "error")

    def _decide(self, question: Question, command: Callable[[Answers], Command]) -> None:
        """Ask, and submit the command that the answers make."""
        self._ask(question, lambda answers: self.submit(command(answers)))

    def _ask(self, question: Question, then: Callable[[Answers], object]) -> Dialog:
        def answered(answers: Answers | None) -> None:
            if answers is not None:
                then(answers)

        dialog = Dialog(question)
        self._screen.app.push_screen(dialog, answered)
        return dialog

    # ------------------------------------------------------------ to the engine and back

    def submit(self, command: Command) -> None:
        """Hand a command to the engine; the answer comes as ``CommandSettled``."""
        self._hand_in(command)
        self._screen.draw_text()

    def _hand_in(self, command: Command) -> None:
        screen = self._screen
        try:
            future = screen.attachment.submit(command)
        except RunbookError as error:
            screen.post_message(CommandSettled(command, error))
            return
        if isinstance(command, Approve | Retry | Skip | Attest | HandOver):
            screen.sent.add(command.node)
        future.add_done_callback(partial(self._done, command))

    def _done(self, command: Command, future: Future[None]) -> None:
        """Called in the engine's thread."""
        error = CancelledError() if future.cancelled() else future.exception()
        self._screen.post_message(CommandSettled(command, error))

    def settled(self, message: CommandSettled) -> None:
        """The engine answered: on an error, show it."""
        if isinstance(message.command, Approve | Retry | Skip | Attest | HandOver):
            self._screen.sent.discard(message.command.node)
            if message.command.node in self._together:
                self._settled_together(message.command.node, message.error)
                return
        match message.error:
            case None | CancelledError():
                return
            case RunbookError() as error:
                self._say(f"{clean(error.message)}\n{clean(error.hint)}".strip(), "error", clean(error.code))
            case error:
                self._say(f"{type(error).__name__}: {clean(error)}", "error", "defect")

    def _settled_together(self, node: str, error: BaseException | None) -> None:
        """One of a batch was answered. What was refused is told once, when all were."""
        self._together.discard(node)
        if error is not None and not isinstance(error, CancelledError):
            told = error if isinstance(error, RunbookError) else RunbookError(f"{type(error).__name__}: {error}")
            self._refused.append(told)
        if self._together or not self._refused:
            return
        first, count = self._refused[0], len(self._refused)
        self._refused = []
        more = f"Not recorded: {count}. The first: " if count > 1 else ""
        self._say(f"{more}{clean(first.message)}\n{clean(first.hint)}".strip(), "error", clean(first.code))

    # ------------------------------------------------------------ who drives

    def _take_over(self) -> None:
        """Drive what was only watched. A driver that is alive is asked about first, and told why."""
        screen, driver = self._screen, self._screen.attachment.driver
        if reason := self.why_not_drive():
            self._say(reason, "warning")
            return
        lost = screen.ended_by.message if isinstance(screen.ended_by, LeaseLost) else ""
        if not lost and (screen.ended_by is not None or not is_driven(driver)):
            self._drive("")
            return
        question = questions.take_over(screen.view.id, driver, lost)
        self._wish = self._ask(question, lambda answers: self._drive(answers["why"]))

    def _drive(self, why: str) -> None:
        self.is_taking_over = True
        cast("RunbookApp", self._screen.app).take_over(self._screen.view.id, why)

    def why_not_drive(self) -> str:
        """Why this screen, as it is, cannot come to drive its run; empty where it can."""
        screen = self._screen
        if screen.is_opening:
            return "The run is still being opened."
        if not screen.attachment.is_read_only and screen.ended_by is None:
            return "You drive this run already."
        if screen.view.state in (RunState.DONE, RunState.ABORTED):
            return "The run is over."
        if self._around.take_over is None:
            return "This page only looks on."
        return "It is being opened for driving." if self.is_taking_over else ""

    # ------------------------------------------------------------ more about a node

    def _open(self, node: NodeView | None) -> None:
        """All about what is the matter with the selected node, on a screen of its own."""
        screen = self._screen
        if node is None or not (about := matter(node)):
            self._say("Nothing is the matter here: o is for nodes that wait, failed, are blocked or in doubt.")
        elif screen.is_opening:
            self._say("The run is still being opened.", "warning")
        else:
            from runbook.tui.screens.failure import FailureScreen
            from runbook.tui.screens.waiting import WaitingScreen

            kind = WaitingScreen if about == "waiting" else FailureScreen
            screen.show_above(kind(screen.attachment, node.id, redraw_s=screen.redraw_s, program=screen.program))

    def _report(self) -> None:
        write = self._around.report
        if write is None:
            self._say("No report can be written from here: this page only looks on.", "warning")
            return
        ask_report(self._screen, self._screen.view.id, partial(write, self._screen.view.id))

    def _change_input(self) -> None:
        """A run keeps the inputs it began with: another one begins with them, and there they can be changed."""
        making = self._around.making
        if making is None:
            self._say("No run can be made from here: this page only looks on.", "warning")
            return
        from runbook.tui.present.how import prefill_of
        from runbook.tui.screens.new_run import NewRunScreen

        view = self._screen.view
        self._screen.app.push_screen(NewRunScreen(making, str(view.book.get("id", "")), prefill_of(view)))

    # ------------------------------------------------------------ copying

    def _copy(self) -> None:
        screen = self._screen
        node = screen.node
        if node is None:
            self._say("Select a node; its commands can be copied.", "warning")
            return
        draft = node.waiting["draft"] if node.waiting and node.state is NodeState.WAITING else ""
        if draft and screen.page != "Commands":
            self._to_clipboard("The text to hand over", clean(draft))
        elif text := pages.copyable(screen.changes(), screen.face):
            self._to_clipboard(f"The {pages.FACES[screen.face]} commands", text)
        else:
            self._say("This node has no command to copy now.", "warning")

    def _to_clipboard(self, what: str, text: str) -> None:
        cast("RunbookApp", self._screen.app).copy(text, what)

    def _say(self, text: str, severity: str = "information", title: str = "") -> None:
        level = {"warning": "warning", "error": "error"}.get(severity, "information")
        self._screen.notify(text, title=title, severity=level, timeout=_SHOWN_S[level], markup=False)  # type: ignore[arg-type]
