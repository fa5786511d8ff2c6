from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli.conftest import Shell


def states(shell: Shell, run: str = "arc") -> dict[str, str]:
    return {n["id"]: n["state"] for n in json.loads(shell("status", run, "--json").out)["nodes"]}


def test_an_approval_from_a_script_is_carried_out_at_the_next_resume(shell: Shell, parked: Path) -> None:
    assert shell("answer", "arc", "resource_group", "approve").code == 0
    assert states(shell)["resource_group"] == "ready"
    shell("resume", "arc", "--headless")
    assert states(shell)["resource_group"] == "done"


def test_a_skip_needs_a_reason_and_keeps_it(shell: Shell, parked: Path) -> None:
    assert shell("answer", "arc", "resource_group", "skip").code == 2
    assert shell("answer", "arc", "resource_group", "skip", "--text", "made by hand").code == 0
    assert states(shell)["resource_group"] == "skipped"
    assert "Left out by the operator: made by hand" in shell("report", "arc").out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("edition", "approve"), "is done by now and takes no answer any more"),
        (("resource_grop", "approve"), "Did you mean resource_group"),
        (("resource_group", "attest", "--text", "x"), "cannot be attested now"),
        (("resource_group", "attest"), "needs --text"),
        (("resource_group", "approve", "--text", "x"), "takes no --text"),
        (("resource_group", "skip", "--text", "x", "--evidence", "f"), "go with attest"),
        (("resource_group", "skip", "--text", "x", "--reference", "R"), "go with attest"),
        (("resource_group", "attest", "--text", "x", "--dated", "2999-01-01"), "lies ahead"),
        (("resource_group", "attest", "--text", "x", "--dated", "yesterday"), "is not a date"),
        (("resource_group", "jump"), "jump"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_and_nothing_is_written(
    args: tuple[str, ...], words: str, shell: Shell, parked: Path
) -> None:
    before = shell("journal", "check", "arc").out
    ended = shell("answer", "arc", *args)
    assert ended.code == 2
    assert words in ended.err
    assert shell("journal", "check", "arc").out == before


def test_an_attestation_keeps_the_name_and_hash_of_its_evidence(shell: Shell, parked: Path, tmp_path: Path) -> None:
    proof = tmp_path / "mail.eml"
    proof.write_bytes(b"sent")
    args = ("answer", "arc", "--text", "sent by mail", "--evidence", str(proof))
    # Approve one by one: what --yes would attest must be left for the attestation from here.
    for _ in range(4):
        for node, state in states(shell).items():
            if state == "ready":
                shell("answer", "arc", node, "approve")
        shell("resume", "arc", "--headless")
        if states(shell).get("request_sent") == "waiting":
            break
    assert shell(*args, "request_sent", "attest").code == 0
    said = shell("report", "arc").out
    assert "“sent by mail”" in said
    assert f"Evidence mail.eml, SHA-256 `{sha256(b'sent').hexdigest()}`" in said


def test_an_aborted_run_takes_no_more_answers(shell: Shell, parked: Path) -> None:
    assert shell("abort", "arc", "--text", "wrong tenant").code == 0
    assert "aborted: wrong tenant" in shell("status", "arc").out
    assert shell("answer", "arc", "resource_group", "approve").code == 2
    assert shell("resume", "arc", "--headless").code == 1
