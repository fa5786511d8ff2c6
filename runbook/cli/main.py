"""The command ``runbook``: one group whose commands are imported only when they are used.

Invariant: nothing here imports more than click, so ``--help`` costs little more than starting Python.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from runbook import __version__
from runbook.cli import output
from runbook.cli.calling import called_as

COMMANDS: Final[dict[str, str]] = {
    "rehearse": "Rehearse a book against a simulated Azure; no inputs needed.",
    "start": "Create a run of a book and open it.",
    "plan": "Say what a run would do, from reading alone.",
    "resume": "Go on with a run, the newest unfinished one if none is named.",
    "runs": "List the runs.",
    "status": "Show one run with its nodes.",
    "answer": "Give one answer to a node: approve, retry, skip or attest.",
    "handover": "Hand a node to another team, or write the document of what they are to do.",
    "note": "Write a remark into a run, for whoever reads it next.",
    "poll": "Look once at the runs that wait, and end: for cron.",
    "verify": "Look whether the cloud is still as a run left it.",
    "undo": "Take back what a run made or changed, or say what that would do.",
    "dns": "Hold every private name of a run against what each place answers.",
    "migrate": "Show what a newer book changes in a run, and move it there.",
    "compare": "Lay one run beside another of the same book: what differed, and where.",
    "abort": "End a run for good. What was changed stays changed.",
    "archive": "Put a run away, out of the listings; nothing is deleted.",
    "report": "Write the hand-over report of a run: md, html or json.",
    "journal": "Check a run's journal, or export it without secrets.",
    "serve": "Serve the screens to a browser on this machine.",
    "simulate": "Serve a simulated Azure for the Azure CLI and other real clients.",
    "books": "List the books, or the inputs of one.",
    "lint": "Check book files.",
    "schema": "Print the JSON Schema of books, for editors.",
    "capture": "Read a real estate into a scenario, to rehearse on a twin of it.",
    "accounts": "List what the Azure CLI is signed in to.",
    "doctor": "Check this machine.",
    "settings": "Show the settings, where they are kept, and the names of all keys.",
    "completion": "Print the completion script of a shell.",
}
"""In the order in which help shows them; each is ``command`` in ``runbook.cli.<name>``."""


class LazyGroup(click.Group):
    """Knows its commands by name and sentence, and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"runbook.cli.{cmd_name}").command
        command.short_help = COMMANDS[cmd_name]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=2)
            meant = f" Did you mean {' or '.join(near)}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


class Settings:
    """What the whole command line has in common; ``ctx.obj`` of every command."""

    def __init__(self) -> None:
        self.named_home: str | None = None

    @property
    def home(self) -> Path:
        """The state folder."""
        from runbook.home import state_home

        return state_home(self.named_home)


def _keep_home(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Settings).named_home = value
        output.call_as(called_as(sys.argv[0], value))


def home_option(function: Any) -> Any:
    """``--home``, which every command takes, before or after its name."""
    return click.option(
        "--home",
        metavar="DIR",
        type=click.Path(file_okay=False),
        expose_value=False,
        is_eager=True,
        callback=_keep_home,
        help="State folder; else RUNBOOK_HOME, else this system's own place.",
    )(function)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done · 1 failed, aborted or damaged · 2 wrong usage · 3 only outside waits remain · "
    "4 needs the operator · 5 blocked · 6 another process drives this run · 10 plan has changes · 11 drift · "
    "130 interrupted.",
)
@home_option
@click.option("--plain", is_flag=True, help="The home screen in plain lines, asked and answered.")
@click.version_option(__version__, "-V", "--version", message="runbook %(version)s")
@click.pass_context
def cli(ctx: click.Context, plain: bool) -> int:
    """Put Azure Arc-enabled servers behind Azure Private Link: guided, proven, resumable.

    Begin with `runbook rehearse`, which touches no real Azure; `runbook plan --mode live` only reads the real one.
    Without a command, the home screen opens.
    """
    if ctx.invoked_subcommand is not None:
        if plain:
            raise click.UsageError("--plain alone opens the home screen; write it behind rehearse, start or resume.")
        return 0
    return int(import_module("runbook.cli.screen").show_home(ctx.ensure_object(Settings).home, plain))


def run(args: Sequence[str]) -> int:
    """Run one command line. Returns its exit code; every error has been told."""
    settings = Settings()
    try:
        return int(cli.main(list(args), prog_name="runbook", standalone_mode=False, obj=settings) or 0)
    except SystemExit as left:  # how click ends a completion
        return int(left.code or 0)
    except (Exception, KeyboardInterrupt) as error:
        from runbook.cli.diagnose import report

        return int(report(error, settings.home))


def main() -> None:
    """The entry point."""
    output.prepare()
    output.call_as(called_as(sys.argv[0]))
    sys.exit(run(sys.argv[1:]))
