"""A run over time: bars of what each node did when, and the run as it stood at any entry of its journal.

Invariants: what is shown at the cursor is the fold of the journal up to there, never a guess; nothing is decided here.
One worker at a time reads the past and posts what it read; what is wanted meanwhile waits, and only the newest of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.timer import Timer

from runbook.core.error import RunbookError
from runbook.core.view import RunView
from runbook.journal.past import Past
from runbook.tui.glance import Glance
from runbook.tui.keys import bindings
from runbook.tui.live import LiveScreen, Wanted
from runbook.tui.look_back import Done, LookBack, Work
from runbook.tui.present import timeline as present
from runbook.tui.present.axis import Axis, even, shortened
from runbook.tui.present.lanes import Lanes, jump
from runbook.tui.present.rows import Key, Outline, Row
from runbook.tui.present.text import BLANK, Line, Span, heading, line, lines, one_line, pack
from runbook.tui.screens.help import key_rows, sign_rows
from runbook.tui.widgets.bar_rows import BarRows
from runbook.tui.widgets.bars import KeyLine, Page
from runbook.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from runbook.engine.host import Attachment

PACES: Final = (240, 120, 60, 30, 15)
"""In how many seconds the whole run is played."""
_TICK_S: Final = 0.1


class PastRead(Message):
    """A worker has read something of the past, or could not."""

    def __init__(self, done: Done | None, problem: RunbookError | None = None) -> None:
        super().__init__()
        self.done, self.problem = done, problem


class TimelineScreen(LiveScreen[Wanted | None]):
    """Scrubs through one run.

    Args:
        past: where the run's entries are read.
        attachment: to the run, where it is open; the bars then grow as entries come.
    """

    screen_name = "timeline"
    BINDINGS: ClassVar[list[BindingType]] = bindings("timeline")

    def __init__(
        self, past: Past, attachment: Attachment | None = None, *, redraw_s: float = 0.05, program: str = "runbook"
    ) -> None:
        super().__init__(attachment or Glance(RunView()), redraw_s=redraw_s, program=program)
        self.back = LookBack(past, attachment.view if attachment is not None else None)
        self.seq = 0
        """The cursor: the entry after which the run is shown."""
        self._awaits_room = False
        self.is_shortened = True
        """Whether long gaps are shortened on the axis."""
        self.pace = PACES[2]
        self.key: Key | None = None
        """The selected row."""
        self.rows: list[present.TimeRow] = []
        self._is_live = attachment is not None
        self._axis: Axis | None = None
        self._bars: dict[Key, tuple[bytes, str]] = {}
        self._opened: set[Key] | None = None
        self._outline, self._outline_then = Outline(), Outline()
        self._rows_then: tuple[RunView | None, dict[Key, Row]] = (None, {})
        self._width = 0
        self._is_reading = False
        self._problem: RunbookError | None = None
        self._failed_at = 0
        self._player: Timer | None = None
        self._played = 0.0

    # ------------------------------------------------------------ layout

    def compose(self) -> ComposeResult:
        yield Prose(id="too-small")
        yield Prose(id="time-head")
        yield Prose(id="time-axis")
        yield BarRows(id="time-rows")
        yield Prose(id="time-legend")
        with Page(id="time-then"):
            yield Prose(id="time-text")
        yield KeyLine("timeline")

    def on_mount(self) -> None:
        self.query_one(BarRows).focus()
        self.query_one("#time-then").can_focus = False

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way that will still change the screen; for tests that wait."""
        return super().is_busy or self._is_reading

    @property
    def is_playing(self) -> bool:
        """Whether the cursor moves by itself."""
        return self._player is not None

    def help_rows(self, keymap: Mapping[str, str]) -> list[Line]:
        """The help of this screen."""
        moves = line("    ", ("↑↓", "key"), "  Select a row; a click in a bar moves the cursor there.")
        bars = [heading("Bars"), *present.legend_rows()]
        return [*key_rows("timeline", keymap), moves, BLANK, *bars, BLANK, *sign_rows()]

    # ------------------------------------------------------------ reading, one piece at a time

    def _read(self) -> None:
        """Begin to read what is wanted most, unless something is being read."""
        if self._is_reading or (self._problem is not None and self.view.head == self._failed_at):
            return  # what could not be read is tried again when something new has been committed
        work = self.back.work(self.view.head, self.seq)
        if work is not None:
            self._is_reading = True
            self.run_worker(partial(self._in_worker, work), thread=True, group="past", name="past")

    def _in_worker(self, work: Work) -> None:
        try:
            self.post_message(PastRead(work()))
        except RunbookError as error:
            self.post_message(PastRead(None, error))

    @on(PastRead)
    def _was_read(self, message: PastRead) -> None:
        self._is_reading = False
        self._problem, self._failed_at = message.problem, self.view.head
        before = self.back.head
        if message.done is not None:
            message.done()
        if self.back.head != before:
            self._axis = None
            if self.seq == before:  # at the end: it follows what comes
                self.seq = self.back.head
            if not self._is_live and self.back.newest is not None:
                self.attachment = Glance(self.back.newest)
                self.view = self.back.newest
            self.back.know(self.view)
        self.draw()

    # ------------------------------------------------------------ drawing

    def tick(self) -> None:
        """Nothing here depends on the time alone; only what is in sight may have another size."""
        if self._width != self._room()[1]:
            self.draw()

    def draw(self) -> None:
        """Bring everything up to the newest view, the cursor and what was read."""
        self._read()
        width = self.size.width or 80
        text = self.query_one("#time-text", Prose)
        self.query_one("#time-head", Prose).show(self._head(width - 2))
        if self._problem is not None:
            told = [line((f"The journal cannot be read: {self._problem.code}", "bad")), *lines(self._problem.message)]
            text.show([*told, *lines(self._problem.hint, "muted")])
            return
        lanes = self.back.lanes
        if lanes is None or not lanes.head:
            text.show([line(("Reading the journal…" if lanes is None else "This run has no entry yet.", "muted"))])
            return
        self._draw_bars(lanes)
        row = next((r for r in self.rows if r.key == self.key), None)
        view, entry = self.back.view_at(self.seq)
        if view is not None or not self.is_playing:  # while playing, the last one read stays until the next is there
            text.show(present.then_lines(lanes, self.seq, view, entry, row, max(30, width - 4)))
        self.query_one("#time-legend", Prose).show([present.legend(width - 2)])
        self.query_one(KeyLine).offer(self._can(), {"play": "Stop" if self.is_playing else "Play"})

    def _room(self) -> tuple[int, int]:
        """Cells for labels and for bars."""
        width = self.query_one(BarRows).scrollable_content_region.width or self.size.width or 80
        label = min(64, max(30, width * 2 // 5))
        return label, max(10, width - label - present.TOOK - 1)

    def _draw_bars(self, lanes: Lanes) -> None:
        if not self.query_one(BarRows).size.height and not self._awaits_room:
            self._awaits_room = True  # nothing has a size before the first layout; on a tiny screen nothing ever has
            self.call_after_refresh(self.draw)
            return
        label, width = self._room()
        branches = self._outline.of(self.view)
        if self._opened is None:
            self._opened = set(present.open_at_first(branches, self.query_one(BarRows).size.height or 12))
        opened = self._opened
        self.rows = present.time_rows(branches, lambda branch: branch.row.key in opened)
        if self._axis is None or self._width != width:
            self._width, self._bars = width, {}
            turns = lanes.turns() if self.is_shortened else []
            self._axis = shortened(lanes.times, turns) if self.is_shortened else even(lanes.times)
        axis = self._axis
        cursor = axis.column(self.seq, width)
        at = next((n for n, row in enumerate(self.rows) if row.key == self.key), None)
        if at is None and self.rows:
            at, self.key = 0, self.rows[0].key
        then = self.back.then[1] if self.back.then else None
        if then is not self._rows_then[0]:
            self._rows_then = (then, present.rows_by_key(self._outline_then.of(then)) if then else {})
        head = [
            (" " * label, ""),
            *present.axis_line(axis, width, cursor),
            (" " * (present.TOOK - 4) + "took", "muted"),
        ]
        self.query_one("#time-axis", Prose).show([tuple(head)])
        rows = self.rows

        def line_of(number: int) -> Line:
            row = rows[number]
            cells, took = self._bar(lanes, axis, row, width)
            return present.row_line(row, self._rows_then[1].get(row.key), cells, cursor, (label, width), took)

        self.query_one(BarRows).show(len(rows), at or 0, line_of)

    def _bar(self, lanes: Lanes, axis: Axis, row: present.TimeRow, width: int) -> tuple[bytes, str]:
        known = self._bars.get(row.key)
        if known is None:
            spans = [span for node in row.nodes for span in lanes.spans(node)]
            known = self._bars[row.key] = (present.paint(spans, axis, width), present.took(lanes, spans))
        return known

    def _head(self, width: int) -> list[Line]:
        view = self.view
        mode = one_line(view.mode)
        badge = [(f" {mode.upper()} ", f"badge-{mode}")] if mode in ("rehearsal", "live") else []
        scale = "long waits shortened (z)" if self.is_shortened else "time as it went by (z)"
        playing = [(f"playing, all in {self.pace} s", "busy")] if self.is_playing else []
        clock = [("simulated time", "muted")] if mode == "rehearsal" else []
        parts: list[Span] = [*badge, (f"Timeline of {one_line(view.id) or 'a run'}", "heading"), *playing]
        return pack([*parts, (scale, "muted"), *clock], max(20, width))[:1]

    def _can(self) -> set[str]:
        lanes = self.back.lanes
        if lanes is None:
            return {"help", "back"}
        can = {"help", "back", "play", "shorten", "first", "last", "go", "entry(1)", "asked(1)", "broke(1)", "speaker"}
        if not lanes.asked:
            can.discard("asked(1)")
        if not lanes.broke:
            can.discard("broke(1)")
        return can

    # ------------------------------------------------------------ the cursor

    def move_to(self, seq: int | None, nothing: str = "") -> None:
        """Put the cursor on an entry; where there is none, say so."""
        if self.back.lanes is None:
            return
        if seq is None:
            self.notify(nothing, markup=False)
            return
        self.seq = min(self.back.lanes.head, max(1, seq))
        self.draw()

    def action_entry(self, step: int) -> None:
        """One entry on, or back."""
        self._stop()
        self.move_to(self.seq + step)

    def action_turn(self, step: int) -> None:
        """To the next entry with which the selected row began something new."""
        self._stop()
        row = next((r for r in self.rows if r.key == self.key), None)
        if self.back.lanes is not None and row is not None:
            where = "after" if step > 0 else "before"
            self.move_to(self.back.lanes.moved(row.nodes, self.seq, step), f"Nothing more changed here {where} this.")

    def action_asked(self, step: int) -> None:
        """To the next entry from which on a person was needed."""
        self._jump(self.back.lanes.asked if self.back.lanes else [], step, "Nobody was needed")

    def action_broke(self, step: int) -> None:
        """To the next failure or rule."""
        self._jump(self.back.lanes.broke if self.back.lanes else [], step, "Nothing failed or was blocked")

    def _jump(self, places: list[int], step: int, nothing: str) -> None:
        self._stop()
        goal = jump(places, self.seq, step)
        other = any(place < self.seq if step > 0 else place > self.seq for place in places)
        back = f" {'F or [' if step > 0 else 'f or ]'} goes the other way." if other else ""
        self.move_to(goal, f"{nothing} {'after' if step > 0 else 'before'} this.{back}")
        if goal is not None:
            self._select_entry(goal)

    def _select_entry(self, seq: int) -> None:
        """Select the row of the node that an entry speaks of, where that is known."""
        node = self.back.lanes.node_at(seq) if self.back.lanes else None
        if node is not None:
            self._reveal(node, is_whole=False)
            self.draw()

    def _reveal(self, node: str, *, is_whole: bool) -> None:
        """Select a node's row; or, unless ``is_whole``, that of its step while that is folded."""
        above = present.paths(self._outline.of(self.view)).get(node)
        if above is not None and self._opened is not None:
            self._opened |= {key for key in above if is_whole or key[0] == "phase"}
            self.key = next((key for key in above if key not in self._opened), ("node", node))

    # ------------------------------------------------------------ keys

    def action_act(self, id_: str) -> None:
        """Do what a key of the list stands for."""
        match id_:
            case "back":
                self._stop()
                self.dismiss(None)
            case "first":
                self._stop()
                self.move_to(1)
            case "last":
                self._stop()
                self.move_to(self.back.lanes.head if self.back.lanes else None, "There is no entry yet.")
            case "shorten":
                self.is_shortened = not self.is_shortened
                self._axis = None
                self.draw()
            case "play":
                self._play()
            case "faster" | "slower":
                at = PACES.index(self.pace) + (1 if id_ == "faster" else -1)
                self.pace = PACES[min(len(PACES) - 1, max(0, at))]
                self.draw()
            case "speaker":
                _, entry = self.back.view_at(self.seq)
                if entry is not None and entry.node is not None:
                    self._reveal(entry.node, is_whole=True)
                    self.draw()
            case "go":
                self._go()
            case _:
                return

    def _go(self) -> None:
        row = next((r for r in self.rows if r.key == self.key), None)
        if row is None or self._opened is None:
            return
        if row.is_open is None:
            self._stop()
            self.dismiss(Wanted("", row.key[1] if row.key[0] == "node" else ""))
            return
        self._opened ^= {row.key}
        self.draw()

    @on(BarRows.Selected)
    def _selected(self, message: BarRows.Selected) -> None:
        if message.row < len(self.rows):
            self.key = self.rows[message.row].key
        label, width = self._room()
        if message.x is not None and self._axis is not None and 0 <= message.x - label < width:
            self._stop()
            self.seq = self._axis.seq_at((message.x - label + 0.999) / width)
        self.draw()

    # ------------------------------------------------------------ playing

    def _play(self) -> None:
        """Let the cursor move by itself. Where nothing is to move by itself, one step instead."""
        lanes = self.back.lanes
        if lanes is None or not lanes.head:
            return
        if self._player is not None:
            self._stop()
            self.draw()
            return
        if self.app.animation_level == "none":
            ways = jump(lanes.turns(), self.seq, 1)
            self.move_to(ways if ways is not None else lanes.head)
            return
        if self.seq >= lanes.head:
            self.seq = 1
        self._played = self._axis.place(self.seq) if self._axis else 0.0
        self._player = self.set_interval(_TICK_S, self.play_on)
        self.draw()

    def play_on(self) -> None:
        """One step of the playing: the next entry at least."""
        lanes, axis = self.back.lanes, self._axis
        if lanes is None or axis is None:
            return
        self._played = max(self._played, axis.place(self.seq)) + _TICK_S / self.pace
        self.seq = min(lanes.head, max(self.seq + 1, axis.seq_at(self._played)))
        if self.seq >= lanes.head:
            self._stop()
        self.draw()

    def _stop(self) -> None:
        if self._player is not None:
            self._player.stop()
            self._player = None
