"""What the pages, lists and dialogs tell, from views and entries."""

from __future__ import annotations

from dataclasses import replace

from runbook.core.docs import ChangeDoc
from runbook.tui.present import node as pages
from runbook.tui.present.many import detail
from runbook.tui.present.text import as_text
from runbook.tui.screens.questions import disruptive
from tests.tui.sample import change, ready

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
