"""``runbook handover``: what another team is to do, in one document; with ``--to``, the node then waits for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook.cli import output
from runbook.cli.completing import complete_node, complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option

if TYPE_CHECKING:
    from runbook.core.view import RunView


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.argument("node", required=False, shell_complete=complete_node)
@click.option("--to", metavar="TEAM", help="Record that TEAM does it: NODE then waits for it, and is looked at.")
@click.option("--note", default="", metavar="TEXT", help="With --to: what else they should know, or a ticket's number.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "az", "powershell", "bicep"]),
    default="md",
    show_default=True,
    help="The document, or its commands alone.",
)
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write to a new file, not to stdout.")
@home_option
@click.pass_obj
def command(
    settings: Settings, run: str, node: str | None, to: str | None, note: str, form: str, out: str | None
) -> Exit:
    """Write what another team is to do at NODE of RUN: why, the exact commands, and what will be looked at afterwards.

    Without NODE: everything that was handed over and is not done yet. With --to, it is recorded first that TEAM does
    it; nothing of it is sent from here any more. `runbook answer RUN NODE retry` takes it back, `attest` says that
    they did it.
    """
    from runbook.cli.naming import find
    from runbook.cli.reading import view_of
    from runbook.core.error import UsageError
    from runbook.report.handover import FORMS, can_be_handed, handed_over, handover

    if to is None and note:
        raise click.UsageError("--note goes with --to.")
    if to is not None and node is None:
        raise click.UsageError("--to needs NODE: one node is handed over at a time.")
    if out is not None:
        _check(Path(out))
    wanted = next(known for known in FORMS if known == form)
    view, _driver = view_of(settings.home, run)
    if node is None:
        nodes = handed_over(view)
        if not nodes:
            raise UsageError(f"Nothing of {run} is with another team.", "Name a node; `runbook status` lists them.")
    else:
        id_ = find(view.nodes, node)
        if to is None and id_ in view.nodes and not can_be_handed(view.nodes[id_]):
            state = view.nodes[id_].state
            raise UsageError(
                f"{id_} is {state}: there is nothing to hand over.", "Ready, blocked and failed nodes have."
            )
        before = view.nodes.get(id_)
        if to is not None:
            view = _recorded(settings, view, id_, to, note)
        if id_ not in view.nodes:
            raise UsageError(f"Run {run} has no node {id_!r}.", "`runbook status` lists the nodes.")
        # A node that takes the team's name as its word has nothing to do itself: what was found there is told.
        nodes = [view.nodes[id_] if view.nodes[id_].handed or before is None else before]
    text = handover(view, nodes, wanted, to or "")
    if out is None:
        output.document(text if text.endswith("\n") else f"{text}\n")
    else:
        _write(Path(out), text)
        output.talk(f"Wrote {out}.")
    return Exit.DONE


def _recorded(settings: Settings, view: RunView, node: str, to: str, note: str) -> RunView:
    from runbook.cli.policy import account
    from runbook.core.command import HandOver
    from runbook.wiring import answer_run

    view = answer_run(settings.home, view.id, HandOver(node, to, account(view), note))
    output.talk(f"Recorded: {node} is with {to}. Go on with `runbook resume {view.id}`.")
    return view


def _check(path: Path) -> None:
    """Refuse a file that cannot be made, before anything is recorded.

    Raises:
        UsageError: it exists, or its folder does not or takes nothing.
    """
    from runbook.core.error import UsageError

    if path.exists():
        raise UsageError(f"{path} exists already.", "Choose another file; nothing is written over.")
    if not (path.absolute().parent.is_dir() and os.access(path.absolute().parent, os.W_OK)):
        raise UsageError(f"{path} cannot be written: its folder is missing or takes nothing.", "Choose another file.")


def _write(path: Path, text: str) -> None:
    from runbook.core.error import UsageError

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", "Choose another file.") from error
