from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runbook.cli.plain import run_plain
from runbook.core.state import NodeState
from tests.cli.conftest import Shell
from tests.tui import sample


def answered(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_the_end_of_input_leaves_the_run_as_it_is(shell: Shell, parked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch)
    ended = shell("resume", "arc", "--plain", "--speed", "max")
    assert ended.code == 4
    assert "Approve, skip, retry, later, quit?" in ended.out
    assert " resume arc" in ended.err


def test_a_question_shows_the_command_and_an_approval_runs_it(
    shell: Shell, parked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch, "h", "nonsense", "a", "q")
    ended = shell("resume", "arc", "--plain", "--speed", "max")
    assert "az provider register" in ended.out
    assert "give your word" in ended.out
    assert "One of:" in ended.out
    assert "approved" in ended.out


def test_a_skip_asks_for_its_reason(shell: Shell, parked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch, "s", "", "s", "not ours", "q")
    ended = shell("resume", "arc", "--plain", "--speed", "max")
    assert "skipped" in ended.out
    assert "Left out by the operator: not ours" in shell("report", "arc").out


def test_everything_put_off_ends_the_talk(shell: Shell, parked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch, *["l"] * 40)
    ended = shell("resume", "arc", "--plain", "--speed", "max")
    assert ended.code == 4
    assert "put off" in ended.out


def test_a_disruptive_change_wants_a_name_typed(shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell("rehearse", "--headless", "--yes", "--run-id", "r")
    answered(monkeypatch, "a", "wrong", "a", "privatelink.his.arc.azure.com", "q")
    said = shell("resume", "r", "--plain", "--speed", "max").out
    assert "Type this name, privatelink.his.arc.azure.com" in said
    assert "Not approved" in said
    assert said.count("  approved   links[") == 1


def test_evidence_that_is_not_there_is_asked_for_again(
    shell: Shell, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mail.txt").write_text("sent", "utf-8")
    shell("rehearse", "--headless", "--yes", "--run-id", "r", "--scenario", "arc-ga")
    shell("resume", "r", "--headless", "--yes-disruptive")
    answered(monkeypatch, "a", "checked", str(tmp_path / "none"), str(tmp_path / "mail.txt"), "", "", "q")
    said = shell("resume", "r", "--plain", "--speed", "max").out
    assert "There is no file" in said
    assert said.count("  attested   ") == 1
    assert "mail.txt" in said


def test_what_a_question_tells_is_not_told_before_it_as_well(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch, "a", "q")
    said = shell("rehearse", "avd-private-link", "--plain", "--speed", "max", "--run-id", "r").out
    assert "  ready  " not in said
    assert "    new: AllowAvdPrivateEndpoints.destinationPortRange: 1-65535" in said
    assert said.count("Approve, skip, retry, later, quit?") == 2


class Meanwhile(io.StringIO):
    """Input during which the world goes on: ``happens`` is called before the line of that number is read."""

    def __init__(self, *lines: str, at: int, happens: Callable[[], object]) -> None:
        super().__init__("".join(f"{line}\n" for line in lines))
        self._left, self._happens = at, happens

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        self._left -= 1
        if self._left == 0:
            self._happens()
        return super().readline(-1 if size is None else size)


@pytest.mark.parametrize("at", [1, 2], ids=["at the first question", "while the text is typed"])
def test_an_answer_to_what_came_by_itself_is_not_needed_and_says_so(
    at: int, capsys: pytest.CaptureFixture[str]
) -> None:
    store = sample.Store(
        sample.view(
            sample.node("approval", state=NodeState.WAITING, waiting=sample.wait(attest="I sent the message")),
            sample.node("endpoint", state=NodeState.READY, changes=(sample.change("Create it", "pe"),)),
        )
    )

    def comes() -> None:
        done = replace(store.held.nodes["approval"], state=NodeState.DONE, waiting=None)
        store.put(replace(store.held, nodes={**store.held.nodes, "approval": done}))

    run_plain(store, Meanwhile("a", "sent by mail", at=at, happens=comes))
    said = capsys.readouterr().out
    assert "“Approval of the preview” is done meanwhile: the answer is not needed any more. Going on." in said
    assert "Evidence file" not in said
    assert store.commands == []
