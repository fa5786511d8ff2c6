"""``runbook schema``: the JSON Schema of books, for editors."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@home_option
@click.pass_obj
def command(settings: Settings) -> Exit:
    """Print the JSON Schema of books."""
    from runbook.book import schema

    output.json_data(schema())
    return Exit.DONE
