"""Looking cannot write, leaves no trace, and disturbs nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from runbook.core.arm import Request
from runbook.core.clock import VirtualClock
from runbook.core.error import Damaged, NotSent, RunUnknown, UsageError
from runbook.core.state import NodeState
from runbook.engine.engine import Until
from runbook.home import run_dir
from runbook.journal import lease
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.sim.cloud import Cloud, scenario_of
from runbook.sim.scenario_files import list_scenarios
from runbook.sim.state import State, copy_of
from runbook.wiring import Lookout, Wish, create_run, look_again, look_ahead, open_run
from tests.crash.harness import RUN, begin, play
from tests.journeys.scenes import HOME, SCOPE, scene

BOOK = "arc-private-link"
ARC = sorted(name for name in list_scenarios() if name.startswith("arc-"))


def files(folder: Path) -> dict[str, str]:
    """Every file with its digest, but for what SQLite keeps to share a file among its readers."""
    found = [p for p in folder.rglob("*") if p.is_file() and not p.name.endswith("-shm")]
    return {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in found if p.stat().st_size}


def finished(home: Path, scenario: str = "arc-ga") -> None:
    begin(home, scenario)
    assert play(home).view.state == "done"


def by_hand(home: Path, act: Callable[[Cloud], None]) -> None:
    """Somebody changes the cloud of a run while nobody drives it."""
    state = State(run_dir(home, RUN) / "cloud.db", durable=False)
    scenario = scenario_of(state)
    assert scenario is not None
    cloud = Cloud(scenario, VirtualClock(state.latest_ms), state)
    act(cloud)
    state.commit(cloud.now_ms)
    state.close()


def dump(lookout: Lookout) -> str:
    resources = lookout.transport.cloud.state.dump()["resources"]
    return json.dumps(resources, sort_keys=True)


@pytest.mark.parametrize("scenario", ARC)
def test_a_plan_of_every_scenario_reads_and_nothing_else_reaches_the_cloud(scenario: str) -> None:
    lookout = look_ahead(Wish(BOOK, scenario=scenario))
    methods: list[str] = []
    lookout.transport.before_send = lambda request: methods.append(request.method)
    before = dump(lookout)
    found = asyncio.run(lookout.survey())
    assert "change" in {f.verdict for f in found}
    assert set(methods) == {"GET"}
    assert lookout.transport.writes == []
    assert dump(lookout) == before
    assert not [f.node.id for f in found if f.node.state is NodeState.FAILED]


async def test_a_write_through_a_plans_own_client_is_held_back() -> None:
    lookout = look_ahead(Wish(BOOK, scenario="arc-ga"))
    reached: list[str] = []
    lookout.transport.before_send = lambda request: reached.append(request.method)
    put = Request("PUT", HOME, "2021-04-01", {"location": "westeurope"})
    with pytest.raises(NotSent, match="only reads"):
        await lookout.world.arm.write(put, "11111111-1111-4111-8111-111111111111")
    assert reached == []
    assert lookout.transport.cloud.find(HOME) is None


def test_a_plan_leaves_nothing_on_the_disk(tmp_path: Path, clean_environment: Path) -> None:
    asyncio.run(look_ahead(Wish(BOOK, scenario="arc-ga")).survey())
    assert files(tmp_path) == {}


def test_a_plan_foretells_what_its_run_asks_for_first(tmp_path: Path) -> None:
    found = asyncio.run(look_ahead(Wish(BOOK, scenario="arc-ga")).survey())
    told = {f.node.id: [c["digest"] for c in f.node.changes] for f in found if f.verdict == "change" and not f.after}
    create_run(tmp_path, Wish(BOOK, scenario="arc-ga", run=RUN), durable=False)

    async def drive() -> dict[str, list[str]]:
        session = open_run(tmp_path, RUN, durable=False)
        try:
            view = await session.engine.run(Until.STUCK)
            return {n.id: [c["digest"] for c in n.changes] for n in view.nodes.values() if n.changes}
        finally:
            await session.close()

    assert told == asyncio.run(drive())


def test_the_plan_of_a_finished_run_and_of_its_book_on_the_same_cloud_change_nothing(tmp_path: Path) -> None:
    finished(tmp_path)
    before = files(tmp_path)
    assert {f.verdict for f in asyncio.run(look_again(tmp_path, RUN).survey())} == {"satisfied"}
    assert {c.outcome for c in asyncio.run(look_again(tmp_path, RUN).recheck())} == {"ok", "skipped"}
    assert files(tmp_path) == before


def test_what_somebody_changed_by_hand_is_found_with_what_stands_on_it(tmp_path: Path) -> None:
    finished(tmp_path)

    def reopen(cloud: Cloud) -> None:
        scope = cloud.need(SCOPE)
        scope["properties"]["publicNetworkAccess"] = "Enabled"
        cloud.save(scope)

    by_hand(tmp_path, reopen)
    checked = {c.node.id: c for c in asyncio.run(look_again(tmp_path, RUN).recheck())}
    assert [name for name, c in checked.items() if c.outcome == "drift"] == ["close_public"]
    (diff,) = checked["close_public"].node.changes[0]["diff"]
    assert (diff["before"], diff["after"]) == ("Enabled", "Disabled")


def test_what_a_party_of_the_scenario_does_is_found_once_time_has_passed_and_no_earlier(tmp_path: Path) -> None:
    colleague = {
        "id": "colleague",
        "who": "ben@example.org",
        "at": "90d",
        "do": {"do": "set", "path": SCOPE, "body": {"properties": {"publicNetworkAccess": "Enabled"}}},
    }
    finished(tmp_path, scene(tmp_path, "arc-ga", parties=[colleague]))
    before = files(tmp_path)
    assert "drift" not in {c.outcome for c in asyncio.run(look_again(tmp_path, RUN).recheck())}
    assert files(tmp_path) == before  # time did not pass by looking

    async def stay_away() -> None:
        await open_run(tmp_path, RUN, away_s=100 * 86_400, durable=False).close()

    asyncio.run(stay_away())
    drifted = [c.node.id for c in asyncio.run(look_again(tmp_path, RUN).recheck()) if c.outcome == "drift"]
    assert drifted == ["close_public"]


def test_a_run_that_somebody_drives_is_looked_at_and_its_driver_goes_on(tmp_path: Path) -> None:
    create_run(tmp_path, Wish(BOOK, scenario="arc-ga", run=RUN), durable=False)

    async def drive() -> None:
        session = open_run(tmp_path, RUN, durable=False)
        try:
            await session.engine.run(Until.STUCK)
            lookout = look_again(tmp_path, RUN)
            assert lookout.driver is not None
            checked = await lookout.recheck()
            assert {"ok", "not_done"} <= {c.outcome for c in checked}
            session.cloud.state.put("counters", "mine", {"n": 1})
            session.cloud.state.commit(session.now_ms())  # raises CloudLost if looking had taken the cloud
        finally:
            await session.close()

    asyncio.run(drive())
    journal = Journal.open(run_dir(tmp_path, RUN) / "journal.db", write=False)
    assert len(journal.drivers()) == 1  # looking was no driving
    assert lease.driver(journal) is None
    assert load_view(journal).id == RUN
    journal.close()


def test_a_copy_of_a_cloud_is_whole_and_no_longer_bound_to_its_file(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    owner = State(path, durable=False)
    owner.put("resources", "a", {"id": "a", "n": 1})
    owner.commit(5_000)
    copy = copy_of(path)
    assert (copy.dump(), copy.latest_ms) == (owner.dump(), 5_000)
    copy.put("resources", "a", {"id": "a", "n": 2})
    copy.commit(6_000)
    owner.put("resources", "b", {"id": "b"})
    owner.commit(7_000)
    owner.close()
    assert set(copy_of(path).dump()["resources"]) == {"a", "b"}
    assert copy_of(path).get("resources", "a") == {"id": "a", "n": 1}


def test_what_cannot_be_looked_at_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunUnknown):
        look_again(tmp_path, "nowhere")
    create_run(tmp_path, Wish(BOOK, scenario="arc-ga", run=RUN), durable=False)
    (run_dir(tmp_path, RUN) / "cloud.db").unlink()
    with pytest.raises(Damaged, match="gone"):
        look_again(tmp_path, RUN)
    with pytest.raises(UsageError, match="no mode 'live' with a scenario"):
        look_ahead(Wish(BOOK, mode="live"))


def test_a_look_tells_how_far_it_has_come() -> None:
    heard: list[tuple[int, int]] = []
    asyncio.run(look_ahead(Wish(BOOK, scenario="arc-ga")).survey(lambda done, of: heard.append((done, of))))
    assert [done for done, _ in heard] == list(range(1, len(heard) + 1))
    assert {of for _, of in heard} == {len(heard)}
