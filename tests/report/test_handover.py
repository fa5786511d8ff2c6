"""What another team is given: all they need, nothing that is secret, and Bicep that says what the request says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runbook.core.docs import ChangeDoc
from runbook.core.error import UsageError
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.report.bicep import bicep_files, literal, place_of
from runbook.report.handover import can_be_handed, handover
from runbook.step import Change, Check, Diff
from tests.engine.test_unasked import DOC
from tests.engine.tiny import SUB

NET = f"/subscriptions/{SUB}/resourceGroups/rg-hub/providers/Microsoft.Network"
ZONE = f"{NET}/privateDnsZones/privatelink.his.arc.azure.com"
LINK = f"{ZONE}/virtualNetworkLinks/hub"


def change(path: str = LINK, method: Any = "PUT", body: Any = None, **more: Any) -> ChangeDoc:
    body = {"location": "global", "properties": {"registrationEnabled": False}} if body is None else body
    return Change(f"Write {path.rpartition('/')[2]}", method, path, "2020-06-01", body, **more).doc()


def node(*changes: ChangeDoc, **more: Any) -> NodeView:
    check = Check("link", "Succeeded", "(absent)", ok=False).doc()
    return NodeView({**DOC, "title": "Link the zone", "target": ZONE}, NodeState.READY, attempts=1, changes=changes,
                    checks=(check,), **more)  # fmt: skip


VIEW = RunView(
    id="r",
    mode="live",
    book={
        "title": "Arc behind Private Link",
        "steps": [{"id": "n", "guide": {"why": "Names lead to *private* addresses.", "what": "One PUT."}}],
    },
    pinned={"cloud": "AzureCloud", "tenant": "t", "account": "anna@example.org", "subscriptions": {SUB: "Hub"}},
)  # fmt: skip


def test_the_document_says_what_why_with_which_commands_and_what_is_looked_at() -> None:
    text = handover(VIEW, [node(change(diff=(Diff("properties.x", None, "a|b"),)))], to="the DNS team")
    for part in (
        "# For the DNS team: Arc behind Private Link",
        "## 1. Link the zone",
        "Names lead to \\*private\\* addresses.",
        "az rest --method put",
        "Invoke-AzRestMethod -Method PUT",
        f"PUT {LINK}?api-version=2020-06-01",
        "Right needed: `Microsoft.Network/privateDnsZones/virtualNetworkLinks/write`",
        "| link | Succeeded | (absent) |",
        "| properties.x | (nothing) | a\\|b |",
        "## How to tell us",
        "```bicep",
    ):
        assert part in text, part
    assert "rehearsal" not in text


def test_a_rehearsal_says_that_nothing_has_to_be_done() -> None:
    from dataclasses import replace

    assert "nothing has to be done out there" in handover(replace(VIEW, mode="rehearsal"), [node(change())])


def test_no_secret_is_handed_over_and_text_from_outside_ends_no_block() -> None:
    body = {"properties": {"password": "hush-hush", "note": "```\n# not a heading"}}
    text = handover(VIEW, [node(change(body=body))])
    assert "hush-hush" not in text
    fences = [line for line in text.splitlines() if line.startswith("`")]
    assert any(line.startswith("````") for line in fences), "a longer fence around text that holds one"


def test_commands_alone_are_lines_that_can_be_run() -> None:
    lines = handover(VIEW, [node(change())], "az").splitlines()
    assert lines[0] == "#!/bin/sh -e"
    bare = [line for line in lines if line and not line.startswith("#")]
    assert len(bare) == 1
    assert bare[0].startswith("az rest --method put")
    assert lines[lines.index("# Write hub") + 1] == bare[0]
    lines = handover(VIEW, [node(change())], "powershell").splitlines()
    assert lines[0] == "$ErrorActionPreference = 'Stop'"
    assert lines[lines.index("# Write hub") + 1].startswith("Invoke-AzRestMethod")


@pytest.mark.parametrize(("form", "sign"), [("az", "#"), ("powershell", "#"), ("bicep", "//")])
def test_a_script_says_on_top_what_it_is_of_and_what_may_hurt(form: Any, sign: str) -> None:
    rehearsal = replace(VIEW, mode="rehearsal")
    risky: Any = {**change(), "risk": "disruptive"}
    text = handover(rehearsal, [node(risky)], form)
    assert f"{sign} REHEARSAL on a simulated Azure: nothing has to be done out there." in text
    assert f"{sign} DISRUPTIVE: people or machines may notice." in text
    assert f"{sign} Run {VIEW.id}, as of" in text
    assert "REHEARSAL" not in handover(replace(VIEW, mode="live"), [node(risky)], form)


def test_bicep_is_refused_where_a_command_has_to_come_before_a_resource() -> None:
    command: Any = {**change(), "method": "POST"}
    with pytest.raises(UsageError, match="cannot keep the order"):
        handover(VIEW, [node(command, change())], "bicep")
    assert "### The same as Bicep" not in handover(VIEW, [node(command, change())])
    assert "### The same as Bicep" in handover(VIEW, [node(change(), command)])


@pytest.mark.parametrize("form", ["az", "bicep"])
def test_where_there_is_no_command_that_is_said(form: Any) -> None:
    with pytest.raises(UsageError):
        handover(VIEW, [node()], form)


def test_a_rule_without_changes_is_handed_over_with_its_ways_out() -> None:
    block: Any = {"rule": "subnet-too-small", "message": "It is full.", "ways_out": ["Make room."], "attest": ""}
    text = handover(VIEW, [node(blocked=block)])
    assert "subnet-too-small: It is full." in text
    assert "- Make room." in text


@pytest.mark.parametrize(
    ("state", "can"),
    [(NodeState.READY, True), (NodeState.FAILED, True), (NodeState.DONE, False), (NodeState.WAITING, False)],
)
def test_what_can_be_handed_over(state: NodeState, can: bool) -> None:
    assert can_be_handed(NodeView(DOC, state, attempts=1)) is can


# ---------------------------------------------------------------- Bicep


def blocks(text: str) -> bool:
    """Whether every bracket outside strings is closed in order."""
    depth: list[str] = []
    is_text = False
    rest = iter(text)
    for sign in rest:
        if is_text:
            if sign == "\\":
                next(rest)
            is_text = sign != "'"
        elif sign == "'":
            is_text = True
        elif sign in "{[":
            depth.append(sign)
        elif sign in "}]":
            assert depth.pop() == {"}": "{", "]": "["}[sign]
    return not depth and not is_text


def test_a_child_refers_to_its_parent_that_is_there() -> None:
    (file,) = bicep_files([change()], "link")
    assert file.text == (
        "targetScope = 'resourceGroup'\n\n"
        "resource privateDnsZones 'Microsoft.Network/privateDnsZones@2020-06-01' existing = {\n"
        "  name: 'privatelink.his.arc.azure.com'\n}\n\n"
        "// Write hub\n"
        "resource virtualNetworkLinks 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = {\n"
        "  name: 'hub'\n  parent: privateDnsZones\n  location: 'global'\n"
        "  properties: {\n    registrationEnabled: false\n  }\n}\n"
    )
    assert file.command == (
        f"az deployment group create --resource-group rg-hub --subscription {SUB} --template-file link.bicep"
    )


def test_a_child_refers_to_its_parent_that_the_same_file_makes() -> None:
    (file,) = bicep_files([change(ZONE), change()])
    assert "existing" not in file.text
    assert "parent: privateDnsZones" in file.text


def test_what_goes_to_another_group_or_to_the_subscription_is_a_file_of_its_own() -> None:
    group = change(f"/subscriptions/{SUB}/resourceGroups/rg-new", body={"location": "westeurope"})
    first, second = bicep_files([group, change()], "x")
    assert first.text.startswith("targetScope = 'subscription'")
    assert "az deployment sub create --location westeurope" in first.command
    assert "'Microsoft.Resources/resourceGroups@2020-06-01'" in first.text
    assert (first.name, second.name) == ("x-1.bicep", "x-2.bicep")


def test_an_extension_is_scoped_to_what_it_is_on() -> None:
    (file,) = bicep_files([change(f"{NET}/virtualNetworks/v/providers/Microsoft.Authorization/locks/keep", body={})])
    assert "scope: virtualNetworks" in file.text
    assert "resource locks 'Microsoft.Authorization/locks@2020-06-01' = {" in file.text


@pytest.mark.parametrize(
    "odd", [change(method="PATCH"), change(method="POST"), change(headers={"If-Match": "7"}), change("/no/where")]
)
def test_what_bicep_cannot_say_is_named_and_not_made_up(odd: ChangeDoc) -> None:
    assert bicep_files([odd]) == []
    assert f"// Not in here, since Bicep cannot say it: {odd['title']}" in handover(
        VIEW, [node(change(), odd)], "bicep"
    )


def test_what_may_only_be_made_new_says_so_where_bicep_would_write_over_it() -> None:
    (file,) = bicep_files([change(headers={"If-None-Match": "*"})])
    assert "// Only where nothing of this name is there yet" in file.text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("it's ${x} \\ \n\x07", "'it\\'s \\${x} \\\\ \\n\\u{7}'"),
        (True, "true"),
        (None, "null"),
        (1.5, "json('1.5')"),
        ({}, "{}"),
        ([], "[]"),
        ({"a-b": [1, {"c": "d"}]}, "{\n  'a-b': [\n    1\n    {\n      c: 'd'\n    }\n  ]\n}"),
    ],
)
def test_values_are_literals(value: Any, said: str) -> None:
    assert literal(value) == said
    assert blocks(said)


def test_paths_that_lead_to_no_resource_have_no_place() -> None:
    assert place_of("/subscriptions/s/things/a") is None
    assert place_of(f"{NET}/privateDnsZones") is None
    assert place_of("") is None
