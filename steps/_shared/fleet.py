"""The Arc-enabled servers of some subscriptions, and which of them stand outside a private link scope.

A server that resolves private addresses without being in the scope is refused by Azure. Whatever makes names private
therefore asks here first, with a fresh read.

Source: Microsoft Learn, "Use Azure Private Link to connect servers to Azure Arc", 2026-05-04 (restrictions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.core.arm import Json, Reader
from runbook.core.error import Refused
from runbook.step import Blocked, Check, Poll, expect
from steps._shared import versions
from steps._shared.look import name_of, properties, same

RULE = "machine-outside-scope"


@dataclass(frozen=True, slots=True)
class Machine:
    """One Arc-enabled server, as ARM knows it."""

    id: str
    name: str
    location: str
    scope: str
    """Resource id of its private link scope, or empty."""
    status: str
    agent: str


@dataclass(frozen=True, slots=True)
class Guard:
    """Who must be in the scope before names turn private.

    Attributes:
        subscriptions: where Arc-enabled servers of this network may be registered.
        scope: resource id of the private link scope.
        vouched: resource ids of servers that the operator said do not resolve through this network.
    """

    subscriptions: tuple[str, ...]
    scope: str
    vouched: tuple[str, ...] = ()


def machine_of(doc: Json) -> Machine:
    """One item of the machines list."""
    at = properties(doc)
    return Machine(
        id=str(doc.get("id", "")),
        name=str(doc.get("name") or name_of(str(doc.get("id", "")))),
        location=str(doc.get("location", "")),
        scope=str(at.get("privateLinkScopeResourceId") or ""),
        status=str(at.get("status") or "Unknown"),
        agent=str(at.get("agentVersion") or ""),
    )


async def machines_in(arm: Reader, subscriptions: Sequence[str]) -> list[Machine]:
    """Every Arc-enabled server, by id. A subscription whose provider was never registered can hold none."""
    found: dict[str, Machine] = {}
    for subscription in dict.fromkeys(s.lower() for s in subscriptions):
        path = f"/subscriptions/{subscription}/providers/Microsoft.HybridCompute/machines"
        try:
            docs = await arm.list(path, versions.HYBRID_COMPUTE)
        except Refused as refused:
            if refused.arm_code in ("MissingSubscriptionRegistration", "NoRegisteredProviderFound"):
                continue
            raise
        found |= {str(d.get("id", "")).lower(): machine_of(d) for d in docs}
    return [found[key] for key in sorted(found)]


async def outsiders(arm: Reader, guard: Guard) -> list[Machine]:
    """Servers that are outside the scope and for which nobody vouched."""
    vouched = {v.lower() for v in guard.vouched}
    every = await machines_in(arm, guard.subscriptions)
    return [m for m in every if not same(m.scope, guard.scope) and m.id.lower() not in vouched]


async def refuse_outsiders(arm: Reader, guard: Guard | None, attest: str = "") -> Blocked | None:
    """A refusal naming the servers that private names would cut off, or None when there are none.

    No guard means that no Arc-enabled server is concerned; then nothing is read. ``attest`` is what the operator could
    vouch for instead, where the node asks for no other word.
    """
    if guard is None or not (found := await outsiders(arm, guard)):
        return None
    names = ", ".join(m.name for m in found)
    return Blocked(
        RULE,
        f"{len(found)} Arc-enabled server(s) are outside the scope {name_of(guard.scope)}: {names}. "
        "As soon as they resolve private addresses Azure refuses them.",
        (
            "Put each of them into the scope (az connectedmachine update --private-link-scope-resource-id …); "
            "this looks again by itself.",
            "Disconnect from Azure Arc what is no longer a server of yours.",
        ),
        checks=(inside_check(found),),
        attest=attest,
        poll=None if attest else Poll(first_s=60, longest_s=900),
    )


def inside_check(found: Sequence[Machine]) -> Check:
    """No server is left outside."""
    return expect("Arc-enabled servers outside the scope", "none", [m.name for m in found])
