"""``runbook rehearse``: a rehearsal that needs no inputs, as the scenario supplies them."""

from __future__ import annotations

from typing import Any

import click

from runbook.cli.completing import complete_book
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option
from runbook.cli.options import creating, driving
from runbook.cli.start import create_and_drive


@click.command()
@click.argument("book", default="arc-private-link", shell_complete=complete_book)
@creating
@driving
@home_option
@click.pass_obj
def command(settings: Settings, /, book: str, **options: Any) -> Exit:
    """Rehearse BOOK against a simulated Azure.

    Nothing outside this machine is touched. Without BOOK it is arc-private-link. Days of waiting pass in seconds.
    """
    return create_and_drive(settings, book, "rehearsal", **options)
