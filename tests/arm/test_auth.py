from __future__ import annotations

import subprocess
import sys

import pytest
from azure.identity.aio import AzureCliCredential, DefaultAzureCredential, EnvironmentCredential

from runbook.arm.auth import KINDS, live_credential, static_credential
from runbook.arm.clouds import CLOUDS
from runbook.core.error import UsageError


async def test_a_static_credential_gives_its_token_for_ever() -> None:
    async with static_credential("t") as credential:
        token = await credential.get_token("scope")
    assert token.token == "t"
    assert token.expires_on > 4_000_000_000
    assert "t" not in repr(credential).split()


@pytest.mark.parametrize(
    ("kind", "type_"),
    [("cli", AzureCliCredential), ("default", DefaultAzureCredential), ("environment", EnvironmentCredential)],
)
async def test_a_live_credential_is_azure_identitys(
    kind: str, type_: type[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_CLIENT_ID", raising=False)
    async with live_credential(kind, tenant="t-1", cloud=CLOUDS["AzureUSGovernment"]) as credential:
        assert isinstance(credential, type_)
    assert kind in KINDS


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        live_credential("magic")
    assert "cli, default, environment" in caught.value.hint


def test_the_clouds_have_origins_and_scopes_of_their_own() -> None:
    assert set(CLOUDS) == {"AzureCloud", "AzureUSGovernment", "AzureChinaCloud"}
    for cloud in CLOUDS.values():
        assert cloud.scope == f"{cloud.endpoint}/.default"


@pytest.mark.parametrize(
    ("imports", "absent"),
    [
        ("runbook.arm", ("azure", "aiohttp")),
        ("runbook.arm.clouds, runbook.arm.lro, runbook.arm.errors, runbook.arm.paging", ("azure", "aiohttp")),
        ("runbook.arm.client, runbook.arm.auth", ("azure.identity", "msal", "aiohttp")),
    ],
)
def test_imports_stay_light(imports: str, absent: tuple[str, ...]) -> None:
    program = f"import sys, {imports}; print([n for n in {absent!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
