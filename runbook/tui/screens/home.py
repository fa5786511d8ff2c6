"""The home screen: runs to go on with, books to rehearse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from runbook.core.error import RunbookError
from runbook.tui.present.text import BLANK, Line, Span, labelled, line, lines, one_line
from runbook.tui.present.words import to_minute
from runbook.tui.widgets.bars import Page
from runbook.tui.widgets.prose import Prose, content

if TYPE_CHECKING:
    from runbook.engine.host import Attachment
    from runbook.tui.making import Making


class BookLine(Protocol):
    """What the home screen shows of a book."""

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> Any: ...
    @property
    def title(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def duration(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Home:
    """What the home screen is given. All four may be slow; they are called from a worker thread.

    Attributes:
        list_runs: the run objects of ``runs --json``, newest first.
        open_run: by run id.
        start_rehearsal: by book id.
        making: what the form of a new run works with; None where there is none.
    """

    list_runs: Callable[[], Sequence[Mapping[str, Any]]]
    list_books: Callable[[], Sequence[BookLine]]
    open_run: Callable[[str], Attachment]
    start_rehearsal: Callable[[str], Attachment]
    making: Making | None = None


class HomeScreen(Screen[None]):
    """A list of runs and books; Enter opens."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "app.leave", "Quit", tooltip="Leave.", id="home.quit"),
        Binding("n", "new_run", "New run", tooltip="Fill in the highlighted book's inputs.", id="home.new"),
        Binding("f5,r", "refresh_list", "Refresh", tooltip="Read the lists again.", id="home.refresh"),
    ]

    class Listed(Message):
        """Runs and books were read, or could not be."""

        def __init__(self, runs: Sequence[Mapping[str, Any]], books: Sequence[BookLine], problem: str = "") -> None:
            super().__init__()
            self.runs, self.books, self.problem = runs, books, problem

    class Chosen(Message):
        """Something is to be opened."""

        def __init__(self, open_attachment: Callable[[], Attachment]) -> None:
            super().__init__()
            self.open_attachment = open_attachment

    def __init__(self, home: Home) -> None:
        super().__init__()
        self._home = home
        self._about: dict[str, list[Line]] = {}

    def compose(self) -> ComposeResult:
        yield Prose(id="too-small")
        yield Prose(id="home-title")
        with Horizontal(id="body"):
            yield OptionList(id="choices", markup=False)
            with Page(id="page"):
                yield Prose(id="page-text")
        yield Prose(id="keys")

    def on_mount(self) -> None:
        self.query_one("#too-small", Prose).show([line("This terminal is too small. The runbook needs 60×15 cells.")])
        self.query_one("#home-title", Prose).show([line(("runbook", "heading"), "  reading…")])
        keys: list[Span | str] = [
            ("↑↓", "key"),
            " Choose  ",
            ("Enter", "key"),
            " Open  ",
            ("n", "key"),
            " New run  ",
            ("r", "key"),
            " Refresh  ",
            ("q", "key"),
            " Quit",
        ]
        self.query_one("#keys", Prose).show([line(*keys)])
        self.query_one("#choices").focus()
        self.action_refresh_list()

    def on_screen_resume(self) -> None:
        if self._about:
            self.action_refresh_list()

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way that will still change the screen; for tests that wait."""
        return any(not w.is_finished for w in self.workers)

    def action_refresh_list(self) -> None:
        """Read the lists again."""
        self.run_worker(self._read, thread=True, exclusive=True, group="home", name="home")

    def action_new_run(self) -> None:
        """Open the form of the highlighted book, or of the only one."""
        from runbook.tui.screens.new_run import NewRunScreen

        books = [id_.partition(":")[2] for id_ in self._about if id_.startswith("book:")]
        option = self.query_one("#choices", OptionList).highlighted_option
        kind, _, id_ = ((option.id if option else "") or "").partition(":")
        book = id_ if kind == "book" else books[0] if len(books) == 1 else ""
        if self._home.making is not None and book:
            self.app.push_screen(NewRunScreen(self._home.making, book))
        elif books:
            self.notify("Highlight the book first; then n fills in its inputs.", severity="warning", markup=False)

    def _read(self) -> None:
        try:
            self.post_message(self.Listed(self._home.list_runs(), self._home.list_books()))
        except RunbookError as error:
            self.post_message(self.Listed((), (), str(error)))

    @on(Listed)
    def _listed(self, message: Listed) -> None:
        rows: list[Line] = [line(("runbook", "heading"), "  go on with a run, or rehearse a book")]
        if message.problem:
            rows += lines(message.problem, "bad")
        self.query_one("#home-title", Prose).show(rows)
        self._about = {}
        options: list[Option | None] = []
        for run in message.runs:
            options.append(self._option(f"run:{run['id']}", run_line(run), run_about(run)))
        if message.runs and message.books:
            options.append(None)
        for book in message.books:
            options.append(self._option(f"book:{book.id}", book_line(book), book_about(book)))
        choices = self.query_one("#choices", OptionList)
        at = choices.highlighted or 0
        choices.clear_options()
        choices.add_options(options)
        if self._about:
            choices.highlighted = min(at, len(self._about) - 1)
        else:
            self.query_one("#page-text", Prose).show(lines("There is no run and no book here."))

    def _option(self, id_: str, shown: Line, about: list[Line]) -> Option:
        self._about[id_] = about
        return Option(content([shown]), id=id_)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self.query_one("#page-text", Prose).show(self._about.get(event.option.id or "", []))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        kind, _, id_ = (event.option.id or "").partition(":")
        opener = self._home.open_run if kind == "run" else self._home.start_rehearsal
        self.post_message(self.Chosen(partial(opener, id_)))


def run_line(run: Mapping[str, Any]) -> Line:
    state = _words(run.get("state", "")).replace("needs operator", "needs you")
    return line(one_line(run["id"]), (f"  {one_line(run.get('mode', ''))}, {state}", "muted"))


def run_about(run: Mapping[str, Any]) -> list[Line]:
    rows = [line((one_line(run["id"]), "heading"))]
    for name in ("book", "book_version", "mode", "edition", "scenario", "state", "created_at", "updated_at", "driver"):
        if run.get(name):
            rows += labelled(
                _words(name), to_minute(str(run[name])) if name[-2:] in ("at", "er") else _words(run[name])
            )
    rows += [BLANK, *lines("Enter opens this run.", "muted")]
    if run.get("driver"):
        rows += lines("It is driven: you will look on.", "muted")
    return rows


_DATED = frozenset({"created_at", "updated_at", "driver"})


def _words(text: Any) -> str:
    return one_line(text).replace("_", " ")


def book_line(book: BookLine) -> Line:
    return line(("Rehearse: ", "muted"), one_line(book.title))


def book_about(book: BookLine) -> list[Line]:
    rows = [line((one_line(book.title), "heading")), line((f"{one_line(book.id)} {book.version}", "muted")), BLANK]
    rows += lines(book.summary.strip())
    if book.duration:
        rows += [BLANK, *labelled("Takes", book.duration)]
    return [
        *rows,
        BLANK,
        *lines(
            "Enter starts a rehearsal on a simulated Azure; nothing real is touched. n asks for inputs and mode.",
            "muted",
        ),
    ]
