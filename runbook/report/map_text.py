"""The map of a run as text: what lies in what, and what leads where. A pure function of the topology."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from runbook.core.state import GLYPHS
from runbook.report.topology import Edge, Kind, Thing, Topology

MOST: Final = 400
"""So many lines; an estate of thousands is told by its first ones, and by how many there are."""
_WORDS: Final = {
    "leads": "leads to",
    "link": "resolves for",
    "writes": "writes names into",
    "forwards": "forwards names to",
}


def map_lines(drawn: Topology) -> list[str]:
    """The whole map, two spaces deeper for what lies in something."""
    lines = [line for thing in drawn.things.values() if not thing.parent for line in _lines(drawn, thing, 0)]
    if len(lines) > MOST:
        return [*lines[:MOST], f"… and {len(lines) - MOST} lines more, of {len(drawn.things)} things in all"]
    return lines


def _lines(drawn: Topology, thing: Thing, depth: int) -> Iterator[str]:
    if thing.kind in (Kind.GROUP, Kind.LINK):
        return
    indent = "  " * depth
    state = f"  {GLYPHS[thing.state]} {thing.state.value.replace('_', ' ')}" if thing.state is not None else ""
    named = "" if thing.name == thing.kind.value else f" {thing.name}"
    yield f"{indent}{thing.kind.value}{named}{state}"
    for address in thing.addresses:
        answers = f" for {address.fqdn}" if address.fqdn else ""
        yield f"{indent}    {address.ip}{answers}"
    for edge in drawn.out.get(thing.key, ()):
        yield f"{indent}  → {_edge(drawn, edge)}"
    for key in drawn.inside.get(thing.key, ()):
        yield from _lines(drawn, drawn.things[key], depth + 1)


def _edge(drawn: Topology, edge: Edge) -> str:
    target = drawn.things.get(edge.target)
    what = f"{target.kind.value} {target.name}" if target is not None else edge.target
    label = f" ({edge.label})" if edge.label else ""
    return f"{_WORDS.get(edge.kind, edge.kind)} {what}{label}{'' if edge.is_made else ', not made yet'}"
