"""``runbook books``: the books that come with the program."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects: id, version, title, summary, duration.")
@home_option
@click.pass_obj
def command(settings: Settings, as_json: bool) -> Exit:
    """List the books."""
    from runbook.book import list_books

    found = list_books()
    for book in found:
        if book.fault:
            output.talk(book.fault)
    sound = [book for book in found if not book.fault]
    if as_json:
        names = ("id", "version", "title", "summary", "duration")
        output.json_data([{name: getattr(book, name) for name in names} for book in sound])
        return Exit.DONE
    for book in sound:
        output.data(f"{book.id} {book.version}: {book.title}")
        output.data(f"  {book.summary}")
        output.data(f"  Takes: {book.duration}")
    return Exit.DONE
