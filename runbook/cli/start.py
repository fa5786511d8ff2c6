"""``runbook start``: create a run of a book, and open it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import click

from runbook.cli.completing import complete_book
from runbook.cli.exits import Exit
from runbook.cli.main import Settings, home_option
from runbook.cli.options import confirming, context, creating, driving
from runbook.cli.options import via as via_option


@click.command()
@click.argument("book", shell_complete=complete_book)
@click.option(
    "--mode",
    type=click.Choice(["rehearsal", "live"]),
    help="`rehearsal` runs against a simulated Azure, `live` against the real one you are signed in to. Needed, unless "
    "--plain asks for it.",
)
@creating
@via_option
@context
@confirming
@driving
@home_option
@click.pass_obj
def command(settings: Settings, /, book: str, mode: str | None, **options: Any) -> Exit:
    """Create a run of BOOK, a name or a YAML file, and open it.

    Inputs come from --set, then --inputs, then the scenario, then the book's defaults; --plain asks for what is
    missing.

    A live run shows where it writes and wants the name of each subscription typed, or given by --confirm-subscription.
    """
    return create_and_drive(settings, book, mode, **options)


def create_and_drive(
    settings: Settings,
    book: str,
    mode: str | None,
    *,
    scenario: str,
    edition: str | None,
    inputs: str | None,
    sets: tuple[str, ...],
    run_id: str,
    via: str | None = None,
    here: str = "nowhere",
    auth: str | None = None,
    tenant: str = "",
    subscription: str = "",
    said: tuple[str, ...] = (),
    **options: Any,
) -> Exit:
    """What ``start`` and ``rehearse`` have in common."""
    from runbook.cli.answers import Answers
    from runbook.cli.driving import Front, drive, read_wish
    from runbook.cli.plain_new import ask_mode, completed
    from runbook.cli.plainly import fronted

    front = fronted(settings.home, Front(**options))
    answers = Answers(sys.stdin)
    if mode is None:
        if not front.plain:
            raise click.MissingParameter(param_hint="'--mode'", param_type="option")
        mode = ask_mode(answers)
    if mode != "live":
        if auth or tenant or subscription or said or via or here != "nowhere":
            raise click.UsageError(
                "--auth, --tenant, --subscription, --here, --via and --confirm-subscription go with --mode live."
            )

        def create() -> str:
            from runbook.wiring import create_run

            wish = read_wish(book, mode, scenario, edition, inputs, sets, run_id)
            return create_run(settings.home, completed(wish, answers) if front.plain else wish)

        return drive(settings.home, create, front)
    front.check_live()
    from runbook.cli.signing import asker, signed_in_by
    from runbook.wiring import create_run
    from runbook.wiring.live_drive import Consent

    wish = replace(read_wish(book, mode, scenario, edition, inputs, sets, run_id), via=via or "arm", here=here)
    signed_in = signed_in_by(auth, tenant, subscription)
    if front.plain:
        wish = completed(wish, answers, signed_in)
    words = list(said)
    agree = asker(words, signed_in.account, may_ask=not front.headless)
    run = create_run(settings.home, wish, signed_in=signed_in, agree=agree)
    return drive(settings.home, lambda: run, front, Consent(signed_in, said=tuple(words)))
