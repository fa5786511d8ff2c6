"""A new run: the form made of a book's inputs, with lists of what there is, checked while it is typed.

Invariants: the mode is chosen last, on the summary; nothing typed is lost unless the operator says so; lists are read
in workers that post messages, so a slow or dead cloud holds up no key; nothing is written but an inputs file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Button

from runbook.core.error import RunbookError
from runbook.tui.keys import bindings
from runbook.tui.making import Estate, Making, Offer
from runbook.tui.present.fields import field_of, write
from runbook.tui.present.form import Form, help_rows, hint, label_row, nearest_first, remark_row, tally
from runbook.tui.present.how import LIVE, PLACE, Prefill, form_rows, place_field, place_help, place_label
from runbook.tui.present.text import Line, clean, line, lines, one_line, short
from runbook.tui.question import Answers, Question
from runbook.tui.screens import files
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.files import InputFiles
from runbook.tui.screens.pick import Asking, Fixed, Picked, PickScreen, Plain
from runbook.tui.styled import BaseScreen
from runbook.tui.widgets.bars import KeyLine, Page
from runbook.tui.widgets.field_row import FieldRow, Fields
from runbook.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from runbook.book import Book

_FILES: Final = (".yaml", ".yml", ".json")


class NewRunScreen(BaseScreen[str | None]):
    """The form. It opens what it makes by itself, so it ends with None.

    Args:
        making: what makes runs.
        book: a book's name or file; empty asks for one.
        prefill: what to begin with, such as the inputs of a run that exists (``form.prefill_of``); by default the
            book's own scenario.
    """

    screen_name = "new"
    BINDINGS = bindings("new")

    class Loaded(Message):
        """The book was read, or could not be."""

        def __init__(self, book: Book | None, scenarios: Sequence[str] = (), problem: str = "") -> None:
            super().__init__()
            self.book, self.scenarios, self.problem = book, scenarios, problem

    class Shelved(Message):
        """The books to choose from were listed."""

        def __init__(self, books: Sequence[tuple[str, str]]) -> None:
            super().__init__()
            self.books = books

    class PlaceRead(Message):
        """The scenario that lists come from was read, or could not be."""

        def __init__(self, place: str, estate: Estate | None, problem: str = "") -> None:
            super().__init__()
            self.place, self.estate, self.problem = place, estate, problem

    def __init__(self, making: Making, book: str, prefill: Prefill | None = None) -> None:
        super().__init__()
        self._making, self._book, self._prefill = making, book, prefill
        self.form: Form | None = None
        """What was typed so far; None until the book is read."""
        self._scenarios: Sequence[str] = ()
        self.place = ""
        """Where lists come from: a scenario, or ``LIVE``."""
        self._place_typed = ""
        self._place_problem = ""
        self._edition = ""
        self._at = PLACE
        self._is_due = False
        """Whether a redraw is on its way because there is other room."""
        self._labels: dict[str, str] = {}
        self._offers: dict[tuple[str, str, tuple[str, ...]], Offer] = {}
        self._files = InputFiles(self)

    def compose(self) -> ComposeResult:
        yield Prose(id="too-small")
        yield Prose(id="new-title")
        with Horizontal(id="new-body"):
            with Fields(id="new-fields", can_focus=False):
                yield Button("Summary (F5)", id="new-go", compact=True)
            with Page(id="new-help", can_focus=False):
                yield Prose(id="new-help-text")
        yield KeyLine("new")

    def on_mount(self) -> None:
        small = line("This terminal is too small. The runbook needs 60×15 cells.")
        self.query_one("#too-small", Prose).show([small])
        told = f"reading the book {one_line(self._book)}…" if self._book else "choose a book"
        self._say([line(("New run", "heading"), f"  {told}")])
        self.query_one("#new-fields").display = False
        self.work(self._load, "load")

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    @on(FieldRow.Resized)
    def _resized(self) -> None:
        if not self._is_due:  # every row says so; once is enough
            self._is_due = True
            self.call_after_refresh(self.draw)

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way that will still change the screen; for tests that wait."""
        return any(not w.is_finished for w in self.workers)

    def help_rows(self, keymap: Mapping[str, str]) -> list[Line]:
        """The help of this screen."""
        return form_rows("new", keymap)

    def work(self, work: Any, name: str) -> None:
        """Do something in a worker thread; it posts a message when it is done."""
        self.run_worker(work, thread=True, group=f"new-{name}", name=f"new-{name}")

    # ------------------------------------------------------------ the book

    def _load(self) -> None:
        try:
            if not self._book:
                self.post_message(self.Shelved(self._making.list_books()))
                return
            book = self._making.load_book(self._book)
            self.post_message(self.Loaded(book, self._making.list_scenarios(book)))
        except RunbookError as error:
            self.post_message(self.Loaded(None, (), _told(error)))

    @on(Shelved)
    def _shelved(self, message: Shelved) -> None:
        """Ask which book; none ends the form."""

        def picked(found: Picked | None) -> None:
            if found is None or found.values is None:
                self.call_later(self._close)
            else:
                self._book = found.values[0]
                self.work(self._load, "load")

        known = Fixed([Plain(name, name, title) for name, title in message.books])
        self.app.push_screen(PickScreen(Asking("Which book?", "to choose from", None, known)), picked)

    @on(Loaded)
    async def _loaded(self, message: Loaded) -> None:
        if message.book is None:
            self._say([line(("New run", "heading")), *lines(message.problem, "bad"), line(("Esc goes back.", "muted"))])
            return
        self.form = Form(message.book)
        self._scenarios = message.scenarios
        asked = [place_field(self._scenarios), *(field_of(spec) for spec in message.book.inputs.values())]
        fields = self.query_one("#new-fields")
        await fields.mount_all([FieldRow(field) for field in asked], before="#new-go")
        fields.display = True
        if (prefill := self._prefill) is not None:
            self.form = self.form.filled(prefill.inputs, prefill.source)
            self._go_to(prefill.place, prefill.edition)
        else:
            self._go_to(next(iter(self._scenarios), LIVE))
        self._row(PLACE).box.focus()

    def _go_to(self, place: str, edition: str = "") -> None:
        """Take lists from another place."""
        self._place_typed = place
        self._place_problem = ""
        if place == LIVE:
            self._take_place(LIVE, {}, edition)
        else:
            self.work(partial(self._read_place, place, edition), "place")
        self.draw()

    def _read_place(self, place: str, edition: str) -> None:
        try:
            estate = self._making.read_scenario(place)
        except RunbookError as error:
            self.post_message(self.PlaceRead(place, None, _told(error)))
            return
        self.post_message(self.PlaceRead(place, estate))

    @on(PlaceRead)
    def _place_read(self, message: PlaceRead) -> None:
        if message.place != self._place_typed:
            return
        if message.estate is None:
            self._place_problem = message.problem
            self.draw()
        else:
            is_own = self._prefill is not None and self._prefill.place == message.place  # it had its own answers
            self._take_place(message.place, {} if is_own else message.estate.inputs, message.estate.edition)

    def _take_place(self, place: str, inputs: Mapping[str, Any], edition: str) -> None:
        """What the former scenario filled in goes, unless it was touched; what this one answers comes."""
        if self.form is None or place == self.place:
            return
        form = self.form.without(f"scenario {self.place}")
        known = {name: value for name, value in inputs.items() if not form.texts.get(name, "").strip()}
        self.form = form.filled(known, f"scenario {place}")
        self.place, self._edition = place, edition
        self.draw()

    # ------------------------------------------------------------ drawing

    def _row(self, name: str) -> FieldRow:
        return self.query_one(f"#row-{name}", FieldRow)

    def _say(self, rows: Sequence[Line]) -> None:
        self.query_one("#new-title", Prose).show(rows)

    def draw(self) -> None:
        """Bring every field up to date."""
        self._is_due = False
        form = self.form
        if form is None:
            return
        title = short(f"New run: {one_line(form.book.title)}", max(20, self.size.width - 2))
        self._say([line((title, "heading")), tally(form)])
        for row in self.query(FieldRow):
            name = row.asked.name
            if name == PLACE:
                problem = self._place_told()
                remark = [line((f"  {short(one_line(problem), row.room * 2)}", "bad"))] if problem else []
                row.show(self._place_typed, place_label(self.place, bool(problem), row.room), "", remark)
                continue
            head = label_row(row.asked, form.state(name), form.sources.get(name, ""), row.room)
            remark = [remark_row(form, name, self._labels, row.room)]
            row.show(form.texts.get(name, ""), head, hint(form, name, row.asked), remark)
        self._draw_help()

    def _draw_help(self) -> None:
        if (form := self.form) is None:
            return
        if self._at == PLACE:
            rows = place_help(self.place, self._place_told())
        else:
            rows = help_rows(form, self._at, self._row(self._at).asked)
        self.query_one("#new-help-text", Prose).show(rows)
        can = {"save", "load", "go", "help", "quit"}
        if self._row(self._at).asked.has_choices:
            can.add("list")
        self.query_one(KeyLine).offer(can)

    def _place_told(self) -> str:
        if self._place_problem or self._place_typed == self.place or self.is_busy:
            return self._place_problem
        typed = one_line(self._place_typed)
        if typed.endswith(_FILES):
            return "F5 or another field reads this file."
        return (
            f"There is no scenario {typed!r}: F2 lists them; a file ends in .yaml. Lists still come from {self.place}."
        )

    # ------------------------------------------------------------ typing

    @on(FieldRow.Typed)
    def _typed(self, message: FieldRow.Typed) -> None:
        if self.form is None:
            return
        if message.name != PLACE:
            self.form = self.form.typed(message.name, message.text)
        else:
            self._place_typed, self._place_problem = message.text.strip(), ""
            if self._place_typed in (*self._scenarios, LIVE):
                self._go_to(self._place_typed)
        self.draw()

    @on(FieldRow.Reached)
    def _reached(self, message: FieldRow.Reached) -> None:
        if self._at == PLACE != message.name and self._place_typed.endswith(_FILES) and self._place_typed != self.place:
            self._go_to(self._place_typed)
        self._at = message.name
        self.query_one("#new-help", Page).scroll_home(animate=False)
        self._draw_help()

    @on(FieldRow.Entered)
    def _entered(self) -> None:
        self.focus_next()

    def action_field(self, by: int) -> None:
        """The next field, or the one before."""
        self.focus_next() if by > 0 else self.focus_previous()

    # ------------------------------------------------------------ lists

    @on(FieldRow.ListWanted)
    def _list_wanted(self, message: FieldRow.ListWanted) -> None:
        self._open_list(message.name)

    def _open_list(self, name: str) -> None:
        form, asked = self.form, self._row(name).asked
        if form is None or not asked.has_choices:
            return
        if asked.values:
            told = {LIVE: "your own, as you are signed in; only read"} if name == PLACE else {}
            known = Fixed([Plain(v, v, told.get(v, "simulated" if told else "")) for v in asked.values])
            chosen = [self._place_typed if name == PLACE else form.texts.get(name, "").strip()]
            asking = Asking(asked.prompt, "to choose from", None, known, chosen)
        else:
            asking = self._live_list(form, name)
        self.app.push_screen(PickScreen(asking), partial(self._picked, name))

    def _live_list(self, form: Form, name: str) -> Asking:
        asked = self._row(name).asked
        within = () if asked.of == "subscription" else tuple(form.subscriptions)
        choices = self._making.choices(self.place)
        where = "in your Azure" if self.place == LIVE else f"in scenario {one_line(self.place)}"
        given = form.given.get(name, [])
        chosen = [m for m in (given if isinstance(given, list) else [given]) if isinstance(m, str)]
        return Asking(
            asked.prompt,
            where,
            partial(choices.offer, asked.of, within),
            self._offers.get((self.place, asked.of, within)),
            [] if asked.is_map else chosen,
            asked.is_many,
            partial(nearest_first, form=form, name=name),
        )

    def _picked(self, name: str, picked: Picked | None) -> None:
        form = self.form
        if picked is None or form is None:
            return
        asked = self._row(name).asked
        if asked.of and picked.offer is not None:
            within = () if asked.of == "subscription" else tuple(form.subscriptions)
            self._offers[(self.place, asked.of, within)] = picked.offer
            self._labels |= {c.value.lower(): c.label for c in picked.offer.choices if c.label != c.value}
        if picked.values is None:
            self.draw()
        elif name == PLACE:
            self._go_to(picked.values[0])
        elif asked.is_map:
            self._row(name).insert(picked.values[0])
        else:
            spec = form.book.inputs[name]
            value = list(picked.values) if asked.is_many else picked.values[0]
            text = "[]" if value == [] and spec.default not in (None, [], "") else write(spec, value or None)
            self.form = form.typed(name, text)
            self.draw()

    @on(files.Saved)
    def _saved(self, message: files.Saved) -> None:
        self._files.saved(message)

    @on(files.FileRead)
    def _file_read(self, message: files.FileRead) -> None:
        self._files.was_read(message)

    # ------------------------------------------------------------ on, and back

    @on(Button.Pressed, "#new-go")
    def _go(self) -> None:
        form = self.form
        if form is None:
            return
        if self._place_typed != self.place:
            self.say("Not yet: it is not known where lists come from.", "warning")
            self._row(PLACE).box.focus()
            if self._place_typed.endswith(_FILES):
                self._go_to(self._place_typed)
            return
        if name := form.first_open():
            self.say("Not yet: this field is empty or wrong.", "warning")
            self._row(name).box.focus()
            return
        from runbook.tui.screens.summary import SummaryScreen

        def back(is_opened: bool | None) -> None:
            if is_opened:
                self.call_later(self._close)

        values = dict(form.judged.values)
        edition = self._prefill.edition if self._prefill is not None and self._prefill.edition else ""
        summary = SummaryScreen(self._making, self._book, form.book, values, self.place, self._scenarios, edition)
        self.app.push_screen(summary, back)

    def _close(self) -> None:
        self.dismiss(None)

    def say(self, text: str, severity: Any = "information") -> None:
        """Tell something in the corner, for a while."""
        self.notify(clean(text), severity=severity, markup=False, timeout=8.0 if severity == "error" else 5.0)

    def action_act(self, id_: str) -> None:
        """What a key of the list stands for."""
        match id_:
            case "list":
                self._open_list(self._at)
            case "save":
                self._files.save()
            case "load":
                self._files.load()
            case "go":
                self._go()
            case "quit":
                self._leave()
            case _:
                pass

    def _leave(self) -> None:
        touched = self.form.touched if self.form is not None else {}
        if not touched or touched == self._files.kept:
            self.dismiss(None)
            return
        names = ", ".join(touched)
        body = lines(f"What you typed is not saved: {names}.") + lines("Ctrl+S in the form saves it.", "muted")

        def answered(answers: Answers | None) -> None:
            if answers is not None:
                self.dismiss(None)

        self.app.push_screen(Dialog(Question("Leave the form?", tuple(body), "Leave", is_grave=True)), answered)


def _told(error: RunbookError) -> str:
    return f"{error} {'' if error.hint in str(error) else error.hint}".strip()
