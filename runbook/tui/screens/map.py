"""The map on a whole screen: what the run knows of the estate, drawn. It ends with the node that was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from runbook.report.topology import Plotter
from runbook.tui.keys import bindings
from runbook.tui.live import LiveScreen, Wanted
from runbook.tui.present.header import Seat, header
from runbook.tui.present.text import BLANK, Line, heading, line
from runbook.tui.widgets.bars import FindBar, KeyLine
from runbook.tui.widgets.map_view import MapPane, MapView
from runbook.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from runbook.engine.host import Attachment


class MapScreen(LiveScreen[Wanted | None]):
    """The map of a run.

    Args:
        attachment: to the run.
        node: what this node is about is selected first; empty for what needs the operator, or the first thing.
        plotter: one that knows the run already.
        redraw_s: the shortest time between two redraws caused by the engine, in seconds.
        program: how the operator calls this program.
    """

    screen_name = "map"
    BINDINGS: ClassVar[list[BindingType]] = bindings("map")

    def __init__(
        self,
        attachment: Attachment,
        node: str = "",
        plotter: Plotter | None = None,
        *,
        redraw_s: float = 0.05,
        program: str = "runbook",
    ) -> None:
        super().__init__(attachment, redraw_s=redraw_s, program=program)
        self._node, self._plotter = node, plotter

    def compose(self) -> ComposeResult:
        yield Prose(id="too-small")
        yield Prose(id="header")
        yield MapPane(self._plotter, id="map")
        yield FindBar(id="find")
        yield KeyLine("map")

    def on_mount(self) -> None:
        self.query_one(MapView).focus()

    def draw(self) -> None:
        """Bring map and header up to the newest view."""
        a, top = self.attachment, self.query_one("#header", Prose)
        seat = Seat(a.is_read_only, a.driver, a.speed, a.now_ms())
        top.show(header(self.view, seat, max(20, top.content_region.width or self.size.width)))
        self.query_one(MapPane).show(self.view, self._node or None)

    def action_act(self, id_: str) -> None:
        """Do what a key of the list stands for."""
        match id_:
            case "back":
                self.dismiss(None)
            case "find":
                self.query_one("#keys").display = False
                bar = self.query_one(FindBar)
                bar.open()
                bar.tell("Esc: back to the map; Enter: next; a name, a kind, an address")
            case _:
                self.query_one(MapView).action_act(id_)

    @on(MapView.Chosen)
    def _chosen(self, event: MapView.Chosen) -> None:
        self.dismiss(Wanted("", event.node))

    @on(FindBar.Asked)
    def _asked(self, event: FindBar.Asked) -> None:
        canvas, bar = self.query_one(MapView), self.query_one(FindBar)
        if not event.text.strip():
            return
        found = canvas.find(event.text)
        if not found:
            bar.tell("Esc: back to the map; nothing like that is on it")
            return
        at = (found.index(canvas.key) + event.is_next) % len(found) if canvas.key in found else 0
        bar.tell(f"Esc: back to the map; {at + 1} of {len(found)}; Enter: next")
        canvas.select_thing(found[at])

    @on(FindBar.Closed)
    def _found(self) -> None:
        self.query_one("#keys").display = True
        self.query_one(MapView).focus()

    def help_rows(self, keymap: Mapping[str, str]) -> list[Line]:
        """The text of the help screen."""
        from runbook.tui.screens.help import key_rows, sign_rows

        said = (
            "The signs are those of the nodes that answer for what is drawn. A line of the drawing is something that "
            "is there; what is only meant to be there stands in words: NOT LINKED yet, not known yet."
        )
        moves = line((f" {'↑↓←→':<10} ", "key"), " Move from thing to thing; a click selects, a double click goes.")
        return [heading("The map"), line(said), BLANK, *key_rows("map", keymap), moves, BLANK, *sign_rows()]
