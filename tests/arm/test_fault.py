from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.arm.fault import Fault, fault_of
from runbook.arm.hints import _HINTS, hint_for
from tests.arm.test_lro import JSON


def found(body: Any) -> Fault:
    fault = fault_of(body)
    assert fault is not None
    return fault


def test_the_innermost_code_is_found_through_details_and_json_in_messages() -> None:
    innermost = {"error": {"code": "SubnetIsFull", "message": "no room", "target": "/sub/pe"}}
    middle = {"code": "BadRequest", "message": json.dumps(innermost)}
    outer = {"error": {"code": "DeploymentFailed", "message": "At least one failed.", "details": [middle]}}
    wrapped = {"error": {"code": "Whatever", "message": f"The operation ended 'Failed'. {json.dumps(outer)}"}}
    fault = found(wrapped)
    assert (fault.code, fault.message, fault.target) == ("SubnetIsFull", "no room", "/sub/pe")


def test_a_code_that_says_something_is_kept_and_takes_its_target_from_the_details() -> None:
    detail = {"code": "MissingSubscriptionRegistration", "message": "…", "target": "Microsoft.HybridCompute"}
    error = {"code": "MissingSubscriptionRegistration", "message": "not registered", "details": [detail]}
    fault = found({"error": error})
    assert (fault.code, fault.target) == ("MissingSubscriptionRegistration", "Microsoft.HybridCompute")
    assert fault.details == (detail,)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"code": "A", "message": "m"}, "A", "m"),
        ({"Code": "A", "Message": "m"}, "A", "m"),
        ({"odata.error": {"code": "A", "message": {"lang": "en", "value": "m"}}}, "A", "m"),
        ({"error": "invalid_client", "error_description": "m"}, "invalid_client", "m"),
        ({"error": {"message": "m"}}, "", "m"),
        ({"error": {"code": 7, "message": ["m"]}}, "", ""),
        ({"error": {"code": "A", "message": "Use {braces} and {more"}}, "A", "Use {braces} and {more"),
        ({"error": {"code": "A", "message": "{} {} {} { {} {}"}}, "A", "{} {} {} { {} {}"),
        ({"error": {"code": "A", "message": '{"a": 1} {"b": 2}'}}, "A", '{"a": 1} {"b": 2}'),
        ({"error": {"code": "A", "message": '{"error": {"message": "m"}}'}}, "A", "m"),
    ],
)
def test_other_shapes_of_errors(body: Any, code: str, message: str) -> None:
    assert (found(body).code, found(body).message) == (code, message)


@pytest.mark.parametrize("body", [None, [], "x", 3, {}, {"error": None}, {"error": ""}, {"code": "A"}, {"value": []}])
def test_a_body_without_an_error_has_none(body: Any) -> None:
    assert fault_of(body) is None


def test_policy_assignments_are_named_from_both_places() -> None:
    info = {"policyAssignmentName": "deny-zones", "policyAssignmentDisplayName": "No private zones"}
    identifiers = json.dumps([{"policyAssignment": {"name": "Central DNS", "id": "/x"}, "policyDefinition": {}}, 1])
    error = {
        "code": "RequestDisallowedByPolicy",
        "message": f"Resource 'z' was disallowed by policy. Policy identifiers: '{identifiers}'.",
        "additionalInfo": [{"type": "PolicyViolation", "info": info}, {"info": 3}, 4],
    }
    fault = found({"error": error})
    assert fault.assignments == ("No private zones", "Central DNS")
    assert "assignment No private zones, Central DNS" in hint_for(fault)
    wrapped = found({"error": {"code": "InvalidTemplateDeployment", "message": "…", "details": [error]}})
    assert (wrapped.code, wrapped.assignments) == (fault.code, fault.assignments)


def test_texts_are_bounded_and_cannot_drive_a_terminal_or_carry_a_token() -> None:
    text = "\x1b[2J Bearer abcdefghijkl at https://h/op?t=1&s=secretsig " + "x" * 10_000
    fault = found({"error": {"code": "A" * 900, "message": text, "details": [{"code": "B", "sig": "?s=secretsig"}]}})
    assert "\x1b" not in fault.message
    assert "secretsig" not in str(fault)
    assert "abcdefghijkl" not in fault.message
    assert len(fault.message) == 4_000
    assert len(fault.code) == 512


def test_errors_in_errors_without_end_are_cut_off() -> None:
    error: dict[str, Any] = {"code": "Last", "message": "m"}
    for _ in range(40):
        error = {"code": "BadRequest", "message": "", "details": [error]}
    assert found({"error": error}).code == "BadRequest"


def test_details_nested_beyond_reason_are_dropped() -> None:
    deep: Any = "x"
    for _ in range(700):
        deep = [deep]
    fault = found({"error": {"code": "A", "message": "m", "details": [{"code": "B", "deep": deep}]}})
    assert (fault.code, fault.details) == ("A", ())


@given(JSON)
def test_any_json_is_an_error_or_none(body: Any) -> None:
    fault = fault_of({"error": body})
    assert fault is None or isinstance(hint_for(fault), str)


@given(st.text(), st.sampled_from(sorted(_HINTS)), st.text())
def test_every_hint_reads_whole_whatever_the_message(message: str, code: str, target: str) -> None:
    hint = hint_for(found({"error": {"code": code, "message": message, "target": target}}))
    assert hint.endswith((".", "…"))


def test_hints_name_what_the_message_names() -> None:
    def hint(code: str, message: str = "", target: str = "") -> str:
        return hint_for(Fault(code, message, target))

    assert "az provider register --namespace Microsoft.Network" in hint(
        "MissingSubscriptionRegistration", "not registered to use namespace 'Microsoft.Network'."
    )
    assert "--namespace <namespace>" in hint("MissingSubscriptionRegistration", "?")
    assert "--namespace Microsoft.X" in hint("MissingSubscriptionRegistration", "?", "Microsoft.X")
    assert "allows Microsoft.Network/x/write on /subscriptions/s. Have" in hint(
        "AuthorizationFailed",
        "The client 'c' with object id 'o' does not have authorization to perform action 'Microsoft.Network/x/write'"
        " over scope '/subscriptions/s' or the scope is invalid.",
    )
    linked = (
        "The client has permission to perform action 'Microsoft.Network/privateEndpoints/write' on scope '/a'; however,"
        " it does not have permission to perform action '{}' on the linked scope(s) '/b' or the linked scope(s) are"
        " invalid."
    )
    approval = hint("LinkedAuthorizationFailed", linked.format("PrivateEndpointConnectionsApproval/action"))
    assert "not PrivateEndpointConnectionsApproval/action on something it points to on /b." in approval
    assert "manual connection" in approval
    assert "Network Contributor" in hint("LinkedAuthorizationFailed", linked.format("x/subnets/join/action"))
    assert "not this action on" in hint("LinkedAuthorizationFailed", "?")
    assert "(/locks/l)" in hint("ScopeLocked", "following scope(s) are locked: '/locks/l'. Please")
    assert "already linked" in hint("BadRequest", "cannot be linked to multiple zones with overlapping namespaces")
    assert "no sub-resource" in hint("X", "Error message: Invalid groupId")
    assert hint("NeverHeardOf", "m") == ""
