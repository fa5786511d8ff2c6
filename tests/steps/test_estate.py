"""An estate of 200 host pools and 60 workspaces is read with a few lists and told on one screen."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from pydantic import TypeAdapter

from runbook.book import load_step
from runbook.core.arm import Json
from runbook.step import Satisfied, Verdict
from steps._shared.planned import Planned
from tests.steps.table import BRANCH, LET, MAIN, Case, TableCloud, context

AVD = "providers/Microsoft.DesktopVirtualization"
VNET = LET["vnet"]
LONGEST = 400
"""Characters of one line of a screen that still wraps well."""


def resource(subscription: str, kind: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourcegroups/rg-{len(name) % 3}/{AVD}/{kind}/{name}"


def cloud(pools: int = 200, workspaces: int = 60, *, backwards: bool = False) -> dict[str, Any]:
    """Two subscriptions of host pools and workspaces, listed in either order."""
    found: dict[str, Any] = {
        f"/subscriptions/{MAIN}/providers/Microsoft.Network/virtualNetworks": [
            {"id": VNET, "location": "westeurope", "properties": {"subnets": [{"name": "pe"}]}}
        ]
    }
    for subscription in (MAIN, BRANCH):
        rows = {
            "hostPools": [resource(subscription, "hostpools", f"hp-{n}") for n in range(pools // 2)],
            "workspaces": [resource(subscription, "workspaces", f"ws-{n}") for n in range(workspaces // 2)],
        }
        for plural, ids in rows.items():
            docs: list[Json] = [{"id": i, "name": i.rpartition("/")[2], "location": "westeurope"} for i in ids]
            found[f"/subscriptions/{subscription}/{AVD}/{plural}"] = docs[::-1] if backwards else docs
    return {k.lower(): v for k, v in found.items()}


async def look(objects: dict[str, Any], **given: Any) -> tuple[Verdict, TableCloud]:
    params = {
        "target": "all_private",
        "subscriptions": [MAIN, BRANCH],
        "placeholder": resource(MAIN, "workspaces", "ws-discovery"),
        "vnet": VNET,
        "subnet": f"{VNET}/subnets/pe",
        "endpoint_resource_group": "rg-pe",
        "edition": "ga",
        "location": "westeurope",
        **given,
    }
    step = load_step("avd.estate")
    ctx = context(Case("avd.estate", "", params, objects, {}, {}))
    verdict = await step(TypeAdapter(step.Params).validate_python(params)).observe(ctx)
    assert isinstance(ctx.arm, TableCloud)
    return verdict, ctx.arm


async def test_a_large_estate_takes_one_list_of_each_kind_for_each_subscription() -> None:
    verdict, asked = await look(cloud())
    assert isinstance(verdict, Satisfied)
    assert verdict.outputs["counts"]["endpoints"] == 261
    assert len(asked.asked) == 7


async def test_a_large_estate_is_told_on_one_screen() -> None:
    for given in ({}, {"placements": {f"no-{n}": "/x" for n in range(200)}}):
        verdict, _ = await look(cloud(), **given)
        assert len(verdict.checks) <= 14
        assert max(len(c.observed) for c in verdict.checks) < LONGEST
        text: str = getattr(verdict, "message", "") or getattr(verdict, "summary", "")
        assert len(text) < 3 * LONGEST


async def test_rights_of_a_large_estate_are_asked_for_a_few_times() -> None:
    verdict, _ = await look(cloud())
    assert isinstance(verdict, Satisfied)
    rights = verdict.outputs["rights"]
    assert len({r["scope"] for r in rights}) < 12
    named = {n for r in rights if r["purpose"] == "Set the public access" for n in r["names"]}
    assert len(named) == 130


async def test_keys_are_each_once_and_do_not_depend_on_the_order_of_the_lists() -> None:
    one, _ = await look(cloud())
    other, _ = await look(cloud(backwards=True))
    assert isinstance(one, Satisfied)
    assert one == other
    for name in ("host_pools", "workspaces", "connections", "feeds", "globals", "objects", "subnets", "groups"):
        keys = [item["id"] for item in one.outputs[name]]
        assert len(keys) == len(set(keys)), name
        assert keys == [k.lower() if name != "subnets" else k for k in keys], name
    endpoints = [e["endpoint"].lower() for g in ("connections", "feeds", "globals") for e in one.outputs[g]]
    assert len(endpoints) == len(set(endpoints))


async def test_what_stood_already_keeps_its_key_when_the_estate_grows() -> None:
    small, _ = await look(cloud(100, 20))
    large, _ = await look(cloud(200, 60))
    assert isinstance(small, Satisfied)
    assert isinstance(large, Satisfied)
    for name in ("host_pools", "connections", "feeds", "objects"):
        assert {i["id"] for i in small.outputs[name]} < {i["id"] for i in large.outputs[name]}


@pytest.mark.parametrize("name", ["x" * 64, "a pool (old)"])
async def test_an_endpoint_gets_a_name_that_azure_takes(name: str) -> None:
    objects = cloud(2, 0)
    for subscription in (MAIN, BRANCH):
        objects[f"/subscriptions/{subscription}/{AVD}/hostPools".lower()] = [
            {"id": resource(subscription, "hostpools", name)}
        ]
    verdict, _ = await look(objects, target="connections_only")
    assert isinstance(verdict, Satisfied)
    names = [e["endpoint_name"] for e in verdict.outputs["connections"]]
    assert len(set(names)) == 2
    assert all(len(n) <= 80 and set(n) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for n in names), names


async def test_a_planned_endpoint_comes_back_from_an_output_as_it_was() -> None:
    verdict, _ = await look(cloud(2, 2))
    assert isinstance(verdict, Satisfied)
    for doc in (*verdict.outputs["connections"], *verdict.outputs["feeds"], *verdict.outputs["globals"]):
        planned = TypeAdapter(Planned).validate_python(doc)
        assert planned.doc() == doc
        assert asdict(planned).keys() == doc.keys()
