"""``runbook dns`` as scripts and people meet it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.cli.names import names_of
from runbook.cli.reading import view_of
from runbook.dns.model import Answer, Rule
from runbook.wiring import look_again
from runbook.wiring.names import truth
from tests.cli.conftest import Shell
from tests.live.cloud import RUN, azure, begin, drive


def test_a_finished_run_is_right_everywhere_and_stays_as_it_is(shell: Shell, finished: Path) -> None:
    files = [finished / "runs" / "arc" / name for name in ("journal.db", "cloud.db")]
    before = [file.read_bytes() for file in files]
    ended = shell("dns", "arc")
    assert ended.code == 0
    assert "Nothing is wrong. 7 names: 14 of 14 lookups are right" in " ".join(ended.out.split())
    assert "privatelink.his.arc.azure.com" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80
    assert [file.read_bytes() for file in files] == before


def test_the_json_has_the_published_form(shell: Shell, finished: Path) -> None:
    ended = shell("dns", "avd", "--json")
    doc = json.loads(ended.out)
    assert ended.code == 0
    assert set(doc) == {"run", "keeps", "names", "places", "cells", "reached", "findings", "remarks", "totals"}
    assert set(doc["names"][0]) == {"name", "address", "recorded", "zone", "endpoint", "source"}
    assert set(doc["places"][0]) == {"id", "kind", "title", "how", "why_not"}
    assert set(doc["cells"][0]) == {
        *("name", "place", "rule", "observed", "cause", "fix"),
        *("status", "chain", "addresses", "ttl_s", "server", "transport"),
    }
    assert set(doc["reached"][0]) == {"name", "address", "port", "rule", "told"}
    assert len(doc["cells"]) == len(doc["names"]) * len(doc["places"])
    assert doc["totals"] == {"ok": 26, "wrong": 0, "unseen": 13}
    assert {n["zone"] for n in doc["names"]} == {
        "privatelink.wvd.microsoft.com",
        "privatelink-global.wvd.microsoft.com",
    }
    assert {n["source"] for n in doc["names"]} == {"the endpoint's network interface"}
    assert any("every TCP port" in remark for remark in doc["remarks"])


def test_a_run_without_an_endpoint_has_nothing_to_look_up(shell: Shell) -> None:
    assert shell("rehearse", "--headless", "--run-id", "young").code == 4
    ended = shell("dns", "young")
    assert ended.code == 0
    assert "No names yet" in ended.out
    assert shell("dns", "young", "--export", "hosts").code == 2


def test_a_run_or_a_server_that_is_none_is_told(shell: Shell, finished: Path) -> None:
    assert shell("dns", "nowhere").code == 2
    ended = shell("dns", "arc", "--resolver", "dc01")
    assert ended.code == 2
    assert "no address of a DNS server" in ended.err


def test_a_pasted_file_is_a_place_of_its_own(shell: Shell, finished: Path, tmp_path: Path) -> None:
    file = tmp_path / "jump-host.txt"
    file.write_text("gbl.his.arc.azure.com has address 10.20.1.4\n", encoding="utf-16")
    ended = shell("dns", "arc", "--paste", str(file))
    assert ended.code == 0
    assert "  C jump-host.txt: pasted; it counts as the word of whoever ran it" in ended.out.splitlines()


def test_what_is_piped_in_is_read_too(finished: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "runbook", "--home", str(finished), "dns", "arc", "--paste", "-", "--json"],
        input="gbl.his.arc.azure.com has address 203.0.113.9\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == 11, said.stderr
    assert [(f["rule"], f["place"]) for f in json.loads(said.stdout)["findings"]] == [("public-answer", "stdin")]


def test_the_screen_reads_the_same_table_as_the_command(finished: Path) -> None:
    table = names_of(finished)(view_of(finished, "arc")[0])
    assert table.totals == {"ok": 14, "wrong": 0, "unseen": 7}


def test_of_a_live_run_azure_is_only_read_and_what_cannot_be_seen_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with azure("arc-ga", monkeypatch) as there:
        begin(tmp_path, there)
        drive(tmp_path, there)
        writes = list(there.writes)
        asked: list[str] = []

        async def system(name: str) -> Answer:
            asked.append(name)
            return Answer(name, "NOERROR", (), ("203.0.113.9",), "this machine")

        lookout = look_again(tmp_path, RUN, lambda _: there.signed_in())
        table = asyncio.run(truth(lookout, system=system))
        assert there.writes == writes
    assert len(asked) >= 7
    rules = {p.kind: {table.cells[n.fqdn, p.id].rule for n in table.names} for p in table.places}
    assert rules == {
        "network": {Rule.OK},
        "premises": {Rule.NOT_PROVABLE},
        "here": {Rule.NOT_PROVABLE},
        "machine": {Rule.NOT_PROVABLE},
    }
    assert not table.is_wrong
    assert {r.rule for r in table.reached} == {Rule.NOT_PROVABLE}
