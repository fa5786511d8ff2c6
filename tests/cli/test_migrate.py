"""`runbook migrate`, with the shipped Arc book and a newer one in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook import assets
from runbook.core.entry import Kind
from runbook.core.state import NodeState, RunState
from runbook.engine.engine import Until
from runbook.home import journal_path
from runbook.journal import lease
from runbook.journal.store import Journal
from runbook.wiring import Wish, create_run
from tests.cli.conftest import Shell
from tests.crash.harness import RUN, entries_of
from tests.journeys.scenes import MAIN, drive, no_words

REGION = "location: ${inputs.location}\n      who: the Arc-enabled servers team at Microsoft"


@pytest.fixture
def newer(tmp_path: Path) -> str:
    """Version 2 of the Arc book: the edition is found out otherwise, a check is gone, one comes on top."""
    text = (assets.path("books") / "arc-private-link.yaml").read_text(encoding="utf-8")
    text = text.replace("\nversion: 1\n", "\nversion: 2\n", 1)
    check = "  - id: connection\n"
    assert check in text
    again = text[text.index("  - id: connection\n") : text.index("  - id: rights\n")]
    text = text.replace(again, again + again.replace("id: connection", "id: connection_again", 1), 1)
    text = text.replace("title: Send the request for approval", "title: Ask for approval", 1)
    assert REGION in text
    text = text.replace(REGION, REGION.replace("the Arc-enabled", "all of the Arc-enabled"), 1)
    path = tmp_path / "newer.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture
def run(home: Path) -> Path:
    """A rehearsal that waits for the approval."""
    home.mkdir()
    create_run(home, Wish("arc-private-link", scenario="arc-preview", run=RUN), durable=False)
    drive(home, no_words, until=Until.PARKED)
    return home


def test_the_difference_is_shown_and_nothing_is_written(shell: Shell, run: Path, newer: str) -> None:
    before = entries_of(run)
    ended = shell("migrate", RUN, "--book", newer)
    assert ended.code == 10
    assert "step connection_again: new" in ended.out
    assert "step request_sent: with, title" in ended.out
    assert "looked at again: request_sent" in ended.out
    assert "Nothing was written" in ended.err
    doc = json.loads(shell("migrate", RUN, "--book", newer, "--json").out)
    assert (doc["from"], doc["to"], doc["again"], doc["left_out"]) == (1, 2, ["request_sent"], {})
    assert entries_of(run) == before


def test_with_a_yes_the_run_goes_on_by_the_newer_book_and_no_word_is_asked_for_twice(
    shell: Shell, run: Path, newer: str
) -> None:
    words = sum(e.kind is Kind.ATTESTED for e in entries_of(run))
    assert shell("migrate", RUN, "--book", newer, "--yes").code == 0
    assert json.loads(shell("status", RUN, "--json").out)["run"]["book_version"] == 2
    ended = shell("migrate", RUN, "--book", newer)
    assert (ended.code, "nothing to move" in ended.err) == (0, True)
    played = drive(run)
    assert played.view.state is RunState.DONE
    assert played.view.nodes["connection_again"].state is NodeState.DONE
    said = [e for e in played.entries if e.kind is Kind.ATTESTED and e.node == "request_sent"]
    assert len(said) == 1
    assert sum(e.kind is Kind.ATTESTED for e in played.entries) >= words
    sent = [(e.node, e.data["digest"]) for e in played.entries if e.kind is Kind.INTENDED]
    assert len(sent) == len(set(sent))
    assert "Moved from version 1 of the book to version 2" in shell("report", RUN).out


def test_a_run_keeps_its_book_whatever_becomes_of_the_file(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    text = (assets.path("books") / "arc-private-link.yaml").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    create_run(home, Wish(str(path), scenario="arc-preview", run=RUN), durable=False)
    half = drive(home, no_words, until=Until.PARKED)
    path.write_text("this is no book any more", encoding="utf-8")
    played = drive(home)
    assert played.view.state is RunState.DONE
    assert played.view.book == half.view.book
    assert f"approval[{MAIN}]" in played.view.nodes


def test_what_cannot_be_moved_is_told(shell: Shell, run: Path, newer: str) -> None:
    assert shell("migrate", RUN, "--book", newer, "--set", "location=northeurope").code == 2
    assert shell("migrate", RUN, "--book", "avd-private-link").code == 2
    journal = Journal.open(journal_path(run, RUN))
    held = lease.take(journal)
    assert shell("migrate", RUN, "--book", newer, "--yes").code == 6
    assert shell("migrate", RUN, "--book", newer).code == 10, "looking disturbs nobody"
    held.release()
    journal.close()
