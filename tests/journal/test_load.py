from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.core.entry import Draft, Entry, Kind
from runbook.core.error import Damaged
from runbook.core.state import NodeState
from runbook.core.view import RunView
from runbook.journal.fold import FORM, fold, to_snapshot
from runbook.journal.load import keep_snapshot, load_view
from runbook.journal.store import Journal
from tests.journal.conftest import driven
from tests.journal.walks import CREATED, carried, expanded, walks


def drafts_of(entries: list[Entry]) -> list[Draft]:
    return [Draft(e.kind, e.node, e.to, e.data) for e in entries]


@pytest.fixture
def view(journal: Journal) -> RunView:
    """The view of a journal of three rows."""
    entries = journal.append([CREATED, expanded("context", "x"), expanded("zone", "a", "b")], 1_000, 1)
    return fold(RunView(), entries)


def test_an_empty_journal_loads_as_an_empty_run(journal: Journal) -> None:
    assert load_view(journal) == RunView()


def test_a_journal_without_a_snapshot_is_folded_whole(journal: Journal, view: RunView) -> None:
    assert load_view(journal) == view


@given(walks(), st.data())
def test_loading_gives_the_same_view_wherever_the_snapshot_was_kept(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(entries)))
    journal = Journal.create(tmp_path_factory.mktemp("run") / "journal.db", durable=False)
    journal.add_driver(0, driven(1))
    written = journal.append(drafts_of(entries[:cut]), 1_000, 1)
    keep_snapshot(journal, fold(RunView(), written))
    written += journal.append(drafts_of(entries[cut:]), 2_000, 1)
    loaded = load_view(journal)
    assert loaded == fold(RunView(), written)
    assert list(loaded.nodes) == list(fold(RunView(), written).nodes)
    journal.close()


def test_a_snapshot_spares_the_reading_of_what_it_holds(journal: Journal, view: RunView) -> None:
    keep_snapshot(journal, view)
    with journal._db as db:
        db.execute("DROP TRIGGER entry_remains")
        db.execute("DELETE FROM entry WHERE seq < 3")
    assert load_view(journal) == view


def test_only_the_newest_snapshot_is_kept(journal: Journal, view: RunView) -> None:
    keep_snapshot(journal, view)
    moved = fold(view, journal.append([Draft(Kind.PAUSED)], 2_000, 1))
    keep_snapshot(journal, moved)
    assert journal._db.execute("SELECT count(*) FROM snapshot").get == 1
    assert load_view(journal) == moved


def test_a_view_that_is_behind_the_journal_is_not_kept(journal: Journal, view: RunView) -> None:
    journal.append([expanded("links", "x")], 2_000, 1)
    keep_snapshot(journal, view)
    assert journal.snapshot(FORM) is None


def test_a_snapshot_of_another_form_is_ignored(journal: Journal, view: RunView) -> None:
    journal.save_snapshot(*journal.head(), "0.stale", '{"not": "a view"}')
    assert journal.snapshot(FORM) is None
    assert load_view(journal) == view


def test_a_snapshot_whose_entry_is_not_what_it_was_is_ignored(journal: Journal, view: RunView) -> None:
    journal.save_snapshot(view.head, "0" * 64, FORM, to_snapshot(view))
    assert journal.snapshot(FORM) is None
    assert load_view(journal) == view


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"nodes": [{}]}', '{"nodes": [], "expanded": [], "x": 1}'])
def test_a_snapshot_that_cannot_be_read_is_never_missed(journal: Journal, view: RunView, text: str) -> None:
    journal.save_snapshot(*journal.head(), FORM, text)
    assert load_view(journal) == view


def test_a_journal_whose_entries_make_no_sense_is_damaged(journal: Journal, view: RunView) -> None:
    journal.append([Draft(Kind.ACCEPTED, "zone[a]", NodeState.SETTLING, carried(Kind.ACCEPTED))], 2_000, 1)
    with pytest.raises(Damaged, match=r"moves zone\[a\] from pending to settling"):
        load_view(journal)
