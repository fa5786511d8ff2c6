"""Every planted mistake is found, named, and told with what puts it right, before it can do harm."""

from __future__ import annotations

import json
import shutil
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runbook.cli.planning import WIDTH
from runbook.cli.policy import Policy
from runbook.core.command import Command
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView
from runbook.wiring import Rehearsal
from runbook.wiring.undo import create_undo
from tests.cli.conftest import Shell
from tests.crash.harness import Played
from tests.journeys.scenes import PATIENCE_S, deferred, drive, no_words, rehearse, scene, when_done
from tests.mistakes.conftest import Clean
from tests.mistakes.table import Mistake, act, alter, mistakes, plant

ALL = list(mistakes())
UNDO = [row for row in ALL if row.args == ("undo",)]
AFTER = [row for row in ALL if not row.rehearse and row not in UNDO]
BEFORE = [row for row in ALL if row.rehearse]


class Said(NamedTuple):
    """What is said of a mistake: its name, what is wrong, what puts it right."""

    rule: str
    cause: str
    fix: str


# ---------------------------------------------------------------- after a run: dns and verify


def finding(doc: dict[str, Any], expect: dict[str, Any]) -> Said:
    """The expected finding of ``dns``."""
    wanted = [
        f
        for f in doc["findings"]
        if f["rule"] == expect["rule"]
        and expect.get("place", f["place"]) == f["place"]
        and set(expect.get("names", ())) <= set(f["names"])
    ]
    assert wanted, [(f["rule"], f["place"]) for f in doc["findings"]]
    return Said(wanted[0]["rule"], wanted[0]["cause"], wanted[0]["fix"])


def drift(doc: dict[str, Any], expect: dict[str, Any]) -> Said:
    """What ``verify`` says of the expected node."""
    drifted = {n["id"]: n for n in doc["nodes"] if n["outcome"] == "drift"}
    assert expect["node"].lower() in drifted, list(drifted)
    node = drifted[expect["node"].lower()]
    error = node["error"] or {"code": "drift", "message": "", "hint": ""}
    unmet = [f"{c['name']}: expected {c['expected']}, found {c['observed']}" for c in node["checks"] if not c["ok"]]
    lines = [command["az"] for command in node["commands"]]
    waiting = node["waiting_on"]["message"] if node["waiting_on"] else ""
    return Said(error["code"], " ".join([error["message"], *unmet, waiting]), " ".join([error["hint"], *lines]))


@pytest.mark.parametrize("row", AFTER, ids=str)
def test_a_mistake_after_a_run_is_found_and_named_with_its_fix(
    row: Mistake, shell: Shell, finished: Path, tmp_path: Path
) -> None:
    plant(finished, row.start, row.patch)
    args = [*row.args, row.start]
    if row.paste:
        (tmp_path / "server.txt").write_text(row.paste, encoding="utf-8")
        args += ["--paste", str(tmp_path / "server.txt")]
    ended = shell(*args, "--json")
    assert ended.code == row.expect["exit"], ended.out + ended.err
    for text in row.expect.get("error", ()):
        assert text in ended.err
    if "rule" not in row.expect:
        return
    doc = json.loads(ended.out)
    is_dns = row.args[0] == "dns"
    said = finding(doc, row.expect) if is_dns else drift(doc, row.expect)
    holds(said, row.expect)
    if is_dns and row.expect.get("alone", True):
        assert {f["rule"] for f in doc["findings"]} == {row.expect["rule"], *row.expect.get("also", ())}
    told = shell(*args)
    assert told.code == ended.code
    assert (f"✗ {said.rule}" if is_dns else "≠ drift") in told.out
    if is_dns:
        assert [line for line in told.out.splitlines() if len(line) > WIDTH and len(line.split()) > 2] == []


@pytest.mark.parametrize("row", UNDO, ids=str)
def test_a_mistake_in_the_way_of_taking_a_run_back_is_named_with_its_fix(row: Mistake, finished: Path) -> None:
    twin = finished / "twin"
    shutil.copytree(finished / "runs", twin / "runs")
    free = drive(twin, run=create_undo(twin, row.start, durable=False))
    plant(finished, row.start, row.patch)
    played = drive(finished, no_words, run=create_undo(finished, row.start, durable=False))
    step = row.expect["step"]
    stands = {n.doc["step"]: told(n) for n in played.view.nodes.values() if n.state in STUCK}
    assert step in stands, stands
    holds(stands[step], row.expect)
    unharmed(played, row.expect["harms"], frozenset(f"{method} {path}".lower() for method, path in free.writes))


# ---------------------------------------------------------------- before and during a run


@pytest.mark.parametrize("row", BEFORE, ids=str)
def test_a_mistake_is_named_with_its_fix_before_any_write_that_it_would_harm(
    row: Mistake, clean: Clean, shell: Shell, tmp_path: Path
) -> None:
    wish, expect = row.rehearse, row.expect
    file = scene(tmp_path, wish["scenario"], lambda doc: alter(doc, wish.get("change", [])), **wish.get("add", {}))
    acted: list[str] = []
    moment = wish.get("when", {"done": "", "do": []})

    def meddle(session: Rehearsal) -> None:
        act(session, moment["do"])
        acted.append(moment["done"])

    prepare, patience_s = when_done(moment["done"].lower(), meddle), float(wish.get("patience", PATIENCE_S))
    answer = carefully if wish.get("carefully") else no_words
    played = rehearse(tmp_path, file, book=wish["book"], answer=answer, prepare=prepare, patience_s=patience_s)
    assert acted or not moment["do"], "what a colleague was to do did not happen"
    stands = {n.id: told(n) for n in played.view.nodes.values() if n.state in STUCK}
    ends = expect.get("ends", "done" if "put_off" in expect else "blocked")
    assert played.view.state == RunState(ends), (played.view.state, stands)
    if "put_off" in expect:
        put_off(played, expect)
        return
    node = expect["node"].lower()
    if expect.get("noted"):
        notes = [Said(c["name"], str(c["observed"]), str(c["observed"])) for c in played.view.nodes[node].checks]
        holds(next(n for n in notes if n.rule == expect["rule"]), expect)
        return
    assert node in stands, stands
    holds(stands[node], expect)
    unharmed(played, expect["harms"], clean(wish["book"], wish["scenario"]))
    if expect.get("plan"):
        planned = shell("plan", wish["book"], "--scenario", file, "--json")
        nodes = {n["id"]: n["error"] or {"code": ""} for n in json.loads(planned.out)["nodes"]}
        assert nodes[node]["code"] == expect["rule"]
        assert planned.code in (5, 10)


STUCK = (NodeState.BLOCKED, NodeState.FAILED, NodeState.WAITING, NodeState.READY)
CAREFUL = Policy(yes=True, attests=True, by="the test")
"""Says go to what is safe, and leaves what is disruptive to be read."""


def carefully(node: NodeView) -> Command | None:
    return None if node.state is NodeState.BLOCKED else CAREFUL.answer(node)


def told(node: NodeView) -> Said:
    """What a node that goes no further says."""
    if node.state is NodeState.BLOCKED and node.blocked:
        return Said(node.blocked["rule"], node.blocked["message"], " ".join(node.blocked["ways_out"]))
    if node.state is NodeState.FAILED and node.error:
        return Said(node.error["code"], node.error["message"], node.error["hint"])
    if node.state is NodeState.READY:
        texts = [f"{c['title']} {c['command']['by_hand']}" for c in node.changes]
        return Said("+".join(sorted({c["risk"] for c in node.changes})), " ".join(texts), " ".join(texts))
    assert node.waiting is not None, node
    return Said(node.waiting["who"], node.waiting["message"], f"{node.waiting['message']} {node.waiting['draft']}")


def holds(said: Said, expect: dict[str, Any]) -> None:
    """The mistake has its name, and the words of cause and fix are told."""
    assert said.rule == expect["rule"], said
    for text in expect.get("cause", ()):
        assert text in said.cause, said.cause
    for text in expect.get("fix", ()):
        assert text in said.fix, said.fix


def unharmed(played: Played, harms: list[str], clean: frozenset[str]) -> None:
    """None of the writes took effect; without the mistake, some would have for each pattern."""
    made = {f"{method} {path}".lower() for method, path in played.writes}
    assert harms
    for pattern in harms:
        assert [w for w in clean if fnmatchcase(w, pattern)], f"nothing ever writes {pattern}"
        assert [w for w in made if fnmatchcase(w, pattern)] == []


def put_off(played: Played, expect: dict[str, Any]) -> None:
    """A call of the node was put off by that code, with what happens next; what it writes took effect once."""
    errors = [(e.node, e.data["error"]) for e in deferred(played)]
    wanted = [error for node, error in errors if error["code"] == expect["rule"] and expect.get("node", node) == node]
    assert wanted, errors
    holds(Said(wanted[0]["code"], wanted[0]["message"], wanted[0]["hint"]), expect)
    counts = {f"{m} {p}".lower(): n for (m, p), n in played.writes.items()}
    for pattern in expect["once"]:
        assert {n for write, n in counts.items() if fnmatchcase(write, pattern)} == {1}, counts


# ---------------------------------------------------------------- the table itself


def test_every_rule_of_the_dns_table_is_planted_somewhere() -> None:
    """What needs a real server or a real connection is planted in ``tests/dns/test_servers.py`` and ``tests/here``."""
    from runbook.dns.model import Rule

    elsewhere = {Rule.OK, Rule.NOT_PROVABLE, Rule.PORT_CLOSED, Rule.WRONG_CERTIFICATE}
    planted = {row.expect.get("rule") for row in ALL}
    assert {r.value for r in set(Rule) - elsewhere} - planted == set()


def test_no_two_rows_plant_the_same_mistake() -> None:
    assert len({row.it for row in ALL}) == len(ALL)
    assert len([row for row in ALL if "rule" in row.expect]) >= 30
