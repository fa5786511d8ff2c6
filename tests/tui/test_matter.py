"""What is known of a wait and of a failure: pure functions of view and entries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from runbook.core.entry import Draft, Entry, Kind
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.tui.present import failure, waiting
from runbook.tui.present.codes import meaning, rule_meaning
from runbook.tui.present.effect import Effect, last_call
from runbook.tui.present.matter import matter
from runbook.tui.present.meanwhile import meanwhile, meanwhile_lines
from runbook.tui.present.text import as_text
from tests.tui.sample import NOW, S, change, check, context, node, ready, view, wait

DAY = 86_400_000
ERROR = {"code": "SubnetIsFull", "message": "No room.", "hint": "Make room.", "correlation_id": "9f1c"}
INTENT = {"seq": 3, "digest": "d", "title": "Run the command", "repeat": "never", "at_ms": NOW, "locks": []}
SENT = {"digest": "d", "title": "Create private endpoint pe-arc", "method": "PUT", "path": "/subscriptions/s/x/pe"}


def log(*rows: tuple[Kind, dict[str, Any]]) -> list[Entry]:
    """Entries of the endpoint, numbered from 1, a second apart."""
    drafts = [Draft(kind, "endpoint", None, data) for kind, data in rows]
    return [Entry.chain(d, n, NOW + n * 1000, "") for n, d in enumerate(drafts, 1)]


LOOK = (Kind.BEGUN, dict[str, Any]())
SEND = (Kind.INTENDED, SENT)
TAKEN = (Kind.ACCEPTED, {"correlation_id": "op-1", "request_id": "req-1"})


def refused(code: str = "SubnetIsFull", **more: Any) -> tuple[Kind, dict[str, Any]]:
    return (Kind.FAILED, {"error": {**ERROR, "code": code, "request_id": "req-9"}, "refused": True, **more})


def failed(code: str = "SubnetIsFull", **more: Any) -> NodeView:
    return node("endpoint", state=S.FAILED, error={**ERROR, "code": code, "request_id": "req-9"}, **more)


# ---------------------------------------------------------------- did it take effect?

CASES: dict[str, tuple[NodeView, list[Entry], Effect]] = {
    "a look that failed": (failed("AuthorizationFailed"), log(LOOK, (Kind.FAILED, {"error": ERROR})), Effect.NO_CALL),
    "a look that failed, long after a call": (
        failed(),
        log(LOOK, SEND, TAKEN, (Kind.POLLED, {}), LOOK, (Kind.FAILED, {"error": ERROR})),
        Effect.NO_CALL,
    ),
    "never sent": (failed("not_sent"), log(LOOK, SEND, refused("not_sent")), Effect.NOT_SENT),
    "nobody signed in": (failed("sign_in"), log(LOOK, SEND, refused("sign_in")), Effect.NOT_SENT),
    "refused": (failed(), log(LOOK, SEND, refused()), Effect.REFUSED),
    "too often throttled": (failed("TooManyRequests"), log(LOOK, SEND, refused("TooManyRequests")), Effect.REFUSED),
    "no answer, again and again": (
        failed("answer_missing", intent=INTENT),
        log(LOOK, SEND, (Kind.FAILED, {"error": ERROR})),
        Effect.UNANSWERED,
    ),
    "in doubt": (node("endpoint", state=S.IN_DOUBT, intent=INTENT), log(LOOK, SEND), Effect.UNANSWERED),
    "an operation that ended badly": (
        failed(),
        log(LOOK, SEND, TAKEN, (Kind.POLLED, {}), (Kind.FAILED, {"error": ERROR})),
        Effect.ENDED_BADLY,
    ),
    "an operation whose beginning is out of sight": (
        failed(),
        log(*[(Kind.POLLED, dict[str, Any]())] * 3, (Kind.FAILED, {"error": ERROR})),
        Effect.ENDED_BADLY,
    ),
    "a rule": (
        node("endpoint", state=S.BLOCKED, blocked={"rule": "r", "message": "", "ways_out": []}),
        log(LOOK),
        Effect.NO_CALL,
    ),
    "a change that did not hold": (
        node("endpoint", state=S.BLOCKED, blocked={"rule": "change-did-not-hold", "message": "", "ways_out": []}),
        log(LOOK, SEND, (Kind.ANSWERED, {}), LOOK),
        Effect.TAKEN,
    ),
    "progress that cannot be read": (
        node("endpoint", state=S.SETTLING, error=ERROR),
        log(LOOK, SEND, TAKEN, (Kind.DEFERRED, {"error": ERROR})),
        Effect.UNDER_WAY,
    ),
    "nothing at hand": (failed(), [], Effect.UNTOLD),
}


@pytest.mark.parametrize("case", list(CASES))
def test_what_is_known_of_the_effect_follows_from_what_was_recorded(case: str) -> None:
    one, entries, effect = CASES[case]
    assert last_call(one, entries).effect is effect


def test_the_engine_and_the_screen_mean_the_same_rules() -> None:
    from runbook.engine.decide import DID_NOT_HOLD, NEED_SKIPPED
    from runbook.engine.judge import EXPIRED, NO_END

    for rule in (DID_NOT_HOLD, NEED_SKIPPED, NO_END, EXPIRED, "check-not-met"):
        assert rule_meaning(rule).said, rule


def test_a_refused_call_is_named_with_its_ids_and_time() -> None:
    call = last_call(failed(), log(LOOK, SEND, refused()))
    assert (call.title, call.path) == ("Create private endpoint pe-arc", "/subscriptions/s/x/pe")
    assert (call.correlation_id, call.request_id) == ("9f1c", "req-9")
    assert (call.at_ms, call.ended_ms, call.seq) == (NOW + 2000, NOW + 3000, 2)


def test_a_rule_is_not_told_with_the_ids_of_an_attempt_before_it() -> None:
    one = node("endpoint", state=S.BLOCKED, blocked={"rule": "r", "message": "", "ways_out": []})
    call = last_call(one, log(LOOK, (Kind.DEFERRED, {"error": {**ERROR, "request_id": "old"}}), LOOK))
    assert call.request_id == call.correlation_id == ""
    assert call.ended_ms == one.since_ms


# ---------------------------------------------------------------- the failure page


def trouble(one: NodeView, entries: Sequence[Entry] | None = (), can: Sequence[str] = ()) -> failure.Trouble:
    held = view(context(), one)
    known = {"retry", "skip"} if not can else set(can)
    return failure.Trouble(held, one, NOW, meanwhile(held, one.id), entries, known, lambda at: "in 3 h")


def told(of: failure.Trouble) -> str:
    return as_text(failure.page(of))


def test_a_failure_says_what_it_means_what_happened_and_what_to_do_in_order() -> None:
    text = told(trouble(failed(), log(LOOK, SEND, refused())))
    parts = [
        "The subnet has no free addresses left for this.",
        "Azure says: No room.",
        "The call: Create private endpoint pe-arc",
        "No. Azure refused the call, so it did not happen.",
        "1. Make room.",
        "r Try again once that is put right.",
        "i If an input",
        "s Leave this node out",
        "Correlation id: 9f1c",
        "Request id: req-9",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places), text


def test_a_code_that_nobody_knows_is_shown_as_it_came() -> None:
    text = told(trouble(failed("Zorgblat"), log(LOOK, SEND, refused("Zorgblat"))))
    assert "Azure says: No room." in text
    assert meaning("Zorgblat").said == ""
    assert "Zorgblat" in as_text(failure.head(trouble(failed("Zorgblat"))))


def test_a_rule_that_can_be_accepted_says_which_key_gives_the_word() -> None:
    block = {
        "rule": "need-skipped",
        "message": "“Close it” stands on endpoint, which was skipped.",
        "ways_out": ["Attest that it is safe without it.", "Skip this node too."],
        "attest": "What was skipped is not needed",
        "next_poll_ms": None,
    }
    one = node("close_public", state=S.BLOCKED, blocked=block)
    text = told(trouble(one, log(LOOK), can=("retry", "skip", "attest")))
    assert "1. t Attest that it is safe without it." in text
    assert "2. s Skip this node too." in text
    assert text.count("\n3. r ") == 1
    assert "4." not in text, "what a way out names already is not named twice"
    assert "Nothing was sent" in text


def test_a_rule_stops_a_node_that_had_changed_something_and_both_is_told() -> None:
    made = {"digest": "d", "title": "Drain vm-1", "at_ms": NOW, "seq": 4}
    block = {"rule": "restart-failed", "message": "m", "ways_out": ["Look."], "attest": "", "next_poll_ms": NOW}
    text = told(trouble(node("endpoint", state=S.BLOCKED, blocked=block, applied=(made,)), log(LOOK)))
    assert "Before it stopped" in text
    assert "Drain vm-1" in text
    assert "No." not in text
    assert "It looks again by itself in 3 h." in text


def test_doubt_tells_to_look_before_sending_again() -> None:
    one = node("endpoint", state=S.IN_DOUBT, intent=INTENT)
    text = told(trouble(one, log(LOOK, SEND)))
    assert text.index("Look yourself") < text.index("r If it did not happen: send it again.")
    assert "sending it twice could do harm" in text


def test_keys_that_would_be_refused_are_not_offered() -> None:
    text = told(trouble(failed(), log(LOOK, SEND, refused()), can=("nothing",)))
    assert "r Try" not in text
    assert "s Leave" not in text
    assert "1. Make room." in text


def test_what_is_stored_is_shown_without_secrets_and_without_control_characters() -> None:
    secret = {"error": {**ERROR, "message": "sent with Bearer abcdefgh12345678 \x1b[31m"}, "password": "hunter2"}
    text = failure.raw(failed(), log(LOOK, (Kind.FAILED, secret)))
    assert "hunter2" not in text
    assert "abcdefgh12345678" not in text
    assert "\x1b" not in text
    assert [e["seq"] for e in json.loads(text)["entries"]] == [2, 1]


def test_the_text_for_a_ticket_has_ids_effect_and_the_whole_path() -> None:
    text = failure.ticket(trouble(failed(), log(LOOK, SEND, refused())))
    for part in (
        "Run: arc-1",
        "State: failed SubnetIsFull",
        "/subscriptions/s/x/pe",
        "9f1c",
        "req-9",
        "it did not happen",
    ):
        assert part in text, text


def test_a_failure_that_is_over_says_so() -> None:
    assert "Nothing is the matter here any more" in told(trouble(node("endpoint", state=S.DONE)))


# ---------------------------------------------------------------- the waiting page

WORD = {"at_ms": NOW - 2 * DAY, "seq": 5, "text": "sent by mail", "by": "ana", "evidence": "m.eml", "sha256": "ab" * 32}
DRAFTED = "To: the Arc team\nSubject: Approval, please\n\nHello."


def waited(
    entries: Sequence[Entry] | None = (), gate: str = "microsoft", since_ms: int = NOW - 2 * DAY, **more: Any
) -> waiting.Waited:
    one = node("approval", state=S.WAITING, waiting=wait(since_ms=since_ms, **more))
    one.doc["gate"] = gate
    one.doc["needs"].append("request_sent")
    asked = node("request_sent", state=S.DONE, attested=({**WORD, "at_ms": since_ms},))
    behind = node("endpoint")
    behind.doc["needs"].append("approval")
    held = view(context(), asked, one, behind)
    return waiting.Waited(held, one, NOW, meanwhile(held, one.id), entries, lambda at: "in 3 h")


def draft_entry(text: str = DRAFTED) -> list[Entry]:
    data = {"waiting": {"draft": text}}
    return [Entry.chain(Draft(Kind.OBSERVED, "request_sent", None, data), 4, NOW - 3 * DAY, "")]


def test_a_wait_says_whom_since_when_how_often_what_was_sent_and_what_comes_then() -> None:
    text = as_text(waiting.page(waited()))
    for part in (
        "Since: 2026-10-24 07:33Z, that is 2 d",
        "Who must say go: Microsoft",
        "our own figure",
        "Looks again: in 3 h, by itself; looked 12 times so far",
        "ana: “sent by mail” (at “Ask the Arc team”)",
        "Evidence: m.eml",
        "The provider is registered a second time.",
        "Behind this one: 1 node",
    ):
        assert part in text, text
    assert "the Arc team at Microsoft" in as_text(waiting.head(waited()))


def test_the_text_that_was_sent_comes_from_the_node_where_it_was_drafted() -> None:
    of = waited(draft_entry())
    assert waiting.sources(of.view, of.node) == ["approval", "request_sent"]
    assert waiting.texts(of)["first"].text == DRAFTED
    assert "The text that was drafted" in as_text(waiting.text_page(of, "first"))
    assert "2026-10-24 07:33Z" in waiting.texts(of)["second"].body, "the reminder says when the first went out"


def test_a_wait_that_lasts_longer_than_usual_says_so_and_shows_the_second_text_first() -> None:
    assert not waiting.is_long(waited())
    long = waited(since_ms=NOW - 20 * DAY)
    assert waiting.is_long(long)
    assert "Longer than usual" in as_text(waiting.page(long))


def test_the_steps_own_patience_beats_the_default() -> None:
    turn = {"at_ms": NOW - 1, "how": "Open a support request."}
    usual = {"text": "days are usual", "source": "Microsoft Docs", "from_s": None, "to_s": None}
    sent = {"what": "Request", "at_ms": NOW - DAY, "by": "ana", "how": "by mail", "reference": "TICKET-7"}
    of = waited(escalate=turn, usual=usual, sent=sent)
    text = as_text(waiting.page(of))
    assert "Time to turn to somebody else: Open a support request." in text
    assert "Usual: days are usual (Microsoft Docs)" in text
    assert "by ana, reference TICKET-7: by mail" in text
    assert "our own figure" not in text
    assert waiting.is_long(of)
    assert waiting.is_long(waited(usual={**usual, "from_s": 60.0, "to_s": 3600.0}))
    assert not waiting.is_long(waited(usual={**usual, "from_s": 60.0, "to_s": 30 * 86_400.0}))


def test_nobody_is_reminded_where_the_operator_or_a_machine_is_waited_for() -> None:
    assert "second" not in waiting.texts(waited(gate="operator"))
    assert "second" not in waiting.texts(waited(gate=""))
    assert "second" not in waiting.texts(waited(who="you, to send one message"))
    assert "second" in waiting.texts(waited(gate="team"))
    assert "There is no text" in as_text(waiting.text_page(waited(gate="operator"), "first"))


def test_a_wait_that_only_a_word_ends_names_its_key() -> None:
    of = waited(next_poll_ms=None, attest="I sent the message", words=[{"says": "again", "title": "I wrote again"}])
    text = as_text(waiting.page(of))
    assert "only your word ends it" in text
    assert "t records it: I sent the message" in text
    assert "t records, too: I wrote again" in text


@pytest.mark.parametrize(("state", "words"), [(S.DONE, "is over: the node is done"), (S.BLOCKED, "over for now")])
def test_a_wait_that_is_over_says_so(state: NodeState, words: str) -> None:
    one = node("approval", state=state)
    held = view(context(), one)
    assert words in as_text(waiting.page(waiting.Waited(held, one, NOW)))


# ---------------------------------------------------------------- meanwhile


def test_what_goes_on_meanwhile_names_what_can_be_worked_on() -> None:
    held = view(
        context(),
        node("approval", state=S.WAITING, waiting=wait()),
        node("endpoint", state=S.READY, changes=(change("Create it", "pe"),)),
        node("machines", state=S.OBSERVING),
        *[node("associate", f"m{n}", f"Associate m{n}", S.FAILED) for n in range(6)],
    )
    text = as_text(meanwhile_lines(meanwhile(held, "approval")))
    assert "7 other nodes need you now; n goes there" in text
    assert "Private endpoint pe-arc" in text
    assert "and 3 more" in text
    assert "At work by itself: Find the machines." in text


def test_a_chain_of_needs_is_counted_once_and_ends_even_where_it_is_round() -> None:
    one, two, three = node("approval"), node("endpoint"), node("machines")
    two.doc["needs"].append("approval")
    three.doc["needs"] += ["endpoint", "approval"]
    one.doc["needs"].append("machines")
    assert meanwhile(view(one, two, three), "approval").behind == 2


def test_only_nodes_with_something_to_tell_have_a_screen_of_their_own() -> None:
    assert matter(node("approval", state=S.WAITING, waiting=wait())) == "waiting"
    assert matter(failed()) == "failure"
    assert matter(node("endpoint", state=S.OBSERVING, error=ERROR)) == "failure"
    assert matter(node("endpoint", state=S.DONE)) == ""
    assert matter(ready().nodes["endpoint"]) == ""
    assert RunView().nodes == {}


def test_a_step_that_drafts_its_own_reminder_is_not_given_another() -> None:
    own = "To: the Arc team\nSubject: Reminder: approval\n\nStill nothing?"
    of = waited(draft_entry(), draft=own, remind_ms=[NOW - 1])
    assert waiting.texts(of)["second"].text == own
    assert waiting.texts(of)["first"].text == DRAFTED
    assert "Remind the Arc team at Microsoft" in as_text(waiting.page(of))
    early = waited(draft_entry(), draft=own, remind_ms=[NOW + 1])
    assert not waiting.is_long(early)
    assert waiting.texts(early)["second"].subject == "Reminder: approval"


def test_once_an_answer_was_recorded_no_text_says_that_there_was_none() -> None:
    answer: Any = {**WORD, "says": "approved", "reference": "MS-99817", "seq": 9, "at_ms": NOW - DAY}
    words = [{"says": "sent", "title": "I wrote"}, {"says": "approved", "title": "They say that it is approved"}]
    of = waited(words=words)
    assert "without an answer" in waiting.texts(of)["second"].body
    pending = (check("flag private-link", "Registered", "Pending"),)
    told = replace(of, node=replace(of.node, attested=(answer,), checks=pending))
    told = replace(told, view=replace(told.view, nodes={**told.view.nodes, "approval": told.node}))
    body = waiting.texts(told)["second"].body
    assert "without an answer" not in body
    assert "reference MS-99817, is noted here as “They say that it is approved”" in body
    assert "flag private-link reads Pending" in body


def test_a_further_message_of_ours_is_no_answer() -> None:
    ours: Any = {**WORD, "says": "sent", "text": "Wrote again"}
    of = waited(sent={"what": "A message", "at_ms": WORD["at_ms"], "by": "ana", "how": "Wrote again", "about": []})
    told = replace(of, node=replace(of.node, attested=(ours,)))
    told = replace(told, view=replace(told.view, nodes={**told.view.nodes, "approval": told.node}))
    assert waiting.answer(told) is None
