"""Case tables of steps: a cloud as ``path: ARM object``, parameters and context in; what the step says out.

A table is one YAML file for each step. ``let`` names texts that ``{{name}}`` stands for; ``params``, ``cloud`` and
``ctx`` at the top are those of every case, and a case lays its own over them (``null`` removes a path).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from runbook.core.arm import Json
from runbook.core.docs import AppliedDoc, AttestDoc
from runbook.core.error import Refused
from runbook.step import DnsAnswer, RunFacts, StepContext

HERE = Path(__file__).parent
MAIN = "11111111-1111-4111-8111-111111111111"
BRANCH = "22222222-2222-4222-8222-222222222222"
TENANT = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
LET = {
    "main": MAIN,
    "branch": BRANCH,
    "tenant": TENANT,
    "sub": f"/subscriptions/{MAIN}",
    "home": f"/subscriptions/{MAIN}/resourceGroups/rg-arc",
    "net": f"/subscriptions/{MAIN}/resourceGroups/rg-network/providers/Microsoft.Network",
    "vnet": f"/subscriptions/{MAIN}/resourceGroups/rg-network/providers/Microsoft.Network/virtualNetworks/vnet-hub",
    "scope": f"/subscriptions/{MAIN}/resourceGroups/rg-arc/providers/Microsoft.HybridCompute/privateLinkScopes/pls-arc",
    "endpoint": f"/subscriptions/{MAIN}/resourceGroups/rg-arc/providers/Microsoft.Network/privateEndpoints/pe-arc",
    "zones": f"/subscriptions/{MAIN}/resourceGroups/rg-arc/providers/Microsoft.Network/privateDnsZones",
    "machines": f"/subscriptions/{MAIN}/resourceGroups/rg-servers/providers/Microsoft.HybridCompute/machines",
}
NOW_MS = 1_616_400_000_000
"""2021-03-22T08:00:00Z, the start of every case."""


@dataclass(frozen=True, slots=True)
class Case:
    """One row."""

    step: str
    it: str
    params: Json
    cloud: Json
    ctx: Json
    expect: Json

    def __str__(self) -> str:
        return f"{self.step} {self.it}"


@dataclass(frozen=True, slots=True)
class TableCloud:
    """Reads from the table. A list answers ``list``; ``{refused: code, status: n}`` is ARM's refusal."""

    objects: Mapping[str, Any]
    asked: list[str] = field(default_factory=list)

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        found = self._find(path, query)
        assert found is None or isinstance(found, dict), f"{path} is a collection: a step must list it"
        return found

    async def member(self, path: str, api_version: str, of: str) -> Json | None:
        return await self.get(path, api_version)

    async def list(self, path: str, api_version: str, **query: str) -> list[Json]:
        found = self._find(path, query)
        assert found is None or isinstance(found, list), f"{path} is one object: a step must get it"
        return found or []

    def _find(self, path: str, query: Mapping[str, str]) -> Any:
        keys = [f"{path}?{'&'.join(f'{k}={v}' for k, v in query.items())}".lower(), path.lower()]
        self.asked.append(keys[0].rstrip("?"))
        found = next((self.objects[k] for k in keys if k in self.objects), None)
        if isinstance(found, dict) and "refused" in found:
            raise Refused("refused by the table", status=found["status"], arm_code=found["refused"])
        return found


@dataclass(frozen=True, slots=True)
class TableDns:
    """``{vantage: {name: address | status}}``; nobody can stand at a place that is not in the table."""

    places: Mapping[str, Mapping[str, str]]

    async def resolve(self, name: str, vantage: str) -> DnsAnswer | None:
        answers = self.places.get(vantage.lower())
        if answers is None:
            return None
        said = answers.get(name, "NXDOMAIN")
        is_address = said[:1].isdigit()
        return DnsAnswer(name, (), (said,) if is_address else (), "NOERROR" if is_address else said, "a table")


def tables() -> list[Path]:
    return sorted(p for p in HERE.glob("*/*.yaml"))


def cases(path: Path) -> Iterator[Case]:
    """The rows of one table."""
    doc = _fill(yaml.safe_load(path.read_text(encoding="utf-8")), {})
    doc = _fill(doc, {**LET, **{k: str(v) for k, v in _fill(doc.get("let", {}), LET).items()}})
    step = f"{path.parent.name}.{path.stem}"
    for row in doc["cases"]:
        cloud = {**doc.get("cloud", {}), **row.get("cloud", {})}
        yield Case(
            step=step,
            it=row["it"],
            params={**doc.get("params", {}), **row.get("params", {})},
            cloud={k.lower(): v for k, v in cloud.items() if v is not None},
            ctx={**doc.get("ctx", {}), **row.get("ctx", {})},
            expect=row["expect"],
        )


def context(case: Case) -> StepContext:
    """What the step is given. Times are minutes before now.

    ``[minutes, text]`` is a word with its text; ``{ago, text, says, reference, dated}`` one with more to it.
    """
    said = case.ctx
    applied: list[AppliedDoc] = [
        {"digest": "0", "title": "a change", "at_ms": NOW_MS - round(m * 60_000), "seq": 100_000 - round(m)}
        for m in said.get("applied", [])
    ]
    attested = [_word(a) for a in said.get("attested", [])]
    waited = said.get("waited")
    return StepContext(
        arm=TableCloud(case.cloud),
        dns=TableDns({k.lower(): v for k, v in said.get("dns", {}).items()}),
        run=RunFacts(
            id="r",
            mode="rehearsal",
            edition=said.get("edition", "auto"),
            cloud=said.get("cloud", "AzureCloud"),
            tenant=TENANT,
            account="dana@contoso.com",
            subscriptions=said.get("subscriptions", {MAIN: "Landing", BRANCH: "Branch"}),
        ),
        now_ms=NOW_MS,
        node="n",
        applied=tuple(applied),
        attested=tuple(attested),
        waiting_since_ms=None if waited is None else NOW_MS - round(waited * 60_000),
        polls=said.get("polls", 0),
    )


def _word(given: Any) -> AttestDoc:
    said = given if isinstance(given, dict) else dict(zip(("ago", "text"), _pair(given), strict=True))
    word: AttestDoc = {
        "at_ms": NOW_MS - round(said["ago"] * 60_000),
        "seq": 100_000 - round(said["ago"]),
        "text": said.get("text", "done"),
        "by": "dana",
        "evidence": said.get("evidence", ""),
        "sha256": "",
    }
    if "says" in said:
        word["says"] = said["says"]
    if "reference" in said:
        word["reference"] = said["reference"]
    if "dated" in said:
        word["dated_ms"] = NOW_MS - round(said["dated"] * 60_000)
    return word


def _pair(given: Any) -> tuple[Any, Any]:
    return (given[0], given[1]) if isinstance(given, list) else (given, "done")


def _fill(value: Any, words: Mapping[str, str]) -> Any:
    match value:
        case str():
            for name, text in words.items():
                value = value.replace("{{" + name + "}}", text)
            return value
        case dict():
            return {_fill(k, words): _fill(v, words) for k, v in value.items()}
        case list():
            return [_fill(v, words) for v in value]
        case _:
            return value
