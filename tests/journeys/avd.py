"""Rehearsals of the Virtual Desktop book, and what simulated clients experience in the cloud that they end in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from runbook.core.entry import Kind
from runbook.core.state import NodeState, RunState
from runbook.sim import clients
from runbook.sim.clients import Outcome
from runbook.wiring import Rehearsal
from tests.crash.harness import Played, reply
from tests.journeys.scenes import PATIENCE_S, Answer, blocked, rehearse, scene, stuck

BOOK: Final = "avd-private-link"
MAIN: Final = "11111111-1111-4111-8111-111111111111"
HUB: Final = "22222222-2222-4222-8222-222222222222"
RG: Final = f"/subscriptions/{MAIN}/resourceGroups"
NET: Final = f"{RG}/rg-network/providers/Microsoft.Network"
VNET: Final = f"{NET}/virtualNetworks/vnet-hub"
SUBNET: Final = f"{VNET}/subnets/endpoints"
AVD: Final = f"{RG}/rg-avd/providers/Microsoft.DesktopVirtualization"
MACHINES: Final = f"{RG}/rg-machines/providers"
HOME: Final = f"{RG}/rg-avd-privatelink/providers/Microsoft.Network"
ENDPOINTS: Final = f"{HOME}/privateEndpoints"
ZONES: Final = f"{HOME}/privateDnsZones"
FEED_ZONE: Final = "privatelink.wvd.microsoft.com"
GLOBAL_ZONE: Final = "privatelink-global.wvd.microsoft.com"
PLACEHOLDER: Final = f"{RG}/rg-avd-privatelink/providers/Microsoft.DesktopVirtualization/workspaces/ws-discovery"
CLOSES: Final = ("close_connections", "close_feeds")

Change = Callable[[dict[str, Any]], None]


@dataclass(repr=False)
class Ended:
    """How a rehearsal ended, and what is experienced in its cloud.

    Attributes:
        feels: by what is tried (``feed ws-office``) and from where.
        hosts: session hosts as the service shows them, by name.
    """

    played: Played
    feels: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def state(self) -> RunState:
        return self.played.view.state

    @property
    def stuck(self) -> dict[str, str]:
        return stuck(self.played)

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Writes that took effect, in lower case, in the order in which they did for the first time."""
        return [(method, path.lower()) for method, path in self.played.writes]

    def says(self, node: str) -> str:
        """What a blocked or waiting node says, its ways out among it."""
        view = self.played.view.nodes[node]
        if view.state is NodeState.WAITING and view.waiting:
            return f"{view.waiting['who']}: {view.waiting['message']} {view.waiting['draft']}"
        assert view.blocked is not None, (node, view.state, self.stuck)
        return " ".join([blocked(self.played, node), *view.blocked["ways_out"]])

    def ever_said(self, node: str) -> list[str]:
        """Everything that blocked a node, ways out among it, whether or not it still does."""
        docs = [e.data["blocked"] for e in self.played.entries if e.node == node and e.data.get("blocked")]
        return [" ".join([doc["message"], *doc["ways_out"]]) for doc in docs]

    def written(self, part: str) -> list[str]:
        """Last names of what was written to under paths with this part."""
        return [path.rpartition("/")[2] for _, path in self.writes if part.lower() in path]

    def written_paths(self, part: str) -> list[str]:
        return [path for _, path in self.writes if part.lower() in path]

    def state_of(self, node: str) -> NodeState:
        return self.played.view.nodes[node].state

    def access(self, name: str) -> str:
        found = [b for k, b in self.played.cloud.items() if k.endswith((f"/hostpools/{name}", f"/workspaces/{name}"))]
        return str(found[0]["properties"].get("publicNetworkAccess") or "Enabled")

    def intents(self, part: str = "") -> list[tuple[int, str, str]]:
        """Calls as they were sent: their number in the journal, their node, their title."""
        return [
            (e.seq, e.node or "", e.data["title"])
            for e in self.played.entries
            if e.kind is Kind.INTENDED and part in e.data["title"]
        ]


def travel(
    home: Path,
    base: str = "avd-small",
    change: Change = lambda _: None,
    *,
    answer: Answer = reply,
    edition: str = "",
    prepare: Callable[[Rehearsal], None] = lambda _: None,
    patience_s: float = PATIENCE_S,
    **more: Any,
) -> Ended:
    """Rehearse a shipped scenario with something changed; ``more`` as in ``scene``."""
    ended = Ended(Played(None, {}, {}, []))  # type: ignore[arg-type]

    def look(session: Rehearsal) -> None:
        ended.feels, ended.hosts = feel(session), hosts_of(session)

    ended.played = rehearse(
        home,
        scene(home, base, change, **more),
        book=BOOK,
        answer=answer,
        edition=edition,
        prepare=prepare,
        look=look,
        patience_s=patience_s,
    )
    return ended


def feel(session: Rehearsal) -> dict[tuple[str, str], Outcome]:
    """What works from every network of the scenario, from the premises and from the internet."""
    cloud = session.cloud
    bodies = [body for _, body in cloud.state.items("resources")]
    by_type = {kind: [b for b in bodies if str(b.get("type", "")).lower() == kind] for kind in _KINDS}
    places = [str(b["id"]) for b in by_type["microsoft.network/virtualnetworks"]]
    found: dict[tuple[str, str], Outcome] = {}
    for place in [*places, "on-premises", "internet"]:
        name = place.rpartition("/")[2]
        found["discovery", name] = clients.discovery(cloud, place)
        for space in by_type["microsoft.desktopvirtualization/workspaces"]:
            found[f"feed {space['name']}", name] = clients.feed(cloud, space["id"], place)
        for pool in by_type["microsoft.desktopvirtualization/hostpools"]:
            found[f"connection {pool['name']}", name] = clients.connection(cloud, pool["id"], place)
        for host in by_type["microsoft.desktopvirtualization/hostpools/sessionhosts"]:
            found[f"session {_short(host)}", name] = clients.session(cloud, host["id"], place)
    return found


def hosts_of(session: Rehearsal) -> dict[str, dict[str, Any]]:
    from runbook.sim.providers.avd_hosts import shown

    bodies = [b for k, b in session.cloud.state.items("resources") if "/sessionhosts/" in k.lower()]
    return {_short(b): shown(session.cloud, b)["properties"] for b in bodies}


def _short(host: dict[str, Any]) -> str:
    return str(host["id"]).rpartition("/")[2].partition(".")[0]


_KINDS: Final = (
    "microsoft.network/virtualnetworks",
    "microsoft.desktopvirtualization/workspaces",
    "microsoft.desktopvirtualization/hostpools",
    "microsoft.desktopvirtualization/hostpools/sessionhosts",
)


def routes(ended: Ended, place: str, what: str = "") -> dict[str, tuple[bool, str]]:
    """Whether things work from a place, and by which way."""
    return {k: (o.works, o.route) for (k, p), o in ended.feels.items() if p == place and k.startswith(what)}


# ---------------------------------------------------------------- changes of a scenario


def ask(**inputs: Any) -> Change:
    """Other answers to the book's questions."""

    def change(doc: dict[str, Any]) -> None:
        doc["inputs"] |= inputs

    return change


def add(*resources: dict[str, Any], **inputs: Any) -> Change:
    """More in the cloud than the scenario has."""

    def change(doc: dict[str, Any]) -> None:
        doc["resources"] += resources
        doc["inputs"] |= inputs

    return change


def every(*changes: Change) -> Change:
    def change(doc: dict[str, Any]) -> None:
        for one in changes:
            one(doc)

    return change


def find(doc: dict[str, Any], tail: str) -> dict[str, Any]:
    """The first resource of a scenario whose id, as it is written there, ends so."""
    found = [r for r in _flat(doc["resources"]) if r["id"].endswith(tail)]
    assert found, tail
    return found[0]


def _flat(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [r for e in entries for r in ([e] if "id" in e else _flat(e["resources"]))]


def endpoint(path: str, target: str, group: str, subnet: str = SUBNET) -> dict[str, Any]:
    """An endpoint that somebody has made."""
    link = {"name": "by-hand", "properties": {"privateLinkServiceId": target, "groupIds": [group]}}
    return {
        "id": path,
        "location": "westeurope",
        "properties": {"subnet": {"id": subnet}, "privateLinkServiceConnections": [link]},
    }


def zone_group(path: str, *zones: str) -> dict[str, Any]:
    configs = [{"name": f"z{n}", "properties": {"privateDnsZoneId": zone}} for n, zone in enumerate(zones)]
    return {"id": f"{path}/privateDnsZoneGroups/default", "properties": {"privateDnsZoneConfigs": configs}}


def link(zone: str, network: str) -> dict[str, Any]:
    body = {"registrationEnabled": False, "virtualNetwork": {"id": network}}
    return {"id": f"{zone}/virtualNetworkLinks/by-hand", "location": "global", "properties": body}
