"""What the pages, lists and dialogs tell, from views and entries."""

from __future__ import annotations

import os
import platform
from dataclasses import replace

from runbook.core.docs import ChangeDoc
from runbook.core.entry import Draft, Entry, Kind
from runbook.core.mark import Mark
from runbook.core.summary import summary
from runbook.core.view import RunView
from runbook.journal.fold import fold
from runbook.journal.runs import Listed, not_ours
from runbook.journal.store import Driver
from runbook.report.story import Story
from runbook.step import Blocked, Check
from runbook.tui.present import node as pages
from runbook.tui.present.home import about, group, state_words
from runbook.tui.present.lanes import Lanes
from runbook.tui.present.many import detail
from runbook.tui.present.text import as_text
from runbook.tui.screens.questions import disruptive
from tests.tui.sample import NOW, S, change, node, ready, view, wait

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
    for told in ("✗ sent, it failed: Restart", "exit code 1", "✗ refused by Azure: Open", "Busy."):
        assert told in text
    shown = as_text(pages.commands(stuck, [good, bad, worse], "az"))
    for told in ("Drain  ✓ made", "Restart  ✗ sent, it failed", "Open  ✗ refused by Azure"):
        assert told in shown


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


def test_a_run_that_nobody_drives_is_stopped_and_never_at_work() -> None:
    run = Listed("arc-1", summary(running_alone()), None, touched_ms=NOW, was_lost=True)
    assert group(run) == "Stopped; Enter goes on"
    assert "".join(text for text, _ in state_words(run)) == "‖ stopped"
    text = as_text(about(run, NOW))
    assert "nobody: the last driver ended without leaving" in text
    assert "Enter goes on with it" in text
    driven = replace(run, driver=Driver(1, platform.node(), os.getpid(), "ana", NOW, ""))
    assert group(driven) == "Goes on"
    assert group(not_ours(driven)) == "Stopped; Enter goes on"


def running_alone() -> RunView:
    return view(node("endpoint", state=S.OBSERVING))


def test_a_check_whose_work_comes_later_is_neither_done_nor_wrong() -> None:
    check = Check("vm-sales-3", "restarted", "its wave comes later", True, later=True).doc()
    text = as_text(pages.checks(node("endpoint", state=S.READY, checks=(check,))))
    assert "· later vm-sales-3" in text
    assert "✓" not in text


def test_the_history_stops_where_a_person_said_go_and_where_a_call_got_no_answer() -> None:
    lanes = Lanes()
    kinds = ((Kind.OBSERVED, S.READY), (Kind.APPROVED, S.OBSERVING), (Kind.DOUBTED, S.IN_DOUBT))
    lanes.hear(Mark(n, NOW + n, kind, "endpoint", to, "", to is S.READY) for n, (kind, to) in enumerate(kinds, 1))
    assert lanes.asked == [1, 2]
    assert lanes.broke == [3]


def test_a_wait_taken_up_again_is_counted_once() -> None:
    story = Story()
    doc = wait(since_ms=NOW)
    moves = ((0, S.WAITING, doc), (10_000, S.BLOCKED, None), (15_000, S.WAITING, doc), (20_000, S.DONE, None))
    for seq, (after_ms, to, waiting) in enumerate(moves, 1):
        draft = Draft(Kind.OBSERVED, "approval", to, {"verdict": "", "waiting": waiting})
        story.hear(Entry.chain(draft, seq, NOW + after_ms, ""))
    assert [w["lasted"] for w in story.waits] == ["10 s", "10 s"]
    assert story.waits[1]["since"] == story.waits[0]["until"]


def test_what_was_handed_over_stays_to_be_read_when_it_is_done() -> None:
    before = view(node("request_sent", state=S.OBSERVING, waiting=wait(draft="Dear team, please allow …")))
    word = {"at_ms": NOW, "seq": 7, "text": "Sent by mail.", "by": "ana", "evidence": "", "sha256": ""}
    asked = replace(before.nodes["request_sent"], attested=(word,))  # type: ignore[arg-type]
    draft = Draft(Kind.OBSERVED, "request_sent", S.DONE, {"verdict": "satisfied"})
    done = fold(view(asked), [Entry.chain(draft, 8, NOW, "")]).nodes["request_sent"]
    text = as_text(pages.guide(view(done), done, NOW))
    assert "Dear team, please allow …" in text
    assert "Sent by mail." in text
