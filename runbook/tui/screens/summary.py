"""The summary of a new run: what it would come to, and in which mode it begins. The mode is chosen here, last.

Invariants: a look only reads, runs in a worker, says how far it is and can be given up; a live run is created only
after the names of its subscriptions were typed, by the rule that holds on the command line, too; what fails comes back
here with everything as it was, and a run that was made is not made twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Button

from runbook.core.error import RunbookError
from runbook.tui.aside import Aside, CalledOff
from runbook.tui.keys import bindings
from runbook.tui.making import Making, Sight, Terms
from runbook.tui.present.fields import Field
from runbook.tui.present.how import LIVE, MODE_WORDS, form_rows, how_fields, how_problem
from runbook.tui.present.summary import book_rows, pinned_rows, seen_rows
from runbook.tui.present.text import BLANK, Line, labelled, line, lines, one_line, short
from runbook.tui.screens.begin import Beginning, Failed, WhereRead, told
from runbook.tui.screens.pick import Asking, Fixed, Picked, PickScreen, Plain
from runbook.tui.styled import BaseScreen
from runbook.tui.widgets.bars import KeyLine, Page
from runbook.tui.widgets.field_row import FieldRow
from runbook.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from runbook.book import Book

_GO = {"rehearsal": "Start the rehearsal", "plan": "Look again", "live": "Start the live run…"}


class SummaryScreen(BaseScreen[bool]):
    """Ends with True when a run was opened from here.

    Args:
        making: what makes runs.
        name: the book's name or file.
        book: the book.
        inputs: every input of it, checked.
        place: where the form's lists came from.
        scenarios: what there is to rehearse on.
        edition: what to begin with; empty for the scenario's.
    """

    screen_name = "summary"
    BINDINGS = bindings("summary")

    class Came(Message):
        """A look has come so far."""

        def __init__(self, aside: Aside[Sight], done: int, of: int) -> None:
            super().__init__()
            self.aside, self.done, self.of = aside, done, of

    class Looked(Message):
        """A look is over, or could not be had."""

        def __init__(self, aside: Aside[Sight], sight: Sight | None, problem: str = "") -> None:
            super().__init__()
            self.aside, self.sight, self.problem = aside, sight, problem

    def __init__(
        self,
        making: Making,
        name: str,
        book: Book,
        inputs: Mapping[str, Any],
        place: str,
        scenarios: Sequence[str],
        edition: str = "",
    ) -> None:
        super().__init__()
        self._making, self._book_name, self._book, self._inputs = making, name, book, inputs
        self._fields = how_fields(scenarios)
        is_live = place == LIVE
        self._is_live = is_live
        self.texts = {
            "mode": "plan" if is_live else "rehearsal",
            "scenario": next(iter(scenarios), "") if is_live else place,
            "edition": edition,
            "speed": "",
        }
        """The answers so far."""
        self._at = "mode"
        self._is_due = False
        """Whether a redraw is on its way because there is other room."""
        self._aside: Aside[Sight] | None = None
        self._progress = ""
        self._sight: Sight | None = None
        self._seen: Terms | None = None
        """What was looked at last, or is being looked at."""
        self.problem = ""
        """Why the last thing asked for could not be had."""
        self._begin = Beginning(self, making)

    def compose(self) -> ComposeResult:
        yield Prose(id="too-small")
        yield Prose(id="new-title")
        with Vertical(id="summary-how"):
            for field in self._fields:
                yield FieldRow(field, is_brief=True)
        yield Prose(id="summary-told")
        with Page(id="summary-page"):
            yield Prose(id="summary-text")
        yield Button(_GO["rehearsal"], id="summary-go", compact=True)
        yield KeyLine("summary")

    def on_mount(self) -> None:
        small = line("This terminal is too small. The runbook needs 60×15 cells.")
        self.query_one("#too-small", Prose).show([small])
        self._draw()
        self._row("mode").box.focus()
        self._look()

    def on_unmount(self) -> None:
        self._call_off()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    @on(FieldRow.Resized)
    def _resized(self) -> None:
        if not self._is_due:  # every row says so; once is enough
            self._is_due = True
            self.call_after_refresh(self._draw)

    def on_screen_resume(self) -> None:
        if self._begin.is_opened:
            self.call_later(self._close)

    def _close(self) -> None:
        self.dismiss(True)

    def help_rows(self, keymap: Mapping[str, str]) -> list[Line]:
        """The help of this screen."""
        return form_rows("summary", keymap)

    # ------------------------------------------------------------ what was chosen

    @property
    def mode(self) -> str:
        """As chosen; empty while it is wrong."""
        return self.texts["mode"] if not how_problem("mode", self.texts["mode"]) else ""

    @property
    def terms(self) -> Terms | None:
        """What a run would be made of; None while an answer is wrong."""
        if any(how_problem(f.name, self.texts[f.name]) for f in self._fields if self._applies(f)):
            return None
        is_live = self.mode == "live" or (self.mode == "plan" and self._is_live)
        return Terms(
            self._book_name,
            "live" if is_live else "rehearsal",
            "" if is_live else self.texts["scenario"],
            self.texts["edition"],
            "" if is_live else self.texts["speed"],
            self._inputs,
        )

    def _applies(self, field: Field) -> bool:
        match field.name:
            case "scenario":
                return self.mode == "rehearsal" or (self.mode == "plan" and not self._is_live)
            case "speed":
                return self.mode == "rehearsal"
            case _:
                return True

    # ------------------------------------------------------------ drawing

    def _row(self, name: str) -> FieldRow:
        return self.query_one(f"#row-{name}", FieldRow)

    def _draw(self) -> None:
        self._is_due = False
        title = short(f"New run: {one_line(self._book.title)}", max(20, self.size.width - 2))
        self.query_one("#new-title", Prose).show([line((title, "heading"))])
        for field in self._fields:
            row = self._row(field.name)
            row.display = self._applies(field)
            text = self.texts[field.name]
            problem = how_problem(field.name, text)
            row.show(
                text, line(("* " if field.is_required else "  "), (field.prompt, "heading")), self._hint(field), []
            )
            row.query_one(".field-remark", Prose).display = True
            told = (f"✗ {problem}", "bad") if problem else (self._remark(field), "muted")
            row.query_one(".field-remark", Prose).show([line((short(told[0], max(10, self.size.width - 46)), told[1]))])
        self.query_one("#summary-go", Button).label = f"{_GO.get(self.mode, 'Start')} (F5)"
        self.query_one("#summary-told", Prose).show(self._told())
        self.query_one("#summary-text", Prose).show(self._text())
        can = {"go", "help", "quit"} | ({"stop"} if self._aside is not None else set())
        if self.mode != "plan":
            can.add("look")
        if self._row(self._at).box.has_focus:
            can.add("list")
        self.query_one(KeyLine).offer(can, {"go": "Look" if self.mode == "plan" else "Start"})

    def _hint(self, field: Field) -> str:
        if field.name == "edition":
            return "auto" if self.mode == "live" else "the scenario's"
        return "60" if field.name == "speed" else ""

    def _remark(self, field: Field) -> str:
        match field.name:
            case "mode":
                where = " at your own Azure" if self._is_live and self.mode == "plan" else ""
                return MODE_WORDS.get(self.mode, "") + where
            case "speed":
                return "simulated seconds per second; max jumps over waits"
            case "edition":
                return "preview, ga, or auto: what is found decides"
            case _:
                return ""

    def _told(self) -> list[Line]:
        """How the look stands."""
        if self.problem:
            return lines(self.problem, "bad")
        if self._aside is not None:
            return [line(("… ", "busy"), (f"Looking, without changing anything: {self._progress}F8 stops", "busy"))]
        if self._sight is not None and self._seen == self.terms:
            more = "; to make a run of it, choose another mode" if self.mode == "plan" else ""
            return [line(("✓ looked at", "ok"), (f" by reading alone{more}", "muted"))]
        return [line(("· not looked at", "wait"), (": what follows is from the book alone; F6 looks", "muted"))]

    def _text(self) -> list[Line]:
        if self._sight is None or self._seen != self.terms:
            return book_rows(self._book, self._inputs)
        seen = seen_rows(self._book, self._sight.view, self._sight.findings, is_whole=self.mode == "plan")
        if self._sight.view.mode == "live":
            seen = [*pinned_rows(self._sight.view.pinned), BLANK, *seen]
        if self._book.duration:
            seen += [BLANK, *labelled("Takes", " ".join(self._book.duration.split()))]
        return seen

    # ------------------------------------------------------------ answers

    @on(FieldRow.Typed)
    def _typed(self, message: FieldRow.Typed) -> None:
        self._answer(message.name, message.text.strip())

    def _answer(self, name: str, text: str) -> None:
        self.texts[name] = text
        self.problem = ""
        terms = self.terms
        if terms is not None and terms != self._seen and self._is_known(terms):
            self._look()
        self._draw()

    def _is_known(self, terms: Terms) -> bool:
        """Whether to look by oneself: at a scenario that exists, or at the real cloud where that was asked for."""
        return terms.mode == "live" or terms.scenario in next(f.values for f in self._fields if f.name == "scenario")

    @on(FieldRow.Reached)
    def _reached(self, message: FieldRow.Reached) -> None:
        self._at = message.name
        self._draw()

    @on(FieldRow.ListWanted)
    def _list_wanted(self, message: FieldRow.ListWanted) -> None:
        self._open_list(message.name)

    def _open_list(self, name: str) -> None:
        field = self._row(name).asked
        choices = [Plain(v, v, MODE_WORDS.get(v, "") if name == "mode" else "") for v in field.values]
        asking = Asking(field.prompt, "to choose from", None, Fixed(choices), [self.texts[name]])

        def picked(found: Picked | None) -> None:
            if found is not None and found.values is not None:
                self._answer(name, found.values[0])

        self.app.push_screen(PickScreen(asking), picked)

    # ------------------------------------------------------------ looking

    def _look(self) -> None:
        """Begin to look; what was being looked at before is given up."""
        self._call_off()
        terms = self.terms
        if terms is None:
            return
        self._seen, self._sight, self.problem, self._progress = terms, None, "", ""
        holder: list[Aside[Sight]] = []

        def came(done: int, of: int) -> None:
            self.post_message(self.Came(holder[0], done, of))

        aside = Aside(lambda: self._making.look(terms, came))
        holder.append(aside)
        self._aside = aside
        self.run_worker(partial(self._looking, aside), thread=True, group="look", name="look")
        self._draw()

    def _looking(self, aside: Aside[Sight]) -> None:
        try:
            self.post_message(self.Looked(aside, aside.run()))
        except CalledOff:
            return
        except RunbookError as error:
            self.post_message(self.Looked(aside, None, told(error)))

    @on(Came)
    def _came(self, message: Came) -> None:
        if message.aside is self._aside:
            self._progress = f"{message.done} of {message.of} steps; "
            self.query_one("#summary-told", Prose).show(self._told())

    @on(Looked)
    def _looked(self, message: Looked) -> None:
        if message.aside is not self._aside:
            return
        self._aside = None
        self._sight, self.problem = message.sight, message.problem
        self._draw()

    def _call_off(self) -> None:
        if self._aside is not None:
            self._aside.call_off()
            self._aside = None

    # ------------------------------------------------------------ beginning

    @on(Button.Pressed, "#summary-go")
    def _go(self) -> None:
        terms = self.terms
        if terms is None:
            self.notify("Not yet: an answer above is wrong.", severity="warning", markup=False)
        elif self.mode == "plan":
            self._look()
        else:
            self._call_off()
            self.problem = ""
            self._begin.go(terms)

    @on(WhereRead)
    def _where_read(self, message: WhereRead) -> None:
        self._begin.ask(message)

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        self.fail(message.problem)

    def fail(self, problem: str) -> None:
        """Say what is wrong, and stay."""
        self.problem = problem
        self._draw()

    # ------------------------------------------------------------ keys

    def action_field(self, by: int) -> None:
        """The next field, or the one before."""
        self.focus_next() if by > 0 else self.focus_previous()

    def action_act(self, id_: str) -> None:
        """What a key of the list stands for."""
        match id_:
            case "list" if self._row(self._at).box.has_focus:
                self._open_list(self._at)
            case "look":
                self._look()
            case "stop" if self._aside is not None:
                self._call_off()
                self._seen = None
                self._draw()
            case "go":
                self._go()
            case "quit":
                self.dismiss(False)
            case _:
                pass
