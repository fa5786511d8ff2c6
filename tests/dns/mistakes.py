"""The table of planted mistakes: what somebody did to a cloud, by hand, and what a command must say of it.

A table is one YAML file, a list of rows of two kinds; ``{{word}}`` stands for what ``WORDS`` has.

After a run: ``start`` names a finished rehearsal (see ``RUNS``), ``patch`` what was done to its cloud since, ``args``
the command (``dns`` where none is named), ``paste`` a text that is handed in; ``expect`` has exit code, rule, place,
names, and words of cause and fix::

    - it: loses the link of a zone
      start: arc
      patch: [{drop: "{{zones}}/privatelink.his.arc.azure.com/virtualNetworkLinks/link-vnet-hub"}]
      expect: {exit: 11, rule: missing-link, place: vnet-hub, names: [gbl.his.arc.azure.com], cause: [...], fix: [...]}

Before a run: ``rehearse`` names a book and a shipped scenario, and parts that are added to it (as
``tests.journeys.scenes.scene`` takes them). The rehearsal is driven with every approval; ``expect`` has its exit code,
the rule that a node stops at, the node, and words of the message (``cause``) and of the ways out (``fix``)::

    - it: resolves through a zone of the public suffix
      rehearse: {book: arc-private-link, scenario: arc-ga, add: {resources: [...]}}
      expect: {exit: 5, rule: zone-hides-names, node: "links[…]", cause: [...], fix: [...]}
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
from tests.journeys.scenes import ENDPOINT, HOME, MAIN, NET, VNET, ZONES

HERE: Final = Path(__file__).parent
RUNS: Final[Mapping[str, tuple[str, ...]]] = {
    "arc": ("arc-private-link", "--scenario", "arc-ga"),
    "avd": ("avd-private-link", "--scenario", "avd-small"),
}
"""Rehearsals that end done; the name is the run's id, too."""
_AVD: Final = f"/subscriptions/{MAIN}/resourceGroups/rg-avd-privatelink/providers/Microsoft.Network"
WORDS: Final[Mapping[str, str]] = {
    "main": MAIN,
    "home": HOME,
    "net": NET,
    "vnet": VNET,
    "endpoint": ENDPOINT,
    "zones": ZONES,
    "site": ONPREM,
    "avd_zones": f"{_AVD}/privateDnsZones",
    "avd_endpoints": f"{_AVD}/privateEndpoints",
    "zones_b": f"/subscriptions/{MAIN}/resourceGroups/rg-dns-b/providers/Microsoft.Network/privateDnsZones",
    "pools": f"/subscriptions/{MAIN}/resourceGroups/rg-avd/providers/Microsoft.DesktopVirtualization/hostPools",
    "other_zones": f"/subscriptions/{MAIN}/resourceGroups/rg-network/providers/Microsoft.Network/privateDnsZones",
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


def mistakes(name: str = "mistakes.yaml") -> Iterator[Mistake]:
    """The rows of one table beside this module."""
    for row in _fill(yaml.safe_load((HERE / name).read_text(encoding="utf-8"))):
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
                inner = body["properties"]
                *way, last = at.split(".")
                for key in way:
                    inner = inner.setdefault(key, {})
                inner[last] = value
                cloud.save(body)
            case _:
                raise AssertionError(f"no such patch: {op}")
    state.commit(cloud.now_ms)
    state.close()


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
