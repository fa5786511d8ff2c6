"""Whole rehearsals in a real terminal, by nothing but the keys that the screen itself names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.terminal.reader import answer, is_question, next_action
from tests.terminal.terminal import Terminal, needs_tmux, terminal

MOST = 200
"""Keys after which a rehearsal must have ended."""


def follow(at: Terminal) -> list[str]:
    """Press what the screen says until it says that all is finished. Returns what was pressed, in words."""
    pressed: list[str] = []
    screen = at.until("Approve:|Attest|Nothing to press")
    while len(pressed) < MOST:
        screen = at.settled()
        if is_question(screen):
            pressed.append("(answers a question)")
            for line in answer(screen):
                at.write(line)
                at.press("Enter")
                at.settled()
            continue
        todo = next_action(screen)
        if todo is None:
            at.changed(screen)
            continue
        key, words = todo
        pressed.append(words)
        if words.startswith("Finished: "):
            return pressed
        at.press(key)
        at.changed(screen)
    raise AssertionError(f"{MOST} keys and no end:\n{pressed[-20:]}\n{screen}")


@needs_tmux
@pytest.mark.timeout(500)
@pytest.mark.parametrize(
    ("book", "size"),
    [
        pytest.param("arc-private-link", (80, 24), id="arc"),
        pytest.param("avd-private-link", (120, 36), id="avd", marks=pytest.mark.soak),
    ],
)
def test_a_rehearsal_is_finished_by_the_keys_that_the_screen_names(
    tmp_path: Path, book: str, size: tuple[int, int]
) -> None:
    with terminal(tmp_path, "rehearse", book, "--speed", "max", size=size) as at:
        pressed = follow(at)
        assert any(words.startswith("Approve") for words in pressed)
        at.press("q")
        assert re.search(r"Run \S+ is done\. Its report: ", at.until(r"is done\."))
