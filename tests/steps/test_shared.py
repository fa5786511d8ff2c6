"""What steps of several domains share: names and their zones, lookups and how many of them are shown."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from runbook.core.error import Refused
from runbook.core.together import together
from runbook.step import DnsAnswer
from steps._shared import versions
from steps._shared.endpoints import version_of
from steps._shared.look import readable
from steps._shared.lookups import MOST_CHECKS, checks_of, look_up
from steps._shared.records import Record, record_of, suffix_of, zones_of_group
from tests.steps.table import TableCloud

FEED, DISCOVERY = "privatelink.wvd.microsoft.com", "privatelink-global.wvd.microsoft.com"
GROUP = "/subscriptions/s/resourceGroups/g/providers"


# ---------------------------------------------------------------- names and zones


@pytest.mark.parametrize(
    ("zone", "suffix"),
    [
        (FEED, "wvd.microsoft.com"),
        (DISCOVERY, "wvd.microsoft.com"),
        ("Privatelink.his.arc.azure.com", "his.arc.azure.com"),
        ("privatelinked.contoso.com", "privatelinked.contoso.com"),
        ("contoso.com", "contoso.com"),
    ],
)
def test_the_public_suffix_of_a_zone_is_what_follows_its_first_label(zone: str, suffix: str) -> None:
    assert suffix_of(zone) == suffix


def test_a_sub_resource_writes_into_the_zones_of_all_and_into_its_own() -> None:
    assert zones_of_group([FEED, DISCOVERY], "connection") == [FEED]
    assert zones_of_group([FEED, DISCOVERY], "Global") == [FEED, DISCOVERY]


def test_a_name_goes_into_the_most_particular_zone_that_fits() -> None:
    assert record_of("rdweb.wvd.microsoft.com", "1", [DISCOVERY, FEED]).zone == DISCOVERY
    assert record_of("a.b.wvd.microsoft.com", "1", [FEED, "privatelink.b.wvd.microsoft.com"]).name == "a"
    assert record_of("a.contoso.com", "1", [FEED]) == Record("a.contoso.com", "1", "", "a.contoso.com")


def test_a_private_name_is_relative_to_its_zone_like_the_public_one() -> None:
    assert record_of(f"w1.{FEED}", "1", [FEED]) == Record(f"w1.{FEED}", "1", FEED, "w1")
    assert record_of("w1.wvd.microsoft.com.", "1", [FEED]).name == "w1"


def test_connections_of_a_target_are_read_with_its_providers_version() -> None:
    assert version_of(f"{GROUP}/microsoft.desktopvirtualization/hostpools/h") == versions.AVD
    assert version_of(f"{GROUP}/Microsoft.HybridCompute/privateLinkScopes/p") == versions.HYBRID_COMPUTE
    assert version_of(f"{GROUP}/Microsoft.Storage/storageAccounts/s") == ""


# ---------------------------------------------------------------- lookups


@dataclass
class Dns:
    """Answers every name with its own address but for ``wrong``; ``blind`` places answer nothing."""

    wrong: frozenset[str] = frozenset()
    blind: frozenset[str] = frozenset()
    open: int = 0
    most: list[int] = field(default_factory=list)

    async def resolve(self, name: str, vantage: str) -> DnsAnswer | None:
        self.open += 1
        self.most.append(self.open)
        await asyncio.sleep(0)
        self.open -= 1
        if vantage in self.blind:
            return None
        address = "20.1.1.1" if name in self.wrong else "10.0.0.1"
        return DnsAnswer(name, (), (address,), "NOERROR", "a test")


def records(count: int, endpoints: int = 1) -> list[Record]:
    return [
        Record(f"n{n}.x.com", "10.0.0.1", "privatelink.x.com", f"n{n}", f"pe-{n % endpoints}") for n in range(count)
    ]


async def test_few_lookups_are_shown_one_by_one() -> None:
    checks = checks_of(await look_up(Dns(), records(MOST_CHECKS), ["on-premises"]))
    assert len(checks) == MOST_CHECKS
    assert checks[0].name == "n0.x.com from the premises"


async def test_many_lookups_are_summed_up_for_each_endpoint_and_place_with_the_wrong_ones_by_name() -> None:
    looks = await look_up(Dns(wrong=frozenset({"n3.x.com"})), records(30, endpoints=2), ["/v/one", "/v/two"])
    told = {c.name: (c.observed, c.ok) for c in checks_of(looks)}
    assert told == {
        "n3.x.com from one": ("20.1.1.1", False),
        "n3.x.com from two": ("20.1.1.1", False),
        "15 names of pe-0 from one": ("each its own", True),
        "15 names of pe-1 from one": ("1 of 15 are something else", False),
        "15 names of pe-0 from two": ("each its own", True),
        "15 names of pe-1 from two": ("1 of 15 are something else", False),
    }


async def test_names_of_very_many_endpoints_are_summed_up_for_each_zone() -> None:
    checks = checks_of(await look_up(Dns(), records(200, endpoints=200), ["/v/one"]))
    assert [c.name for c in checks] == ["200 names of privatelink.x.com from one"]


async def test_a_sum_says_that_a_place_cannot_be_looked_from() -> None:
    checks = checks_of(await look_up(Dns(blind=frozenset({"on-premises"})), records(50), ["on-premises"]))
    assert [(c.observed, c.ok) for c in checks] == [("not readable from here", True)]


async def test_lookups_run_several_at_a_time_and_come_back_in_order() -> None:
    dns = Dns()
    looks = await look_up(dns, records(20), ["/v/one", "/v/two"])
    assert 1 < max(dns.most) <= 8
    assert [(look.vantage, look.record.name) for look in looks[:2]] == [("/v/one", "n0"), ("/v/one", "n1")]
    assert looks[20].vantage == "/v/two"


# ---------------------------------------------------------------- reading


async def test_the_first_failure_of_several_reads_is_raised_once_all_have_ended() -> None:
    ended: list[int] = []

    async def read(number: int) -> int:
        await asyncio.sleep(0)
        ended.append(number)
        if number:
            raise LookupError(number)
        return number

    with pytest.raises(LookupError, match="1"):
        await together(read(n) for n in range(3))
    assert ended == [0, 1, 2]


async def test_a_collection_that_may_not_be_read_is_told_apart_from_an_empty_one() -> None:
    cloud = TableCloud(
        {
            "/closed": {"refused": "AuthorizationFailed", "status": 403},
            "/never": {"refused": "MissingSubscriptionRegistration", "status": 409},
            "/broken": {"refused": "InternalServerError", "status": 500},
        }
    )
    assert await readable(cloud, "/closed", "1") is None
    assert await readable(cloud, "/never", "1") == []
    with pytest.raises(Refused):
        await readable(cloud, "/broken", "1")
