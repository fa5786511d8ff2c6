"""What a run would come to, in lines: from the book, and from a look."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from runbook.book import load_book
from runbook.core.state import NodeState
from runbook.tui.present.summary import MANY, book_rows, seen_rows
from runbook.tui.present.text import as_text
from runbook.wiring import Wish, look_ahead
from tests.tui.sample import change

ARC = load_book("arc-private-link")


def test_the_book_alone_names_gates_and_what_it_calls_disruptive() -> None:
    text = as_text(book_rows(ARC, {}))
    assert "another team: Find the VPN or ExpressRoute connection" in text
    assert "Microsoft: Wait for the approval of …" in text
    assert "! Close the scope to public networks" in text
    assert "Takes: About an hour" in text


def test_what_the_inputs_rule_out_is_left_out() -> None:
    assert "Close the scope" not in as_text(book_rows(ARC, {"close_public_access": False}))


@pytest.mark.parametrize("scenario", ["arc-preview", "arc-ga", "arc-brownfield"])
def test_a_look_is_told_without_saying_what_it_does_not_know(scenario: str) -> None:
    lookout = look_ahead(Wish("arc-private-link", scenario=scenario))
    findings = asyncio.run(lookout.survey())
    text = as_text(seen_rows(ARC, lookout.view, findings, is_whole=False))
    assert text.startswith(f"{len(findings)} nodes: ")
    assert f"Read in scenario {scenario}" in text
    unknown = [f for f in findings if f.verdict == "unknown_until"]
    assert ("Not known yet" in text) == bool(unknown)
    whole = as_text(seen_rows(ARC, lookout.view, findings, is_whole=True))
    for finding in findings:
        for made in finding.node.changes if finding.node.state is not NodeState.DONE else ():
            assert made["command"]["az"] in whole


def test_a_disruptive_change_is_named_and_many_alike_are_counted() -> None:
    lookout = look_ahead(Wish("arc-private-link", scenario="arc-ga"))
    findings = asyncio.run(lookout.survey())
    first = next(f for f in findings if f.verdict == "change")
    grave = tuple(change(f"Close {n} \x1b[31m", f"pe-{n}", "disruptive") for n in range(MANY + 3))
    text = as_text(
        seen_rows(ARC, lookout.view, [replace(first, node=replace(first.node, changes=grave))], is_whole=False)
    )
    assert "  ! Close 0" in text
    assert "and 3 more like these" in text
    assert "\x1b" not in text
