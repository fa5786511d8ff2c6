"""``runbook journal``: is a run's record whole, and a copy of it that can be handed on."""

from __future__ import annotations

from typing import Any

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.group()
def command() -> None:
    """Check a run's journal, or export it without secrets."""


@command.command("check")
@click.argument("run", metavar="RUN|REPORT.json", shell_complete=complete_run)
@click.option("--journal", "of", default="", metavar="RUN", help="A report's journal. [default: the run it names]")
@click.option(
    "--public-key",
    "public",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="The key that a report must be signed by: PEM, or base64 as reports have it.",
)
@click.option("--json", "as_json", is_flag=True, help="One object: ok, run, entries, head, faults.")
@home_option
@click.pass_obj
def check(settings: Settings, run: str, of: str, public: str | None, as_json: bool) -> Exit:
    """Walk the whole hash chain of RUN and say which rows were altered, are missing or out of order.

    Of a report (its JSON form), prove besides that it belongs to its journal: everything it says is told again from the
    journal and compared, and its signature is checked.

    Exit code 1 when something does not hold.
    """
    from pathlib import Path

    from runbook.core.ids import RUN_ID

    path = Path(run)
    if not RUN_ID.fullmatch(run) or (path.suffix == ".json" and path.is_file()):
        from runbook.cli.proving import prove

        return prove(settings.home, path, of, public, as_json=as_json)
    if of or public:
        raise click.UsageError("--journal and --public-key go with a report's file.")
    from runbook.cli.reading import opened
    from runbook.core.error import Damaged
    from runbook.core.view import RunView
    from runbook.journal.fold import fold

    with opened(settings.home, run) as journal:
        faults = journal.check()
        seq, head = journal.head()
        if not faults:
            try:
                fold(RunView(), journal.entries())
            except Damaged as error:  # hashes can be made anew; a story that makes no sense still shows
                faults.append(error.message)
    if as_json:
        output.json_data({"ok": not faults, "run": run, "entries": seq, "head": head, "faults": faults})
    elif faults:
        for fault in faults:
            output.data(f"{run}: {fault}")
    else:
        output.data(f"{run}: OK, {seq} entries, head {head}")
    return Exit.FAILED if faults else Exit.DONE


@command.command("export")
@click.argument("run", shell_complete=complete_run)
@home_option
@click.pass_obj
def export(settings: Settings, run: str) -> Exit:
    """Write RUN's journal as JSON lines: a head line with the run, then every entry with its hash.

    Secrets are replaced and signed addresses left out. Times are ISO 8601 UTC.
    """
    from runbook.cli.listing import run_doc
    from runbook.cli.reading import opened
    from runbook.core.clock import iso
    from runbook.core.entry import SCHEMA, Entry
    from runbook.core.redact import redact
    from runbook.journal import lease
    from runbook.journal.load import load_view

    def line(entry: Entry) -> dict[str, Any]:
        return {
            "seq": entry.seq,
            "at": iso(entry.at_ms),
            "kind": entry.kind,
            "node": entry.node,
            "to": entry.to,
            "data": redact(entry.data),
            "hash": entry.hash,
        }

    with opened(settings.home, run) as journal:
        view, driver = load_view(journal), lease.driver(journal)
        head = run_doc(view, lease.words(driver) if driver else None)
        output.json_data({"schema": SCHEMA, "run": head}, is_line=True)
        for entry in journal.entries():
            output.json_data(line(entry), is_line=True)
    return Exit.DONE
