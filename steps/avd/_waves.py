"""Reading the waves of a restart: run commands, machines, and whether a pool shows by itself that hosts are private.

Only what the next act stands on is read: the waves up to the one under way, and a machine only where its restart is
still to be built. A look at a pool of ten hosts then costs a list and some ten reads, however large the estate is.

Source: "Azure Private Link with Azure Virtual Desktop", Microsoft Learn, 2023-07-17 (what ``publicNetworkAccess``
refuses); Compute 2024-03-01, run commands carry the region of their machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from runbook.core.arm import Reader
from runbook.core.together import together
from runbook.step import StepContext
from steps._shared import versions
from steps._shared.look import dig, find, same
from steps.avd._hosts import Host, region_of
from steps.avd._names import ENABLED, PUBLIC_LEGS, access_of
from steps.avd._restart import Ran, read_run
from steps.avd._seats import Past, Seat, as_private, seat, split


@dataclass
class Rounds:
    """The restart of one pool's hosts, as it is read wave by wave.

    Attributes:
        hidden: ids of hosts whose machine Compute does not show, of those whose restart was to be built.
        over: ids of hosts in waves that are finished and were not read this time.
    """

    ctx: StepContext
    past: Past
    host_pool: str
    endpoint: str
    method: str
    mark: str
    hidden: set[str] = field(default_factory=set)
    over: set[str] = field(default_factory=set)
    _is_private: bool | None = None

    async def read(
        self, running: Sequence[Host], percent: int, is_under_way: Callable[[Sequence[Seat]], bool]
    ) -> list[list[Seat]]:
        """The waves, read one after the other up to the one under way: later ones are not needed before their turn.

        Earlier ones were finished when this run began a later one; they are read again once none is under way.
        """
        split_ = split(running, percent)
        first = self._begun(split_)
        waves: list[list[Seat]] = []
        left = {h.id for h in running if self.past.has_drained(h)}
        for wave in split_[first:]:
            waves.append(await self._wave(wave))
            left -= {h.id for h in wave}
            if not left and is_under_way(waves[-1]):
                self.over = {h.id for before in split_[:first] for h in before}
                return waves
        return [*[await self._wave(wave) for wave in split_[:first]], *waves]

    def _begun(self, waves: Sequence[Sequence[Host]]) -> int:
        """The last wave in which this run sent something, or the first with a host that it drained and left.

        The first of all where a word or a refusal has to find its host.
        """
        if self.ctx.attested or self.ctx.refused or self.ctx.retried:
            return 0
        begun = [at for at, wave in enumerate(waves) if any(self.past.has_begun(h) for h in wave)]
        drained = [at for at, wave in enumerate(waves) if any(self.past.has_drained(h) for h in wave)]
        return min([max(begun, default=0), *drained])

    async def _wave(self, wave: Sequence[Host]) -> list[Seat]:
        is_read = self.method == "loader"
        runs = await together(self._run(h) for h in wave) if is_read else [None] * len(wave)
        seats = [self._seat(h, ran) for h, ran in zip(wave, runs, strict=True)]
        for at, s in enumerate(seats):
            if s.state == "needed" and not s.is_ours and s.host.reports(self.ctx.now_ms) and await self._is_closed():
                seats[at] = as_private(s)
        lost = [at for at, s in enumerate(seats) if s.state == "needed" and not s.host.location]
        regions = await together(region_of(self.ctx.arm, wave[at].vm) for at in lost)
        for at, location in zip(lost, regions, strict=True):
            seats[at] = self._seat(replace(wave[at], location=location), runs[at])
        self.hidden |= {wave[at].id for at, location in zip(lost, regions, strict=True) if not location}
        return [s for s in seats if s.host.id not in self.hidden]

    async def _run(self, host: Host) -> Ran | None:
        return await read_run(self.ctx.arm, host.vm, self.mark)

    def _seat(self, host: Host, ran: Ran | None) -> Seat:
        known = host if ran is None or host.location else replace(host, location=ran.location)
        return seat(known, self.past, self.method, self.mark, ran)

    async def _is_closed(self) -> bool:
        if self._is_private is None:
            self._is_private = await refuses_public_hosts(self.ctx.arm, self.host_pool, self.endpoint)
        return self._is_private


async def refuses_public_hosts(arm: Reader, pool: str, endpoint: str) -> bool:
    """Whether hosts of a pool can reach the service over this endpoint alone: a host that is heard of then uses it."""
    doc = await find(arm, pool, versions.AVD)
    if "session hosts" in PUBLIC_LEGS.get(access_of(doc), PUBLIC_LEGS[ENABLED]):
        return False
    links = await arm.list(f"{pool}/privateEndpointConnections", versions.AVD)
    approved = [
        str(dig(link, "properties", "privateEndpoint", "id") or "")
        for link in links
        if str(dig(link, "properties", "privateLinkServiceConnectionState", "status") or "").lower() == "approved"
    ]
    return bool(approved) and all(same(a, endpoint) for a in approved)
