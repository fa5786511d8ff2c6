"""Bars, axis and words of a run's past, from real rehearsals."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

import pytest

from runbook.core.entry import Draft, Entry, Kind
from runbook.core.mark import mark_of
from runbook.core.state import FINISHED, NodeState
from runbook.core.view import RunView
from runbook.journal.fold import fold
from runbook.tui.present.axis import Axis, even, shortened
from runbook.tui.present.lanes import SIGNS, Fill, Lanes, jump
from runbook.tui.present.rows import outline
from runbook.tui.present.text import as_text
from runbook.tui.present.timeline import bar_spans, paint, then_lines, time_rows, took
from runbook.tui.present.told import told
from tests.crash.harness import Played
from tests.journeys.scenes import no_words, rehearse

S = NodeState
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A rehearsal of the preview to its end: two days of waiting among minutes of work."""
    return rehearse(tmp_path_factory.mktemp("preview"), "arc-preview")


@pytest.fixture(scope="module")
def stuck(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return rehearse(tmp_path_factory.mktemp("stuck"), "arc-trouble", answer=no_words)


def lanes_of(entries: list[Entry]) -> Lanes:
    lanes = Lanes()
    lanes.hear(map(mark_of, entries))
    return lanes


def moves(*states: tuple[NodeState, int], who: str = "ana") -> list[Entry]:
    """One node going through states at these seconds."""
    waiting = {"waiting": {"who": who, "attest": "", "next_poll_ms": 1}}
    return [
        Entry.chain(
            Draft(Kind.OBSERVED, "zone", to, waiting if to is S.WAITING else {}), seq, 1_000_000 + at_s * 1000, ""
        )
        for seq, (to, at_s) in enumerate(states, 1)
    ]


def test_two_days_of_looks_and_waiting_are_one_wait(played: Played) -> None:
    lanes = lanes_of(played.entries)
    (node,) = [n for n in played.view.nodes if n.startswith("approval[1111")]
    assert played.view.nodes[node].attempts > 20
    waits = [span for span in lanes.spans(node) if span.fill is Fill.WAITED]
    assert len(waits) == 1
    assert "Microsoft" in waits[0].who
    assert lanes.at_ms(waits[0].end) - lanes.at_ms(waits[0].start) > 2 * DAY_MS


def test_spans_follow_one_another_without_gap_and_end_as_the_node_stands(played: Played, stuck: Played) -> None:
    for run in (played, stuck):
        lanes = lanes_of(run.entries)
        for node in run.view.nodes.values():
            spans = lanes.spans(node.id)
            assert all(a.end == b.start for a, b in pairwise(spans))
            if node.state in FINISHED:
                assert spans[-1].fill in (Fill.DONE, Fill.SKIPPED)
            elif node.state is not S.PENDING:
                assert spans[-1].end == lanes.head


def test_a_look_that_ends_a_wait_is_told_apart_from_it() -> None:
    lanes = lanes_of(
        moves((S.OBSERVING, 0), (S.WAITING, 1), (S.OBSERVING, 5), (S.WAITING, 5), (S.OBSERVING, 9), (S.READY, 12))
    )
    told_ = [(s.fill, s.start, s.end) for s in lanes.spans("zone")]
    assert told_ == [(Fill.LOOKED, 1, 2), (Fill.WAITED, 2, 5), (Fill.LOOKED, 5, 6), (Fill.READY, 6, 6)]
    assert lanes.asked == [6]


def test_waiting_for_somebody_else_is_another_wait() -> None:
    first = moves((S.WAITING, 0), (S.OBSERVING, 1))
    second = moves((S.OBSERVING, 0), (S.OBSERVING, 1), (S.WAITING, 2), who="ben")[2:]
    assert [s.who for s in lanes_of([*first, *second]).spans("zone") if s.fill is Fill.WAITED] == ["ana", "ben"]


def test_each_failure_is_one_of_its_own_and_can_be_jumped_to() -> None:
    lanes = lanes_of(moves((S.FAILED, 0), (S.OBSERVING, 1), (S.FAILED, 2), (S.OBSERVING, 3), (S.BLOCKED, 4)))
    assert lanes.broke == [1, 3, 5]
    assert jump(lanes.broke, 1, 1) == 3
    assert jump(lanes.broke, 5, 1) is None
    assert jump(lanes.broke, 5, -1) == 3
    assert lanes.moved(["zone"], 1, 1) == 2
    assert lanes.moved(["zone", "other"], 1, -1) is None


def axes(entries: list[Entry]) -> list[Axis]:
    lanes = lanes_of(entries)
    return [even(lanes.times), shortened(lanes.times, lanes.turns())]


def test_a_later_entry_never_stands_left_of_an_earlier_one_and_places_lead_back(played: Played) -> None:
    for axis in axes(played.entries):
        places = [axis.place(seq) for seq in range(1, len(played.entries) + 1)]
        assert places == sorted(places)
        assert (places[0], places[-1]) == (0.0, 1.0)
        for seq in range(1, len(places) + 1):
            back = axis.seq_at(places[seq - 1])
            assert places[back - 1] == pytest.approx(places[seq - 1], abs=1e-9)
        assert axis.seq_at(0.0) >= 1
        assert axis.seq_at(1.0) == len(places)


def test_days_of_waiting_squash_minutes_of_work_only_where_time_is_even(played: Played) -> None:
    by_time, short = axes(played.entries)
    end = max(e.seq for e in played.entries if e.node and e.node.startswith("approval["))
    assert by_time.place(end) > 0.99
    assert 0.3 < short.place(end) < 0.8
    assert sum(gap.end - gap.start for gap in short.gaps) <= 0.5 + 1e-9
    assert any(gap.lasted_ms > DAY_MS for gap in short.gaps)


@pytest.mark.parametrize("count", [1, 2])
def test_a_run_of_hardly_any_entries_has_an_axis(count: int) -> None:
    for axis in axes(moves(*[(S.OBSERVING, 0), (S.FAILED, 0)][:count])):
        assert {axis.column(seq, 10) for seq in range(1, count + 1)} <= set(range(10))
        assert axis.seq_at(1.0) == count


def test_what_lasted_less_than_a_cell_is_still_seen() -> None:
    entries = moves((S.OBSERVING, 0), (S.FAILED, 50_000), (S.OBSERVING, 50_001), (S.WAITING, 50_002), (S.DONE, 100_000))
    lanes = lanes_of(entries)
    cells = paint(lanes.spans("zone"), even(lanes.times), 20)
    assert "".join(SIGNS[c] for c in cells) == "┈" * 10 + "✗" + "░" * 8 + "✓"


def test_what_came_after_the_cursor_is_dim_and_the_cursor_is_seen_in_an_empty_cell() -> None:
    assert bar_spans(bytes([Fill.CHANGED, Fill.NONE, Fill.DONE]), 1) == [("█", "busy"), ("│", "tab"), ("✓", "muted")]


def test_time_that_overlaps_is_counted_once() -> None:
    lanes = lanes_of(moves((S.OBSERVING, 0), (S.SETTLING, 10), (S.DONE, 70)))
    assert took(lanes, lanes.spans("zone") * 3) == "1 min 10 s".rpartition(" 10")[0]


def test_rows_fold_and_know_every_node_below(played: Played) -> None:
    branches = outline(played.view)
    folded = time_rows(branches, lambda _: False)
    opened = time_rows(branches, lambda _: True)
    assert [row.key[0] for row in folded] == ["phase"] * len(folded)
    assert sorted(node for row in folded for node in row.nodes) == sorted(played.view.nodes)
    assert {row.key[1] for row in opened if row.key[0] == "node"} == set(played.view.nodes)


def test_every_entry_is_told_in_words(played: Played, stuck: Played) -> None:
    for entry in [*played.entries, *stuck.entries]:
        text = told(entry)
        assert text.strip()
        assert "{" not in text.replace("${", "")
        assert "  " not in text
        assert not text.endswith(": ")


def test_the_run_at_the_cursor_is_told_as_it_stood(played: Played) -> None:
    lanes = lanes_of(played.entries)
    seq = next(e.seq for e in played.entries if e.kind is Kind.APPROVED)
    view = fold(RunView(), played.entries[:seq])
    entry = played.entries[seq - 1]
    rows = time_rows(outline(played.view), lambda _: True)
    row = next(r for r in rows if r.key == ("node", entry.node))
    text = as_text(then_lines(lanes, seq, view, entry, row, 120))
    assert f"#{seq} of {lanes.head}" in text
    assert "said go to" in text
    assert "approved" in text
    assert f"{view.totals[S.DONE]} done" in text
    assert "Reading" in as_text(then_lines(lanes, seq, None, None, None, 120))


def test_turns_are_where_spans_begin(played: Played) -> None:
    lanes = lanes_of(played.entries)
    turns = lanes.turns()
    assert turns == sorted(set(turns))
    for node in played.view.nodes:
        for span in lanes.spans(node):
            assert turns[bisect_left(turns, span.start)] == span.start
