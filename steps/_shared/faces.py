"""PowerShell lines that act on one named subscription, whatever the shell's context was.

The Az cmdlets that mirror ``az`` take the subscription from the context only; the line therefore sets it first.
Setting it writes nothing in Azure.
"""

from __future__ import annotations

import re

from runbook.step import powershell_text


def word(text: str) -> str:
    """A PowerShell argument, quoted when it is more than a plain word."""
    return text if re.fullmatch(r"[A-Za-z0-9._/-]+", text) else powershell_text(text)


def in_context(subscription: str, line: str) -> str:
    """The cmdlet line, with its context set first."""
    return f"Set-AzContext -Subscription {subscription} | Out-Null; {line}"


def by_hand(*, az: tuple[str, ...] = (), powershell: tuple[str, ...] = (), note: str = "") -> str:
    """Lines to read, never run by us: first az, then PowerShell, then a remark."""
    parts = ["\n".join(az), "\n".join(powershell), note]
    return "\n\n".join(p for p in parts if p)
