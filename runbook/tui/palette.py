"""The command palette: every key of the screen below by its words, and what belongs to the program as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from runbook.tui.keys import SCREENS, shown_as
from runbook.tui.settings import THEMES

if TYPE_CHECKING:
    from textual.types import IgnoreReturnCallbackType

    from runbook.tui.app import RunbookApp


_NAMED: Final = 1000.0
"""What is called by the words asked for stands before whatever only mentions them."""


class Actions(Provider):
    """What can be done on this screen, and everywhere."""

    def _known(self) -> Iterator[tuple[str, str, IgnoreReturnCallbackType]]:
        """Name, what it does, and how."""
        app = cast("RunbookApp", self.app)
        screen = self.screen
        name = getattr(screen, "screen_name", "")
        by_id = {b.id: b for bindings in screen._bindings.key_to_bindings.values() for b in bindings}
        for key in SCREENS.get(name, ()):
            if (binding := by_id.get(f"{name}.{key.id}")) is not None and key.shown:
                sign = shown_as(name, key, app.settings.keys)
                yield f"{key.label} ({sign})", key.tooltip, lambda action=binding.action: screen.run_action(action)
        for theme in THEMES:
            yield f"Theme: {theme}", "Change the colours now and from now on.", lambda t=theme: app.set_one("theme", t)
        yield "Settings", "Theme, bell, animations, and where keys are changed.", app.action_settings

    async def discover(self) -> Hits:
        for name, does, act in self._known():
            yield DiscoveryHit(name, act, help=does)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, does, act in self._known():
            named, told = matcher.match(name), matcher.match(does)
            if (score := _NAMED + named if named > 0 else told) > 0:
                yield Hit(score, matcher.highlight(name), act, help=does)
