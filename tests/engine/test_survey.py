"""What a plan may say, over the tiny cloud. Every test also proves that nothing was written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runbook.book import Book
from runbook.core.arm import Json
from runbook.core.clock import VirtualClock
from runbook.core.entry import Entry, Kind
from runbook.core.error import NotSent, Refused, Throttled
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.engine.survey import Finding, survey
from runbook.engine.world import Account, Limits, World
from runbook.journal.fold import fold
from tests.engine.tiny import START_MS, SUB, Nowhere, Rig, TinyArm, created, path_of, tiny_book

FINDER = {"id": "find", "uses": "testing.finder", "with": {"prefix": "vm-"}}
EACH = {"id": "each", "needs": ["find"], "for_each": "${nodes.find.outputs.names}", "with": {"name": "on-${item}"}}


def fresh(book: Book, inputs: Mapping[str, Any] | None = None) -> RunView:
    data = created(book, dict(inputs or {}), {SUB: "Lab"})
    return fold(RunView(), [Entry(1, START_MS, Kind.RUN_CREATED, None, None, data, "")])


def world(arm: TinyArm) -> World:
    return World(arm, Nowhere(), VirtualClock(START_MS), Account("anna@example.org", "tenant", "AzureCloud"))


async def plan(
    *steps: dict[str, Any], arm: TinyArm | None = None, inputs: Mapping[str, Any] | None = None
) -> dict[str, Finding]:
    cloud = arm or TinyArm()
    book = tiny_book(*steps, inputs={"really": {"type": "boolean", "prompt": "?"}} if inputs else None)
    before = dict(cloud.resources)
    found = await survey(book, fresh(book, inputs), world(cloud))
    assert cloud.writes == []
    assert cloud.resources == before
    return {f.node.id: f for f in found}


async def test_a_change_and_a_change_behind_it_are_told_and_neither_is_sent() -> None:
    found = await plan({"id": "a"}, {"id": "b", "needs": ["a"]}, {"id": "c", "needs": ["b"]})
    assert {f.verdict for f in found.values()} == {"change"}
    assert [f.after for f in found.values()] == [(), ("a",), ("b",)]
    assert found["a"].node.state is NodeState.READY
    assert found["a"].node.changes[0]["title"] == "Make a"


async def test_what_is_there_is_satisfied_with_the_checks_that_were_read() -> None:
    found = await plan({"id": "a"}, arm=TinyArm({path_of("a"): {}}))
    assert found["a"].verdict == "satisfied"
    assert found["a"].node.checks[0]["ok"]


async def test_a_rule_that_may_only_miss_what_is_still_to_be_made_is_not_told_as_a_rule() -> None:
    gate = {"uses": "testing.gate", "with": {"name": "a", "blocks": True}}
    found = await plan({"id": "a"}, {"id": "behind", "needs": ["a"], **gate}, {"id": "free", **gate})
    assert found["free"].verdict == "blocked"
    assert found["free"].node.blocked is not None
    behind = found["behind"]
    assert (behind.verdict, behind.after) == ("unknown_until", ("a",))
    assert behind.node.blocked is None
    assert behind.remark == "blocked by closed: the gate is closed"


async def test_behind_a_wait_nothing_is_foretold() -> None:
    gate = {"id": "gate", "uses": "testing.gate", "with": {"name": "key"}}
    found = await plan(gate, {"id": "b", "needs": ["gate"]}, {"id": "c", "needs": ["b"]})
    assert found["gate"].verdict == "waiting"
    assert (found["b"].verdict, found["b"].after) == ("unknown_until", ("gate",))
    assert found["b"].node.changes == ()
    assert found["b"].remark == "change: Make b"
    assert (found["c"].verdict, found["c"].after) == ("unknown_until", ("b",))


async def test_what_holds_so_far_is_not_claimed_but_holds_up_no_change() -> None:
    finder = {**FINDER, "needs": ["a"]}
    found = await plan({"id": "a"}, finder, {"id": "c", "needs": ["find"]})
    assert (found["find"].verdict, found["find"].remark) == ("unknown_until", "satisfied")
    assert found["find"].node.state is NodeState.PENDING
    assert (found["c"].verdict, found["c"].after) == ("change", ("a",))


async def test_outputs_that_hold_only_so_far_are_read_by_nobody() -> None:
    found = await plan({"id": "a"}, {**FINDER, "needs": ["a"]}, EACH, arm=TinyArm({path_of("vm-x"): {"made": "x"}}))
    assert list(found) == ["a", "find", "each"]
    assert (found["each"].verdict, found["each"].after) == ("unknown_until", ("find",))


async def test_outputs_that_were_read_become_nodes() -> None:
    arm = TinyArm({path_of("vm-x"): {"made": "x"}, path_of("vm-y"): {"made": "y"}, path_of("on-vm-x"): {}})
    last = {"id": "last", "needs": [{"step": "each", "all": True}]}
    found = await plan(FINDER, EACH, last, arm=arm)
    assert [f.verdict for f in found.values()] == ["satisfied", "satisfied", "change", "change"]
    assert found["last"].after == ("each[*]",)


async def test_a_parameter_that_reads_what_is_not_made_yet_is_unknown_until_it_is() -> None:
    reader = {"id": "b", "needs": ["a"], "title": "Use ${nodes.a.outputs.id}", "with": {"name": "${'b'}"}}
    with_it = {"id": "c", "needs": ["a"], "with": {"name": "${nodes.a.outputs.id || 'elsewhere'}"}}
    found = await plan({"id": "a"}, reader, with_it)
    assert found["b"].after == found["c"].after == ("a",)
    assert found["b"].verdict == found["c"].verdict == "unknown_until"
    assert found["b"].node.doc["title"] == "Use …"
    assert found["c"].remark == ""  # it was not looked at: it would have looked at something else


@pytest.mark.parametrize("really", [True, False])
async def test_what_is_not_needed_is_told_also_before_anything_else_is_known(really: bool) -> None:
    maybe = {"when": "${inputs.really}", "needs": ["gate"]}
    found = await plan(
        {"id": "gate", "uses": "testing.gate", "with": {"name": "key"}},
        {"id": "b", **maybe, "with": {"name": "${nodes.gate.outputs.polls}"}},
        {"id": "many", **maybe, "for_each": "${nodes.gate.outputs.polls}"},
        inputs={"really": really},
    )
    want = ("unknown_until", NodeState.PENDING) if really else ("satisfied", NodeState.SKIPPED)
    assert (found["b"].verdict, found["b"].node.state) == want
    assert (found["many"].verdict, found["many"].node.state) == want


async def test_a_read_that_is_refused_fails_its_node_and_stops_nobody_else() -> None:
    arm = TinyArm()
    arm.read_errors.append(Refused("no", status=403, arm_code="AuthorizationFailed"))
    found = await plan({"id": "a"}, {"id": "b", "needs": ["a"]}, {"id": "c"}, arm=arm)
    assert (found["a"].verdict, found["a"].node.state) == ("unknown_until", NodeState.FAILED)
    assert found["a"].node.error is not None
    assert (found["b"].verdict, found["b"].after) == ("unknown_until", ("a",))
    assert found["c"].verdict == "change"


async def test_a_throttled_read_is_made_again_and_a_read_that_never_comes_ends() -> None:
    arm = TinyArm()
    arm.read_errors.append(Throttled("later", status=429, arm_code="TooManyRequests", retry_after_s=7))
    assert (await plan({"id": "a"}, arm=arm))["a"].verdict == "change"
    arm.read_errors.extend(NotSent("no network") for _ in range(20))
    failed = (await plan({"id": "a"}, arm=arm))["a"]
    assert failed.node.state is NodeState.FAILED
    assert arm.read_errors


async def test_a_change_outside_the_pinned_subscriptions_fails_as_in_a_run() -> None:
    book = tiny_book({"id": "a"})
    data = created(book, {}, {"99999999-9999-9999-9999-999999999999": "Other"})
    view = fold(RunView(), [Entry(1, START_MS, Kind.RUN_CREATED, None, None, data, "")])
    (found,) = await survey(book, view, world(TinyArm()))
    assert found.node.error is not None
    assert found.node.error["code"] == "outside_pinned"


async def test_what_a_run_has_approved_is_not_sent_by_its_plan(tmp_path: Path) -> None:
    book = tiny_book({"id": "a"}, {"id": "b", "needs": ["a"]})
    arm = TinyArm()
    rig = Rig(tmp_path, book, arm, approve=False)
    await rig.engine.run()
    rig.engine.close()
    await rig.approve_shown()
    view = rig.view
    rig.close()
    assert view.nodes["a"].is_approved
    found = await survey(book, view, world(arm))
    assert [f.verdict for f in found] == ["change", "change"]
    assert arm.writes == []


async def test_what_a_run_has_done_is_taken_as_done_and_its_outputs_are_read(tmp_path: Path) -> None:
    arm = TinyArm({path_of("vm-x"): {"made": "x"}})
    book = tiny_book(FINDER, EACH)
    rig = Rig(tmp_path, book, arm, approve=False)
    await rig.engine.run()
    view = rig.view
    rig.close()
    arm.resources[path_of("vm-y")] = {"made": "y"}
    found = {f.node.id: f.verdict for f in await survey(book, view, world(arm))}
    assert found == {"find": "satisfied", "each[vm-x]": "change"}


class Busy(TinyArm):
    """Counts looks that are under way at once."""

    now = 0
    most = 0

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return await super().get(path, api_version, **query)


async def test_thousands_of_nodes_are_looked_at_side_by_side_within_bounds_and_always_alike() -> None:
    arm = Busy({path_of(f"vm-{n:04}"): {"made": f"{n:04}"} for n in range(1500)})
    last = {"id": "last", "for_each": EACH["for_each"], "needs": ["find", "each"], "with": {"name": "l-${item}"}}
    book = tiny_book(FINDER, EACH, last)
    found = await survey(book, fresh(book), world(arm), Limits(activities=16))
    assert len(found) == 3001
    assert arm.most == 16
    assert sum(f.verdict == "change" for f in found) == 3000
    assert found[-1].after == ("each[vm-1499]",)
    assert await survey(book, fresh(book), world(arm), Limits(activities=5)) == found
    assert arm.writes == []
