"""RDP Shortpath over private link: found, and opted in to where it is to stay and Azure can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from runbook.core.arm import Json, Reader
from runbook.core.error import Refused
from runbook.step import Blocked, Change, Changes, Check, Diff, Satisfied, Step, StepContext, Verdict, Waiting, expect
from steps._shared import versions
from steps._shared.look import find, name_of, properties, said
from steps._shared.providers import read_provider
from steps.avd._names import NAMESPACE, access_of

OPT_IN: Final = "allowRDPShortPathWithPrivateLink"
PUBLIC: Final = ("publicUDP", "relayUDP")
"""RDP Shortpath for public networks: via STUN, via TURN. Azure accepts the opt-in only with both Disabled."""
PRIVATE: Final = ("directUDP", "managedPrivateUDP")
SINCE: Final = "2025"
"""The properties are known to preview api-versions from this year on, and not to 2024-04-03."""
TRIES: Final = 6
"""How many api-versions are tried, the newest first."""
FITTING: Final = ("Disabled", "EnabledForClientsOnly")
BLOCKED: Final = "UDP is blocked over private link, and sessions fall back to TCP"


class Shortpath(Step):
    """One host pool's UDP, once its connections are private.

    Which api-version knows the properties is found out: the provider lists its versions, and the pool as the newest of
    them answers tells whether they are there.

    Source: "Azure Private Link with Azure Virtual Desktop", Microsoft Learn, later copy (opt-in, STUN and TURN off);
    DesktopVirtualization preview versions of 2025 (names of the properties).
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``access`` is the ``publicNetworkAccess`` that the pool ends up with."""

        host_pool: str
        udp: Literal["keep", "drop"]
        access: str

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        pool = await find(ctx.arm, p.host_pool, versions.AVD)
        if pool is None:
            return Blocked("host-pool-missing", f"There is no host pool {p.host_pool}.", ("Find out who removed it.",))
        if p.access == "Enabled":
            text = "not touched: public access stays open, and private link does not stand in the way"
            return _said(expect("RDP Shortpath (UDP)", p.udp, text, ok=True), "")
        version, known = await self._newest(ctx.arm)
        values = {name: str(properties(known).get(name) or "Default") for name in (OPT_IN, *PUBLIC, *PRIVATE)}
        if p.udp == "drop":
            is_in = bool(version) and values[OPT_IN] == "Enabled"
            text = "this pool has opted in already: UDP stays possible" if is_in else BLOCKED
            checks = _values(values) if version else []
            return Satisfied(
                (expect("RDP Shortpath (UDP)", "given up", text, ok=True), *checks), {"version": version}, f"{text}."
            )
        if p.access not in FITTING:
            return Blocked(
                "shortpath-not-offered",
                f"{name_of(p.host_pool)} is to end up with publicNetworkAccess {p.access}, and UDP over private link "
                f"is offered only with {' or '.join(FITTING)}.",
                ("Start a run with udp drop.", "Choose another target."),
            )
        return self._opted(version, values, access_of(pool)) if version else self._by_hand(ctx)

    async def _newest(self, arm: Reader) -> tuple[str, Json | None]:
        """The newest listed api-version that answers with the property, and the pool as it shows it."""
        provider = await read_provider(arm, self.params.host_pool.split("/")[2], NAMESPACE)
        listed = (provider.find_type("hostpools") or {}).get("apiVersions") or ()
        for version in sorted((v for v in listed if v >= SINCE), reverse=True)[:TRIES]:
            try:
                pool = await find(arm, self.params.host_pool, version)
            except Refused as refused:
                if refused.status != 400:  # 400: listed, but not served for this type or here
                    raise
                continue
            if OPT_IN in properties(pool):
                return version, pool
        return "", None

    def _opted(self, version: str, values: dict[str, str], access: str) -> Verdict:
        wanted = {OPT_IN: "Enabled", **dict.fromkeys(PUBLIC, "Disabled")}
        checks = [*(expect(name, want, values[name]) for name, want in wanted.items()), *_values(values, PRIVATE)]
        checks.append(expect("public access at this moment", self.params.access, access, ok=True))
        if all(values[name] == want for name, want in wanted.items()):
            return Satisfied(checks, {"version": version}, "UDP over private link is allowed for this host pool.")
        on = [name for name in PUBLIC if values[name] != "Disabled"]
        conflict = f" {' and '.join(on)} must be Disabled for it: clients outside lose UDP." if on else ""
        change = Change(
            title=f"Allow UDP over private link on {name_of(self.params.host_pool)}"
            + (", and switch RDP Shortpath for public networks off" if on else ""),
            method="PATCH",
            path=self.params.host_pool,
            api_version=version,
            body={"properties": wanted},
            risk="disruptive" if on else "safe",
            diff=tuple(
                Diff(f"properties.{name}", values[name], want) for name, want in wanted.items() if values[name] != want
            ),
            by_hand=PORTAL,
        )
        return Changes((change,), checks, f"{change.title}.{conflict}")

    def _by_hand(self, ctx: StepContext) -> Verdict:
        pool = name_of(self.params.host_pool)
        if ctx.attested:
            return _said(expect("UDP over private link", "allowed", said(ctx.attested[-1]), ok=True), "")
        return Waiting(
            who="you, in the portal",
            message=f"No api-version that Azure lists here shows the property that allows UDP over private link on "
            f"{pool}. Until somebody allows it in the portal, {BLOCKED}.",
            then="The run goes on with your word; the connection bar of a session tells whether it uses UDP.",
            draft=f"Host pool {pool}:\n{PORTAL}",
            attest=f"Direct UDP over private link was allowed on {pool} in the portal, STUN and TURN being off",
        )


PORTAL: Final = (
    "In the portal: RDP Shortpath tab of the host pool: switch RDP Shortpath for public networks via STUN and via TURN "
    "off, save.\nThen Networking, Public access: keep the chosen option (public for end users and private for session "
    "hosts, or public access disabled), tick Allow Direct UDP network path over Private Link, save."
)


def _values(values: dict[str, str], names: tuple[str, ...] = (OPT_IN, *PUBLIC, *PRIVATE)) -> list[Check]:
    return [expect(name, "shown as it is", values[name], ok=True) for name in names]


def _said(check: Check, version: str) -> Satisfied:
    return Satisfied((check,), {"version": version}, check.observed)
