"""What a picker offers, from a simulated and from a served cloud; reads alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from runbook.arm.auth import static_credential
from runbook.arm.client import ArmClient
from runbook.core.error import ArmError, ContextError, UsageError
from runbook.wiring import choices as reading
from runbook.wiring.choices import Choices, Offer, live_choices, scenario_choices
from tests.arm.scripted import HOME, Answer, Scripted, answer, error
from tests.live.cloud import azure

SUB = "11111111-1111-4111-8111-111111111111"
BRANCH = "22222222-2222-4222-8222-222222222222"
SUBNETS = "Microsoft.Network/virtualNetworks/subnets"


def offered(choices: Choices, of: str, *within: str) -> Offer:
    return asyncio.run(choices.offer(of, within))


@pytest.mark.parametrize(
    ("of", "label", "detail"),
    [
        ("subscription", "Contoso Landing Zone", SUB),
        ("location", "westeurope", "West Europe"),
        ("Microsoft.Network/virtualNetworks", "vnet-hub", "10.20.0.0/16 · rg-network"),
        (SUBNETS, "vnet-hub/pe", "10.20.1.0/27 · 27 free · rg-network · Contoso Landing Zone"),
        ("Microsoft.HybridCompute/machines", "srv-db-01", "Connected · linux"),
    ],
)
def test_a_scenario_offers_what_is_in_it(of: str, label: str, detail: str) -> None:
    offer = offered(scenario_choices("arc-preview"), of)
    found = {c.label: c for c in offer.choices}
    assert found[label].detail.startswith(detail)
    assert offer.remarks == ()


@pytest.mark.parametrize(
    ("of", "count"),
    [
        ("Microsoft.DesktopVirtualization/hostPools", 200),
        ("Microsoft.DesktopVirtualization/workspaces", 60),
        (SUBNETS, 9),
    ],
)
def test_every_page_and_every_subscription_of_an_estate_is_read(of: str, count: int) -> None:
    choices = scenario_choices("avd-estate")
    assert len(offered(choices, of).choices) == count
    some = offered(choices, of, SUB).choices
    assert 0 < len(some) < count
    assert all(SUB in c.value for c in some)


def test_a_type_that_no_scenario_has_is_an_empty_list() -> None:
    assert offered(scenario_choices("arc-ga"), "Microsoft.KeyVault/vaults") == Offer(())


def test_a_subscription_that_is_not_seen_is_told_beside_the_others() -> None:
    choices = scenario_choices("arc-preview")
    offer = offered(choices, SUBNETS, SUB, "99999999-9999-4999-8999-999999999999")
    assert offer.choices
    assert offer.remarks == ("Not seen by this account: 99999999-9999-4999-8999-999999999999.",)
    with pytest.raises(ContextError, match="None of the chosen"):
        offered(choices, SUBNETS, "99999999-9999-4999-8999-999999999999")


def test_a_scenario_that_does_not_exist_is_told() -> None:
    with pytest.raises(UsageError, match="There is no scenario"):
        offered(scenario_choices("arc-none"), "subscription")


def test_a_live_cloud_is_only_read_and_offers_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with azure("arc-ga", monkeypatch) as there:
        live = live_choices(there.signed_in)
        rehearsed = scenario_choices("arc-ga")
        for of in ("subscription", SUBNETS, "Microsoft.HybridCompute/machines"):
            assert offered(live, of) == offered(rehearsed, of)
        assert there.requests
        assert there.writes == []


def test_a_sign_in_that_fails_is_what_the_picker_is_told() -> None:
    def refuse() -> None:
        raise ContextError("Nobody is signed in.", "Sign in (az login).")

    with pytest.raises(ContextError, match="Nobody is signed in"):
        offered(live_choices(refuse), "subscription")  # type: ignore[arg-type]


def scripted(reply: Callable[[str], Answer]) -> Choices:
    """A cloud that answers by path."""
    transport = Scripted(lambda request: reply(request.url.partition("?")[0].removeprefix(HOME))(request))
    return Choices(lambda: ArmClient(transport, static_credential("any"), endpoint=HOME))


TWO = answer(200, {"value": [{"subscriptionId": SUB, "displayName": "One"}, {"subscriptionId": BRANCH}]})
_MACHINES = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.HybridCompute/machines"
MACHINES = [{"id": f"{_MACHINES}/m", "properties": {"status": "\x1b[31mbad"}}, {"id": f"{_MACHINES}/\x1b[31mbad"}]
"""One of them has a name that no resource can have, so it is not offered."""


def test_what_one_subscription_refuses_is_told_and_the_other_is_offered() -> None:
    def reply(path: str) -> Answer:
        if path == "/subscriptions":
            return TWO
        return error(403, "AuthorizationFailed") if BRANCH in path else answer(200, {"value": MACHINES})

    offer = offered(scripted(reply), "Microsoft.HybridCompute/machines")
    assert len(offer.choices) == 1
    assert "AuthorizationFailed" in offer.remarks[0]
    assert "\x1b" not in offer.choices[0].detail


def test_where_everything_is_refused_the_reason_is_raised() -> None:
    def reply(path: str) -> Answer:
        return TWO if path == "/subscriptions" else error(403, "AuthorizationFailed")

    with pytest.raises(ArmError, match="AuthorizationFailed"):
        offered(scripted(reply), "Microsoft.HybridCompute/machines")


def test_where_the_provider_is_not_registered_there_is_nothing_to_offer() -> None:
    def reply(path: str) -> Answer:
        return TWO if path == "/subscriptions" else error(409, "MissingSubscriptionRegistration")

    assert offered(scripted(reply), "Microsoft.HybridCompute/machines") == Offer(())


def test_a_cloud_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_S", 0.01)

    class Silent:
        async def __aenter__(self) -> Silent:
            await asyncio.Event().wait()
            return self

        async def __aexit__(self, *_: object) -> None: ...

    with pytest.raises(ArmError, match="No complete answer"):
        offered(Choices(Silent), "subscription")


def test_a_list_that_is_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST", 3)
    offer = offered(scenario_choices("avd-estate"), "Microsoft.DesktopVirtualization/hostPools")
    assert len(offer.choices) == 3
    assert "3 of 200" in offer.remarks[0]
