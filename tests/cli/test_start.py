from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("rehearse", "arc-privat-link"), "arc-private-link"),
        (("rehearse", "--scenario", "arc-prevew"), "Did you mean arc-preview"),
        (("rehearse", "--set", "lcation=westeurope"), "did you mean `location`"),
        (("rehearse", "--set", "location"), "name=value"),
        (("rehearse", "--set", "vnet=/subscriptions/x"), "vnet"),
        (("rehearse", "--inputs", "nowhere.yaml"), "nowhere.yaml"),
        (("rehearse", "--run-id", "../up"), "not a run id"),
        (("rehearse", "--speed", "0"), "neither `max` nor"),
        (("rehearse", "--edition", "new"), "preview"),
        (("rehearse", "./nowhere.yaml"), "nowhere.yaml"),
        (("start", "arc-private-link"), "--mode"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_created(
    args: tuple[str, ...], words: str, shell: Shell, home: Path
) -> None:
    ended = shell(*args, "--headless")
    assert ended.code == 2
    assert words in ended.err
    assert ended.out == ""
    assert not (home / "runs").exists() or not any((home / "runs").iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "location: [",
        "location: 5\nlocation: 6\n",
        "- a list",
        "a: &a [*a]",
        "\x00",
        "location: {deep: {deeper: 1}}",
    ],
)
def test_a_malformed_inputs_file_is_told_with_its_place(text: str, shell: Shell, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "in.yaml"
    file.write_text(text)
    ended = shell("rehearse", "--headless", "--inputs", str(file))
    assert ended.code == 2
    assert f"{file}:" in ended.err
    assert not (home / "runs").exists()


@pytest.mark.parametrize("command", [("start", "--headless"), ("plan",)])
def test_a_live_run_wants_somebody_signed_in(command: tuple[str, ...], shell: Shell, home: Path) -> None:
    ended = shell(command[0], "arc-private-link", "--mode", "live", *command[1:])
    assert ended.code == 5
    assert "Nobody is signed in to the Azure CLI" in ended.err
    assert "az login" in ended.err
    assert not home.exists()


@pytest.mark.parametrize("option", [("--via", "az"), ("--confirm-subscription", "x"), ("--auth", "cli")])
def test_what_is_for_live_runs_is_refused_for_rehearsals(option: tuple[str, str], shell: Shell, home: Path) -> None:
    ended = shell("start", "arc-private-link", "--mode", "rehearsal", "--headless", *option)
    assert ended.code == 2
    assert "go with --mode live" in ended.err
    assert not home.exists()


def test_simulated_time_is_refused_for_live_runs(shell: Shell, home: Path) -> None:
    ended = shell("start", "arc-private-link", "--mode", "live", "--headless", "--speed", "5")
    assert ended.code == 2
    assert "for rehearsals" in ended.err
    assert not home.exists()


@pytest.mark.parametrize("args", [("rehearse",), ("start", "arc-private-link", "--mode", "rehearsal"), ("resume",)])
def test_without_a_terminal_no_screen_opens(args: tuple[str, ...], shell: Shell, home: Path) -> None:
    ended = shell(*args)
    assert ended.code == 2
    assert "--headless" in ended.err
    assert "--plain" in ended.err
    assert not home.exists()


@pytest.mark.parametrize("flag", ["--json", "--yes", "--yes-disruptive"])
def test_headless_answers_need_headless(flag: str, shell: Shell) -> None:
    ended = shell("rehearse", flag)
    assert ended.code == 2
    assert f"{flag} goes with --headless" in ended.err


def test_headless_and_plain_exclude_each_other(shell: Shell) -> None:
    assert shell("rehearse", "--headless", "--plain").code == 2


def test_a_run_id_is_given_once(shell: Shell, parked: Path) -> None:
    ended = shell("rehearse", "--headless", "--run-id", "arc")
    assert ended.code == 2
    assert "already" in ended.err


def test_a_set_value_beats_the_file_which_beats_the_scenario(shell: Shell, home: Path, tmp_path: Path) -> None:
    import json

    file = tmp_path / "in.yaml"
    file.write_text("scope_name: from-file\nendpoint_name: from-file\n")
    args = ("rehearse", "--headless", "--run-id", "x", "--inputs", str(file), "--set", "endpoint_name=from-set")
    assert shell(*args).code == 4
    inputs = json.loads(shell("report", "x", "--format", "json").out)["run"]["inputs"]
    assert inputs["scope_name"] == "from-file"
    assert inputs["endpoint_name"] == "from-set"
    assert inputs["resource_group"] == "rg-arc-privatelink"
