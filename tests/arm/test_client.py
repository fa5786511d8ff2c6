from __future__ import annotations

import asyncio
import json
import traceback
import zlib
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.rest import AsyncHttpResponse, HttpRequest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook import __version__
from runbook.arm import answer as answers
from runbook.arm import client as client_module
from runbook.arm.auth import static_credential
from runbook.arm.client import ArmClient
from runbook.core.arm import Answered, Arm, Ended, Operation, Request, Running
from runbook.core.error import AnswerMissing, ArmError, NotSent, Refused, RunbookError, Throttled
from tests.arm.scripted import HOME, TOKEN, FailingCredential, Response, Scripted, answer, chunks, client, error
from tests.arm.test_lro import JSON

GROUP = "/subscriptions/s/resourceGroups/g"
PUT = Request("PUT", f"{GROUP}/providers/N/t/n", "2024-01-01", {"location": "x"}, {"If-None-Match": "*"})
RESTART = Request("POST", f"{GROUP}/providers/N/t/n/restart", "2024-01-01")
SIGNED = Operation(f"{HOME}/op?t=1&s=signature", "async-operation")


async def attempt(arm: ArmClient, what: str) -> object:
    match what:
        case "get":
            return await arm.get(GROUP, "1")
        case "list":
            return await arm.list(GROUP, "1")
        case "poll":
            return await arm.poll(SIGNED)
        case _:
            return await arm.write(PUT, "id-1")


# ---------------------------------------------------------------- what is asked


async def test_a_read_asks_with_who_what_and_which_version() -> None:
    arm, wire = client(answer(200, {"name": "g"}))
    assert await arm.get(GROUP, "2021-04-01", **{"$expand": "a,b c", "q": "x&y=z+1"}) == {"name": "g"}
    (request,) = wire.requests
    assert request.method == "GET"
    assert request.url == f"{HOME}{GROUP}?$expand=a,b%20c&q=x%26y%3Dz%2B1&api-version=2021-04-01"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["User-Agent"] == f"runbook/{__version__}"
    assert request.headers["x-ms-return-client-request-id"] == "true"
    assert len(request.headers["x-ms-client-request-id"]) == 36
    assert wire.tokens == [f"Bearer {TOKEN}"]


async def test_a_write_sends_its_body_headers_and_the_given_id_once() -> None:
    arm, wire = client(answer(201, {"name": "n"}, x_ms_correlation_request_id="c-1", Retry_After="5"))
    assert await arm.write(PUT, "id-1") == Answered(201, {"name": "n"}, None, 5.0, "c-1")
    (request,) = wire.requests
    assert json.loads(request.content) == {"location": "x"}
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["If-None-Match"] == "*"
    assert request.headers["x-ms-client-request-id"] == "id-1"


async def test_a_write_without_a_body_sends_none() -> None:
    arm, wire = client(answer(202, None, Location=f"{HOME}/result?s=1", Retry_After="10"))
    answered = await arm.write(RESTART, "id-2")
    assert answered.operation == Operation(f"{HOME}/result?s=1", "location")
    assert answered.retry_after_s == 10.0
    assert wire.requests[0].content is None
    assert "Content-Type" not in wire.requests[0].headers


async def test_names_that_need_it_are_escaped_and_escaped_ones_left_alone() -> None:
    arm, wire = client(answer(200, {}))
    await arm.get("/subscriptions/s/resourceGroups/größe (1)%20x", "1")
    assert wire.requests[0].url == f"{HOME}/subscriptions/s/resourceGroups/gr%C3%B6%C3%9Fe%20(1)%20x?api-version=1"


@pytest.mark.parametrize(
    "path",
    [
        "subscriptions/s",
        "",
        "/a?b=c",
        "/a#b",
        "/a\nb",
        "/a\\b",
        "/s/a/../b",
        "/s/.",
        "/s/%2E%2e/b",
        "/s/%2e",
        "/\ud800",
    ],
)
async def test_a_path_that_could_lead_elsewhere_is_not_sent(path: str) -> None:
    arm, wire = client(answer(200, {}))
    with pytest.raises(NotSent):
        await arm.get(path, "1")
    assert wire.requests == []


async def test_a_header_with_a_line_break_is_not_sent() -> None:
    arm, wire = client(answer(200, {}))
    with pytest.raises(NotSent, match="control character"):
        await arm.write(Request("PUT", GROUP, "1", {}, {"If-Match": "x\r\nEvil: 1"}), "id")
    assert wire.requests == []


async def test_the_client_is_an_arm_and_closes_what_it_was_given() -> None:
    wire, credential = Scripted(answer(200, {})), FailingCredential(ValueError())
    await wire.open()
    async with ArmClient(wire, credential, endpoint=HOME) as arm:
        known: Arm = arm
        assert known is arm
    assert not wire.is_open
    assert credential.is_closed


# ---------------------------------------------------------------- what is not there


@pytest.mark.parametrize("code", ["ResourceNotFound", "ResourceGroupNotFound", "NotFound", "ParentResourceNotFound"])
async def test_what_does_not_exist_is_none_or_an_empty_list(code: str) -> None:
    arm, _ = client(error(404, code))
    assert await arm.get(GROUP, "1") is None
    assert await arm.list(GROUP, "1") == []


@pytest.mark.parametrize("code", ["FeatureNotFound", "SubscriptionNotFound"])
@pytest.mark.parametrize("what", ["get", "list"])
async def test_a_404_about_something_else_is_visible(what: str, code: str) -> None:
    arm, _ = client(error(404, code))
    with pytest.raises(Refused) as caught:
        await attempt(arm, what)
    assert caught.value.arm_code == code
    assert caught.value.hint


@pytest.mark.parametrize("body", [[], "x", 3, None])
async def test_an_answer_that_is_no_object_is_no_answer(body: Any) -> None:
    arm, _ = client(answer(200, body))
    with pytest.raises(AnswerMissing):
        await arm.get(GROUP, "1")


# ---------------------------------------------------------------- lists


async def test_a_list_follows_its_links_verbatim() -> None:
    second, third = f"{HOME}/x?$skiptoken=a%2Fb%3d&s=1", "/y?$skiptoken=2"
    arm, wire = client(
        answer(200, {"value": [{"n": 1}], "nextLink": second}),
        answer(200, {"value": [{"n": 2}], "nextLink": third}),
        answer(200, {"value": [{"n": 3}]}),
    )
    assert await arm.list(GROUP, "1") == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert [r.url for r in wire.requests[1:]] == [second, f"{HOME}{third}"]


async def test_a_list_that_breaks_off_is_an_error_and_not_a_shorter_list() -> None:
    arm, _ = client(answer(200, {"value": [{"n": 1}], "nextLink": f"{HOME}/2"}), error(404, "ResourceNotFound"))
    with pytest.raises(Refused):
        await arm.list(GROUP, "1")


async def test_characters_that_no_address_can_hold_are_escaped_in_links() -> None:
    arm, wire = client(answer(200, {"value": [], "nextLink": f"{HOME}/2?$filter=a eq 'ü'"}), answer(200, {"value": []}))
    await arm.list(GROUP, "1")
    assert wire.requests[1].url == f"{HOME}/2?$filter=a%20eq%20'%C3%BC'"


# ---------------------------------------------------------------- where tokens go


ELSEWHERE = [
    "https://evil.example/op",
    "https://arm.example.evil.example/op",
    "https://arm.example@evil.example/op",
    "https://arm.example:8443/op",
    "https://arm.example\\@evil.example/op",
    "https://arm.example?@evil.example/op",
    "https://arm.example",
    "http://arm.example/op",
    "//evil.example/op",
    "https://arm.example/\nop",
    "ftp://arm.example/op",
    "op",
    "",
]


@pytest.mark.parametrize("url", ELSEWHERE)
async def test_no_address_outside_the_cloud_gets_a_token(url: str) -> None:
    credential = FailingCredential(AssertionError("no token may be asked for"))
    wire = Scripted(answer(200, {"status": "Succeeded"}))
    arm = ArmClient(wire, credential, endpoint=HOME)
    if url.startswith("//"):  # read as a path of our own host, which is safe: it goes home
        with pytest.raises(NotSent, match="no token may be asked for"):
            await arm.poll(Operation(url, "location"))
        return
    with pytest.raises(NotSent, match="outside"):
        await arm.poll(Operation(url, "location"))
    assert credential.asked == 0
    assert wire.requests == []


async def test_a_next_link_elsewhere_is_not_followed() -> None:
    arm, wire = client(answer(200, {"value": [], "nextLink": "https://evil.example/2"}))
    with pytest.raises(NotSent, match="outside"):
        await arm.list(GROUP, "1")
    assert len(wire.requests) == 1


@pytest.mark.parametrize("url", ["https://ARM.example/op?s=1", "https://arm.example:443/op", "/op"])
async def test_other_spellings_of_home_are_followed(url: str) -> None:
    arm, wire = client(answer(200, {"status": "Succeeded"}))
    assert await arm.poll(Operation(url, "async-operation")) == Ended("Succeeded")
    assert len(wire.tokens) == 1


@pytest.mark.parametrize("endpoint", ["http://arm.example", "https://arm.example/x", "arm.example", "https://a@b", ""])
def test_an_endpoint_that_is_no_origin_is_refused(endpoint: str) -> None:
    with pytest.raises(RunbookError, match="not the address"):
        ArmClient(Scripted(), FailingCredential(ValueError()), endpoint=endpoint)


async def test_a_redirect_is_refused_and_not_followed() -> None:
    arm, wire = client(answer(307, None, Location="https://evil.example/"))
    with pytest.raises(Refused):
        await arm.write(PUT, "id")
    assert len(wire.requests) == 1


# ---------------------------------------------------------------- operations


async def test_polling_reads_once_and_passes_on_the_wish_for_a_pause() -> None:
    arm, wire = client(answer(200, {"status": "InProgress"}, Retry_After="4"))
    assert await arm.poll(Operation(f"{HOME}/op", "async-operation")) == Running("InProgress", 4.0)
    assert len(wire.requests) == 1


@pytest.mark.parametrize(("status", "kind"), [(404, Refused), (429, Throttled), (500, Throttled), (403, Refused)])
async def test_an_unreadable_status_is_a_failed_read_and_not_a_failed_operation(
    status: int, kind: type[ArmError]
) -> None:
    arm, _ = client(error(status, "X"))
    with pytest.raises(kind) as caught:
        await attempt(arm, "poll")
    assert type(caught.value) is kind


async def test_the_resource_itself_can_be_polled() -> None:
    updating = {"properties": {"provisioningState": "Updating"}}
    done = {"properties": {"provisioningState": "Succeeded"}}
    arm, wire = client(answer(200, updating), answer(200, updating), answer(200, done))
    operation = (await arm.write(PUT, "id")).operation
    assert operation is not None
    assert await arm.poll(operation) == Running("Updating")
    assert await arm.poll(operation) == Ended("Succeeded")
    assert wire.requests[1].url == f"{HOME}{PUT.path}?api-version=2024-01-01"


async def test_an_unreadable_body_of_an_accepted_call_does_not_hide_its_operation() -> None:
    arm, _ = client(answer(202, b"<html>", Location=f"{HOME}/r"))
    assert (await arm.write(RESTART, "id")).operation == Operation(f"{HOME}/r", "location")


async def test_an_unreadable_body_of_a_success_leaves_a_write_open() -> None:
    arm, _ = client(answer(200, b"<html>"))
    with pytest.raises(AnswerMissing, match="not JSON"):
        await arm.write(PUT, "id")


# ---------------------------------------------------------------- failures on the way


@pytest.mark.parametrize("what", ["get", "list", "poll", "write"])
@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (ServiceRequestError("no route"), NotSent),
        (ServiceRequestTimeoutError("no connection"), NotSent),
        (ServiceResponseError("broken"), AnswerMissing),
        (ServiceResponseTimeoutError("slow"), AnswerMissing),
        (IncompleteReadError("half"), AnswerMissing),
        (ConnectionResetError("reset"), AnswerMissing),
    ],
)
async def test_the_way_it_failed_decides_what_may_have_happened(
    what: str, failure: Exception, kind: type[ArmError]
) -> None:
    arm, wire = client(failure)
    with pytest.raises(kind) as caught:
        await attempt(arm, what)
    assert type(caught.value) is kind
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "failure", [IncompleteReadError("half"), ServiceRequestError("broke while reading"), zlib.error("bad"), OSError()]
)
async def test_an_answer_that_breaks_off_was_sent(failure: Exception) -> None:
    arm, _ = client(chunks(200, b'{"a": ', failure))
    with pytest.raises(AnswerMissing):
        await arm.write(PUT, "id")


async def test_an_answer_in_pieces_is_put_together() -> None:
    arm, _ = client(chunks(200, b'{"a": ', b"1}"))
    assert await arm.get(GROUP, "1") == {"a": 1}


async def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_BODY_BYTES", 10)
    piece = b"x" * 8
    for script in (chunks(200, piece, piece, piece), answer(200, piece * 2)):
        arm, _ = client(script)
        with pytest.raises(AnswerMissing, match="longer"):
            await arm.get(GROUP, "1")
    assert answers.MAX_BODY_BYTES == 16 * 2**20


async def test_what_a_crash_test_raises_passes_through() -> None:
    class Killed(BaseException): ...

    arm, _ = client(Killed())
    with pytest.raises(Killed):
        await arm.write(PUT, "id")


class Stuck(Scripted):
    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        await super().send(request, **kwargs)
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


class StuckCredential(FailingCredential):
    async def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        await asyncio.get_running_loop().create_future()


async def test_a_call_that_is_not_answered_in_time_is_given_up() -> None:
    arm = ArmClient(Stuck(answer(200)), static_credential(TOKEN), endpoint=HOME, timeout_s=0.01)
    with pytest.raises(AnswerMissing, match=r"no answer within 0\.01 s"):
        await arm.write(PUT, "id")


async def test_a_sign_in_that_takes_too_long_means_nothing_was_sent() -> None:
    arm = ArmClient(Stuck(answer(200)), StuckCredential(ValueError()), endpoint=HOME, timeout_s=0.01)
    with pytest.raises(NotSent, match="not sent"):
        await arm.write(PUT, "id")


# ---------------------------------------------------------------- signing in


@pytest.mark.parametrize(
    "failure",
    [
        ClientAuthenticationError("AADSTS700082: expired"),
        ServiceResponseError("login broke"),
        RuntimeError(f"bad answer: {TOKEN}"),
        ValueError(),
    ],
)
async def test_without_a_token_nothing_is_sent(failure: Exception) -> None:
    wire = Scripted(answer(200, {}))
    arm = ArmClient(wire, FailingCredential(failure), endpoint=HOME)
    with pytest.raises(NotSent) as caught:
        await arm.write(PUT, "id")
    assert "az login" in caught.value.hint
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert wire.requests == []


CLAIMS = 'Bearer realm="", error="insufficient_claims", claims="eyJhIjogMX0="'


async def test_a_claims_challenge_is_answered_with_a_new_token_once() -> None:
    challenges: list[Response] = []

    def challenge(request: HttpRequest) -> Response:
        challenges.append(Response(request, 401, b"", {"WWW-Authenticate": CLAIMS}))
        return challenges[0]

    arm, wire = client(challenge, answer(200, {"a": 1}))
    assert await arm.write(PUT, "id") == Answered(200, {"a": 1})
    assert len(wire.requests) == 2
    assert challenges[0].closed
    arm, wire = client(answer(401, None, WWW_Authenticate=CLAIMS))
    with pytest.raises(Refused):
        await arm.write(PUT, "id")
    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    "challenge", ['Bearer error="insufficient_claims", claims="A"', "Bearer", "x", "", "Bearer a=,"]
)
async def test_a_challenge_that_cannot_be_met_leaves_the_401(challenge: str) -> None:
    arm, wire = client(error(401, "ExpiredAuthenticationToken", WWW_Authenticate=challenge))
    with pytest.raises(Refused) as caught:
        await arm.get(GROUP, "1")
    assert "az login" in caught.value.hint
    assert len(wire.requests) == 1


# ---------------------------------------------------------------- secrets and garbage


@pytest.mark.parametrize("what", ["get", "list", "poll", "write"])
@pytest.mark.parametrize(
    "failure",
    [
        ServiceRequestError(f"url={HOME}/op?t=9&c=secretcert&s=signature {TOKEN}"),
        ServiceResponseError(f"url={HOME}/op?t=9&c=secretcert&s=signature {TOKEN}"),
        OSError(f"{HOME}/op?s=signature {TOKEN}"),
    ],
)
async def test_no_trace_of_an_error_holds_a_secret(what: str, failure: Exception) -> None:
    arm, _ = client(failure)
    with pytest.raises(ArmError) as caught:
        await attempt(arm, what)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "=signature" not in shown
    assert "secretcert" not in shown
    assert TOKEN not in shown


ANSWER_HEADERS = st.dictionaries(
    st.sampled_from(
        (
            "Location Azure-AsyncOperation Retry-After x-ms-retry-after-ms WWW-Authenticate Date"
            " x-ms-correlation-request-id x-ms-request-id Content-Type"
        ).split()
    ),
    st.text() | st.sampled_from([CLAIMS, "Bearer", "5"]),
    max_size=4,
)
BODIES = (
    st.binary() | JSON.map(lambda v: json.dumps(v).encode()) | JSON.map(lambda v: json.dumps({"error": v}).encode())
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["get", "list", "poll", "write"]),
    st.integers(min_value=-1, max_value=1000) | st.sampled_from([200, 201, 202, 204, 400, 401, 404, 409, 429, 503]),
    ANSWER_HEADERS,
    BODIES,
)
def test_any_garbage_is_a_value_or_an_arm_error(what: str, status: int, headers: dict[str, str], body: bytes) -> None:
    arm, _ = client(lambda request: Response(request, status, body, headers))
    try:
        outcome = asyncio.run(attempt(arm, what))
    except ArmError as error:
        outcome = None
        shown = str(error)
        shown.encode()
        if "\x1b" in shown:
            pytest.fail("a control character got through")
    assert outcome is None or isinstance(outcome, dict | list | Answered | Running | Ended)
    if isinstance(outcome, Answered) and outcome.operation:
        outcome.operation.url.encode()
