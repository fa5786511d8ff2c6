"""What was done and by whom, and the report that is written from beside the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook.core.entry import Draft, Entry, Kind
from runbook.journal.past import ToldPast
from runbook.journal.store import Driver
from runbook.report import report_doc
from runbook.tui.around import Around
from runbook.tui.present.audit import audit_lines
from runbook.tui.present.text import as_text
from tests.tui.conftest import press, screen_text, showing, write
from tests.tui.sample import BOOK, NOW, S, Store, change, ready

MADE = change("Create private endpoint pe-arc", "pe-arc")
DRIVERS = (Driver(1, "laptop", 11, "ana", NOW, ""), Driver(2, "desk", 12, "ben", NOW + 3_600_000, "ana is ill"))


def journal() -> list[Entry]:
    start = {"id": "arc-1", "book": BOOK, "mode": "rehearsal", "edition": "auto", "scenario": "", "inputs": {}}
    doc = ready().nodes["endpoint"].doc
    drafts = [
        Draft(Kind.RUN_CREATED, data={**start, "pinned": {}}),
        Draft(Kind.EXPANDED, data={"step": "endpoint", "nodes": [doc]}),
        Draft(Kind.BEGUN, "endpoint", S.OBSERVING),
        Draft(Kind.OBSERVED, "endpoint", S.READY, {"verdict": "changes", "changes": [MADE]}),
        Draft(
            Kind.APPROVED,
            "endpoint",
            S.OBSERVING,
            {"digests": [MADE["digest"]], "titles": [MADE["title"]], "by": "ana@contoso.example"},
        ),
        Draft(Kind.OBSERVED, "endpoint", S.APPLYING, {"verdict": "changes"}),
        Draft(
            Kind.INTENDED,
            "endpoint",
            data={k: MADE[k] for k in ("digest", "title", "method", "path", "repeat")} | {"locks": []},
        ),
        Draft(
            Kind.ANSWERED,
            "endpoint",
            S.OBSERVING,
            {"digest": MADE["digest"], "title": MADE["title"], "status": 201, "correlation_id": "c-77"},
        ),
    ]
    entries: list[Entry] = []
    for number, draft in enumerate(drafts, 1):
        entries.append(Entry.chain(draft, number, NOW + number * 1000, entries[-1].hash if entries else ""))
    return entries


class Told(ToldPast):
    def drivers(self) -> Sequence[Driver]:
        return DRIVERS


@dataclass
class Recorded(Store):
    def past(self) -> ToldPast:
        return Told(journal())


def test_each_call_is_told_with_what_it_was_its_answer_who_said_go_and_its_correlation_id() -> None:
    past = Told(journal())
    text = as_text(audit_lines(report_doc(past.newest(), past.each(99), past.drivers(), (8, ""), ())))
    assert "Create private endpoint pe-arc" in text
    assert "PUT …/privateEndpoints/pe-arc: answered 201" in text
    assert "approved by ana@contoso.example" in text
    assert "correlation id c-77" in text
    assert "ben on desk (process 12), from then on, ana is ill" in text


async def test_capital_l_shows_what_was_done_and_c_copies_it(tmp_path: Path) -> None:
    async with showing(Recorded(ready())) as (pilot, app):
        assert "answered 201" in await press(pilot, "L")
        await press(pilot, "c")
        assert "c-77" in app.clipboard
        assert "What was done, and by whom" not in await press(pilot, "escape")


async def test_capital_r_writes_the_report_from_beside_the_run(tmp_path: Path) -> None:
    written: list[tuple[str, Path, bool]] = []

    def report(run: str, path: Path, over: bool) -> Sequence[str]:
        written.append((run, path, over))
        return ()

    async with showing(Recorded(ready()), around=Around(report=report)) as (pilot, app):
        assert "Report of arc-1" in await press(pilot, "R")
        for box in app.screen.query("Input"):
            box.value = str(tmp_path / "out.html")  # type: ignore[attr-defined]
        await press(pilot, "enter")
    assert written == [("arc-1", tmp_path / "out.html", False)]


async def test_the_palette_does_what_is_called_so_before_what_only_mentions_it() -> None:
    around = Around(report=lambda run, path, over: ())
    async with showing(Recorded(ready()), around=around) as (pilot, _):
        await press(pilot, "ctrl+p")
        await write(pilot, "report")
        assert "Report of arc-1" in await press(pilot, "enter")


async def test_a_row_of_the_tree_keeps_the_end_of_its_title() -> None:
    async with showing(Recorded(ready())) as (_, app):
        assert "Close the sc…ublic access" in screen_text(app)
