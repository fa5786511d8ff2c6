"""Signing in at the command line: what is said to the operator, and the word that is asked of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.cli import output
from runbook.core.error import UsageError

if TYPE_CHECKING:
    from runbook.arm.auth import Prompt
    from runbook.wiring.live import SignedIn
    from runbook.wiring.live_drive import Consent


def tell_prompt(prompt: Prompt) -> None:
    """What a sign-in wants, on stderr."""
    output.talk(f"{prompt}.")


def signed_in_by(auth: str | None, tenant: str = "", subscription: str = "") -> SignedIn:
    """Sign in for a new run.

    Raises:
        UsageError, ContextError, SignInNeeded: as ``runbook.wiring.live.sign_in``.
    """
    from runbook.wiring.live import sign_in

    return sign_in(auth or "auto", tenant=tenant, subscription=subscription, on_prompt=tell_prompt)


def asker(said: list[str], account: str, *, may_ask: bool) -> Callable[[Mapping[str, Any]], None]:
    """What shows where a run writes and has it confirmed.

    Args:
        said: names given beforehand; what is typed is added to it.
        account: who is signed in.
        may_ask: whether somebody is there to type.
    """

    def agree(pinned: Mapping[str, Any]) -> None:
        from runbook.wiring.confirm import confirmation, names_of

        for line in context_lines(pinned, account):
            output.talk(line)
        if may_ask and not said:
            for name in names_of(pinned):
                output.talk(f"This run will change real resources in {name}. Type its name to confirm:")
                said.append(_line())
        confirmation(pinned, account, said)

    return agree


def context_lines(pinned: Mapping[str, Any], account: str) -> Iterator[str]:
    """Where a live run works, and who drives it."""
    rules = "" if pinned["cloud_name"] == pinned["cloud"] else f", by the rules of {pinned['cloud']}"
    yield f"Cloud          {pinned['cloud_name']} ({pinned['endpoint']}){rules}"
    yield f"Tenant         {pinned['tenant']}"
    yield f"Signed in      {account}"
    for id_, name in pinned["subscriptions"].items():
        yield f"Subscription   {name or '(no name)'} ({id_})"


def _line() -> str:
    line = sys.stdin.readline()
    if not line:
        raise UsageError("The input ended before the subscription was confirmed. Nothing was sent.", "Start again.")
    return line.strip()


def consent_for(
    home: Path, run: str, auth: str | None, via: str | None, said: tuple[str, ...], *, may_ask: bool
) -> Consent | None:
    """What a run that exists is opened with; None for a rehearsal.

    Raises:
        UsageError: it was not confirmed, or is a rehearsal and has no sign-in.
        ContextError, SignInNeeded: nobody is signed in, or not where the run is pinned to.
    """
    from runbook.cli.reading import view_of

    view, _ = view_of(home, run)
    if view.mode != "live":
        if auth or via or said:
            raise UsageError(
                f"Run {run} is a rehearsal: nobody signs in to it.",
                "Leave --auth, --via and --confirm-subscription out.",
            )
        return None
    from runbook.wiring.live_drive import Consent, is_known_to

    signed_in = Consent(auth=auth or "", on_prompt=tell_prompt).given(view)
    words = list(said)
    if not is_known_to(home, run, signed_in):
        asker(words, signed_in.account, may_ask=may_ask)(view.pinned)
    return Consent(signed_in, via=via or "", said=tuple(words))
