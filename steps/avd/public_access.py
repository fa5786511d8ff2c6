"""Sets who may reach a host pool or workspace over public networks; closing looks first, opening is never silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Json
from runbook.step import Blocked, Change, Changes, Check, Diff, Poll, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.endpoints import connection_at_target, endpoint_of
from steps._shared.faces import in_context, word
from steps._shared.look import dig, find, name_of, properties, same
from steps._shared.lookups import diagnosis, look_up
from steps._shared.records import Record
from steps.avd._hosts import hosts_in, trouble
from steps.avd._names import ENABLED, PUBLIC_LEGS, WORDS, Kind, access_of, words

CAUSE: Final = "likely cause"
"""Name of the check that says why names do not resolve privately."""


class PublicAccess(Step):
    """``publicNetworkAccess`` of one object.

    Between the proof and the go hours may pass, so what closing stands on is looked at once more: the endpoint, both
    sides of its connection, its names, and the hosts where their leg closes. A place where nobody of ours can look
    from stands on the operator's word at the resolution node.

    Source: DesktopVirtualization 2024-04-03, host pool and workspace PATCH; "Azure Private Link with Azure Virtual
    Desktop", Microsoft Learn, 2023-07-17 (what each value does; the workspace of the global endpoint stays reachable).
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``host_pool`` is the pool whose hosts must be fit; empty for a workspace."""

        target: str
        access: str
        endpoint: str = ""
        records: tuple[Record, ...] = ()
        vantages: tuple[str, ...] = ()
        host_pool: str = ""

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        doc = await find(ctx.arm, p.target, versions.AVD)
        if doc is None:
            return Blocked("target-missing", f"There is no {p.target} any more.", ("Find out who removed it.",))
        if p.access not in WORDS[self._kind]:
            known = ", ".join(WORDS[self._kind])
            return Blocked(
                "access-unknown",
                f"{self._name} has no public network access {p.access!r}.",
                (f"Start a run with one of {known}.",),
            )
        before = access_of(doc)
        check = expect("public network access", p.access, before)
        means = expect("in words", words(self._kind, p.access), words(self._kind, before), ok=check.ok)
        notes = await self._notes(ctx, doc)
        if check.ok:
            return self._satisfied(ctx, (check, means, *notes))
        closing = PUBLIC_LEGS.get(before, set()) - PUBLIC_LEGS[p.access]
        if not closing:
            return Changes((self._set(before),), (check, means, *notes), self._title(before))
        proof = await self._proof(ctx, "session hosts" in closing)
        if broken := [c for c in proof if not c.ok]:
            return self._refuse(broken, (check, means, *notes, *proof))
        return Changes((self._set(before),), (check, means, *notes, *proof), self._title(before))

    @property
    def _kind(self) -> Kind:
        return "workspace" if "/workspaces/" in self.params.target.lower() else "host_pool"

    @property
    def _name(self) -> str:
        return name_of(self.params.target)

    def _title(self, before: str) -> str:
        legs = PUBLIC_LEGS[self.params.access] - PUBLIC_LEGS.get(before, set())
        deed = "Open" if legs else "Close"
        return f"{deed} public access of {self._name}: {before} becomes {self.params.access}"

    # ------------------------------------------------------------ before it closes

    async def _proof(self, ctx: StepContext, is_hosts_leg: bool) -> list[Check]:
        """What closing stands on, as it is now."""
        p = self.params
        if not p.endpoint:
            return [expect(f"private endpoint of {self._name}", "there", "none is planned for it")]
        doc = await find(ctx.arm, p.endpoint, versions.NETWORK)
        if doc is None:
            return [expect("endpoint", "Succeeded", None)]
        endpoint = endpoint_of(doc)
        other_side = await connection_at_target(ctx.arm, p.target, p.endpoint, versions.AVD)
        looks = await look_up(ctx.dns, p.records, p.vantages)
        checks = [
            expect("endpoint", "Succeeded", endpoint.state),
            expect("endpoint leads to", p.target, endpoint.target, ok=same(endpoint.target, p.target)),
            expect("connection, as the endpoint has it", "Approved", endpoint.connection),
            expect(f"connection, as {self._name} has it", "Approved", other_side),
            expect("names with a private address", "at least one", len(p.records), ok=bool(p.records)),
            *(look.check() if look.answer else _unseen(look.check()) for look in looks),
        ]
        checks += [expect(CAUSE, "none", text) for look in looks if (text := diagnosis(look))][:1]
        if is_hosts_leg and self._kind == "host_pool":
            checks += await self._hosts(ctx)
        return checks

    async def _hosts(self, ctx: StepContext) -> list[Check]:
        pool = self.params.host_pool or self.params.target
        hosts = await hosts_in(ctx.arm, pool, ctx.now_ms)
        wrong = [text for h in hosts if (text := trouble(h, ctx.now_ms))]
        up = len([h for h in hosts if not h.is_off])
        return [
            expect("session hosts that run", f"{up} of {up} fit", f"{up - len(wrong)} of {up} fit"),
            *(expect("session host", "Available, heartbeat fresh", text, ok=False) for text in wrong[:10]),
        ]

    def _refuse(self, broken: list[Check], checks: tuple[Check, ...]) -> Blocked:
        causes = [c.observed for c in broken if c.name == CAUSE]
        rest = [f"{c.name}: {c.observed} instead of {c.expected}" for c in broken if c.name != CAUSE]
        found = "; ".join(rest[:4]) + (f"; and {len(rest) - 4} more" if len(rest) > 4 else "")
        why = f" Likely cause: {'; '.join(causes)}." if causes else ""
        return Blocked(
            "proof-does-not-hold",
            f"{self._name} stays as open as it is: what closing stands on does not hold. {found}.{why}",
            (
                "Put it right; this looks again by itself.",
                f"Skip this node and leave {self._name} open to public networks.",
            ),
            checks,
            poll=Poll(first_s=60, longest_s=3600),
        )

    # ------------------------------------------------------------ the change and what is said

    def _set(self, before: str) -> Change:
        p = self.params
        return Change(
            title=self._title(before),
            method="PATCH",
            path=p.target,
            api_version=versions.AVD,
            body={"properties": {"publicNetworkAccess": p.access}},
            risk="disruptive",
            diff=(Diff("properties.publicNetworkAccess", before, p.access),),
            powershell=self._powershell(p.access),
            undo=(self._az(before), self._powershell(before)),
        )

    def _az(self, access: str) -> str:
        body = f'{{"properties":{{"publicNetworkAccess":"{access}"}}}}'
        return f"az rest --method patch --url '{self.params.target}?api-version={versions.AVD}' --body '{body}'"

    def _powershell(self, access: str) -> str:
        _, subscription, _, group, *_ = self.params.target.strip("/").split("/")
        cmdlet = "Update-AzWvdWorkspace" if self._kind == "workspace" else "Update-AzWvdHostPool"
        line = f"{cmdlet} -Name {word(self._name)} -ResourceGroupName {word(group)} -PublicNetworkAccess {access}"
        return in_context(subscription, line)

    async def _notes(self, ctx: StepContext, doc: Json) -> list[Check]:
        """What the value does not do: the workspace of the global endpoint stays reachable whatever it says."""
        if self._kind != "workspace" or self.params.access == ENABLED:
            return []
        groups = [
            group.lower()
            for connection in properties(doc).get("privateEndpointConnections") or ()
            for group in dig(connection, "properties", "groupIds") or ()
        ]
        if "global" not in groups:
            return []
        text = "this workspace carries the global endpoint: Azure ignores Disabled, and it stays reachable publicly"
        return [expect("global endpoint", "on a placeholder of its own", text, ok=True)]

    def _satisfied(self, ctx: StepContext, checks: tuple[Check, ...]) -> Satisfied:
        p = self.params
        titles = {a["title"] for a in ctx.applied}
        before = next((v for v in WORDS[self._kind] if v != p.access and self._title(v) in titles), p.access)
        undo = self._az(ENABLED if before == p.access else before)
        meaning = words(self._kind, p.access)
        text = f"{self._name} is {p.access}: {meaning}."
        if p.access != ENABLED:
            text += f" To open it again: {undo}"
        return Satisfied(checks, {"access": p.access, "before": before, "undo": [undo]}, text)


def _unseen(check: Check) -> Check:
    """A place where nobody of ours can stand: what the operator vouched for at the resolution node stands."""
    text = "not readable from here: the word given at the resolution node stands"
    return Check(check.name, check.expected, text, True)
