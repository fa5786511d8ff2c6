from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.arm.lro import accepted, polled
from runbook.core.arm import Ended, Operation, Request, Running
from runbook.core.error import AnswerMissing

PUT = Request("PUT", "/subscriptions/s/resourceGroups/g/providers/N/t/n", "2024-01-01")
PATCH = Request("PATCH", PUT.path, PUT.api_version)
POST = Request("POST", f"{PUT.path}/restart", PUT.api_version)
DELETE = Request("DELETE", PUT.path, PUT.api_version)
GONE_ON = {"azure-asyncoperation": "https://h/op", "location": "https://h/result"}
LOCATION = {"location": "https://h/result"}
STATUS = Operation("https://h/op", "async-operation")
RESULT = Operation("https://h/result", "location")


def state(word: str) -> dict[str, Any]:
    return {"properties": {"provisioningState": word}}


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("request_", [PUT, PATCH, POST, DELETE])
@pytest.mark.parametrize("body", [None, state("Succeeded"), state("Updating"), "junk"])
def test_an_async_operation_header_always_starts_an_operation(request_: Request, status: int, body: Any) -> None:
    assert accepted(request_, status, GONE_ON, body) == STATUS


@pytest.mark.parametrize("request_", [PUT, PATCH, POST, DELETE])
def test_a_202_with_a_location_starts_an_operation_there(request_: Request) -> None:
    assert accepted(request_, 202, LOCATION, None) == RESULT


def test_a_202_that_names_nothing_leaves_nothing_to_poll() -> None:
    assert accepted(DELETE, 202, {"location": "  "}, None) is None


def test_a_201_with_a_location_and_no_unfinished_state_is_over() -> None:
    assert accepted(PUT, 201, LOCATION, {"properties": {}}) is None
    assert accepted(PUT, 201, LOCATION, state("succeeded")) is None
    assert accepted(PUT, 201, LOCATION, state("Failed")) is None


@pytest.mark.parametrize("word", ["Updating", "Accepted", "Deleted", "Creating"])
def test_an_unfinished_state_starts_an_operation_at_the_location_or_else_the_resource(word: str) -> None:
    assert accepted(PUT, 201, LOCATION, state(word)) == RESULT
    assert accepted(PATCH, 200, {}, state(word)) == Operation(f"{PUT.path}?api-version=2024-01-01", "location")


def test_a_synchronous_post_or_delete_is_over_whatever_its_body_says() -> None:
    assert accepted(POST, 200, {}, {**state("Updating"), "registrationState": "Registering"}) is None
    assert accepted(DELETE, 200, {}, state("Deleting")) is None


@pytest.mark.parametrize("status", [204, 404, 500])
def test_other_statuses_start_nothing(status: int) -> None:
    assert accepted(DELETE, status, GONE_ON, None) is None


@pytest.mark.parametrize("word", ["InProgress", "Accepted", "Deleted", "Running", "Cancelling"])
def test_every_word_but_the_three_terminal_ones_is_running(word: str) -> None:
    body = {"status": word, "percentComplete": 40}
    assert polled(STATUS, 200, {"retry-after": "7"}, body) == Running(word, 7.0, 40.0)


def test_the_end_is_spelled_in_one_way() -> None:
    assert polled(STATUS, 200, {}, {"status": "SUCCEEDED"}) == Ended("Succeeded")


def test_a_failure_carries_the_innermost_code_its_message_and_a_hint() -> None:
    inner = {"code": "SubnetIsFull", "message": "Subnet pe has no room."}
    body = {"status": "Failed", "error": {"code": "BadRequest", "message": "see details", "details": [inner]}}
    ended = polled(STATUS, 200, {}, body)
    assert isinstance(ended, Ended)
    assert (ended.status, ended.code, ended.message) == ("Failed", "SubnetIsFull", "Subnet pe has no room.")
    assert "larger" in ended.hint
    assert not ended.is_ok


def test_a_failure_without_a_reason_still_has_a_code() -> None:
    assert polled(STATUS, 200, {}, {"status": "Canceled"}) == Ended(
        "Canceled", "OperationCanceled", "Azure gave no reason."
    )
    ended = polled(STATUS, 200, {}, {"status": "Failed", "error": {"message": "no"}})
    assert ended == Ended("Failed", "OperationFailed", "no")


def test_a_status_document_may_be_the_resource_itself() -> None:
    assert polled(STATUS, 200, {}, state("Updating")) == Running("Updating")


def test_a_status_answer_without_a_status_is_judged_by_its_http_status() -> None:
    assert polled(STATUS, 202, {}, None) == Running("InProgress")
    assert polled(STATUS, 204, {}, None) == Ended("Succeeded")
    with pytest.raises(AnswerMissing):
        polled(STATUS, 200, {}, {"name": "x", "properties": "y"})


def test_a_location_runs_while_it_says_202_and_then_ends_with_the_final_answer() -> None:
    assert polled(RESULT, 202, {"retry-after": "3"}, None) == Running("InProgress", 3.0)
    assert polled(RESULT, 202, {}, {"status": "Working", "percentComplete": 5}) == Running("Working", None, 5.0)
    assert polled(RESULT, 204, {}, None) == Ended("Succeeded")
    assert polled(RESULT, 200, {}, {"value": [{"code": "x", "message": "y"}]}) == Ended("Succeeded")
    assert polled(RESULT, 200, {}, state("Succeeded")) == Ended("Succeeded")


def test_a_location_that_is_the_resource_is_judged_by_its_state() -> None:
    assert polled(RESULT, 200, {}, state("Updating")) == Running("Updating")
    assert polled(RESULT, 200, {}, state("Failed")) == Ended("Failed", "OperationFailed", "Azure gave no reason.")


def test_a_status_document_at_a_location_that_says_failed_is_a_failure() -> None:
    body = {"status": "Failed", "error": {"code": "InvalidTemplate", "message": "line 3"}}
    assert polled(RESULT, 200, {}, body) == Ended("Failed", "InvalidTemplate", "line 3")


@pytest.mark.parametrize("percent", [True, "40", -1, 101, None, [], float("nan")])
def test_a_percentage_that_is_none_is_left_out(percent: Any) -> None:
    assert polled(STATUS, 200, {}, {"status": "Running", "percentComplete": percent}) == Running("Running")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["status", "properties", "provisioningState", "error", "code", "message", "details", "value"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
NAMES = ["azure-asyncoperation", "location", "retry-after", "x-ms-retry-after-ms", "retry-after-ms", "date"]
HEADERS = st.dictionaries(st.sampled_from(NAMES), st.text() | st.integers().map(str), max_size=4)


@given(st.sampled_from([PUT, PATCH, POST, DELETE]), st.sampled_from([200, 201, 202, 204]), HEADERS, JSON)
def test_no_answer_makes_accepting_fail(request_: Request, status: int, headers: dict[str, str], body: Any) -> None:
    operation = accepted(request_, status, headers, body)
    assert operation is None or operation.url.strip()


@given(st.sampled_from([STATUS, RESULT]), st.sampled_from([200, 201, 202, 204]), HEADERS, JSON)
def test_every_poll_runs_ends_or_is_a_failed_read(
    operation: Operation, status: int, headers: dict[str, str], body: Any
) -> None:
    try:
        outcome = polled(operation, status, headers, body)
    except AnswerMissing:
        return
    if isinstance(outcome, Ended):
        assert outcome.status in {"Succeeded", "Failed", "Canceled"}
        assert outcome.is_ok == (outcome.code == "")
    else:
        assert outcome.retry_after_s is None or 0 < outcome.retry_after_s <= 86_400
