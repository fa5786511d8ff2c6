"""A go names the calls that follow it unasked, wherever it is given."""

from __future__ import annotations

from runbook.core.state import NodeState
from runbook.tui.present import node as pages
from runbook.tui.present.header import Seat, header
from runbook.tui.present.home import table
from runbook.tui.present.many import of_phase, of_step
from runbook.tui.present.next import Desk, next_step
from runbook.tui.present.text import as_text
from runbook.tui.screens import questions
from tests.tui.house import listed
from tests.tui.sample import BOOK, NOW, change, context, node, step, view, wait

ALONG = "Covered by this too, sent later without asking again: Register Contoso.Thing again in …"
FOLLOWS = step(
    "again", "network", "Register Contoso.Thing again in ${item.name}", unasked=["providers", "request_sent"]
)
BOOK_WITH = {**BOOK, "steps": [*BOOK["steps"], FOLLOWS]}


def test_the_next_action_the_plan_and_the_batch_name_what_follows_unasked() -> None:
    asks = node("providers", "a", "Register A", NodeState.READY, changes=(change("Register A", "a"),))
    held = view(context(), asks, book=BOOK_WITH)
    assert ALONG in as_text(next_step(held, asks.id, Desk(NOW)).lines)
    assert ALONG in as_text(pages.plan(asks, view=held))
    assert ALONG in as_text(of_phase(held, "ready").remarks)


def test_so_does_the_question_about_a_word() -> None:
    asks = node("request_sent", state=NodeState.WAITING, waiting=wait(attest="I sent it"))
    held = view(context(), asks, book=BOOK_WITH)
    assert ALONG in as_text(questions.attest(held, asks, NOW).body)
    assert ALONG in as_text(next_step(held, asks.id, Desk(NOW)).lines)


def test_other_goes_say_nothing_of_it() -> None:
    other = node("endpoint", state=NodeState.READY, changes=(change("Make", "pe"),))
    held = view(context(), other, book=BOOK_WITH)
    assert "Covered by this" not in as_text(next_step(held, other.id, Desk(NOW)).lines)


def test_a_batch_says_how_real_it_is_and_where_it_writes() -> None:
    risky = [
        node("associate", k, f"Associate {k}", NodeState.READY, changes=(change("Put", k, "disruptive"),)) for k in "ab"
    ]
    batch = of_step(view(context(), *risky, mode="live"), "associate")
    assert as_text([batch.where]) == " LIVE   Contoso Production"
    told = as_text(batch.remarks)
    assert "Resource group: rg-arc" in told
    assert "Subscription: Contoso Production 11111111-aaaa-4bbb-8ccc-000000000001" in told


def test_the_header_and_the_list_keep_the_end_of_a_runs_id() -> None:
    held = view(context(), id="arc-private-link-20261121-0042")
    seat = Seat(False, "ana on laptop", None, NOW)
    for width in (80, 120):
        assert "-0042" in as_text(header(held, seat, width))
    assert "-0042" in as_text(table([listed(held)], 77, NOW).rows)
