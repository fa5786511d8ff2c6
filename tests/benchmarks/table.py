"""One line a figure, written past pytest's capture so that it is seen with ``-q``."""

from __future__ import annotations

import sys


def show(what: str, took_s: float, floor_s: float, bound: float) -> None:
    """Print a ratio and the bound it is held to."""
    ratio = took_s / floor_s
    text = f"{what:<62} {took_s * 1000:>9.1f} ms   floor {floor_s * 1000:>8.1f} ms   ratio {ratio:>5.2f} (≤ {bound})\n"
    sys.__stdout__ and sys.__stdout__.write(text)


def tell(what: str, value: str) -> None:
    """Print a figure that has no bound."""
    sys.__stdout__ and sys.__stdout__.write(f"{what:<62} {value}\n")
