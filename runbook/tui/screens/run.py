"""The run screen: what stands where, which row is selected, when to redraw. Decisions are made in ``decide``.

Invariants: everything shown comes from the attachment's newest committed view; the screen keeps only where the
operator looks (row, page, form of commands). Nothing here waits: slow work is done by workers that post messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Tree

from runbook.core.entry import Entry, Kind
from runbook.core.error import LeaseLost, RunbookError
from runbook.core.event import Event
from runbook.core.state import FINISHED, NodeState, RunState
from runbook.core.view import NodeView, RunView
from runbook.tui import group_entries
from runbook.tui.glance import Glance
from runbook.tui.keys import IN_PLACE, bindings
from runbook.tui.live import LiveScreen, Wanted
from runbook.tui.memory import Memory, Place
from runbook.tui.messages import CommandSettled, EntriesRead, EvidenceHashed, Prompted
from runbook.tui.present import node as pages
from runbook.tui.present.can import available, renamed, unfit
from runbook.tui.present.entries import entry_lines
from runbook.tui.present.find import from_here, matches
from runbook.tui.present.header import Seat, header
from runbook.tui.present.matter import matter
from runbook.tui.present.next import Desk, next_step
from runbook.tui.present.rows import Key, Outline, Row
from runbook.tui.present.standing import first_at_work, next_for_me
from runbook.tui.present.text import Line, clean
from runbook.tui.present.words import wants_me
from runbook.tui.screens.decide import Operator
from runbook.tui.screens.help import help_rows
from runbook.tui.screens.keeper import Keeper
from runbook.tui.screens.map import MapScreen
from runbook.tui.widgets.bars import FindBar, KeyLine, NextBar, Page, PageNames
from runbook.tui.widgets.map_view import MapPane, MapView
from runbook.tui.widgets.node_tree import NodeTree
from runbook.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from runbook.engine.host import Attachment
    from runbook.tui.app import RunbookApp

_PROMPT_S = 900.0
"""How long what a sign-in wants stays on the screen; a device code lives as long."""


PAGES = ("Guide", "Plan", "Commands", "Checks", "Entries", "Map")
_COMMANDS, _ENTRIES, _MAP = PAGES.index("Commands"), PAGES.index("Entries"), PAGES.index("Map")


class RunScreen(LiveScreen[None]):
    """Drives or watches one run.

    Args:
        redraw_s: the shortest time between two redraws caused by the engine, in seconds.
        settle_s: for so long after the selection moved by itself, keys for a row are refused: the operator's finger may
            have meant the row before.
        program: how the operator calls this program.
        memory: where the operator's place is kept, and how long things take.
        place: where the operator looked last.
    """

    screen_name = "run"
    BINDINGS: ClassVar[list[BindingType]] = bindings("run")

    def __init__(
        self,
        attachment: Attachment,
        *,
        redraw_s: float = 0.05,
        settle_s: float = 1.0,
        program: str = "runbook",
        memory: Memory | None = None,
        place: Place | None = None,
    ) -> None:
        super().__init__(attachment, redraw_s=redraw_s, program=program)
        self.keeper = Keeper(self, memory or Memory(), place)
        self.key: Key | None = None
        """The selected row."""
        self.follows = True
        """Whether the selection goes by itself to the node that wants the operator."""
        self.face: pages.Face = "az"
        """The form in which commands are shown."""
        self.is_whole = False
        """Whether the Plan page shows resource ids in full."""
        self.sent: set[str] = set()
        """Nodes for which a command is on its way."""
        self.is_settling = False
        """Whether the selection has just moved by itself."""
        self.operator = Operator(self)
        self._lost: LeaseLost | None = None
        self._has_prompt = False
        self._page = 0
        self._outline = Outline()
        self._entries: tuple[str | None, Sequence[Entry]] = (None, ())
        self._entries_of: tuple[str | None, int] | None = None
        self._drawn: RunView | None = None
        self._settle_s = settle_s

    # ------------------------------------------------------------ layout and life

    def compose(self) -> ComposeResult:
        yield Prose(id="too-small")
        yield Prose(id="header")
        with Horizontal(id="body"):
            yield NodeTree(id="tree")
            with Vertical(id="detail"):
                yield Prose(id="head")
                yield PageNames(id="page-names")
                with Page(id="page"):
                    yield Prose(id="page-text")
                yield MapPane(id="map")
        yield NextBar(id="next")
        yield FindBar(id="find")
        yield KeyLine("run")

    def on_mount(self) -> None:
        self.query_one(NodeTree).focus()
        self.keeper.start()

    def on_unmount(self) -> None:
        self.keeper.flush()

    @property
    def is_opening(self) -> bool:
        """Whether this shows how the run was left, while it is being opened."""
        return isinstance(self.attachment, Glance)

    def adopt(self, attachment: Attachment) -> None:
        """The run is open: go on with the real thing."""
        self._entries_of = self._lost = None
        self.operator.is_taking_over = False
        super().adopt(attachment)

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way that will still change the screen; for tests that wait."""
        return super().is_busy or bool(self.sent)

    # ------------------------------------------------------------ news from the engine

    def hear(self, event: Event) -> None:
        """Take an event, in the engine's thread."""
        if event.entry.kind is Kind.NOTED and event.entry.data.get("prompt"):
            self.post_message(Prompted(str(event.entry.data.get("text", ""))))
        super().hear(event)

    @on(Prompted)
    def _prompted(self, message: Prompted) -> None:
        self._has_prompt = True
        self.notify(clean(message.text), title="sign in", severity="warning", timeout=_PROMPT_S, markup=False)

    def forget_remarks(self) -> None:
        """Take what was said in the corner away: it would cover what comes now. What a sign-in wants stays."""
        if not self._has_prompt:
            self.app.clear_notifications()

    @on(EntriesRead)
    def _read(self, message: EntriesRead) -> None:
        self._entries = (message.node, message.entries)
        if message.problem:
            self.notify(clean(message.problem), title="journal", severity="error", markup=False)
        self.draw_text()

    @on(CommandSettled)
    def _settled(self, message: CommandSettled) -> None:
        if isinstance(message.error, LeaseLost):
            self._lost = message.error
        self.operator.settled(message)
        self.pump.nudge()  # two hundred answers are one redraw

    @on(EvidenceHashed)
    def _hashed(self, message: EvidenceHashed) -> None:
        self.operator.hashed(message)

    # ------------------------------------------------------------ drawing

    @property
    def node(self) -> NodeView | None:
        """The selected node; None when a phase or a step is selected."""
        return self.view.nodes.get(self.key[1]) if self.key and self.key[0] == "node" else None

    @property
    def step(self) -> str:
        """The selected step; empty when a phase or a node is selected."""
        return self.key[1] if self.key and self.key[0] == "step" else ""

    @property
    def phase(self) -> str | None:
        """The phase that the selected row lies in."""
        if self.key is None:
            return None
        kind, id_ = self.key
        if kind == "phase":
            return id_
        step = self.view.nodes[id_].doc["step"] if kind == "node" and id_ in self.view.nodes else id_
        return next((s.get("phase", "") for s in self.view.book.get("steps", ()) if s["id"] == step), None)

    def draw(self) -> None:
        """Bring tree and text up to the newest view."""
        is_first = self._drawn is None
        if self.view is not self._drawn:
            self._drawn = self.view
            cast("RunbookApp", self.app).attend(self.view)
            self.query_one(NodeTree).show(self._outline.of(self.view))
            self.keeper.restore()
        if self.follows:
            self._follow(is_first)
        self._choose_first()
        self.draw_text()

    def tick(self) -> None:
        self.draw_text()

    def draw_text(self) -> None:
        """Bring everything but the tree up to the newest view and time. Widgets redraw only what changed."""
        view, node, now_ms = self.view, self.node, self.attachment.now_ms()
        a = self.attachment
        top = self.query_one("#header", Prose)
        top.show(header(view, self.seat(), max(20, top.content_region.width or self.size.width)))
        self._want_entries()
        self.query_one("#head", Prose).show(self._head(now_ms))
        self.query_one(PageNames).show_names(self._page_names(), self._page)
        self.query_one("#page-text", Prose).show(self._page_rows(now_ms))
        at = self.node.id if self.node else None
        self.query_one(MapPane).take_turn(self.query_one("#page", Page), self._page == _MAP, self.view, at)
        node_id = node.id if node else None
        watched = a.driver if a.is_read_only else None
        has_sent = node_id in self.sent if node else bool(self.sent)
        desk = Desk(now_ms, watched, has_sent, self.ended_by, self.program, self.is_opening, self.step, self._real_s)
        may_drive = not self.operator.why_not_drive()
        desk = replace(desk, expected=self.keeper.expected, may_drive=may_drive)
        self.query_one(NextBar).show(next_step(view, node_id, desk))
        is_closed = a.is_read_only or self.ended_by is not None
        can = available(view, node_id, self.phase, is_closed, self.step) | ({"take_over"} if may_drive else set())
        self.query_one(KeyLine).offer(IN_PLACE | can, renamed(view, node), unfit(view, is_closed))
        self.keeper.note()
        self.operator.withdraw()

    @on(MapView.Chosen)
    def _chosen_on_map(self, event: MapView.Chosen) -> None:
        self._came_back(Wanted("", event.node))

    @property
    def _real_s(self) -> Callable[[int], float | None] | None:
        """How long simulated time takes here; None where time is real."""
        return self.attachment.real_s if self.view.mode == "rehearsal" else None

    def seat(self) -> Seat:
        """From where this screen watches."""
        a = self.attachment
        return Seat(
            a.is_read_only, a.driver, a.speed, a.now_ms(), self.follows, self.is_opening, self.ended_by is not None
        )

    def help_rows(self, keymap: Mapping[str, str]) -> list[Line]:
        """The text of the help screen."""
        return help_rows(self.view, self.seat(), keymap)

    @property
    def ended_by(self) -> RunbookError | None:
        """What ended the driving from here, if anything did."""
        return self.attachment.failure or self._lost

    def _head(self, now_ms: int) -> list[Line]:
        if self.node is not None:
            return pages.node_head(self.node, now_ms, self.query_one("#head").content_region.width or 80)
        return pages.group_head(self.view, *self.key) if self.key else []

    def _page_names(self) -> list[str]:
        node = self.node
        if node is None or self.is_narrow:
            return list(PAGES)
        ok = sum(c["ok"] and not c.get("later") for c in node.checks)
        tally = {"Plan": str(len(node.changes) or ""), "Checks": f"{ok}/{len(node.checks)}" if node.checks else ""}
        return [f"{name} {tally.get(name, '')}".rstrip() for name in PAGES]

    @property
    def is_narrow(self) -> bool:
        """Whether the screen is too narrow for anything but the essential."""
        return self.has_class("-narrow") or self.has_class("-too-narrow")

    def _page_rows(self, now_ms: int) -> list[Line]:
        node = self.node
        if self._page == _ENTRIES:
            of, entries = self._entries
            return entry_lines(entries, is_group=node is None) if of == group_entries.about(self.key) else []
        if node is None:
            return pages.group_page(self.view, *self.key) if self.key else []
        match PAGES[self._page]:
            case "Guide":
                return pages.guide(self.view, node, now_ms, self._real_s, self.keeper.expected)
            case "Plan":
                return pages.plan(node, is_whole=self.is_whole, view=self.view)
            case "Commands":
                return pages.commands(node, self.changes(), self.face)
            case _:
                return pages.checks(node)

    def changes(self) -> list[Any]:
        """The changes of the selected node, made ones first."""
        if self.node is None:
            return []
        of, entries = self._entries
        return pages.known_changes(self.node, entries if of == self.node.id else ())

    # ------------------------------------------------------------ where the operator looks

    def select(self, key: Key) -> None:
        """Look at another row."""
        if key != self.key:
            self.key = key
            self.query_one("#page", Page).scroll_home(animate=False)
        self.query_one(NodeTree).go(key)

    def show_above(self, screen: Screen[Wanted | None]) -> None:
        """Put a screen about this run above, and do what it wants in the end."""
        self.app.push_screen(screen, self._came_back)

    def _came_back(self, wanted: Wanted | None) -> None:
        if wanted is None:
            return
        if wanted.node in self.view.nodes:
            self.follows = self.is_settling = False
            self.select(("node", wanted.node))
            self.draw_text()
        if wanted.act:
            self.action_act(wanted.act)

    def turn(self, page: int) -> None:
        """Look at another page; pages count from 0, round and round."""
        self._page = page % len(PAGES)
        self.query_one("#page", Page).scroll_home(animate=False)
        self.draw_text()

    def turn_to(self, page: str) -> None:
        """Look at a page by its name, where there is one of that name."""
        self._page = PAGES.index(page) if page in PAGES else self._page

    @property
    def page(self) -> str:
        """The name of the page that is shown."""
        return PAGES[self._page]

    @on(Tree.NodeHighlighted)
    def _highlighted(self, event: Tree.NodeHighlighted[Row]) -> None:
        row = event.node.data
        if row is None or row.key == self.key or not row.key[1]:
            return
        self.follows = False
        self.is_settling = False
        self.select(row.key)
        self.draw_text()

    @on(PageNames.Chosen)
    def _page_chosen(self, event: PageNames.Chosen) -> None:
        self.turn(event.number)

    def _follow(self, is_first: bool) -> None:
        """Go where the operator is needed; else, once the selected node is finished, where something moves."""
        if self.app.screen is not self and not is_first:
            return
        node = self.node
        if node is not None and (wants_me(node) or node.id in self.sent):
            return
        if self.step and (self.sent or any(map(wants_me, self.view.of_step(self.step)))):
            return
        goal = next_for_me(self.view, None, near=self.phase)
        if goal is None and (node is None or node.state in FINISHED or not node.started_ms):
            goal = first_at_work(self.view)
        if goal is None and self.view.state is RunState.DONE:
            done = [n.id for n in self.view.nodes.values() if n.state is NodeState.DONE]
            goal = done[-1] if done else None
        if goal is not None and self.key != (place := self._place_of(goal)):
            self.select(place)
            if not is_first and self._settle_s:
                self.is_settling = True
                self.set_timer(self._settle_s, partial(setattr, self, "is_settling", False))

    def _place_of(self, node: str) -> Key:
        """The row to go to for a node: its step's, while that is folded and several of its nodes want the operator."""
        step = self.view.nodes[node].doc["step"]
        is_one_row = self.query_one(NodeTree).is_folded(("step", step))
        return ("step", step) if is_one_row and sum(map(wants_me, self.view.of_step(step))) > 1 else ("node", node)

    def _choose_first(self) -> None:
        """Something is always selected; a row that became something else is followed to what it became."""
        if self.key is not None and self.key[0] == "step" and (nodes := self.view.of_step(self.key[1])):
            if len(nodes) == 1:
                self.select(("node", nodes[0].id))
        if self.key is None and (first := next(iter(self._outline.of(self.view)), None)) is not None:
            self.select(first.children[0].row.key if first.children else first.row.key)

    def _want_entries(self) -> None:
        node = self.node
        if self._page != _ENTRIES and not (self._page == _COMMANDS and node is not None and pages.sent(node)):
            return
        wanted = (group_entries.about(self.key), self.view.head)
        if wanted != self._entries_of:
            self._entries_of = wanted
            self.run_worker(
                partial(self._read_entries, self.key), group="entries", exclusive=True, thread=True, name="entries"
            )

    def _read_entries(self, key: Key | None) -> None:
        self.post_message(group_entries.read(self.attachment, self.view, key))

    # ------------------------------------------------------------ keys

    @on(NodeTree.Entered)
    def _entered(self) -> None:
        if self.node is not None and matter(self.node):
            self.action_act("open")

    def action_act(self, id_: str) -> None:
        """Do what a key of the list stands for."""
        match id_:
            case "page_back":
                self.turn(self._page - 1)
            case "page_on":
                self.turn(self._page + 1)
            case "follow":
                self.follows = not self.follows
                self.draw()
            case "next":
                self._go_next()
            case "face":
                self._next_face()
            case "map":
                node, plotter = self.node.id if self.node else "", self.query_one(MapView).plotter
                self.show_above(MapScreen(self.attachment, node, plotter, program=self.program))
            case "find":
                self.query_one("#keys").display = False
                self.query_one(FindBar).open()
            case _:
                self.operator.act(id_)

    def action_page(self, number: int) -> None:
        """Look at a page by its number, from 1."""
        self.turn(number - 1)

    def action_scroll(self, direction: int) -> None:
        """Scroll the page without leaving the tree."""
        page = self.query_one("#page", Page)
        page.scroll_relative(y=direction * max(1, page.size.height // 2), animate=False)

    def _go_next(self) -> None:
        inside = [n.id for n in self.view.of_step(self.step) if wants_me(n)] if self.step else []
        goal = inside[0] if inside else next_for_me(self.view, self.node.id if self.node else None)
        if goal is None:
            self.notify("No other node needs you now.", timeout=2.0, markup=False)
        else:
            self.is_settling = False
            self.select(("node", goal) if inside else self._place_of(goal))
            self.draw_text()

    @on(FindBar.Asked)
    def _asked(self, event: FindBar.Asked) -> None:
        found = matches(self.view, event.text)
        bar = self.query_one(FindBar)
        if not event.text.strip():
            return
        goal = from_here(self.view, found, self.node.id if self.node else None, is_next=event.is_next)
        if goal is None:
            bar.tell("Esc: back to the list; nothing like that here")
            return
        bar.tell(f"Esc: back to the list; {found.index(goal) + 1} of {len(found)}; Enter: next")
        self.follows = self.is_settling = False
        self.select(("node", goal))
        self.draw_text()

    @on(FindBar.Closed)
    def _found(self) -> None:
        self.query_one("#keys").display = True
        self.query_one(NodeTree).focus()

    def _next_face(self) -> None:
        if self.page == "Plan":
            self.is_whole = not self.is_whole
            self.draw_text()
            return
        known = pages.faces(self.changes()) or ["az"]
        self.face = known[(known.index(self.face) + 1) % len(known)] if self.face in known else known[0]
        self._page = _COMMANDS
        self.draw_text()
