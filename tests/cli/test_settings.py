"""The settings file: what may stand in it, how faults are told, and that nothing of the operator's is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.cli.keeping import kept_anyway, load, save
from runbook.core.error import BookError
from runbook.tui.settings import Settings
from tests.cli.conftest import Shell


def test_no_file_means_the_usual_settings(tmp_path: Path) -> None:
    assert load(tmp_path / "settings.yaml") == Settings()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("theme: pink", ":1:8: the theme is one of dark, light, contrast"),
        ("bell: maybe", ":1:7: bell is true or false"),
        ("bel: true", ":1:1: there is no setting 'bel'"),
        ("- a", ":1:1: settings are a mapping"),
        ("keys: [a]", ":1:7: keys are a mapping"),
        ("keys:\n  run.fly: y", ":2:3: there is no key called 'run.fly'"),
        ("theme: dark\ntheme: light", ":2:1:"),
        ("theme: [", ":1:"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(BookError) as caught:
        load(path)
    assert told in str(caught.value)
    kept, problem = kept_anyway(tmp_path)
    assert kept.settings == Settings()
    assert told in problem


def test_saving_one_setting_leaves_the_rest_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("# mine\ntheme: dark   # for the night\nkeys:\n  run.next: n,f3\n")
    save(path, "theme", "light")
    save(path, "bell", True)
    assert path.read_text() == "# mine\ntheme: light   # for the night\nkeys:\n  run.next: n,f3\nbell: true\n"
    assert load(path) == Settings(theme="light", bell=True, keys={"run.next": "n,f3"})


def test_a_file_with_a_fault_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("theme: pink\n")
    with pytest.raises(BookError):
        save(path, "theme", "light")
    assert path.read_text() == "theme: pink\n"


def test_the_place_and_the_keys_can_be_printed(shell: Shell) -> None:
    assert shell("settings", "--path").out.strip().endswith("settings.yaml")
    assert "theme: dark" in shell("settings").out
    keys = json.loads(shell("settings", "--keys", "--json").out)
    assert {"id": "run.approve", "keys": "a"}.items() <= next(k for k in keys if k["id"] == "run.approve").items()
    assert "run.approve" in shell("settings", "--keys").out
