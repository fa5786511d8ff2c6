"""The truth table of names for one run: gives the pure part the seams of a rehearsal or of a live run. Reads only.

Invariant: everything goes through a ``Lookout``, whose client lets no write pass; what is asked beside it are DNS
questions, and connections that say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from runbook.core.error import UsageError
from runbook.core.view import RunView
from runbook.dns.estate import wanted
from runbook.dns.look import Ask, Probe, Source, look, names_alone
from runbook.dns.model import Answer, Place, Table
from runbook.dns.pasted import read_paste
from runbook.engine.world import World
from runbook.wiring.look import Lookout

NO_PROBE_NOWHERE: Final = (
    "Whether packets get through is not provable from here: this machine is not said to stand inside (--here when the "
    "run was made)."
)
NO_PROBE_SIMULATED: Final = (
    "Whether packets get through is not provable in a rehearsal: nothing real stands behind the names."
)
OUTSIDE: Final = (
    "This machine is not said to stand inside, and from outside a public answer is right. It proves nothing."
)


@dataclass(frozen=True, slots=True)
class Pasted:
    """A text that somebody pasted, and what it is called."""

    label: str
    text: str


async def truth(
    lookout: Lookout, servers: Sequence[str] = (), pastes: Sequence[Pasted] = (), *, system: Ask | None = None
) -> Table:
    """Look at every name of a run from every place.

    Args:
        lookout: the run and its read-only world; it is closed afterwards.
        servers: DNS servers to ask from this machine, as ``ADDRESS[:PORT]``.
        pastes: output of lookups that somebody made elsewhere.
        system: this machine's own way of looking names up; the system's when absent.

    Raises:
        UsageError: a server or a pasted text cannot be understood.
        ArmError: Azure could not be read.
    """
    async with lookout.reading() as world:
        return await truth_in(world, lookout.view, servers, pastes, system=system)


async def truth_in(
    world: World,
    view: RunView,
    servers: Sequence[str] = (),
    pastes: Sequence[Pasted] = (),
    *,
    system: Ask | None = None,
) -> Table:
    """As ``truth``, in a world that somebody else closes."""
    want = wanted(view)
    known = [r[0] for r in want.records]
    sources = [*_named(servers), *_pasted(pastes, known)]
    here = str(view.options.get("here", "nowhere"))
    is_simulated = view.mode == "rehearsal"
    if not is_simulated and here == "nowhere":
        sources.append(_system(system))
    return await look(
        want,
        world.arm,
        world.dns,
        sources,
        probe=_probe() if not is_simulated and here != "nowhere" else None,
        why_no_probe=NO_PROBE_SIMULATED if is_simulated else NO_PROBE_NOWHERE,
        is_simulated=is_simulated,
    )


async def known(lookout: Lookout) -> Table:
    """The run's names and addresses alone, read afresh, for an export.

    Raises:
        ArmError: Azure could not be read.
    """
    async with lookout.reading() as world:
        return await names_alone(wanted(lookout.view), world.arm)


def _named(servers: Sequence[str]) -> list[Source]:
    from runbook.here.lookups import NamedServer, parse_server

    found = []
    for address, port in dict.fromkeys(parse_server(s) for s in servers):
        server = NamedServer(address, port)
        place = Place(f"resolver:{address}:{port}", "resolver", server.title, how="asked from this machine")
        found.append(Source(place, server.ask))
    return found


def _system(ask: Ask | None) -> Source:
    from runbook.here.lookups import SystemResolver

    place = Place("here", "here", "this machine", how="by the system's own resolver", why_not=OUTSIDE, counts=False)
    return Source(place, ask or SystemResolver().ask)


def _probe() -> Probe:
    from runbook.here.reach import Prober

    return Prober().probe


def _pasted(pastes: Sequence[Pasted], known: Iterable[str]) -> list[Source]:
    """One place for each paste and server in it."""
    names = tuple(known)
    found: list[Source] = []
    for number, paste in enumerate(pastes, 1):
        answers = read_paste(paste.text, names, paste.label)
        by_server: dict[str, dict[str, Answer]] = {}
        for answer in answers:
            by_server.setdefault(answer.server, {})[answer.name] = answer
        if names and not {a.name for a in answers} & set(names):
            said = ", ".join(sorted({a.name for a in answers})[:3])
            raise UsageError(
                f"{paste.label} answers for {said}, and none of these is a name of this run.",
                f"Look up names of this run, such as {names[0]}.",
            )
        for server, held in by_server.items():
            title = f"{paste.label}: {server}" if server else paste.label
            place = Place(
                f"paste:{number}:{server}" if server else f"paste:{number}",
                "paste",
                title,
                how="pasted; it counts as the word of whoever ran it",
                why_not="The pasted text does not have this name.",
            )
            found.append(Source(place, _held(held)))
    return found


def _held(answers: dict[str, Answer]) -> Ask:
    async def ask(name: str) -> Answer | None:
        return answers.get(name)

    return ask
