"""A live run drives a real Resource Manager over HTTPS, and ends as the rehearsal of the same scenario does."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessTokenInfo, TokenRequestOptions
from azure.core.credentials_async import AsyncSupportsTokenInfo
from azure.core.exceptions import ClientAuthenticationError

from runbook.arm.auth import LiveCredential
from runbook.arm.clouds import CLOUDS, cloud_of
from runbook.core.command import Approve, Attest, Retry
from runbook.core.entry import Entry, Kind
from runbook.core.error import ContextError, UsageError
from runbook.core.state import NodeState, RunState
from runbook.engine.engine import Until
from runbook.home import journal_path
from runbook.journal.store import Journal
from runbook.sim.scenario import Fault, Grant, from_doc
from runbook.sim.scenario_files import load_scenario
from runbook.wiring import attach, create_run, look_again, look_ahead, open_session
from runbook.wiring.live import SignedIn
from runbook.wiring.live_drive import Consent, Live, open_live
from tests.crash.harness import RUN as REHEARSAL
from tests.crash.harness import begin as begin_rehearsal
from tests.crash.harness import play
from tests.live.cloud import NAMES, RUN, Azure, azure, begin, drive, reply

UNSEEN = "99999999-9999-4999-8999-999999999999"


def entries(home: Path, run: str = RUN) -> list[Entry]:
    journal = Journal.open(journal_path(home, run), write=False)
    try:
        return list(journal.entries())
    finally:
        journal.close()


@pytest.mark.parametrize(("book", "scenario"), [("arc-private-link", "arc-ga"), ("avd-private-link", "avd-small")])
def test_a_book_ends_live_in_the_cloud_that_its_rehearsal_ends_in(
    book: str, scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_rehearsal(tmp_path / "rehearsed", scenario, book)
    rehearsed = play(tmp_path / "rehearsed")
    with azure(scenario, monkeypatch) as there:
        begin(tmp_path, there, book=book)
        names = tuple(s.name for s in there.scenario.subscriptions)
        driven = drive(tmp_path, there, said=names, until=Until.STUCK)
        assert driven.view.state is RunState.DONE, {n.id: n.state for n in driven.view.nodes.values()}
        assert set(there.resources()) == {key for key in rehearsed.cloud if key.startswith("/")}
    sent = Counter((e.data["title"]) for e in entries(tmp_path) if e.kind is Kind.INTENDED)
    before = Counter((e.data["title"]) for e in entries(tmp_path / "rehearsed", REHEARSAL) if e.kind is Kind.INTENDED)
    assert sent == before


def test_a_live_plan_says_what_the_plan_of_the_same_scenario_says_and_sends_nothing_but_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with azure("arc-ga", monkeypatch) as there:
        before = there.resources()
        live = look_ahead(there.wish(), there.signed_in())
        found = asyncio.run(live.survey())
        assert there.writes == []
        assert there.resources() == before
        rehearsed = asyncio.run(look_ahead(replace(there.wish(), mode="rehearsal", scenario="arc-ga")).survey())
    said = {f.node.id: (f.verdict, f.after) for f in rehearsed}
    # Where this machine does not stand nothing can be looked up: there the operator's word is asked for.
    assert {f.node.id: (f.verdict, f.after) for f in found} == said


def test_a_plan_of_a_live_run_and_its_drift_are_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with azure("arc-ga", monkeypatch) as there:
        begin(tmp_path, there)
        drive(tmp_path, there)
        there.requests.clear()
        again = look_again(tmp_path, RUN, lambda _: there.signed_in())
        assert {c.outcome for c in asyncio.run(again.recheck())} <= {"ok", "skipped"}
        again = look_again(tmp_path, RUN, lambda _: there.signed_in())
        assert {f.verdict for f in asyncio.run(again.survey())} == {"satisfied"}
        assert there.writes == []


@pytest.mark.parametrize("said", [(), ("contoso landing zone", "Contoso Branch Offices"), ("Contoso Landing Zone",)])
def test_nothing_is_sent_before_every_subscription_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: tuple[str, ...]
) -> None:
    with azure("arc-ga", monkeypatch) as there:
        begin(tmp_path, there)
        there.requests.clear()
        with pytest.raises(UsageError, match="was not confirmed"):
            drive(tmp_path, there, said=said)
        assert there.requests == []
    assert [e.kind for e in entries(tmp_path)] == [Kind.RUN_CREATED]


def test_a_confirmation_holds_for_the_account_that_gave_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with azure("arc-ga", monkeypatch) as there:
        begin(tmp_path, there)
        drive(tmp_path, there, lambda _: None)
        drive(tmp_path, there, lambda _: None, said=())
        with pytest.raises(UsageError, match="was not confirmed"):
            drive(tmp_path, there, said=(), signed_in=there.signed_in(account="eve@contoso.com"))
    noted = [e.data["text"] for e in entries(tmp_path) if e.kind is Kind.NOTED]
    assert len(noted) == 1
    assert "Contoso Landing Zone, Contoso Branch Offices" in noted[0]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"tenant": "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"}, "pinned to tenant"),
        ({"cloud": CLOUDS["AzureCloud"]}, "pinned to cloud Rehearsal"),
    ],
)
def test_another_sign_in_stops_the_run_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any], words: str
) -> None:
    with azure("arc-ga", monkeypatch) as there:
        begin(tmp_path, there)
        there.requests.clear()
        with pytest.raises(ContextError, match=words):
            drive(tmp_path, there, signed_in=replace(there.signed_in(), **other))
        with pytest.raises(ContextError, match=words):
            look_again(tmp_path, RUN, lambda _: replace(there.signed_in(), **other))
        assert there.requests == []


def test_a_subscription_of_another_tenant_makes_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with azure("arc-ga", monkeypatch) as there:
        foreign = there.signed_in(tenant="bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb")
        with pytest.raises(ContextError, match="belongs to tenant aaaaaaaa"):
            create_run(tmp_path, there.wish(), durable=False, signed_in=foreign)
        unseen = replace(there.wish(), sets={**there.scenario.inputs, "zones_subscription": UNSEEN})
        with pytest.raises(ContextError, match="sees no subscription"):
            create_run(tmp_path, unseen, durable=False, signed_in=there.signed_in())
    assert not (tmp_path / "runs").exists()


class Failing(AsyncSupportsTokenInfo):
    """A sign-in that stops working, and may work again."""

    kind = "cli"

    def __init__(self, said: str, good: int, bad: int) -> None:
        self.said, self.good, self.bad = said, good, bad

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        self.good -= 1
        if self.good >= 0:
            return AccessTokenInfo("any", 0)  # run out at once: the next call wants a new one
        self.bad -= 1
        if self.bad >= 0:
            raise ClientAuthenticationError(self.said)
        return AccessTokenInfo("any", 4_000_000_000)

    async def close(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


EXPIRED = "AADSTS700082: The refresh token has expired due to inactivity."
POLICY = "AADSTS53003: Access has been blocked by Conditional Access policies."


def test_a_sign_in_that_runs_out_is_waited_for_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with azure("arc-ga", monkeypatch) as there:
        begin(tmp_path, there)
        failing = Failing(EXPIRED, good=60, bad=6)  # fewer than one node alone would wait for
        driven = drive(tmp_path, there, signed_in=there.signed_in(credential=failing))
        assert driven.view.state is RunState.DONE
    errors = [e.data["error"] for e in entries(tmp_path) if e.kind is Kind.DEFERRED]
    told = next(e for e in errors if e["code"] == "sign_in")
    assert "has expired or was revoked (AADSTS700082)" in told["message"]
    assert "az login" in told["hint"]


def test_a_refused_sign_in_ends_as_a_state_of_the_node_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with azure("arc-ga", monkeypatch) as there:
        begin(tmp_path, there)
        failing = Failing(POLICY, good=30, bad=10_000)
        driven = drive(tmp_path, there, signed_in=there.signed_in(credential=failing))
        assert driven.view.state is RunState.FAILED
        failed = [n for n in driven.view.nodes.values() if n.state is NodeState.FAILED]
        assert failed
        for node in failed:
            assert node.error is not None
            assert node.error["code"] == "sign_in"
            assert "Conditional Access" in node.error["message"]
        again = drive(tmp_path, there, lambda n: Retry(n.id) if n.state is NodeState.FAILED else reply(n))
        assert again.view.state is RunState.DONE


LACKING = "Microsoft.HybridCompute/machines/write"


def test_nothing_is_sent_while_a_right_is_missing_and_nobody_accepted_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = load_scenario("arc-ga")
    held = [Grant(actions=["*"], not_actions=[LACKING])]
    scenario = scenario.model_copy(update={"operator": scenario.operator.model_copy(update={"permissions": held})})
    with azure(scenario, monkeypatch) as there:
        begin(tmp_path, there)
        driven = drive(tmp_path, there)
        stuck = {n.id: n for n in driven.view.nodes.values() if n.blocked}
        assert driven.view.state is RunState.BLOCKED
        assert {n.doc["step"] for n in stuck.values()} == {"rights"}
        assert there.writes == []
        words = {n.id: str(n.blocked["attest"]) for n in stuck.values() if n.blocked}
        assert all(LACKING in text for text in words.values())
        drive(tmp_path, there, lambda n: Attest(n.id, words[n.id], "dana") if n.blocked and n.id in words else None)
        begun = drive(tmp_path, there).view
        assert begun.nodes[next(iter(stuck))].state is NodeState.DONE
        assert there.writes != []
        # What needs the right is refused by Azure, in its own words, at the node that needs it.
        failed = {n.doc["step"] for n in begun.nodes.values() if n.error and n.error["code"] == "AuthorizationFailed"}
        assert failed == {"associate"}


def test_an_answer_that_is_lost_is_looked_for_and_nothing_is_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = load_scenario("arc-ga")
    lost = Fault(id="lost", method="PUT", type="Microsoft.Network/privateEndpoints", lose_answer=True)
    never = Fault(id="cut", method="PUT", type="Microsoft.Network/privateDnsZones", not_sent=True)
    with azure(scenario.model_copy(update={"faults": [lost, never]}), monkeypatch) as there:
        begin(tmp_path, there)
        assert drive(tmp_path, there).view.state is RunState.DONE
        puts = Counter(path for method, path in there.writes if method == "PUT" and path.endswith("/pe-arc"))
        assert list(puts.values()) == [1]
    kinds = [e.kind for e in entries(tmp_path) if e.node == "endpoint"]
    assert Kind.DOUBTED in kinds


def test_a_live_run_in_a_thread_of_its_own_as_screens_hold_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with azure("arc-ga", monkeypatch) as there:
        begin(tmp_path, there)
        ready = threading.Event()
        consent = Consent(there.signed_in(), said=NAMES)
        attachment = attach(tmp_path, RUN, consent=consent, durable=False)
        try:
            assert attachment.speed is None
            stop = attachment.listen(lambda e: ready.set() if e.entry.to is NodeState.READY else None)
            if not any(n.state is NodeState.READY for n in attachment.view.nodes.values()):
                assert ready.wait(60)
            stop()
            node = next(n for n in attachment.view.nodes.values() if n.state is NodeState.READY)
            digests = tuple(c["digest"] for c in node.changes)
            attachment.submit(Approve(node.id, digests, "dana")).result(30)
        finally:
            attachment.close()
        assert attachment.failure is None


@pytest.mark.parametrize(
    ("cloud", "region"), [("AzureUSGovernment", "usgovvirginia"), ("AzureChinaCloud", "chinaeast2")]
)
def test_a_simulator_of_another_cloud_is_planned_by_that_clouds_rules(
    cloud: str, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    doc = json.loads(json.dumps(load_scenario("arc-ga").doc).replace("westeurope", region))
    with azure(from_doc({**doc, "cloud": cloud}), monkeypatch) as there:
        place = cloud_of("Rehearsal", there.served.endpoint, there.served.endpoint, "x")
        assert (place.rules, place.is_known) == (cloud, False)
        lookout = look_ahead(there.wish(), replace(there.signed_in(), cloud=place))
        assert lookout.view.pinned["cloud"] == cloud
        (edition,) = (f.node for f in asyncio.run(lookout.survey()) if f.node.id == "edition")
        assert edition.outputs["zones"] == []  # Microsoft publishes those of Arc for the public cloud alone
        assert there.writes == []


def test_a_code_that_is_wanted_in_the_middle_of_a_run_is_an_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with azure("arc-ga", monkeypatch) as there:
        begin(tmp_path, there)
        signed_in = sign_in_there(there)
        credential = signed_in.credential
        assert isinstance(credential, LiveCredential)

        def prepare(session: Live) -> None:
            credential.prompts.tell("https://login.example/device", "ABC123", datetime(2026, 11, 21, tzinfo=UTC))

        drive(tmp_path, there, lambda _: None, signed_in=signed_in, prepare=prepare)
    noted = [e.data for e in entries(tmp_path) if e.kind is Kind.NOTED and e.data.get("prompt")]
    assert noted == [
        {
            "prompt": True,
            "text": "To sign in, open https://login.example/device on any device and type the code ABC123.",
        }
    ]


def sign_in_there(there: Azure) -> SignedIn:
    class Source:
        def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
            return AccessTokenInfo("any", 4_000_000_000)

        def close(self) -> None: ...

    return there.signed_in(credential=LiveCredential(Source(), "device-code"))


def test_the_azure_cli_cannot_be_chosen_in_another_name_than_the_run_signs_in_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with azure("arc-ga", monkeypatch) as there:
        other = there.signed_in(auth="environment")
        with pytest.raises(UsageError, match="in the name the Azure CLI is signed in by"):
            create_run(tmp_path, there.wish(via="az"), durable=False, signed_in=other)
        create_run(tmp_path, there.wish(), durable=False, signed_in=other)
        with pytest.raises(UsageError, match="in the name the Azure CLI is signed in by"):
            open_live(tmp_path, RUN, Consent(other, via="az", said=NAMES), durable=False)


def test_a_run_that_signs_in_by_a_code_is_not_opened_where_nobody_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with azure("arc-ga", monkeypatch) as there:
        create_run(tmp_path, there.wish(), durable=False, signed_in=there.signed_in(auth="device-code"))
        with pytest.raises(UsageError, match="device code") as caught:
            open_session(tmp_path, RUN)
        assert f"runbook resume {RUN}" in caught.value.hint
