"""Options that several commands share, and the forms of their values."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from runbook.cli.completing import complete_scenario

TUI_SPEED: Final = 60.0
"""Virtual seconds per second where a person watches; no wait then takes more than ``LONGEST_S``."""
LONGEST_S: Final = 3.0

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LENGTH: Final = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")


if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType


class Speed(_ParamType):
    """``max`` (jump over waits; None) or virtual seconds per second."""

    name = "N|max"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value is JUMP or isinstance(value, float):
            return value
        if str(value).lower() == "max":
            return JUMP
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if not 0 < speed < float("inf"):
            self.fail(f"{value!r} is neither `max` nor a number above 0.", param, ctx)
        return speed


class _Jump:
    """Stands for ``max``; None stands for "not said"."""

    def __repr__(self) -> str:
        return "max"


JUMP: Final = _Jump()


class Length(_ParamType):
    """A length of time such as ``2d`` or ``1h30m``, in seconds."""

    name = "D"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, float):
            return value
        text = str(value).strip().lower()
        if not _LENGTH.fullmatch(text):
            self.fail(f"{value!r} is not a length of time: write 2d, 36h, 90m or 1d12h.", param, ctx)
        seconds = sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+(?:\.\d+)?)([smhdw])", text))
        if seconds > 3650 * 86_400:
            self.fail("ten years are the most.", param, ctx)
        return seconds


class Moment(_ParamType):
    """A day or a time in ISO 8601, such as ``2026-11-20`` or ``2026-11-20T08:30Z``; UTC milliseconds."""

    name = "D"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from runbook.core.clock import from_iso

        if isinstance(value, int):
            return value
        try:
            return from_iso(str(value).strip())
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a date: write 2026-11-20 or 2026-11-20T08:30Z.", param, ctx)


def _chain(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def add(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return add


driving = _chain(
    click.option("--headless", is_flag=True, help="No screen: print what happens, end when nothing moves."),
    click.option("--plain", is_flag=True, help="No screen: ask in plain lines."),
    click.option("--json", "as_json", is_flag=True, help="With --headless: one JSON event per line."),
    click.option(
        "--all", "is_whole", is_flag=True, help="Headless, plain: lines for every node, also of steps with many."
    ),
    click.option("--yes", is_flag=True, help="Headless: approve safe changes and, in rehearsals, attest waits."),
    click.option("--yes-disruptive", is_flag=True, help="Headless: approve disruptive changes too."),
    click.option(
        "--speed",
        type=Speed(),
        metavar="N|max",
        help=f"Virtual seconds per second; `max` jumps over waits. [default: {TUI_SPEED:g}, no wait longer than "
        f"{LONGEST_S:g} s; headless: max]",
    ),
)
"""How a run is driven."""

estate = _chain(
    click.option(
        "--scenario",
        default="",
        metavar="S",
        shell_complete=complete_scenario,
        help="Simulated estate: a name or a YAML file. [default: the book's own]",
    ),
    click.option("--edition", type=click.Choice(["preview", "ga", "auto"]), help="[default: the scenario's]"),
    click.option("--inputs", metavar="FILE", type=click.Path(dir_okay=False), help="YAML or JSON file of inputs."),
    click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="K=V",
        help="One input; repeat for more. Beats --inputs; `runbook books BOOK` lists them.",
    ),
)
"""What is looked at, and with which inputs."""

signing = _chain(
    click.option(
        "--auth",
        type=click.Choice(["auto", "cli", "device-code", "browser", "environment", "workload", "managed"]),
        help="Live: how to sign in. [default: the Azure CLI's sign-in, else what the environment names; a run's own]",
    ),
)
"""How a live run signs in."""

via = click.option(
    "--via",
    type=click.Choice(["arm", "az"]),
    help="Live: who makes the changes: this program, or the Azure CLI by the very lines shown. [default: arm]",
)

context = _chain(
    signing,
    click.option("--tenant", default="", metavar="ID", help="Live: whose sign-in to ask for, where the way asks."),
    click.option(
        "--subscription",
        default="",
        metavar="NAME|ID",
        help="Live: which of the Azure CLI's subscriptions to work in. Its own default stays as it is.",
    ),
    click.option(
        "--here",
        default="nowhere",
        metavar="PLACE",
        help="Live: where this machine stands for looking names up: on-premises, a virtual network's id, or nowhere.",
    ),
)
"""Where a new live run works."""

confirming = click.option(
    "--confirm-subscription",
    "said",
    multiple=True,
    metavar="NAME",
    help="Live: the name of the subscription it may write to; repeat it for more. Without it you are asked.",
)

creating = _chain(
    estate,
    click.option("--run-id", default="", metavar="ID", help="Name of the run. [default: the next free one]"),
)
"""What a run is made from."""
