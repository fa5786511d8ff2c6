from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import threading

import pytest
from azure import identity
from azure.core.credentials import AccessTokenInfo, TokenRequestOptions

from runbook.arm.auth import (
    KINDS,
    Claims,
    LiveCredential,
    claims_of,
    live_credential,
    named_by_environment,
    static_credential,
)
from runbook.arm.client import ArmClient
from runbook.arm.clouds import CLOUDS, cloud_of
from runbook.arm.policies import no_token
from runbook.core.error import ContextError, NotSent, SignInNeeded, UsageError
from tests.arm.scripted import HOME, Scripted, answer

HEADER = {"IDENTITY_HEADER": "h"}
ANY = AccessTokenInfo("any", 4_000_000_000)


async def test_a_static_credential_gives_its_token_for_ever() -> None:
    async with static_credential("t") as credential:
        token = await credential.get_token("scope")
    assert token.token == "t"
    assert token.expires_on > 4_000_000_000
    assert "t" not in repr(credential).split()


@pytest.mark.parametrize(
    ("kind", "type_", "variables"),
    [
        ("cli", identity.AzureCliCredential, {}),
        ("device-code", identity.DeviceCodeCredential, {}),
        ("browser", identity.InteractiveBrowserCredential, {}),
        ("environment", identity.EnvironmentCredential, {}),
        ("workload", identity.WorkloadIdentityCredential, {"AZURE_CLIENT_ID": "a", "AZURE_FEDERATED_TOKEN_FILE": "f"}),
        ("managed", identity.ManagedIdentityCredential, {"IDENTITY_ENDPOINT": "http://127.0.0.1:9/", **HEADER}),
    ],
)
async def test_a_live_credential_is_azure_identitys(
    kind: str, type_: type[object], variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    credential = live_credential(kind, tenant="t-1", cloud=CLOUDS["AzureUSGovernment"])
    async with credential:
        assert isinstance(credential._source, type_)
        assert credential.kind == kind
    assert kind in KINDS


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        live_credential("magic")
    assert "auto, cli, device-code, browser, environment, workload, managed" in caught.value.hint


def test_a_workload_identity_without_its_variables_is_told_what_it_needs() -> None:
    with pytest.raises(UsageError) as caught:
        live_credential("workload", tenant="t-1")
    assert "AZURE_FEDERATED_TOKEN_FILE" in caught.value.hint


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ((), ""),
        (("AZURE_CLIENT_ID",), ""),
        (("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"), "environment"),
        (("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_CERTIFICATE_PATH"), "environment"),
        (("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"), "workload"),
        (("IDENTITY_ENDPOINT", "IDENTITY_HEADER"), "managed"),
        (("IDENTITY_ENDPOINT",), ""),
    ],
)
def test_the_environment_names_a_way_only_by_all_of_its_variables(
    variables: tuple[str, ...], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in variables:
        monkeypatch.setenv(name, "x")
    assert named_by_environment() == kind


def token(**claims: str) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.x"


class Slow:
    """A source that answers when it is let go."""

    def __init__(self, *answers: AccessTokenInfo | Exception) -> None:
        self.answers, self.asked, self.go = list(answers), 0, threading.Event()

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        self.asked += 1
        assert self.go.wait(30)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None: ...


async def test_many_who_want_a_token_wait_for_one_sign_in_also_when_some_give_up() -> None:
    source = Slow(AccessTokenInfo("a", 1))
    credential = LiveCredential(source, "device-code")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await credential.get_token_info("s")
    waiting = [asyncio.create_task(credential.get_token_info("s")) for _ in range(20)]
    source.go.set()
    assert {t.token for t in await asyncio.gather(*waiting)} == {"a"}
    assert source.asked == 1


async def test_a_sign_in_that_failed_is_tried_again_by_the_next_who_asks() -> None:
    source = Slow(ValueError("no"), AccessTokenInfo("a", 1))
    source.go.set()
    credential = LiveCredential(source, "cli")
    with pytest.raises(ValueError, match="no"):
        await credential.get_token_info("s")
    assert (await credential.get_token_info("s")).token == "a"


async def test_a_token_of_another_tenant_is_never_handed_out() -> None:
    source = Slow(*(AccessTokenInfo(token(tid=t), 1) for t in ("T-1", "t-2", "t-2")))
    source.go.set()
    credential = LiveCredential(source, "cli", "t-1")
    assert (await credential.get_token_info("s")).token == token(tid="T-1")
    with pytest.raises(SignInNeeded, match="now in tenant t-2, and this run is pinned to t-1"):
        await credential.get_token_info("s")
    with pytest.raises(SignInNeeded):
        credential.sign_in("s")


async def test_a_token_of_another_person_is_never_handed_out() -> None:
    people = ("dana@contoso.com", "dana@contoso.com", "eve@contoso.com")
    source = Slow(*(AccessTokenInfo(token(upn=name, tid="t"), 1) for name in people))
    source.go.set()
    credential = LiveCredential(source, "cli", "t")
    credential.sign_in("s")
    await credential.get_token_info("s")
    with pytest.raises(SignInNeeded, match=r"now eve@contoso.com, and dana@contoso.com drives") as caught:
        await credential.get_token_info("s")
    assert "resume the run" in caught.value.hint


async def test_the_first_token_serves_every_client_of_a_sign_in_until_azure_refuses_it() -> None:
    source = Slow(*(AccessTokenInfo(text, 1 << 40) for text in "abc"))
    source.go.set()
    credential = LiveCredential(source, "cli")
    credential.sign_in("s")
    assert [(await credential.get_token_info("s")).token for _ in range(2)] == ["a", "a"]
    assert source.asked == 1
    assert (await credential.get_token_info("s", options={"claims": "more"})).token == "b"
    assert (await credential.get_token_info("s")).token == "c"


async def test_a_claims_challenge_that_this_sign_in_cannot_meet_says_how_to_sign_in_again() -> None:
    class Cli(Slow):
        def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
            return identity.AzureCliCredential().get_token_info(*scopes, options=options) if options else ANY

    claims = base64.b64encode(b'{"access_token":{"acrs":{"essential":true,"value":"c1"}}}').decode()
    challenge = f'Bearer realm="", error="insufficient_claims", claims="{claims}"'
    wire = Scripted(answer(401, {"error": {"code": "x", "message": "y"}}, WWW_Authenticate=challenge))
    async with ArmClient(wire, LiveCredential(Cli(), "cli"), endpoint=HOME) as arm:
        with pytest.raises(SignInNeeded, match="stronger proof") as caught:
            await arm.get("/x", "1")
    assert len(wire.requests) == 1
    assert "az login --claims-challenge" in caught.value.message


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "a.e30.c", "a.W10.c", "..", "a.////.c", "é.é.é"])
def test_a_token_that_cannot_be_read_says_nothing(text: str) -> None:
    assert claims_of(text) == Claims()


def test_a_token_says_who_and_where() -> None:
    assert claims_of(token(upn="dana@contoso.com", tid="T")) == Claims("dana@contoso.com", "t")
    assert claims_of(token(appid="app", tid="T")).name == "app"
    assert claims_of(token(upn="a\x1b[2Jb")).name == "a\N{REPLACEMENT CHARACTER}[2Jb"


@pytest.mark.parametrize(
    ("said", "cause", "hint"),
    [
        ("AADSTS50076: Due to a configuration change", "second factor", "az login"),
        ("AADSTS53003: blocked", "Conditional Access", "administrators"),
        ("AADSTS50020: User account from identity provider", "does not exist in the tenant", "--tenant"),
        ("AADSTS7000222: The provided client secret keys are expired", "secret", "AZURE_CLIENT_SECRET"),
        ("AADSTS70043: The refresh token has expired", "expired", "az login"),
        ("Azure CLI not found on path", "not installed", "--auth device-code"),
        ("Please run 'az login' to set up an account", "nobody is signed in", "az login"),
        ("This credential doesn't support claims challenges. To", "stronger proof", "az login"),
    ],
)
def test_a_refused_sign_in_says_why_and_what_to_do(said: str, cause: str, hint: str) -> None:
    error = no_token(ValueError(f"{said} eyJhbGciOi.eyJzdWIiOi.abc"), "cli")
    assert cause in error.message
    assert hint in error.hint
    assert "eyJ" not in str(error)
    assert isinstance(error, NotSent)


def test_the_clouds_have_origins_and_scopes_of_their_own() -> None:
    assert set(CLOUDS) == {"AzureCloud", "AzureUSGovernment", "AzureChinaCloud"}
    for cloud in CLOUDS.values():
        assert cloud.scope == f"{cloud.endpoint}/.default"


def test_one_of_azures_own_clouds_is_known_by_name_and_address() -> None:
    public = CLOUDS["AzureCloud"]
    assert cloud_of("AzureCloud", f"{public.endpoint}/", "https://elsewhere", "") == public
    assert public.is_known


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [("AzureStack", "https://management.local.azurestack.external"), ("AzureCloud", "https://management.evil.example")],
)
def test_a_cloud_nobody_knows_blocks(name: str, endpoint: str) -> None:
    with pytest.raises(ContextError, match="is not one this program knows"):
        cloud_of(name, endpoint, "https://login", "")


@pytest.mark.parametrize(
    ("imports", "absent"),
    [
        ("runbook.arm", ("azure", "aiohttp")),
        ("runbook.arm.clouds, runbook.arm.lro, runbook.arm.errors, runbook.arm.paging", ("azure", "aiohttp")),
        ("runbook.arm.client, runbook.arm.auth", ("azure.identity", "msal", "aiohttp")),
        ("runbook.arm.azurecli, runbook.wiring.live", ("azure.cli", "azure.identity", "knack", "msal", "aiohttp")),
    ],
)
def test_imports_stay_light(imports: str, absent: tuple[str, ...]) -> None:
    program = f"import sys, {imports}; print([n for n in {absent!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_sign_in_that_fails_says_nothing_of_its_own_on_stderr() -> None:
    program = """
from runbook.arm.auth import live_credential
try:
    live_credential("cli")._source.get_token("https://x/.default", claims="abc")
except Exception as error:
    print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("CredentialUnavailableError", "")
