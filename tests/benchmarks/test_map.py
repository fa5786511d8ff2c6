"""The map of a large estate: the first one, one after a change of state, one after new outputs, and its drawing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from runbook.core.state import NodeState
from runbook.report.topology import Kind, Plotter
from runbook.tui.present.map import draw
from runbook.tui.present.map_words import group_key
from tests.benchmarks.table import tell
from tests.maps import many, with_state

pytestmark = pytest.mark.bench


def least(work: Callable[[], object], times: int = 5) -> float:
    """Milliseconds of processor time, the least of some."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append((time.process_time() - began) * 1000)
    return min(spent)


def test_a_map_of_an_estate() -> None:
    view = many()
    known = Plotter()
    topology = known.of(view)
    moved = with_state(view, NodeState.OBSERVING, "hosts[rg-avd/hp-007]")
    node = view.nodes["connection_endpoint[rg-avd/hp-007]"]
    told = replace(view, nodes={**view.nodes, node.id: replace(node, outputs={**node.outputs, "addresses": []})})

    def flip(other: object) -> Callable[[], object]:
        return lambda: (known.of(other), known.of(view))  # type: ignore[arg-type]

    rows = [
        ("nodes", f"{len(view.nodes)}"),
        ("the first map", f"{least(lambda: Plotter().of(view)):.0f} ms"),
        ("after a change of state", f"{least(flip(moved)) / 2:.0f} ms"),
        ("after new outputs", f"{least(flip(told)) / 2:.0f} ms"),
        ("drawn, everything, 200 wide", f"{least(lambda: draw(topology, view, 200)):.0f} ms"),
        ("drawn, 202 host pools, 200 wide", f"{least(lambda: draw(topology, view, 200, group_key(Kind.POOL))):.0f} ms"),
    ]
    for what, took in rows:
        tell(f"map: {what}", took)
