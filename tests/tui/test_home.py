"""The home screen through the pilot: every key, from empty to three hundred runs, at three sizes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from runbook.core.entry import Draft, Entry, Kind
from runbook.core.error import Damaged, Driven, RunUnknown, TooNew
from runbook.core.expected import Experience, Usual
from runbook.core.state import NodeState
from runbook.journal.runs import Listed
from runbook.tui.app import RunbookApp
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.home import HomeScreen
from runbook.tui.screens.run import RunScreen
from tests.tui.conftest import every_size, idle, press, screen_text, write
from tests.tui.house import ANNA, House, at_home, listed, named, unreadable
from tests.tui.sample import NOW, S, context, node, ready, running, view, wait


def waiting(id_: str = "arc-wait", **more: Any) -> Listed:
    held = view(context(), node("approval", state=S.WAITING, waiting=wait()), mode="live", id=id_)
    return listed(held, **more)


def finished(id_: str = "arc-old", **more: Any) -> Listed:
    return listed(view(context(), book={"id": "b", "title": "B", "steps": []}, expanded=frozenset(), id=id_), **more)


def several() -> House:
    return House(
        [
            listed(named(running(), "arc-busy"), 1, driver=ANNA),
            waiting(),
            finished(ago_min=3000),
            listed(ready(), 65),
            unreadable("arc-broken", Damaged("/some/where/journal.db is damaged: no header.", "Restore it.")),
            unreadable("arc-later", TooNew("Run arc-later was written by a later release.", "Install it.")),
        ]
    )


def home_of(app: RunbookApp) -> HomeScreen:
    assert isinstance(app.screen, HomeScreen)
    return app.screen


def chosen_of(app: RunbookApp) -> str:
    """The id of the run that the cursor is on."""
    run = home_of(app).run
    assert run is not None
    return run.id


def rows_of(text: str) -> list[str]:
    """The ids of runs on the screen, from the top."""
    return re.findall(r"(?:rehearsal|\[LIVE\]|unknown) +(arc-\w+)  ", text)


# ---------------------------------------------------------------- the table


@every_size
async def test_runs_stand_under_what_they_need_and_damaged_ones_hide_none(size: tuple[int, int]) -> None:
    async with at_home(several(), size) as (_, app):
        text = screen_text(app)
        assert rows_of(text) == ["arc-1", "arc-broken", "arc-later", "arc-wait", "arc-busy", "arc-old"]
        for words in ("Needs you (1)", "Cannot be read (2)", "Goes on (2)", "Finished (1)", "Books"):
            assert words in text
        assert re.search(r"\? needs you +rehearsal +arc-1 .* 1 h 5 min", text)
        assert re.search(r"! damaged +unknown +arc-broken", text)
        assert re.search(r"! too new +unknown +arc-later", text)
        assert re.search(r"… waiting +\[LIVE\] +arc-wait", text)
        assert re.search(r"✓ done +rehearsal +arc-old", text)
        assert "6 runs, 1 [LIVE], 1 needs you" in text


async def test_a_wide_screen_has_a_column_for_everything() -> None:
    async with at_home(several(), (200, 60)) as (_, app):
        text = screen_text(app)
        for head in ("SUBSCRIPTION", "NOW AT", "WAITS FOR", "DRIVEN BY", "DONE", "BOOK", "ACTIVE"):
            assert head in text
        row = next(line for line in text.splitlines() if " arc-wait " in line)
        for told in ("Contoso Production", "Approval of the preview", "the Arc team at Microsoft, 2 d", "nobody"):
            assert told in row
        assert "anna on host-7" in next(line for line in text.splitlines() if " arc-busy " in line)


async def test_a_narrow_screen_tells_whom_a_run_waits_for_and_that_it_is_driven() -> None:
    async with at_home(several()) as (_, app):
        lines = screen_text(app).splitlines()
        assert "the Arc team at" in next(line for line in lines if " arc-wait " in line)
        assert next(line for line in lines if " arc-busy " in line).rstrip().endswith("driven")


async def test_what_comes_from_outside_is_neither_markup_nor_control() -> None:
    held = named(ready(), "arc-1", pinned={"subscriptions": {"x": "[bold]Evil[/]\x1b[31m"}, "account": "a\x07b"})
    async with at_home(House([listed(held)]), (200, 60)) as (_, app):
        text = screen_text(app)
        assert "[bold]Evil[/]" in text
        assert "\x1b" not in text
        assert "Arc servers behind [b]Private[/] Link" in text


@every_size
async def test_three_hundred_runs_keep_the_cursor_and_all_can_be_reached(size: tuple[int, int]) -> None:
    house = House([listed(named(ready(), f"arc-{number:03}"), number) for number in range(300)])
    async with at_home(house, size) as (pilot, app):
        assert "300 runs, 300 need you" in screen_text(app)
        text = await press(pilot, "end", "up")
        assert home_of(app).run is not None
        assert "arc-299" in text
        house.runs.insert(0, listed(named(ready(), "arc-new"), 0))
        text = await press(pilot, "r")
        assert "301 runs" in text
        assert chosen_of(app) == "arc-299"


# ---------------------------------------------------------------- finding and sorting


async def test_every_word_must_fit_somewhere() -> None:
    async with at_home(several(), (120, 36)) as (pilot, app):
        await pilot.press("slash")
        text = await write(pilot, "live microsoft")
        assert rows_of(text) == ["arc-wait"]
        assert "1 fit “live microsoft”" in text
        await press(pilot, "enter")
        assert rows_of(screen_text(app)) == ["arc-wait"]
        assert rows_of(await press(pilot, "escape")) == [
            "arc-1", "arc-broken", "arc-later", "arc-wait", "arc-busy", "arc-old",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("driven", ["arc-busy"]),
        ("anna host-7", ["arc-busy"]),
        ("damaged", ["arc-broken"]),
        ("needs you", ["arc-1"]),
        ("contoso private endpoint", ["arc-1"]),
        ("nothing like this", []),
    ],
)
async def test_what_is_found(asked: str, found: list[str]) -> None:
    async with at_home(several(), (120, 36)) as (pilot, _):
        await pilot.press("slash")
        text = await write(pilot, asked)
        assert rows_of(text) == found


async def test_nothing_found_says_how_to_get_back() -> None:
    async with at_home(several()) as (pilot, _):
        await pilot.press("slash")
        assert "Nothing fits. Esc shows everything again." in await write(pilot, "zzz")


async def test_with_nothing_chosen_no_key_offers_to_rehearse() -> None:
    async with at_home(several(), (120, 36)) as (pilot, _):
        await pilot.press("slash")
        text = await write(pilot, "zzz", "enter")
        assert "Nothing fits" in text
        assert "Open" in text
        assert "Rehearse" not in text


async def test_s_goes_round_the_orders_and_the_cursor_stays_on_its_run() -> None:
    async with at_home(several(), (120, 36)) as (pilot, app):
        await press(pilot, "down", "down", "down")
        chosen = home_of(app).run
        by_activity = await press(pilot, "s")
        assert "last activity first" in by_activity
        assert rows_of(by_activity) == ["arc-broken", "arc-busy", "arc-later", "arc-wait", "arc-1", "arc-old"]
        by_name = await press(pilot, "s")
        assert "by name" in by_name
        assert rows_of(by_name) == sorted(rows_of(by_name))
        assert home_of(app).run == chosen
        assert "what needs you first" in await press(pilot, "s")


# ---------------------------------------------------------------- in full


async def test_the_chosen_run_is_told_in_full() -> None:
    entry = Entry.chain(Draft(Kind.OBSERVED, "approval", data={"summary": "Still pending"}), 7, NOW, "")
    usual = {("approval", NodeState.WAITING): Usual(2 * 86_400_000, 86_400_000, 3 * 86_400_000, 4)}
    house = House([waiting()], entries=[entry], past=Experience(4, None, None, usual))
    async with at_home(house, (120, 50)) as (_, app):
        text = screen_text(app)
        for told in (
            "LIVE   arc-wait  … waiting",
            "… waiting  Approval of the preview",
            "waiting for the Arc team at Microsoft, for 2 d, usually 1 d to 3 d, next look in 3 h",
            "Enter goes on with it; w only looks.",
            "Driven by: nobody at the moment",
            "Writes to: Contoso Production in AzureCloud",
            "Account: ana@contoso.example",
            "Last entries",
            "Still pending",
        ):
            assert told in text


async def test_an_unreadable_run_says_what_to_do() -> None:
    async with at_home(several(), (120, 36)) as (pilot, _):
        text = await press(pilot, "down")
        assert "What to do: Restore it." in text
        assert "The other runs are not touched by this." in text
        assert "cannot be read" in await press(pilot, "w")


async def test_a_book_tells_what_it_does_and_how_long_it_took_here() -> None:
    hour = Usual(3_600_000, 3_600_000, 7_200_000, 3)
    day = Usual(86_400_000, 86_400_000, 86_400_000, 3)
    house = House(past=Experience(3, hour, day))
    async with at_home(house, (120, 36)) as (_, app):
        text = screen_text(app)
        assert "What it is for." in text
        assert "Takes: two days" in text
        assert "Rehearsals here: 3 finished; at work 1 h to 2 h, waiting 1 d (simulated time)" in text
        assert house.books_looked_at == ["arc-private-link"]


@every_size
async def test_an_empty_home_teaches_and_enter_rehearses(size: tuple[int, int]) -> None:
    house = House()
    async with at_home(house, size) as (pilot, app):
        text = " ".join(screen_text(app).split())
        assert "Welcome. Nothing has been done here yet." in text
        assert "ten to fifteen minutes" in text
        assert "Live is different" in text
        await press(pilot, "enter")
        assert house.asked[-1] == ("rehearse", "arc-private-link")
        assert isinstance(app.screen, RunScreen)


async def test_without_runs_and_books_it_says_so() -> None:
    async with at_home(House(books=[])) as (_, app):
        assert "There is no run and no book here." in screen_text(app)


# ---------------------------------------------------------------- what can be done


async def test_enter_opens_and_q_comes_back_to_the_same_row() -> None:
    house = several()
    async with at_home(house) as (pilot, app):
        await press(pilot, "down", "down", "down", "enter")
        assert house.asked == [("open", "arc-wait")]
        assert isinstance(app.screen, RunScreen)
        await press(pilot, "q")
        assert chosen_of(app) == "arc-wait"
        await pilot.press("q")
    assert app.return_code == 0


async def test_escape_shows_everything_again_and_never_leaves() -> None:
    async with at_home(several()) as (pilot, app):
        await pilot.press("slash")
        await write(pilot, "contoso", "enter")
        await press(pilot, "escape", "escape", "escape")
        assert app.is_running
        assert len(rows_of(screen_text(app))) == 6


async def test_coming_back_chooses_the_run_that_was_left_also_a_new_one() -> None:
    house = several()
    async with at_home(house, (120, 36)) as (pilot, app):
        await press(pilot, *["down"] * 6, "enter")
        assert house.asked == [("rehearse", "arc-private-link")]
        house.runs.append(listed(named(ready(), "arc-private-link"), 0))  # the house names the run after its book
        await press(pilot, "q")
        assert chosen_of(app) == "arc-private-link"


async def test_ctrl_c_says_in_our_words_how_to_leave() -> None:
    async with at_home(several(), (120, 36)) as (pilot, _):
        text = await press(pilot, "ctrl+c")
        assert "Ctrl+C stops nothing" in text
        assert "Do you want to quit" not in text


async def test_a_click_goes_to_a_row_and_another_one_opens_it() -> None:
    house = several()
    async with at_home(house) as (pilot, app):
        row = next(y for y, line in enumerate(screen_text(app).splitlines()) if " arc-wait " in line)
        await pilot.click(offset=(20, row))
        await idle(pilot)
        assert chosen_of(app) == "arc-wait"
        assert house.asked == []
        await pilot.click(offset=(20, row))
        await idle(pilot)
        assert house.asked == [("open", "arc-wait")]


async def test_the_arrows_move_in_the_list_while_something_is_typed() -> None:
    async with at_home(several(), (120, 36)) as (pilot, app):
        await pilot.press("slash")
        await write(pilot, "contoso", "down")
        assert chosen_of(app) == "arc-wait"


async def test_w_looks_on_where_nobody_drives() -> None:
    house = several()
    async with at_home(house) as (pilot, app):
        text = await press(pilot, "w")
        assert house.asked == [("watch", "arc-1")]
        assert isinstance(app.screen, RunScreen)
        assert "READ-ONLY" in text


async def test_taking_over_asks_first_and_only_where_somebody_drives() -> None:
    house = several()
    async with at_home(house, (120, 36)) as (pilot, app):
        assert "Nobody drives it" in await press(pilot, "T")
        text = await press(pilot, "down", "down", "down", "down", "T")
        assert isinstance(app.screen, Dialog)
        assert "anna on host-7 (process 4711)" in text
        await press(pilot, "escape")
        assert house.asked == []
        await press(pilot, "T")
        await write(pilot, "she is ill", "enter")
        assert house.asked == [("take", "arc-busy", "she is ill")]
        assert isinstance(app.screen, RunScreen)


async def test_a_finished_run_is_put_away_and_brought_back() -> None:
    house = House([finished(), listed(ready())])
    async with at_home(house, (120, 36)) as (pilot, app):
        text = await press(pilot, "down", "z")
        assert house.asked == [("away", "arc-old")]
        assert rows_of(text) == ["arc-1"]
        assert "is put away" in text
        text = await press(pilot, "A")
        assert "Put away (1)" in text
        await press(pilot, "up")
        assert "Bring back" in screen_text(app)
        text = await press(pilot, "z")
        assert house.asked[-1] == ("back", "arc-old")
        assert "Put away (1)" not in text


async def test_putting_an_unfinished_run_away_asks_first() -> None:
    house = House([listed(ready())])
    async with at_home(house) as (pilot, app):
        await press(pilot, "z")
        assert isinstance(app.screen, Dialog)
        await press(pilot, "escape")
        assert house.asked == []
        await press(pilot, "z", "shift+tab", "enter")
        assert house.asked == [("away", "arc-1")]


async def test_a_driven_run_is_not_put_away() -> None:
    house = House([listed(ready(), driver=ANNA)])
    async with at_home(house) as (pilot, _):
        assert "Somebody drives it" in await press(pilot, "z")
        assert house.asked == []


async def test_a_report_goes_where_it_was_named_and_never_silently_over_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    house = House([listed(ready())])
    target = tmp_path / "arc-1-report.html"
    async with at_home(house, (120, 36)) as (pilot, app):
        text = await press(pilot, "R")
        assert isinstance(app.screen, Dialog)
        assert "arc-1-report.html" in text
        text = await press(pilot, "enter")
        assert house.asked == [("report", "arc-1", str(target), "False")]
        assert "The report is in" in text
        assert target.exists()
        await press(pilot, "R", "enter")
        assert isinstance(app.screen, Dialog)
        assert "Write over this file?" in screen_text(app)
        assert len(house.asked) == 1
        await press(pilot, "shift+tab", "enter")
        assert house.asked[-1] == ("report", "arc-1", str(target), "True")


async def test_what_is_refused_is_told_and_the_home_stays() -> None:
    house = House([finished()], refuse=Driven("It is driven by anna.", "Ask her."))
    async with at_home(house, (120, 36)) as (pilot, app):
        assert "It is driven by anna." in await press(pilot, "z")
        house.refuse = RunUnknown("There is no run 'arc-old'.", "It was moved.")
        assert "There is no run 'arc-old'." in await press(pilot, "enter")
        assert isinstance(app.screen, HomeScreen)


async def test_the_key_of_a_screen_that_is_not_there_does_nothing_and_says_so() -> None:
    async with at_home(several()) as (pilot, app):
        assert "That is not possible here." in await press(pilot, "n")
        assert isinstance(app.screen, HomeScreen)


class Above(Screen[Any]):
    """A screen that ends at once with what it was given."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result

    def on_mount(self) -> None:
        self.dismiss(self.result)


async def test_n_makes_a_run_of_the_chosen_book_and_opens_it() -> None:
    house, of = House(), []

    def make(book: str) -> Screen[str | None]:
        of.append(book)
        return Above("made-1")

    async with at_home(house, new_run=make) as (pilot, app):
        await press(pilot, "n")
        assert of == ["arc-private-link"]
        assert house.asked[-1] == ("open", "made-1")
        assert isinstance(app.screen, RunScreen)


async def test_the_list_is_read_again_and_what_changed_moves_without_the_cursor() -> None:
    house = several()
    async with at_home(house, (120, 36)) as (pilot, app):
        await press(pilot, "down", "down", "down")
        house.runs = [r if r.id != "arc-wait" else replace(r, touched_ms=NOW) for r in house.runs]
        house.runs.append(listed(named(ready(), "arc-another"), 1))
        await press(pilot, "r")
        chosen = home_of(app).run
        assert chosen is not None
        assert (chosen.id, chosen.touched_ms) == ("arc-wait", NOW)


async def test_a_run_that_is_gone_gives_the_cursor_to_its_neighbour() -> None:
    house = several()
    async with at_home(house, (120, 36)) as (pilot, app):
        await press(pilot, "down", "down", "down")
        house.runs = [r for r in house.runs if r.id != "arc-wait"]
        await press(pilot, "r")
        assert chosen_of(app) == "arc-busy"


async def test_the_head_of_the_help_is_in_sight_also_on_a_small_screen() -> None:
    async with at_home(several(), (80, 24)) as (pilot, _):
        text = await press(pilot, "question_mark")
        assert "Esc closes" in text
        assert "Go on with the run" in text


async def test_help_has_every_key_of_the_home_screen() -> None:
    async with at_home(several(), (120, 60)) as (pilot, app):
        text = await press(pilot, "question_mark")
        assert "Write the run's report" in text
        assert "Drive a run whose driver is alive but away" in text
        await press(pilot, "escape")
        await idle(pilot)
        assert isinstance(app.screen, HomeScreen)
