"""``runbook dns``: what every name of a run must be, what each place answers, and why it differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option

if TYPE_CHECKING:
    from runbook.wiring.names import Pasted


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.option(
    "--resolver", "servers", metavar="ADDR[:PORT]", multiple=True, help="Ask this DNS server, too; repeat it."
)
@click.option(
    "--paste",
    "pastes",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Output of nslookup, Resolve-DnsName or dig from somewhere else; - reads stdin; repeat it.",
)
@click.option(
    "--export",
    "form",
    type=click.Choice(["bind", "unbound", "dnsmasq", "windows", "hosts"]),
    help="Print what your own DNS needs for this run, in its own language.",
)
@click.option("--to", metavar="ADDR", help="With --export: the resolver in the network that is to be asked.")
@click.option("--json", "as_json", is_flag=True, help="One object: run, names, places, cells, findings, totals.")
@home_option
@click.pass_obj
def command(
    settings: Settings,
    run: str,
    servers: tuple[str, ...],
    pastes: tuple[str, ...],
    form: str | None,
    to: str | None,
    as_json: bool,
) -> Exit:
    """Hold every private name of RUN against what each place answers for it.

    It reads Azure and asks DNS, writes nothing anywhere, and leaves whoever drives the run alone.

    Exit codes: 11 something that can be proven is wrong; 0 all of it is right.
    """
    import asyncio

    from runbook.cli.dns_lines import dns_doc, dns_lines
    from runbook.cli.signing import tell_prompt
    from runbook.core.error import UsageError
    from runbook.wiring import look_again
    from runbook.wiring.live import sign_in_for
    from runbook.wiring.names import known, truth

    if to and not form:
        raise UsageError(
            "--to says whom an export asks, and there is no --export.", "Add --export bind, or leave it out."
        )
    if form and (as_json or servers or pastes):
        raise UsageError(
            "--export prints text for a DNS server and asks nobody.", "Leave --json, --resolver and --paste out."
        )
    texts = [_read(name) for name in pastes]
    lookout = look_again(settings.home, run, lambda view: sign_in_for(view, on_prompt=tell_prompt))
    if form:
        from runbook.dns.export import export

        output.document(export(asyncio.run(known(lookout)), form, to or ""))
        return Exit.DONE
    table = asyncio.run(truth(lookout, servers, texts))
    if as_json:
        output.json_data(dns_doc(lookout.view, lookout.driver, table))
    else:
        for line in dns_lines(lookout.view, table):
            output.data(line)
    return Exit.DRIFT if table.is_wrong else Exit.DONE


def _read(name: str) -> Pasted:
    from pathlib import Path

    from runbook.dns.pasted import LONGEST, decode
    from runbook.wiring.names import Pasted

    with click.open_file(name, "rb") as file:
        data = file.read(4 * LONGEST)
    return Pasted("stdin" if name == "-" else Path(name).name, decode(data))
