"""Hand-over and notes from the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Shell


def ready(shell: Shell) -> str:
    nodes = json.loads(shell("status", "arc", "--json").out)["nodes"]
    return next(str(n["id"]) for n in nodes if n["state"] == "ready")


def test_a_node_is_handed_over_with_a_document_and_taken_back(shell: Shell, parked: Path, tmp_path: Path) -> None:
    node = ready(shell)
    shown = shell("handover", "arc", node)
    assert shown.code == 0
    assert "az " in shown.out
    assert "rehearsal" in shown.out
    file = tmp_path / "for-them.md"
    ended = shell("handover", "arc", node, "--to", "the DNS team", "--note", "DNS-7", "--out", str(file))
    assert (ended.code, ended.out) == (0, "")
    assert file.read_text(encoding="utf-8").startswith("# For the DNS team")
    said = next(n for n in json.loads(shell("status", "arc", "--json").out)["nodes"] if n["id"] == node)
    assert (said["state"], said["waiting_on"]["who"]) == ("waiting", "the DNS team")
    assert "DNS-7" in shell("handover", "arc").out, "all that is with others"
    assert shell("answer", "arc", node, "retry").code == 0
    assert shell("handover", "arc").code == 2, "nothing is with others any more"


def test_an_existing_file_is_not_written_over(shell: Shell, parked: Path, tmp_path: Path) -> None:
    file = tmp_path / "there.md"
    file.write_text("mine")
    ended = shell("handover", "arc", ready(shell), "--out", str(file))
    assert ended.code == 2
    assert file.read_text() == "mine"


def test_what_is_done_has_nothing_to_hand_over(shell: Shell, finished: Path) -> None:
    assert shell("handover", "arc", "context").code == 2
    assert shell("handover", "arc", "--to", "x").code == 2


def test_a_note_stands_in_the_report_with_its_writer(shell: Shell, finished: Path) -> None:
    assert shell("note", "arc", "Kim has the keys.").code == 0
    assert "Kim has the keys." in shell("report", "arc").out
    assert shell("note", "arc", " ").code == 2


def test_what_happened_since_the_last_look_is_told_once(shell: Shell, parked: Path) -> None:
    assert "Needs you" in shell("status", "arc", "--since-last").out
    assert shell("status", "arc", "--since-last").out == "Nothing new.\n"
    shell("note", "arc", "Kim has the keys.")
    assert shell("status", "arc", "--since", "2020-01-01").out.count("Kim has the keys.") == 1
    assert shell("status", "arc", "--since-last").out.startswith("Notes (1): Kim has the keys.")
    assert shell("status", "arc", "--since-last", "--json").code == 2


def test_why_goes_with_taking_over(shell: Shell, parked: Path) -> None:
    assert shell("resume", "arc", "--because", "ill", "--headless").code == 2
