"""The looks to choose from. The only place in Python where a colour is named; sheets use the names defined here.

Textual's own dark and light ones, with other shades where their text is too near to what it stands on: whatever can be
read has a contrast of 4.5 to 1 or more, what is dimmed 3 to 1 (WCAG 2.1, 1.4.3), also on a selected row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

_DARK: Final = replace(
    BUILTIN_THEMES["textual-dark"],
    name="runbook-dark",
    primary="#0a67b2",
    error="#b0375a",
    variables={"text-secondary": "#8ab4d4", "text-error": "#e294a6", "text-primary": "#7cb8e8"},
)
_LIGHT: Final = replace(
    BUILTIN_THEMES["textual-light"],
    name="runbook-light",
    error="#b0375a",
    variables={
        **BUILTIN_THEMES["textual-light"].variables,
        "primary-muted": "#b8cede",
        "text-success": "#1a5f34",
        "text-warning": "#704700",
        "text-accent": "#704700",
    },
)
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
    "dark": _DARK,
    "light": _LIGHT,
    "contrast": _CONTRAST,
}
"""By the names of ``settings.THEMES``."""
