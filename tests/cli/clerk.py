"""Whole runs in plain lines, in a process of their own: what is asked is answered by rule, line by line."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Final

Answer = Callable[[str], str | None]
"""What to say to a line; None where it is no question."""

_RULES: Final = (
    (r"(?:This is disruptive. )?Type (?:this name|the step's name|the run's name), (\S+?), to go on", r"\1"),
    (r"What do you vouch for\?", "Done on 3 May, ticket 4711"),
    (r"Which of these, by its number; nothing: go back$", "1"),
    (r"What you did or saw, when and where", "done as asked"),
    (r"Evidence file, or empty|Their reference, .* or empty|When it happened.* or empty", ""),
    (r"Approve\b.*\?$", "a"),
    (r"Attest\b.*\?$", "attest"),
    (r"Retry, attest\b.*\?$", "attest"),
    (r"Retry\b.*\?$", "retry"),
    (r"The run is over\.", "quit"),
)

MOST: Final = 400
"""Answers after which a rehearsal must be over."""


def agreeable(line: str) -> str | None:
    """Says yes to whatever is asked, and types the names that are asked for."""
    for pattern, reply in _RULES:
        if found := re.match(pattern, line):
            return found.expand(reply)
    return None


def by_pipe(*args: str, answer: Answer = agreeable, env: dict[str, str] | None = None) -> tuple[int, list[str]]:
    """Run a command with pipes at both ends; gives its exit code and the lines that it printed."""
    command = [sys.executable, "-m", "runbook", *args]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True, encoding="utf-8", env=_env(env)
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told: list[str] = []
        said = 0
        for line in process.stdout:
            told.append(line.rstrip("\n"))
            if (reply := answer(told[-1])) is not None:
                said += 1
                assert said <= MOST, told[-40:]
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(f"{reply}\n")
                    process.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        return process.wait(60), told


def by_terminal(*args: str, answer: Answer = agreeable, env: dict[str, str] | None = None) -> tuple[int, list[str]]:
    """The same at a real terminal; gives the bare bytes decoded, echo included."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "runbook", *args]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=_env(env), close_fds=True)
    os.close(theirs)
    told: list[str] = []
    said = 0
    try:
        for line in _lines(ours):
            told.append(line)
            if (reply := answer(line)) is not None:
                said += 1
                assert said <= MOST, told[-40:]
                os.write(ours, f"{reply}\n".encode())
        return process.wait(60), told
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _lines(terminal: int) -> Iterator[str]:
    rest = b""
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            data = b""
        if not data:
            return
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace").rstrip("\r")


def _env(more: dict[str, str] | None) -> dict[str, str]:
    return {**os.environ, **(more or {})}
