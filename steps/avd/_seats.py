"""Where each session host stands in a restart, worked out from what is read and what this run did. Pure.

A host that this run drained is known by this run's own journal: the drain was sent, and no opening after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from runbook.core.docs import RefusedDoc
from runbook.step import Change, StepContext
from steps.avd._hosts import Host
from steps.avd._restart import LATE_MS, Ran, admit, restart_loader, restart_machine

State = Literal["off", "private", "done", "needed", "running", "failed"]
"""``private``: it uses the endpoint without a restart."""


@dataclass(frozen=True)
class Past:
    """What this run did at this node, in order."""

    ctx: StepContext

    @cached_property
    def sent(self) -> dict[str, tuple[int, int]]:
        """Number and time of each change's last sending, by digest, one whose answer is not known included."""
        found = {a["digest"]: (a["seq"], a["at_ms"]) for a in self.ctx.applied}
        if (doubt := self.ctx.in_doubt) is not None:
            found[doubt["digest"]] = (doubt["seq"], doubt["at_ms"])
        return found

    @cached_property
    def refused(self) -> dict[str, RefusedDoc]:
        return {r["digest"]: r for r in self.ctx.refused}

    def is_in_doubt(self, change: Change) -> bool:
        return self.ctx.in_doubt is not None and self.ctx.in_doubt["digest"] == change.digest

    def has_begun(self, host: Host) -> bool:
        """Whether this run drained the host, or restarted its machine."""
        return any(c.digest in self.sent for c in (admit(host, False), restart_machine(host)))

    def has_drained(self, host: Host) -> bool:
        """Whether the host is closed to new sessions because this run closed it."""
        drain, opening = admit(host, False), admit(host, True)
        drained = self.sent.get(drain.digest, (0, 0))[0]
        # An opening without an answer did not take effect, or the host would not be closed.
        opened = 0 if self.is_in_doubt(opening) else self.sent.get(opening.digest, (0, 0))[0]
        return not host.allows and drained > opened


@dataclass(frozen=True, slots=True)
class Seat:
    """One host in the restart.

    Attributes:
        said: what it came to, in words.
        call: the restart to send next.
        calls: digests of every restart and opening of it so far and next.
        broke: number of the entry in which its restart went wrong; 0 when none did.
        is_ours: whether this run drained it and has not opened it again.
    """

    host: Host
    state: State
    said: str
    call: Change
    calls: frozenset[str]
    broke: int = 0
    is_ours: bool = False

    @property
    def drain(self) -> Change:
        return admit(self.host, False)

    @property
    def opening(self) -> Change:
        return admit(self.host, True)


def seat(host: Host, past: Past, method: str, mark: str, ran: Ran | None) -> Seat:
    """Where a host stands. ``ran`` is its run command for this endpoint, where the method is ``loader``."""
    if method == "vm":
        return _settled(host, past, _by_machine(host, past))
    state, said, attempt, broke = _by_loader(host, past, mark, ran)
    calls = [restart_loader(host, mark, n) for n in range(1, attempt + 1)]
    return _settled(host, past, (state, said, calls, broke))


def as_private(s: Seat) -> Seat:
    """The same host, which is heard of although its pool refuses it over public networks."""
    said = "no restart needed: public access is closed to it and it reports itself, so it uses the endpoint"
    return replace(s, state="private", said=said)


def _by_loader(host: Host, past: Past, mark: str, ran: Ran | None) -> tuple[State, str, int, int]:
    if host.is_off:
        return "off", f"{host.power}: its agent starts with the machine", ran.attempt if ran else 1, 0
    if ran is None:
        return "needed", "not restarted for this endpoint yet", 1, 0
    if ran.state == "ok":
        return "done", ran.said, ran.attempt, 0
    sent, sent_ms = past.sent.get(restart_loader(host, mark, ran.attempt).digest, (0, 0))
    if ran.state == "running":
        began_ms = sent_ms or ran.began_ms or past.ctx.now_ms
        if past.ctx.now_ms - began_ms <= LATE_MS:
            return "running", ran.said, ran.attempt, 0
        said = f"{ran.said}, for more than {LATE_MS // 60_000} minutes"
    else:
        said = ran.said
    if sent > past.ctx.retried:
        return "failed", said, ran.attempt, sent
    return "needed", f"to be restarted again: {said}", ran.attempt + 1, 0


def _by_machine(host: Host, past: Past) -> tuple[State, str, list[Change], int]:
    call = restart_machine(host)
    if any(a["digest"] == call.digest for a in past.ctx.applied):
        if host.power in ("starting", "stopping"):
            return "running", f"restarted, {host.power}", [call], 0
        return "done", "restarted by this run", [call], 0
    if host.is_off:
        return "off", f"{host.power}: its agent starts with the machine", [call], 0
    return "needed", "not restarted by this run yet", [call], 0


def _settled(host: Host, past: Past, found: tuple[State, str, Sequence[Change], int]) -> Seat:
    state, said, calls, broke = found
    drain, opening, is_ours = admit(host, False), admit(host, True), past.has_drained(host)
    tried = [drain] if state == "needed" and host.allows else []
    tried += calls if state in ("needed", "failed") else []
    tried += [opening] if is_ours else []
    for change in tried:
        if (no := past.refused.get(change.digest)) is not None:
            state, broke = "failed", no["seq"]
            said = f"Azure refused “{change.title}”: {no['code']}, {no['message']}"
    made = frozenset({*(c.digest for c in calls), opening.digest})
    return Seat(host, state, said, calls[-1], made, broke, is_ours)


# ---------------------------------------------------------------- words


def split(hosts: Sequence[Host], percent: int) -> list[list[Host]]:
    """The waves: that share of the hosts at a time, at least one."""
    size = max(1, len(hosts) * percent // 100)
    return [list(hosts[at : at + size]) for at in range(0, len(hosts), size)]


@dataclass(frozen=True, slots=True)
class Words:
    """Which of the operator's words answered which question; told by what had happened before each."""

    settled: dict[str, int]
    """By host id, the word that says its agent was restarted by hand."""
    rest: tuple[int, ...]

    @classmethod
    def of(cls, past: Past, seats: Iterable[Seat], *, is_first_taken: bool) -> Words:
        """``is_first_taken``: the first word was about hosts that nobody here can reach."""
        words = [w["seq"] for w in past.ctx.attested][1 if is_first_taken else 0 :]
        settled: dict[str, int] = {}
        for s in seats:
            if s.broke and (word := next((w for w in words if w > s.broke), 0)):
                settled[s.host.id] = word
        return cls(settled, tuple(w for w in words if w not in settled.values()))

    def cover(self, past: Past, wave: Sequence[Seat]) -> bool:
        """Whether a word lets the restarts of this wave go on in spite of sessions: one given after its drain."""
        own = frozenset[str]().union(*(s.calls for s in wave))
        begun = max((a["seq"] for a in past.ctx.applied if a["digest"] not in own), default=0)
        return any(w > begun for w in self.rest)
