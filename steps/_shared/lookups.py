"""What names resolve to from somewhere else, held against the addresses they should have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from runbook.core.records import is_private_address
from runbook.core.together import together
from runbook.step import Check, DnsAnswer, Resolver, expect
from steps._shared.look import name_of
from steps._shared.records import Record

ON_PREMISES = "on-premises"
MOST_CHECKS: Final = 40
"""Lookups that are shown one by one; more are summed up."""


@dataclass(frozen=True, slots=True)
class Look:
    """One name from one place. ``answer`` is None when nobody of ours can stand there."""

    record: Record
    vantage: str
    answer: DnsAnswer | None

    @property
    def is_private(self) -> bool:
        return self.answer is not None and self.answer.addresses == (self.record.ip,)

    def check(self) -> Check:
        """As a check; a place that cannot be looked from is left to the operator's word."""
        name = f"{self.record.fqdn} from {place(self.vantage)}"
        if self.answer is None:
            return expect(name, self.record.ip, "not readable from here", ok=True)
        return expect(name, self.record.ip, told(self.answer), ok=self.is_private)


def told(answer: DnsAnswer) -> str:
    """An answer in words: its addresses, or why there are none."""
    return ", ".join(answer.addresses) or answer.status


def place(vantage: str) -> str:
    return "the premises" if vantage == ON_PREMISES else name_of(vantage)


async def look_up(dns: Resolver, records: Sequence[Record], vantages: Sequence[str]) -> list[Look]:
    """Every name from every place, several at a time."""

    async def one(record: Record, vantage: str) -> Look:
        return Look(record, vantage, await dns.resolve(record.fqdn, vantage))

    return await together(one(r, v) for v in vantages for r in records)


def checks_of(looks: Sequence[Look]) -> list[Check]:
    """A check for each lookup; of many, the wrong ones by name and the rest summed up.

    They are summed up for each endpoint and place, and where that too would be many, for each zone and place.
    """
    if len(looks) <= MOST_CHECKS:
        return [look.check() for look in looks]
    sums = _summed(looks, lambda r: r.endpoint or r.zone or "no zone")
    if len(sums) > MOST_CHECKS:
        sums = _summed(looks, lambda r: r.zone or "no zone")
    return [*(look.check() for look in looks if look.answer is not None and not look.is_private), *sums]


def _summed(looks: Sequence[Look], of: Callable[[Record], str]) -> list[Check]:
    kinds: dict[tuple[str, str], list[Look]] = {}
    for look in looks:
        kinds.setdefault((of(look.record), look.vantage), []).append(look)
    return [_sum(*kind, found) for kind, found in kinds.items()]


def _sum(kind: str, vantage: str, looks: Sequence[Look]) -> Check:
    name = f"{len(looks)} names of {kind} from {place(vantage)}"
    unseen = sum(look.answer is None for look in looks)
    wrong = sum(not look.is_private for look in looks) - unseen
    observed = f"{wrong} of {len(looks)} are something else" if wrong else "each its own"
    if unseen:
        observed = "not readable from here" if unseen == len(looks) else f"{observed}; {unseen} not readable from here"
    return expect(name, "each its own", observed, ok=not wrong)


def diagnosis(look: Look) -> str:
    """The likeliest cause of a wrong answer, in the order in which Microsoft's troubleshooting looks.

    Source: "Azure Private Endpoint DNS integration", Microsoft Learn, 2023-10-11; "Use Azure Private Link to connect
    servers to Azure Arc", 2026-05-04, troubleshooting.
    """
    answer = look.answer
    where = place(look.vantage)
    if answer is None or look.is_private:
        return ""
    if answer.status == "TIMEOUT" or answer.status == "SERVFAIL":
        return f"{where}: {answer.server or 'DNS'} does not answer ({answer.status}): is the forwarder reachable?"
    if answer.status == "NXDOMAIN" or not answer.addresses:
        return (
            f"{where}: {look.record.fqdn} does not exist there: a private zone without this record, or entries missing."
        )
    if any(is_private_address(a) for a in answer.addresses):
        return f"{where}: {look.record.fqdn} is {told(answer)}: another private address, old or of another endpoint."
    return f"{where}: {look.record.fqdn} is {told(answer)}, the public address: " + (
        "forward the public suffix, not the privatelink name, to a resolver in the network."
        if look.vantage == ON_PREMISES
        else "the zone link is missing, or the network's DNS servers do not forward to 168.63.129.16."
    )
