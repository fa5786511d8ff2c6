"""The looks to choose from. The only place in Python where a colour is named; sheets use the names defined here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

_CONTRAST: Final = Theme(
    name="runbook-contrast",
    primary="#4fc3ff",
    secondary="#ffd75f",
    warning="#ffd700",
    error="#ff6b6b",
    success="#5fff87",
    accent="#ff9eff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    boost="#303030",
    dark=True,
    text_alpha=1.0,
    variables={"text-muted": "#ffffff", "text-disabled": "#d0d0d0"},
)

OF_NAME: Final[Mapping[str, Theme]] = {
    "dark": BUILTIN_THEMES["textual-dark"],
    "light": BUILTIN_THEMES["textual-light"],
    "contrast": _CONTRAST,
}
"""By the names of ``settings.THEMES``."""
