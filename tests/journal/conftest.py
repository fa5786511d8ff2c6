from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.journal.store import Driver, Journal


def driven(epoch: int) -> Driver:
    return Driver(epoch, "host", 1, "anna", 0, "a test")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of run ``run-1`` is to lie; its folder exists."""
    folder = tmp_path / "run-1"
    folder.mkdir()
    return folder / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """A new journal, driven under epoch 1."""
    journal = Journal.create(path, durable=False)
    journal.add_driver(0, driven(1))
    yield journal
    journal.close()
