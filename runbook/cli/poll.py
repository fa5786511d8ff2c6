"""``runbook poll``: one pass over runs that wait, then exit. For cron and its like."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runbook.cli import output
from runbook.cli.completing import complete_run
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option
from runbook.cli.options import Length

if TYPE_CHECKING:
    from runbook.cli.polling import Pass
    from runbook.engine.host import Session


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1, shell_complete=complete_run)
@click.option("--json", "as_json", is_flag=True, help="One object: exit, runs; also when nothing changed.")
@click.option(
    "--away",
    "away_s",
    type=Length(),
    default=None,
    help="Rehearsals: let this time pass first, such as 2d. [default: until the next look]",
)
@click.option(
    "--notify",
    "urls",
    multiple=True,
    metavar="URL",
    envvar="RUNBOOK_NOTIFY",
    help="Whom to tell of news, as Apprise writes it; repeat for more, or name them in RUNBOOK_NOTIFY.",
)
@home_option
@click.pass_obj
def command(
    settings: Settings, runs: tuple[str, ...], as_json: bool, away_s: float | None, urls: tuple[str, ...]
) -> Exit:
    """Look once at every run that waits, or at each RUN, do what needs no person, and end.

    Says nothing when nothing changed. Nobody is asked: a change that needs your go waits for you. A look that is not
    due yet is not taken, however often this is called. A run that another process drives is passed over. Exit code:
    the worst of the runs, 1, then 5, 4, 3; 6 when RUN alone is named and driven by another.
    """
    from runbook.cli.notifying import Notifier
    from runbook.cli.polling import worst

    notifier = Notifier(urls) if urls else None
    names = list(dict.fromkeys(runs)) or _waiting(settings.home)
    passes: list[Pass] = []
    codes: list[Exit] = []
    for run in names:
        found, code = _one(settings.home, run, away_s)
        codes.append(code)
        if found is None:
            continue
        passes.append(found)
        if not as_json:
            _print(found)
        if notifier is not None and found.news:
            title = f"runbook {found.view.id}: {found.view.state.value.replace('_', ' ')}"
            for sentence in notifier.tell(title, "\n".join(found.news)):
                output.talk(sentence)
        if found.is_interrupted:
            break
    only = passes[0] if len(runs) == len(passes) == 1 else None
    code = Exit.DRIVEN if only is not None and only.passed_over else worst(codes)
    if as_json:
        output.json_data({"exit": int(code), "runs": [_doc(found) for found in passes]})
    return code


def _waiting(home: Path) -> list[str]:
    """The runs that wait, and those that cannot be read: nobody else would learn that such a one waits no more."""
    from runbook.cli.polling import is_waiting
    from runbook.cli.reading import view_of
    from runbook.core.error import RunbookError
    from runbook.home import run_ids

    found = []
    for run in sorted(run_ids(home)):
        try:
            found += [run] if is_waiting(view_of(home, run)[0]) else []
        except RunbookError:  # its own pass says what is wrong with it
            found.append(run)
    return found


def _one(home: Path, run: str, away_s: float | None) -> tuple[Pass | None, Exit]:
    """One run's pass and exit code. What goes wrong with one run is told, and the others have their turn."""
    from runbook.cli.diagnose import report
    from runbook.cli.polling import poll_run
    from runbook.core.error import RunbookError, RunUnknown

    try:
        found = poll_run(home, run, partial(_open, home, run), away_s)
    except RunUnknown:
        raise
    except RunbookError as error:
        output.talk(f"{run}:")
        code = report(error, home)
        return None, Exit.OPERATOR if code is Exit.USAGE else code  # such as a sign-in that was not confirmed
    return found, found.exit


def _open(home: Path, run: str, away_s: float) -> Session:
    from runbook.cli.signing import consent_for
    from runbook.wiring import open_session

    consent = consent_for(home, run, None, None, (), may_ask=False)
    opening: dict[str, Any] = {"away_s": away_s} if consent is None else {}
    return open_session(home, run, consent=consent, **opening)


def _print(found: Pass) -> None:
    if found.passed_over:
        output.talk(f"{found.view.id}: passed over: {found.passed_over}.")
    if found.news:
        output.data(f"{found.view.id}: {found.view.state.value.replace('_', ' ')}")
        for line in found.news:
            output.data(f"  {line}")
        if found.exit in (Exit.FAILED, Exit.OPERATOR, Exit.BLOCKED):
            output.talk(f"{found.view.id} needs you: runbook resume {found.view.id}")


def _doc(found: Pass) -> dict[str, Any]:
    from runbook.cli.listing import run_doc
    from runbook.core.clock import iso
    from runbook.engine.agenda import next_act_ms

    view = found.view
    next_ms = next_act_ms(view, view.updated_ms)
    return {
        "run": run_doc(view, found.driver),
        "looked": found.looked,
        "news": list(found.news),
        "passed_over": found.passed_over or None,
        "next_look": None if next_ms is None else iso(next_ms),
    }
