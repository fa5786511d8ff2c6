from __future__ import annotations

import json

import pytest

from runbook.arm.answer import Reply
from runbook.arm.errors import Call, is_absent, refusal
from runbook.core.error import AnswerMissing, ArmError, Refused, Throttled

READ, WRITE = Call("GET /x", False), Call("PUT /x", True)


def reply(status: int, code: str = "", **headers: str) -> Reply:
    body = {"error": {"code": code, "message": f"{code} it is"}} if code else None
    return Reply(status, headers, b"" if body is None else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "code", "to_read", "to_write"),
    [
        (429, "TooManyRequests", Throttled, Throttled),
        (429, "RetryableError", Throttled, Throttled),
        (409, "AnotherOperationInProgress", Throttled, Throttled),
        (400, "RetryableErrorDueToAnotherOperation", Throttled, Throttled),
        (409, "Conflict", Refused, Refused),
        (401, "ExpiredAuthenticationToken", Refused, Refused),
        (403, "AuthorizationFailed", Refused, Refused),
        (412, "PreconditionFailed", Refused, Refused),
        (302, "", Refused, Refused),
        (408, "", Throttled, AnswerMissing),
        (500, "InternalServerError", Throttled, AnswerMissing),
        (500, "RetryableError", Throttled, AnswerMissing),
        (502, "", Throttled, AnswerMissing),
        (503, "ServiceUnavailable", Throttled, AnswerMissing),
        (504, "GatewayTimeout", Throttled, AnswerMissing),
        (100, "", Refused, AnswerMissing),
        (999, "", Refused, AnswerMissing),
    ],
)
def test_the_class_says_what_can_have_happened(
    status: int, code: str, to_read: type[ArmError], to_write: type[ArmError]
) -> None:
    assert type(refusal(READ, reply(status, code))) is to_read
    assert type(refusal(WRITE, reply(status, code))) is to_write


def test_a_503_that_says_when_to_come_back_was_turned_away() -> None:
    error = refusal(WRITE, reply(503, "ServerBusy", **{"retry-after": "20"}))
    assert isinstance(error, Throttled)
    assert error.retry_after_s == 20.0


def test_a_refusal_tells_everything_it_knows() -> None:
    error = refusal(WRITE, reply(409, "ScopeLocked", **{"x-ms-correlation-request-id": "c-1"}))
    assert isinstance(error, Refused)
    assert (error.status, error.arm_code, error.message) == (409, "ScopeLocked", "ScopeLocked it is")
    assert error.correlation_id == "c-1"
    assert "lock" in error.hint


def test_an_open_outcome_names_status_code_and_correlation_id() -> None:
    error = refusal(WRITE, reply(504, "GatewayTimeout", **{"x-ms-request-id": "r-1"}))
    assert "HTTP 504 (GatewayTimeout)" in error.message
    assert "r-1" in error.message
    assert "looked at" in error.hint


def test_a_page_that_arm_did_not_write_is_said_to_be_one() -> None:
    error = refusal(READ, Reply(403, {}, b"<html>Blocked</html>"))
    assert isinstance(error, Refused)
    assert error.arm_code == "Http403"
    assert "proxy" in error.hint
    assert "HTTP 403" in error.message


@pytest.mark.parametrize(
    ("status", "code", "absent"),
    [
        (404, "ResourceNotFound", True),
        (404, "ResourceGroupNotFound", True),
        (404, "NotFound", True),
        (404, "ParentResourceNotFound", True),
        (404, "", True),
        (404, "FeatureNotFound", False),
        (404, "SubscriptionNotFound", False),
        (404, "InvalidResourceType", False),
        (404, "InvalidRequestUri", False),
        (403, "ResourceNotFound", False),
    ],
)
def test_only_a_404_about_the_resource_is_absence(status: int, code: str, absent: bool) -> None:
    assert is_absent(reply(status, code)) is absent


def test_a_proxys_404_is_no_absence() -> None:
    assert not is_absent(Reply(404, {}, b"<html>"))
