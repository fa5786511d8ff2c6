"""Signing in to a served cloud: by the Azure CLI's folder, a device code and a service principal."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from runbook.arm.auth import LiveCredential, Prompt
from runbook.arm.azurecli import read_profile
from runbook.core.error import ContextError, SignInNeeded
from runbook.sim.served.folder import environment
from runbook.wiring import create_run
from runbook.wiring.live import SignedIn, live_client, sign_in
from tests.live.cloud import Azure, azure

MAIN = "11111111-1111-4111-8111-111111111111"
BRANCH = "22222222-2222-4222-8222-222222222222"
TENANT = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"

AZ = """#!{python}
import base64, json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "asked"), "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
says = os.path.join(here, "says")
if os.path.exists(says):
    sys.stderr.write(open(says).read())
    sys.exit(1)
claims = {{"tid": "{tenant}", "upn": "dana@contoso.com"}}
body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
print(json.dumps({{"accessToken": "e30." + body + ".x", "expires_on": 4000000000}}))
"""


@contextmanager
def surrounded(scenario: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    """A served cloud whose environment is this process's, with the guard against every other."""
    with azure(scenario, monkeypatch) as served:
        for name, value in environment(served.served.folder, served.served.endpoint).items():
            monkeypatch.setenv(name, value)
        yield served


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    """Today's procedure, served."""
    with surrounded("arc-ga", monkeypatch) as served:
        yield served


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that stands in for ``az``; what it is to refuse with goes into the file ``says`` beside it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "az"
    program.write_text(AZ.format(python=sys.executable, tenant=TENANT))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {str(p): sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def sees(signed_in: SignedIn) -> list[str]:
    async def look() -> list[str]:
        async with live_client(signed_in, is_read_only=True) as arm:
            return [str(s["subscriptionId"]) for s in await arm.list("/subscriptions", "2022-12-01")]

    return asyncio.run(look())


def test_the_azure_clis_folder_is_read_and_left_as_it_is(there: Azure) -> None:
    before = digests(there.served.folder)
    profile = read_profile()
    assert profile.cloud == "Rehearsal"
    assert [(a.id, a.is_default) for a in profile.accounts] == [(MAIN, True), (BRANCH, False)]
    assert {a.user for a in profile.accounts} == {"dana@contoso.com"}
    assert profile.find("contoso branch offices").id == BRANCH
    cloud = profile.place()
    assert (cloud.name, cloud.rules, cloud.is_known) == ("Rehearsal", "AzureCloud", False)
    assert digests(there.served.folder) == before


def test_the_azure_clis_sign_in_is_asked_for_the_account_of_the_subscription(there: Azure, az: Path) -> None:
    before = digests(there.served.folder)
    signed_in = sign_in(subscription="Contoso Branch Offices")
    assert (signed_in.auth, signed_in.account, signed_in.tenant) == ("cli", "dana@contoso.com", TENANT)
    assert signed_in.current == BRANCH
    assert sees(signed_in) == [MAIN, BRANCH]
    asked = [json.loads(line) for line in (az / "asked").read_text().splitlines()]
    assert all(call[call.index("--subscription") + 1] == BRANCH for call in asked)
    assert not any("set" in call for call in asked)
    assert digests(there.served.folder) == before


def test_a_device_code_is_told_and_signs_in(there: Azure) -> None:
    told: list[Prompt] = []
    signed_in = sign_in("device-code", tenant=TENANT, on_prompt=told.append)
    assert told[0].address == f"{there.served.endpoint}/devicelogin"
    assert told[0].code.startswith("SIM")
    assert told[0].code in str(told[0])
    assert (signed_in.account, signed_in.tenant) == ("dana@contoso.com", TENANT)
    assert sees(signed_in) == [MAIN, BRANCH]


@pytest.mark.parametrize("auth", ["environment", "auto"])
def test_a_service_principal_of_the_environment_signs_in(
    there: Azure, monkeypatch: pytest.MonkeyPatch, auth: str, tmp_path: Path
) -> None:
    if auth == "auto":  # where the Azure CLI is signed in to nothing, but knows the cloud
        profile = there.served.folder / "azure" / "azureProfile.json"
        profile.write_text(json.dumps({"subscriptions": []}))
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", "44444444-4444-4444-8444-444444444444")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "x")
    signed_in = sign_in(auth)
    assert (signed_in.auth, signed_in.tenant) == ("environment", TENANT)
    assert signed_in.account == "44444444-4444-4444-8444-444444444444"
    assert sees(signed_in) == [MAIN, BRANCH]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "ERROR: AADSTS50076: Due to a configuration change you must use multi-factor authentication.",
            "second factor",
        ),
        ("ERROR: AADSTS700082: The refresh token has expired due to inactivity.", "expired"),
        ("ERROR: Please run 'az login' to setup account.", "nobody is signed in"),
    ],
)
def test_a_sign_in_that_is_refused_says_why(there: Azure, az: Path, said: str, words: str) -> None:
    (az / "says").write_text(said)
    with pytest.raises(SignInNeeded, match=words):
        sign_in("cli")


def test_nobody_signed_in_is_told_without_making_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "none"))
    with pytest.raises(ContextError, match="Nobody is signed in"):
        sign_in()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("azureProfile.json", "{", "cannot be read"),
        ("clouds.config", "no section", "cannot be read"),
        ("clouds.config", "", "does not know it"),
        ("azureProfile.json", "[]", "Nobody is signed in"),
    ],
)
def test_a_damaged_folder_is_told_and_not_mended(there: Azure, name: str, text: str, words: str) -> None:
    file = there.served.folder / "azure" / name
    file.write_text(text)
    before = digests(there.served.folder)
    with pytest.raises(ContextError, match=words):
        sign_in()
    assert digests(there.served.folder) == before


def test_a_cloud_that_does_not_answer_is_told(there: Azure, az: Path) -> None:
    clouds = there.served.folder / "azure" / "clouds.config"
    clouds.write_text(clouds.read_text().replace(there.served.endpoint, "https://127.0.0.1:9"))
    with pytest.raises(ContextError, match="does not answer"):
        sign_in()


def test_a_cloud_elsewhere_that_nobody_knows_blocks(there: Azure, az: Path) -> None:
    clouds = there.served.folder / "azure" / "clouds.config"
    clouds.write_text(clouds.read_text().replace(there.served.endpoint, "https://management.local.azurestack.external"))
    with pytest.raises(ContextError, match="is not one this program knows"):
        sign_in()
    assert not (az / "asked").exists()


def test_a_sign_in_goes_on_after_a_run_was_made_with_it(there: Azure, tmp_path: Path) -> None:
    signed_in = sign_in("device-code", tenant=TENANT)
    assert isinstance(signed_in.credential, LiveCredential)
    signed_in.credential._first.clear()
    create_run(tmp_path, there.wish(), durable=False, signed_in=signed_in)
    assert sees(signed_in) == [MAIN, BRANCH]


def test_a_subscription_is_chosen_by_name_whoever_signs_in(there: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", "44444444-4444-4444-8444-444444444444")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "x")
    assert sign_in("environment", subscription="contoso branch offices").current == BRANCH
    with pytest.raises(ContextError, match="sees no subscription nobody"):
        sign_in("environment", subscription="nobody")
