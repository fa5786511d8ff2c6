"""What a change shows in its three faces is the one call that it declares."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from runbook.book import load_step
from runbook.core.entry import Kind
from runbook.core.error import Refused
from runbook.step import Changes, Verdict, Waiting
from tests.crash.harness import begin, play
from tests.sim.openapi import find, needs_specs, request_problems
from tests.steps.az import COMMANDS, Write, write_of
from tests.steps.table import HERE, MAIN, Case, cases, context, tables

RECORDED = yaml.safe_load((HERE / "az_recorded.yaml").read_text())
CMDLETS = {
    cmdlet: {f"-{p}".lower() for p in parameters}
    for module in yaml.safe_load((HERE / "cmdlets.yaml").read_text()).values()
    for cmdlet, parameters in module.items()
}
SCENARIOS = ("arc-preview", "arc-ga", "arc-brownfield", "arc-trouble")


@dataclass(frozen=True, slots=True)
class Shown:
    """A change as a screen shows it."""

    origin: str
    doc: Any

    @property
    def write(self) -> Write:
        return Write(self.doc["method"], self.doc["path"], self.doc["body"], self.doc["headers"])

    def __str__(self) -> str:
        return f"{self.origin}: {self.doc['title']}"


@cache
def verdicts() -> list[tuple[Case, Verdict]]:
    """What every step says in every row of its table."""

    async def look() -> list[tuple[Case, Verdict]]:
        found = []
        for path in tables():
            for case in cases(path):
                step = load_step(case.step)
                try:
                    params = TypeAdapter(step.Params).validate_python(case.params)
                    found.append((case, await step(params).observe(context(case))))
                except Refused:
                    continue
        return found

    return asyncio.run(look())


def of_tables() -> list[Shown]:
    """Every change that a step's table brings about."""
    changes = [(case, c) for case, verdict in verdicts() if isinstance(verdict, Changes) for c in verdict.changes]
    return [Shown(str(case), json.loads(json.dumps(change.doc()))) for case, change in changes]


@cache
def of_rehearsals() -> list[Shown]:
    """Every change that the shipped scenarios bring about; between them they play both editions."""
    found = []
    for scenario in SCENARIOS:
        with TemporaryDirectory() as folder:
            begin(Path(folder), scenario)
            for entry in play(Path(folder)).entries:
                if entry.kind is Kind.OBSERVED:
                    found += [Shown(f"{scenario} {entry.node}", c) for c in entry.data.get("changes", ())]
    return found


def everything() -> list[Shown]:
    return [*of_tables(), *of_rehearsals()]


def same(one: Write, other: Write) -> bool:
    """Whether two writes are one, but for letter case in the path and what a client adds of itself."""
    return (one.method, one.path.lower(), _plain(one.body), dict(one.headers)) == (
        other.method,
        other.path.lower(),
        _plain(other.body),
        dict(other.headers),
    )


def _plain(body: Any) -> Any:
    if not isinstance(body, dict) or "properties" not in body:
        return body
    return {**body, "properties": {k: v for k, v in body["properties"].items() if k != "ipVersionType"}}


# ---------------------------------------------------------------- az


@pytest.mark.parametrize("row", RECORDED, ids=lambda r: r["az"][:60])
def test_what_we_know_of_a_command_is_what_was_recorded(row: dict[str, Any]) -> None:
    row = json.loads(json.dumps(row).replace("{sub}", MAIN))
    wanted = Write(**{"headers": {}, "body": None, **row["write"]})
    assert write_of(shlex.split(row["az"]), MAIN) == wanted


def test_every_command_we_know_was_recorded() -> None:
    seen = {
        words for row in RECORDED for words in COMMANDS if tuple(shlex.split(row["az"])[1 : 1 + len(words)]) == words
    }
    assert seen == set(COMMANDS)


def test_a_native_az_line_makes_exactly_the_write_that_the_change_declares() -> None:
    natives = [s for s in everything() if s.doc["az"][:2] != ["az", "rest"]]
    assert {w for s in natives for w in COMMANDS if tuple(s.doc["az"][1 : 1 + len(w)]) == w} == set(COMMANDS)
    wrong = [str(s) for s in natives if not same(write_of(s.doc["az"]), s.write)]
    assert wrong == []
    assert [str(s) for s in natives if "--subscription" not in s.doc["az"]] == []


def test_a_raw_az_line_makes_exactly_the_write_that_the_change_declares() -> None:
    rests = [s for s in everything() if s.doc["az"][:2] == ["az", "rest"]]
    assert rests
    for shown in rests:
        names = shown.doc["az"][2::2]
        given = dict(zip(names, shown.doc["az"][3::2], strict=True))
        path, _, query = given["--url"].partition("?")
        assert query == f"api-version={shown.doc['api_version']}", shown
        body = json.loads(given["--body"]) if "--body" in given else None
        assert same(Write(given["--method"].upper(), path, body), shown.write), shown
        assert set(names) <= {"--method", "--url", "--body"}, shown


def test_the_az_line_on_the_screen_is_the_one_that_is_run() -> None:
    for shown in everything():
        assert shlex.split(shown.doc["command"]["az"]) == shown.doc["az"], shown


# ---------------------------------------------------------------- PowerShell


def cmdlets_in(text: str) -> Iterator[tuple[str, set[str]]]:
    """Each cmdlet of some PowerShell lines with the parameters given to it."""
    open_: list[tuple[str, set[str]]] = [("", set())]
    before = ""
    for token in re.findall(r"'(?:[^']|'')*'|[|;()\n]|[^\s|;()']+", text):
        if token == "(":
            open_.append(("", set()))
        elif token in ")|;\n":
            if open_[-1][0]:
                yield open_[-1]
            open_[-1] = ("", set())
            if token == ")" and len(open_) > 1:
                open_.pop()
        elif re.fullmatch(r"[A-Z][a-z]+-[A-Z]\w+", token) and not before.startswith("-"):
            open_[-1] = (token, set())
        elif re.match(r"-[A-Za-z]", token):
            open_[-1][1].add(token.lower())
        before = token
    yield from (found for found in open_ if found[0])


def powershell_in(text: str) -> str:
    """The lines of a text that are PowerShell: those with a cmdlet."""
    return "\n".join(line for line in text.splitlines() if re.search(r"(?<![\w-])[A-Z][a-z]+-[A-Z]\w+", line))


def misspelt(text: str) -> list[str]:
    found = []
    for cmdlet, parameters in cmdlets_in(powershell_in(text)):
        if cmdlet not in CMDLETS:
            found.append(f"{cmdlet}: not in the table")
        else:
            found += [f"{cmdlet} {p}" for p in sorted(parameters - CMDLETS[cmdlet])]
    return found


def test_a_misspelt_cmdlet_or_parameter_would_be_found() -> None:
    assert misspelt("New-AzResourceGroup -Name a -Location b") == []
    assert misspelt("New-AzResourceGroup -Nmae a -Location 'it''s -Odd'") == ["New-AzResourceGroup -nmae"]
    assert misspelt("Set-AzContext -Subscription s | Out-Null; New-AzResourceGruop -Name a") == [
        "New-AzResourceGruop: not in the table"
    ]
    assert misspelt("$a | Set-AzVirtualNetwork -X (New-AzPrivateDnsZoneConfig -Name a -Y b), (Get-AzContext -Z)") == [
        "New-AzPrivateDnsZoneConfig -y",
        "Get-AzContext -z",
        "Set-AzVirtualNetwork -x",
    ]


def test_every_powershell_line_uses_cmdlets_and_parameters_that_exist() -> None:
    wrong = {
        f"{shown}: {word}"
        for shown in everything()
        for word in misspelt(f"{shown.doc['command']['powershell']}\n{shown.doc['command']['by_hand']}")
    }
    assert wrong == set()


def test_messages_to_hand_over_use_cmdlets_and_parameters_that_exist() -> None:
    drafts = [verdict.draft for _, verdict in verdicts() if isinstance(verdict, Waiting)]
    text = "\n".join(drafts)
    assert misspelt(text) == []
    assert "Add-DnsServerConditionalForwarderZone" in text


def test_a_raw_powershell_line_makes_exactly_the_write_that_the_change_declares() -> None:
    raws = [s for s in everything() if s.doc["command"]["powershell"].startswith("Invoke-AzRestMethod")]
    assert raws
    for shown in raws:
        line = shown.doc["command"]["powershell"]
        match = re.fullmatch(r"Invoke-AzRestMethod -Method (\w+) -Path '((?:[^']|'')+)'(?: -Payload '(.*)')?", line)
        assert match is not None, line
        body = None if match[3] is None else json.loads(match[3].replace("''", "'"))
        url = match[2].replace("''", "'")
        assert url == f"{shown.doc['path']}?api-version={shown.doc['api_version']}"
        assert same(Write(match[1], shown.doc["path"], body), shown.write), shown
        assert not shown.doc["headers"], "this cmdlet cannot send headers"


def test_a_native_powershell_line_acts_in_the_subscription_of_the_change() -> None:
    for shown in everything():
        line = shown.doc["command"]["powershell"]
        if not line.startswith("Invoke-AzRestMethod"):
            subscription = shown.doc["path"].split("/")[2]
            assert line.startswith(f"Set-AzContext -Subscription {subscription} | Out-Null; "), shown


# ---------------------------------------------------------------- REST


@needs_specs
def test_every_write_fits_the_description_that_azure_publishes_of_it() -> None:
    wrong: set[str] = set()
    newer: set[str] = set()
    for shown in everything():
        call = shown.doc["method"], shown.doc["path"]
        version = shown.doc["api_version"]
        if version > find(*call, version).version:
            newer.add(shown.origin.partition(" ")[0])
            continue
        wrong |= {f"{shown}: {problem}" for problem in request_problems(*call, shown.doc["body"], version)}
    assert wrong == set()
    # Its api-version is read from Azure's own list; no description that new is at hand.
    assert newer == {"avd.shortpath"}
