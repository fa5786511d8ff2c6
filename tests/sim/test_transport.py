from __future__ import annotations

from typing import Any

import pytest
from azure.core import AsyncPipelineClient
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.policies import ContentDecodePolicy, HeadersPolicy, RequestIdPolicy
from azure.core.polling import AsyncLROPoller
from azure.core.polling.async_base_polling import AsyncLROBasePolling
from azure.core.rest import AsyncHttpResponse, HttpRequest

from runbook.sim.cloud import Reply
from runbook.sim.transport import SimTransport
from tests.sim.world import RG, World, scenario

BASE = "https://management.azure.com"
SCOPE = RG + "/providers/Microsoft.HybridCompute/privateLinkScopes/s"
QUERY = "?api-version=2022-12-27"
PLACE = {"location": "westeurope"}
TOKEN = {"Authorization": "Bearer not-a-real-token"}
PUT = {"id": "f", "method": "PUT"}


def rig(**changes: Any) -> SimTransport:
    return SimTransport(World(scenario(**changes)).cloud)


async def send(transport: SimTransport, method: str, path: str, **more: Any) -> AsyncHttpResponse:
    headers = more.pop("headers", TOKEN)
    return await transport.send(HttpRequest(method, BASE + path + QUERY, headers=headers, **more))


async def test_a_request_goes_through_and_comes_back_as_an_azure_core_response() -> None:
    transport = rig()
    made = await send(transport, "PUT", SCOPE, json=PLACE)
    assert (made.status_code, made.reason) == (201, "Created")
    assert made.json()["name"] == "s"
    assert made.headers["X-MS-REQUEST-ID"] == made.headers["x-ms-request-id"]
    assert made.content_type == "application/json; charset=utf-8"
    assert await made.read() == made.content == made.text().encode()
    absent = await send(transport, "GET", SCOPE + "x")
    with pytest.raises(HttpResponseError, match="ResourceNotFound"):
        absent.raise_for_status()
    empty = await send(transport, "DELETE", SCOPE + "x")
    assert (empty.status_code, empty.text()) == (204, "")


async def test_without_a_bearer_token_nothing_reaches_the_cloud() -> None:
    transport = rig()
    for headers in ({}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer "}):
        reply = await send(transport, "PUT", SCOPE, json=PLACE, headers=headers)
        assert (reply.status_code, reply.json()["error"]["code"]) == (401, "AuthenticationFailed")
        assert reply.headers["WWW-Authenticate"].startswith("Bearer ")
    assert (transport.calls, transport.writes) == (0, [])


async def test_the_token_is_kept_nowhere() -> None:
    transport = rig()
    await send(transport, "PUT", SCOPE, json=PLACE)
    assert "not-a-real-token" not in str(transport.cloud.state.dump())


async def test_a_lost_answer_is_a_response_error_and_the_write_counts() -> None:
    transport = rig(faults=[{**PUT, "lose_answer": True}])
    with pytest.raises(ServiceResponseError):
        await send(transport, "PUT", SCOPE, json=PLACE, headers={**TOKEN, "x-ms-client-request-id": "one"})
    assert transport.writes == [("PUT", SCOPE, "one")]
    assert (await send(transport, "GET", SCOPE)).status_code == 200


async def test_what_was_not_sent_is_a_request_error_and_no_write() -> None:
    transport = rig(faults=[{**PUT, "not_sent": True}])
    with pytest.raises(ServiceRequestError):
        await send(transport, "PUT", SCOPE, json=PLACE)
    assert transport.writes == []


async def test_refused_writes_are_not_counted_as_writes() -> None:
    transport = rig()
    await send(transport, "PUT", SCOPE, json={})
    assert (transport.calls, transport.writes) == (1, [])


async def test_no_other_host_can_be_reached() -> None:
    with pytest.raises(ServiceRequestError, match=r"example\.com"):
        await rig().send(HttpRequest("GET", "https://example.com/x", headers=TOKEN))


async def test_hooks_stop_a_call_before_it_is_sent_and_after_it_took_effect() -> None:
    class Stop(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stop

    transport = rig()
    transport.before_send = stop
    with pytest.raises(Stop):
        await send(transport, "PUT", SCOPE, json=PLACE)
    assert transport.cloud.find(SCOPE) is None
    transport.before_send, seen = None, list[int]()

    def after(request: HttpRequest, reply: Reply) -> None:
        seen.append(reply.status)
        raise Stop

    transport.after_effect = after
    with pytest.raises(Stop):
        await send(transport, "PUT", SCOPE, json=PLACE)
    assert seen == [201]
    assert transport.cloud.find(SCOPE) is not None
    assert len(transport.writes) == 1


async def test_a_body_that_is_not_json_is_refused() -> None:
    reply = await send(rig(), "PUT", SCOPE, content=b"{nope")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "InvalidRequestContent")


async def test_azure_cores_own_pipeline_and_poller_work_over_it() -> None:
    world = World()
    transport = SimTransport(world.cloud)
    policies = [RequestIdPolicy(), HeadersPolicy(TOKEN), ContentDecodePolicy()]
    client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] = AsyncPipelineClient(
        BASE, policies=policies, transport=transport
    )
    async with client:
        made = await client.send_request(HttpRequest("PUT", BASE + SCOPE + QUERY, json=PLACE))
        assert made.status_code == 201
        request = HttpRequest("DELETE", BASE + SCOPE + QUERY)
        first = await client._pipeline.run(request)
        world.wait(60)  # the poller would wait on the wall clock: let the operation be over at its first look
        poller = AsyncLROPoller(client, first, lambda r: r.http_response.status_code, AsyncLROBasePolling(timeout=0))
        await poller.result()
        assert poller.status() == "Succeeded"
        assert world.cloud.find(SCOPE) is None
