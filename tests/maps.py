"""Views of real rehearsals to draw maps of, from their first entry to their last; and an estate of hundreds of them."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.wiring import Rehearsal
from tests.crash.harness import reply
from tests.journeys.scenes import Answer, rehearse

BOOKS = {"arc": "arc-private-link", "avd": "avd-private-link"}


@cache
def rehearsed(scenario: str, answer: Answer = reply, every: int = 1) -> tuple[RunView, ...]:
    """The views of a rehearsal, or one in so many; the last is the one it ended in."""
    views: list[RunView] = []
    ended: list[RunView] = []

    def prepare(session: Rehearsal) -> None:
        session.engine.listen(lambda event: views.append(event.view) if event.entry.seq % every == 0 else None)

    def play() -> None:
        with tempfile.TemporaryDirectory() as home:
            book = BOOKS[scenario.partition("-")[0]]
            ended.append(rehearse(Path(home), scenario, book=book, answer=answer, prepare=prepare).view)

    with ThreadPoolExecutor(1) as apart:  # the test that asks may have a loop of its own
        apart.submit(play).result()
    return (*views, *ended)


def first(views: tuple[RunView, ...], node: str, state: NodeState) -> RunView:
    """The first view in which a node stands so."""
    return next(v for v in views if node in v.nodes and v.nodes[node].state is state)


def with_state(view: RunView, state: NodeState, *nodes: str) -> RunView:
    """The view with these nodes in another state, and nothing else changed."""
    return replace(view, nodes={**view.nodes, **{n: replace(view.nodes[n], state=state) for n in nodes}})


def renamed(value: Any, old: str, new: str) -> Any:
    """A JSON value with a text replaced wherever it stands."""
    match value:
        case NodeState():
            return value
        case str():
            return value.replace(old, new)
        case dict():
            return {renamed(k, old, new): renamed(v, old, new) for k, v in value.items()}
        case list() | tuple() | frozenset():
            return type(value)(renamed(v, old, new) for v in value)
        case NodeView():
            return NodeView(**{f.name: renamed(getattr(value, f.name), old, new) for f in fields(value)})
        case _:
            return value


@cache
def many(pools: int = 200, workspaces: int = 60) -> RunView:
    """The finished small estate, with its host pool and its workspace of the office hundreds of times."""
    view = rehearsed("avd-small")[-1]
    nodes: dict[str, NodeView] = {}
    for name, node in view.nodes.items():
        of = next((o for o in ("hp-office", "ws-office") if o in name), "")
        if not of:
            nodes[name] = node
            continue
        for number in range(pools if of == "hp-office" else workspaces):
            its = renamed(node, of, f"{of[:2]}-{number:03}")
            its = renamed(its, "10.40.1.", f"10.{41 if of == 'hp-office' else 42}.{number}.")
            nodes[its.id] = renamed(its, "vm-office", f"vm-{number:03}")
    return replace(view, nodes=nodes)
