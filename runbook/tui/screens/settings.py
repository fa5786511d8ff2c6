"""The settings, to be changed in place, and where the file is that holds them and the key map."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from runbook.tui.present.text import BLANK, Line, labelled, line, lines
from runbook.tui.settings import THEMES, Kept, Settings
from runbook.tui.styled import Overlay
from runbook.tui.widgets.prose import Prose, content

if TYPE_CHECKING:
    from runbook.tui.app import RunbookApp

ROWS = {
    "theme": "Theme",
    "animations": "Things may move by themselves",
    "bell": "Ring when a run needs you",
    "title": "Say the run's state in the terminal's title",
    "plain": "Lines and prompts instead of screens, from the next start on",
}
"""What can be set here, by the field of ``Settings``."""


def after(settings: Settings, name: str) -> object:
    """The value that comes after the present one."""
    value = getattr(settings, name)
    return THEMES[(THEMES.index(value) + 1) % len(THEMES)] if name == "theme" else not value


def setting_line(settings: Settings, name: str) -> Line:
    value = getattr(settings, name)
    told = value if isinstance(value, str) else "yes" if value else "no"
    return line((f"{told:<9}", "heading"), ROWS[name])


def about(kept: Kept) -> list[Line]:
    """Where the settings are, and how keys are changed."""
    if not kept.place:
        return lines("These settings hold until you leave: no file is kept here.", "muted")
    rows = [*labelled("File", kept.place, "code"), BLANK]
    rows += lines("Keys are changed in that file, by the names that `runbook settings --keys` lists:", "muted")
    rows += lines("keys:\n  run.approve: y\n  run.next: n,f3", "code")
    return rows


class SettingsScreen(Overlay[None]):
    """Enter changes the highlighted setting at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,comma", "dismiss", "Close", tooltip="Close the settings.", id="settings.close"),
    ]

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Prose(id="dialog-title")
            yield OptionList(id="settings-list", markup=False, compact=True)
            yield Prose(id="settings-about")

    def on_mount(self) -> None:
        title = line(("Settings", "heading"), ("   Enter changes, Esc closes", "muted"))
        self.query_one("#dialog-title", Prose).show([title])
        self._list()
        self.query_one("#settings-about", Prose).show(about(self._app.around.kept))
        self.query_one("#settings-list").focus()

    @property
    def _app(self) -> RunbookApp:
        return cast("RunbookApp", self.app)

    def _list(self) -> None:
        rows = self.query_one("#settings-list", OptionList)
        at = rows.highlighted or 0
        rows.clear_options()
        rows.add_options([Option(content([setting_line(self._app.settings, name)]), id=name) for name in ROWS])
        rows.highlighted = at

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        name = event.option.id or ""
        self._app.set_one(name, after(self._app.settings, name))
        self._list()
