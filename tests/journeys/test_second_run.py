"""What a finished cloud looks like to a run that knows nothing of the first, and to one that must find the edition."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from runbook.core.state import RunState
from runbook.home import CLOUD, run_dir
from runbook.wiring import Wish, create_run
from tests.crash.harness import RUN
from tests.journeys.scenes import drive, proposed, rehearse, stuck

SCENARIOS = ("arc-preview", "arc-ga", "arc-brownfield", "arc-trouble")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_second_run_on_the_finished_cloud_asks_for_no_change_at_all(tmp_path: Path, scenario: str) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert rehearse(first, scenario).view.state is RunState.DONE
    create_run(second, Wish("arc-private-link", scenario=scenario, run=RUN), durable=False)
    shutil.copy(run_dir(first, RUN) / CLOUD, run_dir(second, RUN) / CLOUD)
    again = drive(second)
    assert (again.view.state, stuck(again)) == (RunState.DONE, {})
    assert proposed(again) == []
    assert sum(again.writes.values()) == 0


@pytest.mark.parametrize(
    ("scenario", "edition"),
    [("arc-preview", "preview"), ("arc-ga", "ga"), ("arc-brownfield", "preview"), ("arc-trouble", "preview")],
)
def test_left_to_find_out_the_edition_is_the_one_the_scenario_is_of(
    tmp_path: Path, scenario: str, edition: str
) -> None:
    played = rehearse(tmp_path, scenario, edition="auto", answer=lambda node: None)
    assert played.view.nodes["edition"].outputs["edition"] == edition
