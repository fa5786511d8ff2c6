"""``runbook accounts``: what the Azure CLI is signed in to. Nothing of it is changed."""

from __future__ import annotations

import click

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option


@click.command()
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="A list of objects: id, name, state, tenant, user, kind, is_default, cloud.",
)
@home_option
@click.pass_obj
def command(settings: Settings, as_json: bool) -> Exit:
    """List the subscriptions of the Azure CLI's sign-in; a star marks the one it stands in.

    A run takes another by --subscription NAME|ID. What other shells see, the Azure CLI's own default, stays as it is.
    """
    from dataclasses import asdict

    from runbook.arm.azurecli import read_profile

    profile = read_profile()
    if as_json:
        output.json_data([{**asdict(a), "cloud": profile.cloud} for a in profile.accounts])
        return Exit.DONE
    rows = [("*" if a.is_default else "", a.name, a.id, a.tenant, a.user, a.state) for a in profile.accounts]
    for line in output.table(rows, ("", "subscription", "id", "tenant", "signed in", "state")) if rows else ():
        output.data(line)
    if not rows:
        output.talk(f"Nobody is signed in to the Azure CLI in {profile.folder}. Sign in: az login.")
    else:
        output.talk(f"Cloud {profile.cloud} ({profile.endpoint}), from {profile.folder}.")
    return Exit.DONE
