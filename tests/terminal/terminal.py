"""A real terminal around a real process: tmux, driven by keys and read as text.

Nothing here sleeps: whatever the program writes wakes the reader through a pipe, and the screen counts as settled once
nothing came for a moment. Every wait is bounded.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

QUIET_S = 0.15
"""The screen has settled when nothing was written for so long."""
LONGEST_S = 60.0
"""No screen takes longer to settle or to show something."""

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed here")


class Terminal:
    """One tmux pane.

    Args:
        socket: a path of its own, so that nobody's other sessions are met.
        pipe: where the pane's output comes out.
    """

    def __init__(self, socket: Path, pipe: int) -> None:
        self._socket, self._pipe = socket, pipe

    def tmux(self, *args: str) -> str:
        done = subprocess.run(["tmux", "-S", str(self._socket), *args], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def press(self, *keys: str) -> None:
        """Press keys, as tmux names them."""
        self.tmux("send-keys", "-t", "pane", *keys)

    def write(self, text: str) -> None:
        """Type a text as it is."""
        self.tmux("send-keys", "-t", "pane", "-l", text)

    def screen(self) -> str:
        """What can be read now."""
        return self.tmux("capture-pane", "-t", "pane", "-p")

    def settled(self) -> str:
        """The screen once nothing is written any more; at the latest after ``LONGEST_S``."""
        ends = time.monotonic() + LONGEST_S
        while self._hears(QUIET_S) and time.monotonic() < ends:
            pass
        return self.screen()

    def until(self, pattern: str) -> str:
        """The screen once it shows something.

        Raises:
            AssertionError: it never does.
        """
        ends = time.monotonic() + LONGEST_S
        while not re.search(pattern, text := self.screen()):
            assert time.monotonic() < ends, f"{pattern} never came:\n{text}"
            self._hears(0.5)
        return text

    def changed(self, before: str) -> str:
        """The settled screen once it differs from what it was; the same one after ``LONGEST_S``."""
        ends = time.monotonic() + LONGEST_S
        while (text := self.settled()) == before and time.monotonic() < ends:
            self._hears(0.5)
        return text

    def _hears(self, within_s: float) -> bool:
        ready, _, _ = select.select([self._pipe], [], [], within_s)
        return bool(ready) and bool(os.read(self._pipe, 65536))


@contextmanager
def terminal(home: Path, *command: str, size: tuple[int, int] = (80, 24), **environ: str) -> Iterator[Terminal]:
    """``runbook`` with these arguments in a terminal of this size."""
    socket, fifo = home / "tmux", home / "pane"
    os.mkfifo(fifo)
    pipe = os.open(fifo, os.O_RDWR)  # both ways, so that it never reads as ended
    at = Terminal(socket, pipe)
    variables = {"RUNBOOK_HOME": str(home / "state"), "TERM": "screen-256color", **environ}
    given = [part for name, value in variables.items() for part in ("-e", f"{name}={value}")]
    width, height = map(str, size)
    try:
        at.tmux("-f", os.devnull, "new-session", "-d", "-s", "pane", "-x", width, "-y", height, *given, "sh")
        at.tmux("set-option", "-t", "pane", "status", "off")
        at.tmux("pipe-pane", "-t", "pane", f"exec cat > '{fifo}'")
        line = " ".join([sys.executable, "-m", "runbook", *command])
        at.write(f"clear; cd '{Path.cwd()}'; {line}; echo")
        at.press("Enter")
        yield at
    finally:
        subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, timeout=20)
        os.close(pipe)
