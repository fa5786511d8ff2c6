"""What is handed to other DNS servers works there: the real servers load it and answer rightly."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from runbook.core.error import UsageError
from runbook.dns.export import UNKNOWN, export
from runbook.dns.model import Table
from runbook.here.lookups import NamedServer
from runbook.wiring import look_again
from runbook.wiring.names import truth
from tests.cli.conftest import Shell
from tests.dns.servers import dnsmasq, program, unbound, upstream, written
from tests.dns.test_servers import AZURE, GBL, INSIDE, SUFFIXES

FORMS = ("bind", "unbound", "dnsmasq", "windows", "hosts")


async def table(home: Path) -> Table:
    return await truth(look_again(home, "arc"))


def asked(address: str) -> NamedServer:
    return NamedServer("127.0.0.1", int(address.rpartition(":")[2]))


@pytest.mark.parametrize("form", ["bind", "unbound", "dnsmasq", "windows"])
async def test_forwarders_name_the_public_suffixes_and_never_the_privatelink_names(form: str, finished: Path) -> None:
    text = export(await table(finished), form, "10.20.0.4")
    lines = [line for line in text.splitlines() if not line.startswith(("#", "//"))]
    for suffix in SUFFIXES:
        assert any(suffix in line for line in lines)
    assert not any("privatelink" in line for line in lines)
    assert not any("168.63.129.16" in line for line in lines)
    assert any("10.20.0.4" in line for line in lines)
    assert "privatelink.his.arc.azure.com" in text, "the zones to link are named in a remark"


async def test_forwarders_without_a_target_say_what_to_put_there(finished: Path) -> None:
    assert UNKNOWN in export(await table(finished), "bind")


@pytest.mark.parametrize(("to", "said"), [("168.63.129.16", "inside Azure only"), ("dc01", "no IP address")])
async def test_a_target_that_cannot_work_is_refused(to: str, said: str, finished: Path) -> None:
    with pytest.raises(UsageError, match=said):
        export(await table(finished), "bind", to)


@pytest.mark.parametrize("form", FORMS)
async def test_own_records_are_every_name_once_and_no_whole_suffix(form: str, finished: Path) -> None:
    text = export(replace(await table(finished), keeps="own"), form)
    for name, address in INSIDE.items():
        assert any(name in line and address in line for line in text.splitlines())
    for suffix in SUFFIXES:
        assert f'"{suffix}"' not in text
        assert f"-Name {suffix} " not in text


@pytest.mark.parametrize("keeps", ["azure", "own"])
async def test_bind_finds_nothing_wrong_with_what_is_exported_for_it(
    keeps: str, finished: Path, tmp_path: Path
) -> None:
    text = export(replace(await table(finished), keeps=keeps), "bind", "" if keeps == "own" else "10.20.0.4")
    conf = written(tmp_path, "named.conf", text.splitlines())
    check = await asyncio.create_subprocess_exec(
        program("named-checkconf"), str(conf), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await check.communicate()
    assert (check.returncode, told) == (0, b"")


async def test_dnsmasq_takes_the_exported_records(finished: Path, tmp_path: Path) -> None:
    text = export(replace(await table(finished), keeps="own"), "dnsmasq")
    async with dnsmasq(tmp_path, *text.splitlines()) as server:
        assert (await asked(server).ask(GBL)).addresses == ("10.20.1.4",)


async def test_unbound_takes_the_exported_records(finished: Path, tmp_path: Path) -> None:
    text = export(replace(await table(finished), keeps="own"), "unbound")
    async with unbound(tmp_path, (), *text.splitlines()) as server:
        assert (await asked(server).ask(GBL)).addresses == ("10.20.1.4",)


async def test_dnsmasq_takes_the_exported_forwarders_and_the_table_is_right(finished: Path, tmp_path: Path) -> None:
    text = export(await table(finished), "dnsmasq", "127.0.0.1")
    async with upstream(AZURE) as (_, azure):
        lines = [line.replace("/127.0.0.1", f"/127.0.0.1#{azure}") for line in text.splitlines()]
        async with dnsmasq(tmp_path, "stop-dns-rebind", *lines) as server:
            found = await truth(look_again(finished, "arc"), [server])
    assert not found.is_wrong


async def test_unbound_takes_the_exported_forwarders_and_the_table_is_right(finished: Path, tmp_path: Path) -> None:
    """Also where private addresses in answers are otherwise dropped."""
    text = export(await table(finished), "unbound", "127.0.0.1")
    async with upstream(AZURE) as (_, azure):
        lines = [line.replace("127.0.0.1", f"127.0.0.1@{azure}") for line in text.splitlines()]
        async with unbound(tmp_path, ["private-address: 10.0.0.0/8"], *lines) as server:
            found = await truth(look_again(finished, "arc"), [server])
    assert not found.is_wrong


def test_the_command_prints_an_export_and_nothing_else(shell: Shell, finished: Path) -> None:
    ended = shell("dns", "arc", "--export", "bind", "--to", "10.20.0.4")
    assert ended.code == 0
    assert ended.err == ""
    assert 'zone "his.arc.azure.com" { type forward; forward only; forwarders { 10.20.0.4; }; };' in ended.out


@pytest.mark.parametrize("args", [("--to", "10.0.0.4"), ("--export", "bind", "--json")])
def test_options_that_do_not_fit_together_are_refused(args: tuple[str, ...], shell: Shell, finished: Path) -> None:
    assert shell("dns", "arc", *args).code == 2
