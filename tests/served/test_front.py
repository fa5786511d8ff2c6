"""What goes over the wire, without a wire."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from runbook.core.clock import VirtualClock
from runbook.sim.cloud import Cloud
from runbook.sim.scenario import Scenario
from runbook.sim.served.bounds import Bounds
from runbook.sim.served.front import DEEPEST, Answer, Front
from runbook.sim.state import State
from runbook.sim.wire import Reply
from tests.sim.world import RG, SUB, scenario

HERE = "https://127.0.0.1:8443"
TENANT = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
VNET = f"{RG}/providers/Microsoft.Network/virtualNetworks/v"
NETWORK = {
    "location": "westeurope",
    "properties": {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "subnets": [{"name": "pe", "properties": {"addressPrefix": "10.0.0.0/24"}}],
    },
}


class Desk:
    """A front, the clock of its cloud, and what it noted."""

    def __init__(self, speed: float = 1.0, made: Scenario | None = None) -> None:
        made = (made or scenario()).model_copy(update={"endpoint": HERE})
        self.clock = VirtualClock(made.start_ms)
        self.cloud = Cloud(made, self.clock, State())
        self.noted: list[dict[str, Any]] = []
        self.front = Front(self.cloud, lambda: 1_800_000_000, speed, self.noted.append)

    def ask(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.front.answer(method, target, {"authorization": "Bearer x", **headers}, content)

    def form(self, target: str, **fields: str) -> tuple[int, Any]:
        answer = self.front.answer("POST", target, {}, urlencode(fields).encode())
        return answer.status, json.loads(answer.content)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def read(answer: Answer) -> Any:
    return json.loads(answer.content)


def claims(token: str) -> Any:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


# ---------------------------------------------------------------- Resource Manager


def test_a_call_without_a_token_is_sent_to_our_own_sign_in_and_nowhere_else(desk: Desk) -> None:
    answer = desk.ask("GET", "/subscriptions?api-version=2022-12-01", authorization="")
    assert answer.status == 401
    assert read(answer)["error"]["code"] == "AuthenticationFailed"
    assert answer.headers["WWW-Authenticate"].startswith(f'Bearer authorization_uri="{HERE}/{TENANT}"')


@pytest.mark.parametrize(
    ("speed", "seconds", "fine"), [(1.0, "2", "2000"), (60.0, "1", "34"), (0.5, "4", "4000"), (10_000.0, "1", "20")]
)
def test_patience_is_asked_for_in_real_seconds_and_never_none(speed: float, seconds: str, fine: str) -> None:
    answer = Desk(speed).ask("PUT", f"{VNET}?api-version=2024-01-01", NETWORK)
    assert answer.status == 201
    assert (answer.headers["Retry-After"], answer.headers["x-ms-retry-after-ms"]) == (seconds, fine)
    assert answer.headers["Azure-AsyncOperation"].startswith(f"{HERE}/subscriptions/{SUB}/")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 5_000, b"[" * 200 + b"]" * 200])
def test_what_is_no_json_is_refused_in_the_envelope(desk: Desk, content: bytes) -> None:
    answer = desk.ask("PUT", f"{VNET}?api-version=2024-01-01", content)
    assert answer.status == 400
    assert read(answer)["error"]["code"] == "InvalidRequestContent"


def test_a_deep_body_within_reason_is_read(desk: Desk) -> None:
    deep: Any = "end"
    for _ in range(DEEPEST - 2):
        deep = {"a": deep}
    assert desk.ask("PUT", f"{VNET}?api-version=2024-01-01", {**NETWORK, "tags": deep}).status in (201, 400)


@pytest.mark.parametrize("target", ["/", "//", "/nothing", "/subscriptions/x/%2e%2e/y", "/metadata", "*", "/a?b=%zz"])
def test_an_unknown_place_is_an_error_that_says_so(desk: Desk, target: str) -> None:
    answer = desk.ask("GET", target)
    assert 400 <= answer.status < 500
    assert set(read(answer)["error"]) >= {"code", "message"}


def test_the_log_tells_what_came_and_holds_no_token(desk: Desk) -> None:
    secret = {"location": "westeurope", "properties": {"adminPassword": "hunter2"}}
    desk.ask("PUT", f"{RG}?api-version=2021-04-01", secret, authorization="Bearer abc123", commandname="group create")
    (noted,) = desk.noted
    assert (noted["method"], noted["path"], noted["status"]) == ("PUT", RG, 200)
    assert noted["command"] == "group create"
    assert "abc123" not in json.dumps(noted)
    assert "hunter2" not in json.dumps(noted)


def test_too_large_a_body_has_an_answer_in_the_envelope(desk: Desk) -> None:
    answer = desk.front.too_large()
    assert (answer.status, read(answer)["error"]["code"]) == (413, "RequestContentTooLarge")


def test_a_broken_connection_is_handed_on_to_whoever_holds_it() -> None:
    fault = {"id": "cut", "method": "PUT", "type": "Microsoft.Resources/subscriptions/resourceGroups"}
    desk = Desk(made=scenario(faults=[{**fault, "lose_answer": True}]))
    answer = desk.ask(
        "PUT", f"/subscriptions/{SUB}/resourceGroups/new?api-version=2021-04-01", {"location": "westeurope"}
    )
    assert answer.broken == "lose_answer"
    assert desk.cloud.find(f"/subscriptions/{SUB}/resourceGroups/new") is not None


# ---------------------------------------------------------------- signing in


def test_metadata_names_this_place_and_the_cloud_whose_rules_hold(desk: Desk) -> None:
    about = read(desk.front.answer("GET", "/metadata/endpoints?api-version=2022-09-01", {}, b""))
    assert about["name"] == "AzureCloud"
    assert about["resourceManager"] == about["authentication"]["loginEndpoint"] == HERE
    older = read(desk.front.answer("GET", "/metadata/endpoints?api-version=2019-05-01", {}, b""))
    assert older == [about]


@pytest.mark.parametrize("tenant", [TENANT, "organizations", "common"])
def test_discovery_leads_nowhere_else(desk: Desk, tenant: str) -> None:
    about = read(desk.front.answer("GET", f"/{tenant}/v2.0/.well-known/openid-configuration", {}, b""))
    assert about["issuer"] == f"{HERE}/{TENANT}/v2.0"
    urls = [value for value in about.values() if isinstance(value, str)]
    assert urls
    assert all(url.startswith(f"{HERE}/") for url in urls)


def test_a_device_code_signs_the_operator_in_once(desk: Desk) -> None:
    status, code = desk.form(f"/{TENANT}/oauth2/v2.0/devicecode", client_id="app", scope="s")
    assert status == 200
    assert code["user_code"] in code["message"]
    assert code["verification_uri"] == f"{HERE}/devicelogin"
    ask = {"client_id": "app", "grant_type": "urn:ietf:params:oauth:grant-type:device_code"}
    status, tokens = desk.form(f"/{TENANT}/oauth2/v2.0/token", device_code=code["device_code"], **ask)
    assert status == 200
    assert claims(tokens["access_token"])["upn"] == "dana@contoso.com"
    assert claims(tokens["id_token"])["aud"] == "app"
    assert tokens["refresh_token"]
    status, refused = desk.form(f"/{TENANT}/oauth2/v2.0/token", device_code=code["device_code"], **ask)
    assert (status, refused["error"]) == (400, "invalid_grant")


def test_a_token_lives_by_the_machines_clock_and_in_the_tenant_asked_for(desk: Desk) -> None:
    ask = {"client_id": "app", "client_secret": "x", "grant_type": "client_credentials", "scope": "s"}
    _, tokens = desk.form("/other-tenant/oauth2/v2.0/token", **ask)
    told = claims(tokens["access_token"])
    assert (told["tid"], told["exp"]) == ("other-tenant", 1_800_000_000 + tokens["expires_in"])
    assert "refresh_token" not in tokens


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "invalid_request"),
        ({"client_id": "a", "grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": "a", "grant_type": "refresh_token"}, "unsupported_grant_type"),
    ],
)
def test_what_is_not_a_way_to_sign_in_is_refused_as_oauth_does(desk: Desk, fields: Any, error: str) -> None:
    status, refused = desk.form(f"/{TENANT}/oauth2/v2.0/token", **fields)
    assert (status, refused["error"]) == (400, error)


# ---------------------------------------------------------------- bounds


def test_what_is_finished_and_old_is_forgotten_and_what_is_under_way_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbook.sim.served.bounds.MOST_OPERATIONS", 3)
    monkeypatch.setattr("runbook.sim.served.bounds.MOST_EVENTS", 4)
    desk = Desk()
    asked = []
    for number in range(8):
        asked.append(desk.ask("PUT", f"{VNET}{number}?api-version=2024-01-01", NETWORK).headers["Azure-AsyncOperation"])
        if number < 6:
            desk.clock.advance_to(desk.clock.now_ms() + 60_000)
    Bounds(desk.cloud).trim()
    statuses = [desk.ask("GET", url.removeprefix(HERE)).status for url in asked]
    assert statuses == [404, 404, 404, 404, 404, 200, 200, 200]
    assert desk.cloud.state.count("activity") == 4


def test_a_cloud_that_is_full_refuses_what_is_new_and_still_changes_what_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    monkeypatch.setattr("runbook.sim.served.bounds.MOST_RESOURCES", desk.cloud.state.count("resources"))
    new = desk.ask("PUT", f"{RG}-2?api-version=2021-04-01", {"location": "westeurope"})
    assert (new.status, read(new)["error"]["code"]) == (409, "ResourceQuotaExceeded")
    assert desk.ask("PUT", f"{RG}?api-version=2021-04-01", {"location": "westeurope"}).status == 200


def test_bounds_are_looked_at_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbook.sim.served.bounds.MOST_EVENTS", 2)
    monkeypatch.setattr("runbook.sim.served.bounds.EVERY", 10)
    desk = Desk()
    for _ in range(10):
        desk.ask("PUT", f"{RG}?api-version=2021-04-01", {"location": "westeurope"})
    assert desk.cloud.state.count("activity") == 2


def test_a_reply_without_a_body_has_no_content_type(desk: Desk) -> None:
    assert "Content-Type" not in desk.front.as_answer(Reply(204)).headers
