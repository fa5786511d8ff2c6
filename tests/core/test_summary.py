"""A run in a few fields."""

from __future__ import annotations

from runbook.core.state import RunState
from runbook.core.summary import SPOTS, summary
from tests.tui.sample import NOW, S, context, node, ready, running, view, wait


def test_the_most_urgent_node_comes_first_and_what_wants_the_operator_before_what_does_not() -> None:
    error = {"code": "E", "message": "broke", "hint": ""}
    held = view(
        context(),
        node("providers", "a", state=S.SETTLING, busy_since_ms=NOW - 5),
        node("approval", state=S.WAITING, waiting=wait()),
        node("endpoint", state=S.FAILED, error=error),
    )
    told = summary(held)
    assert [spot.state for spot in told.spots] == [S.FAILED, S.WAITING, S.SETTLING]
    assert told.spot is not None
    assert (told.spot.wants_me, told.spot.why) == (True, "E: broke")
    assert told.spots[1].who == "the Arc team at Microsoft"
    assert told.spots[1].since_ms == wait()["since_ms"]
    assert told.spots[2].since_ms == NOW - 5
    assert (told.state, told.wanting, told.finished, told.total) == (RunState.FAILED, 1, 1, 4)


def test_only_a_few_nodes_are_kept_of_many() -> None:
    many = view(context(), *(node("associate", f"m{i}", state=S.SETTLING) for i in range(500)))
    assert len(summary(many).spots) == SPOTS


def test_the_subscription_that_the_run_is_about_comes_first() -> None:
    pinned = {"subscriptions": {"b": "Branch", "a": "Main", "c": ""}}
    assert summary(view(context(), pinned=pinned, inputs={"subscription": "a"})).subscriptions == (
        "Main",
        "Branch",
        "c",
    )


def test_a_run_that_is_over_is_over() -> None:
    assert summary(view(context(), book={"steps": []}, expanded=frozenset())).is_over
    assert summary(view(context(), aborted="no")).is_over
    assert not summary(ready()).is_over
    assert summary(running()).spot is not None
