"""Reports of a run with about 1,700 nodes: read in a minute, and still complete."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest

from runbook.core.entry import Draft, Kind
from runbook.core.view import RunView
from runbook.journal.fold import fold
from runbook.report import render, report_doc
from tests import estate


@cache
def document(*, is_finished: bool) -> dict[str, Any]:
    entries = estate.entries(estate.finished() if is_finished else estate.midway())
    return report_doc(fold(RunView(), entries), entries, [], (len(entries), "f" * 64), [])


def outside_folds(text: str) -> list[str]:
    """The lines of a Markdown report that are not behind a fold."""
    depth, shown = 0, []
    for line in text.splitlines():
        depth += line == "<details>"
        if not depth:
            shown.append(line)
        depth -= line == "</details>"
    assert depth == 0
    return shown


def test_steps_with_many_nodes_are_a_table_and_every_command_stands_behind_a_fold() -> None:
    text = render(document(is_finished=True), "md")
    shown = outside_folds(text)
    assert "### Create endpoint pe-…-connection: 200 of 200 done" in shown
    assert "| Restart the agents of … | 200 | 200 | 200 × answered |" in shown
    assert not any("az rest" in line and "hp-117" in line for line in shown)
    for spec in estate.POOL_STEPS:
        assert f"things/{spec[0]}-hp-117?" in text


def test_what_is_left_is_told_together_where_many_stand_alike() -> None:
    text = render(document(is_finished=False), "md")
    left = text.partition("## What is left")[2].partition("## What was changed")[0].strip().splitlines()
    assert len(left) < 60
    assert any("`agent_restart[*]`" in line and "200 nodes" in line for line in left)
    assert any("`connection_endpoint[rg-avd/hp-147]`" in line and "subnet-too-small" in line for line in left)


def test_the_json_form_is_complete_and_says_which_step_a_node_is_of() -> None:
    doc = document(is_finished=True)
    nodes = [node for phase in doc["phases"] for node in phase["nodes"]]
    assert len(nodes) == len({node["id"] for node in nodes}) == 1646
    assert {id_ for phase in doc["phases"] for step in phase["steps"] for id_ in step["nodes"]} == {
        node["id"] for node in nodes
    }
    assert len(doc["changes"]) == 1646


def test_the_page_folds_its_long_parts_and_closes_every_element() -> None:
    void = {"meta", "br", "hr", "img", "link", "input"}
    opened: list[str] = []
    counts = {"details": 0}

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag not in void:
                opened.append(tag)
            counts["details"] += tag == "details"

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    text = render(document(is_finished=True), "html")
    Reader().feed(text)
    assert opened == []
    assert counts["details"] > 1646
    assert "Each of the 200 nodes in full" in text
    assert "Each of the 1646 changes" in text


@pytest.mark.parametrize("form", ["md", "html"])
def test_an_approval_says_who_gave_it_and_an_old_one_says_nothing(form: str) -> None:
    doc = document(is_finished=True)
    assert "by ana@contoso.example" in render(doc, form)
    nameless = [
        Draft(d.kind, d.node, d.to, {k: v for k, v in d.data.items() if k != "by"}) if d.kind is Kind.APPROVED else d
        for d in estate.finished()[:60]
    ]
    entries = estate.entries(nameless)
    old = render(report_doc(fold(RunView(), entries), entries, [], (1, ""), []), form)
    assert "Approved 2026" in old
    assert "by ana" not in old
