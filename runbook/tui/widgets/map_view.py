"""The map as a widget: scrolls, moves from thing to thing, zooms. It decides nothing; it says which node was chosen.

Invariants: what is shown is made from the view that ``show`` was last given; while nothing of it has changed, nothing
is drawn again; what is selected stays selected as long as it is in sight.
"""

from __future__ import annotations

from time import monotonic
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from runbook.core.view import RunView
from runbook.report.topology import Plotter, Topology
from runbook.tui.keys import bindings
from runbook.tui.present.boxes import Spot, beside
from runbook.tui.present.map import Map, draw, told
from runbook.tui.present.map_words import AFAR, NEAR, find, outwards, summary, where
from runbook.tui.present.text import ROLES, Line, line, pack, short
from runbook.tui.present.words import wants_me
from runbook.tui.widgets.prose import Prose

_OWN = frozenset({"map.choose", "map.in", "map.out", "map.next"})
"""Keys that mean the same wherever the map stands."""
_COSTLY_S = 0.03
_SHARE = 5
"""Of the time, a large run's map takes no more than one part in so many."""


class MapView(ScrollView, can_focus=True):
    """The drawing.

    Args:
        plotter: one that knows the run already.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "go('up')", "Up", show=False),
        Binding("down", "go('down')", "Down", show=False),
        Binding("left", "go('left')", "Left", show=False),
        Binding("right", "go('right')", "Right", show=False),
        Binding("home", "end('home')", "First", show=False),
        Binding("end", "end('end')", "Last", show=False),
        *(b for b in bindings("map") if isinstance(b, Binding) and b.id in _OWN),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"map--cursor"}

    class Chosen(Message):
        """A node was chosen."""

        def __init__(self, node: str) -> None:
            super().__init__()
            self.node = node

    class Moved(Message):
        """Something else is selected, or looked at."""

    def __init__(self, plotter: Plotter | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.plotter = plotter or Plotter()
        """It knows what it has read; whoever shows the same run elsewhere is spared reading it again."""
        self.view = RunView()
        self.topology = Topology()
        self.map: Map | None = None
        self.key = ""
        """What is selected."""
        self.focus_key = ""
        """What is looked at; empty for everything."""
        self._detail: int | None = None
        self._drawn: tuple[object, ...] = ()
        self._drawn_from: tuple[object, object] = (None, None)
        self._looked_for = ""
        self._rests_until = 0.0

    # ------------------------------------------------------------ what is shown

    def show(self, view: RunView) -> None:
        """Show this view. Where reading one takes long, a burst of them is skipped; whoever ticks asks again."""
        began = monotonic()
        if view is not self.view and began < self._rests_until:
            return
        self.view = view
        self.topology = self.plotter.of(view)
        cost = monotonic() - began
        if cost > _COSTLY_S:
            self._rests_until = began + cost * _SHARE
        self.redraw()

    def look_at(self, node: str) -> None:
        """Select what a node is about, and see to it that it is in sight. Asked again for the same node: nothing."""
        if node == self._looked_for:
            return
        self._looked_for = node
        key = self.topology.of_node(node)
        if key is not None:
            self.select_thing(key)

    def select_thing(self, key: str) -> None:
        """Select a thing, wherever it is."""
        self.key = key
        if self.map is None or self.map.drawing.spot(key) is None:
            self.focus_key, self._detail = "", None
            self.redraw()
        if self.map is not None and self.map.drawing.spot(key) is None:
            self.focus_key = where(self.topology, key)
            self.redraw()
        self.key = key
        self._reveal()
        self.refresh()
        self.post_message(self.Moved())

    def redraw(self) -> None:
        """Draw what has changed."""
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        nodes = self.view.nodes if self.focus_key else None
        wanted = (width, self.size.height, self.focus_key, self._detail)
        if self._drawn_from[0] is self.topology and self._drawn_from[1] is nodes and self._drawn == wanted:
            return
        self._drawn, self._drawn_from = wanted, (self.topology, nodes)
        self.map = draw(self.topology, self.view, width, self.focus_key, self._detail, self.size.height)
        drawing = self.map.drawing
        self.virtual_size = Size(drawing.width, len(drawing.lines))
        if drawing.spot(self.key) is None:
            self.key = drawing.spots[0].key if drawing.spots else ""
        self.refresh()
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        self.redraw()
        self._reveal()

    def find(self, asked: str) -> list[str]:
        """Keys of the things that fit."""
        return find(self.topology, asked)

    # ------------------------------------------------------------ drawing

    def render_line(self, y: int) -> Strip:
        scroll_x, scroll_y = self.scroll_offset
        at = y + scroll_y
        width = self.scrollable_content_region.width
        base = self.rich_style
        if self.map is None or at >= len(self.map.drawing.lines):
            return Strip.blank(width, base)
        styles = {role: self.screen.get_component_rich_style(f"role--{role}", partial=True) for role in ROLES}
        segments = [Segment(text, base + styles[role] if role else base) for text, role in self.map.drawing.lines[at]]
        strip = Strip(segments, self.map.drawing.width)
        spot = self.map.drawing.spot(self.key)
        if spot is not None and spot.y <= at < spot.y + spot.height:
            strip = self._marked(strip, spot)
        return strip.crop(scroll_x, scroll_x + width).adjust_cell_length(width, base)

    def _marked(self, strip: Strip, spot: Spot) -> Strip:
        """The part that is selected: on another ground, and between heavy lines for who sees no grounds."""
        cursor: Style = self.get_component_rich_style("map--cursor")
        start, end = spot.x, spot.x + spot.width
        inner = strip.crop(start, end)
        text = "".join(s.text for s in inner)
        if text[:1] in "│├┤╭" and text:
            text = {"│": "┃", "┤": "┫", "╭": "┏", "├": "┣"}[text[0]] + text[1:]
        if text[-1:] in "│├┤╮" and text:
            text = text[:-1] + {"│": "┃", "├": "┣", "╮": "┓", "┤": "┫"}[text[-1]]
        return Strip.join([strip.crop(0, start), Strip([Segment(text, cursor)], inner.cell_length), strip.crop(end)])

    def _reveal(self) -> None:
        spot = self.map.drawing.spot(self.key) if self.map is not None else None
        if spot is not None:
            self.scroll_to_region(Region(spot.x, max(0, spot.y - 1), spot.width, spot.height + 2), animate=False)

    # ------------------------------------------------------------ moving

    @property
    def _spot(self) -> Spot | None:
        return self.map.drawing.spot(self.key) if self.map is not None else None

    def _select(self, spot: Spot | None) -> None:
        if spot is None or spot.key == self.key:
            return
        self.key = spot.key
        self._reveal()
        self.refresh()
        self.post_message(self.Moved())

    def action_go(self, direction: str) -> None:
        """Move to the thing beside the selected one; at the edge the key is the screen's."""
        spot = self._spot
        if spot is None or self.map is None:
            raise SkipAction
        to = beside(self.map.drawing.spots, spot, direction)
        if to is not None:
            self._select(to)
        elif direction in ("left", "right"):
            raise SkipAction
        else:  # what has no key of its own can still be seen
            self.scroll_relative(y=-3 if direction == "up" else 3, animate=False)

    def action_end(self, which: str) -> None:
        """Move to the first or the last thing."""
        if self.map is not None and self.map.drawing.spots:
            self._select(self.map.drawing.spots[0 if which == "home" else -1])

    def on_click(self, event: events.Click) -> None:
        self.focus()
        x, y = event.x + self.scroll_offset.x, event.y + self.scroll_offset.y
        spots = self.map.drawing.spots if self.map is not None else ()
        hit = next((s for s in spots if s.x <= x < s.x + s.width and s.y <= y < s.y + s.height), None)
        if hit is not None and hit.key == self.key and event.chain > 1:
            self.action_act("choose")
        self._select(hit)

    # ------------------------------------------------------------ zooming

    def action_act(self, id_: str) -> None:
        """Do what a key of the list stands for."""
        match id_:
            case "choose":
                self._choose()
            case "in":
                self._closer()
            case "out":
                self._farther()
            case "next":
                self._next()
            case _:
                raise SkipAction

    def _choose(self) -> None:
        node = self.map.nodes.get(self.key, "") if self.map is not None else ""
        if node in self.view.nodes:
            self.post_message(self.Chosen(node))
        else:
            self._closer()

    def _closer(self) -> None:
        if self.map is None:
            return
        if self.key in self.map.opens and self.key != self.focus_key:
            self.look_closely(self.key)
        elif self.map.detail < NEAR:
            self._detail = self.map.detail + 1
            self.redraw()
            self._reveal()

    def _farther(self) -> None:
        if self.focus_key:
            left = self.focus_key
            self.look_closely(outwards(self.topology, self.focus_key))
            if self.map is not None and (spot := self.map.drawing.spot(left)) is not None:
                self._select(spot)
        elif self.map is not None and self.map.detail > AFAR:
            self._detail = self.map.detail - 1
            self.redraw()
            self._reveal()

    def look_closely(self, key: str) -> None:
        """Look at a thing, a group, or everything."""
        self.focus_key, self._detail = key, None
        self.redraw()
        self.scroll_home(animate=False)
        self._reveal()

    def _next(self) -> None:
        """The next thing whose node wants the operator, round and round."""
        keys = [t.key for t in self.topology.things.values() if t.node in self.view.nodes]
        keys = [k for k in keys if wants_me(self.view.nodes[self.topology.things[k].node])]
        if keys:
            self.select_thing(keys[(keys.index(self.key) + 1) % len(keys)] if self.key in keys else keys[0])


class MapPane(Vertical):
    """The drawing between where it was zoomed to and what is selected."""

    def __init__(self, plotter: Plotter | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plotter = plotter

    def compose(self) -> ComposeResult:
        yield Prose(id="map-trail")
        yield MapView(self._plotter, id="map-view")
        yield Prose(id="map-told")

    @property
    def canvas(self) -> MapView:
        return self.query_one(MapView)

    def show(self, view: RunView, node: str | None = None) -> None:
        """Show this view; a node that was not asked for before is looked for."""
        self.canvas.show(view)
        if node is not None:
            self.canvas.look_at(node)

    def take_turn(self, other: Widget, is_mine: bool, view: RunView, node: str | None) -> None:
        """Stand where another widget stands, or leave the place to it."""
        other.display, self.display = not is_mine, is_mine
        if is_mine:
            self.show(view, node)

    def on_map_view_moved(self) -> None:
        canvas = self.canvas
        if canvas.map is None:
            return
        steps = canvas.map.trail
        names: list[tuple[str, str]] = []
        for at, (name, _) in enumerate(steps):
            names += [(" › ", "muted")] * bool(at) + [(name, "heading" if at == len(steps) - 1 else "muted")]
        width = max(20, canvas.size.width)
        room = width - sum(cell_len(text) for text, _ in names) - 3
        if len(steps) == 1:
            there, missing = summary(canvas.topology)
            rows = pack((*there, *missing), max(1, room))
            if len(rows) > 1:  # what is missing comes first where there is no room for both
                rows = pack((*missing, *there), max(1, room))
            names += [("   ", ""), *rows[0]] if rows else []
        self.query_one("#map-trail", Prose).show([_cut(tuple(names), width)])
        lines = told(canvas.topology, canvas.map, canvas.view, canvas.key) if canvas.key else []
        if self.screen.has_class("-short"):  # two lines
            lines = [lines[0], lines[-1]] if lines else []
        self.query_one("#map-told", Prose).show([_cut(row, width) for row in lines])


def _cut(row: Line, width: int) -> Line:
    """A line that does not wrap."""
    left, spans = width, []
    for text, role in row:
        shown = short(text, left)
        spans.append((shown, role))
        left -= cell_len(shown)
        if left <= 0:
            break
    return line(*spans)
