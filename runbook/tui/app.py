"""The terminal application: opens a run in the background, shows it, and lets go of it.

Invariant: the engine is not ours. The app attaches, and whatever happens to the screen, ``close`` lets the attachment
go, so that the run stays exactly as its journal has it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import App

from runbook import assets
from runbook.core.error import RunbookError
from runbook.core.state import RunState
from runbook.core.view import RunView
from runbook.tui.around import Around
from runbook.tui.glance import Glance
from runbook.tui.messages import Chosen, NewsRead, Opened, OpenFailed
from runbook.tui.palette import Actions
from runbook.tui.present.text import BLANK, clean, one_line
from runbook.tui.present.words import RUN_WORDS
from runbook.tui.screens.opening import OpeningScreen
from runbook.tui.themes import OF_NAME

if TYPE_CHECKING:
    from runbook.engine.host import Attachment
    from runbook.tui.given import Home


_WANTS = frozenset({RunState.NEEDS_OPERATOR, RunState.FAILED, RunState.BLOCKED})

SHEETS = (
    "tokens.tcss",
    "run.tcss",
    "home.tcss",
    "dialogs.tcss",
    "settings.tcss",
    "map.tcss",
    "waiting.tcss",
    "failure.tcss",
    "timeline.tcss",
    "compare.tcss",
    "new.tcss",
    "dns.tcss",
)
"""A style sheet for each screen, and one for what they share."""


class RunbookApp(App[None]):
    """Shows one run, or the home screen and the runs opened from it.

    Args:
        open_attachment: called in a worker thread; may raise ``RunbookError``.
        home: what the home screen shows; then ``open_attachment`` is None.
        glance: the run as last committed, if there is one yet, to be shown until it is open; called like the former,
            and much quicker.
        program: how the operator calls this program.
        around: what the screens are given beside.
        redraw_s: the shortest time between two redraws caused by the engine, in seconds.
        settle_s: for so long after the selection moved by itself, keys for a row are refused, in seconds.

    Attributes:
        settings: as they are now.
        failure: why the run could not be opened.
        farewell: what to tell the operator once the terminal is theirs again.
    """

    CSS_PATH: ClassVar[list[str | Path]] = [  # type: ignore[assignment]
        assets.path("styles", name) for name in SHEETS
    ]
    TITLE = "runbook"
    COMMANDS = {Actions}  # noqa: RUF012
    HORIZONTAL_BREAKPOINTS = [(0, "-too-narrow"), (60, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-too-short"), (15, "-short"), (32, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        open_attachment: Callable[[], Attachment] | None = None,
        *,
        home: Home | None = None,
        glance: Callable[[], RunView] | None = None,
        program: str = "runbook",
        around: Around | None = None,
        redraw_s: float = 0.05,
        settle_s: float = 1.0,
    ) -> None:
        super().__init__()
        self.around = around or Around()
        self.settings = self.around.kept.settings
        self._open = open_attachment
        self._home = home
        self._glance = glance
        self._program = program
        self._redraw_s, self._settle_s = redraw_s, settle_s
        self._attachments: list[Attachment] = []
        self._openings: list[Future[None]] = []
        self._copy_file = ""
        self._attended: RunState | None = None
        self.failure: RunbookError | None = None
        self.farewell = ""

    def on_mount(self) -> None:
        for theme in OF_NAME.values():
            self.register_theme(theme)
        self._take_settings()
        if self._home is not None:
            from runbook.tui.screens.home import HomeScreen

            self.push_screen(HomeScreen(self._home, program=self._program))
        elif self._open is not None:
            self._start_opening(self._open)

    def _start_opening(self, open_attachment: Callable[[], Attachment]) -> None:
        self.push_screen(OpeningScreen())
        self._open_behind(open_attachment)

    def _open_behind(self, open_attachment: Callable[[], Attachment]) -> None:
        opened: Future[None] = Future()
        self._openings.append(opened)
        self.run_worker(partial(self._opening, open_attachment, opened), thread=True, group="open", name="open")

    def _opening(self, open_attachment: Callable[[], Attachment], opened: Future[None]) -> None:
        """In a worker thread. What was opened is noted at once, so that it is closed even if nobody looks any more."""
        try:
            if self._glance is not None:
                self._show_soon(Glance(self._glance()))
            attachment = open_attachment()
            self._attachments.append(attachment)
        except RunbookError as error:
            self.post_message(OpenFailed(error))
            return
        finally:
            opened.set_result(None)
        self._show_soon(attachment)

    def _show_soon(self, attachment: Attachment) -> None:
        # The run screen's modules are read here, while the first screen is already on the terminal.
        import runbook.tui.screens.run  # noqa: F401

        self.post_message(Opened(attachment, self.around.memory.recall(attachment.view.id)))

    @on(Opened)
    def _opened(self, message: Opened) -> None:
        from runbook.tui.screens.run import RunScreen

        runs = [screen for screen in self.screen_stack if isinstance(screen, RunScreen)]
        below = next((run for run in runs if run.is_opening or run.operator.is_taking_over), None)
        if below is not None:
            was = below.attachment
            below.adopt(message.attachment)
            self._release(was)
        elif isinstance(self.screen, OpeningScreen):
            self.switch_screen(
                RunScreen(
                    message.attachment,
                    redraw_s=self._redraw_s,
                    settle_s=self._settle_s,
                    program=self._program,
                    memory=self.around.memory,
                    place=message.place,
                )
            )
        else:
            self._release(message.attachment)

    @on(OpenFailed)
    def _open_failed(self, message: OpenFailed) -> None:
        from runbook.tui.screens.run import RunScreen

        runs = [screen for screen in self.screen_stack if isinstance(screen, RunScreen)]
        for run in runs:
            run.operator.is_taking_over = False  # it goes on as it was
        if self._home is None and all(run.is_opening for run in runs):
            self.failure = message.error
            self.exit()
            return
        if isinstance(self.screen, OpeningScreen):
            self.pop_screen()
        text = f"{clean(message.error.message)}\n{clean(message.error.hint)}".strip()
        self.notify(text, title=message.error.code, severity="error", markup=False)

    @on(Chosen)
    def _chosen(self, message: Chosen) -> None:
        """A run or a book was chosen on the home screen, or a new run is to begin."""
        self._glance = None  # it shows the run that the program was started with
        self._start_opening(message.open_attachment)

    def take_over(self, run: str, why: str) -> None:
        """Open a run for driving that a screen only shows; that screen then goes on with it, or is told why not."""
        opener = self.around.take_over
        if opener is None:
            raise AssertionError("not offered here")
        self._glance = None
        self._open_behind(partial(opener, run, why))

    # ------------------------------------------------------------ for every screen

    @on(NewsRead)
    def _news_read(self, message: NewsRead) -> None:
        from runbook.tui.screens.dialogs import Dialog
        from runbook.tui.screens.questions import news
        from runbook.tui.screens.run import RunScreen

        if message.told and isinstance(self.screen, RunScreen):
            self.push_screen(Dialog(news(message.told)))

    def action_help(self) -> None:
        """Show the keys of this screen, and every sign."""
        from runbook.tui.screens.help import HelpScreen, key_rows, sign_rows

        keymap = self.settings.keys
        name = getattr(self.screen, "screen_name", "")
        own = getattr(self.screen, "help_rows", None)
        if own is not None:
            self.push_screen(HelpScreen(own(keymap)))
        elif name:
            self.push_screen(HelpScreen([*key_rows(name, keymap), BLANK, *sign_rows()]))

    def action_settings(self) -> None:
        """Show the settings."""
        from runbook.tui.screens.settings import SettingsScreen

        if not isinstance(self.screen, SettingsScreen):
            self.push_screen(SettingsScreen())

    def set_one(self, name: str, value: object) -> None:
        """Change one setting, now and where it is kept."""
        self.settings = replace(self.settings, **{name: value})  # type: ignore[arg-type]
        self._take_settings()
        if self.around.kept.save is None:
            return
        try:
            self.around.kept.save(name, value)
        except RunbookError as error:
            self.notify(f"{clean(error.message)}\n{clean(error.hint)}".strip(), severity="error", markup=False)

    def _take_settings(self) -> None:
        self.theme = OF_NAME[self.settings.theme].name
        if not self.settings.animations:
            self.animation_level = "none"
        self.set_keymap(dict(self.settings.keys))

    def copy(self, text: str, what: str) -> None:
        """Copy a text and tell so. Not every terminal takes OSC 52, and none says whether it did: a file holds it too.

        Args:
            text: as it is to be pasted.
            what: its name, as a sentence begins.
        """
        self.copy_to_clipboard(text)
        told = f"{what}: copied, if this terminal allows it"
        try:
            if not self._copy_file:
                handle, self._copy_file = tempfile.mkstemp(prefix="runbook-", suffix=".txt")
                os.close(handle)
            with open(self._copy_file, "w", encoding="utf-8") as file:
                file.write(text + "\n")
            told += f"; also in {self._copy_file}"
        except OSError as error:
            told += f". No file: {error.strerror or error}"
        self.notify(told, timeout=5.0, markup=False)

    def attend(self, view: RunView) -> None:
        """Say in the terminal's title how the run stands; ring when it has come to need somebody."""
        wants = view.state in _WANTS
        if self.settings.bell and wants and self._attended not in (None, view.state):
            self.bell()
        if self.settings.title and view.state is not self._attended:
            self._entitle(f"{RUN_WORDS[view.state]}: {view.id}")
        self._attended = view.state

    def _entitle(self, text: str) -> None:
        """Set the terminal's title (OSC 2, ECMA-48 and xterm's control sequences)."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(f"\x1b]2;{one_line(text)}\x07")

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way that will still change the screen; for tests that wait."""
        return bool(getattr(self.screen, "is_busy", False)) or any(not w.is_finished for w in self.workers)

    def action_leave(self) -> None:
        """Leave this screen: back to the home screen, or out."""
        from runbook.tui.screens.home import HomeScreen

        attachment = getattr(self.screen, "attachment", None)
        if attachment is not None:
            self._part(attachment)
        if self._home is None or isinstance(self.screen, HomeScreen):
            self.exit()
            return
        self.pop_screen()
        if attachment is not None:
            self._release(attachment)
            if isinstance(self.screen, HomeScreen):
                self.screen.came_from(attachment.view.id)

    def action_help_quit(self) -> None:
        """Ctrl+C: say how one leaves; Textual's own words know neither our keys nor what becomes of the run."""
        self.notify("Ctrl+C stops nothing. q goes back, Ctrl+Q leaves; the run stays.", timeout=5.0)

    async def action_quit(self) -> None:
        """Ctrl+Q: out, from any screen."""
        attachment = next((s.attachment for s in self.screen_stack if hasattr(s, "attachment")), None)
        if attachment is not None:
            self._part(attachment)
        self.exit()

    def _part(self, attachment: Attachment) -> None:
        ended = any(getattr(screen, "ended_by", None) is not None for screen in self.screen_stack)
        watches = ended or (attachment.is_read_only and not isinstance(attachment, Glance))
        self.farewell = farewell(attachment.view, watches, self._program)

    def _release(self, attachment: Attachment) -> None:
        if attachment not in self._attachments:  # a glance holds nothing
            return
        self._attachments.remove(attachment)
        self.run_worker(attachment.close, thread=True, group="close", name="close")

    def close(self) -> None:
        """Let go of whatever is still open; waits for calls in flight. Call it after ``run``."""
        wait(self._openings)
        while self._attachments:
            self._attachments.pop().close()


def farewell(view: RunView, is_read_only: bool, program: str = "runbook") -> str:
    """What an operator should know who leaves a run."""
    if not view.id:
        return ""
    resume = f"{program} resume {view.id}"
    match view.state:
        case RunState.DONE | RunState.ABORTED:
            return (
                f"Run {view.id} is {view.state}. Its report: {program} report {view.id} --format html --out report.html"
            )
        case _ if is_read_only:
            return f"Run {view.id} is not driven from here. To look on or go on: {resume}"
        case RunState.WAITING:
            wait = next((n.waiting["who"] for n in view.nodes.values() if n.waiting), "others")
            return f"Run {view.id} waits for {wait}. To go on, any day: {resume}"
        case _:
            return f"Run {view.id} stays as you left it. To go on, any day: {resume}"


def run_app(
    open_attachment: Callable[[], Attachment],
    *,
    glance: Callable[[], RunView] | None = None,
    program: str = "runbook",
    around: Around | None = None,
) -> RunbookError | None:
    """Show one run until the operator leaves.

    Args:
        open_attachment: opens the run; called in a worker thread.
        glance: the run as last committed, if there is one yet.
        program: how the operator calls this program.
        around: what the screens are given beside.

    Returns:
        Why the run could not be opened, or that the screen broke; None when all went well.
    """
    return _run(RunbookApp(open_attachment, glance=glance, program=program, around=around))


def run_home(home: Home, program: str = "runbook", around: Around | None = None) -> RunbookError | None:
    """Show the home screen until the operator leaves.

    Returns:
        That the screen broke; None when all went well.
    """
    return _run(RunbookApp(home=home, program=program, around=around))


def _run(app: RunbookApp) -> RunbookError | None:
    try:
        app.run()
    finally:
        app.close()
    if app.farewell:
        print(clean(app.farewell), file=sys.stderr)
    if app.failure is None and app.return_code:
        return RunbookError("The screen broke; the run is safe in its journal.", "`runbook resume` goes on with it.")
    return app.failure
