"""How readable the kept pictures are: the contrast of every letter with what it stands on.

Source: WCAG 2.1, success criterion 1.4.3 (4.5 to 1 for text, 3 to 1 for text that is incidental) and its definition of
contrast ratio and relative luminance. Lines, frames and scroll bars are decoration and not looked at, nor is the screen
below a dialog, which is greyed on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

DIM: Final = 0.66
"""How much of a dimmed text's colour is left. Source: Textual, ``filter.DimFilter``."""

Colour = tuple[float, float, float]

_STYLE: Final = re.compile(r"^([a-z]+) = (\S+)(?: on (\S+))?(.*)$")
_RUN: Final = re.compile(r"([a-z]+)(\d+)")


@dataclass(frozen=True)
class Pair:
    """Letters in one style.

    Attributes:
        text: some of what stands in it.
    """

    section: str
    style: str
    ratio: float
    is_dim: bool
    text: str

    @property
    def is_readable(self) -> bool:
        return self.ratio >= (3.0 if self.is_dim else 4.5)


def _colour(name: str) -> Colour:
    return int(name[1:3], 16) / 255, int(name[3:5], 16) / 255, int(name[5:7], 16) / 255


def luminance(colour: Colour) -> float:
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: Colour, other: Colour) -> float:
    """From 1, where nothing can be read, to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _dialog(rows: list[str]) -> tuple[range, range]:
    """The rows and columns of the frame on top; of everything where there is none."""
    for top, row in enumerate(rows):
        for left, right in ("╭╮", "┏┓", "▔▔"):
            at = row.find(left)
            if at < 0 or row.rfind(right) < 0:
                continue
            below = [n for n, r in enumerate(rows) if n > top and r[at : at + 1] in ("╰", "┗", "▁")]
            if below:
                return range(top, below[-1] + 1), range(at, row.rfind(right) + 1)
    return range(len(rows)), range(1000)


def pairs(picture: str, is_dialog: bool) -> Iterator[Pair]:
    """Every style that a letter or a digit is drawn in."""
    words, *sections = re.split(r"^== (.*)\n", picture, flags=re.MULTILINE)
    rows = words.rstrip("\n").split("\n")
    height = len(words.split("\n")) - 1
    within = _dialog(rows) if is_dialog else (range(height), range(1000))
    for name, drawn in zip(sections[::2], sections[1::2], strict=True):
        lines = drawn.split("\n")
        styles = {m[1]: m for line in lines[height:] if (m := _STYLE.match(line))}
        texts: dict[str, str] = {}
        for at, row in enumerate(rows):
            if at not in within[0]:
                continue
            of_cell = [style for style, count in _RUN.findall(lines[at]) for _ in range(int(count))]
            column = 0
            for letter in row:
                if letter.isalnum() and column in within[1]:
                    texts[of_cell[column]] = texts.get(of_cell[column], "") + letter
                column += cell_len(letter)
        for key, text in texts.items():
            style = styles[key]
            if not (style[2].startswith("#") and (style[3] or "").startswith("#")):
                continue
            ink, paper = _colour(style[2]), _colour(style[3])
            is_dim = " dim" in style[4]
            if is_dim:
                red, green, blue = (p + (i - p) * DIM for i, p in zip(ink, paper, strict=True))
                ink = (red, green, blue)
            yield Pair(name, style[0].partition(" = ")[2], ratio(ink, paper), is_dim, text[:40])
