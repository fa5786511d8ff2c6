"""The commands of the articles that the books began with, typed word for word into the program that people use."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.az import run_az
from tests.conformance.differences import apart
from tests.conformance.lines import READS, Way, Write, lines_of
from tests.served.simulate import SUB, Simulated, simulated

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(300)]

SEEDS = Path(__file__).resolve().parents[2].parent / "shared" / "seeds"
KNOWN = (
    "az account show",
    "az account set -s <SubscriptionNameOrId>",
    "az provider register --namespace Microsoft.HybridCompute",
    "az feature register --namespace Microsoft.Network --name AllowPrivateEndpoints",
    "az feature register --namespace Microsoft.HybridCompute --name ArcServerPrivateLinkPreview",
)
"""Every az line of "Use Azure Private Link to securely connect networks to Azure Arc enabled servers", 2021-03-18. The
other article, "Use Azure Private Link with Azure Virtual Desktop (preview)", 2022-12-06, has none."""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulated(tmp_path_factory.mktemp("empty"), "--empty", "--speed", "600") as running:
        yield running


def test_no_line_of_the_articles_is_missing_here() -> None:
    if not SEEDS.is_dir():
        pytest.skip(f"the articles are not at {SEEDS}")
    found = [line.strip() for file in SEEDS.iterdir() for line in file.read_text("utf-8").splitlines()]
    assert {line for line in found if re.match(r"az\s", line)} == set(KNOWN)


@pytest.mark.parametrize("line", KNOWN)
def test_a_line_of_the_articles_succeeds_and_writes_what_the_book_writes(
    line: str, az: Path, empty: Simulated, tmp_path: Path
) -> None:
    before = len(empty.requests())
    for stands_for in ("Contoso Branch Offices", SUB) if "<" in line else ("",):
        words = [word.replace("<SubscriptionNameOrId>", stands_for) for word in shlex.split(line)]
        ran = run_az(az, empty.said["env"], words[1:])
        assert ran.rc == 0, ran.err
    requests = empty.requests()[before:]
    writes = [Write(r["method"], r["path"], r["body"], r["headers"]) for r in requests if r["method"] not in READS]
    if words[1] == "account":
        assert requests == []  # who is signed in, and where, is known without a call
        return
    (write,) = writes
    lines = {
        shown.write.path.lower(): shown.write for shown in lines_of(tmp_path, Way("arc-private-link", "arc-preview"))
    }
    assert apart(lines[write.path.lower()], write) == ([], set())


def test_the_articles_sign_in_checks_show_who_is_signed_in(az: Path, empty: Simulated) -> None:
    shown = run_az(az, empty.said["env"], ["account", "show"]).json
    assert shown["id"] in {s["id"] for s in empty.said["subscriptions"]}
    assert (shown["environmentName"], shown["user"]["type"]) == ("Rehearsal", "user")


def test_signing_in_by_device_code_works_and_stays_here(az: Path, empty: Simulated, tmp_path: Path) -> None:
    env = {**empty.said["env"], "AZURE_CONFIG_DIR": str(tmp_path / "mine")}
    register = ["cloud", "register", "--name", "Mine", "--endpoint-resource-manager", empty.endpoint]
    for words in (register, ["cloud", "set", "--name", "Mine"], ["login", "--use-device-code"]):
        ran = run_az(az, env, words)
        assert ran.rc == 0, ran.err
    assert [s["id"] for s in ran.json] == [s["id"] for s in empty.said["subscriptions"]]
    assert run_az(az, env, ["group", "list"]).json == []


def test_nothing_of_the_operators_own_is_touched(az: Path, empty: Simulated, tmp_path: Path) -> None:
    home = tmp_path / "operator"
    home.mkdir()
    ran = run_az(az, {**empty.said["env"], "HOME": str(home)}, ["group", "list"])
    assert ran.rc == 0, ran.err
    assert [path for path, _, files in os.walk(home) if files] == []


def test_az_is_told_of_errors_as_azure_tells_of_them(az: Path, empty: Simulated) -> None:
    missing = run_az(az, empty.said["env"], ["network", "private-endpoint", "show", "-g", "rg-none", "-n", "none"])
    assert (missing.rc, "(ResourceGroupNotFound)" in missing.err) == (3, True)
    refused = run_az(az, empty.said["env"], ["group", "create", "-n", "rg", "-l", "nowhere"])
    assert (refused.rc, "(LocationNotAvailableForResourceType)" in refused.err) == (1, True)
    raw = run_az(az, empty.said["env"], ["rest", "--method", "get", "--url", "/subscriptions/x?api-version=2022-12-01"])
    assert (raw.rc, "SubscriptionNotFound" in raw.err) == (1, True)
