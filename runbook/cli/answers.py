"""Lines that a person types, as they come.

At a terminal a line may come at any moment, also while nothing is asked. From a pipe or a file lines are taken only
when something is asked, so that a prepared list of answers meets the questions it was prepared for.
"""

from __future__ import annotations

import select
import sys
from collections.abc import Callable
from typing import Final, TextIO

from runbook.cli import output
from runbook.core.redact import plain

_LOOK_S: Final = 0.2


class Left(Exception):
    """The operator wants out, or there is no more input."""


class Answers:
    """One source of typed lines.

    Args:
        source: what they are read from.

    Attributes:
        is_live: whether a line may come while nothing is asked.
    """

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self.is_live = _is_live(source)

    def read(self, prompt: str, is_stale: Callable[[], bool] | None = None) -> str | None:
        """Ask, and wait for a line.

        Args:
            prompt: the question.
            is_stale: whether the question has settled by itself; looked at now and then at a terminal.

        Returns:
            What was typed, without blanks around it; None where the question has settled.

        Raises:
            Left: there is no more input.
        """
        output.data(prompt)
        while self.is_live and not self._has_line(_LOOK_S):
            if is_stale is not None and is_stale():
                return None
        return self._take()

    def ask(self, prompt: str) -> str:
        """Ask for what does not settle by itself.

        Raises:
            Left: there is no more input.
        """
        return self.read(prompt) or ""

    def typed(self) -> str | None:
        """A line that came while nothing was asked, at a terminal.

        Raises:
            Left: there is no more input.
        """
        return self._take() if self.is_live and self._has_line(0) else None

    def forget(self) -> list[str]:
        """Leave out what was typed before a question was there to be read. Gives it back, to be told."""
        left: list[str] = []
        while len(left) < _MOST and (line := self.typed()) is not None:
            left.append(line)
        return [line for line in left if line]

    def _has_line(self, wait_s: float) -> bool:
        return bool(select.select([self._source], [], [], wait_s)[0])

    def _take(self) -> str:
        line = self._source.readline()
        if not line:
            raise Left
        return plain(line.encode("utf-8", "replace").decode("utf-8")).strip()


_MOST: Final = 1000


def _is_live(source: TextIO) -> bool:
    """A terminal that can be waited for together with other things; Windows' cannot."""
    return sys.platform != "win32" and source.isatty()
