"""What is busy says for how long, how long that usually takes, and when it is looked at again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runbook.core.docs import OperationDoc
from runbook.core.expected import Usual
from runbook.core.view import NodeView
from runbook.tui.present import node as pages
from runbook.tui.present.next import Desk, next_step
from runbook.tui.present.text import as_text
from tests.tui.sample import NOW, S, change, context, node, view, wait

DESK = Desk(NOW)
USUAL = {
    ("endpoint", S.SETTLING): Usual(120_000, 60_000, 180_000, 5),
    ("approval", S.WAITING): Usual(86_400_000, 43_200_000, 90_000_000, 3, "in rehearsals"),
}


def test_work_in_azure_tells_how_long_so_far_how_long_usually_and_when_it_is_looked_at() -> None:
    operation: OperationDoc = {
        "seq": 1,
        "kind": "a",
        "status": "Running",
        "percent": 40.0,
        "since_ms": NOW - 150_000,
        "locks": [],
    }
    settling = node("endpoint", state=S.SETTLING, operation=operation, due_ms=NOW + 20_000)
    todo = next_step(view(settling), "endpoint", replace(DESK, expected=USUAL))
    told = "Azure works on it (Running, 40 %): elapsed 2 min 30 s, usually 1 min to 3 min; next look in 20 s"
    assert told in as_text(todo.lines)
    late = replace(settling, operation={**operation, "since_ms": NOW - 600_000})
    assert "usually 1 min to 3 min, so longer than usual" in as_text(pages.guide(view(late), late, NOW, None, USUAL))


def test_a_wait_tells_how_long_such_waits_took_and_where_that_is_known_from() -> None:
    waits = node("approval", state=S.WAITING, waiting=wait())
    text = as_text(next_step(view(waits), "approval", replace(DESK, expected=USUAL)).lines)
    assert "Elapsed: 2 d, usually 12 h to 1 d 1 h in rehearsals, so longer than usual" in text


@pytest.mark.parametrize(
    "busy",
    [
        node("endpoint", state=S.OBSERVING),
        node("endpoint", state=S.APPLYING),
        node("endpoint", state=S.SETTLING, busy_since_ms=NOW - 90_000),
        node("endpoint", state=S.WAITING, waiting=wait()),
        node("endpoint", state=S.IN_DOUBT, due_ms=NOW, intent={"title": "PUT", "at_ms": NOW, "seq": 1}),
        node("endpoint", state=S.READY, changes=(change("c", "n"),), approved=frozenset({"digest-n"})),
    ],
)
def test_nothing_that_is_busy_looks_frozen(busy: NodeView) -> None:
    brief = as_text(next_step(view(context(), busy), "endpoint", DESK).lines)
    assert "1 min 30 s" in brief or "for 2 d" in brief
