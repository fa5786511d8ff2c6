"""Waits until every session host that runs is fit again: Available, with a fresh heartbeat and no failed check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.step import Check, InProgress, Poll, Satisfied, Step, StepContext, Verdict, Waiting, expect
from steps._shared.look import name_of
from steps.avd._hosts import Host, hosts_in, trouble
from steps.avd._stock import few

MOST = 40
"""Hosts of which each has a line of its own on the screen."""
CALM_MS: Final = 5 * 60_000
"""So long after a restart a host that is not heard of is nothing to worry about. The number is ours."""
AGAIN_S: Final = 30.0
SILENT: Final = frozenset({"unavailable", "noheartbeat", "disconnected", "shutdown"})
"""Status words, lower case, of a host whose agent has not spoken yet."""


class SessionHosts(Step):
    """The hosts of one pool, as the service judges them. What is switched off is named and does not count.

    A host that stays unfit cannot be talked away; the ways out are to put it right or to switch it off.

    Source: DesktopVirtualization 2024-04-03, session hosts; "Troubleshoot session hosts", Microsoft Learn.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``not_before_ms`` is when the agents were restarted: a heartbeat must be younger."""

        host_pool: str
        not_before_ms: int | None = None

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        hosts = await hosts_in(ctx.arm, p.host_pool, ctx.now_ms)
        wrong = {h.id: text for h in hosts if (text := trouble(h, ctx.now_ms, p.not_before_ms))}
        off, shut = [h for h in hosts if h.is_off], [h for h in hosts if not h.allows]
        up = len(hosts) - len(off)
        checks = [expect("hosts that run", f"{up} of {up} fit", f"{up - len(wrong)} of {up} fit")]
        shown = hosts if len(hosts) <= MOST else [h for h in hosts if h.id in wrong][:MOST]
        checks += [_check(h, wrong.get(h.id, "")) for h in shown]
        if off:
            checks.append(expect("hosts that are off", "start with their agent", [h.name for h in off], ok=True))
        if shut:
            checks.append(expect("hosts that take no new sessions", "known", [h.name for h in shut], ok=True))
        if not wrong:
            return Satisfied(checks, {"available": up, "total": len(hosts)}, f"{up} of {up} running hosts are fit.")
        if self._are_starting([h for h in hosts if h.id in wrong], ctx.now_ms):
            names = few([h.name for h in hosts if h.id in wrong])
            summary = f"Not heard of since the restart yet: {names}. That usually takes a minute or two."
            return InProgress(summary, AGAIN_S, checks)
        first = "; ".join([*wrong.values()][:4])
        more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        return Waiting(
            who=f"the session hosts of {name_of(p.host_pool)}",
            message=f"{first}{more}. A host usually comes back a few minutes after its agent was restarted. One that "
            "is broken for another reason can be switched off: it does not count then.",
            then="What stands on fit hosts, such as closing public access, follows.",
            poll=Poll(first_s=30, longest_s=600),
            checks=checks,
        )

    def _are_starting(self, wrong: list[Host], now_ms: int) -> bool:
        """Whether hosts are only not heard of since a restart that was moments ago."""
        restarted_ms = self.params.not_before_ms
        if restarted_ms is None or now_ms - restarted_ms > CALM_MS:
            return False
        return all(h.status.lower() in SILENT or _is_older(h, restarted_ms) for h in wrong)


def _is_older(host: Host, at_ms: int) -> bool:
    """Whether all that is wrong with a host is that its last heartbeat is older."""
    is_fit = host.status.lower() == "available" and not host.failed
    return is_fit and (host.heartbeat_ms or 0) < at_ms


def _check(host: Host, wrong: str) -> Check:
    seen = host.power if host.is_off else wrong.removeprefix(f"{host.name}: ").removeprefix(f"{host.name} is ")
    return expect(host.name, "Available, heartbeat fresh", seen or "Available, heartbeat fresh", ok=not wrong)
