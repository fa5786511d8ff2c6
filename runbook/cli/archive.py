"""``runbook archive``: put a run away, or bring it back."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return complete_run(ctx, param, incomplete, archived=bool(ctx.params.get("undo")))


@click.command()
@click.argument("run", shell_complete=_complete)
@click.option("--undo", is_flag=True, is_eager=True, help="Bring it back instead.")
@click.option("--unfinished", is_flag=True, help="Also a run that is neither done nor aborted.")
@home_option
@click.pass_obj
def command(settings: Settings, run: str, undo: bool, unfinished: bool) -> Exit:
    """Put RUN away, out of the listings. Nothing of it is deleted, and --undo brings it back.

    A run that somebody drives stays where it is.
    """
    from runbook.wiring.archive import archive, unarchive

    if undo and unfinished:
        raise click.UsageError("--undo and --unfinished exclude each other.")
    if undo:
        unarchive(settings.home, run)
        output.talk(f"Run {run} is back among the runs.")
    else:
        place = archive(settings.home, run, unfinished=unfinished)
        output.talk(f"Run {run} is put away in {place}. `runbook archive {run} --undo` brings it back.")
    return Exit.DONE
