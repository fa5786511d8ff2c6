"""``runbook answer``: one answer to one node, from a script. Nothing is driven."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook.cli import output
from runbook.cli.completing import complete_node, complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option

if TYPE_CHECKING:
    from runbook.core.command import Command


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.argument("node", shell_complete=complete_node)
@click.argument("answer", type=click.Choice(["approve", "retry", "skip", "attest"]))
@click.option(
    "--text", default="", metavar="T", help="skip: the reason. attest: what you vouch for. Both are required."
)
@click.option("--evidence", metavar="FILE", type=click.Path(dir_okay=False), help="attest: a file that backs it.")
@home_option
@click.pass_obj
def command(settings: Settings, run: str, node: str, answer: str, text: str, evidence: str | None) -> Exit:
    """Answer NODE of RUN, and end: `runbook resume` goes on.

    NODE is an id as `runbook status` shows it, or as much of one as fits no other node.
    `approve` says go to the changes as `runbook status` shows them at this moment. Of evidence, the file's name and
    SHA-256 are kept.
    """
    from runbook.wiring import answer_run

    asked = _command(settings.home, run, node, answer, text, evidence)
    answer_run(settings.home, run, asked)
    output.talk(f"Recorded: {answer} {node}. Go on with `runbook resume {run}`.")
    return Exit.DONE


def _command(home: Path, run: str, node: str, answer: str, text: str, evidence: str | None) -> Command:
    from runbook.cli.evidence import evidence_of
    from runbook.cli.naming import find
    from runbook.cli.reading import view_of
    from runbook.core.command import Approve, Attest, Retry, Skip

    if answer in ("skip", "attest") and not text.strip():
        raise click.UsageError(f"{answer} needs --text; it stands in the report.")
    if answer in ("approve", "retry") and text:
        raise click.UsageError(f"{answer} takes no --text.")
    if evidence and answer != "attest":
        raise click.UsageError("--evidence goes with attest.")
    view, _driver = view_of(home, run)
    node = find(view.nodes, node)
    match answer:
        case "approve":
            return Approve(node)
        case "retry":
            return Retry(node)
        case "skip":
            return Skip(node, text)
        case _:
            name, sha256 = evidence_of(evidence) if evidence else ("", "")
            return Attest(node, text, str(view.pinned.get("account", "")) or "operator", name, sha256)
