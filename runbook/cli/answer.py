"""``runbook answer``: one answer to one node, from a script. Nothing is driven."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runbook.cli import output
from runbook.cli.completing import complete_node, complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option
from runbook.core.clock import RealClock
from runbook.core.state import NodeState

if TYPE_CHECKING:
    from runbook.core.command import Command
    from runbook.core.view import RunView


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.argument("node", shell_complete=complete_node)
@click.argument("answer", type=click.Choice(["approve", "retry", "skip", "attest"]))
@click.option(
    "--text", default="", metavar="T", help="skip: the reason. attest: what you vouch for. Both are required."
)
@click.option("--says", default="", metavar="W", help="attest: which further word of the node it is, such as approved.")
@click.option("--reference", default="", metavar="R", help="attest: what the other side calls it, such as a ticket.")
@click.option("--dated", default="", metavar="D", help="attest: when it happened; else now.")
@click.option("--evidence", metavar="FILE", type=click.Path(dir_okay=False), help="attest: a file that backs it.")
@click.option("--disruptive", is_flag=True, help="approve 'STEP[*]': disruptive changes too.")
@home_option
@click.pass_obj
def command(
    settings: Settings,
    /,
    run: str,
    node: str,
    answer: str,
    text: str,
    evidence: str | None,
    disruptive: bool,
    **proof: Any,
) -> Exit:
    """Answer NODE of RUN, and end: `runbook resume` goes on.

    NODE is an id as `runbook status` shows it, or as much of one as fits no other node. With approve, 'STEP[*]' is
    every node of a step that waits for a go: those with disruptive changes only with --disruptive.
    `approve` says go to the changes as `runbook status` shows them at this moment. Of evidence, the file's name and
    SHA-256 are kept. `runbook status` shows which further words a wait takes.
    """
    from runbook.wiring import answer_run

    if node.endswith("[*]"):
        if answer != "approve" or text or evidence or any(proof.values()):
            raise click.UsageError("'STEP[*]' goes with approve alone; answer nodes one by one otherwise.")
        return _approve_step(settings.home, run, node.removesuffix("[*]"), disruptive)
    if disruptive:
        raise click.UsageError("--disruptive goes with approve 'STEP[*]'; a node named by itself needs no such word.")
    asked = _command(settings.home, run, node, answer, text, evidence, proof)
    answer_run(settings.home, run, asked)
    output.talk(f"Recorded: {answer} {node}. Go on with `runbook resume {run}`.")
    return Exit.DONE


def _approve_step(home: Path, run: str, step: str, disruptive: bool) -> Exit:
    """Go, for every ready node of a step: all of them in one breath, or none.

    Raises:
        UsageError: there is no such step, or nothing of it that may be approved.
    """
    from runbook.cli.naming import short_ids
    from runbook.cli.policy import Policy, account
    from runbook.cli.reading import view_of
    from runbook.core.error import UsageError
    from runbook.wiring import answer_run

    view, _driver = view_of(home, run)
    if step not in {s["id"] for s in view.book.get("steps", ())}:
        steps = ", ".join(dict.fromkeys(n.doc["step"] for n in view.nodes.values() if n.needs_operator))
        raise UsageError(f"Run {run} has no step {step!r}.", f"Steps that wait for a word: {steps or 'none'}.")
    ready = [n for n in view.of_step(step) if n.state is NodeState.READY and not n.is_approved]
    policy = Policy(yes=True, yes_disruptive=disruptive, by=account(view))
    asked = [command for n in ready if (command := policy.answer(n)) is not None]
    left = len(ready) - len(asked)
    hint = f"{left} disruptive left out: look at them with `runbook status {run} --all`, then say --disruptive."
    if not asked:
        raise UsageError(
            f"Nothing of {step} can be approved now.", hint if left else f"`runbook status {run}` shows what waits."
        )
    answer_run(home, run, *asked)
    names = short_ids(view.nodes)
    for command in asked:
        output.data(names[command.node])
    output.talk(f"Recorded: {len(asked)} of {step} approved. {hint if left else ''}".rstrip())
    output.talk(f"Go on with `runbook resume {run}`.")
    return Exit.DONE


def _command(
    home: Path, run: str, node: str, answer: str, text: str, evidence: str | None, proof: dict[str, Any]
) -> Command:
    from runbook.cli.evidence import evidence_of
    from runbook.cli.naming import find
    from runbook.cli.policy import account
    from runbook.cli.reading import view_of
    from runbook.core.command import Approve, Attest, Retry, Skip

    if answer in ("skip", "attest") and not text.strip():
        raise click.UsageError(f"{answer} needs --text; it stands in the report.")
    if answer in ("approve", "retry") and text:
        raise click.UsageError(f"{answer} takes no --text.")
    if (evidence or any(proof.values())) and answer != "attest":
        raise click.UsageError("--says, --reference, --dated and --evidence go with attest.")
    view, _driver = view_of(home, run)
    dated = proof.pop("dated")
    proof = {**proof, "dated_ms": _dated_ms(view, dated) if dated else None}
    node = find(view.nodes, node)
    match answer:
        case "approve":
            return Approve(node, by=account(view))
        case "retry":
            return Retry(node)
        case "skip":
            return Skip(node, text)
        case _:
            name, sha256 = evidence_of(evidence) if evidence else ("", "")
            return Attest(node, text, account(view), name, sha256, **proof)


def _dated_ms(view: RunView, text: str) -> int:
    """When what is vouched for happened: as it was said, or refused.

    Raises:
        UsageError: it is no date, or lies ahead.
    """
    from runbook.core.clock import iso
    from runbook.tui.question import moment_of

    now_ms = _now_ms(view)
    try:
        return moment_of(text.strip(), now_ms)
    except OverflowError:
        clock = "in this rehearsal it is" if view.mode == "rehearsal" else "it is"
        raise click.UsageError(f"--dated {text} lies ahead: {clock} {iso(now_ms)[:16]}Z now.") from None
    except ValueError:
        raise click.UsageError(f"--dated {text!r} is not a date: write 2026-11-20 or 2026-11-20T08:30Z.") from None


def _now_ms(view: RunView) -> int:
    """The run's own time; a live run's goes on while nobody writes."""
    return view.updated_ms if view.mode == "rehearsal" else max(view.updated_ms, RealClock().now_ms())
