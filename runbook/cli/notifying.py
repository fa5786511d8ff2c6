"""Telling somebody who is not here, by the addresses that Apprise knows: mail, chat, push.

Invariants: an address is a secret, and nothing of it but its scheme is ever printed, logged or raised; Apprise is
imported only when there is something to tell.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from runbook.core.error import UsageError
from runbook.core.redact import plain


def scheme(url: str) -> str:
    """What may be said of an address: how it begins, such as ``mailto``."""
    head, mark, _ = url.partition("://")
    return head if mark and head.isalnum() else "unknown"


class Notifier:
    """Tells everybody at once.

    Args:
        urls: addresses as Apprise writes them.

    Raises:
        UsageError: Apprise is not installed, or knows no such kind of address.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._schemes = [scheme(url) for url in urls]
        try:
            import apprise
        except ImportError:
            raise UsageError(
                "--notify needs Apprise, which is not installed.",
                "Install it: pip install 'runbook[notify]', or leave --notify out.",
            ) from None
        # Its warnings name addresses, and those hold passwords.
        log = logging.getLogger("apprise")
        log.setLevel(logging.CRITICAL + 1)
        log.propagate = False
        self._each = []
        for number, url in enumerate(urls, 1):
            one = apprise.Apprise()
            if not one.add(url):
                raise UsageError(
                    f"The {_nth(number)} --notify address ({scheme(url)}) is none that Apprise knows.",
                    "Write it as its documentation says, such as mailto://user:password@example.com.",
                )
            self._each.append(one)

    def tell(self, title: str, body: str) -> list[str]:
        """Send a message to everybody. Returns a sentence for each who could not be told."""
        missed = []
        for number, (one, kind) in enumerate(zip(self._each, self._schemes, strict=True), 1):
            try:
                is_told = bool(one.notify(body=plain(body), title=plain(title)))
            except Exception:  # whatever it says may hold the address
                is_told = False
            if not is_told:
                missed.append(f"The {_nth(number)} --notify address ({kind}) could not be told.")
        return missed


def _nth(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")
