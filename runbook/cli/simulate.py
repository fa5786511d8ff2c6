"""``runbook simulate``: the simulated Azure on loopback HTTPS, for the Azure CLI, the SDKs and any other client."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from runbook.cli import output
from runbook.cli.completing import complete_scenario
from runbook.cli.exits import Exit
from runbook.cli.main import home_option
from runbook.cli.signals import hearing
from runbook.core.error import UsageError

if TYPE_CHECKING:
    from runbook.sim.scenario import Scenario
    from runbook.sim.served.front import Note

DEFAULT: Final = "arc-preview"
_STOPS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@click.command()
@click.option(
    "--scenario",
    metavar="S",
    shell_complete=complete_scenario,
    help=f"Simulated estate: a name or a YAML file. [default: {DEFAULT}]",
)
@click.option("--empty", "is_empty", is_flag=True, help="Two subscriptions of today with nothing in them.")
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="A loopback address. [default: 127.0.0.1]")
@click.option("--port", default=0, metavar="N", type=click.IntRange(0, 65_535), help="[default: any that is free]")
@click.option(
    "--speed",
    default=60.0,
    metavar="N",
    type=click.FloatRange(0, 100_000, min_open=True),
    help="Simulated seconds per second. [default: 60]",
)
@click.option(
    "--log",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Add a JSON line to this file for each request: method, path, body, status, the az command.",
)
@click.option("--list", "is_list", is_flag=True, help="List what the simulated Azure implements, and end.")
@click.option("--json", "as_json", is_flag=True, help="With --list: type, method, path, api_versions.")
@home_option
def command(
    scenario: str | None,
    is_empty: bool,
    host: str,
    port: int,
    speed: float,
    log: Path | None,
    is_list: bool,
    as_json: bool,
) -> Exit:
    """Serve a simulated Azure for real clients, until Ctrl-C.

    Prints one line of JSON first: endpoint, ca_file, env, subscriptions. With the variables of env set, the Azure CLI
    and the SDKs are signed in to the simulated Azure and can reach nothing else. Time runs by itself.
    """
    if is_list:
        return _list(as_json)
    if scenario is not None and is_empty:
        raise UsageError("--scenario and --empty exclude each other.", "Give one of them.")
    estate = _empty() if is_empty else _shipped(scenario or DEFAULT)
    with contextlib.ExitStack() as last:
        note = None
        if log is not None:
            try:
                note = partial(_note, last.enter_context(log.open("a", encoding="utf-8")))
            except OSError as error:
                raise UsageError(f"{log} cannot be written: {error.strerror}.", "Name another file.") from error
        asyncio.run(_serve(estate, host, port, speed, note))
    return Exit.DONE


def _list(as_json: bool) -> Exit:
    from runbook.sim.coverage import implemented

    if as_json:
        output.json_data(
            [
                {"type": row.type, "method": method, "path": path, "api_versions": list(row.versions)}
                for row in implemented()
                for method, path in row.calls
            ]
        )
        return Exit.DONE
    rows = [(row.type, ", ".join(row.operations), row.span) for row in implemented()]
    for line in output.table(rows, ("type", "operations", "api-versions")):
        output.data(line)
    return Exit.DONE


def _empty() -> Scenario:
    """The empty estate, which begins now."""
    from runbook import assets
    from runbook.core.clock import RealClock, iso
    from runbook.sim.scenario_files import load_scenario

    made = load_scenario(str(assets.path("served", "empty.yaml")))
    return made.model_copy(update={"start": iso(RealClock().now_ms())})


def _shipped(name: str) -> Scenario:
    from runbook.wiring import find_scenario

    return find_scenario(name)


async def _serve(estate: Scenario, host: str, port: int, speed: float, note: Note | None) -> None:
    from runbook.sim.served.server import serving

    stop = asyncio.Event()
    with hearing(_STOPS, stop.set, is_once=False):
        async with serving(estate, host=host, port=port, speed=speed, note=note, broke=_told) as served:
            output.json_data(served.announcement, is_line=True)
            output.talk(f"Serving {estate.title!r} at {served.endpoint}, {speed:g} simulated seconds a second.")
            output.talk(f"To sign a shell in to it: . {served.folder / 'env.sh'}  (PowerShell: env.ps1)")
            output.talk("Ctrl-C ends it and forgets everything.")
            await stop.wait()


def _note(file: TextIO, about: dict[str, Any]) -> None:
    file.write(json.dumps(about) + "\n")
    file.flush()


def _told(error: Exception) -> None:
    output.talk(f"A fault of the simulated Azure, answered with 500: {type(error).__name__}: {error}")
