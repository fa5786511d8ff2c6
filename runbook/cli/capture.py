"""``runbook capture``: a twin of a real estate, to rehearse on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option
from runbook.cli.options import signing


@click.command()
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="A new file: .yaml to read and alter it, .json for a large estate.",
)
@click.option(
    "--subscription",
    "subscriptions",
    multiple=True,
    metavar="NAME|ID",
    help="Which to read; repeat it for more. [default: every one that the sign-in sees]",
)
@click.option("--replace-ids", is_flag=True, help="Other ids, account and domain in place of the tenant's own.")
@click.option("--inputs", metavar="FILE", type=click.Path(dir_okay=False), help="A book's inputs to go with it.")
@click.option("--tenant", default="", metavar="ID", help="Whose sign-in to ask for, where the way asks.")
@signing
@home_option
@click.pass_obj
def command(
    settings: Settings,
    out: str,
    subscriptions: tuple[str, ...],
    replace_ids: bool,
    inputs: str | None,
    tenant: str,
    auth: str | None,
) -> Exit:
    """Read a real estate and write a scenario of it: networks, zones, endpoints, servers, desktops, rights, locks.

    It only reads. What it could not read is told. Rehearse on it with --scenario FILE, or serve it with simulate.
    The file tells about your estate: read it before you hand it on, also with --replace-ids.
    """
    import asyncio

    from runbook.cli.signing import signed_in_by
    from runbook.core.error import UsageError

    path = Path(out)
    if path.suffix not in (".yaml", ".yml", ".json"):
        raise UsageError(f"{out} is no scenario file.", "Its name ends in .yaml or .json.")
    if path.exists():
        raise UsageError(f"{out} exists already.", "Name another file, or remove it.")
    from runbook.book import load_inputs
    from runbook.wiring.live import read_twin

    given: dict[str, Any] = dict(load_inputs(inputs)) if inputs else {}
    signed_in = signed_in_by(auth, tenant, subscriptions[0] if subscriptions else "")
    doc, remarks = asyncio.run(read_twin(signed_in, subscriptions, path.stem.lower(), given))
    if replace_ids:
        from runbook.wiring.twin import with_other_ids

        doc = with_other_ids(doc)
    _write(path, doc)
    for remark in remarks:
        output.talk(remark)
    output.talk(
        f"Wrote {out}: {len(doc['subscriptions'])} subscriptions, {len(doc['resources'])} resources. "
        f"Nothing was changed. Try it: runbook plan BOOK --scenario {out}"
    )
    return Exit.DONE


def _write(path: Path, doc: dict[str, Any]) -> None:
    import json

    import yaml

    from runbook.core.error import Unwritable, UsageError
    from runbook.sim.scenario_files import LARGEST_BYTES

    if path.suffix == ".json":
        text = json.dumps(doc, indent=1) + "\n"
    else:
        text = "# Made by runbook capture. It tells about an estate: read it before you hand it on.\n"
        text += yaml.safe_dump(doc, sort_keys=False, allow_unicode=True, width=120)
        if len(text) > LARGEST_BYTES:
            raise UsageError(f"This estate is too large for {path.suffix}.", f"Name the file {path.stem}.json.")
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Unwritable(f"{path} cannot be written: {error.strerror}.", "Check the folder and its rights.") from error
