"""The home screen: runs to go on with, books to rehearse. It chooses; what is chosen is done by others.

Invariants: what is shown was read by a worker and is thrown away at the next reading; the selection stays on its run
whatever moves around it. Nothing here waits for the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList

from runbook.core.error import RunbookError
from runbook.tui.given import Home, Told
from runbook.tui.keys import bindings
from runbook.tui.messages import HomeDone
from runbook.tui.present.books import BookLine, book_about, book_line, welcome
from runbook.tui.present.entries import entry_lines
from runbook.tui.present.home import SORT_WORDS, SORTS, Table, about, fitting, mode_span, needs_me, ordered, table
from runbook.tui.present.text import Line, Span, line, lines, one_line
from runbook.tui.screens.home_acts import Acts, why_not
from runbook.tui.screens.reporting import tell
from runbook.tui.styled import BaseScreen
from runbook.tui.widgets.bars import FindBar, KeyLine, Page
from runbook.tui.widgets.prose import Prose
from runbook.tui.widgets.run_list import RunList

if TYPE_CHECKING:
    from runbook.journal.runs import Listed

REFRESH_S: Final = 4.0
"""How often the list is read again by itself, in seconds."""


class HomeScreen(BaseScreen[None]):
    """A list of runs and books above what is known of the chosen one.

    Args:
        refresh_s: how often the list is read by itself; 0 is never.
    """

    screen_name = "home"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("home"),
        Binding("up", "move('cursor_up')", "Up", show=False),
        Binding("down", "move('cursor_down')", "Down", show=False),
    ]

    class Listing(Message):
        """Runs and books were read, some or all, or could not be."""

        def __init__(
            self, runs: Sequence[Listed], books: Sequence[BookLine], problem: str = "", *, is_whole: bool = True
        ) -> None:
            super().__init__()
            self.runs, self.books, self.problem, self.is_whole = runs, books, problem, is_whole

    class Looked(Message):
        """A row was looked at more closely."""

        def __init__(self, key: tuple[str, int], told: Told) -> None:
            super().__init__()
            self.key, self.told = key, told

    def __init__(self, home: Home, *, refresh_s: float = REFRESH_S, program: str = "runbook") -> None:
        super().__init__()
        self._home = home
        self._acts = Acts(self, home)
        self._refresh_s = refresh_s
        self._program = program
        self._runs: Sequence[Listed] = ()
        self._books: Sequence[BookLine] = ()
        self._problem = ""
        self._is_whole = False
        self._is_reading = self._is_stale = self._is_looking = False
        self._sort = SORTS[0]
        self._asked = ""
        self._has_archived = False
        self._at: str | None = None
        """The chosen row: ``run:<id>``, ``away:<id>`` or ``book:<id>``."""
        self._left = ""
        """The row of the run that was left last, until it is chosen; a new run is not listed at once."""
        self._told: dict[str, tuple[int, Told]] = {}

    # ------------------------------------------------------------ layout and life

    def compose(self) -> ComposeResult:
        yield Prose(id="too-small")
        yield Prose(id="home-title")
        yield Prose(id="home-head")
        yield RunList(id="choices")
        with Page(id="page"):
            yield Prose(id="page-text")
        yield FindBar(id="find")
        yield KeyLine("home")

    def on_mount(self) -> None:
        self.query_one("#too-small", Prose).show([line("This terminal is too small. The runbook needs 60×15 cells.")])
        self.query_one(RunList).focus()
        self.read()
        if self._refresh_s:
            self.set_interval(self._refresh_s, self.read)
        self.draw()

    def on_screen_resume(self) -> None:
        self.read()

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way that will still change the screen; for tests that wait."""
        return self._is_reading

    # ------------------------------------------------------------ reading

    def read(self) -> None:
        """Read the lists again, in a worker; a wish that comes meanwhile is fulfilled after it."""
        if self.app.screen is not self:
            return
        if self._is_reading:
            self._is_stale = True
            return
        self._is_reading = True
        self.run_worker(partial(self._read, self._has_archived), thread=True, group="home", name="home")

    def _read(self, has_archived: bool) -> None:
        runs: list[Listed] = []
        try:
            books = self._home.list_books()
            for run in self._home.list_runs(False):
                runs.append(run)
                if len(runs) in _SOON and not self._is_whole:
                    self.post_message(self.Listing(tuple(runs), books, is_whole=False))
            if has_archived:
                runs += self._home.list_runs(True)
            self.post_message(self.Listing(runs, books))
        except (RunbookError, OSError) as error:
            self.post_message(self.Listing(runs, (), str(error)))

    @on(Listing)
    def _listed(self, message: Listing) -> None:
        self._runs, self._books, self._problem = message.runs, message.books, message.problem
        if message.is_whole:
            self._is_reading, self._is_whole = False, True
        self.draw()
        if message.is_whole and self._is_stale:
            self._is_stale = False
            self.read()

    def _look(self) -> None:
        """Look at the chosen row more closely, unless that was done since it last changed."""
        at, run = self._at, self.run
        if at is None or self._is_looking:  # after it, the row that is chosen by then
            return
        mark = run.touched_ms if run is not None else len(self._runs)
        if self._told.get(at, (None, None))[0] == mark:
            return
        self._told[at] = (mark, self._told[at][1] if at in self._told else Told())
        self._is_looking = True
        look = partial(self._home.told_of_run, run) if run else partial(self._home.told_of_book, at.partition(":")[2])
        self.run_worker(partial(self._looking, (at, mark), look), thread=True, group="look", name="look")

    def _looking(self, key: tuple[str, int], look: Callable[[], Told]) -> None:
        try:
            self.post_message(self.Looked(key, look()))
        except (RunbookError, OSError):  # its row tells what is wrong with it
            self.post_message(self.Looked(key, Told()))

    @on(Looked)
    def _looked(self, message: Looked) -> None:
        at, mark = message.key
        self._told[at] = (mark, message.told)
        self._is_looking = False
        self._draw_page()

    def came_from(self, run: str) -> None:
        """Choose the run that was left, as soon as it is listed; unless the operator moves first."""
        self._left = f"run:{run}"
        self.draw()

    # ------------------------------------------------------------ drawing

    @property
    def run(self) -> Listed | None:
        """The chosen run; None when a book is chosen, or nothing."""
        return next((run for run in self._runs if _id(run) == self._at), None)

    def draw(self) -> None:
        """Bring everything up to what was read last."""
        choices = self.query_one(RunList)
        shown = fitting(self._runs, self._asked)
        groups = ordered(shown, self._sort)
        inner = max(40, (choices.content_region.width or self.size.width) - 3)
        made = table([run for _, of in groups for run in of], inner, self._home.now_ms())
        self.query_one("#home-title", Prose).show(self._title(len(shown)))
        self.query_one("#home-head", Prose).show([made.head] if made.rows else [])
        options = self._options(groups, made)
        if self._left and any(id_ == self._left for id_, _ in options):
            self._at, self._left = self._left, ""
        self._at = choices.show(options, self._at)
        self._draw_page()

    def _title(self, shown: int) -> list[Line]:
        if not self._is_whole and not self._problem:
            told = f"reading… {len(self._runs)} so far" if self._runs else "reading…"
            return [line(("runbook", "heading"), f"  {told}")]
        here = [run for run in self._runs if not run.is_archived]
        spans: list[Span | str] = [("runbook", "heading"), "  "]
        if here:
            wanting = sum(map(needs_me, here))
            live = sum(run.summary is not None and run.summary.mode == "live" for run in here)
            spans += [f"{len(here)} run{'s' if len(here) > 1 else ''}"]
            spans += [", ", (f"{live} {mode_span('live')[0]}", "bad")] if live else []
            spans += [", ", (f"{wanting} need{'' if wanting > 1 else 's'} you", "go")] if wanting else []
            spans += [(f" · {SORT_WORDS[self._sort]}", "muted")] if not self._asked else []
        else:
            spans += ["rehearse a book"]
        if self._asked:
            spans += [(f" · {shown} fit “{one_line(self._asked)}”", "wait")]
        return [line(*spans), *(lines(self._problem, "bad") if self._problem else [])]

    def _options(self, groups: Sequence[tuple[str, Sequence[Listed]]], made: Table) -> list[tuple[str | None, Line]]:
        options: list[tuple[str | None, Line]] = []
        rows = iter(made.rows)
        for name, of in groups:
            options.append((None, line((f"{name} ({len(of)})", "heading"))))
            options += [(_id(run), next(rows)) for run in of]
        words = self._asked.lower().split()
        books = [b for b in self._books if all(w in f"{b.id} {b.title} rehearse".lower() for w in words)]
        if books:
            options.append((None, line(("Books", "heading"))))
            options += [(f"book:{book.id}", book_line(book)) for book in books]
        return options

    def _draw_page(self) -> None:
        run, at = self.run, self._at
        rows: list[Line] = []
        if self._is_whole and not self._runs and not self._problem:
            rows += welcome(self._program, has_maker=self._home.new_run is not None)
        told = self._told.get(at or "", (0, Told()))[1]
        if run is not None:
            rows += about(run, self._home.now_ms(), entry_lines(told.entries) if told.entries else (), told.past)
        elif (book := next((b for b in self._books if f"book:{b.id}" == at), None)) is not None:
            rows += book_about(book, told.past, told.live)
        elif self._asked:
            rows += lines("Nothing fits. Esc shows everything again.", "muted")
        elif self._is_whole and not self._books and not self._problem:
            rows += lines("There is no run and no book here.")
        self.query_one("#page-text", Prose).show(rows)
        is_book = (at or "").startswith("book:")  # before anything was read, nothing is chosen
        renamed = {"archive": "Bring back"} if run and run.is_archived else {"open": "Rehearse"} if is_book else {}
        self.query_one(KeyLine).offer(self._can(), renamed)
        self._look()

    def _can(self) -> set[str]:
        """The keys that mean something at the chosen row."""
        can = {"help", "quit", "refresh", "sort", "find", "archived", "settings", "clear"}
        run = self.run
        if self._at is not None and (run is None or not run.is_archived):
            can.add("open")
        if run is not None:
            can |= {"archive"} if run.driver is None else {"take_over"} if self._acts.may_take_over else set()
            if run.summary is not None:
                can |= {"report"} | (set() if run.is_archived else {"watch", "compare", "timeline"})
        return can | ({"new"} if self._home.new_run is not None else set())

    # ------------------------------------------------------------ where the operator looks

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option.id is not None and event.option.id != self._at:
            self._at, self._left = event.option.id, ""
            self.query_one("#page", Page).scroll_home(animate=False)
            self._draw_page()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._at = event.option.id
        self.action_act("open")

    @on(FindBar.Asked)
    def _typed(self, event: FindBar.Asked) -> None:
        self._asked = event.text.strip()
        self.draw()
        if event.is_next:
            self._leave_find()

    @on(FindBar.Closed)
    def _show_all(self) -> None:
        self._asked = ""
        self._leave_find()
        self.draw()

    def _leave_find(self) -> None:
        self.query_one(FindBar).display = False
        self.query_one(KeyLine).display = True
        self.query_one(RunList).focus()

    # ------------------------------------------------------------ keys

    def action_move(self, how: str) -> None:
        """Move in the list also while something is typed."""
        getattr(self.query_one(RunList), f"action_{how}")()

    def action_scroll(self, direction: int) -> None:
        """Scroll what is told of the chosen row, without leaving the list."""
        page = self.query_one("#page", Page)
        page.scroll_relative(y=direction * max(1, page.size.height // 2), animate=False)

    def action_act(self, id_: str) -> None:
        """Do what a key of the list stands for, or say why not."""
        if id_ not in self._can():
            self.notify(why_not(id_, self.run), severity="warning", markup=False)
            return
        match id_:
            case "refresh":
                self.read()
            case "sort":
                self._sort = SORTS[(SORTS.index(self._sort) + 1) % len(SORTS)]
                self.draw()
            case "find":
                self.query_one(KeyLine).display = False
                bar = self.query_one(FindBar)
                bar.open()
                bar.tell("Every word must fit; Enter: keep, Esc: all")
            case "archived":
                self._has_archived = not self._has_archived
                self._runs = [run for run in self._runs if not run.is_archived]
                self.draw()
                self.read()
            case "clear":
                if self._asked:
                    self._show_all()
            case "quit":
                self.app.call_later(self.app.run_action, "app.leave")
            case _:
                kind, _, name = (self._at or "").partition(":")
                if id_ == "new":
                    self._acts.make(name if kind == "book" else "")
                elif self.run is not None:
                    self._acts.on_run(id_, self.run)
                else:
                    self._acts.on_book(name)

    @on(HomeDone)
    def _done(self, message: HomeDone) -> None:
        tell(self, message)
        self.read()


_SOON: Final = frozenset({20, 100, 200, 400, 800, 1600})
"""After so many runs of the very first reading, those are shown already."""


def _id(run: Listed) -> str:
    return f"{'away' if run.is_archived else 'run'}:{run.id}"
