"""Azure's own SDKs create, read, list, change, await and delete everything that the books touch."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance.az import environment, installed
from tests.journeys.scenes import scene
from tests.served.simulate import SUB, simulated

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]

WALK = Path(__file__).with_name("sdk_walk.py")
PACKAGES = (
    "azure-identity",
    "azure-mgmt-desktopvirtualization",
    "azure-mgmt-hybridcompute",
    "azure-mgmt-network",
    "azure-mgmt-privatedns",
    "azure-mgmt-resource",
    "azure-mgmt-resource-subscriptions",
)


LIST = """
import asyncio, sys
from azure.identity.aio import DefaultAzureCredential
from azure.mgmt.network.aio import NetworkManagementClient

async def main(subscription, endpoint, scope):
    async with DefaultAzureCredential() as credential:
        where = {"base_url": endpoint, "credential_scopes": [scope]}
        async with NetworkManagementClient(credential, subscription, **where) as client:
            print([network.name async for network in client.virtual_networks.list_all()])

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the SDKs."""
    return installed("CONFORMANCE_SDK", tmp_path_factory.mktemp("sdk") / "venv", PACKAGES, "python")


def test_the_sdks_walk_through_everything_the_books_touch(python: Path, tmp_path: Path) -> None:
    estate = scene(tmp_path, "avd-small", page_size=2)
    with simulated(tmp_path, "--scenario", estate, "--speed", "600") as running:
        tenant = running.said["subscriptions"][0]["tenantId"]
        done = subprocess.run(
            [str(python), str(WALK), running.endpoint, SUB, tenant],
            env={**environment(), **running.said["env"]},
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        answered = [r["status"] for r in running.requests()]
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [step for step in steps if step["found"] != step["wanted"]] == []
    assert steps[-1]["step"] == "the end"
    assert len(steps) > 70
    assert [status for status in answered if status >= 500] == []


def test_a_script_with_the_default_credential_is_signed_in_through_the_azure_cli(
    python: Path, az: Path, tmp_path: Path
) -> None:
    with simulated(tmp_path, "--scenario", "arc-ga") as running:
        paths = os.pathsep.join([str(az.parent), os.environ["PATH"]])
        done = subprocess.run(
            [str(python), "-c", LIST, SUB, running.endpoint, "https://management.core.windows.net//.default"],
            env={**environment(), **running.said["env"], "PATH": paths},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert (done.returncode, done.stdout.strip()) == (0, "['vnet-hub']"), done.stderr
