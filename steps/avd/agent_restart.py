"""Restarts the agent loader on the session hosts of one pool, in waves, and leaves every host as it found it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

from runbook.core.arm import Reader
from runbook.core.together import together
from runbook.step import (
    Blocked,
    Change,
    Changes,
    Check,
    InProgress,
    Poll,
    Satisfied,
    Step,
    StepContext,
    Verdict,
    Waiting,
    expect,
)
from steps._shared.look import group_of, name_of, said
from steps._shared.records import Record
from steps._shared.rights import holds
from steps.avd._hosts import Host, hosts_in
from steps.avd._restart import admit, identity
from steps.avd._seats import Past, Seat, Words, seat
from steps.avd._waves import Rounds

UNKNOWN = "Whether restarting the loader ends sessions is not documented (unconfirmed); restarting the machine does."
ACTIONS: Final = {
    "loader": "Microsoft.Compute/virtualMachines/runCommands/write",
    "vm": "Microsoft.Compute/virtualMachines/restart/action",
}
"""By method, the right that the restart of a machine needs."""
AGAIN_S: Final = 15.0
"""Between looks at scripts that run."""
MOST: Final = 40
"""Hosts of which each has a line of its own on the screen."""


class AgentRestart(Step):
    """Drain a wave, restart its agents, open its hosts again, and only then the next wave.

    A restart that goes wrong stops the line: every host that this run drained is opened again first, then the operator
    is asked. The same holds after a refusal, and after a crash, because who was drained stands in the run's journal.

    Source: "Set up Private Link with Azure Virtual Desktop", Microsoft Learn, 2023-07-17 (restart after the endpoint or
    its network changed); DesktopVirtualization 2024-04-03; Compute 2024-03-01.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``endpoint`` and ``records`` say what the restart is for; ``sessions`` whether to wait for users to leave."""

        host_pool: str
        endpoint: str
        records: tuple[Record, ...]
        method: Literal["loader", "vm"] = "loader"
        wave_percent: int = 50
        sessions: Literal["wait", "go_on"] = "wait"

    params: Params
    tidies: ClassVar[bool] = True

    async def observe(self, ctx: StepContext) -> Verdict:
        p, past = self.params, Past(ctx)
        hosts = await hosts_in(ctx.arm, p.host_pool, ctx.now_ms)
        rounds = Rounds(ctx, past, p.host_pool, p.endpoint, p.method, identity(p.endpoint, p.records))
        has_strangers = any(not (h.is_off or h.is_running) for h in hosts)

        def is_under_way(wave: Sequence[Seat]) -> bool:
            return _is_under_way(wave, Words.of(past, wave, is_first_taken=has_strangers and bool(ctx.attested)), past)

        waves = await rounds.read([h for h in hosts if h.is_running], p.wave_percent, is_under_way)
        hosts = [replace(h, power="") if h.id in rounds.hidden else h for h in hosts]
        unseen = [h for h in hosts if not (h.is_off or h.is_running)]
        is_first_taken = bool(unseen and ctx.attested)
        rest = [seat(h, past, p.method, rounds.mark, None) for h in hosts if h.is_off]
        seats = [s for wave in waves for s in wave] + rest
        words = Words.of(past, seats, is_first_taken=is_first_taken)
        checks = self._checks(ctx, hosts, seats, unseen, words, rounds.over)
        # A machine that went down, or out of sight, while its host was drained is not waited for.
        freed = [admit(h, True) for h in hosts if not h.is_running and past.has_drained(h)]
        if back := [c for c in freed if c.digest not in past.refused]:
            return Changes([*back, *_in_doubt(past, seats)], checks)
        if unseen and not is_first_taken:
            return self._ask(hosts, unseen)
        if broken := [s for s in seats if s.state == "failed" and s.host.id not in words.settled]:
            return self._stop(past, seats, broken, checks)
        todo = [wave for wave in waves if any(_has_work(s, words, past) for s in wave)]
        if todo and not ctx.applied and (lacking := await self._lacking(ctx.arm, todo)):
            return self._refuse(ctx, lacking, checks)
        if todo:
            return self._go_on(past, todo, words, checks)
        return self._done(past, hosts, seats, unseen, checks)

    # ------------------------------------------------------------ rights

    async def _lacking(self, arm: Reader, todo: Sequence[Sequence[Seat]]) -> list[str]:
        """Where the restart of machines would be refused: some machines, or their resource groups if it is all."""
        action = ACTIONS[self.params.method]
        machines = [s.host.vm for wave in todo for s in wave if s.state == "needed"]
        held = await together(holds(arm, action, vm) for vm in machines)
        lacking = [vm for vm, is_held in zip(machines, held, strict=True) if not is_held]
        return lacking if any(held) else list({group_of(vm).lower(): group_of(vm) for vm in lacking}.values())

    def _refuse(self, ctx: StepContext, lacking: Sequence[str], checks: Sequence[Check]) -> Blocked:
        action = ACTIONS[self.params.method]
        return Blocked(
            "restart-right-missing",
            f"{ctx.run.account} lacks {action} on {', '.join(lacking)}, where the machines of "
            f"{name_of(self.params.host_pool)} are. No host was touched.",
            (
                "Have an owner assign a role that holds it there (Virtual Machine Contributor does), sign in again so "
                "that the token knows it, then retry.",
                "Restart RDAgentBootLoader on every host of this pool by hand and skip this node.",
            ),
            [*checks, *(expect(f"{action} on {g}", "held", "missing") for g in lacking)],
        )

    # ------------------------------------------------------------ what to do

    def _go_on(self, past: Past, todo: list[list[Seat]], words: Words, checks: list[Check]) -> Verdict:
        """What the first wave with work needs: what can be done now before what must wait for it."""
        wave = todo[0]
        may_cut = self.params.sessions == "go_on" or words.cover(past, wave)
        ready: list[Change] = []
        later: list[Change] = []
        busy: list[Seat] = []
        needed = [s for s in wave if s.state == "needed"]
        ready += [s.drain for s in needed if s.host.allows]
        for s in needed:
            if s.host.sessions and not (may_cut or s.host.allows or past.is_in_doubt(s.call)):
                busy.append(s)
            (later if s.host.allows or s in busy else ready).append(s.call)
        for s in wave:
            if s.is_ours and s.opening.digest not in past.refused:
                (ready if _is_over(s, words) else later).append(s.opening)
            elif s.state == "needed" and s.host.allows:
                later.append(s.opening)
        if not ready:
            return self._wait(wave, busy, checks)
        changes = [*ready, *later]
        if not _is_under_way(wave, words, past):
            changes += [c for following in todo[1:] for c in _whole(following)]
        summary = f"{ready[0].title}.{_rest_of(wave)} {UNKNOWN}"
        return Changes(changes, checks, summary)

    def _wait(self, wave: list[Seat], busy: list[Seat], checks: list[Check]) -> Verdict:
        if running := [s for s in wave if s.state == "running"]:
            return InProgress(f"Restarting the agent on {_names(running)}: {running[0].said}.", AGAIN_S, checks)
        sessions = ", ".join(f"{s.host.name} ({s.host.sessions})" for s in busy)
        return Waiting(
            who=f"the users on {name_of(self.params.host_pool)}",
            message=f"Sessions are still open on {sessions}. These hosts take no new ones. Ask the users to sign out; "
            f"this looks again by itself. {UNKNOWN}",
            then="A host without sessions is restarted and takes new sessions again.",
            poll=Poll(first_s=300, factor=1.0, longest_s=300),
            attest=f"The sessions on {_names(busy)} may be cut off: who agreed",
            checks=checks,
        )

    def _stop(self, past: Past, seats: list[Seat], broken: list[Seat], checks: list[Check]) -> Verdict:
        """Open again what this run drained, then ask."""
        openings = [s.opening for s in seats if s.is_ours and s.state != "running"]
        back = [c for c in openings if c.digest not in past.refused]
        if back := [*back, *_in_doubt(past, seats)]:
            return Changes(
                back, checks, f"{broken[0].host.name}: {broken[0].said}. First every drained host is opened."
            )
        if running := [s for s in seats if s.state == "running"]:
            return InProgress(f"{_names(running)}: {running[0].said}; {_names(broken)} went wrong.", AGAIN_S, checks)
        shut = [s.host.name for s in seats if s.is_ours]
        closed = f" {', '.join(shut)} could not be opened again and takes no new sessions." if shut else ""
        return Blocked(
            "restart-failed",
            f"{'; '.join(f'{s.host.name}: {s.said}'.rstrip('.') for s in broken)}.{closed} "
            f"{'' if shut else 'Every host that this run drained takes new sessions again. '}"
            "No further host is touched.",
            (
                f"Look at {_names(broken)}: services, event log, the VM agent. Then retry: it runs again there.",
                "Restart RDAgentBootLoader there by hand, see that it is Running, and attest it."
                + (" Open the host to new sessions by hand, too." if shut else ""),
            ),
            checks,
            attest=f"RDAgentBootLoader was restarted by hand on {_names(broken)} and is Running",
            failed={s.call.digest: s.said for s in broken if s.call.digest in past.sent},
        )

    def _ask(self, hosts: list[Host], unseen: list[Host]) -> Verdict:
        names = ", ".join(h.name for h in unseen)
        return Waiting(
            who=f"you, at {names}",
            message=f"The service names no Azure virtual machine for {names}, or Compute does not list it, so nothing "
            "can be run there from here (another cloud, Azure Arc, or no right to read the machine). Restart "
            "RDAgentBootLoader on each, at a time that suits its users.",
            then="With your word the other hosts of the pool follow.",
            poll=Poll(first_s=300, longest_s=3600),
            attest=f"RDAgentBootLoader on {names} was restarted by hand and is Running",
            checks=[expect(h.name, "a running virtual machine", h.told, ok=h not in unseen) for h in hosts[:MOST]],
        )

    # ------------------------------------------------------------ what is said

    def _checks(
        self,
        ctx: StepContext,
        hosts: Sequence[Host],
        seats: Sequence[Seat],
        unseen: Sequence[Host],
        words: Words,
        over: Collection[str],
    ) -> list[Check]:
        known = {s.host.id: s for s in seats}
        checks = []
        for host in hosts:
            s = known.get(host.id)
            if host in unseen:
                text = f"{host.told}; by hand" + (f", {said(ctx.attested[0])}" if ctx.attested else "")
            elif host.id in over:
                text = f"{host.told}; restarted before, read again at the end"
            elif s is None:
                text = f"{host.told}; its wave comes later"
            elif host.id in words.settled:
                word = next(w for w in ctx.attested if w["seq"] == words.settled[host.id])
                text = f"{host.told}; by hand, {said(word)}"
            else:
                text = f"{host.told}; {s.said}" + (", drained by this run" if s.is_ours else "")
            is_open = s is not None and _has_work(s, words, Past(ctx))
            check = expect(host.name, "restarted for this endpoint", text, ok=not is_open)
            is_later = s is None and host not in unseen and host.id not in over
            checks.append(replace(check, later=is_later))
        if len(checks) <= MOST:
            return checks
        open_ = [c for c in checks if not c.ok]
        total = expect("hosts", "restarted for this endpoint", f"{len(checks)}, {len(open_)} to do", ok=not open_)
        return [total, *open_[:MOST]]

    def _done(
        self,
        past: Past,
        hosts: Sequence[Host],
        seats: Sequence[Seat],
        unseen: Sequence[Host],
        checks: Sequence[Check],
    ) -> Satisfied:
        off = [s.host for s in seats if s.state == "off"]
        private = [s.host for s in seats if s.state == "private"]
        done = [s for s in seats if s.state not in ("off", "private")]
        made = [past.sent[s.call.digest][1] for s in done if s.call.digest in past.sent]
        closed = [h for h in hosts if not h.allows]
        count = len(done) + len(unseen)
        text = f"{count}, {len(off)} off" + (f", {len(private)} private already" if private else "")
        rest = [expect("hosts of the pool", "restarted, or off", text, ok=True)]
        if closed:
            names = ", ".join(h.name for h in closed)
            rest.append(expect("hosts that take no new sessions", "as before this run", names, ok=True))
        summary = f"The agent of {count} host{' was' if count == 1 else 's was'} restarted for this endpoint."
        if private:
            summary += f" {len(private)} use it already and were left alone."
        return Satisfied(
            (*checks, *rest),
            {
                "hosts": [h.id for h in hosts],
                "restarted": count,
                "private": len(private),
                "deallocated": len(off),
                "closed_before": [h.id for h in closed],
                "restarted_ms": max(made, default=None),
            },
            summary + _off_words(len(off)),
        )


def _off_words(count: int) -> str:
    match count:
        case 0:
            return ""
        case 1:
            return " One machine is off; its agent starts with it."
        case _:
            return f" {count} machines are off; their agents start with them."


def _rest_of(wave: Sequence[Seat]) -> str:
    """The hosts of a wave, where it is more than the one that was just named."""
    return f" In this wave: {_names(wave)}." if len(wave) > 1 else ""


def _is_over(s: Seat, words: Words) -> bool:
    return s.state in ("done", "off", "private") or s.host.id in words.settled


def _has_work(s: Seat, words: Words, past: Past) -> bool:
    """Whether anything is left to do for a host; one that could not be opened again is the operator's by now."""
    is_shut = s.is_ours and s.opening.digest not in past.refused
    return is_shut or (s.state in ("needed", "running", "failed") and s.host.id not in words.settled)


def _is_under_way(wave: Sequence[Seat], words: Words, past: Past) -> bool:
    """Whether something of this run would stay half done if it were left now."""
    return any(_has_work(s, words, past) and (s.is_ours or s.state in ("running", "failed")) for s in wave)


def _in_doubt(past: Past, seats: Sequence[Seat]) -> list[Change]:
    """A restart that cannot be read back and has no answer is named while it may be wanted: else it passed for made."""
    never = [s for s in seats if s.state == "needed" and s.call.repeat == "never"]
    return [s.call for s in never if past.is_in_doubt(s.call)]


def _whole(wave: Sequence[Seat]) -> list[Change]:
    """Everything that a wave which has not begun will need."""
    needed = [s for s in wave if s.state == "needed"]
    shut = [s for s in needed if s.host.allows]
    return [*(s.drain for s in shut), *(s.call for s in needed), *(s.opening for s in shut)]


def _names(seats: Sequence[Seat]) -> str:
    return ", ".join(s.host.name for s in seats)
