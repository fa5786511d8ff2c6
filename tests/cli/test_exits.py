from __future__ import annotations

import pytest

from runbook.cli.exits import Exit, of_run
from runbook.core.docs import NodeDoc
from runbook.core.error import RunbookError
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView


def view(*states: NodeState, aborted: str | None = None) -> RunView:
    nodes = {}
    for number, state in enumerate(states):
        doc: NodeDoc = {
            "id": f"n{number}",
            "step": "s",
            "key": str(number),
            "title": "",
            "phase": "p",
            "target": "",
            "gate": "",
            "needs": [],
            "item": None,
        }
        nodes[doc["id"]] = NodeView(doc, state)
    return RunView("r", {"steps": [{"id": "s"}]}, nodes=nodes, expanded=frozenset({"s"}), aborted=aborted)


S = NodeState


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((S.DONE, S.SKIPPED), Exit.DONE),
        ((S.DONE, S.WAITING, S.READY, S.BLOCKED, S.FAILED), Exit.FAILED),
        ((S.DONE, S.WAITING, S.READY, S.BLOCKED), Exit.BLOCKED),
        ((S.DONE, S.WAITING, S.READY), Exit.OPERATOR),
        ((S.DONE, S.WAITING), Exit.OUTSIDE),
        ((S.DONE, S.IN_DOUBT), Exit.OPERATOR),
        ((S.DONE, S.PENDING), Exit.OPERATOR),
    ],
)
def test_where_several_hold_the_gravest_decides(states: tuple[NodeState, ...], expected: Exit) -> None:
    assert of_run(view(*states)) is expected


def test_an_aborted_run_counts_as_failed() -> None:
    assert of_run(view(S.DONE, aborted="enough")) is Exit.FAILED


def test_the_numbers_are_the_published_ones() -> None:
    assert {e.name: int(e) for e in Exit} == {
        "DONE": 0,
        "FAILED": 1,
        "USAGE": 2,
        "OUTSIDE": 3,
        "OPERATOR": 4,
        "BLOCKED": 5,
        "DRIVEN": 6,
        "PLAN": 10,
        "DRIFT": 11,
        "INTERRUPTED": 130,
    }


def test_every_error_of_ours_names_a_published_exit_code() -> None:
    def below(kind: type[RunbookError]) -> set[type[RunbookError]]:
        return {kind}.union(*(below(k) for k in kind.__subclasses__()))

    assert {kind.exit_status for kind in below(RunbookError)} <= set(Exit)
