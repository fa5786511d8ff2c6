from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from runbook.book import StepSpec, lint, load_book
from runbook.book.graph import before

BOOK = load_book("arc-private-link")
PATH = "assets/books/arc-private-link.yaml"
ITEMS = {
    0: ["prerequisites", "connection"],
    1: ["context"],
    2: ["rights"],
    3: ["providers"],
    4: ["features"],
    6: ["request_sent", "approval"],
    7: ["reregister"],
    8: ["nsg_rules", "firewall", "tags_open"],
    9: ["scope"],
    10: ["capacity", "capacity_now", "endpoint"],
    11: ["machines", "associate", "associated", "new_servers"],
    12: ["zones", "zone_group", "links", "forwarding", "own_dns"],
    13: ["resolution", "agent_check", "companions", "proof"],
    14: ["close_public"],
}
"""The parts of the procedure and the steps that do them."""
BEFORE = before(BOOK)
WRITES = {
    *("providers", "features", "approval", "reregister", "network_type_ready", "capacity", "nsg_rules"),
    *(
        "resource_group",
        "scope",
        "endpoint_group",
        "endpoint",
        "associate",
        "zones_provider",
        "zones_group",
        "zones",
        "zone_group",
        "links",
        "close_public",
    ),
}
SEEDS = Path(__file__).resolve().parents[2].parent / "shared" / "seeds"
"""The published articles, where they lie beside the checkout."""
COMMON = 7
"""So many words in a row are somebody's sentence."""
DISRUPTIVE = ("links", "own_dns", "forwarding", "zone_group")


def test_the_book_is_free_of_faults() -> None:
    assert [str(fault) for fault in lint(PATH)] == []


def test_every_part_of_the_procedure_has_its_steps() -> None:
    assert [s for steps in ITEMS.values() for s in steps if not BOOK.has_step(s)] == []


@pytest.mark.parametrize("spec", BOOK.steps, ids=lambda s: s.id)
def test_a_step_tells_why_what_and_what_can_go_wrong_with_its_source(spec: StepSpec) -> None:
    assert set(spec.guide) == {"why", "what", "risk"}
    assert all(text.strip() for text in spec.guide.values())
    assert re.search(r"\d{4}|Microsoft Learn", spec.source)
    assert spec.title[0].isupper()
    assert not spec.title.endswith(".")


@pytest.mark.parametrize("step", sorted(WRITES))
def test_rights_and_rules_are_checked_before_the_first_write(step: str) -> None:
    assert {"edition", "context", "prerequisites", "rights"} <= BEFORE[step]


@pytest.mark.parametrize("step", DISRUPTIVE)
def test_names_turn_private_only_after_every_server_is_in_the_scope(step: str) -> None:
    assert {"associate", "associated", "connection", "nsg_rules", "firewall"} <= BEFORE[step]


def test_the_public_way_is_closed_last_and_after_the_proof() -> None:
    assert {"proof", "resolution", "agent_check", "associated"} <= BEFORE["close_public"]
    assert not any("close_public" in needs for needs in BEFORE.values())


def test_zones_are_linked_only_after_their_records_are_written() -> None:
    assert {"zones", "zone_group", "endpoint"} <= BEFORE["links"]


def test_registration_does_not_wait_for_the_network_team() -> None:
    assert "connection" not in BEFORE["scope"]


def test_preview_only_steps_are_skipped_today() -> None:
    for step in ("features", "request_sent", "approval"):
        assert BOOK.step(step).when == "${nodes.edition.outputs.edition == 'preview'}"


def test_a_subscription_that_was_left_out_of_the_approval_is_not_registered_again() -> None:
    wanted = "nodes.edition.outputs.edition == 'preview' && nodes.approval.state != 'skipped'"
    assert BOOK.step("reregister").when == "${" + wanted + "}"


def test_the_rule_table_is_the_article_s() -> None:
    assert BOOK.step("nsg_rules").for_each == [
        {"name": "AllowAADOutboundAccess", "tag": "AzureActiveDirectory", "priority": 150},
        {"name": "AllowAzOutboundAccess", "tag": "AzureResourceManager", "priority": 151},
    ]


def test_the_misspelt_flag_of_the_article_is_named_and_not_used() -> None:
    flags = BOOK.step("features").for_each["flag"]
    assert [f["id"] for f in flags] == ["AllowPrivateEndpoints", "ArcServerPrivateLinkPreview"]
    assert re.search(r"-FeatureName AllowPrivateEndpoint\b", flags[0]["remark"])


def test_no_text_holds_a_private_path_or_a_working_note() -> None:
    text = str(BOOK.doc).lower()
    assert not re.search(r"/tmp/|/home/|todo|fixme|\bsession\b", text)


# ---------------------------------------------------------------- the words


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z0-9'-]+", text.lower())


def runs_of(text: str) -> set[tuple[str, ...]]:
    """Every run of ``COMMON`` words."""
    words = words_of(text)
    return {tuple(words[at : at + COMMON]) for at in range(len(words) - COMMON + 1)}


def texts_in(value: Any) -> list[str]:
    """Every text of a document but those under ``source``, which name a document by its title."""
    if isinstance(value, dict):
        return [t for name, inner in value.items() if name != "source" for t in texts_in(inner)]
    if isinstance(value, list):
        return [t for inner in value for t in texts_in(inner)]
    return [value] if isinstance(value, str) else []


@pytest.mark.skipif(not SEEDS.is_dir(), reason=f"the published articles are not at {SEEDS}")
def test_no_sentence_of_the_published_articles_stands_in_the_book() -> None:
    published = {run for file in SEEDS.iterdir() for run in runs_of(file.read_text(encoding="utf-8"))}
    names = runs_of("Azure Active Directory and Azure Resource Manager") | runs_of(
        "(Azure Active Directory) and Azure Resource Manager"
    )
    assert published
    copied = {" ".join(run) for text in texts_in(BOOK.doc) for run in (runs_of(text) & published) - names}
    assert copied == set()


@pytest.mark.parametrize(
    ("step", "where", "fact"),
    [
        ("prerequisites", "subnet", "seven"),
        ("capacity", "guide", "seven"),
        ("approval", "guide", "turned down"),
        ("features", "remark", "Pending"),
        ("rights", "with", "the scope's owner is asked"),
    ],
)
def test_what_no_document_confirms_is_told_as_such(step: str, where: str, fact: str) -> None:
    spec = BOOK.step(step)
    places = {
        "subnet": str(BOOK.inputs["subnet"].help),
        "guide": str(spec.guide),
        "remark": str(spec.for_each),
        "with": str(spec.with_),
    }
    assert fact in places[where]
    assert "(unconfirmed" in places[where]
