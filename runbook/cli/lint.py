"""``runbook lint``: every fault of book files, as ``file:line:column: message``."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="A list of objects: file, line, column, message.")
@home_option
@click.pass_obj
def command(settings: Settings, files: tuple[str, ...], as_json: bool) -> Exit:
    """Check book FILEs; names of shipped books will do too. Exit code 2 when there are faults."""
    from runbook.book import lint

    faults = [(f.file or file, f) for file in files for f in lint(file)]
    if as_json:
        docs = [{"file": file, "line": f.line, "column": f.column, "message": f.message} for file, f in faults]
        output.json_data(docs)
    else:
        for file, fault in faults:
            output.data(f"{file}:{fault.line}:{fault.column}: {fault.message}")
    if not faults:
        output.talk(f"{len(files)} {'file is' if len(files) == 1 else 'files are'} sound.")
        return Exit.DONE
    return Exit.USAGE
