"""Through what a plan hands to a step, no write leaves, whatever the step tries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from azure.core.rest import HttpRequest
from hypothesis import given
from hypothesis import strategies as st

from runbook.arm.client import ArmClient
from runbook.arm.policies import ReadOnly
from runbook.core.arm import Method, Operation, Request
from runbook.core.error import RunbookError
from runbook.wiring import look_ahead
from runbook.wiring.live import live_client
from tests.arm.scripted import HOME, TOKEN, Scripted, answer
from tests.live.cloud import azure

SUB = "/subscriptions/11111111-1111-4111-8111-111111111111"
READING = ("/whatif", "/checkpolicyrestrictions", "/providers/microsoft.resourcegraph/resources")


def is_read(request: HttpRequest) -> bool:
    path = request.url.partition("?")[0].lower()
    is_overridden = any(name.lower().startswith("x-") and "method" in name.lower() for name in request.headers)
    return not is_overridden and (
        request.method in ("GET", "HEAD") or (request.method == "POST" and path.endswith(READING))
    )


methods = st.sampled_from(
    ["PUT", "PATCH", "POST", "DELETE", "GET", "HEAD", "put", "Post", "OPTIONS", "MERGE", "", "P\rT"]
)
paths = st.one_of(
    st.sampled_from(
        [
            f"{SUB}/resourceGroups/rg",
            f"{SUB}/providers/Microsoft.Network/register",
            f"{SUB}/resourceGroups/rg/providers/Microsoft.Resources/deployments/d",
            f"{SUB}/resourceGroups/rg/providers/Microsoft.Resources/deployments/d/whatIf",
            f"{SUB}/resourceGroups/rg/providers/Microsoft.Resources/deployments/d/whatIf/../../d",
            f"{SUB}/resourceGroups/rg/providers/Microsoft.Resources/deployments/d%2FwhatIf",
            "/providers/Microsoft.ResourceGraph/resources",
            "/providers/Microsoft.ResourceGraph/resources/x",
        ]
    ),
    st.text(max_size=40).map(lambda text: f"/{text}"),
)
headers = st.dictionaries(
    st.sampled_from(["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "If-Match", "Accept"]),
    st.sampled_from(["PUT", "DELETE", "*"]),
    max_size=2,
)
bodies = st.one_of(st.none(), st.just({"location": "westeurope"}))


@given(methods, paths, headers, bodies)
def test_whatever_is_asked_of_the_client_only_reads_reach_the_wire(
    method: Any, path: str, sent: dict[str, str], body: dict[str, Any] | None
) -> None:
    wire = Scripted(answer(200, {}))
    arm = ArmClient(ReadOnly(wire), _static(), endpoint=HOME)
    transport = ReadOnly(wire)

    async def try_all() -> None:
        ways: list[Callable[[], Awaitable[Any]]] = [
            lambda: arm.write(Request(method, path, "1", body, sent), "id"),
            lambda: arm.get(path, "1", **{"$filter": method}),
            lambda: arm.poll(Operation(f"{HOME}{path}", "location")),
            lambda: transport.send(HttpRequest(method, f"{HOME}{path}", headers=sent, json=body)),
        ]
        for way in ways:
            try:
                await way()
            except (RunbookError, ValueError):
                continue

    asyncio.run(try_all())
    assert [r.method + " " + r.url for r in wire.requests if not is_read(r)] == []


def _static() -> Any:
    from runbook.arm.auth import static_credential

    return static_credential(TOKEN)


def test_a_plans_client_holds_every_write_of_the_book_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every change that the plan found is tried through the plan's own client; the cloud hears of none."""
    with azure("arc-ga", monkeypatch) as there:
        found = asyncio.run(look_ahead(there.wish(), there.signed_in()).survey())
        changes = [change for f in found for change in f.node.changes]
        assert len(changes) > 5

        async def try_all() -> list[str]:
            refused = []
            async with live_client(there.signed_in(), is_read_only=True) as arm:
                for c in changes:
                    request = Request(cast(Method, c["method"]), c["path"], c["api_version"], c["body"], c["headers"])
                    with pytest.raises(RunbookError, match="only reads") as caught:
                        await arm.write(request, "id")
                    refused.append(caught.value.code)
            return refused

        assert set(asyncio.run(try_all())) == {"not_sent"}
        assert there.writes == []


def test_a_plan_with_the_azure_cli_chosen_starts_no_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    az = tmp_path / "az"
    az.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    az.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with azure("arc-ga", monkeypatch) as there:
        lookout = look_ahead(replace(there.wish(), via="az"), there.signed_in())
        asyncio.run(lookout.survey())
        assert isinstance(lookout.world.arm, ArmClient)
        assert there.writes == []
    assert not (tmp_path / "ran").exists()
