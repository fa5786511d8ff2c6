"""A run of the size of a large estate: 200 host pools, 60 workspaces, ten phases, about 1,700 nodes, entry by entry.

Nothing is driven here: the entries are those that a drive would leave, so that screens, listings and reports can be
held against the size they are made for, at no cost but folding.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from runbook.core.docs import ChangeDoc
from runbook.core.entry import GENESIS, Draft, Entry, Kind
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.journal.fold import fold
from runbook.journal.store import Journal
from runbook.step import Change, Diff

S = NodeState
SUB: Final = "11111111-aaaa-4bbb-8ccc-000000000001"
START_MS: Final = 1_772_438_400_000
POOLS: Final = 200
WORKSPACES: Final = 60

PHASES: Final = {
    "plan": "Plan",
    "register": "Register",
    "network": "Network",
    "connections": "Connection endpoints",
    "feeds": "Feed endpoints",
    "names": "Names",
    "hosts": "Session hosts",
    "prove": "Prove",
    "close": "Close public access",
    "end": "Hand over",
}
POOL_STEPS: Final = (
    ("shortpath", "network", "Look at the UDP options of ${item.name}", "safe"),
    ("connection_endpoint", "connections", "Create endpoint pe-${item.name}-connection", "safe"),
    ("connection_zone_group", "names", "Hand the names of ${item.name} to the zone", "safe"),
    ("connection_names", "names", "Look the names of ${item.name} up", "safe"),
    ("agent_restart", "hosts", "Restart the agents of ${item.name}", "disruptive"),
    ("session_hosts", "hosts", "Wait for the session hosts of ${item.name}", "safe"),
    ("close_pool", "close", "Close the public access of ${item.name}", "disruptive"),
)
SPACE_STEPS: Final = (
    ("feed_endpoint", "feeds", "Create endpoint pe-${item.name}-feed", "safe"),
    ("feed_zone_group", "names", "Hand the names of ${item.name} to the zone", "safe"),
    ("feed_names", "names", "Look the names of ${item.name} up", "safe"),
    ("close_workspace", "close", "Close the public access of ${item.name}", "disruptive"),
)
SINGLE: Final = (
    ("edition", "plan", "Which edition applies"),
    ("estate", "plan", "Find pools and workspaces"),
    ("provider", "register", "Register the provider"),
    ("zone", "names", "Private zone"),
    ("proof", "prove", "Prove everything afresh"),
    ("handover", "end", "Hand over"),
)


def book() -> dict[str, Any]:
    """The book, as a run keeps it."""
    every = [
        *((id_, phase, title, None) for id_, phase, title in SINGLE),
        *((id_, phase, title, "host_pools") for id_, phase, title, _ in POOL_STEPS),
        *((id_, phase, title, "workspaces") for id_, phase, title, _ in SPACE_STEPS),
    ]
    order = list(PHASES)
    steps = [
        {
            "id": id_,
            "phase": phase,
            "title": title,
            "uses": "testing.thing",
            "guide": {"why": "It is needed.", "what": "It is done.", "risk": "Sessions may drop."},
            "source": "a document",
            **({"for_each": "${nodes.estate.outputs." + found + "}"} if found else {}),
        }
        for id_, phase, title, found in sorted(every, key=lambda row: order.index(row[1]))
    ]
    return {
        "id": "avd-private-link",
        "version": 1,
        "title": "Azure Virtual Desktop behind Private Link",
        "summary": "An estate",
        "phases": [{"id": id_, "title": title} for id_, title in PHASES.items()],
        "steps": steps,
    }


def keys(step: str) -> list[str]:
    """The keys of a step's nodes; empty for a step with one node."""
    if any(step == s[0] for s in POOL_STEPS):
        return [f"rg-avd/hp-{n:03}" for n in range(1, POOLS + 1)]
    if any(step == s[0] for s in SPACE_STEPS):
        return [f"rg-avd/ws-{n:02}" for n in range(1, WORKSPACES + 1)]
    return []


def node_docs(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes that a step becomes."""
    docs = []
    members: list[str | None] = [*keys(spec["id"])] or [None]
    for key in members:
        name = (key or "").rpartition("/")[2]
        docs.append(
            {
                "id": spec["id"] if key is None else f"{spec['id']}[{key}]",
                "step": spec["id"],
                "key": key,
                "title": spec["title"].replace("${item.name}", name),
                "phase": spec["phase"],
                "target": f"/subscriptions/{SUB}/resourceGroups/rg-avd/providers/X/hostPools/{name}" if key else "",
                "gate": "",
                "needs": [],
                "item": {"name": name} if key else None,
            }
        )
    return docs


def change(doc: dict[str, Any]) -> ChangeDoc:
    """The one change that a node wants."""
    name = (doc["key"] or doc["id"]).rpartition("/")[2]
    risk = next((s[3] for s in (*POOL_STEPS, *SPACE_STEPS) if s[0] == doc["step"]), "safe")
    path = f"/subscriptions/{SUB}/resourceGroups/rg-avd/providers/X/things/{doc['step']}-{name}"
    diff = (Diff("properties.publicNetworkAccess", "Enabled", "Disabled"),)
    body = {"properties": {"publicNetworkAccess": "Disabled"}}
    return Change(doc["title"], "PUT", path, "2024-04-03", body, risk=risk, diff=diff).doc()  # type: ignore[arg-type]


CREATED: Final = {
    "id": "estate",
    "book": book(),
    "mode": "rehearsal",
    "edition": "auto",
    "scenario": "avd-estate",
    "inputs": {"subscription": SUB, "target": "all_private"},
    "pinned": {
        "cloud": "AzureCloud",
        "tenant": "22222222-aaaa-4bbb-8ccc-000000000002",
        "account": "ana@contoso.example",
        "subscriptions": {SUB: "Contoso Production"},
    },
}


def opening() -> Iterator[Draft]:
    """The run is created, and every step becomes nodes."""
    yield Draft(Kind.RUN_CREATED, data=CREATED)
    for spec in book()["steps"]:
        yield Draft(Kind.EXPANDED, data={"step": spec["id"], "nodes": node_docs(spec)})


def shown(doc: dict[str, Any]) -> Iterator[Draft]:
    """A node looks and asks for a go."""
    yield Draft(Kind.BEGUN, doc["id"], S.OBSERVING)
    yield Draft(Kind.OBSERVED, doc["id"], S.READY, {"verdict": "changes", "checks": [], "changes": [change(doc)]})


def made(doc: dict[str, Any], by: str = "ana@contoso.example") -> Iterator[Draft]:
    """What follows a go, until the node is done."""
    wanted = change(doc)
    brief = {"digest": wanted["digest"], "title": wanted["title"]}
    intent = {**brief, "repeat": "safe", "locks": [], "method": "PUT", "path": wanted["path"]}
    check = {"name": "exists", "expected": "yes", "observed": "yes", "ok": True}
    yield Draft(Kind.APPROVED, doc["id"], data={"digests": [brief["digest"]], "titles": [brief["title"]], "by": by})
    yield Draft(Kind.BEGUN, doc["id"], S.OBSERVING)
    yield Draft(Kind.OBSERVED, doc["id"], S.APPLYING, {"verdict": "changes", "checks": [], "changes": [wanted]})
    yield Draft(Kind.INTENDED, doc["id"], data=intent)
    yield Draft(Kind.ANSWERED, doc["id"], S.OBSERVING, {**brief, "status": 200, "correlation_id": "c"})
    yield Draft(Kind.BEGUN, doc["id"], S.OBSERVING)
    yield Draft(Kind.OBSERVED, doc["id"], S.DONE, {"verdict": "satisfied", "checks": [check]})


def blocked(doc: dict[str, Any]) -> Iterator[Draft]:
    """A rule stops a node."""
    block = {
        "rule": "subnet-too-small",
        "message": "Two addresses are free and four are needed.",
        "ways_out": ["Enlarge the subnet."],
        "attest": "",
        "next_poll_ms": None,
    }
    yield Draft(Kind.BEGUN, doc["id"], S.OBSERVING)
    yield Draft(Kind.OBSERVED, doc["id"], S.BLOCKED, {"verdict": "blocked", "checks": [], "blocked": block})


def midway() -> list[Draft]:
    """As far as the endpoints of the pools: 143 made, three ready, one blocked; all that disrupts is ready too."""
    drafts = list(opening())
    for spec in book()["steps"]:
        for number, doc in enumerate(node_docs(spec)):
            if spec["phase"] in ("plan", "register", "network"):
                drafts += [*shown(doc), *made(doc)]
            elif spec["id"] == "connection_endpoint" and number < 147:
                drafts += blocked(doc) if number == 146 else shown(doc)
                drafts += made(doc) if number < 143 else ()
            elif spec["id"] in ("agent_restart", "feed_endpoint"):
                drafts += shown(doc)
    return drafts


def finished() -> list[Draft]:
    """Every node is done."""
    docs = [doc for spec in book()["steps"] for doc in node_docs(spec)]
    return [*opening(), *(draft for doc in docs for draft in (*shown(doc), *made(doc)))]


def entries(drafts: list[Draft], after: int = 0) -> list[Entry]:
    """Drafts as committed, a second apart; hashes are not looked at here."""
    return [
        Entry(seq, START_MS + seq * 1000, d.kind, d.node, d.to, d.data, GENESIS)
        for seq, d in enumerate(drafts, after + 1)
    ]


def view_of(drafts: list[Draft]) -> RunView:
    """The run after these drafts."""
    return fold(RunView(), entries(drafts))


def write(home: Path, drafts: list[Draft], run: str = "estate") -> None:
    """A run with this journal in a state folder."""
    folder = home / "runs" / run
    folder.mkdir(parents=True)
    journal = Journal.create(folder / "journal.db", durable=False)
    try:
        journal.append(drafts, START_MS, epoch=0)
    finally:
        journal.close()
