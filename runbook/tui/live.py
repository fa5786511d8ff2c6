"""A screen over one run: told when the journal has grown, redrawn no more often than needed.

Invariants: everything shown comes from the attachment's newest committed view; a screen that is opened from the run
screen decides nothing by itself, it ends with what is ``Wanted`` there.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.screen import ScreenResultType

from runbook.core.event import Event
from runbook.core.view import RunView
from runbook.tui.messages import HomeDone, RunMoved
from runbook.tui.present.text import line
from runbook.tui.pump import Pump
from runbook.tui.screens.reporting import tell
from runbook.tui.styled import BaseScreen
from runbook.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from runbook.engine.host import Attachment

TICK_S = 0.5
"""How often what depends on the time alone is drawn anew, in seconds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a screen above wants of the run screen.

    Attributes:
        act: a key's id of the run screen, to be done at the node with its usual questions; empty: only go there.
        node: the node's id; empty: where the selection is.
    """

    act: str = ""
    node: str = ""


class LiveScreen(BaseScreen[ScreenResultType]):
    """Shows one run. A subclass says what to compose and to ``draw``.

    Textual calls the ``on_…`` methods of this class and of the subclass both, the subclass's first: no ``super()``.

    Args:
        redraw_s: the shortest time between two redraws caused by the engine, in seconds.
        program: how the operator calls this program.
    """

    def __init__(self, attachment: Attachment, *, redraw_s: float = 0.05, program: str = "runbook") -> None:
        super().__init__()
        self.attachment = attachment
        self.program = program
        self.view: RunView = attachment.view
        """As last drawn."""
        self.pump = Pump(lambda: self.post_message(RunMoved()))
        self.redraw_s = max(0.001, redraw_s)  # Textual has no timer of zero seconds

    @abstractmethod
    def draw(self) -> None:
        """Bring everything up to the newest view and time. Called often: widgets redraw only what changed."""

    def tick(self) -> None:
        """Bring up to date what depends on the time alone."""
        self.draw()

    def hear(self, event: Event) -> None:
        """Take an event, in the engine's thread."""
        self.pump(event)

    def on_mount(self) -> None:
        for small in self.query("#too-small").results(Prose):
            small.show([line("This terminal is too small. The runbook needs 60×15 cells.")])
        self._unlisten = self.attachment.listen(self.hear)
        self.view = self.attachment.view
        self.draw()
        self.set_interval(TICK_S, self.tick)

    def on_unmount(self) -> None:
        self._unlisten()

    def on_resize(self) -> None:
        self.call_after_refresh(self.tick)

    def on_screen_resume(self) -> None:
        self.pump.nudge()

    def adopt(self, attachment: Attachment) -> None:
        """Go on with another attachment to the same run; so do the screens above that had the same one."""
        was = self.attachment
        self._unlisten()
        self.attachment = attachment
        self._unlisten = attachment.listen(self.hear)
        self._renew()
        for other in self.app.screen_stack:
            if isinstance(other, LiveScreen) and other.attachment is was:
                other.adopt(attachment)

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way that will still change the screen; for tests that wait."""
        return self.pump.is_awake

    def _renew(self) -> None:
        self.view = self.attachment.view
        self.draw()

    @on(HomeDone)
    def _done(self, message: HomeDone) -> None:
        tell(self, message)

    @on(RunMoved)
    def _moved(self) -> None:
        if self.pump.take():
            self._renew()
        self.set_timer(self.redraw_s, self._rested)

    def _rested(self) -> None:
        if self.pump.rested():
            self._moved()
