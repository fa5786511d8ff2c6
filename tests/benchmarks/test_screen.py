"""The screen under load, measured from outside: bytes into a terminal, until the answer is painted."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.benchmarks.table import tell

pytestmark = pytest.mark.bench

NODES = 200
TREE = 10_000
KEYS = 100
"""Key presses that are measured."""
WAIT_S = 30.0


class Pane:
    """A terminal's other end."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def until(self, is_there: Callable[[bytes], object]) -> float:
        """Read until what was read since the call answers; returns the seconds that took."""
        began, seen = time.perf_counter(), b""
        while not is_there(seen):
            assert time.perf_counter() - began < WAIT_S, seen[-2000:]
            if select.select([self._handle], [], [], 0.5)[0]:
                seen += os.read(self._handle, 1 << 20)
        return time.perf_counter() - began

    def press(self, key: bytes, is_there: Callable[[bytes], object]) -> float:
        """Seconds from a key to what it paints."""
        os.write(self._handle, key)
        return self.until(is_there)

    def drain(self) -> None:
        """Read what is left of earlier frames, until none comes for a moment."""
        while select.select([self._handle], [], [], 0.3)[0]:
            os.read(self._handle, 1 << 20)


@contextmanager
def screen(kind: str, count: int) -> Iterator[Pane]:
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.screen_load", kind, str(count)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    try:
        yield Pane(leader)
    finally:
        process.kill()
        process.wait()
        os.close(leader)
        os.close(follower)


def has(text: bytes) -> Callable[[bytes], object]:
    return lambda seen: text in seen


def left_with(pane: Pane) -> str:
    """Leave, and read what the program says of its memory."""
    said = ""

    def is_told(seen: bytes) -> bool:
        nonlocal said
        found = re.search(rb"peak \d+ MB", seen)
        said = found[0].decode() if found else ""
        return bool(found)

    pane.press(b"q", is_told)
    return said


def test_a_key_is_answered_while_two_hundred_nodes_change_state() -> None:
    with screen("churn", NODES) as pane:
        pane.until(has(b"REHEARSAL"))
        took = []
        for number in range(KEYS):
            key, answer = [(b"2", b"[Plan"), (b"1", b"[Guide")][number % 2]
            took.append(pane.press(key, has(answer)) * 1000)
        memory = left_with(pane)
    p95 = statistics.quantiles(took, n=20)[-1]
    tell(
        f"key to painted screen while {NODES} nodes change state",
        f"p95 {p95:.0f} ms (≤ 50), median {statistics.median(took):.0f} ms, {memory}",
    )
    assert p95 <= 50


def test_a_tree_of_ten_thousand_nodes_opens_and_scrolls() -> None:
    with screen("tree", TREE) as pane:
        shown_s = pane.until(has(b"REHEARSAL"))
        pane.drain()
        os.write(pane._handle, b"\x1b[F\x1b[A\x1b[A")  # End, then up twice: the step that holds them
        pane.drain()
        open_s = pane.press(b" ", has(b"m00001"))
        pane.drain()
        newest = 0

        def is_further(seen: bytes) -> bool:
            nonlocal newest
            found = max((int(n) for n in re.findall(rb"m(\d{5})", seen)), default=0)
            if found <= newest:
                return False
            newest = found
            return True

        began = time.perf_counter()
        for _ in range(KEYS):
            pane.press(b"\x1b[6~", is_further)  # page down
        rate = KEYS / (time.perf_counter() - began)
        memory = left_with(pane)
    tell(f"a tree of {TREE} nodes: shown, opened", f"{shown_s * 1000:.0f} ms, {open_s * 1000:.0f} ms (≤ 1000)")
    tell(f"  scrolled through {newest} rows", f"{rate:.0f} frames a second (≥ 20), {memory}")
    assert open_s <= 1.0
    assert rate >= 20
