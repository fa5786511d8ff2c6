"""The finished rehearsals of the table of mistakes, and command lines run in this process."""

from __future__ import annotations

from tests.mistakes.conftest import finished, finished_runs, shell

__all__ = ["finished", "finished_runs", "shell"]
