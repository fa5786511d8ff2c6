from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cli.conftest import Shell


def copied(source: Path, home: Path, name: str) -> None:
    shutil.copytree(source / "runs" / "arc", home / "runs" / name)


def test_a_run_beside_its_copy_is_equal(shell: Shell, finished: Path) -> None:
    copied(finished, finished, "again")
    ended = shell("compare", "arc", "again")
    assert ended.code == 0
    assert "Nothing was decided, done or met otherwise." in ended.out
    doc = json.loads(shell("compare", "arc", "again", "--json").out)
    assert (doc["equal"], doc["form"], doc["differences"]) == (True, 1, [])


def test_a_run_that_differs_is_told_with_both_sides_and_exit_code_11(
    shell: Shell, finished: Path, parked_home: Path
) -> None:
    copied(parked_home, finished, "early")
    ended = shell("compare", "arc", "early")
    assert ended.code == 11
    assert "state: done | pending" in ended.out
    assert "state: done | needs operator" in ended.out
    assert "·" not in ended.out.partition("Network")[0]
    doc = json.loads(shell("compare", "early", "arc", "--json").out)
    assert doc["equal"] is False
    assert doc["right"]["state"] == "done"
    for item in doc["differences"]:
        assert set(item) == {"kind", "phase", "title", "left", "right", "importance", "fields"}
        assert item["importance"] in ("grave", "decided", "minor")
        assert item["fields"]
    assert len(shell("compare", "arc", "early", "--all").out) > len(ended.out)


def test_runs_of_two_books_are_not_compared(shell: Shell, finished: Path) -> None:
    shell("rehearse", "avd-private-link", "--headless", "--run-id", "avd")
    ended = shell("compare", "arc", "avd")
    assert ended.code == 2
    assert "two runs of the same book" in ended.err
    assert ended.out == ""


def test_a_run_that_is_not_there_or_damaged_is_told(shell: Shell, finished: Path) -> None:
    assert shell("compare", "arc", "nobody").code == 2
    broken = finished / "runs" / "broken"
    broken.mkdir()
    (broken / "journal.db").write_bytes(b"no journal at all" * 400)
    ended = shell("compare", "arc", "broken")
    assert ended.code == 1
    assert "damaged" in ended.err
