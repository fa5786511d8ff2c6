"""The operator's word on where a live run writes: given by typing the name of each subscription it is pinned to.

It is an entry of the journal, and holds for the account and the cloud it was given under: whoever else drives the run
is asked again. Without it a live run is not opened for driving, so nothing can be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from runbook.core.entry import Draft, Kind
from runbook.core.error import UsageError
from runbook.core.redact import plain
from runbook.journal.store import Journal

_KEY: Final = "confirmed"

Pinned = Mapping[str, Any]
"""What a run is pinned to, as its first entry has it."""


def names_of(pinned: Pinned) -> list[str]:
    """What is to be typed: the name of each pinned subscription, or its id where it has none."""
    return [str(name or id_) for id_, name in pinned["subscriptions"].items()]


def is_confirmed(journal: Journal, pinned: Pinned, account: str) -> bool:
    """Whether this account has confirmed every subscription of the run before."""
    wanted = _word(pinned, account)
    return any(e.kind is Kind.NOTED and e.data.get(_KEY) == wanted for e in journal.entries())


def confirmation(pinned: Pinned, account: str, said: Iterable[str]) -> Draft:
    """The entry that records it.

    Args:
        pinned: what is confirmed.
        account: whose word it is.
        said: the names as they were typed.

    Raises:
        UsageError: a name is missing or another.
    """
    words = {word.strip() for word in said}
    ids = list(pinned["subscriptions"])
    left = [n for n, i in zip(names_of(pinned), ids, strict=True) if n not in words and i not in words]
    if left:
        others = sorted(words - set(names_of(pinned)) - set(ids))
        typed = f" What was typed, {', '.join(map(plain, others))}, is no name of them." if others else ""
        raise UsageError(
            f"This run writes to {', '.join(map(plain, left))}, which was not confirmed.{typed} Nothing was sent.",
            "Type the name of each subscription, or give it: "
            + " ".join(f"--confirm-subscription '{plain(n)}'" for n in left),
        )
    place = f"{pinned['cloud_name']}, tenant {pinned['tenant']}"
    text = f"{account} confirmed that this run writes to {', '.join(names_of(pinned))} ({place})."
    return Draft(Kind.NOTED, data={"text": text, _KEY: _word(pinned, account)})


def _word(pinned: Pinned, account: str) -> dict[str, Any]:
    return {"account": account, "endpoint": pinned["endpoint"], "subscriptions": list(pinned["subscriptions"])}
