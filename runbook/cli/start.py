"""``runbook start``: create a run of a book, and open it."""

from __future__ import annotations

from typing import Any

import click

from runbook.cli.completing import complete_book
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option
from runbook.cli.options import creating, driving


@click.command()
@click.argument("book", shell_complete=complete_book)
@click.option(
    "--mode",
    type=click.Choice(["rehearsal", "live"]),
    required=True,
    help="`rehearsal` runs against a simulated Azure. `live` is refused: this release rehearses only.",
)
@creating
@driving
@home_option
@click.pass_obj
def command(settings: Settings, /, book: str, mode: str, **options: Any) -> Exit:
    """Create a run of BOOK, a name or a YAML file, and open it.

    Inputs come from --set, then --inputs, then the scenario, then the book's defaults.
    """
    return create_and_drive(settings, book, mode, **options)


def create_and_drive(
    settings: Settings,
    book: str,
    mode: str,
    *,
    scenario: str,
    edition: str | None,
    inputs: str | None,
    sets: tuple[str, ...],
    run_id: str,
    **options: Any,
) -> Exit:
    """What ``start`` and ``rehearse`` have in common."""
    from runbook.cli.driving import Front, drive, read_wish
    from runbook.core.error import UsageError

    if mode == "live":
        raise UsageError("This release rehearses only: it cannot drive a real Azure yet.", "Use --mode rehearsal.")
    front = Front(**options)
    front.check()

    def create() -> str:
        from runbook.wiring import create_run

        return create_run(settings.home, read_wish(book, mode, scenario, edition, inputs, sets, run_id))

    return drive(settings.home, create, front)
