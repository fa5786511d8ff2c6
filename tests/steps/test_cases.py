from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from runbook.book import known_steps, load_step
from runbook.core.error import Refused
from runbook.step import Blocked, Change, Changes, InProgress, Satisfied, Verdict, Waiting
from tests.steps.table import Case, TableCloud, cases, context, tables

ALL = [case for path in tables() for case in cases(path)]
WORDS = {Satisfied: "satisfied", Changes: "changes", InProgress: "in_progress", Waiting: "waiting", Blocked: "blocked"}
NATIVE = (
    ("az", "provider", "register"),
    ("az", "feature", "register"),
    ("az", "group", "create"),
    ("az", "network", "nsg", "rule", "create"),
    ("az", "network", "private-endpoint", "create"),
    ("az", "network", "private-dns", "zone", "create"),
    ("az", "network", "private-dns", "link", "vnet", "create"),
)
"""Commands recorded to make exactly one write, with the body that the change declares."""


async def look(case: Case) -> Verdict:
    step = load_step(case.step)
    return await step(TypeAdapter(step.Params).validate_python(case.params)).observe(context(case))


@pytest.mark.parametrize("case", ALL, ids=str)
async def test_a_step_says_what_its_table_expects(case: Case) -> None:
    wish = case.expect
    if "raises" in wish:
        with pytest.raises(Refused) as caught:
            await look(case)
        assert caught.value.arm_code == wish["raises"]
        return
    verdict = await look(case)
    assert WORDS[type(verdict)] == wish["verdict"], verdict
    _check_texts(verdict, wish)
    observed = {c.name: c.observed for c in verdict.checks}
    for name, value in wish.get("checks", {}).items():
        assert str(value) in observed[name], (name, observed)
    for name in wish.get("lacks", []):
        assert name not in observed, "nothing was found, so there is nothing to tell"
    wanted = {c.name: c.expected for c in verdict.checks}
    for name, value in wish.get("expected", {}).items():
        assert str(value) in wanted[name], (name, wanted)
    if isinstance(verdict, Satisfied):
        assert all(c.ok for c in verdict.checks) == wish.get("ok", True), [c for c in verdict.checks if not c.ok]
        assert verdict.checks, "satisfied without evidence"
        json.dumps(dict(verdict.outputs))
        for name, value in wish.get("outputs", {}).items():
            assert verdict.outputs[name] == value, (name, verdict.outputs[name])
    if isinstance(verdict, Changes):
        assert len(verdict.changes) == len(wish["changes"]), [c.title for c in verdict.changes]
        for change, row in zip(verdict.changes, wish["changes"], strict=True):
            _check_change(change, row)


def _check_texts(verdict: Verdict, wish: dict[str, Any]) -> None:
    if isinstance(verdict, Blocked):
        assert verdict.rule == wish["rule"]
        assert verdict.ways_out
        assert bool(verdict.attest) == wish.get("attest", False)
        assert [says for says, _ in verdict.words] == wish.get("words", [])
        for text in wish.get("ways", []):
            assert text in " ".join(verdict.ways_out)
    if isinstance(verdict, Waiting):
        assert [says for says, _ in verdict.words] == wish.get("words", [])
        sent = verdict.sent.doc() if verdict.sent else None
        assert ("sent" not in wish) or {k: (sent or {}).get(k) for k in wish["sent"] or {}} == (wish["sent"] or {})
        assert (wish.get("sent", sent) is None) == (sent is None)
        assert verdict.who == wish.get("who", verdict.who)
        assert bool(verdict.attest) == wish.get("attest", False)
        assert (verdict.poll is not None) == wish.get("polls", verdict.poll is not None)
        for text in wish.get("draft", []):
            assert text in verdict.draft
        for text in wish.get("draft_lacks", []):
            assert text not in verdict.draft
    said = getattr(verdict, "message", "") + getattr(verdict, "summary", "")
    for text in wish.get("says", []):
        assert text in said, said


def _check_change(change: Change, row: dict[str, Any]) -> None:
    assert (change.method, change.path) == (row["method"], row["path"])
    assert change.body == row.get("body")
    assert (change.repeat, change.risk) == (row.get("repeat", "safe"), row.get("risk", "safe"))
    assert [lock.lower() for lock in change.locks] == [lock.lower() for lock in row.get("locks", [])]
    assert dict(change.headers) == row.get("headers", {})
    argv = change.az_argv()
    if argv[:2] != ("az", "rest"):
        assert any(argv[: len(known)] == known for known in NATIVE), argv
    assert (argv[:2] == ("az", "rest")) == row.get("rest", False), argv
    for text in row.get("az", []):
        assert text in argv, (text, argv)
    for text in row.get("by_hand", []):
        assert text in change.doc()["command"]["by_hand"]
    assert change.powershell_line()
    doc = json.loads(json.dumps(change.doc()))
    assert doc["digest"] == change.digest


@pytest.mark.parametrize("case", [c for c in ALL if "raises" not in c.expect], ids=str)
async def test_looking_twice_says_the_same(case: Case) -> None:
    assert await look(case) == await look(case)


@pytest.mark.parametrize("case", ALL, ids=str)
async def test_a_look_does_not_change_what_it_read(case: Case) -> None:
    before = json.dumps(case.cloud, sort_keys=True)
    try:
        await look(case)
    except Refused:
        pass
    assert json.dumps(case.cloud, sort_keys=True) == before


def test_every_step_has_a_table() -> None:
    tested = {case.step for case in ALL}
    assert {s for s in known_steps() if s not in tested} == set()


async def test_a_table_cloud_tells_a_collection_from_an_object() -> None:
    cloud = TableCloud({"/a": [], "/b": {}})
    assert await cloud.list("/A", "1") == []
    with pytest.raises(AssertionError):
        await cloud.get("/a", "1")
    with pytest.raises(AssertionError):
        await cloud.list("/b", "1")
