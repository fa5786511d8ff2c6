"""Which TCP ports of some prefixes a list of security rules leaves open. Pure: addresses and ports as rectangles.

Rules are taken in the order of their priority; what an allowing rule lets through is not looked at again, and every
denying rule that still hits something is a finding. Traffic that no rule speaks of is let through by the built-in
rules, as both ends lie in ``VirtualNetwork``.

Rules that speak of application security groups are not judged: which addresses those hold is not part of the rule.

Source: "Network security groups", Microsoft Learn (order of rules, built-in rules, ``VirtualNetwork`` holds peered
networks and the premises behind a gateway).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Final

from steps.network._rules import INSIDE, Rule, is_from_everywhere, is_tcp

Span = tuple[int, int]
"""First and last, both included."""
EVERY_PORT: Final[Span] = (1, 65535)
EVERY_ADDRESS: Final[Span] = (0, 2**32 - 1)


@dataclass(frozen=True, slots=True)
class Area:
    """Some addresses with some ports."""

    addresses: Span
    ports: Span

    def common(self, other: Area) -> Area | None:
        addresses, ports = _common(self.addresses, other.addresses), _common(self.ports, other.ports)
        return Area(addresses, ports) if addresses and ports else None

    def without(self, other: Area) -> list[Area]:
        """What is left of this area, in up to four pieces."""
        inner = self.common(other)
        if inner is None:
            return [self]
        sides = [Area(a, self.ports) for a in _outside(self.addresses, inner.addresses)]
        return [*sides, *(Area(inner.addresses, p) for p in _outside(self.ports, inner.ports))]


@dataclass(frozen=True, slots=True)
class Denial:
    """A rule that denies some of the traffic, and which ports."""

    rule: Rule
    ports: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules make of the traffic.

    Attributes:
        denials: denying rules that hit, by priority.
        unjudged: denying rules by application security groups that may hit.
        narrow: allowing rules for a part of the ports only, and which ports they let through.
    """

    denials: tuple[Denial, ...]
    unjudged: tuple[Rule, ...]
    narrow: tuple[Denial, ...]

    @property
    def barrier(self) -> Rule | None:
        """The first rule that an allowing one must come ahead of."""
        found = [*(d.rule for d in self.denials), *self.unjudged]
        return min(found, key=lambda r: r.priority, default=None)


def judge(rules: Sequence[Rule], prefixes: Sequence[str]) -> Judgement:
    """Judge the rules of one direction, sorted by priority, against every TCP port of the prefixes."""
    left = [Area(a, EVERY_PORT) for p in prefixes for a in addresses_of(p)]
    denials, unjudged, narrow = [], [], []
    for rule in (r for r in rules if is_tcp(r)):
        area = [Area(a, p) for a in _addresses(rule) for p in _ports(rule)]
        hit = [inner for mine in left for theirs in area if (inner := mine.common(theirs))]
        if not hit:
            continue
        if rule.by_group:
            unjudged += [rule] if rule.access == "deny" else []
            continue
        if rule.access == "deny":
            if not _is_from_inside(rule):
                continue
            denials.append(Denial(rule, _told(hit)))
        elif not is_from_everywhere(rule):
            continue
        elif _told(hit) != _told(left):
            narrow.append(Denial(rule, _told(hit)))
        for theirs in area:
            left = [piece for mine in left for piece in mine.without(theirs)]
    return Judgement(tuple(denials), tuple(unjudged), tuple(narrow))


def addresses_of(prefix: str) -> list[Span]:
    """The addresses of one prefix; a service tag other than the network's own holds none that matter here."""
    if prefix.lower() in INSIDE:
        return [EVERY_ADDRESS]
    try:
        network = ip_network(prefix, strict=False)
    except ValueError:
        return []
    if not isinstance(network, IPv4Network):
        return []
    return [(int(network.network_address), int(network.broadcast_address))]


def _addresses(rule: Rule) -> list[Span]:
    found = [a for d in rule.destinations for a in addresses_of(d)]
    return found or ([EVERY_ADDRESS] if rule.by_group and not rule.destinations else [])


def _ports(rule: Rule) -> list[Span]:
    found: list[Span] = []
    for text in rule.ports:
        low, _, high = text.partition("-")
        if text in ("*", "any"):
            found.append((0, 65535))
        elif low.isdigit():
            found.append((int(low), int(high) if high.isdigit() else int(low)))
    return found


def _is_from_inside(rule: Rule) -> bool:
    """Whether some of the network's own traffic may be meant; "Internet" and Azure's services are outside."""
    return any(addresses_of(s) for s in rule.sources)


def _common(one: Span, other: Span) -> Span | None:
    first, last = max(one[0], other[0]), min(one[1], other[1])
    return (first, last) if first <= last else None


def _outside(whole: Span, inner: Span) -> list[Span]:
    pieces = [(whole[0], inner[0] - 1), (inner[1] + 1, whole[1])]
    return [(first, last) for first, last in pieces if first <= last]


def _told(areas: Iterable[Area]) -> str:
    """The ports of some areas: ``1-442, 444-65535``."""
    merged: list[Span] = []
    for first, last in sorted({a.ports for a in areas}):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in merged)
