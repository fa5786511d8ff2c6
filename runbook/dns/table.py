"""Puts verdicts together into one table, and what is wrong into findings that are told once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from runbook.core.records import suffix_of
from runbook.dns.estate import Estate, Wanted, is_gone
from runbook.dns.judge import Hints, Looked, judge
from runbook.dns.model import Cell, Finding, Name, Place, Reached, Rule, Table

Answers = Mapping[tuple[str, str], Looked]
"""By name and place id; what nobody could look up is missing."""


def cells_of(
    names: Sequence[Name], places: Sequence[Place], answers: Answers, estate: Estate
) -> dict[tuple[str, str], Cell]:
    """A verdict for every name at every place."""
    right = {
        (place.id, suffix_of(name.zone))
        for place in places
        for name in names
        if (looked := answers.get((name.fqdn, place.id))) and looked.answer.addresses == (name.address,)
    }
    inner = {
        (place.id, name.zone)
        for place in places
        for name in names
        if (looked := answers.get((name.fqdn, place.id)))
        and looked.inner is not None
        and looked.inner.addresses == (name.address,)
    }
    cells = {
        (name.fqdn, place.id): judge(
            name,
            place,
            answers.get((name.fqdn, place.id)),
            estate,
            Hints(
                is_sibling_ok=bool(name.zone) and (place.id, suffix_of(name.zone)) in right,
                is_inner_ok=(place.id, name.zone) in inner,
            ),
        )
        for place in places
        for name in names
    }
    return {key: _first_mend(cell, places, cells) for key, cell in cells.items()}


def _first_mend(cell: Cell, places: Sequence[Place], cells: Mapping[tuple[str, str], Cell]) -> Cell:
    """Whoever forwards into a network gets what the network has, so that is to be mended first."""
    networks = [p for p in places if p.kind == "network"]
    bad = [p for p in networks if cells[cell.name, p.id].state == "wrong"]
    if cell.state != "wrong" or not bad or len(bad) < len(networks) or any(p.id == cell.place for p in networks):
        return cell
    first = f"First mend what is wrong at {bad[0].title}: this may follow from it. Then: "
    return replace(cell, fix=first + cell.fix)


def table_of(
    want: Wanted,
    names: Sequence[Name],
    places: Sequence[Place],
    cells: Mapping[tuple[str, str], Cell],
    estate: Estate,
    reached: Sequence[Reached] = (),
    remarks: Iterable[str] = (),
) -> Table:
    """The whole table, with its findings in the order of places and names."""
    moved = [n for n in names if n.recorded and n.address != n.recorded]
    told = [
        *estate.remarks,
        *remarks,
        *(
            f"{n.fqdn} has moved: the run left it at {n.recorded}, its endpoint has {n.address} now."
            for n in moved[:MOST_TOLD]
        ),
        *([f"So have {len(moved) - MOST_TOLD} more names."] if len(moved) > MOST_TOLD else []),
    ]
    findings = [*_gone(names, estate), *_wrong(names, places, cells), *_split(names, places, cells), *_closed(reached)]
    return Table(
        names=tuple(names),
        places=tuple(places),
        cells=cells,
        findings=tuple(findings),
        reached=tuple(reached),
        remarks=tuple(dict.fromkeys(told)),
        zones=tuple(sorted({n.zone for n in names if n.zone})),
        vnets=want.networks,
        keeps=want.keeps,
    )


MOST_TOLD: Final = 5
"""Names that a remark spells out."""
OF_SERVER: Final = frozenset({Rule.TIMEOUT, Rule.REFUSED, Rule.SERVER_FAILURE})
"""Troubles of a server, whatever it is asked."""


def _gone(names: Sequence[Name], estate: Estate) -> Iterator[Finding]:
    for endpoint in dict.fromkeys(n.endpoint for n in names):
        if is_gone(endpoint, estate):
            lost = tuple(n.fqdn for n in names if n.endpoint == endpoint)
            yield Finding(
                Rule.ENDPOINT_GONE,
                "",
                lost,
                f"{endpoint.rpartition('/')[2]} does not exist any more; its names must not be private.",
                "Resume the run, or start a new one, which makes it again; until then have these names public again "
                "(links, forwarders or entries removed).",
            )


def _wrong(names: Sequence[Name], places: Sequence[Place], cells: Mapping[tuple[str, str], Cell]) -> Iterator[Finding]:
    """The wrong cells; those of one rule, place and zone together."""
    for place in places:
        alike: dict[tuple[Rule, str], list[Cell]] = {}
        for name in names:
            cell = cells[name.fqdn, place.id]
            if cell.state == "wrong":
                zone = "" if cell.rule in OF_SERVER else name.zone
                alike.setdefault((cell.rule, zone), []).append(cell)
        for (rule, _), found in alike.items():
            yield Finding(rule, place.title, tuple(c.name for c in found), found[0].cause, found[0].fix)


def _split(names: Sequence[Name], places: Sequence[Place], cells: Mapping[tuple[str, str], Cell]) -> Iterator[Finding]:
    """Names for which resolvers that could be asked disagree."""
    asked = [p for p in places if p.kind in ("resolver", "paste") and p.counts]
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for name in names:
        states = {p.title: cells[name.fqdn, p.id].state for p in asked}
        right = tuple(t for t, s in states.items() if s == "ok")
        wrong = tuple(t for t, s in states.items() if s == "wrong")
        if right and wrong:
            alike.setdefault((right, wrong), []).append(name.fqdn)
    for (right, wrong), found in alike.items():
        yield Finding(
            Rule.SPLIT_ANSWERS,
            "",
            tuple(found),
            f"{', '.join(right)} {_are(right)} right, {', '.join(wrong)} {_are(wrong)} not: a machine that asks both "
            "works or fails by chance.",
            f"Mend {', '.join(wrong)} as told above, or take it from the list of servers of the machines.",
        )


def _are(things: Sequence[str]) -> str:
    return "is" if len(things) == 1 else "are"


def _closed(reached: Sequence[Reached]) -> Iterator[Finding]:
    alike: dict[tuple[Rule, str], list[Reached]] = {}
    for r in reached:
        if r.state == "wrong":
            alike.setdefault((r.rule, r.told.partition(":")[0]), []).append(r)
    for (rule, _), found in alike.items():
        first = found[0]
        fix = (
            "Something on the way takes the connection for its own (a proxy, a TLS inspection), or the address is "
            "another service's: see where the route and the record lead."
            if rule is Rule.WRONG_CERTIFICATE
            else f"Have TCP {first.port} to {first.address} let through: route, firewall, network security "
            "group of the "
            "endpoint's subnet, state of the endpoint's connection."
        )
        yield Finding(rule, "", tuple(r.name for r in found), first.told, fix)
