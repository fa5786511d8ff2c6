"""Shared reads: what is asked of ARM is counted, and nothing stale is ever judged."""

from __future__ import annotations

import asyncio
import copy
import json
import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from runbook.core.arm import Answered, Json, Request
from runbook.core.clock import VirtualClock
from runbook.core.error import Refused, Throttled
from runbook.core.state import NodeState, RunState
from runbook.engine import reading
from runbook.engine.reading import SharedReader, freeze
from runbook.step import Change, Changes, Satisfied, Step, StepContext, Verdict, expect
from tests.engine.tiny import SUB, Rig, TinyArm, path_of, tiny_book

ALL = f"/subscriptions/{SUB}/things"
VERSION = "2024-01-01"


class Estate(TinyArm):
    """Counts what is read; objects name themselves, as ARM's do."""

    def __init__(self, *names: str) -> None:
        super().__init__({path_of(name): {"id": path_of(name), "name": name} for name in names})
        self.gets: Counter[str] = Counter()
        self.lists: Counter[str] = Counter()
        self.refusal: Refused | Throttled | None = None
        self.blind = False

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        self.gets[path] += 1
        await asyncio.sleep(0)
        return await super().get(path, api_version, **query)

    async def list(self, path: str, api_version: str, **query: str) -> list[Json]:
        self.lists[path] += 1
        await asyncio.sleep(0)
        if self.refusal is not None:
            raise self.refusal
        found = await super().list(path, api_version, **query)
        return [doc for doc in found if not (self.blind and "made" in doc)]

    async def write(self, request: Request, client_request_id: str) -> Answered:
        answer = await super().write(request, client_request_id)
        self.resources[request.path]["id"] = request.path
        return answer


class Member(Step):
    """Wants one member of a collection to exist, as an endpoint is one of many."""

    @dataclass(frozen=True, slots=True)
    class Params:
        name: str

    async def observe(self, ctx: StepContext) -> Verdict:
        path = path_of(self.params.name)
        if await ctx.arm.member(path, VERSION, ALL) is None:
            return Changes((Change("Make it", "PUT", path, VERSION, {"made": self.params.name}),))
        return Satisfied((expect("exists", "yes", "yes"),))


class Large(Step):
    """Reads a dozen objects in one look."""

    @dataclass(frozen=True, slots=True)
    class Params:
        names: tuple[str, ...]

    async def observe(self, ctx: StepContext) -> Verdict:
        found = [await ctx.arm.get(path_of(name), VERSION) for name in self.params.names]
        return Satisfied((expect("read", len(found), len([doc for doc in found if doc])),))


class Grudging(Estate):
    """Five single reads, and then ARM says "too many" once."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.left = 5

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        if self.left == 0:
            self.left = 5
            raise Throttled("slow down", retry_after_s=1, status=429, arm_code="TooManyRequests")
        self.left -= 1
        return await super().get(path, api_version, **query)


class World:
    """A reader over an estate, and the counter its looks become due by."""

    def __init__(self, *names: str) -> None:
        self.estate = Estate(*names)
        self.clock = VirtualClock(1_000)
        self.moment = partial(next, count(1))
        self.is_fenced = False
        self.shared = SharedReader(self.estate, self.clock, self._fence, self.moment)

    def _fence(self) -> None:
        if self.is_fenced:
            raise RuntimeError("taken over")

    async def member(self, name: str, due: int | None, *, has_sent: bool = False) -> Json | None:
        return await self.shared.due(due, has_sent=has_sent).member(path_of(name), VERSION, ALL)

    async def listed(self, due: int | None) -> list[Json]:
        return await self.shared.due(due, has_sent=False).list(ALL, VERSION)


@pytest.fixture
def many(tmp_path: Path) -> Rig:
    """Two hundred nodes, each about an object of its own; half of the objects are there."""
    module = ModuleType("steps.testing.member")
    vars(module)["Member"] = Member
    names = [f"pe-{n:03}" for n in range(200)]
    each = {"id": "each", "uses": "testing.member", "for_each": names, "with": {"name": "${item}"}}
    book = tiny_book(each)
    sys.modules[module.__name__] = module
    return Rig(tmp_path, book, Estate(*names[:100]))


async def test_two_hundred_nodes_that_look_at_once_cost_a_list_and_not_two_hundred_calls(many: Rig) -> None:
    arm = many.arm
    assert isinstance(arm, Estate)
    await many.engine.run()
    assert many.outcome() is RunState.DONE
    there = [f"pe-{n:03}" for n in range(100)]
    assert sum(arm.gets[path_of(name)] for name in there) == reading.ALONE
    assert arm.lists[ALL] <= 13, "one for all who look first, and one for each handful that is approved at once"
    made = [f"pe-{n:03}" for n in range(100, 200)]
    assert all(arm.gets[path_of(name)] <= 2 for name in made), "before its write, perhaps, and after it"


@pytest.fixture
def large(tmp_path: Path) -> Rig:
    module = ModuleType("steps.testing.large")
    vars(module)["Large"] = Large
    names = [f"t-{n:02}" for n in range(12)]
    book = tiny_book({"id": "large", "uses": "testing.large", "with": {"names": names}})
    sys.modules[module.__name__] = module
    return Rig(tmp_path, book, Grudging(*names))


async def test_a_look_that_was_turned_away_goes_on_where_it_stopped(large: Rig) -> None:
    arm = large.arm
    assert isinstance(arm, Grudging)
    await large.engine.run()
    assert large.outcome() is RunState.DONE
    assert set(arm.gets.values()) == {1}, "twelve reads in three tries, none of them twice"
    assert large.view.nodes["large"].attempts == 3


async def test_a_look_that_is_asked_for_now_takes_nothing_from_one_that_was_turned_away(large: Rig) -> None:
    arm = large.arm
    assert isinstance(arm, Grudging)
    await large.engine.run()
    node = large.view.nodes["large"]
    arm.gets.clear()
    for arm.left in (5, 12):
        await large.engine._machine.look(node, lambda: large.view, lambda: large.engine._scene(node))
    assert sorted(arm.gets.values()) == [1] * 7 + [2] * 5


async def test_what_a_turned_away_look_has_read_does_not_hold_for_ever() -> None:
    world = World("a")
    reader = world.shared.due(world.moment(), has_sent=False)
    await reader.get(path_of("a"), VERSION)
    await reader.again().again().get(path_of("a"), VERSION)
    assert world.estate.gets.total() == 1
    world.clock.advance_to(world.clock.now_ms() + reading.LONGEST_MS + 1)
    await reader.again().get(path_of("a"), VERSION)
    assert world.estate.gets.total() == 2


async def test_what_a_turned_away_look_has_read_is_not_given_to_a_process_that_was_taken_over() -> None:
    world = World("a")
    reader = world.shared.due(world.moment(), has_sent=False)
    await reader.get(path_of("a"), VERSION)
    world.is_fenced = True
    with pytest.raises(RuntimeError, match="taken over"):
        await reader.again().get(path_of("a"), VERSION)


async def test_after_a_write_its_own_look_is_fresh(many: Rig) -> None:
    """Every list here is blind for what was made: a node that believed one would make its object again and again."""
    arm = many.arm
    assert isinstance(arm, Estate)
    arm.blind = True
    await many.engine.run()
    assert many.outcome() is RunState.DONE
    assert Counter(path for _, path, _ in arm.writes).most_common(1)[0][1] == 1
    assert all(node.state is NodeState.DONE for node in many.view.nodes.values())


async def test_a_look_uses_a_list_that_began_when_it_was_due_and_no_older_one() -> None:
    world = World("a")
    due = world.moment()
    assert len(await world.listed(due)) == 1
    world.estate.resources[path_of("b")] = {"id": path_of("b")}
    assert len(await world.listed(due)) == 1, "it was due before that list began"
    assert len(await world.listed(world.moment())) == 2, "it became due after the write"
    assert world.estate.lists[ALL] == 2


async def test_looks_that_want_the_same_list_at_once_share_one_reading() -> None:
    world = World("a", "b")
    due = world.moment()
    found = await asyncio.gather(*(world.listed(due) for _ in range(50)))
    assert world.estate.lists[ALL] == 1
    assert all(len(docs) == 2 for docs in found)


async def test_a_list_under_way_does_not_serve_who_became_due_after_it_began() -> None:
    world = World("a")
    first = asyncio.ensure_future(world.listed(world.moment()))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(world.listed(world.moment()))
    await asyncio.gather(first, second)
    assert world.estate.lists[ALL] == 2


async def test_one_member_is_read_by_itself_and_many_from_their_list() -> None:
    world = World(*"abcdefgh")
    await world.member("a", world.moment())
    assert (world.estate.gets.total(), world.estate.lists.total()) == (1, 0)
    due = world.moment()
    found = await asyncio.gather(*(world.member(name, due) for name in "abcdefghxyz"))
    assert [doc and doc["name"] for doc in found] == [*"abcdefgh", None, None, None]
    assert world.estate.lists.total() == 1
    assert world.estate.gets.total() == 1 + reading.ALONE


async def test_members_asked_for_one_after_the_other_by_looks_due_at_once_share_a_list_too() -> None:
    """As in a live run, where no two looks come to the same place at the same instant."""
    world = World(*"abcdefgh")
    due = world.moment()
    for name in "abcdefgh":
        assert (await world.member(name, due)) is not None
    assert (world.estate.gets.total(), world.estate.lists.total()) == (reading.ALONE, 1)


async def test_who_sent_something_reads_its_own_object_whatever_lists_there_are() -> None:
    world = World("a")
    due = world.moment()
    await world.listed(due)
    world.estate.resources[path_of("a")]["name"] = "changed"
    found = await world.member("a", due, has_sent=True)
    assert found is not None
    assert found["name"] == "changed"


async def test_a_member_is_absent_in_whichever_wording() -> None:
    class Worded(Estate):
        async def get(self, path: str, api_version: str, **query: str) -> Json | None:
            raise Refused("no such thing", status=404, arm_code="ThingNotFound")

    world = World()
    world.shared = SharedReader(Worded(), world.clock, world._fence, world.moment)
    assert await world.member("a", None) is None


async def test_where_the_list_is_not_allowed_members_are_read_one_by_one() -> None:
    world = World(*"abcdef")
    world.estate.refusal = Refused("no", status=403, arm_code="AuthorizationFailed")
    due = world.moment()
    for name in "abcdef":
        assert await world.member(name, due) is not None
    assert world.estate.lists.total() == 1, "what is not allowed is not asked for again"


async def test_a_list_that_fails_fails_for_all_who_wait_for_it_and_is_read_anew_by_who_comes_later() -> None:
    world = World("a")
    world.estate.refusal = Throttled("slow down", retry_after_s=5, status=429, arm_code="TooManyRequests")
    due = world.moment()
    found = await asyncio.gather(*(world.listed(due) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(error, Throttled) for error in found)
    world.estate.refusal = None
    assert len(await world.listed(due)) == 1
    assert world.estate.lists.total() == 2


async def test_a_list_grows_old_also_for_a_look_that_has_long_been_due() -> None:
    world = World("a")
    due = world.moment()
    await world.listed(due)
    world.clock.advance_to(world.clock.now_ms() + reading.LONGEST_MS + 1)
    await world.listed(due)
    assert world.estate.lists.total() == 2


async def test_a_process_that_was_taken_over_gets_nothing_from_what_it_has_read() -> None:
    world = World("a")
    due = world.moment()
    await world.listed(due)
    world.is_fenced = True
    for call in (world.listed(due), world.member("a", due)):
        with pytest.raises(RuntimeError, match="taken over"):
            await call


async def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ITEMS", 10)
    world = World(*"abcd")
    reader = world.shared.due(world.moment(), has_sent=False)
    for number in range(20):
        await reader.list(ALL, VERSION, page=str(number))
        assert world.shared.kept <= 10


async def test_one_step_cannot_disturb_what_another_one_reads() -> None:
    world = World("a")
    due = world.moment()
    [mine], docs = await world.listed(due), await world.listed(due)
    docs.clear()
    with pytest.raises(TypeError, match="shared with other steps"):
        mine["name"] = "other"
    own = copy.deepcopy(mine)
    own["name"] = "other"
    assert {**mine, "x": 1}["x"] == 1
    assert [doc["name"] for doc in await world.listed(due)] == ["a"]


def test_what_is_frozen_reads_as_json_does() -> None:
    value: Any = {"a": [1, {"b": [None, "x"]}], "c": {}}
    frozen = freeze(value)
    assert frozen == value
    assert json.dumps(frozen) == json.dumps(value)
    assert isinstance(frozen, dict)
    assert isinstance(frozen["a"], list)
    for spoil in (
        lambda: frozen.update(x=1),
        lambda: frozen.pop("a"),
        lambda: frozen["a"].append(1),
        lambda: frozen["a"].sort(),
        lambda: frozen["a"][1]["b"].clear(),
        lambda: frozen["a"].__iadd__([1]),
        lambda: frozen.__ior__({}),
    ):
        with pytest.raises(TypeError, match="cannot be altered"):
            spoil()
    assert frozen == value
    own = copy.deepcopy(frozen)
    own["a"][1]["b"].append(2)
    assert frozen == value
