"""From looking on to driving, in plain lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.cli.reading import view_of
from runbook.core.error import LeaseLost
from runbook.core.state import NodeState
from runbook.home import journal_path
from runbook.journal import lease
from runbook.journal.store import Journal
from tests.cli.test_plain_whole import said


@pytest.fixture
def driven(parked: Path) -> Iterator[Journal]:
    """A run that waits for its first approvals, with a driver that is alive."""
    journal = Journal.open(journal_path(parked, "arc"))
    held = lease.take(journal)
    yield journal
    held.release()
    journal.close()


def done(home: Path) -> int:
    return sum(node.state is NodeState.DONE for node in view_of(home, "arc")[0].nodes.values())


def test_who_looks_on_drives_where_nobody_does(parked: Path) -> None:
    before = done(parked)
    _, told = said("look 1", "drive", "approve", "quit", "quit", to=("--plain",))
    assert "nobody drives it" in told
    assert "Approve, skip, retry, later, quit?" in told
    assert done(parked) > before


def test_who_looks_on_takes_over_from_a_driver_that_is_alive_and_says_why(parked: Path, driven: Journal) -> None:
    before = done(parked)
    epoch = driven.drivers()[-1].epoch
    _, told = said("1", "drive", "", "drive", "she is ill", "approve", "quit", "quit", to=("--plain",))
    for words in ("which is alive", "Ask them first, if you can.", "Why? They see it"):
        assert told.count(words) == 2, words
    assert done(parked) > before
    with pytest.raises(LeaseLost) as lost:
        driven.check_epoch(epoch)
    assert "she is ill" in lost.value.message


def test_who_drives_is_told_so(parked: Path) -> None:
    _, told = said("1", "drive", "quit", "quit", to=("--plain",))
    assert "You drive this run already." in told
