from __future__ import annotations

import pytest
from azure.core.credentials import AccessTokenInfo
from azure.core.credentials_async import AsyncSupportsTokenInfo
from azure.core.rest import HttpRequest

from runbook.arm.auth import static_credential
from runbook.arm.client import ArmClient
from runbook.arm.policies import Credential, ReadOnly
from runbook.core.arm import Request
from runbook.core.error import NotSent
from tests.arm.scripted import HOME, TOKEN, Scripted, answer

DEPLOYMENT = "/subscriptions/s/resourceGroups/rg-1_(a).b/providers/Microsoft.Resources/deployments/d"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/x"),
        ("PATCH", "/x"),
        ("DELETE", "/x"),
        ("POST", "/x/register"),
        ("POST", f"{DEPLOYMENT}/validate"),
        ("POST", "/x/whatIf"),
        ("POST", f"{DEPLOYMENT}/whatIf/../../restart"),
        ("POST", f"{DEPLOYMENT}%2FwhatIf"),
        ("POST", "/subscriptions/../resourceGroups/g/providers/Microsoft.Resources/deployments/d/whatIf"),
        ("POST", "/x?/providers/Microsoft.ResourceGraph/resources"),
        ("OPTIONS", "/x"),
        ("get", "/x"),
    ],
)
async def test_plan_mode_lets_no_write_pass(method: str, path: str) -> None:
    wire = Scripted(answer(200, {}))
    with pytest.raises(NotSent, match="only reads"):
        await ReadOnly(wire).send(HttpRequest(method, f"{HOME}{path}"))
    assert wire.requests == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/x"),
        ("HEAD", "/x"),
        ("POST", f"{DEPLOYMENT}/whatIf?api-version=1"),
        ("POST", f"{DEPLOYMENT.lower()}/WHATIF"),
        ("POST", "/providers/microsoft.resourcegraph/resources?api-version=1"),
        ("POST", "/subscriptions/s/providers/Microsoft.PolicyInsights/checkPolicyRestrictions"),
    ],
)
async def test_plan_mode_lets_reads_pass(method: str, path: str) -> None:
    wire = Scripted(answer(200, {}))
    await ReadOnly(wire).send(HttpRequest(method, f"{HOME}{path}"))
    assert len(wire.requests) == 1


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"])
async def test_plan_mode_is_not_fooled_by_a_method_in_a_header(name: str) -> None:
    with pytest.raises(NotSent):
        await ReadOnly(Scripted(answer(200))).send(HttpRequest("GET", f"{HOME}/x", headers={name: "DELETE"}))


async def test_a_client_in_plan_mode_reads_but_cannot_write() -> None:
    wire = Scripted(answer(200, {"a": 1}))
    async with ReadOnly(wire) as held:
        assert wire.is_open
        arm = ArmClient(held, static_credential(TOKEN), endpoint=HOME)
        assert await arm.get("/x", "1") == {"a": 1}
        with pytest.raises(NotSent, match="only reads"):
            await arm.write(Request("PUT", "/x", "1", {}), "id")
    assert not wire.is_open
    assert [r.method for r in wire.requests] == ["GET"]


class Modern(AsyncSupportsTokenInfo):
    async def get_token_info(self, *scopes: str, options: object = None) -> AccessTokenInfo:
        return AccessTokenInfo(" ".join(scopes), 7, refresh_on=5)

    async def close(self) -> None: ...

    async def __aexit__(self, *exc: object) -> None: ...


async def test_both_kinds_of_credentials_are_understood() -> None:
    async with Credential(Modern()) as modern:
        token = await modern.get_token_info("a", "b")
        assert (token.token, token.expires_on, token.refresh_on) == ("a b", 7, 5)
    async with Credential(static_credential("t")) as plain:
        assert (await plain.get_token_info("a", options={"claims": "c"})).token == "t"


async def test_the_scope_is_the_endpoints_own_unless_another_is_given() -> None:
    for scope, asked in (("", f"{HOME}/.default"), ("https://x//.default", "https://x//.default")):
        wire = Scripted(answer(200, {}))
        await ArmClient(wire, Forever(), endpoint=f"{HOME}/", scope=scope).get("/x", "1")
        assert wire.tokens == [f"Bearer {asked}"]


class Forever(Modern):
    async def get_token_info(self, *scopes: str, options: object = None) -> AccessTokenInfo:
        return AccessTokenInfo(" ".join(scopes), 253_402_300_799)
