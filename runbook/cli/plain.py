"""Driving a run by questions in plain lines: for screen readers, for dumb terminals, and over a slow line.

Everything printed is a whole line; nothing is redrawn. Lines that come while a question stands are held back until it
is answered. The end of input leaves the run as it is.
"""

from __future__ import annotations

import queue
import sys
from dataclasses import dataclass, field
from typing import TextIO

from runbook.cli import output
from runbook.cli.evidence import evidence_of
from runbook.cli.exits import Exit, of_run
from runbook.cli.lines import Teller, closing_lines
from runbook.cli.planning import differs
from runbook.cli.policy import account
from runbook.core.command import Approve, Attest, Command, HandOver, Retry, Skip
from runbook.core.entry import Kind
from runbook.core.error import RunbookError
from runbook.core.event import Event
from runbook.core.state import FINISHED, NodeState, RunState
from runbook.core.tally import FEW, title_of
from runbook.core.view import NodeView, RunView
from runbook.engine.host import Attachment
from runbook.report.handover import can_be_handed, handover

_OVER = (RunState.DONE, RunState.ABORTED)


class Left(Exception):
    """The operator wants out, or there is no more input."""


def run_plain(attachment: Attachment, source: TextIO | None = None, *, is_whole: bool = False) -> Exit:
    """Show and ask until the run is over or the operator leaves.

    Args:
        attachment: the run; it is closed at the end.
        source: where answers are read from, a line each; stdin unless said.
        is_whole: lines for every node, also of steps with many.

    Raises:
        RunbookError: what ended the driving.
    """
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    stop = attachment.listen(events.put)
    talk = _Talk(attachment, events, source or sys.stdin, Teller(is_whole=is_whole))
    is_interrupted = False
    try:
        talk.go()
    except Left:
        pass
    except KeyboardInterrupt:
        is_interrupted = True
    finally:
        stop()
        attachment.close()
    talk.show()
    if attachment.failure is not None:
        raise attachment.failure
    for line in closing_lines(attachment.view, is_interrupted):
        output.talk(line)
    return Exit.INTERRUPTED if is_interrupted else of_run(attachment.view)


@dataclass
class _Talk:
    attachment: Attachment
    events: queue.SimpleQueue[Event]
    source: TextIO
    teller: Teller = field(default_factory=Teller)
    singly: set[str] = field(default_factory=set)
    """Steps whose ready nodes are asked about one by one, as the operator wished."""
    later: set[tuple[str, int]] = field(default_factory=set)
    """Questions put off: node, and when it came into the state that asks."""

    def go(self) -> None:
        view = self.attachment.view
        what = "a rehearsal on a simulated Azure" if view.mode == "rehearsal" else view.mode
        output.data(f"Run {view.id}: {what}. Answer with the first letter; h explains.")
        while self.attachment.failure is None and self.attachment.view.state not in _OVER:
            if self.show(wait_s=0.2):
                continue
            node = self._asking(self.attachment.view)
            if node is not None and len(together := self._together(self.attachment.view, node)) > FEW:
                self._ask_together(node.doc["step"], together)
            elif node is not None:
                self._ask(node)
            elif self._is_stuck(self.attachment.view):
                output.data("Everything that is left was put off.")
                raise Left
            if self.attachment.is_read_only:
                raise Left

    def show(self, wait_s: float = 0.0) -> bool:
        """Print what happened; wait for something to happen if nothing did. Whether anything had."""
        had_any = False
        while True:
            try:
                event = self.events.get(timeout=wait_s) if wait_s and not had_any else self.events.get_nowait()
            except queue.Empty:
                return had_any
            had_any = True
            if self._is_asked(event):
                continue
            for line in self.teller.lines(event):
                output.data(line)

    def _is_asked(self, event: Event) -> bool:
        """Whether a question will tell it all, as it does when a node of a small step comes to want an answer."""
        node = event.view.nodes.get(event.entry.node or "")
        if node is None or event.entry.kind is not Kind.OBSERVED or not choices(node):
            return False
        is_later = (node.id, node.since_ms) in self.later
        return not is_later and len(event.view.of_step(node.doc["step"])) <= FEW

    def _asking(self, view: RunView) -> NodeView | None:
        return next((n for n in view.nodes.values() if choices(n) and (n.id, n.since_ms) not in self.later), None)

    def _is_stuck(self, view: RunView) -> bool:
        return view.state is not RunState.ACTIVE and not any(n.due_ms is not None for n in view.nodes.values())

    def _together(self, view: RunView, node: NodeView) -> list[NodeView]:
        """The nodes of a step that can be approved with this one: those that wait for a go and were not put off."""
        step = node.doc["step"]
        if node.state is not NodeState.READY or step in self.singly:
            return []
        ready = [n for n in view.of_step(step) if n.state is NodeState.READY and not n.is_approved]
        return [n for n in ready if (n.id, n.since_ms) not in self.later]

    def _ask_together(self, step: str, nodes: list[NodeView]) -> None:
        title = title_of(self.attachment.view, step)
        risky = sum(n.is_disruptive for n in nodes)
        output.data("")
        output.data(f"{title}: {len(nodes)} nodes are ready, with {sum(len(n.changes) for n in nodes)} changes.")
        if risky:
            output.data(f"  Disruptive: {risky} of them.")
        output.data(f"  The first: {nodes[0].doc['title']}; the last: {nodes[-1].doc['title']}")
        reply = self._read("Approve all, show them, one by one, later, quit?")[:1].lower()
        match reply:
            case "a":
                self._approve_all(step, nodes, risky)
            case "s":
                for node in nodes:
                    for line in question_lines(node)[1:]:
                        output.data(line)
            case "o":
                self.singly.add(step)
            case "l":
                self.later |= {(n.id, n.since_ms) for n in nodes}
            case "q":
                raise Left
            case "h":
                output.data(_HELP)
            case _:
                output.data("One of: approve all, show them, one by one, later, quit.")

    def _approve_all(self, step: str, nodes: list[NodeView], risky: int) -> None:
        if risky and self._read(f"This is disruptive. Type the step's name, {step}, to go on (empty: go back)") != step:
            output.data("Not approved: that is not its name.")
            return
        by = account(self.attachment.view)
        asked = [Approve(n.id, tuple(c["digest"] for c in n.changes), by) for n in nodes]
        futures = [self.attachment.submit(command) for command in asked]
        refused = [error for future in futures if isinstance(error := future.exception(), RunbookError)]
        output.data(f"Approved: {len(asked) - len(refused)} of {len(asked)}.")
        if refused:
            output.data(f"Not recorded: {len(refused)}. The first: {refused[0]}")

    def _ask(self, node: NodeView) -> None:
        for line in question_lines(node):
            output.data(line)
        offered = choices(node)
        letters = {c[0]: c for c in (*offered, "later", "quit")}
        words = ", ".join(letters.values())
        reply = self._read(f"{words[0].upper()}{words[1:]}?")
        choice = letters.get(reply[:1].lower())
        if choice not in ("later", "quit") and self._is_over(node):
            return
        if choice is None:
            output.data(_HELP if reply[:1].lower() == "h" else f"One of: {words}.")
        elif choice == "quit":
            raise Left
        elif choice == "later":
            self.later.add((node.id, node.since_ms))
        elif choice == "document":
            for row in handover(self.attachment.view, [node]).splitlines():
                output.data(row)
        elif (command := self._command(choice, node)) is not None:
            self._submit(command)

    def _command(self, choice: str, node: NodeView) -> Command | None:
        match choice:
            case "approve":
                return self._approval(node)
            case "retry":
                return Retry(node.id)
            case "skip":
                reason = self._read("Why is it left out? (it stands in the report; empty: go back)")
                return Skip(node.id, reason) if reason else None
            case "give":
                return self._hand_over(node)
            case _:
                return self._word(node)

    def _approval(self, node: NodeView) -> Command | None:
        if node.is_disruptive:
            name = node.at_stake
            if self._read(f"This is disruptive. Type this name, {name}, to go on (empty: go back)") != name:
                output.data("Not approved: that is not its name.")
                return None
        return Approve(node.id, tuple(c["digest"] for c in node.changes), account(self.attachment.view))

    def _hand_over(self, node: NodeView) -> Command | None:
        to = self._read("Who does it instead? (a team's name; empty: go back)")
        if not to:
            return None
        note = self._read("What else should they know, or a ticket's number? (empty: none)")
        output.data(f"What to send them: runbook handover {self.attachment.view.id} {node.id}")
        return HandOver(node.id, to, account(self.attachment.view), note)

    def _word(self, node: NodeView) -> Command | None:
        text = self._read("What do you vouch for? (it stands in the report; empty: go back)")
        if not text:
            return None
        if self._is_over(node):
            return None
        by = account(self.attachment.view)
        path = self._read("Evidence file? (its name and SHA-256 are kept; empty: none)")
        try:
            name, sha256 = evidence_of(path) if path else ("", "")
        except RunbookError as error:
            output.data(f"{error.message} Not attested.")
            return None
        return Attest(node.id, text, by, name, sha256)

    def _is_over(self, node: NodeView) -> bool:
        """Whether what was asked came by itself while the question stood; if so, say that nothing is needed."""
        now = self.attachment.view.nodes[node.id]
        if now.state not in FINISHED:
            return False
        how = "is done" if now.state is NodeState.DONE else "was left out"
        output.data(f"“{node.doc['title']}” {how} meanwhile: the answer is not needed any more. Going on.")
        return True

    def _submit(self, command: Command) -> None:
        try:
            self.attachment.submit(command).result()
        except RunbookError as error:
            output.data(str(error))

    def _read(self, prompt: str) -> str:
        output.data(prompt)
        line = self.source.readline()
        if not line:
            raise Left
        return line.strip()


_HELP = (
    "approve: make the changes as shown. skip: leave the node out, with a reason. attest: give your word for what "
    "cannot be read. retry: look again. give: another team does it. document: print what they are to do. later: put "
    "the question off. quit: leave; the run stays as it is."
)


def choices(node: NodeView) -> tuple[str, ...]:
    """What a person can answer to a node; none when it asks nothing."""
    asked = _choices(node)
    return (*asked, "give", "document") if asked and can_be_handed(node) else asked


def _choices(node: NodeView) -> tuple[str, ...]:
    match node.state:
        case NodeState.READY if not node.is_approved:
            return ("approve", "skip", "retry")
        case NodeState.IN_DOUBT if node.needs_operator:
            return ("retry", "skip")
        case NodeState.WAITING if node.waiting and node.waiting["attest"]:
            return ("attest", "retry", "skip")
        case NodeState.WAITING if node.needs_operator:
            return ("retry", "skip")
        case NodeState.BLOCKED if node.blocked and node.blocked["attest"]:
            return ("retry", "attest", "skip")
        case NodeState.BLOCKED | NodeState.FAILED:
            return ("retry", "skip")
        case _:
            return ()


def question_lines(node: NodeView) -> list[str]:
    """What to know before answering: the changes with their commands, the wait or the rule."""
    lines = ["", f"{node.doc['title']} ({node.state.value})"]
    if node.state is NodeState.READY:
        for change in node.changes:
            risk = " (disruptive)" if change["risk"] == "disruptive" else ""
            lines += [f"  {change['title']}{risk}"]
            lines += [f"    {row}" for d in change["diff"] for row in differs(d["path"], d["before"], d["after"])]
            lines += [f"    $ {change['command']['az']}"]
    if node.waiting and node.state is NodeState.WAITING:
        wait = node.waiting
        lines += [f"  Waits for {wait['who']}. {wait['message']}", f"  Then: {wait['then']}"]
        lines += ["  It looks again by itself: later is enough."] if wait["next_poll_ms"] is not None else []
        lines += [f"  | {line}" for line in wait["draft"].splitlines()]
        lines += [f"  You could vouch: {wait['attest']}"] if wait["attest"] else []
    if node.blocked and node.state is NodeState.BLOCKED:
        lines += [f"  {node.blocked['rule']}: {node.blocked['message']}"]
        lines += [f"  - {way}" for way in node.blocked["ways_out"]]
        lines += [f"  You could vouch: {node.blocked['attest']}"] if node.blocked["attest"] else []
    if node.error and node.state in (NodeState.FAILED, NodeState.IN_DOUBT):
        lines += [f"  {node.error['code']}: {node.error['message']}", f"  {node.error['hint']}"]
    lines += [
        f"  not met: {c['name']}: expected {c['expected']}, found {c['observed']}" for c in node.checks if not c["ok"]
    ]
    return lines
