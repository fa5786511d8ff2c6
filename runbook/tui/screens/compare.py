"""One run beside another of the same book: what differed, where, and each difference left and right.

Invariants: both runs are only read, in a worker; nothing is decided here. Which run stands on the right is chosen
from a list; until then there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from runbook.core.error import RunbookError, UsageError
from runbook.core.summary import RunSummary
from runbook.journal.past import Past
from runbook.report.compare import Comparison, Item, compare, compare_lines
from runbook.report.sides import Side
from runbook.tui.keys import bindings
from runbook.tui.live import Wanted
from runbook.tui.present import compare as present
from runbook.tui.present.text import BLANK, Line, line, one_line
from runbook.tui.runs import Runs, of_same_book
from runbook.tui.screens.help import key_rows
from runbook.tui.styled import BaseScreen, Overlay
from runbook.tui.widgets.bars import KeyLine, Page
from runbook.tui.widgets.prose import Prose, content

if TYPE_CHECKING:
    from runbook.tui.app import RunbookApp


class RunsListed(Message):
    """The runs beside which this one may be laid, or why they cannot be read."""

    def __init__(self, runs: Sequence[RunSummary], problem: RunbookError | None = None) -> None:
        super().__init__()
        self.runs, self.problem = runs, problem


class RunsCompared(Message):
    """Both runs were read and compared, or could not be."""

    def __init__(self, comparison: Comparison | None, problem: RunbookError | None = None) -> None:
        super().__init__()
        self.comparison, self.problem = comparison, problem


class PickRun(Overlay[str | None]):
    """Asks beside which run; hands back its id."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel", tooltip="Choose none.", id="pick.cancel"),
    ]

    def __init__(self, run: str, runs: Sequence[RunSummary]) -> None:
        super().__init__()
        self._run, self._runs = run, runs

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Prose(id="dialog-title")
            yield OptionList(
                *(Option(content([present.run_line(run, 46)]), id=run.id) for run in self._runs),
                id="pick-list",
                markup=False,
            )

    def on_mount(self) -> None:
        title = line((f"Lay {one_line(self._run)} beside", "heading"), ("   Enter chooses; Esc leaves", "muted"))
        self.query_one("#dialog-title", Prose).show([title])
        self.query_one("#pick-list").focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)


class CompareScreen(BaseScreen[Wanted | None]):
    """Compares one run with another that is chosen here.

    Args:
        run: the id of the run on the left.
        runs: what is known of others.
        past: the left run's, where it is open already.
        other: the run on the right, where it is known already.
    """

    screen_name = "compare"
    BINDINGS: ClassVar[list[BindingType]] = bindings("compare")

    def __init__(self, run: str, runs: Runs, *, past: Past | None = None, other: str = "") -> None:
        super().__init__()
        self.run_id, self.other = run, other
        self.comparison: Comparison | None = None
        self.is_only = True
        """Whether only what differs is listed."""
        self._runs, self._past = runs, past
        self._items: dict[str, tuple[Item, ...]] = {}
        self._problem: RunbookError | None = None
        self._is_reading = False

    def compose(self) -> ComposeResult:
        yield Prose(id="too-small")
        yield Prose(id="compare-head")
        with Container(id="compare-body"):
            yield OptionList(id="compare-list", markup=False)
            with Page(id="compare-page"):
                yield Prose(id="compare-text")
        yield KeyLine("compare")

    def on_mount(self) -> None:
        self.query_one("#too-small", Prose).show([line("This terminal is too small. The runbook needs 60×15 cells.")])
        self.query_one("#compare-list").focus()
        self._show_head()
        if self.other:
            self._compare()
        else:
            self._ask()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_list)

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way that will still change the screen; for tests that wait."""
        return self._is_reading

    def help_rows(self, keymap: Mapping[str, str]) -> list[Line]:
        """The help of this screen."""
        return [*key_rows("compare", keymap), BLANK, line(("Signs", "heading")), *present.legend()]

    # ------------------------------------------------------------ choosing

    def _ask(self) -> None:
        self._is_reading = True
        self.run_worker(self._list, thread=True, group="runs", exclusive=True, name="runs")

    def _list(self) -> None:
        try:
            self.post_message(RunsListed(of_same_book(self._runs.listed(), self.run_id)))
        except RunbookError as error:
            self.post_message(RunsListed((), error))

    @on(RunsListed)
    def _listed(self, message: RunsListed) -> None:
        self._is_reading = False
        if message.problem is not None or not message.runs:
            none = UsageError(
                f"There is no other run of the book of {self.run_id}.", "`runbook rehearse` makes one to compare with."
            )
            self._failed(message.problem or none)
            return
        self.app.push_screen(PickRun(self.run_id, message.runs), self._picked)

    def _picked(self, run: str | None) -> None:
        if run is not None:
            self.other = run
            self._compare()
        elif self.comparison is None:
            self.dismiss(None)

    # ------------------------------------------------------------ comparing

    def _compare(self) -> None:
        self.comparison, self._problem, self._is_reading = None, None, True
        self._show_head()
        self.run_worker(partial(self._read, self.other), thread=True, group="compare", exclusive=True, name="compare")

    def _read(self, other: str) -> None:
        try:
            left = self._side(self._past or self._runs.past(self.run_id))
            right = self._side(self._runs.past(other))
            self.post_message(RunsCompared(compare(left, right)))
        except RunbookError as error:
            self.post_message(RunsCompared(None, error))

    def _side(self, past: Past) -> Side:
        view = past.newest()
        return Side(view, past.each(view.head))

    @on(RunsCompared)
    def _compared(self, message: RunsCompared) -> None:
        self._is_reading = False
        if message.problem is not None:
            self._failed(message.problem)
            return
        self.comparison = message.comparison
        self._show_list()
        self.query_one("#compare-list").focus()

    def _failed(self, problem: RunbookError) -> None:
        self._problem = problem
        self._show_head()
        self.query_one("#compare-text", Prose).show(present.problem(problem.code, problem.message, problem.hint))

    # ------------------------------------------------------------ drawing

    def _show_head(self) -> None:
        top = self.query_one("#compare-head", Prose)
        if self.comparison is not None:
            top.show(present.head(self.comparison, max(20, self.size.width - 2), is_only=self.is_only))
        else:
            beside = f" beside {one_line(self.other)}" if self.other else ""
            reading = "" if self._problem else "  reading…"
            top.show([line((f"Compare {one_line(self.run_id)}{beside}", "heading"), (reading, "muted"))])
        can = {"back", "help", "other"} | ({"go", "only", "copy"} if self.comparison else set())
        self.query_one(KeyLine).offer(can, {"only": "Everything" if self.is_only else "Differences"})

    def _show_list(self) -> None:
        self._show_head()
        if self.comparison is None:
            return
        choices = self.query_one("#compare-list", OptionList)
        width = max(20, (choices.scrollable_content_region.width or self.size.width) - 2)
        at = self.items
        self._items = {}
        options: list[Option] = []
        for title, groups in present.shown_items(self.comparison, is_only=self.is_only):
            options.append(Option(content([present.phase_line(title, groups)]), disabled=True))
            for items in groups:
                key = f"{items[0].kind} {items[0].left} {items[0].right}"
                self._items[key] = items
                options.append(Option(content([present.item_line(items, width)]), id=key))
        choices.clear_options()
        choices.add_options(options)
        keys = list(self._items)
        if keys:
            kept = next((key for key in keys if at and self._items[key][0] == at[0]), keys[0])
            choices.highlighted = choices.get_option_index(kept)
        self._show_detail()

    @property
    def items(self) -> tuple[Item, ...]:
        """The selected item, and those of which the same is to be said."""
        option = self.query_one("#compare-list", OptionList).highlighted_option
        return self._items.get(option.id or "", ()) if option is not None else ()

    @property
    def item(self) -> Item | None:
        """The selected item; of several, the first."""
        return next(iter(self.items), None)

    @on(OptionList.OptionHighlighted, "#compare-list")
    def _highlighted(self) -> None:
        self.query_one("#compare-page", Page).scroll_home(animate=False)
        self._show_detail()

    def _show_detail(self) -> None:
        if self.comparison is None:
            return
        text, items = self.query_one("#compare-text", Prose), self.items
        width = max(24, text.content_region.width or self.size.width - 4)
        if not items:
            text.show([line(("There is no difference to show.", "ok"))])
            return
        left, right = one_line(self.comparison.left.id), one_line(self.comparison.right.id)
        text.show(present.detail(items, width, left, right, is_only=self.is_only))

    # ------------------------------------------------------------ keys

    def action_act(self, id_: str) -> None:
        """Do what a key of the list stands for."""
        match id_:
            case "back":
                self.dismiss(None)
            case "only":
                self.is_only = not self.is_only
                self._show_list()
            case "other":
                self._ask()
            case "go":
                self._go()
            case "copy" if self.comparison is not None:
                rows = list(compare_lines(self.comparison, is_whole=not self.is_only))
                cast("RunbookApp", self.app).copy(present.as_plain(rows), "The comparison")
            case _:
                return

    @on(OptionList.OptionSelected, "#compare-list")
    def _go(self) -> None:
        if (item := self.item) is not None and item.kind == "node" and item.left:
            self.dismiss(Wanted("", item.left))

    def action_scroll(self, direction: int) -> None:
        """Scroll the detail without leaving the list."""
        page = self.query_one("#compare-page", Page)
        page.scroll_relative(y=direction * max(1, page.size.height // 2), animate=False)
