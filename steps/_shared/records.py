"""One name, the private address it must resolve to, and the private zone that holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

PREFIX = "privatelink."


@dataclass(frozen=True, slots=True)
class Record:
    """``fqdn`` is the public name; ``name`` is relative to ``zone``, which may be empty when no zone fits."""

    fqdn: str
    ip: str
    zone: str
    name: str

    def doc(self) -> dict[str, str]:
        return asdict(self)


def suffix_of(zone: str) -> str:
    """The public suffix that a private zone shadows: what a forwarder must forward."""
    return zone.lower().removeprefix(PREFIX)


def record_of(fqdn: str, ip: str, zones: Sequence[str]) -> Record:
    """Find the zone of a name: the one with the longest matching suffix."""
    name = fqdn.lower().rstrip(".")
    fitting = [z.lower() for z in zones if name.endswith("." + suffix_of(z))]
    if not fitting:
        return Record(name, ip, "", name)
    zone = max(fitting, key=len)
    return Record(name, ip, zone, name.removesuffix("." + suffix_of(zone)))
