"""Says what is to become private, and in plain words what that means for clients and session hosts."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.step import Blocked, Satisfied, Step, StepContext, Verdict, expect
from steps.avd._names import GOALS, MEMBERS, Goal, words

SWAPPED = (
    "Two published PowerShell samples have EnabledForClientsOnly and EnabledForSessionHostsOnly swapped. "
    "EnabledForClientsOnly leaves the clients public; go by these words, not by the samples."
)
SHORTPATH = (
    "UDP is blocked over private link until the host pool opts in (Networking, Public access, Allow Direct UDP "
    "network path over Private Link). Azure accepts that only with RDP Shortpath for public networks off, both via "
    "STUN and via TURN; managed networks then work."
)

REFUSED = {
    ("Disabled", "Disabled"): "the feed does not refresh, and no session opens",
    ("Disabled", "Enabled"): "no session opens; the feed goes on showing what there is",
}
"""What must fail on a public client, by the access of host pools and of workspaces."""


class Target(Step):
    """One supported scenario. Nothing is read: it follows from what was chosen.

    Source: "Azure Private Link with Azure Virtual Desktop", Microsoft Learn, 2023-07-17 (scenarios) and its later copy
    (UDP); the preview article of 2022-12-06 (no RDP Shortpath); Azure/azure-policy,
    DVHostpool_PrivateNetworkPublicClient_Modify.json.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``udp`` is ``keep`` or ``drop``; ``edition`` lets the preview's limitation be told, and may be empty."""

        target: str
        udp: str
        edition: str = ""

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        goal = GOALS.get(p.target)
        if goal is None or p.udp not in ("keep", "drop"):
            return Blocked(
                "target-unknown",
                f"There is no scenario {p.target!r} with UDP {p.udp!r}.",
                (f"Start a run with target {', '.join(GOALS)} and udp keep or drop.",),
            )
        if p.udp == "keep" and goal.has_connections and p.edition == "preview" and not ctx.attested:
            return Blocked(
                "shortpath-unsupported",
                "The preview does not support RDP Shortpath together with private link, and this run is to keep it.",
                (
                    "Start a run with udp drop: sessions then use TCP.",
                    "Start a run with target none, or leave these host pools out.",
                    "If today's procedure applies here, start it with --edition ga.",
                ),
                attest="RDP Shortpath may stop working on these host pools; who decided",
            )
        return self._told(goal)

    def _told(self, goal: Goal) -> Satisfied:
        p = self.params
        pool, space = words("host_pool", goal.host_pool_access), words("workspace", goal.workspace_access)
        endpoints = ", ".join(f"{g} ({len(MEMBERS[g])} each)" for g in goal.groups) or "none"
        udp = _udp(p.udp, goal)
        checks = [
            expect("what becomes private", p.target, goal.title, ok=True),
            expect("endpoints and their addresses", "as the scenario needs", endpoints, ok=True),
            expect("public access of host pools, in words", goal.host_pool_access, pool, ok=True),
            expect("public access of workspaces, in words", goal.workspace_access, space, ok=True),
            expect("RDP Shortpath (UDP)", p.udp, udp, ok=True),
        ]
        if goal.has_connections:
            other = words("host_pool", "EnabledForSessionHostsOnly")
            checks.append(expect("not to be mistaken, in words", "EnabledForSessionHostsOnly", other, ok=True))
        meaning = {"host_pool": pool, "workspace": space, "target": goal.title, "endpoints": endpoints, "udp": udp}
        meaning["negative"] = REFUSED.get((goal.host_pool_access, goal.workspace_access), "nothing")
        outputs = {
            "host_pool_access": goal.host_pool_access,
            "workspace_access": goal.workspace_access,
            "connections": goal.has_connections,
            "feeds": goal.has_feeds,
            "global": goal.has_global,
            "words": meaning,
        }
        return Satisfied(checks, outputs, f"In the end {goal.title}. {SWAPPED}")


def _udp(udp: str, goal: Goal) -> str:
    if not goal.has_connections:
        return "not touched: there is no private link"
    if udp == "keep":
        return SHORTPATH
    return "given up: over private link sessions use TCP, unless a host pool has opted in already"
