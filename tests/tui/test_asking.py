"""Questions to the operator: what they judge by, and how a dialog leads through them."""

from __future__ import annotations

from runbook.core.clock import from_iso, iso
from runbook.tui.screens import questions
from tests.tui.sample import NOW, S, context, node, view, wait

ONE = node("approval", state=S.WAITING, waiting=wait(attest="They approved it"))
TODAY = iso(NOW)[:10]


def test_the_day_of_an_answer_is_asked_and_judged_by_the_clock_of_the_run() -> None:
    field = next(f for f in questions.attest(view(context(), ONE), ONE, NOW).fields if f.id == "dated")
    assert f"such as {TODAY}" in field.label
    assert not field.problem(TODAY), "the example must be one that is taken"
    assert TODAY in field.problem("soon")
    assert "lies ahead" in field.problem(iso(NOW + 3 * 86_400_000)[:10])
    assert "lies ahead" in field.problem(iso(NOW + 60_000))


def test_today_without_an_hour_is_now_and_not_before_what_it_answers() -> None:
    answers = {"text": "Ben wrote", "evidence": "", "reference": ""}
    assert questions.attest_command(ONE, "ana", {**answers, "dated": TODAY}, NOW).dated_ms == NOW
    before = questions.attest_command(ONE, "ana", {**answers, "dated": "2026-10-01"}, NOW)
    assert before.dated_ms == from_iso("2026-10-01")
    assert questions.attest_command(ONE, "ana", {**answers, "dated": ""}, NOW).dated_ms is None
