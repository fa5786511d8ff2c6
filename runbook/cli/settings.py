"""``runbook settings``: the operator's settings, where they are kept, and the names of all keys."""

from __future__ import annotations

from dataclasses import asdict

import click

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@click.option("--path", "as_path", is_flag=True, help="Print nothing but the place of the file.")
@click.option("--keys", "as_keys", is_flag=True, help="List every key by the name that the file may give another key.")
@click.option("--json", "as_json", is_flag=True, help="An object: path, settings; with --keys a list of keys.")
@home_option
@click.pass_obj
def command(settings: Settings, as_path: bool, as_keys: bool, as_json: bool) -> Exit:
    """Show the settings and where they are kept. The screen changes them too (key `,`)."""
    from runbook.cli.keeping import load, settings_path

    path = settings_path(settings.home)
    if as_path:
        output.data(str(path))
        return Exit.DONE
    now = load(path)
    if as_keys:
        _tell_keys(dict(now.keys), as_json)
    elif as_json:
        output.json_data({"path": str(path), "settings": asdict(now)})
    else:
        output.talk(str(path) if path.exists() else f"{path} (not there yet)")
        for name, value in asdict(now).items():
            output.data(f"{name}: {str(value).lower() if isinstance(value, bool) else value}")
    return Exit.DONE


def _tell_keys(keymap: dict[str, str], as_json: bool) -> None:
    from runbook.tui.keys import SCREENS

    rows = [(f"{screen}.{key.id}", key) for screen, keys in SCREENS.items() for key in keys]
    if as_json:
        output.json_data([{"id": id_, "keys": keymap.get(id_, key.keys), "does": key.tooltip} for id_, key in rows])
        return
    for line in output.table([(id_, keymap.get(id_, key.keys), key.tooltip) for id_, key in rows]):
        output.data(line)
