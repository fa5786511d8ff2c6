from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runbook.core.entry import GENESIS, Draft, Entry, Kind
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.journal.fold import fold
from runbook.journal.store import Driver
from runbook.report import render, report_doc
from runbook.report.claims import ON_PREMISES
from runbook.step import Change

CHANGE = Change("Create the thing", "PUT", "/subscriptions/s/x", "1", {"a": 1}).doc()
HOUR = 3_600_000
S = NodeState


def story(*drafts: tuple[int, Draft], title: str = "The thing") -> tuple[RunView, list[Entry]]:
    """A run of one node, from dated drafts; hashes are not looked at here."""
    book = {
        "id": "b",
        "version": 1,
        "title": "A book",
        "phases": [{"id": "p", "title": "A phase"}],
        "steps": [{"id": "s", "source": "a document"}],
    }
    created = {
        "id": "r",
        "book": book,
        "mode": "rehearsal",
        "edition": "auto",
        "scenario": "x",
        "inputs": {"vnet": title},
        "pinned": {"cloud": "AzureCloud", "tenant": "t", "account": "dana", "subscriptions": {"s": title}},
    }
    node = {"id": "s", "step": "s", "key": None, "title": title, "phase": "p", "target": title, "gate": ""}
    first = [
        (0, Draft(Kind.RUN_CREATED, data=created)),
        (0, Draft(Kind.EXPANDED, data={"step": "s", "nodes": [{**node, "needs": [], "item": None}]})),
    ]
    entries = []
    for seq, (at_ms, draft) in enumerate([*first, *drafts], 1):
        entries.append(Entry(seq, at_ms, draft.kind, draft.node, draft.to, draft.data, GENESIS))
    return fold(RunView(), entries), entries


def look(at_ms: int) -> tuple[int, Draft]:
    return at_ms, Draft(Kind.BEGUN, "s", S.OBSERVING)


def seen(at_ms: int, to: NodeState, verdict: str, **data: Any) -> tuple[int, Draft]:
    return at_ms, Draft(Kind.OBSERVED, "s", to, {"verdict": verdict, "checks": [], **data})


def sent(at_ms: int) -> tuple[int, Draft]:
    data = {"digest": CHANGE["digest"], "title": CHANGE["title"], "repeat": "safe", "locks": []}
    return at_ms, Draft(Kind.INTENDED, "s", data={**data, "method": "PUT", "path": "/subscriptions/s/x"})


def document(view: RunView, entries: list[Entry]) -> dict[str, Any]:
    return report_doc(view, entries, [Driver(1, "host", 7, "dana", 0, "")], (len(entries), "f" * 64), [])


def only_node(doc: dict[str, Any]) -> dict[str, Any]:
    node: dict[str, Any] = doc["phases"][0]["nodes"][0]
    return node


def waiting(at_ms: int, since_ms: int, who: str = "the team") -> tuple[int, Draft]:
    wait = {
        "who": who,
        "message": "Wait.",
        "then": "",
        "since_ms": since_ms,
        "next_poll_ms": at_ms + HOUR,
        "draft": "",
        "attest": "",
        "polls": 0,
    }
    return seen(at_ms, S.WAITING, "waiting", waiting=wait)


def test_polls_of_one_wait_are_one_wait_and_its_length_is_told() -> None:
    polls = [draft for n in range(1, 50) for draft in (look(n * HOUR), waiting(n * HOUR, 0))]
    doc = document(*story(look(0), waiting(0, 0), *polls, look(50 * HOUR), seen(50 * HOUR, S.DONE, "satisfied")))
    (wait,) = doc["waits"]
    assert wait["lasted"] == "2 d 2 h"
    assert wait["until"] == "1970-01-03T02:00:00.000Z"


def test_a_wait_for_somebody_else_is_another_wait() -> None:
    doc = document(*story(look(0), waiting(0, 0, "ann"), look(HOUR), waiting(HOUR, HOUR, "bob"), look(2 * HOUR)))
    assert [(w["who"], w["until"] is None) for w in doc["waits"]] == [("ann", False), ("bob", True)]
    assert doc["waits"][1]["lasted"] == "1 h"


def test_a_command_is_told_with_its_three_faces_and_its_outcome() -> None:
    ready = seen(1, S.READY, "changes", changes=[CHANGE])
    go = (2, Draft(Kind.APPROVED, "s", data={"digests": [CHANGE["digest"]], "titles": [CHANGE["title"]]}))
    apply = seen(3, S.APPLYING, "changes", changes=[CHANGE])
    took = {"digest": CHANGE["digest"], "title": CHANGE["title"], "status": 201, "correlation_id": "corr"}
    answered = (4, Draft(Kind.ANSWERED, "s", S.OBSERVING, took))
    done = seen(5, S.DONE, "satisfied", checks=[{"name": "c", "expected": "1", "observed": "1", "ok": True}])
    doc = document(*story(look(0), ready, go, look(3), apply, sent(3), answered, look(5), done))
    (command,) = only_node(doc)["commands"]
    assert command["az"].startswith("az rest --method put")
    assert command["powershell"].startswith("Invoke-AzRestMethod")
    assert command["rest"].startswith("PUT ")
    assert (command["outcome"], command["status"], command["correlation_id"]) == ("answered", 201, "corr")
    for form in ("md", "html"):
        text = render(doc, form)
        assert "az rest --method put" in text
        assert "Approved " in text
        assert "1970-01-01T00:00:00Z" in text
        assert "corr" in text


def test_a_rule_that_stood_in_the_way_is_told_also_when_it_no_longer_does() -> None:
    block = {"rule": "zone-hides-names", "message": "A zone hides the names.", "ways_out": [], "attest": ""}
    first = seen(0, S.BLOCKED, "blocked", blocked=block)
    again = seen(HOUR, S.BLOCKED, "blocked", blocked=block)
    standing = document(*story(look(0), first, look(HOUR), again))
    assert only_node(standing)["troubles"] == []
    doc = document(*story(look(0), first, look(HOUR), again, look(2 * HOUR), seen(2 * HOUR, S.DONE, "satisfied")))
    (trouble,) = only_node(doc)["troubles"]
    assert (trouble["kind"], trouble["code"]) == ("blocked", "zone-hides-names")
    for form in ("md", "html"):
        assert "A zone hides the names. This stood in the way for 2 h." in render(doc, form)


@pytest.mark.parametrize(("took_effect", "words"), [(True, "it had taken effect"), (False, "it had not taken effect")])
def test_a_lost_answer_is_told_with_what_looking_showed(took_effect: bool, words: str) -> None:
    apply = seen(1, S.APPLYING, "changes", changes=[CHANGE])
    error = {"code": "answer_missing", "message": "No answer.", "hint": ""}
    lost = (2, Draft(Kind.DOUBTED, "s", S.IN_DOUBT, {"error": error}))
    to = S.DONE if took_effect else S.READY
    after = seen(3, to, "satisfied", took_effect=took_effect, changes=[] if took_effect else [CHANGE])
    doc = document(*story(look(0), apply, sent(1), lost, look(3), after))
    assert words in only_node(doc)["commands"][0]["outcome"]
    assert words in render(doc, "md")


def test_what_was_changed_is_listed_first_in_the_order_it_was_sent() -> None:
    ready = seen(1, S.READY, "changes", changes=[CHANGE])
    apply = seen(3, S.APPLYING, "changes", changes=[CHANGE])
    doc = document(*story(look(0), ready, look(3), apply, sent(3)))
    assert [(c["node"], c["entry"], c["title"]) for c in doc["changes"]] == [("s", 7, CHANGE["title"])]
    assert doc["counts"]["changes"] == 1
    for form in ("md", "html"):
        assert "1 change was sent" in render(doc, form)


def test_what_people_vouched_for_is_listed_with_its_evidence_and_the_text_they_sent() -> None:
    word = {"text": "sent by mail", "by": "dana", "evidence": "mail.eml", "sha256": "ab" * 32}
    at, wait = waiting(0, 0)
    wait.data["waiting"]["draft"] = "Dear team,\nplease approve."
    doc = document(*story(look(0), (at, wait), (HOUR, Draft(Kind.ATTESTED, "s", S.OBSERVING, word))))
    assert [(a["by"], a["evidence"]) for a in doc["attestations"]] == [("dana", "mail.eml")]
    for form in ("md", "html"):
        text = render(doc, form)
        for part in ("sent by mail", "mail.eml", "ab" * 32, "please approve."):
            assert part in text


def test_a_node_that_is_not_needed_says_which_condition_does_not_hold() -> None:
    data = {"by": "when", "reason": "not needed here: ${inputs.dns == 'own'}"}
    doc = document(*story((1, Draft(Kind.SKIPPED, "s", S.SKIPPED, data))))
    assert only_node(doc)["skipped"]["words"] == (
        "Not needed here: the book's condition inputs.dns == 'own' does not hold."
    )


def test_a_node_that_is_not_needed_says_the_books_words_for_it() -> None:
    data = {"by": "when", "reason": "not needed here: your DNS team keeps the names"}
    doc = document(*story((1, Draft(Kind.SKIPPED, "s", S.SKIPPED, data))))
    assert only_node(doc)["skipped"]["words"] == "Not needed here: your DNS team keeps the names"


def test_a_refusal_is_told_with_its_code() -> None:
    error = {"code": "SubnetIsFull", "message": "No room.", "hint": ""}
    failed = (2, Draft(Kind.FAILED, "s", S.FAILED, {"error": error, "refused": True}))
    doc = document(*story(look(0), seen(1, S.APPLYING, "changes", changes=[CHANGE]), sent(1), failed))
    assert only_node(doc)["commands"][0]["outcome"] == "refused: SubnetIsFull"
    assert doc["attention"][0]["text"] == "SubnetIsFull: No room."


def test_a_damaged_journal_is_told_in_every_form() -> None:
    view, entries = story(look(0))
    doc = report_doc(view, entries, [], (3, "0" * 64), ["row 2 was altered"])
    for form in ("md", "html", "json"):
        assert "row 2 was altered" in render(doc, form)


def test_a_rehearsal_is_called_one() -> None:
    doc = document(*story(look(0)))
    assert "rehearsal against a simulated Azure" in render(doc, "md")
    assert "rehearsal against a simulated Azure" in render(doc, "html")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


@given(
    st.text(max_size=60) | st.sampled_from(["<script>x</script>", "](http://x)", "| a | b |", "`", "\x1b[2J", "\n# x"])
)
def test_text_from_outside_neither_styles_a_page_nor_breaks_a_table(text: str) -> None:
    assume(text.lower() != ON_PREMISES)  # a target of that name is a place on the map, so a map is drawn
    doc = document(*story(look(0), seen(1, S.DONE, "satisfied"), title=text))
    plain_ = document(*story(look(0), seen(1, S.DONE, "satisfied"), title="x"))
    page, usual = _Tags(), _Tags()
    page.feed(render(doc, "html"))
    usual.feed(render(plain_, "html"))
    assert page.tags == usual.tags
    markdown, ordinary = render(doc, "md"), render(plain_, "md")
    assert len(markdown.splitlines()) >= 1
    assert len(markdown.split("\n")) == len(ordinary.split("\n"))
    assert "\x1b" not in markdown
    headings = re.compile(r"^#", re.MULTILINE)
    assert len(headings.findall(markdown)) == len(headings.findall(ordinary))
    assert not re.search(r"(?<!\\)[<>]", markdown)


def test_a_page_needs_nothing_from_elsewhere() -> None:
    text = render(document(*story(look(0))), "html")
    assert not re.search(r"<(?:script|link|img|iframe)|url\(|@import|https?://", text)


def test_secrets_never_reach_a_report() -> None:
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln"
    doc = document(*story(look(0), seen(1, S.DONE, "satisfied", summary=f"Bearer {token}")))
    assert all(token not in render(doc, form) for form in ("md", "html", "json"))
