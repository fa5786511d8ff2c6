"""A screen about what is the matter with one node, opened above the run screen. It shows, and decides nothing itself.

Invariant: it ends with what the operator wants done at which node; the run screen does it, with its questions.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import on
from textual.app import ComposeResult

from runbook.core.entry import Entry
from runbook.core.error import RunbookError
from runbook.core.state import RunState
from runbook.core.view import NodeView, RunView
from runbook.tui.live import LiveScreen, Wanted
from runbook.tui.messages import EntriesRead
from runbook.tui.present.can import available, renamed, unfit
from runbook.tui.present.header import Seat, header
from runbook.tui.present.meanwhile import Meanwhile, meanwhile
from runbook.tui.present.situation import due_words
from runbook.tui.present.standing import next_for_me
from runbook.tui.present.text import Line, clean, line, one_line
from runbook.tui.present.words import driven_by
from runbook.tui.widgets.bars import KeyLine, Page
from runbook.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from runbook.engine.host import Attachment
    from runbook.tui.app import RunbookApp

ASIDE: Final = frozenset({"next", "help", "quit"})
"""Keys that always mean something."""
_READ: Final = 200
"""Entries of a node that are read, newest first."""


class MatterScreen(LiveScreen[Wanted | None]):
    """About one node of a run.

    Args:
        node: the node's id.
    """

    screen_name: ClassVar[str]

    def __init__(self, attachment: Attachment, node: str, *, redraw_s: float = 0.05, program: str = "runbook") -> None:
        super().__init__(attachment, redraw_s=redraw_s, program=program)
        self.node_id = node
        self.entries: Sequence[Entry] | None = None
        """Those of ``sources``, oldest first; None while they are being read."""
        self._entries_of: tuple[NodeView, ...] = ()
        """As they were when their entries were last asked for."""
        self._meanwhile: tuple[RunView | None, Meanwhile] = (None, Meanwhile())

    def compose(self) -> ComposeResult:
        yield Prose(id="too-small")
        yield Prose(id="header")
        yield Prose(id="matter-head")
        with Page(id="matter"):
            yield from self.compose_matter()
        yield KeyLine(self.screen_name)

    def compose_matter(self) -> ComposeResult:
        """What stands between the head and the keys."""
        yield Prose(id="matter-text")

    def on_mount(self) -> None:
        self.query_one("#matter").focus()

    # ------------------------------------------------------------ what it knows

    @property
    def node(self) -> NodeView:
        return self.view.nodes[self.node_id]

    @property
    def meanwhile(self) -> Meanwhile:
        """The other nodes, looked at once for each view."""
        if self._meanwhile[0] is not self.view:
            self._meanwhile = (self.view, meanwhile(self.view, self.node_id))
        return self._meanwhile[1]

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be decided from here."""
        return self.attachment.is_read_only or self.attachment.failure is not None

    @property
    def is_narrow(self) -> bool:
        return not self.has_class("-wide")

    def can(self) -> frozenset[str]:
        """The ids of keys that mean something now."""
        decisions = available(self.view, self.node_id, None, self.is_closed)
        return frozenset(decisions & {"retry", "skip", "attest"}) | ASIDE

    def due(self, at_ms: int) -> str:
        """A moment of the run's clock in words."""
        real_s = self.attachment.real_s if self.view.mode == "rehearsal" else None
        return due_words(at_ms, self.attachment.now_ms(), real_s)

    def sources(self) -> Sequence[str]:
        """The nodes whose entries are wanted."""
        return (self.node_id,)

    # ------------------------------------------------------------ drawing

    def draw(self) -> None:
        a = self.attachment
        top = self.query_one("#header", Prose)
        seat = Seat(a.is_read_only, a.driver, a.speed, a.now_ms(), has_ended=a.failure is not None)
        top.show(header(self.view, seat, max(20, top.content_region.width or self.size.width)))
        self._want_entries()
        title = line((one_line(self.node.doc["title"]) or self.node_id, "heading"))
        self.query_one("#matter-head", Prose).show([title, *self.head()])
        self.draw_matter()
        without = unfit(self.view, self.is_closed)
        self.query_one(KeyLine).offer(self.can(), renamed(self.view, self.node), without)

    @abstractmethod
    def head(self) -> list[Line]:
        """State and what goes with it, in a line."""

    @abstractmethod
    def draw_matter(self) -> None:
        """Bring what was composed by ``compose_matter`` up to date."""

    def _want_entries(self) -> None:
        wanted = tuple(self.view.nodes[i] for i in self.sources())
        before = self._entries_of
        # A view is made anew from the one before: who did not change is the very same. Others may be busy all the time.
        if len(wanted) != len(before) or any(a is not b for a, b in zip(wanted, before, strict=True)):
            self._entries_of = wanted
            work = partial(self._read_entries, [n.id for n in wanted])
            self.run_worker(work, group="entries", exclusive=True, thread=True, name="entries")

    def _read_entries(self, nodes: Sequence[str]) -> None:
        """In a worker thread."""
        try:
            found = [e for node in nodes for e in self.attachment.entries(node, _READ)]
            self.post_message(EntriesRead(self.node_id, sorted(found, key=lambda e: e.seq)))
        except RunbookError as error:
            self.post_message(EntriesRead(self.node_id, (), str(error)))

    @on(EntriesRead)
    def _entries_read(self, message: EntriesRead) -> None:
        self.entries = message.entries
        if message.problem:
            self.notify(clean(message.problem), title="journal", severity="error", markup=False)
        self.draw()

    # ------------------------------------------------------------ keys

    def action_act(self, id_: str) -> None:
        """Do what a key of the list stands for."""
        match id_:
            case "quit":
                self.dismiss(None)
            case "next":
                self._go_next()
            case "retry" | "skip" | "attest" | "change_input":
                self.want(id_)

    def want(self, act: str) -> None:
        """End with an act at this node, or say why it cannot be."""
        if act in self.can():
            self.dismiss(Wanted(act, self.node_id))
        elif self.attachment.is_read_only:
            self.say(f"You are watching: {driven_by(self.attachment.driver)}.", "warning")
        elif self.attachment.failure is not None:
            self.say("Driving has ended here. q on the run screen leaves; resume the run to go on.", "warning")
        elif self.view.state in (RunState.DONE, RunState.ABORTED):
            self.say("The run is over.", "warning")
        else:
            self.say(self.why_not(act), "warning")

    def why_not(self, act: str) -> str:
        """Why an act does not fit the node now."""
        what = {
            "attest": "Your word cannot settle this node now; it goes on when Azure shows what it waits for.",
            "retry": "This node cannot be looked at again now.",
            "skip": "This node cannot be left out now.",
        }
        return what.get(act, "That does not fit here now.")

    def _go_next(self) -> None:
        goal = next_for_me(self.view, self.node_id)
        if goal is None:
            self.say("No other node needs you now.")
        else:
            self.dismiss(Wanted("", goal))

    def say(self, text: str, severity: str = "information") -> None:
        """Tell something in the corner."""
        timeout = 8.0 if severity == "error" else 5.0
        self.notify(text, severity=severity, timeout=timeout, markup=False)  # type: ignore[arg-type]

    @property
    def runbook_app(self) -> RunbookApp:
        return cast("RunbookApp", self.app)
