from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from runbook.cli.exits import Exit, of_verified, of_verify
from runbook.cli.planning import WIDTH
from runbook.cli.watching import SHORTEST_S, watch
from runbook.core.clock import VirtualClock
from runbook.core.error import NotSent, RunbookError
from runbook.core.state import NodeState
from runbook.engine.recheck import Outcome, Recheck
from runbook.sim.cloud import Cloud, scenario_of
from runbook.sim.providers.insights import record
from runbook.sim.state import State
from runbook.wiring.verify import Verified
from tests.cli.conftest import Shell
from tests.cli.test_exits import view
from tests.journeys.scenes import SCOPE


def reopen(home: Path) -> None:
    """A colleague opens the scope to public networks again, by hand."""
    state = State(home / "runs" / "arc" / "cloud.db", durable=False)
    scenario = scenario_of(state)
    assert scenario is not None
    cloud = Cloud(scenario, VirtualClock(state.latest_ms), state)
    scope = cloud.need(SCOPE)
    scope["properties"]["publicNetworkAccess"] = "Enabled"
    cloud.save(scope)
    state.commit(cloud.now_ms)
    state.close()


def test_a_run_whose_work_stands_has_no_drift_and_stays_as_it_is(shell: Shell, finished: Path) -> None:
    files = [finished / "runs" / "arc" / name for name in ("journal.db", "cloud.db")]
    before = [file.read_bytes() for file in files]
    ended = shell("verify", "arc")
    assert ended.code == 0
    assert "as the run left them" in ended.out
    assert "drifted" not in ended.out
    assert [file.read_bytes() for file in files] == before


def test_drift_is_told_with_the_diff_and_the_command_that_puts_it_right(shell: Shell, finished: Path) -> None:
    reopen(finished)
    ended = shell("verify", "arc")
    assert ended.code == 11
    assert "≠ drift        close_public: Close the scope to public networks" in ended.out
    assert "Enabled becomes Disabled" in ended.out
    assert "» DISRUPTIVE:" in ended.out
    assert "$ az " in ended.out
    assert "1 drifted" in ended.out
    lines = [line for line in ended.out.splitlines() if len(line) > WIDTH and "$ az" not in line]
    assert [line for line in lines if len(line.split()) > 1] == []


def test_drift_as_json_has_the_published_form(shell: Shell, finished: Path) -> None:
    reopen(finished)
    ended = shell("verify", "arc", "--json")
    assert ended.code == 11
    doc = json.loads(ended.out)
    assert set(doc) == {"run", "nodes", "names", "names_unread", "totals"}
    assert doc["run"]["id"] == "arc"
    assert doc["totals"]["drift"] == 1
    node = next(n for n in doc["nodes"] if n["outcome"] == "drift")
    assert (node["id"], node["state"], node["verdict"], node["after"]) == ("close_public", "done", "change", [])
    assert node["diff"][0]["before"] == "Enabled"
    assert node["commands"]
    assert {n["outcome"] for n in doc["nodes"]} == {"drift", "ok", "skipped"}


def test_what_is_not_done_is_listed_and_is_no_drift(shell: Shell, parked: Path) -> None:
    ended = shell("verify", "arc")
    assert ended.code == 0
    assert "? not done     resource_group: Make sure resource group rg-arc-privatelink" in ended.out
    assert "of the book have not begun" in " ".join(ended.out.split())


def test_a_run_that_does_not_exist_is_told(shell: Shell, home: Path) -> None:
    ended = shell("verify", "nowhere")
    assert ended.code == 2
    assert ended.out == ""
    assert not home.exists()


def test_drift_counts_more_than_what_could_not_be_read() -> None:
    def checked(*outcomes: Outcome) -> list[Recheck]:
        node = view(NodeState.DONE).nodes["n0"]
        return [Recheck(node, outcome) for outcome in outcomes]

    assert of_verify(checked("ok", "skipped", "not_done")) is Exit.DONE
    assert of_verify(checked("ok", "unreadable")) is Exit.FAILED
    assert of_verify(checked("unreadable", "drift")) is Exit.DRIFT


def by_hand(home: Path, alter: Callable[[Cloud], None]) -> None:
    state = State(home / "runs" / "arc" / "cloud.db", durable=False)
    scenario = scenario_of(state)
    assert scenario is not None
    cloud = Cloud(scenario, VirtualClock(state.latest_ms), state)
    alter(cloud)
    state.commit(cloud.now_ms)
    state.close()


def test_drift_says_since_when_and_by_whom(shell: Shell, finished: Path) -> None:
    reopen(finished)
    operation = "Microsoft.HybridCompute/privateLinkScopes/write"

    def write(cloud: Cloud) -> None:
        record(cloud, caller="kim@contoso.com", operation=operation, resource_id=SCOPE, status="Succeeded")

    by_hand(finished, write)
    ended = shell("verify", "arc")
    assert "by kim@contoso.com (HybridCompute/privateLinkScopes/write), by the activity log" in " ".join(
        ended.out.split()
    )
    doc = json.loads(shell("verify", "arc", "--json").out)
    since = next(n["since"] for n in doc["nodes"] if n["outcome"] == "drift")
    assert (since["by"], since["operation"]) == ("kim@contoso.com", operation)


def test_a_name_that_answers_otherwise_is_drift(shell: Shell, finished: Path) -> None:
    def alter(cloud: Cloud) -> None:
        links = [doc for key, doc in cloud.state.items("resources") if "/virtualnetworklinks/" in key]
        for link in links:
            cloud.drop(str(link["id"]))

    by_hand(finished, alter)
    ended = shell("verify", "arc")
    assert ended.code == 11
    assert "≠ name" in ended.out


def test_a_watch_tells_changes_alone_and_ends_with_the_last_verdict() -> None:
    node = view(NodeState.DONE).nodes["n0"]
    good, bad = Verified((Recheck(node, "ok"),)), Verified((Recheck(node, "drift"),))
    looks: Iterator[Verified | RunbookError] = iter([good, good, bad, bad, NotSent("The network is gone."), good])
    slept: list[float] = []
    heard: list[list[str]] = []

    def look() -> Verified:
        found = next(looks)
        if isinstance(found, RunbookError):
            raise found
        return found

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 4:
            raise KeyboardInterrupt

    code = watch(look, of_verified, lambda _, changed: heard.append(list(changed)), sleep, lambda: 0.5, 1)
    assert code is Exit.DRIFT
    assert len(heard) == 2, "the first look, and the one that found drift"
    assert heard[1][0].startswith("≠ drift")
    assert slept == [SHORTEST_S * 1.05] * 4, "never closer than the least, and a little later each time"
    slept.clear()
    heard.clear()

    def sleep_twice(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise KeyboardInterrupt

    code = watch(look, of_verified, lambda _, changed: heard.append(list(changed)), sleep_twice, lambda: 0, 600)
    assert code is Exit.DONE
    assert [slept[0], len(heard)] == [600, 2], "a look that failed is told, and the watch goes on"
