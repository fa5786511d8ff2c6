"""The command line against a served cloud, signed in as the Azure CLI is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.cli.machine import every_point
from runbook.home import run_ids
from tests.cli.conftest import Shell, _run
from tests.live.cloud import BOOK, NAMES, Azure
from tests.live.test_signin import BRANCH, MAIN, TENANT, az, digests, surrounded, there

__all__ = ["az", "there"]


@pytest.fixture
def shell() -> Shell:
    return _run


@pytest.fixture
def inputs(there: Azure, tmp_path: Path) -> str:
    file = tmp_path / "inputs.json"
    file.write_text(json.dumps(there.scenario.inputs))
    return str(file)


def test_accounts_are_listed_and_none_is_changed(shell: Shell, there: Azure) -> None:
    before = digests(there.served.folder)
    ended = shell("accounts", "--json")
    listed = json.loads(ended.out)
    assert ended.code == 0
    assert [(a["id"], a["is_default"], a["cloud"]) for a in listed] == [
        (MAIN, True, "Rehearsal"),
        (BRANCH, False, "Rehearsal"),
    ]
    assert {a["tenant"] for a in listed} == {TENANT}
    assert shell("accounts").out.splitlines()[1].startswith("*  Contoso Landing Zone")
    assert digests(there.served.folder) == before


def test_doctor_tells_the_sign_in_the_cloud_and_the_way_out(there: Azure, az: Path, tmp_path: Path) -> None:
    points = {p.name: p for p in every_point(tmp_path)}
    assert points["sign-in"].found.startswith(
        "Azure CLI (--auth cli): dana@contoso.com in Rehearsal, in Contoso Landing"
    )
    assert points["cloud"].found.endswith("on this machine, by the rules of AzureCloud")
    assert "through the proxy http://127.0.0.1:9" in points["network"].found
    assert not (az / "asked").exists()


def test_doctor_without_a_sign_in_says_how_to_get_one(tmp_path: Path) -> None:
    points = {p.name: p for p in every_point(tmp_path)}
    assert points["sign-in"].verdict == "ok"
    assert "--auth device-code" in points["sign-in"].advice


def test_a_live_plan_ends_with_ten_and_makes_nothing(shell: Shell, there: Azure, az: Path, inputs: str) -> None:
    told = shell("plan", BOOK, "--mode", "live", "--inputs", inputs)
    assert "scenario" not in told.out
    assert "(by the rules of AzureCloud), edition auto, read at" in " ".join(told.out.split())
    ended = shell("plan", BOOK, "--mode", "live", "--inputs", inputs, "--json")
    assert ended.code == 10, ended.err
    doc = json.loads(ended.out)
    assert doc["totals"]["change"] > 0
    change = next(n for n in doc["nodes"] if n["id"] == "resource_group")
    assert change["commands"][0]["az"].startswith("az group create")
    assert change["diff"]
    assert there.writes == []


def test_a_headless_live_run_that_was_not_confirmed_is_not_made(
    shell: Shell, there: Azure, az: Path, inputs: str, home: Path
) -> None:
    ended = shell("start", BOOK, "--mode", "live", "--inputs", inputs, "--headless", "--yes")
    assert ended.code == 2
    assert "Contoso Landing Zone, Contoso Branch Offices, which was not confirmed" in ended.err
    assert f"Tenant         {TENANT}" in ended.err
    assert run_ids(home) == []
    assert there.writes == []


def test_a_headless_live_run_leaves_waits_for_others_to_another_time(
    shell: Shell, az: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with surrounded("arc-preview", monkeypatch) as there:
        (tmp_path / "inputs.json").write_text(json.dumps(there.scenario.inputs))
        begun = ("start", BOOK, "--mode", "live", "--inputs", str(tmp_path / "inputs.json"), "--edition", "preview")
        names = [s.name for s in there.scenario.subscriptions]
        said = [part for name in names for part in ("--confirm-subscription", name)]
        asked = shell(*begun, "--run-id", "live", "--headless", "--yes", *said)
        assert asked.code == 4, asked.err  # somebody has to write to Microsoft, and only a person can say so
        status = json.loads(shell("status", "live", "--json").out)
        assert (status["run"]["mode"], status["run"]["scenario"], status["run"]["state"]) == (
            "live",
            "",
            "needs_operator",
        )
        for node in status["nodes"]:
            if node["state"] == "waiting":
                assert shell("answer", "live", node["id"], "attest", "--text", "sent").code == 0
        again = shell("resume", "live", "--headless", "--yes")  # confirmed before, by the same account
        assert again.code == 3, again.err
        assert "was not confirmed" not in again.err
        waiting = [n for n in json.loads(shell("status", "live", "--json").out)["nodes"] if n["waiting_on"]]
        assert {n["step"] for n in waiting} == {"approval"}
        assert all(n["waiting_on"]["next_poll"] for n in waiting)
        heard = len(there.requests)
        quiet = shell("poll")
        assert (quiet.code, quiet.out, quiet.err) == (3, "", "")
        assert len(there.requests) == heard, "not due yet: nobody signs in, and Azure is asked nothing"


def test_what_is_typed_confirms_a_run(
    shell: Shell, there: Azure, az: Path, inputs: str, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    import io

    args = ("start", BOOK, "--mode", "live", "--inputs", inputs, "--plain", "--run-id", "live")
    monkeypatch.setattr("sys.stdin", io.StringIO("contoso\n\n"))
    ended = shell(*args)
    assert ended.code == 2
    assert "contoso, is no name of them" in ended.err
    assert run_ids(home) == []
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(NAMES) + "\n"))
    ended = shell(*args)
    assert "Type its name to confirm" in ended.err
    assert run_ids(home) == ["live"]
    assert there.writes == []


def test_live_options_are_refused_for_a_rehearsal_that_is_resumed(shell: Shell, home: Path) -> None:
    shell("rehearse", "--headless", "--run-id", "r")
    ended = shell("resume", "r", "--headless", "--auth", "cli")
    assert ended.code == 2
    assert "is a rehearsal" in ended.err


@pytest.fixture
def home() -> Path:
    import os

    return Path(os.environ["RUNBOOK_HOME"])
