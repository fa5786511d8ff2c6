"""What the fold makes of waits: those that earlier releases wrote down, and those that are over."""

from __future__ import annotations

from typing import Any

from runbook.core.entry import Entry, Kind
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.journal.fold import fold
from tests.journal.test_fold import at, entry
from tests.journal.walks import carried

OLD_WAIT: dict[str, Any] = {
    "who": "the team",
    "message": "m",
    "then": "t",
    "since_ms": 100,
    "next_poll_ms": 160,
    "draft": "",
    "attest": "",
    "polls": 0,
}


def seen(to: NodeState, at_ms: int, **data: Any) -> list[Entry]:
    begun = Entry(1, at_ms, Kind.BEGUN, "n", NodeState.OBSERVING, {}, "h")
    return [begun, Entry(2, at_ms, Kind.OBSERVED, "n", to, {**carried(Kind.OBSERVED), **data}, "h")]


def waiting(at_ms: int = 100, **more: Any) -> RunView:
    return fold(at(NodeState.OBSERVING), seen(NodeState.WAITING, at_ms, waiting={**OLD_WAIT, **more}))


def test_a_wait_of_an_earlier_release_is_taken_as_it_is() -> None:
    node = waiting().nodes["n"]
    assert node.waiting is not None
    assert node.waiting.get("sent") is None
    assert node.waited == ()


def test_a_wait_is_over_when_its_node_is_done_and_its_length_is_kept() -> None:
    view = fold(waiting(), seen(NodeState.WAITING, 500, waiting={**OLD_WAIT, "polls": 1}))
    assert view.nodes["n"].waited == (), "another look at the same wait does not end it"
    view = fold(view, seen(NodeState.DONE, 900))
    assert view.nodes["n"].waited == ({"who": "the team", "since_ms": 100, "until_ms": 900},)


def test_a_wait_for_somebody_else_ends_the_one_before_and_a_skip_ends_the_last() -> None:
    other = {**OLD_WAIT, "who": "somebody else", "since_ms": 500}
    view = fold(waiting(), seen(NodeState.WAITING, 500, waiting=other))
    view = fold(view, [Entry(3, 800, Kind.SKIPPED, "n", NodeState.SKIPPED, {"by": "operator", "reason": "r"}, "h")])
    assert [(w["who"], w["until_ms"]) for w in view.nodes["n"].waited] == [("the team", 500), ("somebody else", 800)]


def test_a_word_keeps_its_reference_its_date_and_what_it_says() -> None:
    said = entry(Kind.ATTESTED, text="yes", by="dana", reference="MS-1", dated_ms=50, says="approved")
    word = fold(waiting(), [said]).nodes["n"].attested[-1]
    assert (word.get("reference"), word.get("dated_ms"), word.get("says")) == ("MS-1", 50, "approved")
    assert "reference" not in fold(waiting(), [entry(Kind.ATTESTED, text="yes", by="dana")]).nodes["n"].attested[-1]
