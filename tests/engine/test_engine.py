"""The engine on a tiny cloud: order, approval, failure, waiting, pausing, locks."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.core.arm import Ended
from runbook.core.clock import VirtualClock
from runbook.core.command import Abort, Approve, Attest, Pause, Retry, Skip, Start
from runbook.core.entry import Kind
from runbook.core.error import ContextError, NotSent, Refused, Throttled, UsageError
from runbook.core.event import Event
from runbook.core.state import NodeState, RunState
from runbook.engine.engine import Engine, Until
from runbook.engine.machine import CROWD_PATIENCE
from runbook.engine.world import Account, Limits, World
from tests.engine.tiny import Nowhere, Rig, TinyArm, path_of, tiny_book


def refusal(code: str = "SubnetIsFull") -> Refused:
    return Refused("no room", status=400, arm_code=code, correlation_id="c-1", hint="make room")


def throttled(seconds: float | None = None) -> Throttled:
    return Throttled("slow down", retry_after_s=seconds, status=429, arm_code="TooManyRequests")


def kinds(rig: Rig, node: str) -> list[str]:
    return [e.entry.kind.value for e in rig.events if e.entry.node == node]


async def test_a_run_of_needs_is_made_in_order_and_ends_done(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book({"id": "a"}, {"id": "b", "needs": ["a"]}), arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert [path for _, path, _ in arm.writes] == [path_of("a"), path_of("b")]
    assert rig.view.nodes["a"].outputs == {"id": path_of("a")}
    assert rig.view.nodes["a"].changed


async def test_a_change_is_sent_only_after_its_intent_and_looked_at_again(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book({"id": "a"}), TinyArm())
    await rig.engine.run()
    assert kinds(rig, "a") == [
        "begun", "observed", "approved", "begun", "observed", "intended", "answered", "begun", "observed",
    ]  # fmt: skip


async def test_nothing_is_written_without_the_operators_go(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, approve=False)
    await rig.engine.run()
    assert rig.outcome() is RunState.NEEDS_OPERATOR
    assert rig.state("a") is NodeState.READY
    assert not arm.writes


async def test_what_exists_already_is_done_without_a_write(tmp_path: Path) -> None:
    arm = TinyArm({path_of("a"): {"made": "a"}})
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, approve=False)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert not rig.view.nodes["a"].changed


async def test_a_plan_that_changed_since_it_was_shown_goes_back_to_the_operator(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book({"id": "a"}), TinyArm(), approve=False)
    await rig.engine.run()
    with pytest.raises(UsageError, match="other changes now"):
        await rig.engine.decide(Approve("a", ("0000",)))
    assert rig.state("a") is NodeState.READY


async def test_a_failure_stops_its_dependents_and_nothing_else(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append(refusal())
    book = tiny_book({"id": "a"}, {"id": "b", "needs": ["a"]}, {"id": "c"}, {"id": "d", "needs": ["c"]})
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.FAILED
    assert [rig.state(n) for n in "abcd"] == ["failed", "pending", "done", "done"]
    error = rig.error("a")
    assert (error["code"], error["hint"], error["correlation_id"]) == ("SubnetIsFull", "make room", "c-1")


async def test_a_failed_node_is_looked_at_again_on_retry(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append(refusal())
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)
    await rig.engine.run()
    rig.engine.submit(Retry("a"))
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert len(arm.writes) == 2


async def test_a_throttled_write_is_put_off_as_long_as_arm_asks_and_every_retry_is_an_event(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.extend([throttled(17), throttled()])
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    deferred = [e.entry for e in rig.events if e.entry.kind is Kind.DEFERRED]
    assert [round((e.data["due_ms"] - e.at_ms) / 1000) for e in deferred] == [17, 4]
    assert len(arm.writes) == 3


async def test_patience_ends_at_its_budget(tmp_path: Path) -> None:
    arm = TinyArm()
    busy = Throttled("in use", retry_after_s=None, status=409, arm_code="AnotherOperationInProgress")
    arm.script.extend(busy for _ in range(50))
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, limits=Limits(deferrals=3))
    await rig.engine.run()
    assert rig.state("a") is NodeState.FAILED
    assert len(arm.writes) == 4
    assert "Tried 4 times" in rig.error("a")["hint"]


async def test_too_many_calls_at_once_are_waited_out_for_longer_and_not_for_ever(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.extend(throttled(1) for _ in range(200))
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, limits=Limits(deferrals=3))
    await rig.engine.run()
    assert rig.state("a") is NodeState.FAILED
    assert len(arm.writes) == 3 * CROWD_PATIENCE + 1


async def test_while_arm_turns_calls_away_nobody_else_begins_and_afterwards_only_a_few(tmp_path: Path) -> None:
    names = [f"n{i}" for i in range(40)]
    arm = TinyArm()
    arm.script.extend(throttled(30) for _ in range(16))
    rig = Rig(tmp_path, tiny_book(*({"id": n} for n in names)), arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    deferred = [e.entry for e in rig.events if e.entry.kind is Kind.DEFERRED]
    first_ms = deferred[0].at_ms
    begun = [e.entry.at_ms for e in rig.events if e.entry.kind is Kind.BEGUN and e.entry.at_ms > first_ms]
    assert min(begun) == first_ms + 30_000
    assert len(arm.writes) == len(names) + len(deferred)


async def test_a_read_that_cannot_be_sent_is_tried_again(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.read_errors.extend([NotSent("no route"), NotSent("no route")])
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE


async def test_an_accepted_operation_is_polled_to_its_end_and_its_url_stays_out_of_the_entries(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append("slow")
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert [e.entry.data["status"] for e in rig.events if e.entry.kind is Kind.POLLED] == ["InProgress", "Succeeded"]
    assert all("hush" not in str(e.to_json()) for e in rig.events)


async def test_an_operation_that_ends_badly_fails_its_node(tmp_path: Path) -> None:
    arm = TinyArm(ends={path_of("a"): Ended("Failed", "InvalidGroupId", "no such group")})
    arm.script.append("slow")
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)
    await rig.engine.run()
    assert rig.state("a") is NodeState.FAILED
    assert rig.error("a")["code"] == "InvalidGroupId"


async def test_what_azure_says_helps_is_the_hint_of_an_operation_that_ended_badly(tmp_path: Path) -> None:
    arm = TinyArm(ends={path_of("a"): Ended("Failed", "InvalidGroupId", "no such group", "name a group")})
    arm.script.append("slow")
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)
    await rig.engine.run()
    assert rig.error("a")["hint"] == "name a group"


async def test_an_error_of_a_call_carries_our_name_for_it_and_one_of_a_look_does_not(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append(refusal())
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)
    await rig.engine.run()
    assert len(rig.error("a")["request_id"]) == 36
    assert rig.error("a")["correlation_id"] == "c-1"


async def test_an_answer_to_a_node_that_is_done_says_that_it_came_too_late(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book({"id": "a"}), TinyArm())
    await rig.engine.run()
    with pytest.raises(UsageError, match=r"\(a\) is done by now and takes no answer any more") as refused:
        await rig.engine.decide(Attest("a", "sent", "ana"))
    assert "it is not recorded" in refused.value.hint


async def test_writes_under_one_lock_never_overlap_and_all_get_their_turn(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.extend(["slow"] * 8)
    steps = [{"id": f"s{i}", "with": {"name": f"s{i}", "lock": "/vnet/one"}} for i in range(8)]
    rig = Rig(tmp_path, tiny_book(*steps), arm)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert arm.most_in_flight == 1


async def test_independent_writes_run_side_by_side_up_to_the_bound(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.extend(["slow"] * 8)
    rig = Rig(tmp_path, tiny_book(*({"id": f"s{i}"} for i in range(8))), arm)
    await rig.engine.run()
    assert arm.most_in_flight == 8


async def test_for_each_makes_a_node_per_item_and_a_barrier_waits_for_all(tmp_path: Path) -> None:
    arm = TinyArm()
    book = tiny_book(
        {"id": "each", "for_each": "${inputs.names}", "key": "${item}", "with": {"name": "${item}"}},
        {"id": "last", "needs": [{"step": "each", "all": True}]},
        inputs={"names": {"type": "list", "items": {"type": "string"}, "prompt": "names"}},
    )
    rig = Rig(tmp_path, book, arm, inputs={"names": ["x", "y", "z"]})
    await rig.engine.run()
    assert list(rig.view.nodes) == ["each[x]", "each[y]", "each[z]", "last"]
    assert rig.outcome() is RunState.DONE
    assert arm.writes[-1][1] == path_of("last")


async def test_a_step_over_no_items_does_not_hold_up_those_who_need_it(tmp_path: Path) -> None:
    book = tiny_book(
        {"id": "each", "for_each": "${inputs.names}", "key": "${item}", "with": {"name": "${item}"}},
        {"id": "last", "needs": [{"step": "each", "all": True}]},
        inputs={"names": {"type": "list", "items": {"type": "string"}, "prompt": "names"}},
    )
    rig = Rig(tmp_path, book, TinyArm(), inputs={"names": []})
    await rig.engine.run()
    assert list(rig.view.nodes) == ["last"]
    assert rig.outcome() is RunState.DONE


async def test_a_false_when_skips_the_node_and_satisfies_its_dependents(tmp_path: Path) -> None:
    arm = TinyArm()
    book = tiny_book({"id": "a", "when": "${run.edition == 'preview'}"}, {"id": "b", "needs": ["a"]})
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    assert [rig.state(n) for n in "ab"] == ["skipped", "done"]
    assert [path for _, path, _ in arm.writes] == [path_of("b")]


async def test_a_wait_polls_ever_more_gently_until_the_outside_acts(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book({"id": "gate", "uses": "testing.gate", "with": {"name": "key"}}), arm)

    def act(event: object) -> None:
        if rig.clock.now_ms() > rig.view.created_ms + 3_600_000:
            arm.resources[path_of("key")] = {"made": "key"}

    rig.engine.listen(act)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    waits = [e.entry for e in rig.events if e.entry.to is NodeState.WAITING]
    gaps = [round((e.data["due_ms"] - e.at_ms) / 1000) for e in waits]
    plain = [60, 120, 240, 480, 600]
    assert [want for gap, want in zip(gaps, plain, strict=False) if want <= gap <= want * 1.1] == plain
    assert gaps[:5] != plain, "they are scattered a little"
    assert {e.data["waiting"]["since_ms"] for e in waits} == {waits[0].at_ms}


async def test_a_parked_run_returns_while_it_waits_for_an_outsider(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book({"id": "gate", "uses": "testing.gate", "with": {"name": "key"}}), TinyArm())
    await rig.engine.run(Until.PARKED)
    assert rig.outcome() is RunState.WAITING


async def test_a_wait_that_nobody_ends_is_given_up_at_the_horizon(tmp_path: Path) -> None:
    limits = Limits(horizon_s=7200)
    book = tiny_book({"id": "gate", "uses": "testing.gate", "with": {"name": "key"}})
    rig = Rig(tmp_path, book, TinyArm(), limits=limits)
    await rig.engine.run(Until.STUCK)
    assert rig.outcome() is RunState.WAITING
    assert rig.clock.now_ms() - rig.view.created_ms < 3 * 3_600_000


async def test_the_operators_word_ends_a_wait_and_is_kept(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book({"id": "gate", "uses": "testing.gate", "with": {"name": "key"}}), TinyArm())
    await rig.engine.run(Until.PARKED)
    rig.engine.submit(Attest("gate", "I saw it", "anna", "photo.png", "ab" * 32))
    await rig.engine.run(Until.PARKED)
    assert rig.outcome() is RunState.DONE
    word = rig.view.nodes["gate"].attested[0]
    assert (word["text"], word["by"], word["evidence"]) == ("I saw it", "anna", "photo.png")


async def test_a_blocked_node_goes_on_by_itself_once_the_rule_holds(tmp_path: Path) -> None:
    arm = TinyArm()
    book = tiny_book({"id": "gate", "uses": "testing.gate", "with": {"name": "key", "blocks": True}})
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run(Until.PARKED)
    assert rig.outcome() is RunState.BLOCKED
    arm.resources[path_of("key")] = {"made": "key"}
    await rig.engine.run(Until.STUCK)
    assert rig.outcome() is RunState.DONE


async def test_pause_lets_the_call_in_flight_finish_and_starts_nothing_new(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book({"id": "a"}, {"id": "b", "needs": ["a"]}), arm)

    def pause(event: Event) -> None:
        if event.entry.kind is Kind.INTENDED:
            rig.engine.submit(Pause())

    rig.engine.listen(pause)
    await rig.engine.run()
    assert rig.view.paused
    assert [path for _, path, _ in arm.writes] == [path_of("a")]
    assert rig.view.nodes["a"].changed
    rig.engine.submit(Start())
    # The listener pauses at b's intent too; a second start ends it.
    await rig.engine.run()
    rig.engine.submit(Start())
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE


async def test_an_aborted_run_does_nothing_more(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, approve=False)
    await rig.engine.run()
    await rig.engine.decide(Abort("change window closed"))
    await rig.engine.run()
    assert rig.outcome() is RunState.ABORTED
    with pytest.raises(UsageError, match="aborted"):
        await rig.engine.decide(Approve("a"))
    assert not arm.writes


async def test_a_disruptive_change_behind_a_skipped_need_is_blocked_until_that_is_accepted(tmp_path: Path) -> None:
    arm = TinyArm()
    book = tiny_book(
        {"id": "a"},
        {"id": "b", "needs": ["a"]},
        {"id": "c", "needs": ["b"], "with": {"name": "c", "risk": "disruptive"}},
    )
    rig = Rig(tmp_path, book, arm, approve=False)
    await rig.engine.run()
    rig.engine.submit(Skip("a", "made by hand"))
    await rig.engine.run()
    rig.engine.submit(Approve("b"))
    await rig.engine.run()
    blocked = rig.view.nodes["c"].blocked
    assert blocked is not None
    assert blocked["rule"] == "need-skipped"
    assert "a" in blocked["message"]
    rig.engine.submit(Attest("c", "a is not needed here", "anna"))
    await rig.engine.run()
    rig.engine.submit(Approve("c"))
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE


async def test_a_skip_needs_a_reason(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book({"id": "a"}), TinyArm(), approve=False)
    await rig.engine.run()
    with pytest.raises(UsageError, match="reason"):
        await rig.engine.decide(Skip("a", "  "))


async def test_an_unknown_node_is_named_with_its_neighbours(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_book({"id": "endpoint"}), TinyArm(), approve=False)
    await rig.engine.run()
    with pytest.raises(UsageError, match="endpoint"):
        await rig.engine.decide(Retry("endpont"))


async def test_a_change_that_does_not_hold_is_not_sent_for_ever(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book({"id": "a", "with": {"name": "a", "forgetful": True}}), arm)
    await rig.engine.run()
    blocked = rig.view.nodes["a"].blocked
    assert blocked is not None
    assert blocked["rule"] == "change-did-not-hold"
    assert len(arm.writes) == 3


async def test_a_step_that_breaks_fails_its_node_with_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    book = tiny_book({"id": "bad", "uses": "testing.broken", "with": {}}, {"id": "good"})
    rig = Rig(tmp_path, book, TinyArm())
    await rig.engine.run()
    assert [rig.state(n) for n in ("bad", "good")] == ["failed", "done"]
    error = rig.error("bad")
    assert error["code"] == "step_fault"
    assert "ZeroDivisionError" in error["message"]
    assert "Traceback" not in str(error)


async def test_a_write_outside_the_pinned_subscriptions_never_leaves(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm, subscriptions={"22222222-2222-2222-2222-222222222222": "Other"})
    await rig.engine.run()
    assert rig.error("a")["code"] == "outside_pinned"
    assert not arm.writes


@pytest.mark.parametrize(
    "wrong", [Account("eve", "elsewhere", "AzureCloud"), Account("eve", "tenant", "AzureChinaCloud")]
)
async def test_a_sign_in_that_differs_stops_the_run_before_anything_is_sent(tmp_path: Path, wrong: Account) -> None:
    arm = TinyArm()
    book = tiny_book({"id": "a"})
    rig = Rig(tmp_path, book, arm)
    engine = Engine(rig.log, book, World(arm, Nowhere(), VirtualClock(0), wrong))
    with pytest.raises(ContextError, match="pinned"):
        await engine.run()
    assert not arm.writes


async def test_a_woken_node_that_has_nothing_to_send_passes_its_turn_on(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append("slow")
    book = tiny_book(*({"id": n, "with": {"name": n, "lock": "/vnet/one"}} for n in ("a", "b", "c")))
    rig = Rig(tmp_path, book, arm)

    def meanwhile(event: Event) -> None:
        if event.entry.kind is Kind.ACCEPTED:
            arm.resources[path_of("b")] = {"made": "by hand"}

    rig.engine.listen(meanwhile)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE


async def test_a_queued_node_that_is_skipped_does_not_hold_up_those_behind_it(tmp_path: Path) -> None:
    arm = TinyArm()
    arm.script.append("slow")
    book = tiny_book(*({"id": n, "with": {"name": n, "lock": "/vnet/one"}} for n in ("a", "b", "c")))
    rig = Rig(tmp_path, book, arm)

    def meanwhile(event: Event) -> None:
        if event.entry.kind is Kind.POLLED and event.entry.to is NodeState.OBSERVING:
            rig.engine.submit(Skip("b", "not wanted after all"))

    rig.engine.listen(meanwhile)
    await rig.engine.run()
    assert rig.outcome() is RunState.DONE
    assert rig.state("b") in (NodeState.SKIPPED, NodeState.DONE)


async def test_an_abort_between_judgement_and_send_keeps_the_call_back(tmp_path: Path) -> None:
    arm = TinyArm()
    rig = Rig(tmp_path, tiny_book({"id": "a"}), arm)

    def meanwhile(event: Event) -> None:
        if event.entry.kind is Kind.APPROVED:
            rig.engine.submit(Abort("the change window closed"))

    rig.engine.listen(meanwhile)
    await rig.engine.run()
    assert rig.outcome() is RunState.ABORTED
    assert not arm.writes
    assert rig.view.nodes["a"].intent is None


async def test_outputs_that_are_not_json_fail_their_node_only(tmp_path: Path) -> None:
    arm = TinyArm({path_of("odd"): {"made": "odd"}})
    book = tiny_book({"id": "odd", "uses": "testing.odd", "with": {}}, {"id": "good"})
    rig = Rig(tmp_path, book, arm)
    await rig.engine.run()
    assert [rig.state(n) for n in ("odd", "good")] == ["failed", "done"]
    assert rig.error("odd")["code"] == "step_fault"
