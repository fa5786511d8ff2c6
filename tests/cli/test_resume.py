from __future__ import annotations

import json
from pathlib import Path

from runbook.home import journal_path
from runbook.journal import lease
from runbook.journal.store import Journal
from tests.cli.conftest import Shell


def test_without_a_name_the_newest_unfinished_run_goes_on(shell: Shell, parked: Path) -> None:
    ended = shell("resume", "--headless")
    assert ended.code == 4
    assert "Run arc" in ended.err


def test_without_any_unfinished_run_there_is_nothing_to_resume(shell: Shell, finished: Path) -> None:
    ended = shell("resume", "--headless")
    assert ended.code == 2
    assert "no unfinished run" in ended.err


def test_a_finished_run_stays_finished(shell: Shell, finished: Path) -> None:
    before = shell("journal", "check", "arc").out
    assert shell("resume", "arc", "--headless").code == 0
    assert shell("journal", "check", "arc").out == before


def test_an_unknown_run_is_answered_with_near_names(shell: Shell, parked: Path) -> None:
    ended = shell("resume", "ark", "--headless")
    assert ended.code == 2
    assert "Did you mean arc" in ended.err


def test_time_that_went_by_is_written_down(shell: Shell, parked: Path) -> None:
    before = json.loads(shell("status", "arc", "--json").out)["run"]["updated_at"]
    assert shell("resume", "arc", "--headless", "--away", "1d12h").code == 4
    after = json.loads(shell("status", "arc", "--json").out)["run"]["updated_at"]
    assert before < after
    assert before[:10] != after[:10]
    assert "1 d 12 h went by while nobody drove" in shell("report", "arc").out


def test_a_driven_run_is_left_alone_and_says_who_drives_it(shell: Shell, parked: Path) -> None:
    journal = Journal.open(journal_path(parked, "arc"))
    held = lease.take(journal)
    try:
        for args in (
            ("resume", "arc", "--headless"),
            ("resume", "arc", "--plain"),
            ("answer", "arc", "resource_group", "approve"),
            ("abort", "arc"),
        ):
            ended = shell(*args)
            assert ended.code == 6
            assert "process" in ended.err
            assert "since" in ended.err
        assert "process" in json.loads(shell("runs", "--json").out)[0]["driver"]
        assert shell("resume", "arc", "--headless", "--take-over").code == 4
    finally:
        held.release()
        journal.close()


def test_a_cloud_that_is_gone_is_told(shell: Shell, parked: Path) -> None:
    (parked / "runs" / "arc" / "cloud.db").unlink()
    ended = shell("resume", "arc", "--headless")
    assert ended.code == 1
    assert "simulated cloud of this run is gone" in ended.err
    assert shell("status", "arc").code == 0
