"""Estates of the shape of the shipped ``avd-estate``, of any size: for kills, which need many whole runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.journeys.scenes import scene

POOLS: Final = 4
SPACES: Final = 2
HOSTS: Final = 5
"""In one block: host pools, workspaces, and session hosts of each pool; the shipped one has 10, 3 and 10."""


def estate(folder: Path, blocks: Sequence[int], growth_s: float) -> str:
    """A scenario file of an estate with so many blocks in each subscription; the first one has the placeholder.

    Args:
        folder: where to put it.
        blocks: at most three; each block is four host pools, two workspaces and twenty hosts, four of which are off.
        growth_s: when a colleague makes one more host pool.
    """

    def change(doc: dict[str, Any]) -> None:
        of_sub, inputs = doc["resources"][0], doc["inputs"]
        subs = of_sub["each"] = of_sub["each"][: len(blocks)]
        first = 1
        for sub, count in zip(subs, blocks, strict=True):
            sub |= {"blocks": count, "first": first}
            first += count
        names = [sub["id"] for sub in subs]
        of_sub["resources"][-1]["resources"] = _block(*of_sub["resources"][-1]["resources"][:2])
        doc["subscriptions"] = [s for s in doc["subscriptions"] if s["id"] in names]
        doc["parties"][0]["at"] = growth_s
        networks = [n for n in inputs["resolving_networks"] if n.split("/")[2] in names]
        inputs |= {"subscriptions": names, "resolving_networks": networks, "placements": {}}
        for sub, network in list(zip(subs, networks, strict=True))[1:]:
            for block in range(sub["first"], sub["first"] + sub["blocks"]):
                pools = [f"hp-{block * POOLS - n:03}" for n in range(POOLS)]
                spaces = [f"ws-{block * SPACES - n:02}" for n in range(SPACES)]
                inputs["placements"] |= dict.fromkeys([*pools, *spaces], f"{network}/subnets/endpoints")

    return scene(folder, "avd-estate", change)


def _block(pools: dict[str, Any], space: dict[str, Any]) -> list[dict[str, Any]]:
    """A smaller block, out of the shipped one's pools and its first workspace."""
    text = json.dumps(pools["resources"]).replace('"times": 10', f'"times": {HOSTS}')
    text = text.replace('"times": 9', f'"times": {HOSTS - 1}').replace("-10-nic", f"-{HOSTS:02}-nic")
    text = text.replace('}}-10"', f'}}}}-{HOSTS:02}"')
    small = {**pools, "times": POOLS, "from": f"{{{{block * {POOLS} - {POOLS - 1}}}}}", "resources": json.loads(text)}
    path, name, _ = str(space["id"]).partition("ws-")
    group = str(space["properties"]["applicationGroupReferences"][0]).partition("dag-")[0]
    share = POOLS // SPACES
    numbers = [f"{{{{block * {POOLS} - {POOLS - n} + (w - 1) * {share}:03}}}}" for n in range(1, share + 1)]
    made = {
        "id": f"{path}{name}{{{{block * {SPACES} - {SPACES} + w:02}}}}",
        "location": space["location"],
        "properties": {"applicationGroupReferences": [f"{group}dag-{number}" for number in numbers]},
    }
    return [small, {"times": SPACES, "as": "w", "resources": [made]}]
