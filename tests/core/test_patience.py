from __future__ import annotations

from typing import Any

import pytest

from runbook.core.clock import from_iso
from runbook.core.docs import NodeDoc, WaitDoc, WaitedDoc
from runbook.core.patience import apart_of, patience_doc, sentences, standing
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.core.waiting import Patience, Poll, Sent, Usual
from runbook.step import Waiting

DAY_MS = 86_400_000
START_MS = from_iso("2026-03-28T12:00:00Z")
"""The day before clocks in Europe are put forward: days of UTC have 24 hours all the same."""


def wait(sent_after_days: float | None = None, **plan: Any) -> WaitDoc:
    at_ms = START_MS + round((sent_after_days or 0) * DAY_MS)
    sent = None if sent_after_days is None else Sent("approval", at_ms, "dana", "by mail", reference="MS-1")
    return Waiting("the team", "m", "t", Poll(), sent=sent, patience=Patience(**plan)).doc(START_MS, START_MS, 0)


def days(count: float) -> int:
    return START_MS + round(count * DAY_MS)


def test_a_wait_that_an_earlier_release_wrote_down_stands_without_what_it_lacks() -> None:
    old: WaitDoc = {
        "who": "the team",
        "message": "m",
        "then": "t",
        "since_ms": START_MS,
        "next_poll_ms": None,
        "draft": "",
        "attest": "",
        "polls": 3,
    }
    s = standing(old, days(2))
    assert (s.lasted_s, s.pace, s.usual, s.is_reminder_due) == (2 * 86_400, "unknown", "", False)
    assert sentences(s, "the team") == []


@pytest.mark.parametrize(("now", "due", "following"), [(4, False, 5), (5, True, 10), (11, True, None)])
def test_reminders_are_due_in_order(now: float, due: bool, following: float | None) -> None:
    s = standing(wait(remind_s=(5 * 86_400, 10 * 86_400)), days(now))
    assert s.is_reminder_due is due
    assert s.next_reminder_ms == (None if following is None else days(following))


def test_a_further_message_counts_anew_and_the_wait_does_not() -> None:
    s = standing(wait(sent_after_days=6, remind_s=(5 * 86_400,)), days(7))
    assert not s.is_reminder_due
    assert s.lasted_s == 7 * 86_400
    assert "Sent 2026-04-03 12:00 UTC by dana, reference MS-1: by mail" in sentences(s, "the team")


def test_escalating_comes_before_reminding() -> None:
    plan = wait(remind_s=(86_400,), escalate_s=2 * 86_400, how="ring support")
    assert sentences(standing(plan, days(1)), "the team")[0] == "Remind the team, then say so here."
    assert sentences(standing(plan, days(2)), "the team")[0] == "Time to turn to somebody else: ring support"


@pytest.mark.parametrize(
    ("lasted", "earlier", "pace"),
    [(1, (2, 4), "early"), (3, (2, 4), "usual"), (5, (2, 4), "long"), (5, (), "usual"), (9, (), "long")],
)
def test_what_happened_here_beats_what_somebody_wrote(lasted: float, earlier: tuple[float, ...], pace: str) -> None:
    usual = Usual("five to seven days", "their page", (5 * 86_400, 7 * 86_400))
    s = standing(wait(usual=usual), days(lasted), [e * 86_400 for e in earlier])
    assert s.pace == pace
    assert "five to seven days (their page)" in s.usual


def test_without_numbers_nothing_is_called_long() -> None:
    s = standing(wait(usual=Usual("days; no duration is promised", "the article")), days(400))
    assert s.pace == "unknown"
    assert sentences(s, "the team") == ["Usual: days; no duration is promised (the article)."]


def test_the_middle_is_told_of_three_and_more() -> None:
    assert "middle" not in standing(wait(), days(1), [60, 120]).usual
    assert standing(wait(), days(1), [60, 120, 600]).usual == (
        "1 min to 10 min, 2 min in the middle (3 earlier waits on this machine)"
    )


def test_a_clock_that_was_put_back_makes_no_wait_shorter_than_nothing() -> None:
    assert standing(wait(), START_MS - DAY_MS).lasted_s == 0


def test_those_that_are_through_are_named_if_they_waited_too() -> None:
    def node(name: str, state: NodeState, *waited: WaitedDoc) -> NodeView:
        doc: NodeDoc = {
            "id": f"s[{name}]", "step": "s", "key": name, "title": "", "phase": "", "target": "", "gate": "",
            "needs": [], "item": name,
        }  # fmt: skip
        return NodeView(doc, state, waited=waited)

    over: WaitedDoc = {"who": "the team", "since_ms": 0, "until_ms": 1}
    nodes = [
        node("mine", NodeState.WAITING),
        node("theirs", NodeState.DONE, over),
        node("never waited", NodeState.DONE),
        node("left out", NodeState.SKIPPED, over),
    ]
    view = RunView(nodes={n.id: n for n in nodes})
    assert apart_of(view, nodes[0]) == ("theirs",)
    told = sentences(standing(wait(), days(1), apart=("theirs",)), "the team")
    assert told == ["Already through: theirs. This one is not: name it in your message."]


def test_the_json_form_has_iso_times_and_says_what_is_due() -> None:
    plan = wait(sent_after_days=0, remind_s=(86_400,), escalate_s=2 * 86_400, how="ring", expires_s=9 * 86_400)
    doc = patience_doc(standing(plan, days(1.5)))
    assert doc["reminder_due"] is True
    assert doc["escalate"] == {"at": "2026-03-30T12:00:00.000Z", "how": "ring", "due": False}
    assert doc["expires"] == "2026-04-06T12:00:00.000Z"
    assert doc["sent"]["at"] == "2026-03-28T12:00:00.000Z"
