from __future__ import annotations

from typing import Any

from runbook.core.docs import DiffDoc
from runbook.core.entry import Draft, Entry, Kind
from runbook.core.undo import REGISTERED, RESTARTED, effects, undo_of
from runbook.core.view import RunView
from runbook.step import Change, Diff

THING = "/subscriptions/s/resourceGroups/g/providers/N/things/t"
BODY = {"location": "here", "properties": {"size": 1}}


def put(**more: Any) -> Change:
    given: dict[str, Any] = {"body": BODY, "diff": (Diff("", None, BODY),), **more}
    return Change("Make t", given.pop("method", "PUT"), given.pop("path", THING), "2024-01-01", **given)


def patch(before: Any, after: Any) -> Change:
    body = {"properties": {"open": after}}
    return put(method="PATCH", body=body, diff=(Diff("properties.open", before, after),))


def told(*rows: tuple[Kind, dict[str, Any]], node: str = "n") -> list[Entry]:
    return [Entry.chain(Draft(kind, node, None, data), at, at, "") for at, (kind, data) in enumerate(rows, 1)]


def sent(change: Change, *after: tuple[Kind, dict[str, Any]]) -> list[tuple[Kind, dict[str, Any]]]:
    seen = (Kind.OBSERVED, {"verdict": "changes", "changes": [change.doc()]})
    return [seen, (Kind.INTENDED, {"digest": change.digest}), *(after or ((Kind.ANSWERED, {}),))]


def test_a_change_counts_when_its_call_took_effect() -> None:
    change = put()
    assert len(effects(told(*sent(change)))) == 1
    assert effects(told(*sent(change, (Kind.FAILED, {"refused": True})))) == []
    assert effects(told(*sent(change, (Kind.DEFERRED, {"refused": True})))) == []
    lost: tuple[Kind, dict[str, Any]] = (Kind.DOUBTED, {})
    assert len(effects(told(*sent(change, lost, (Kind.OBSERVED, {"took_effect": True}))))) == 1
    assert effects(told(*sent(change, lost, (Kind.OBSERVED, {"took_effect": False})))) == []


def test_a_call_whose_answer_nobody_knows_counts_so_that_the_undo_looks() -> None:
    assert len(effects(told(*sent(put(), (Kind.DOUBTED, {}))))) == 1
    assert len(effects(told(*sent(put(), (Kind.DOUBTED, {}), (Kind.FAILED, {}))))) == 1


def test_an_operation_that_ended_as_not_now_took_no_effect() -> None:
    rows = sent(put(), (Kind.ACCEPTED, {}), (Kind.DEFERRED, {"refused": True}))
    assert effects(told(*rows)) == []


def test_what_was_absent_is_removed_and_what_stood_there_gets_its_first_value_back() -> None:
    (back,) = undo_of(RunView(), told(*sent(put()))).takebacks
    assert (back.how, back.path, back.body) == ("remove", THING, BODY)
    rows = [*sent(patch("a", "b")), *sent(patch("b", "c"))]
    (back,) = undo_of(RunView(), told(*rows)).takebacks
    expected: DiffDoc = {"path": "properties.open", "before": "a", "after": "c"}
    assert (back.how, back.fields) == ("restore", (expected,))


def test_what_the_run_put_back_itself_needs_nothing() -> None:
    rows = [*sent(patch("yes", "no")), *sent(patch("no", "yes"))]
    assert undo_of(RunView(), told(*rows)).takebacks == ()


def test_what_has_no_opposite_stays_with_the_reason() -> None:
    register = put(method="POST", path="/subscriptions/s/providers/N/register", body=None, diff=())
    restart = put(method="POST", path=f"{THING}/restart", body=None, diff=())
    undo = undo_of(RunView(), told(*sent(register), *sent(restart)))
    assert undo.takebacks == ()
    assert [s.reason for s in undo.stays] == [REGISTERED, RESTARTED]


def test_a_repair_of_what_others_made_is_never_removed() -> None:
    repair = put(diff=(Diff("properties.provisioningState", "Failed", "Succeeded"),))
    assert undo_of(RunView(), told(*sent(repair))).takebacks == ()
