"""The truth table against real DNS servers on loopback: what each mistake in their configuration looks like."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.dns.model import Cell, Rule, Table
from runbook.wiring import look_again
from runbook.wiring.names import truth
from tests.dns.servers import dnsmasq, program, unbound, upstream

GBL = "gbl.his.arc.azure.com"
SUFFIXES = ("his.arc.azure.com", "guestconfiguration.azure.com", "dp.kubernetesconfiguration.azure.com")
INSIDE = {
    "gbl.his.arc.azure.com": "10.20.1.4",
    "we.his.arc.azure.com": "10.20.1.5",
    "eu-ats.his.arc.azure.com": "10.20.1.6",
    "agentserviceapi.guestconfiguration.azure.com": "10.20.1.7",
    "we-gas.guestconfiguration.azure.com": "10.20.1.8",
    "westeurope-gas.guestconfiguration.azure.com": "10.20.1.9",
    "westeurope.dp.kubernetesconfiguration.azure.com": "10.20.1.10",
}
"""What the rehearsal's endpoint has."""


def private(name: str) -> str:
    """``gbl.his.arc.azure.com`` → ``gbl.privatelink.his.arc.azure.com``."""
    first, _, rest = name.partition(".")
    return f"{first}.privatelink.{rest}"


AZURE = {**{name: private(name) for name in INSIDE}, **{private(name): address for name, address in INSIDE.items()}}
PUBLIC = {**{name: private(name) for name in INSIDE}, **{private(name): "203.0.113.20" for name in INSIDE}}


async def table(home: Path, *servers: str) -> Table:
    return await truth(look_again(home, "arc"), servers)


def cell(found: Table, server: str, name: str = GBL) -> Cell:
    return found.cells[name, f"resolver:{server}"]


def forwards(port: int, *suffixes: str) -> list[str]:
    return [f"server=/{suffix}/127.0.0.1#{port}" for suffix in suffixes]


async def test_a_server_that_forwards_the_public_suffixes_is_right(finished: Path, tmp_path: Path) -> None:
    async with upstream(AZURE) as (_, azure), upstream(PUBLIC) as (_, public):
        async with dnsmasq(tmp_path, f"server=127.0.0.1#{public}", *forwards(azure, *SUFFIXES)) as server:
            found = await table(finished, server)
    assert not found.is_wrong
    right = cell(found, server)
    assert right.rule is Rule.OK
    assert right.answer is not None
    assert right.answer.chain == ("gbl.privatelink.his.arc.azure.com",)
    assert (right.answer.transport, right.answer.ttl_s) == ("udp", 300)


async def test_a_server_that_forwards_nothing_gives_public_answers(finished: Path, tmp_path: Path) -> None:
    async with upstream(PUBLIC) as (_, public), dnsmasq(tmp_path, f"server=127.0.0.1#{public}") as server:
        found = await table(finished, server)
    assert {cell(found, server, name).rule for name in INSIDE} == {Rule.PUBLIC_ANSWER}
    assert "forwarded to a resolver" in cell(found, server).fix


async def test_forwarding_the_privatelink_names_alone_is_named(finished: Path, tmp_path: Path) -> None:
    inner = [f"privatelink.{suffix}" for suffix in SUFFIXES]
    async with upstream(AZURE) as (_, azure), upstream(PUBLIC) as (_, public):
        async with dnsmasq(tmp_path, f"server=127.0.0.1#{public}", *forwards(azure, *inner)) as server:
            found = await table(finished, server)
    wrong = cell(found, server)
    assert wrong.rule is Rule.FORWARDS_PRIVATELINK
    assert wrong.fix.startswith("Have his.arc.azure.com forwarded, instead of privatelink.his.arc.azure.com")


async def test_a_server_that_follows_aliases_by_itself_is_right_with_privatelink_names_too(
    finished: Path, tmp_path: Path
) -> None:
    """Unbound looks the alias up anew, so the usual mistake is none there: only what is answered counts."""
    async with upstream(AZURE) as (_, azure), upstream(PUBLIC) as (_, public):
        zones = [forward(f"privatelink.{s}", azure) for s in SUFFIXES]
        async with unbound(tmp_path, (), forward(".", public), *zones) as server:
            found = await table(finished, server)
    assert cell(found, server).rule is Rule.OK


def forward(zone: str, port: int) -> str:
    return f'forward-zone:\n  name: "{zone}"\n  forward-addr: 127.0.0.1@{port}'


@pytest.mark.parametrize("kind", ["dnsmasq", "unbound"])
async def test_a_zone_of_its_own_without_the_record_is_a_black_hole(kind: str, finished: Path, tmp_path: Path) -> None:
    if kind == "dnsmasq":
        running = dnsmasq(tmp_path, "local=/his.arc.azure.com/")
    else:
        running = unbound(tmp_path, ['local-zone: "his.arc.azure.com." static'])
    async with running as server:
        found = await table(finished, server)
    wrong = cell(found, server)
    assert (wrong.rule, wrong.observed) == (Rule.BLACK_HOLE, "NXDOMAIN")
    assert "a private zone without this record" in wrong.cause or "holds a zone of its own" in wrong.cause


@pytest.mark.parametrize("kind", ["dnsmasq", "unbound"])
async def test_an_outdated_entry_of_its_own_is_told_from_a_cached_one(
    kind: str, finished: Path, tmp_path: Path
) -> None:
    if kind == "dnsmasq":
        running = dnsmasq(tmp_path, f"host-record={GBL},10.20.9.9")
    else:
        running = unbound(tmp_path, [f'local-data: "{GBL}. 3600 IN A 10.20.9.9"'])
    async with running as server:
        found = await table(finished, server)
    wrong = cell(found, server)
    assert (wrong.rule, wrong.observed) == (Rule.OLD_RECORD, "10.20.9.9")
    assert f"corrected to {GBL} 10.20.1.4" in wrong.fix


async def test_an_entry_that_names_another_endpoint_says_whose_address_it_is(finished: Path, tmp_path: Path) -> None:
    async with unbound(tmp_path, ['local-data: "rdweb.wvd.microsoft.com. 60 IN A 10.40.1.12"']) as server:
        found = await truth(look_again(finished, "avd"), [server])
    wrong = cell(found, server, "rdweb.wvd.microsoft.com")
    assert wrong.rule is Rule.ANOTHER_ENDPOINT
    assert "pe-ws-finance-feed" in wrong.cause


async def test_an_old_answer_in_a_cache_is_told_with_the_time_it_has_left(finished: Path, tmp_path: Path) -> None:
    """The name was asked for before the switch; the others are asked for the first time after it."""
    from runbook.here.lookups import NamedServer

    async with upstream(PUBLIC) as (azure, port), dnsmasq(tmp_path, f"server=127.0.0.1#{port}") as server:
        before = await NamedServer("127.0.0.1", int(server.rpartition(":")[2])).ask(GBL)
        assert before.addresses == ("203.0.113.20",)
        azure.table = dict(AZURE)
        found = await table(finished, server)
    stale = cell(found, server)
    assert stale.rule is Rule.STALE_CACHE
    assert stale.answer is not None
    assert stale.answer.ttl_s is not None
    assert 0 < stale.answer.ttl_s <= 300
    assert f"{stale.answer.ttl_s} s more" in stale.cause
    assert cell(found, server, "we.his.arc.azure.com").rule is Rule.OK


async def test_a_server_that_serves_others_only_refuses(finished: Path, tmp_path: Path) -> None:
    async with unbound(tmp_path, ["access-control: 127.0.0.0/8 refuse"]) as server:
        found = await table(finished, server)
    assert {cell(found, server, name).rule for name in INSIDE} == {Rule.REFUSED}
    assert [f.rule for f in found.findings] == [Rule.REFUSED]


async def test_two_servers_that_disagree_are_named_as_a_pair(finished: Path, tmp_path: Path) -> None:
    async with upstream(AZURE) as (_, azure), upstream(PUBLIC) as (_, public):
        good = dnsmasq(tmp_path / "good", f"server=127.0.0.1#{azure}")
        bad = dnsmasq(tmp_path / "bad", f"server=127.0.0.1#{public}")
        async with good as right, bad as wrong:
            found = await table(finished, right, wrong)
    split = next(f for f in found.findings if f.rule is Rule.SPLIT_ANSWERS)
    assert len(split.names) == len(INSIDE)
    assert f"{right} is right, {wrong} is not" in split.cause


async def test_a_server_that_is_not_there_is_asked_a_few_times_only(finished: Path) -> None:
    found = await table(finished, "127.0.0.1:9")
    assert {cell(found, "127.0.0.1:9", name).rule for name in INSIDE} == {Rule.TIMEOUT}


def test_a_missing_server_skips_with_one_plain_sentence() -> None:
    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed"):
        program("no-such-server")


async def test_a_forwarder_that_leads_to_the_wrong_server_is_told_with_what_to_forward_to(
    finished: Path, tmp_path: Path
) -> None:
    async with upstream({}) as (stranger, port):
        stranger.refuses = True
        async with unbound(tmp_path, (), *(forward(suffix, port) for suffix in SUFFIXES)) as server:
            found = await table(finished, server)
    assert {cell(found, server, name).rule for name in INSIDE} == {Rule.SERVER_FAILURE}
    assert "168.63.129.16 itself answers inside Azure only" in cell(found, server).fix
