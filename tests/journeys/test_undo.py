"""Rehearsals taken back: the cloud is then as it was before, but for what cannot be taken back, which is listed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.core.command import Abort, Approve, Command
from runbook.core.error import UsageError
from runbook.core.state import RunState
from runbook.core.view import NodeView, RunView
from runbook.home import CLOUD, run_dir
from runbook.sim.cloud import Cloud
from runbook.sim.state import copy_of
from runbook.wiring import Rehearsal, answer_run, open_run
from runbook.wiring.undo import create_undo, look_back
from tests.crash.harness import RUN, begin, contents, play, reply

Change = Callable[[Cloud], None]


def cloud_of(home: Path, run: str = RUN) -> dict[str, Any]:
    return contents(copy_of(run_dir(home, run) / CLOUD))


def taken_back(home: Path, by_hand: Change = lambda _: None) -> tuple[dict[str, Any], RunView]:
    """Undo the run to its end, after somebody else did something; the cloud it ends in."""
    name = create_undo(home, RUN, durable=False)
    if by_hand is not None:
        asyncio.run(_touch(home, name, by_hand))
    played = play(home, run=name)
    return played.cloud, played.view


async def _touch(home: Path, run: str, by_hand: Change) -> None:
    session: Rehearsal = open_run(home, run, durable=False)
    by_hand(session.cloud)
    session.cloud.state.commit(session.cloud.now_ms)
    await session.close()


def differing(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {key: (before.get(key), after.get(key)) for key in {*before, *after} if before.get(key) != after.get(key)}


@pytest.mark.parametrize("scenario", ["arc-ga", "arc-brownfield", "avd-small"])
def test_after_an_undo_the_cloud_is_as_before_but_for_what_is_listed(tmp_path: Path, scenario: str) -> None:
    begin(tmp_path, scenario)
    before = cloud_of(tmp_path)
    done = play(tmp_path)
    assert done.view.state is RunState.DONE
    assert done.cloud != before
    after, view = taken_back(tmp_path)
    assert view.state is RunState.DONE, {n.id: (n.state, n.error, n.blocked) for n in view.nodes.values()}
    left = differing(plain(before), plain(after))
    restarted = {key for key in left if "/runcommands/" in key or key.startswith("agent of ")}
    assert set(left) == restarted, {key: left[key] for key in set(left) - restarted}
    listed = [n for n in view.nodes.values() if n.doc["step"] == "stays"]
    assert any("restart" in n.summary for n in listed) is bool(restarted)
    assert not [n for n in view.nodes.values() if n.outputs.get("left")]


def plain(cloud: dict[str, Any]) -> dict[str, Any]:
    """Without the sessions that a restart ended; open to public networks is what a resource is that says nothing."""
    shown: dict[str, Any] = json.loads(json.dumps(cloud))
    for key, body in shown.items():
        if "/sessionhosts/" in key:
            body["properties"].pop("sessions", None)
        if key.rpartition("/")[0].endswith(("/hostpools", "/workspaces")):
            body["properties"].setdefault("publicNetworkAccess", "Enabled")
    return shown


GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-arc-privatelink"
HIS = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.his.arc.azure.com"


def test_what_others_changed_or_put_inside_since_is_left_alone_and_said(tmp_path: Path) -> None:
    begin(tmp_path, "arc-ga")
    play(tmp_path)

    def by_hand(cloud: Cloud) -> None:
        zone = cloud.need(HIS)
        record = {"id": f"{HIS}/A/printer", "name": "printer", "type": "Microsoft.Network/privateDnsZones/A"}
        cloud.save(
            {**record, "etag": zone["etag"], "properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.9.9.9"}]}}
        )
        rule = next(r for _, r in cloud.state.items("resources") if r["name"] == "AllowAADOutboundAccess")
        rule["properties"]["destinationPortRange"] = "80"
        cloud.save(rule)

    after, view = taken_back(tmp_path, by_hand)
    left = {n.doc["target"].rpartition("/")[2]: n.outputs["left"] for n in view.nodes.values() if n.outputs.get("left")}
    assert set(left) == {"privatelink.his.arc.azure.com", "AllowAADOutboundAccess", "rg-arc-privatelink"}
    assert "printer" in left["privatelink.his.arc.azure.com"]
    assert "destinationPortRange is 80" in left["AllowAADOutboundAccess"]
    assert "it holds privatelink.his.arc.azure.com" in left["rg-arc-privatelink"]
    assert f"{HIS}/a/printer".lower() in after
    assert view.state is RunState.DONE


def test_discovery_stays_while_others_depend_on_it(tmp_path: Path) -> None:
    begin(tmp_path, "avd-small")
    done = play(tmp_path)
    feed = next(key for key, body in done.cloud.items() if key.endswith("/privateendpoints/pe-ws-office-feed"))

    def by_hand(cloud: Cloud) -> None:
        other = json.loads(json.dumps(cloud.need(feed)).replace("pe-ws-office-feed", "pe-of-others"))
        cloud.save(other)

    after, view = taken_back(tmp_path, by_hand)
    kept = {n.doc["target"].rpartition("/")[2] for n in view.nodes.values() if n.outputs.get("left")}
    assert kept >= {"pe-ws-discovery-global", "ws-discovery", "keep-feed-discovery"}
    assert any(key.endswith("/locks/keep-feed-discovery") for key in after)
    assert view.state is RunState.DONE


def test_a_plan_tells_every_call_and_leaves_both_clouds_as_they_are(tmp_path: Path) -> None:
    begin(tmp_path, "arc-ga")
    play(tmp_path)
    before = cloud_of(tmp_path)
    lookout, undo = look_back(tmp_path, RUN)
    findings = asyncio.run(lookout.survey())
    backs = [f for f in findings if f.node.doc["step"] != "stays"]
    assert len(backs) == len(undo.takebacks)
    assert all(len(f.node.changes) == 1 for f in backs)
    assert {f.node.changes[0]["method"] for f in backs} == {"DELETE", "PUT", "PATCH"}
    created = create_undo(tmp_path, RUN, durable=False)
    play(tmp_path, run=created)
    assert cloud_of(tmp_path) == before, "a rehearsal is taken back on a copy"


def test_a_run_that_goes_on_is_not_taken_back(tmp_path: Path) -> None:
    begin(tmp_path, "arc-ga")
    with pytest.raises(UsageError, match="is not over"):
        create_undo(tmp_path, RUN, durable=False)


@pytest.mark.parametrize("sends", [6, 9, 14])
def test_a_run_that_was_given_up_halfway_is_taken_back(tmp_path: Path, sends: int) -> None:
    """Wherever it stops, the undo knows what took effect."""
    begin(tmp_path, "arc-ga")
    before = cloud_of(tmp_path)
    given = 0

    def some(node: NodeView) -> Command | None:
        nonlocal given
        command = reply(node)
        given += isinstance(command, Approve)
        return None if isinstance(command, Approve) and given > sends else command

    played = play(tmp_path, answer=some)
    assert played.view.state is RunState.NEEDS_OPERATOR
    answer_run(tmp_path, RUN, Abort("given up"))
    after, view = taken_back(tmp_path)
    assert view.state is RunState.DONE
    assert differing(before, after) == {}
