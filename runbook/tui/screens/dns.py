"""The names of a run: what each must be, what each place answers, and why it differs. Nothing is written.

Invariant: what is shown was read by a worker since the screen was opened; a newer entry of the journal does not read
again by itself, ``r`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, cast

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import DataTable

from runbook.core.error import RunbookError
from runbook.core.view import RunView
from runbook.dns.model import Table
from runbook.tui.keys import bindings
from runbook.tui.live import LiveScreen, Wanted
from runbook.tui.present import dns as shown
from runbook.tui.present.text import BLANK, Line, clean, line, time_of_day
from runbook.tui.screens.help import key_rows
from runbook.tui.widgets.bars import KeyLine, Page
from runbook.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from runbook.engine.host import Attachment
    from runbook.tui.app import RunbookApp
    from runbook.tui.screens.run import RunScreen

ReadNames = Callable[[RunView], Table]
"""Reads the truth table of a run; called in a worker thread, may raise ``RunbookError``."""


class NamesRead(Message):
    """The names were looked up, or could not be."""

    def __init__(self, table: Table | None, problem: str = "") -> None:
        super().__init__()
        self.table, self.problem = table, problem


class DnsScreen(LiveScreen[Wanted | None]):
    """The truth table, a cell selectable; its cause and what puts it right stand below.

    Args:
        read: makes the table.
    """

    screen_name = "dns"
    BINDINGS: ClassVar[list[BindingType]] = bindings("dns")

    def __init__(
        self, attachment: Attachment, read: ReadNames, *, redraw_s: float = 0.05, program: str = "runbook"
    ) -> None:
        super().__init__(attachment, redraw_s=redraw_s, program=program)
        self._read = read
        self.reading = shown.Reading(is_under_way=True)
        self._filled: tuple[Table | None, bool] | None = None

    def compose(self) -> ComposeResult:
        yield Prose(id="too-small")
        yield Prose(id="header")
        yield DataTable[Text](id="names", cursor_type="cell", zebra_stripes=False)
        with Page(id="dns-page"):
            yield Prose(id="dns-text")
        yield KeyLine("dns")

    def on_mount(self) -> None:
        self.query_one("#names", DataTable).fixed_columns = 1
        self.query_one("#names").focus()
        self._start()

    # ------------------------------------------------------------ reads

    def _start(self) -> None:
        self.reading = shown.Reading(self.reading.table, is_under_way=True, read_at=self.reading.read_at)
        self.run_worker(self._look, group="names", exclusive=True, thread=True, name="names", exit_on_error=False)

    def _look(self) -> None:
        """In a worker thread."""
        try:
            self.post_message(NamesRead(self._read(self.view)))
        except RunbookError as error:
            self.post_message(NamesRead(None, f"{error.code}: {error.message}\n{error.hint}".strip()))

    @on(NamesRead)
    def _came(self, message: NamesRead) -> None:
        at = time_of_day(self.attachment.now_ms())
        self.reading = shown.Reading(message.table, problem=clean(message.problem), read_at=at)
        self.draw()

    # ------------------------------------------------------------ drawing

    def draw(self) -> None:
        """Bring everything up to what was read; the rows are made anew only where they changed."""
        self.query_one("#header", Prose).show(shown.top(self.reading, self.view.id))
        grid = self.query_one("#names", DataTable)
        is_narrow = not self.has_class("-wide")
        if (self.reading.table, is_narrow) != self._filled:
            self._filled = (self.reading.table, is_narrow)
            self._fill(grid, is_narrow)
        self._draw_detail()
        can = {"help", "back"} if self.reading.is_under_way else {"again", "help", "back"}
        table = self.reading.table
        if table is not None and table.names:
            can |= {"copy"} | ({"wrong"} if table.totals["wrong"] else set())
        self.query_one(KeyLine).offer(can)

    def notify_style_update(self) -> None:
        """Another theme: the cells are filled anew, once the new styles are there."""
        super().notify_style_update()
        if self._filled is not None:
            self._filled = None
            self.call_later(self.draw)

    def _fill(self, grid: DataTable[Text], is_narrow: bool) -> None:
        at = grid.cursor_coordinate
        grid.clear(columns=True)
        table = self.reading.table
        grid.display = table is not None and bool(table.names)
        if table is None or not table.names:
            return
        for head in shown.columns(table, self.size.width):
            grid.add_column(Text(head))
        drawn = {role: self.get_visual_style(f"role--{role}").rich_style for role in ROLES}
        # without their background, so that the cursor's own shows
        styles = {role: Style(color=s.color, bold=s.bold, dim=s.dim) for role, s in drawn.items()}
        for name in table.names:
            cells = shown.row(table, name, is_narrow=is_narrow)
            grid.add_row(*(Text(text, style=styles.get(role, "")) for text, role in cells), key=name.fqdn)
        first = shown.next_wrong(table, 0, 1) or (0, 2)
        place = at if at.row < len(table.names) and at != (0, 0) else first
        grid.move_cursor(row=place[0], column=place[1], animate=False)

    def _draw_detail(self) -> None:
        at = self.query_one("#names", DataTable).cursor_coordinate
        self.query_one("#dns-text", Prose).show(shown.detail(self.reading, at.row, at.column))

    @on(DataTable.CellHighlighted)
    def _moved_to(self) -> None:
        self.query_one("#dns-page", Page).scroll_home(animate=False)
        self._draw_detail()

    # ------------------------------------------------------------ keys

    def help_rows(self, keymap: Mapping[str, str]) -> list[Line]:
        """The text of the help screen."""
        moves = line("  ", ("↑↓←→", "key"), "  Go from answer to answer; Tab goes to the text below and back.")
        return [*key_rows("dns", keymap), moves, BLANK, *shown.signs()]

    def action_act(self, id_: str) -> None:
        """Do what a key of the list stands for."""
        match id_:
            case "back":
                self.dismiss(None)
            case "again" if not self.reading.is_under_way:
                self._start()
                self.draw()
            case "wrong":
                self._next_wrong()
            case "copy" if self.reading.table is not None:
                text = shown.copied(self.query_one("#dns-text", Prose).rows)
                cast("RunbookApp", self.app).copy(text, "What stands below the table")
            case _:
                pass

    def _next_wrong(self) -> None:
        grid = self.query_one("#names", DataTable)
        table = self.reading.table
        at = grid.cursor_coordinate
        goal = shown.next_wrong(table, at.row, at.column) if table is not None and table.names else None
        if goal is None:
            self.notify("Nothing that can be proven from here is wrong.", markup=False)
        else:
            grid.move_cursor(row=goal[0], column=goal[1], animate=False)

    def action_scroll(self, direction: int) -> None:
        """Scroll what stands below the table."""
        page = self.query_one("#dns-page", Page)
        page.scroll_relative(y=direction * max(1, page.size.height // 2), animate=False)


ROLES = ("ok", "bad", "muted", "code")
"""Roles that cells have."""


def show_names(screen: RunScreen) -> None:
    """Put the names of its run above the run screen, where there is a way to read them."""
    read = cast("RunbookApp", screen.app).around.names
    if read is not None:
        screen.show_above(DnsScreen(screen.attachment, read, redraw_s=screen.redraw_s, program=screen.program))
