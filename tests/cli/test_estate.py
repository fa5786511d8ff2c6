"""The command line on a run with about 1,700 nodes: grouped for people, complete for scripts."""

from __future__ import annotations

import io
import json
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runbook.cli.lines import Teller, closing_lines
from runbook.cli.plain import run_plain
from runbook.core.command import Approve, Command
from runbook.core.entry import Draft, Kind
from runbook.core.event import Event
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.engine.decide import decide
from runbook.journal.fold import fold
from tests import estate
from tests.cli.conftest import Shell
from tests.tui.sample import Store


@pytest.fixture
def large(home: Path) -> Path:
    """The environment's state folder, with a run ``estate`` in the middle of its work."""
    estate.write(home, estate.midway())
    return home


def test_status_tells_a_step_with_many_nodes_in_one_line_and_names_what_asks(shell: Shell, large: Path) -> None:
    said = shell("status", "estate").out
    assert len(said.splitlines()) < 80
    assert "143 of 200 done, 1 blocked, 3 ready" in said
    assert "connection_endpoint[rg-avd/hp-147]" in said
    assert "… and 57 more ready; --all names them" in said
    assert "runbook answer estate 'agent_restart[*]' approve --disruptive" in said
    assert "hp-020" not in said


def test_all_and_json_leave_nothing_out(shell: Shell, large: Path) -> None:
    whole = shell("status", "estate", "--all").out
    nodes = json.loads(shell("status", "estate", "--json").out)["nodes"]
    assert len(nodes) == 1646
    assert all(n["id"] in whole for n in nodes)


def test_one_answer_approves_every_ready_node_of_a_step_in_the_operators_name(shell: Shell, large: Path) -> None:
    ended = shell("answer", "estate", "connection_endpoint[*]", "approve")
    assert ended.code == 0
    assert ended.out.split() == [f"connection_endpoint[rg-avd/hp-{n}]" for n in (144, 145, 146)]
    lines = [json.loads(line) for line in shell("journal", "export", "estate").out.splitlines()[-3:]]
    assert [line["kind"] for line in lines] == ["approved"] * 3
    assert {line["data"]["by"] for line in lines} == {"ana@contoso.example"}
    assert shell("answer", "estate", "connection_endpoint[*]", "approve").code == 2


def test_disruptive_changes_of_a_step_need_the_word(shell: Shell, large: Path) -> None:
    before = shell("journal", "check", "estate").out
    refused = shell("answer", "estate", "agent_restart[*]", "approve")
    assert refused.code == 2
    assert "200 disruptive left out" in refused.err
    assert shell("journal", "check", "estate").out == before
    assert len(shell("answer", "estate", "agent_restart[*]", "approve", "--disruptive").out.splitlines()) == 200


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("agent_restrt[*]", "approve"), "Steps that wait for a word: connection_endpoint"),
        (("agent_restart[*]", "retry"), "goes with approve alone"),
        (("edition", "approve", "--disruptive"), "goes with approve 'STEP[*]'"),
        (("close_pool[*]", "approve"), "Nothing of close_pool can be approved now"),
    ],
)
def test_an_answer_to_many_that_does_not_fit_is_refused(
    args: tuple[str, ...], words: str, shell: Shell, large: Path
) -> None:
    ended = shell("answer", "estate", *args)
    assert ended.code == 2
    assert words in ended.err


def told(teller: Teller, drafts: list[Draft]) -> list[str]:
    view, lines = RunView(), []
    for entry in estate.entries(drafts):
        known = view.nodes.get(entry.node or "")
        view = fold(view, [entry])
        lines += teller.lines(Event(entry, known.state if known else None, view))
    return lines


def test_lines_tell_what_goes_well_in_tenths_and_what_goes_wrong_each_time() -> None:
    drafts = estate.midway()
    few, all_ = told(Teller(), drafts), told(Teller(is_whole=True), drafts)
    assert len(few) < 120 < len(all_) / 8
    assert any("done       shortpath[*]: 200 of 200" in line for line in few)
    assert any("blocked    connection_endpoint[rg-avd/hp-147]: subnet-too-small" in line for line in few)
    assert "    - Enlarge the subnet." in few


def test_of_many_that_are_blocked_alike_every_one_is_named_and_the_advice_is_given_three_times() -> None:
    specs = {s["id"]: s for s in estate.book()["steps"]}
    docs = estate.node_docs(specs["connection_endpoint"])
    lines = told(Teller(), [*estate.opening(), *(d for doc in docs[:50] for d in estate.blocked(doc))])
    assert sum("subnet-too-small" in line for line in lines) == 50
    assert sum("Enlarge the subnet" in line for line in lines) == 3


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_rule_that_goes_on_holding_is_told_once_and_again_when_the_operator_asks(is_whole: bool) -> None:
    doc = estate.node_docs({s["id"]: s for s in estate.book()["steps"]}["connection_endpoint"])[0]
    again = Draft(Kind.RETRIED, doc["id"], data={"resend": ""})
    drafts = [*estate.opening(), *estate.blocked(doc), *estate.blocked(doc), again, *estate.blocked(doc)]
    lines = told(Teller(is_whole=is_whole), drafts)
    assert sum("subnet-too-small" in line for line in lines) == 2


def test_the_closing_lines_ask_once_for_a_step() -> None:
    lines = closing_lines(estate.view_of(estate.midway()), False)
    assert len(lines) < 12
    assert any("agent_restart[*]: 200 nodes need your go" in line and "--disruptive" in line for line in lines)


@dataclass
class Deciding(Store):
    """A store that takes commands as the engine would, and ends the run after so many."""

    enough: int = 1000

    def submit(self, command: Command) -> Future[None]:
        draft = decide(self.held, command)
        (entry,) = estate.entries([draft], after=self.held.head)
        self.held = fold(self.held, [entry])
        future = super().submit(command)
        if len(self.commands) == self.enough:
            self.held = replace(self.held, aborted="enough")
        return future


def talked(store: Store, *answers: str) -> None:
    run_plain(store, io.StringIO("".join(f"{line}\n" for line in answers)))


def test_plain_asks_once_for_the_ready_nodes_of_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    drafts = [*estate.opening()]
    specs = {s["id"]: s for s in estate.book()["steps"]}
    for doc in estate.node_docs(specs["feed_endpoint"]):
        drafts += estate.shown(doc)
    store = Deciding(estate.view_of(drafts), enough=60)
    talked(store, "s", "a")
    said = capsys.readouterr().out
    assert "60 nodes are ready, with 60 changes." in said
    assert "properties.publicNetworkAccess: Enabled becomes Disabled" in said
    assert "Approved: 60 of 60." in said
    assert len(store.commands) == 60
    assert all(isinstance(c, Approve) and c.by == "ana@contoso.example" for c in store.commands)


def test_plain_wants_the_steps_name_for_what_disrupts(capsys: pytest.CaptureFixture[str]) -> None:
    drafts = [*estate.opening()]
    specs = {s["id"]: s for s in estate.book()["steps"]}
    for doc in estate.node_docs(specs["agent_restart"]):
        drafts += estate.shown(doc)
    store = Deciding(estate.view_of(drafts), enough=200)
    talked(store, "a", "200", "l")
    assert "Not approved" in capsys.readouterr().out
    assert store.commands == []
    talked(store, "a", "agent_restart")
    assert len(store.commands) == 200
    assert all(n.is_approved for n in store.view.of_step("agent_restart") if n.state is NodeState.READY)


def test_plain_asks_one_by_one_where_that_is_wished(capsys: pytest.CaptureFixture[str]) -> None:
    drafts = [*estate.opening()]
    specs = {s["id"]: s for s in estate.book()["steps"]}
    for doc in estate.node_docs(specs["feed_endpoint"]):
        drafts += estate.shown(doc)
    store = Deciding(estate.view_of(drafts))
    talked(store, "o", "a", "q")
    assert "Create endpoint pe-ws-01-feed (ready)" in capsys.readouterr().out
    assert len(store.commands) == 1


def test_approvals_that_name_nobody_still_fold() -> None:
    drafts = [d for d in estate.finished()[:60] if d.kind is not Kind.NOTED]
    assert any(d.kind is Kind.APPROVED for d in drafts)
    nameless = [Draft(d.kind, d.node, d.to, {k: v for k, v in d.data.items() if k != "by"}) for d in drafts]
    assert estate.view_of(nameless).nodes == estate.view_of(drafts).nodes
