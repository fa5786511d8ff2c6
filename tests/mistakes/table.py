"""The table of planted mistakes: what somebody did to a cloud, and how the program must find it and name it.

``table.yaml`` is a list of rows; ``{{word}}`` stands for what ``WORDS`` has. There are two kinds.

After a run: ``start`` names a finished rehearsal (see ``RUNS``), ``patch`` what was done to its cloud since, ``args``
the command (``dns`` where none is named, else ``verify``, or ``undo``, whose rows have ``step`` and ``harms``),
``paste`` a text that is handed in. ``expect`` has the exit code, the rule (of ``verify``: ``drift`` where no rule
blocks), place and names or the node, words of cause and fix::

    - it: loses the link of a zone
      start: arc
      patch: [{drop: "{{zones}}/privatelink.his.arc.azure.com/virtualNetworkLinks/link-vnet-hub"}]
      expect: {exit: 11, rule: missing-link, place: vnet-hub, names: [gbl.his.arc.azure.com], cause: [...], fix: [...]}

Before and during a run: ``rehearse`` names a book and a shipped scenario; ``change`` alters what the scenario has,
``add`` has parts that are added to it (as ``tests.journeys.scenes.scene`` takes them), ``when`` what a colleague does
the moment a node is done, ``patience`` for how many seconds nothing may happen. The rehearsal is driven with every go
and no word against a rule (``carefully: true``: with a go for what is safe alone). ``expect`` has how the run ``ends``
(``blocked`` where nothing is said), the ``node``, and

- ``rule``: the rule that the node stops at, the code that it fails with, whom it waits for, or the risk it wants a go
  for; ``cause`` and ``fix``: words of what it says;
- ``harms``: the writes, as ``method path``, that the mistake would harm. None of them may have been made; a rehearsal
  without the mistake makes some for each;
- ``plan: true``: ``runbook plan`` names it as well;
- ``put_off: true``: a call of the node was put off by that code, and what ``once`` names was made exactly once;
- ``noted: true``: it harms nothing, and is a remark of the check that has the rule's name::

    - it: resolves through a zone of the public suffix
      rehearse: {book: arc-private-link, scenario: arc-ga, add: {resources: [...]}}
      expect: {rule: zone-hides-names, node: "links[…]", cause: [...], fix: [...], harms: [put */virtualnetworklinks/*]}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from runbook.core.clock import VirtualClock
from runbook.sim.cloud import Cloud, scenario_of
from runbook.sim.providers.onprem import ONPREM
from runbook.sim.state import State
from runbook.wiring import Rehearsal
from tests.journeys.avd import find
from tests.journeys.scenes import BRANCH, ENDPOINT, HOME, MAIN, NET, NSG, SCOPE, SERVERS, VNET, ZONES, by_hand

HERE: Final = Path(__file__).parent
RUNS: Final[Mapping[str, tuple[str, str]]] = {
    "arc": ("arc-private-link", "arc-ga"),
    "avd": ("avd-private-link", "avd-small"),
}
"""Rehearsals that end done, by the run's id: book and scenario."""
_RG: Final = f"/subscriptions/{MAIN}/resourceGroups"
_AVD: Final = f"{_RG}/rg-avd-privatelink/providers/Microsoft.Network"
WORDS: Final[Mapping[str, str]] = {
    "main": MAIN,
    "branch": BRANCH,
    "home": HOME,
    "net": NET,
    "vnet": VNET,
    "nsg": NSG,
    "scope": SCOPE,
    "servers": SERVERS,
    "endpoint": ENDPOINT,
    "zones": ZONES,
    "site": ONPREM,
    "avd_zones": f"{_AVD}/privateDnsZones",
    "avd_endpoints": f"{_AVD}/privateEndpoints",
    "zones_b": f"{_RG}/rg-dns-b/providers/Microsoft.Network/privateDnsZones",
    "avd": f"{_RG}/rg-avd/providers/Microsoft.DesktopVirtualization",
    "pools": f"{_RG}/rg-avd/providers/Microsoft.DesktopVirtualization/hostPools",
    "placeholder": f"{_RG}/rg-avd-privatelink/providers/Microsoft.DesktopVirtualization/workspaces/ws-discovery",
    "other_zones": f"{_RG}/rg-network/providers/Microsoft.Network/privateDnsZones",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One row."""

    it: str
    start: str
    patch: tuple[dict[str, Any], ...]
    args: tuple[str, ...]
    paste: str
    rehearse: dict[str, Any]
    expect: dict[str, Any]

    def __str__(self) -> str:
        return self.it


def mistakes() -> Iterator[Mistake]:
    """The rows of the table beside this module."""
    for row in _fill(yaml.safe_load((HERE / "table.yaml").read_text(encoding="utf-8"))):
        yield Mistake(
            row["it"],
            row.get("start", "arc"),
            tuple(row.get("patch", ())),
            tuple(row.get("args", ("dns",))),
            row.get("paste", ""),
            row.get("rehearse", {}),
            row["expect"],
        )


def plant(home: Path, run: str, patch: tuple[dict[str, Any], ...]) -> None:
    """Do to a run's cloud what the row says, as somebody would by hand."""
    if not patch:
        return
    state = State(home / "runs" / run / "cloud.db", durable=False)
    scenario = scenario_of(state)
    assert scenario is not None
    cloud = Cloud(scenario, VirtualClock(state.latest_ms), state)
    for op in patch:
        match op:
            case {"drop": path}:
                cloud.need(path)
                cloud.drop(path)
            case {"put": path, "properties": properties}:
                cloud.save(
                    {"id": path, "name": path.rpartition("/")[2], "type": kind_of(path), "properties": properties}
                )
            case {"set": path, "at": at, "to": value}:
                body = cloud.need(path)
                put_at(body["properties"], at, value)
                cloud.save(body)
            case _:
                raise AssertionError(f"no such patch: {op}")
    state.commit(cloud.now_ms)
    state.close()


def alter(doc: dict[str, Any], change: list[dict[str, Any]]) -> None:
    """Change a scenario's document: ``{of: end of a resource's id, at: place, to: value}``, or without ``of``."""
    for op in change:
        put_at(find(doc, op["of"]) if "of" in op else doc, op["at"], op["to"])


def put_at(inside: Any, at: str, value: Any) -> None:
    """Set what a dotted place names; a member of a list by its number, name or id."""
    *way, last = at.split(".")
    for key in way:
        inside = _member(inside, key) if isinstance(inside, list) else inside.setdefault(key, {})
    inside[int(last) if isinstance(inside, list) else last] = value


def _member(members: list[Any], key: str) -> Any:
    return members[int(key)] if key.isdigit() else next(m for m in members if key in (m.get("name"), m.get("id")))


def act(session: Rehearsal, calls: list[dict[str, Any]]) -> None:
    """What a colleague does; ``*`` in a path stands for the one resource that fits."""
    for call in calls:
        path = call["path"]
        if path.endswith("/*"):
            [path] = session.cloud.state.keys("resources", path[:-1].lower())
        by_hand(session, call["method"], path, call["version"], call.get("body"))


def kind_of(path: str) -> str:
    """The resource type in a resource id."""
    namespace, *rest = path.rpartition("/providers/")[2].split("/")
    return "/".join([namespace, *rest[::2]])


def _fill(value: Any) -> Any:
    match value:
        case str():
            for name, text in WORDS.items():
                value = value.replace("{{" + name + "}}", text)
            return value
        case dict():
            return {_fill(k): _fill(v) for k, v in value.items()}
        case list():
            return [_fill(v) for v in value]
        case _:
            return value
