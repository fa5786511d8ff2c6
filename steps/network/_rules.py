"""Which traffic a security rule touches. Pure but for the reading of which group is on a subnet.

Only what can be decided is decided: a rule for single public addresses is neither "allows the tag" nor "denies the
tag", since which addresses a tag holds is Azure's to change.

Source: "Network security groups" and "Service tags overview", Microsoft Learn; Azure Network REST 2024-01-01.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Json, Reader
from steps._shared import versions
from steps._shared.look import dig, find, properties

EVERYWHERE: Final = frozenset({"*", "any", "0.0.0.0/0", "internet"})
"""Destinations that hold every public address, those of Azure services among them."""
HIGHEST, LOWEST = 100, 4096
"""Range of priorities; the smaller number comes first."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One custom rule; texts in lower case but for the name."""

    name: str
    priority: int
    direction: str
    access: str
    protocol: str
    sources: tuple[str, ...]
    source_ports: tuple[str, ...]
    destinations: tuple[str, ...]
    ports: tuple[str, ...]


async def group_on(arm: Reader, subnet: str) -> str:
    """The id of the security group on a subnet, or empty."""
    return str(dig(await find(arm, subnet, versions.NETWORK), "properties", "networkSecurityGroup", "id") or "")


def rule_of(doc: Json) -> Rule | None:
    """Take a rule apart; None for one without a priority."""
    at = properties(doc)
    if not isinstance(at.get("priority"), int):
        return None

    def both(one: str, many: str) -> tuple[str, ...]:
        values = [*(at.get(many) or ()), *([at[one]] if at.get(one) else [])]
        return tuple(str(v).lower() for v in values)

    return Rule(
        name=str(doc.get("name", "")),
        priority=at["priority"],
        direction=str(at.get("direction", "")).lower(),
        access=str(at.get("access", "")).lower(),
        protocol=str(at.get("protocol", "*")).lower(),
        sources=both("sourceAddressPrefix", "sourceAddressPrefixes"),
        source_ports=both("sourcePortRange", "sourcePortRanges") or ("*",),
        destinations=both("destinationAddressPrefix", "destinationAddressPrefixes"),
        ports=both("destinationPortRange", "destinationPortRanges"),
    )


def is_allowing(rule: Rule, tag: str, port: int) -> bool:
    """Whether everything the article's rule allows is allowed by this one."""
    return (
        rule.access == "allow"
        and _is_tcp(rule)
        and bool({"*", "any", "virtualnetwork", "0.0.0.0/0"} & set(rule.sources))
        and "*" in rule.source_ports
        and bool((EVERYWHERE | {tag.lower()}) & set(rule.destinations))
        and _has_port(rule, port)
    )


def is_shadowing(rule: Rule, tag: str, port: int) -> bool:
    """Whether this rule denies some of it: for any source, to the tag, a region's slice of it, or to everywhere."""
    wide = EVERYWHERE | {tag.lower()}
    is_wide = any(d in wide or d.partition(".")[0] in ("azurecloud", tag.lower()) for d in rule.destinations)
    return rule.access == "deny" and _is_tcp(rule) and is_wide and _has_port(rule, port)


def free_priority(outbound: Sequence[Rule], wanted: int, deny: Rule | None) -> int | None:
    """The free priority nearest ``wanted`` that comes ahead of the denying rule; None when there is none."""
    taken = {r.priority for r in outbound}
    last = min(LOWEST, deny.priority - 1) if deny else LOWEST
    free = [n for n in range(HIGHEST, last + 1) if n not in taken]
    return min(free, key=lambda n: (abs(n - wanted), n), default=None)


def _is_tcp(rule: Rule) -> bool:
    return rule.protocol in ("*", "any", "tcp")


def _has_port(rule: Rule, port: int) -> bool:
    for text in rule.ports:
        low, _, high = text.partition("-")
        if text == "*" or (low.isdigit() and int(low) <= port <= int(high if high.isdigit() else low)):
            return True
    return False
