"""Whole rehearsals of the shipped scenarios, headless, with every answer given."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runbook.core.clock import duration
from runbook.core.command import Attest
from runbook.core.entry import Kind
from runbook.core.state import NodeState, RunState
from runbook.engine.engine import Until
from runbook.wiring import open_run
from tests.crash.harness import EVERYTHING, RUN, Played, begin, entries_of, play


def rehearse(home: Path, scenario: str) -> Played:
    begin(home, scenario)
    return play(home)


@pytest.mark.parametrize("scenario", ["arc-preview", "arc-ga", "arc-brownfield"])
def test_a_shipped_scenario_ends_done_with_every_check_ok(tmp_path: Path, scenario: str) -> None:
    played = rehearse(tmp_path, scenario)
    assert played.view.state is RunState.DONE
    done = [n for n in played.view.nodes.values() if n.state is NodeState.DONE]
    assert all(check["ok"] for node in done for check in node.checks)
    assert all(node.checks for node in done)


def test_the_same_scenario_and_the_same_answers_give_the_same_journal(tmp_path: Path) -> None:
    one, other = rehearse(tmp_path / "one", "arc-preview"), rehearse(tmp_path / "other", "arc-preview")
    assert [e.hash for e in one.entries] == [e.hash for e in other.entries]


@pytest.mark.parametrize("scenario", ["arc-preview", "avd-small"])
def test_a_slow_machine_writes_the_same_journal_as_a_fast_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: str
) -> None:
    """Where time is short, what may wait for company is committed by itself; that moves no entry and adds none."""
    fast = rehearse(tmp_path / "fast", scenario)
    monkeypatch.setattr("runbook.engine.log._LAZY_S", 0)
    slow = rehearse(tmp_path / "slow", scenario)
    assert [e.hash for e in fast.entries] == [e.hash for e in slow.entries]


def test_the_approval_takes_days_and_the_journal_shows_how_long_was_waited(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-preview")
    waits = [n for n in played.view.nodes.values() if n.doc["step"] == "approval"]
    assert len(waits) == 2
    for node in waits:
        observed = [e for e in played.entries if e.node == node.id and e.kind is Kind.OBSERVED]
        waited_s = (observed[-1].at_ms - observed[0].at_ms) / 1000
        assert 1.5 * 86_400 < waited_s < 3 * 86_400, duration(waited_s)
        polls = len(observed)
        assert polls < 60, "polling is gentle"


def test_registration_is_really_repeated_after_the_approval(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-preview")
    registers = [
        (path, count)
        for (method, path), count in played.writes.items()
        if method == "POST" and path.lower().endswith("/microsoft.hybridcompute/register")
    ]
    assert registers
    assert sum(count for _, count in registers) >= 3  # one subscription had never registered it, both must repeat


def test_every_change_is_shown_in_three_faces_and_nothing_is_written_without_an_intent(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-preview")
    intents = [e for e in played.entries if e.kind is Kind.INTENDED]
    assert len(intents) == sum(played.writes.values())
    shown = {c["digest"]: c for e in played.entries if e.kind is Kind.OBSERVED for c in e.data.get("changes", ())}
    for intent in intents:
        command = shown[intent.data["digest"]]["command"]
        assert command["az"].startswith("az ")
        assert command["rest"].partition(" ")[0] in ("PUT", "PATCH", "POST")
        assert command["powershell"]


def test_disruptive_changes_are_the_ones_that_redirect_or_cut_live_machines(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-preview")
    risky = {
        e.node.partition("[")[0]
        for e in played.entries
        if e.node and e.kind is Kind.OBSERVED and any(c["risk"] == "disruptive" for c in e.data.get("changes", ()))
    }
    assert "close_public" in risky
    assert "links" in risky
    assert "scope" not in risky


def test_private_names_come_after_every_machine_is_in_the_scope(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-preview")
    finished = {e.node: e.seq for e in played.entries if e.to is NodeState.DONE}
    machines = [seq for node, seq in finished.items() if node and node.startswith("associate[")]
    first_link = min(e.seq for e in played.entries if e.kind is Kind.INTENDED and (e.node or "").startswith("links["))
    assert machines
    assert max(machines) < first_link


def test_closing_public_access_comes_last_and_only_after_the_proof(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-preview")
    closing = next(e.seq for e in played.entries if e.kind is Kind.INTENDED and e.node == "close_public")
    proof = next(e.seq for e in played.entries if e.to is NodeState.DONE and e.node == "proof")
    assert proof < closing
    assert closing == max(e.seq for e in played.entries if e.kind is Kind.INTENDED)


def test_no_secret_and_no_signed_address_stands_in_any_entry(tmp_path: Path) -> None:
    played = rehearse(tmp_path, "arc-preview")
    text = "\n".join(str(e.data) for e in entries_of(tmp_path))
    assert "operations/" not in text.lower() or "&s=" not in text
    assert "Bearer " not in text
    assert any(e.kind is Kind.ACCEPTED for e in played.entries)


def test_the_troubled_scenario_finds_each_planted_problem_and_ends_well(tmp_path: Path) -> None:
    begin(tmp_path, "arc-trouble")
    rules: set[str] = set()

    async def drive() -> RunState:
        session = open_run(tmp_path, RUN, durable=False)
        engine = session.engine

        def answer_all(*_: object) -> None:
            for node in engine.view.nodes.values():
                if node.blocked and node.state is NodeState.BLOCKED:
                    rules.add(node.blocked["rule"])
                if (command := EVERYTHING.answer(node)) is not None:
                    engine.submit(command).add_done_callback(lambda task: task.exception())

        engine.listen(lambda e: answer_all() if e.entry.to is not None else None)
        answer_all()
        for _ in range(10):
            await engine.run(Until.STUCK)
            for node in list(engine.view.nodes.values()):
                if node.state is NodeState.BLOCKED and node.blocked and node.blocked["attest"]:
                    await engine.decide(Attest(node.id, "cleared up with the team; ask again", "anna"))
        state = engine.view.state
        await session.close()
        return state

    assert asyncio.run(drive()) is RunState.DONE
    kinds = {e.kind for e in entries_of(tmp_path)}
    assert Kind.DOUBTED in kinds, "an answer was lost after its write took effect"
    assert any("subnet" in rule for rule in rules), rules
    assert any("priority" in rule for rule in rules), rules
    assert any("reject" in rule for rule in rules), rules
    assert any("zone" in rule or "link" in rule for rule in rules), rules
