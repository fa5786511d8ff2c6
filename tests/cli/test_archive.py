"""``runbook archive`` and what the listings make of it; what the home screen is given; places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.cli.desk import Desk
from runbook.cli.places import MOST_BYTES, keep, place_path, recall
from runbook.cli.report import write_report
from runbook.core.error import UsageError
from runbook.home import run_dir
from runbook.tui.memory import Place
from tests.cli.conftest import Shell


def listed(shell: Shell, *options: str) -> list[tuple[str, bool]]:
    return [(run["id"], run.get("archived", False)) for run in json.loads(shell("runs", "--json", *options).out)]


def test_a_run_that_is_put_away_is_listed_only_when_all_are_asked_for(finished: Path, shell: Shell) -> None:
    ended = shell("archive", "arc")
    assert (ended.code, ended.out) == (0, "")
    assert "archive arc --undo" in ended.err
    assert listed(shell) == []
    assert listed(shell, "--all") == [("arc", True)]
    assert "archived" in shell("runs", "--all").out
    ended = shell("status", "arc")
    assert ended.code == 2
    assert "archive arc --undo" in ended.err
    assert shell("archive", "arc", "--undo").code == 0
    assert listed(shell) == [("arc", False)]
    assert shell("status", "arc").code == 0


def test_an_unfinished_run_needs_a_word(parked: Path, shell: Shell) -> None:
    ended = shell("archive", "arc")
    assert ended.code == 2
    assert "--unfinished" in ended.err
    assert shell("archive", "arc", "--unfinished").code == 0
    assert shell("archive", "arc", "--undo", "--unfinished").code == 2


def test_what_is_not_there_is_told(finished: Path, shell: Shell) -> None:
    assert shell("archive", "nobody").code == 2
    assert "not put away" in shell("archive", "arc", "--undo").err


def test_the_home_screen_is_told_of_runs_and_books(finished: Path) -> None:
    desk = Desk(finished)
    (run,) = desk.runs()
    assert run.summary is not None
    assert run.summary.state == "done"
    told = desk.told_of_run(run)
    assert len(told.entries) == 6
    assert told.past is not None
    assert told.past.runs == 1
    book = desk.told_of_book("arc-private-link")
    assert book.past is not None
    assert book.live is not None
    assert (book.past.runs, book.live.runs) == (1, 0)
    assert list(desk.runs(True)) == []


def test_a_second_run_learns_from_the_first(finished: Path) -> None:
    from runbook.cli.reading import view_of
    from runbook.wiring import Wish, create_run

    run = create_run(finished, Wish("arc-private-link"), durable=False)
    ask = Desk(finished).memory().expected
    assert ask is not None
    known = ask(view_of(finished, run)[0])
    assert any(step == "approval" for step, _ in known)


def test_the_report_of_the_home_screen_never_writes_over_a_file_unasked(finished: Path, tmp_path: Path) -> None:
    target = tmp_path / "r.html"
    assert write_report(finished, "arc", target) == []
    assert "<html" in target.read_text("utf-8")[:200]
    target.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        write_report(finished, "arc", target)
    assert target.read_text("utf-8") == "mine"
    write_report(finished, "arc", target, over=True)
    assert target.read_text("utf-8") != "mine"


def test_a_place_is_kept_for_its_operator_alone(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(("node", "resource_group"), "Plan", follows=False)
    assert recall(finished, "arc") is None
    keep(finished, "arc", place)
    assert recall(finished, "arc") == place
    assert [p.name for p in run_dir(finished, "arc").glob("*place*")] == [place_path(finished, "arc").name]
    monkeypatch.setattr("runbook.cli.places.account", lambda: "somebody else")
    assert recall(finished, "arc") is None


def test_a_place_that_cannot_be_read_or_written_is_simply_not_known(finished: Path) -> None:
    path = place_path(finished, "arc")
    for text in ("", "{", "[]", '{"row": 1}', "\ud7ff", "x" * (MOST_BYTES + 1)):
        path.write_text(text, encoding="utf-8")
        assert recall(finished, "arc") is None
    path.write_bytes(b"\xff\xfe")
    assert recall(finished, "arc") is None
    keep(finished, "nobody", Place())
    keep(finished, "../evil", Place())
    assert recall(finished, "../evil") is None
