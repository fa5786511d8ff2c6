"""Shipped scenarios with something changed, and rehearsals of them with answers of one's own."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runbook.core.command import Attest, Command, Skip
from runbook.core.entry import Entry, Kind
from runbook.core.event import Event
from runbook.core.state import NodeState
from runbook.core.view import NodeView
from runbook.engine.engine import Until
from runbook.engine.world import Limits
from runbook.sim.cloud import Call, Principal
from runbook.sim.scenario_files import load_scenario
from runbook.wiring import Rehearsal, Wish, create_run, open_run
from tests.crash.harness import RUN, Played, entries_of, reply, snapshot

MAIN = "11111111-1111-4111-8111-111111111111"
BRANCH = "22222222-2222-4222-8222-222222222222"
HOME = f"/subscriptions/{MAIN}/resourceGroups/rg-arc-privatelink"
NET = f"/subscriptions/{MAIN}/resourceGroups/rg-network/providers/Microsoft.Network"
VNET = f"{NET}/virtualNetworks/vnet-hub"
NSG = f"{NET}/networkSecurityGroups/nsg-hub"
SCOPE = f"{HOME}/providers/Microsoft.HybridCompute/privateLinkScopes/pls-arc"
ENDPOINT = f"{HOME}/providers/Microsoft.Network/privateEndpoints/pe-arc"
ZONES = f"{HOME}/providers/Microsoft.Network/privateDnsZones"
SERVERS = f"/subscriptions/{MAIN}/resourceGroups/rg-servers/providers/Microsoft.HybridCompute/machines"
HIS = "privatelink.his.arc.azure.com"

PATIENCE_S = 3 * 86_400.0
"""How long a rehearsal that is meant to get stuck goes on looking; longer than any approval here takes."""

Answer = Callable[[NodeView], Command | None]


def scene(folder: Path, base: str, change: Callable[[dict[str, Any]], None] = lambda _: None, **more: Any) -> str:
    """A file with a shipped scenario in which some things are others.

    Args:
        folder: where to put it.
        base: the shipped one.
        change: what alters its document; it may alter anything.
        more: top-level parts. A list is added to the scenario's own, a mapping laid over it, the rest put in its place.
    """
    doc = load_scenario(base).doc
    change(doc)
    for name, value in more.items():
        there = doc.get(name)
        if isinstance(there, list):
            doc[name] = [*there, *value]
        elif isinstance(there, dict) and isinstance(value, Mapping):
            doc[name] = {**there, **value}
        else:
            doc[name] = value
    path = folder / "scene.yaml"
    path.write_text(json.dumps(doc), encoding="utf-8")
    return str(path)


def rehearse(
    home: Path,
    scenario: str,
    *,
    book: str = "arc-private-link",
    answer: Answer = reply,
    edition: str = "",
    sets: Mapping[str, Any] | None = None,
    prepare: Callable[[Rehearsal], None] = lambda _: None,
    look: Callable[[Rehearsal], None] = lambda _: None,
    patience_s: float = PATIENCE_S,
) -> Played:
    """Make a run and drive it until nothing moves without somebody else; ``look`` sees the cloud at the end."""
    create_run(home, Wish(book, scenario=scenario, run=RUN, edition=edition, sets=sets or {}), durable=False)
    return drive(home, answer, prepare, patience_s, look)


def drive(
    home: Path,
    answer: Answer = reply,
    prepare: Callable[[Rehearsal], None] = lambda _: None,
    patience_s: float = PATIENCE_S,
    look: Callable[[Rehearsal], None] = lambda _: None,
    away_s: float = 0.0,
    until: Until = Until.STUCK,
    run: str = RUN,
) -> Played:
    """Drive a run that exists, after that time; ``PARKED`` leaves waits for outsiders to another time."""

    async def go() -> Played:
        session = open_run(home, run, durable=False, limits=Limits(horizon_s=patience_s), away_s=away_s)
        prepare(session)
        engine = session.engine

        def respond(node: NodeView) -> None:
            if (command := answer(node)) is not None:
                engine.submit(command).add_done_callback(lambda task: task.exception())

        engine.listen(lambda e: respond(engine.view.nodes[e.entry.node or ""]) if e.entry.to is not None else None)
        for node in list(engine.view.nodes.values()):
            respond(node)
        try:
            view = await engine.run(until)
            cloud = snapshot(session)
            writes = Counter((method, path) for method, path, _ in session.transport.writes)
            look(session)
        finally:
            await session.close()
        return Played(view, cloud, writes, entries_of(home, run))

    return asyncio.run(go())


def no_words(node: NodeView) -> Command | None:
    """Approve and vouch where a wait asks for it, but never talk a rule away."""
    return None if node.state is NodeState.BLOCKED else reply(node)


def skipping(*names: str, then: Answer = reply) -> Answer:
    """Skip these nodes when they block or wait, and answer the others."""

    def answer(node: NodeView) -> Command | None:
        if node.id in names and node.state in (NodeState.BLOCKED, NodeState.WAITING, NodeState.FAILED):
            return Skip(node.id, "left out, as agreed")
        return then(node)

    return answer


def vouching(*names: str, then: Answer = no_words) -> Answer:
    """Settle the rule that blocks these nodes by word, each rule once."""

    def answer(node: NodeView) -> Command | None:
        if node.id in names and node.state is NodeState.BLOCKED and node.blocked and node.blocked["attest"]:
            return Attest(node.id, f"so it is: {node.blocked['attest']}", "the test")
        return then(node)

    return answer


def stuck(played: Played) -> dict[str, str]:
    """Nodes that wait, block or failed, and on what: the rule, the error's code, or whom."""
    found = {}
    for node in played.view.nodes.values():
        if node.state is NodeState.BLOCKED and node.blocked:
            found[node.id] = node.blocked["rule"]
        elif node.state is NodeState.FAILED and node.error:
            found[node.id] = node.error["code"]
        elif node.state is NodeState.WAITING and node.waiting:
            found[node.id] = node.waiting["who"]
    return found


def blocked(played: Played, node: str) -> str:
    """What a blocked node says."""
    block = played.view.nodes[node].blocked
    assert block is not None, (node, played.view.nodes[node].state, stuck(played))
    return block["message"]


def rules(played: Played) -> dict[str, list[str]]:
    """Every rule that ever blocked, by node."""
    found: dict[str, list[str]] = {}
    for entry in played.entries:
        if entry.kind is Kind.OBSERVED and "blocked" in entry.data and entry.node:
            found.setdefault(entry.node, []).append(entry.data["blocked"]["rule"])
    return found


def deferred(played: Played) -> list[Entry]:
    """Calls that were put off."""
    return [e for e in played.entries if e.kind is Kind.DEFERRED]


def proposed(played: Played) -> list[str]:
    """Titles of all changes that were ever asked for."""
    return [c["title"] for e in played.entries if e.kind is Kind.OBSERVED for c in e.data.get("changes", ())]


def nodes_of(played: Played, step: str) -> list[NodeView]:
    return [n for n in played.view.nodes.values() if n.doc["step"] == step]


# ---------------------------------------------------------------- what a colleague does at a certain moment


def when_done(node: str, act: Callable[[Rehearsal], None]) -> Callable[[Rehearsal], None]:
    """Something happens at the very moment a node is done, before anybody looks again."""

    def prepare(session: Rehearsal) -> None:
        done: list[bool] = []

        def heard(event: Event) -> None:
            if event.entry.node == node and event.entry.to is NodeState.DONE and not done:
                done.append(True)
                act(session)

        session.engine.listen(heard)

    return prepare


def by_hand(session: Rehearsal, method: str, path: str, version: str, body: Any = None) -> None:
    """A colleague's call; an operation that it began is over at once."""
    who = Principal("sam@contoso.com", "s", "party")
    answered = session.cloud.handle(Call(method, path, {"api-version": version}, {}, body), who)
    assert answered.status < 400, answered
    if answered.status in (201, 202) and (next_ms := session.cloud.next_timer_ms) is not None:
        session.clock.advance_to(next_ms)
        session.cloud.catch_up()
        session.cloud.state.commit(session.cloud.now_ms)


def connect_server(session: Rehearsal) -> None:
    """A server is connected to Azure Arc without the scope."""
    by_hand(session, "PUT", f"{SERVERS}/srv-new", "2022-12-27", {"location": "westeurope"})
