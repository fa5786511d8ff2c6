"""Which traffic to a service tag a security rule touches. Pure but for the reading of a group.

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
from steps._shared.look import dig, find, has_failed, properties, same

EVERYWHERE: Final = frozenset({"*", "any", "0.0.0.0/0", "internet"})
"""Destinations that hold every public address, those of Azure services among them."""
INSIDE: Final = frozenset({"*", "any", "0.0.0.0/0", "virtualnetwork"})
"""Prefixes that hold every address of the network itself."""
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
    by_group: bool = False
    """Whether it speaks of application security groups: which addresses those hold is not read here."""

    @property
    def label(self) -> str:
        return f"{self.name} ({self.priority})"


@dataclass(frozen=True, slots=True)
class Group:
    """A network security group, with its own rules by priority; the built-in ones come after all of them."""

    id: str
    doc: Json
    rules: tuple[Rule, ...]

    def of(self, direction: str) -> list[Rule]:
        return [r for r in self.rules if r.direction == direction.lower()]

    def named(self, name: str) -> Rule | None:
        """A rule by name, whatever its direction: names are unique in a group."""
        return next((r for r in self.rules if same(r.name, name)), None)

    def has_failed(self, name: str) -> Json | None:
        """The rule of that name if its last write ended badly."""
        listed = properties(self.doc).get("securityRules") or ()
        return next((d for d in listed if same(d.get("name"), name) and has_failed(d)), None)


async def read_group(arm: Reader, nsg: str) -> Group | None:
    """The group with its rules; None where there is none of that id."""
    doc = await find(arm, nsg, versions.NETWORK) if nsg else None
    if doc is None:
        return None
    rules = (r for r in map(rule_of, properties(doc).get("securityRules") or ()) if r)
    return Group(nsg, doc, tuple(sorted(rules, key=lambda r: r.priority)))


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
        by_group=bool(at.get("sourceApplicationSecurityGroups") or at.get("destinationApplicationSecurityGroups")),
    )


def is_allowing(rule: Rule, tag: str, port: int) -> bool:
    """Whether everything the article's rule allows is allowed by this one."""
    return (
        rule.access == "allow"
        and is_tcp(rule)
        and is_from_everywhere(rule)
        and bool((EVERYWHERE | {tag.lower()}) & set(rule.destinations))
        and has_port(rule, port)
    )


def is_from_everywhere(rule: Rule) -> bool:
    """Whether it speaks of whatever the network sends, from whichever port."""
    return bool(INSIDE & set(rule.sources)) and "*" in rule.source_ports and not rule.by_group


def is_shadowing(rule: Rule, tag: str, port: int) -> bool:
    """Whether this rule denies some of it: for any source, to the tag, a region's slice of it, or to everywhere."""
    return rule.access == "deny" and is_tcp(rule) and is_touching(rule, tag) and has_port(rule, port)


def is_touching(rule: Rule, tag: str) -> bool:
    """Whether its destinations hold some of a tag: the tag, a region's slice of it, Azure as a whole, or everything."""
    wide = EVERYWHERE | {tag.lower()}
    return any(d in wide or d.partition(".")[0] in ("azurecloud", tag.lower()) for d in rule.destinations)


def first_denying(outbound: Sequence[Rule], tag: str, port: int) -> Rule | None:
    """The first rule that denies the tag, unless one that allows it comes first."""
    name = tag.partition(" ")[0]
    for rule in outbound:
        if is_allowing(rule, name, port):
            return None
        if is_shadowing(rule, name, port):
            return rule
    return None


def free_priority(others: Sequence[Rule], wanted: int, barrier: Rule | None) -> int | None:
    """The free priority nearest ``wanted`` that comes ahead of the rule in the way; None when there is none."""
    taken = {r.priority for r in others}
    last = min(LOWEST, barrier.priority - 1) if barrier else LOWEST
    free = [n for n in range(HIGHEST, last + 1) if n not in taken]
    return min(free, key=lambda n: (abs(n - wanted), n), default=None)


def is_tcp(rule: Rule) -> bool:
    """Whether it speaks of TCP."""
    return rule.protocol in ("*", "any", "tcp")


def has_port(rule: Rule, port: int) -> bool:
    """Whether it speaks of that port."""
    for text in rule.ports:
        low, _, high = text.partition("-")
        if text == "*" or (low.isdigit() and int(low) <= port <= int(high if high.isdigit() else low)):
            return True
    return False
