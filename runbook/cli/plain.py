"""Driving a run by questions in plain lines: for screen readers, for dumb terminals, and over a slow line.

Everything printed is a whole line; nothing is redrawn. Lines that come while a question stands are held back until it
is answered or settles by itself. The end of input leaves the run as it is.
"""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TextIO

from runbook.cli import output, pages
from runbook.cli.answers import Answers, Left
from runbook.cli.exits import Exit, of_run
from runbook.cli.lines import Teller, closing_lines
from runbook.cli.naming import find
from runbook.cli.plain_acts import Acts
from runbook.cli.plain_asking import asked_by, choices, question_lines
from runbook.cli.plain_words import help_lines, meaning
from runbook.core.entry import Kind
from runbook.core.error import RunbookError
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.core.tally import FEW, title_of
from runbook.core.view import NodeView, RunView
from runbook.engine.host import Attachment
from runbook.report.handover import can_be_handed, handover
from runbook.tui.present.along import along
from runbook.tui.present.audit import audit_of
from runbook.tui.present.can import available
from runbook.tui.present.find import matches
from runbook.tui.present.node import known_changes
from runbook.tui.present.situation import RealS
from runbook.tui.present.standing import first_at_work, next_for_me
from runbook.tui.present.text import as_text
from runbook.tui.present.words import is_driven
from runbook.tui.screens.questions import take_over

__all__ = ["Left", "run_plain"]

_OVER = (RunState.DONE, RunState.ABORTED)
_BURST: Final = 50
"""So many handfuls of news in a row, and a question is asked between them all the same."""
_AT_ONCE: Final = 1000
_DECISIONS: Final = ("approve", "attest", "retry", "skip", "hand")
_WRONG: Final = 25
"""So many answers in a row that fit no question are no person's."""


def run_plain(
    attachment: Attachment,
    source: TextIO | None = None,
    *,
    is_whole: bool = False,
    home: Path | None = None,
    opener: Callable[[str], Attachment] | None = None,
) -> Exit:
    """Show and ask until the run is over or the operator leaves.

    Args:
        attachment: the run; it is closed at the end.
        source: where answers are read from, a line each; stdin unless said.
        is_whole: lines for every node, also of steps with many.
        home: the state folder, for reports.
        opener: opens a run for driving that is only looked on, with why, which may be empty.

    Raises:
        RunbookError: what ended the driving, or why it could not begin.
    """
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    stop = attachment.listen(events.put)
    answers = Answers(source or sys.stdin)
    talk = _Talk(attachment, events, answers, Acts(attachment, answers, home), Teller(is_whole=is_whole))
    is_interrupted = False
    wish = None
    try:
        talk.go()
    except Left:
        pass
    except _Drive as said:
        wish = said.why
    except KeyboardInterrupt:
        is_interrupted = True
    finally:
        stop()
        attachment.close()
    talk.show()
    if wish is not None and opener is not None:
        return run_plain(opener(wish), source, is_whole=is_whole, home=home)
    if attachment.failure is not None:
        raise attachment.failure
    for line in closing_lines(attachment.view, is_interrupted):
        output.talk(line)
    return Exit.INTERRUPTED if is_interrupted else of_run(attachment.view)


class _Drive(Exception):
    """The operator, who only looks on, wants to drive.

    Attributes:
        why: for whoever is taken over.
    """

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


@dataclass
class _Talk:
    attachment: Attachment
    events: queue.SimpleQueue[Event]
    answers: Answers
    acts: Acts
    teller: Teller = field(default_factory=Teller)
    singly: set[str] = field(default_factory=set)
    """Steps whose ready nodes are asked about one by one, as the operator wished."""
    later: set[tuple[object, ...]] = field(default_factory=set)
    """Questions put off, as ``asked_by`` tells one from another."""
    at: str = ""
    """The node that the operator went to; empty where they follow what asks."""
    subject: str = ""
    """The node that was last spoken of."""
    numbers: list[str] = field(default_factory=list)
    """The nodes as they were last numbered."""
    said: object = None
    """What was last asked or told and need not be told again before anything else was printed."""
    wrong: int = 0

    def go(self) -> None:
        """Talk until there is nothing more to say."""
        view = self.attachment.view
        what = "a rehearsal on a simulated Azure" if view.mode == "rehearsal" else view.mode
        output.data(f"Run {view.id}: {what}. Answer with a word or its first letter; h explains.")
        if self.attachment.is_read_only:
            self._print(self._who())
        burst = 0
        while self.attachment.failure is None:
            if self.show(wait_s=0.2) and (burst := burst + 1) < _BURST:
                continue
            burst = 0
            if (typed := self.answers.typed()) is not None:
                self._obey(typed)
                continue
            view = self.attachment.view
            if view.state in _OVER:
                if not self.answers.is_live:
                    return
                self._stand("The run is over. report writes its report; a word, or quit?")
            elif view.paused:
                self._stand("Paused: nothing new starts, and what you decide is kept. on goes on; a word, or quit?")
            elif (node := self._asking(view)) is not None:
                self._question(view, node)
            elif self.at and not self.answers.is_live:
                self._ask(view.nodes[self.at])
            elif self._is_stuck(view) and self.later:
                if not self.answers.is_live:
                    output.data("Everything that is left was put off.")
                    raise Left
                self._stand("Everything that is left was put off. next goes back to it; a word, or quit?")
            elif self.attachment.is_read_only and not self.answers.is_live:
                self._stand("You look on. A word, or quit?")
            else:
                self._calm(view)

    def _question(self, view: RunView, node: NodeView) -> None:
        together = self._together(view, node)
        if len(together) > FEW and not self.at:
            self._ask_together(node.doc["step"], together)
        else:
            self._ask(node)

    def show(self, wait_s: float = 0.0) -> bool:
        """Print what happened; wait for something to happen if nothing did. Whether anything had."""
        had_any = False
        for _ in range(_AT_ONCE):
            try:
                event = self.events.get(timeout=wait_s) if wait_s and not had_any else self.events.get_nowait()
            except queue.Empty:
                break
            had_any = True
            if self._is_asked(event):
                continue
            for line in self.teller.lines(event):
                output.data(line)
                self.said = None
        return had_any

    def _is_asked(self, event: Event) -> bool:
        """Whether a question will tell it all, as it does when a node of a small step comes to want an answer."""
        node = event.view.nodes.get(event.entry.node or "")
        if node is None or event.entry.kind is not Kind.OBSERVED or not choices(node):
            return False
        is_later = asked_by(node) in self.later
        return not is_later and len(event.view.of_step(node.doc["step"])) <= FEW

    def _asking(self, view: RunView) -> NodeView | None:
        if self.attachment.is_read_only:
            return None
        if self.at:
            node = view.nodes[self.at]
            return node if choices(node) else None
        return next((n for n in view.nodes.values() if choices(n) and asked_by(n) not in self.later), None)

    def _is_stuck(self, view: RunView) -> bool:
        return view.state is not RunState.ACTIVE and not any(n.due_ms is not None for n in view.nodes.values())

    def _calm(self, view: RunView) -> None:
        """Nothing asks: say so once, where somebody could say something."""
        wanted = sum(map(bool, map(choices, view.nodes.values())))
        told = (self.at, wanted, view.state)
        if self.answers.is_live and self.said != told:
            self.said = told
            if wanted and self.at:
                output.data(f"{wanted} need you: next goes there.")
            elif self.attachment.is_read_only:
                output.data("You look on, and what happens is told here. drive, overview, done, who, or quit?")
            elif (busy := first_at_work(view)) is not None:
                output.data(f"Nothing to answer now: {view.nodes[busy].doc['title']} ({busy}). You may type a word.")

    def _together(self, view: RunView, node: NodeView) -> list[NodeView]:
        """The nodes of a step that can be approved with this one: those that wait for a go and were not put off."""
        step = node.doc["step"]
        if node.state is not NodeState.READY or step in self.singly:
            return []
        ready = [n for n in view.of_step(step) if n.state is NodeState.READY and not n.is_approved]
        return [n for n in ready if asked_by(n) not in self.later]

    # ------------------------------------------------------------ asking

    def _read(self, prompt: str, is_stale: Callable[[], bool] | None = None) -> str | None:
        if dropped := self.answers.forget():
            output.data(f"Typed before this was asked, and left out: {', '.join(dropped)}")
        return self.answers.read(prompt, is_stale)

    def _stand(self, prompt: str) -> None:
        """Wait for a word while nothing else is asked."""
        before = self.attachment.view
        reply = self._read(prompt, lambda: self.attachment.view.paused != before.paused or self._has_failed())
        if reply is not None:
            self._obey(reply)

    def _has_failed(self) -> bool:
        return self.attachment.failure is not None

    def _ask_together(self, step: str, nodes: list[NodeView]) -> None:
        self.subject = nodes[0].id
        risky = sum(n.is_disruptive for n in nodes)
        if self.said != (step, len(nodes)):
            title = title_of(self.attachment.view, step)
            output.data("")
            output.data(f"{title}: {len(nodes)} nodes are ready, with {sum(len(n.changes) for n in nodes)} changes.")
            if risky:
                output.data(f"  Disruptive: {risky} of them.")
            output.data(f"  The first: {nodes[0].doc['title']}; the last: {nodes[-1].doc['title']}")
        self.said = (step, len(nodes))
        offered = ("approve", "show", "one", "later", "quit")
        reply = self._read("Approve all, show them, one by one, later, quit?", self._has_failed)
        match meaning(reply or "", offered)[0]:
            case "approve":
                self.acts.approve_all(step, nodes, risky)
            case "show":
                for node in nodes:
                    self._print(question_lines(node)[1:])
            case "one":
                self.singly.add(step)
            case "later":
                self.later |= {asked_by(n) for n in nodes}
            case "help":
                self._help(reply or "")
            case "":
                self._misunderstood("One of: approve all, show them, one by one, later, quit. help tells all words.")
            case _:
                self._obey(reply or "")

    def _ask(self, node: NodeView) -> None:
        self.subject = node.id
        key = asked_by(node)
        if self.said != key:
            self._print(question_lines(node))
        self.said = key
        offered = (*(choices(node) or self._possible(node)), "later", "quit")
        words = ", ".join(offered)
        reply = self._read(f"{words[0].upper()}{words[1:]}?", partial(self._has_moved_on, node))
        if reply is None:
            output.data("That has settled by itself.")
            self.said = None
            return
        word, rest = meaning(reply, offered)
        if word in _DECISIONS and self.acts.is_over(node):
            return
        if word == "later":
            self.later.add(key)
            self.at = ""
            self.wrong = 0
        elif not word:
            self._misunderstood(f"One of: {words}. help tells all words.")
        else:
            self._do(word, rest, node)

    def _has_moved_on(self, node: NodeView) -> bool:
        now = self.attachment.view.nodes[node.id]
        is_looking = now.state is NodeState.OBSERVING  # it may well come back with the same question
        return self._has_failed() or not (is_looking or asked_by(now) == asked_by(node))

    def _possible(self, node: NodeView) -> tuple[str, ...]:
        """What can be decided about a node that asks nothing."""
        can = available(self.attachment.view, node.id, None, self.attachment.is_read_only)
        return tuple(word for word in ("approve", "attest", "retry", "skip") if word in can)

    def _misunderstood(self, text: str) -> None:
        self.wrong += 1
        output.data(text)
        if self.wrong >= _WRONG:
            output.data(f"{_WRONG} answers in a row fitted no question. The run stays as it is.")
            raise Left

    # ------------------------------------------------------------ doing what was said

    def _obey(self, line: str) -> None:
        """Do what was said while no node asks, or about another thing than the question."""
        word, rest = meaning(line)
        node = self.attachment.view.nodes.get(self.at or self.subject)
        if word in ("later", "") or (word in ("approve", "attest", "retry", "skip") and node is None):
            if line or not self.answers.is_live:
                self._misunderstood("That does not fit now. help tells all words.")
            return
        self._do(word, rest, node)

    def _do(self, word: str, rest: str, node: NodeView | None) -> None:
        self.wrong = 0
        match word:
            case "quit":
                raise Left
            case "help":
                self._help(rest)
            case "overview":
                asked = rest or ("all" if self._is_few() else "")
                self._print(pages.overview_lines(self.attachment.view, self._numbered(), asked))
            case "find":
                self._find(rest)
            case "go":
                self._go_to(rest)
            case "next":
                self._next()
            case "who":
                self._print(self._who())
            case "history":
                self._print(pages.journal_lines(self.attachment.entries(None)))
            case "done":
                self._print(as_text(audit_of(self.attachment.past())).splitlines())
            case "drive":
                self._drive(rest)
            case "pause" | "on" | "abort" | "report" | "note":
                self.acts.of_run(word, rest)
            case _ if node is None:
                self._misunderstood("Go to a node first: go NUMBER, or find TEXT.")
            case "guide" | "plan" | "commands" | "checks" | "entries":
                self._page(word, rest, node)
            case _:
                self._decide(word, rest, node)

    def _drive(self, why: str) -> None:
        a = self.attachment
        if not a.is_read_only:
            self._misunderstood("You drive this run already.")
        elif a.view.state in _OVER:
            self._misunderstood("The run is over.")
        elif not is_driven(a.driver):
            raise _Drive("")
        else:
            self._print(as_text(take_over(a.view.id, a.driver).body).splitlines())
            if why := why or self.answers.ask("Why? They see it; nothing: go back"):
                raise _Drive(why)

    def _numbered(self) -> list[str]:
        """The nodes by the numbers that are told now; they hold until told anew, also where nodes come between."""
        self.numbers = pages.in_book_order(self.attachment.view)
        return self.numbers

    def _is_few(self) -> bool:
        return len(self.attachment.view.nodes) <= 4 * FEW

    def _decide(self, word: str, rest: str, node: NodeView) -> None:
        if word == "save":
            draft = node.waiting["draft"] if node.waiting and node.state is NodeState.WAITING else ""
            self.acts.save(rest, draft, known_changes(node, self.attachment.entries(node.id)))
            return
        if word == "document" and can_be_handed(node):
            self._print(handover(self.attachment.view, [node]).splitlines())
            return
        view, phase = self.attachment.view, node.doc["phase"]
        can = available(view, node.id, phase, self.attachment.is_read_only, node.doc["step"])
        if self.attachment.is_read_only:
            output.data(f"You look on: {self.attachment.driver}. Nothing can be decided from here.")
        elif {"step": "approve", "phase": "approve_phase"}.get(word, word) not in can and word != "step":
            self._misunderstood(f"{word} does not fit this node now ({node.state.value}).")
        else:
            self.at, self.said = "", None
            self.acts.of_node(word, node)

    def _page(self, word: str, rest: str, node: NodeView) -> None:
        match word:
            case "guide":
                rows = pages.guide_lines(self.attachment.view, node, self.attachment.now_ms(), self._real_s)
            case "plan":
                rows = [*pages.plan_lines(node), *as_text(along(self.attachment.view, node)).splitlines()]
            case "checks":
                rows = pages.check_lines(node)
            case "entries":
                rows = pages.journal_lines(self.attachment.entries(node.id))
            case _:
                asked = rest.lower()
                form = next((form for name, form in pages.FORMS.items() if asked and name.startswith(asked)), "")
                changes = known_changes(node, self.attachment.entries(node.id))
                rows = pages.command_lines(node, changes, [form] if form else [])
        self._print(rows)

    @property
    def _real_s(self) -> RealS | None:
        return self.attachment.real_s if self.attachment.view.mode == "rehearsal" else None

    def _find(self, text: str) -> None:
        found = matches(self.attachment.view, text)
        self._print(pages.found_lines(self.attachment.view, found, self._numbered()))
        output.data(f"{len(found)} found. go NUMBER looks at one." if found else "Nothing like that. find TEXT.")

    def _go_to(self, asked: str) -> None:
        view = self.attachment.view
        ids = self.numbers or self._numbered()
        try:
            is_number = asked.isdecimal() and 0 < int(asked) <= len(ids)
            goal = ids[int(asked) - 1] if is_number else find(ids, asked)
        except RunbookError as error:
            self._misunderstood(f"{error.message} {error.hint}")
            return
        near = [] if goal in view.nodes else matches(view, asked)
        if goal not in view.nodes and len(near) != 1:
            self._print(pages.found_lines(view, near, self._numbered()))
            self._misunderstood("go NUMBER or go NAME; overview has the numbers.")
            return
        self.at = self.subject = goal if goal in view.nodes else near[0]
        node = view.nodes[self.at]
        self.later.discard(asked_by(node))
        if not choices(node) or self.attachment.is_read_only:
            self._print([*pages.head_lines(node, self.attachment.now_ms())])
            self._print(pages.now_lines(node, self.attachment.now_ms(), self._real_s))
            self.said = asked_by(node)

    def _next(self) -> None:
        self.later.clear()
        goal = next_for_me(self.attachment.view, self.at or self.subject or None)
        self.at, self.said = "", None
        if goal is None:
            output.data("No other node needs you now.")
        else:
            self.at = goal

    def _who(self) -> list[str]:
        a = self.attachment
        return pages.run_lines(a.view, a.driver, a.speed, a.now_ms(), is_read_only=a.is_read_only)

    def _help(self, rest: str) -> None:
        self.wrong = 0
        self._print(pages.state_lines() if "states".startswith(rest.lower() or "-") else help_lines())

    def _print(self, rows: list[str]) -> None:
        for row in rows:
            output.data(row)
