"""What every screen is made on: it knows how the roles look, once for all widgets on it.

A widget that had the roles as component classes of its own would have each of them styled anew whenever it is; with
some twenty roles and as many widgets that was most of what a key press cost.
"""

from __future__ import annotations

from typing import ClassVar

from textual.screen import ModalScreen, Screen, ScreenResultType

from runbook.tui.present.text import ROLES

_OF_ROLES = {f"role--{role}" for role in ROLES}


class BaseScreen(Screen[ScreenResultType]):
    """A screen that fills the terminal."""

    COMPONENT_CLASSES: ClassVar[set[str]] = _OF_ROLES


class Overlay(ModalScreen[ScreenResultType]):
    """A screen above another one, which stays in sight."""

    COMPONENT_CLASSES: ClassVar[set[str]] = _OF_ROLES
