"""What an operator may set for every run: looks, manners and keys. Read and written by whoever starts the app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

THEMES: Final = ("dark", "light", "contrast")


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings.

    Attributes:
        theme: one of ``THEMES``.
        animations: whether anything on the screen may move by itself.
        bell: ring when a run comes to need the operator.
        title: say the run's state in the terminal's title.
        plain: lines and prompts instead of screens.
        keys: binding ids (``run.approve``) and the keys to have instead, comma-separated, as Textual names them.
    """

    theme: str = "dark"
    animations: bool = True
    bell: bool = False
    title: bool = True
    plain: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """Settings with the place where they are kept.

    Attributes:
        place: the file, for people.
        save: writes one setting there by its name, or raises ``RunbookError``; None where nothing is kept.
    """

    settings: Settings = field(default_factory=Settings)
    place: str = ""
    save: Callable[[str, object], None] | None = None
