"""What the pages, lists and dialogs tell, from views and entries."""

from __future__ import annotations

from dataclasses import replace

from runbook.core.docs import ChangeDoc
from runbook.core.entry import Draft, Entry, Kind
from runbook.journal.fold import fold
from runbook.step import Blocked
from runbook.tui.present import node as pages
from runbook.tui.present.many import detail
from runbook.tui.present.text import as_text
from runbook.tui.screens.questions import disruptive
from tests.tui.sample import NOW, S, change, node, ready, view

UNDO = "az rest --method patch --body Enabled\nUpdate-AzWvdHostPool -PublicNetworkAccess Enabled"


def closing() -> ChangeDoc:
    made = change("Close the pool", "pe-arc", risk="disruptive")
    return {**made, "command": {**made["command"], "by_hand": f"To undo: {UNDO}", "undo": UNDO}}


def test_how_a_change_is_undone_stands_beside_its_command_and_in_every_question_before_it() -> None:
    view = ready("disruptive")
    node = replace(view.nodes["endpoint"], changes=(closing(),))
    for rows in (pages.commands(node, node.changes, "az"), disruptive(view, node).body, detail(node)):
        assert UNDO in as_text(rows)
    assert as_text(pages.commands(node, node.changes, "by_hand")).count(UNDO) == 1


def test_a_change_that_was_sent_and_failed_has_no_tick() -> None:
    good, bad, worse = (change(title, name) for title, name in (("Drain", "d"), ("Restart", "r"), ("Open", "o")))
    applied = tuple(
        {"digest": c["digest"], "title": c["title"], "at_ms": NOW, "seq": seq, **more}
        for seq, (c, more) in enumerate(((good, {}), (bad, {"failed": "exit code 1"})))
    )
    no = {"digest": worse["digest"], "title": "Open", "at_ms": NOW, "seq": 9, "code": "Conflict", "message": "Busy."}
    stuck = node("endpoint", state=S.BLOCKED, applied=applied, refused=(no,))
    text = as_text(pages.plan(stuck))
    assert "✓ made: Drain" in text
    assert "✗ sent, it failed: Restart" in text and "exit code 1" in text
    assert "✗ refused by Azure: Open" in text and "Busy." in text
    shown = as_text(pages.commands(stuck, [good, bad, worse], "az"))
    assert "Drain  ✓ made" in shown and "Restart  ✗ sent, it failed" in shown and "Open  ✗ refused by Azure" in shown


def test_the_fold_knows_an_operation_and_a_script_that_ended_badly() -> None:
    sent = node("endpoint", state=S.SETTLING)
    applied = ({"digest": "d1", "title": "T", "at_ms": NOW, "seq": 3},)
    operation = {"seq": 3, "kind": "location", "status": "202", "percent": None, "since_ms": NOW, "locks": []}
    at_work = view(replace(sent, applied=applied, operation=operation))  # type: ignore[arg-type]
    error = {"code": "QuotaExceeded", "message": "No room.", "hint": ""}
    over = fold(at_work, [Entry.chain(Draft(Kind.FAILED, "endpoint", S.FAILED, {"error": error}), 8, NOW, "")])
    assert over.nodes["endpoint"].applied[0]["failed"] == "QuotaExceeded: No room."
    block = Blocked("restart-failed", "It failed.", ("Look.",), failed={"d1": "exit code 1"}).doc(NOW, 0)
    looked = view(replace(sent, state=S.OBSERVING, applied=applied))  # type: ignore[arg-type]
    draft = Draft(Kind.OBSERVED, "endpoint", S.BLOCKED, {"verdict": "blocked", "blocked": block})
    assert fold(looked, [Entry.chain(draft, 8, NOW, "")]).nodes["endpoint"].applied[0]["failed"] == "exit code 1"
