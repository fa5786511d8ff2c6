"""``verify --watch``: look again and again, and tell only what became otherwise.

Invariant: no two looks are closer than ``SHORTEST_S``, and what is told in one round is not told again in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runbook.cli.exits import Exit
from runbook.core.error import RunbookError
from runbook.wiring.verify import Verified

SHORTEST_S: Final = 30.0
"""ARM grants about 25 reads a second to a sign-in; a watch must not use up what others need."""
JITTER: Final = 0.1
"""Each pause is longer by up to this part of itself, so that watchers that began together drift apart."""

Troubles = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Round:
    """One look of a watch. ``error`` is why there was none."""

    found: Verified | None
    error: RunbookError | None = None


def watch(
    look: Callable[[], Verified],
    verdict: Callable[[Verified], Exit],
    told: Callable[[Round, Sequence[str]], None],
    sleep: Callable[[float], None],
    part: Callable[[], float],
    interval_s: float,
) -> Exit:
    """Look until somebody ends it, and end with what the last look came to.

    Args:
        look: one look; a ``RunbookError`` it raises is told, and the watch goes on.
        verdict: the exit code of a look.
        told: hears of the first round, and of each that differs from the one before, with what changed.
        sleep: waits so many seconds; ``KeyboardInterrupt`` in it, or in a look, ends the watch.
        part: a number from 0 to 1, for the jitter.
        interval_s: seconds between looks.
    """
    last, before = Exit.INTERRUPTED, None
    try:
        while True:
            try:
                found: Round = Round(look())
            except RunbookError as error:
                found = Round(None, error)
            assert found.found is not None or found.error is not None
            now = troubles(found.found) if found.found is not None else {"": str(found.error)}
            last = verdict(found.found) if found.found is not None else Exit.FAILED
            if before is None or now != before:
                told(found, list(changes(before or {}, now)))
            before = now
            sleep(max(SHORTEST_S, interval_s) * (1 + JITTER * part()))
    except KeyboardInterrupt:
        return last


def troubles(found: Verified) -> Troubles:
    """Everything that is not as it should be, each with a name that lasts, and in words."""
    told: dict[str, str] = {}
    for recheck in found.checked:
        if recheck.outcome == "drift":
            unmet = "; ".join(f"{c['name']} is {c['observed']}" for c in recheck.node.checks if not c["ok"])
            told[f"node {recheck.node.id}"] = f"{recheck.node.doc['title']}: {unmet or recheck.node.summary}"
        elif recheck.outcome == "unreadable":
            code = recheck.node.error["code"] if recheck.node.error else ""
            told[f"node {recheck.node.id}"] = f"{recheck.node.doc['title']}: could not be read ({code})"
    for finding in found.names.findings if found.names else ():
        for name in finding.names:
            told[f"name {name} at {finding.place}"] = f"{name}: {finding.cause}"
    if found.names_unread:
        told["names"] = f"The names could not be looked at: {found.names_unread}"
    return told


def changes(before: Troubles, now: Troubles) -> Iterator[str]:
    """What came, what went, what became otherwise."""
    for name, words in now.items():
        if before.get(name) != words:
            yield f"{'≠ otherwise' if name in before else '≠ drift'}: {words}"
    for name, words in before.items():
        if name not in now:
            yield f"✓ as it was again: {words.partition(': ')[0]}"
