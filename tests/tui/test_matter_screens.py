"""The waiting and the failure screen through Pilot: every look and every key, at 80×24, 120×36 and 200×60."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from runbook.cli.making import Workshop
from runbook.core.clock import from_iso
from runbook.core.command import Attest, Retry, Skip
from runbook.core.entry import Entry, Kind
from runbook.core.view import NodeView, RunView
from runbook.tui.around import Around
from runbook.tui.keys import SCREENS
from runbook.tui.present.text import as_text
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.failure import FailureScreen
from runbook.tui.screens.new_run import NewRunScreen
from runbook.tui.screens.raw import RawScreen
from runbook.tui.screens.run import RunScreen
from runbook.tui.screens.waiting import WaitingScreen
from runbook.tui.widgets.prose import Prose
from tests.tui.conftest import SIZES, every_size, from_another_thread, idle, press, screen_text, showing, write
from tests.tui.matters import (
    BADLY,
    BLOCK,
    DAY,
    ERROR,
    INTENT,
    REFUSED,
    SENT,
    asked,
    log,
    opened,
    remarks,
    stopped,
)
from tests.tui.sample import NOW, S, Store, change, context, node, view

LOOKS: dict[str, tuple[RunView, list[Entry], list[str]]] = {
    "waiting": (asked(), [], ["Since: 2026-10-24 07:33Z, that is 2 d", "Looks again: in 3 h (simulated)"]),
    "waiting too long": (
        asked(since_ms=NOW - 20 * DAY),
        [],
        ["Longer than usual", "Text to ask again with", "for 20 d"],
    ),
    "waiting for a word": (asked(next_poll_ms=None, attest="I sent it"), [], ["only your word ends it"]),
    "failed": (
        stopped(state=S.FAILED, error=ERROR),
        REFUSED,
        ["SubnetIsFull", "has no free addresses", "refused the call, so it did not happen", "1. Make room.", "9f1c"],
    ),
    "failed, maybe partly": (stopped(state=S.FAILED, error=ERROR), BADLY, ["Maybe partly.", "looks first"]),
    "in doubt": (
        stopped(state=S.IN_DOUBT, intent=INTENT),
        log((Kind.BEGUN, {}), (Kind.INTENDED, SENT)),
        ["Not known.", "sending it twice could do harm", "send it again"],
    ),
    "blocked": (stopped(state=S.BLOCKED, blocked=BLOCK), [], ["need-skipped", "safe without it", "Nothing was sent"]),
    "busy": (
        stopped(state=S.OBSERVING, error=ERROR, due_ms=NOW + 60_000),
        log((Kind.BEGUN, {}), (Kind.DEFERRED, {"error": ERROR})),
        ["Looking changes nothing", "tried again by itself in 1 min"],
    ),
}


@every_size
@pytest.mark.parametrize("look", list(LOOKS))
async def test_each_look_says_what_matters_first(look: str, size: tuple[int, int]) -> None:
    held, entries, said = LOOKS[look]
    async with showing(Store(held, log=entries), size) as (pilot, app):
        text = await opened(pilot, held)
        assert isinstance(app.screen, WaitingScreen | FailureScreen)
        for part in said:
            assert part in " ".join(text.split()), text
        assert "REHEARSAL" in text
        assert "Contoso Production 11111111-aaaa-4bbb-8ccc-000000000001" in text
        assert "Esc Back" in text
        assert len(text.splitlines()) <= size[1]
        assert isinstance((await press(pilot, "escape"), app.screen)[1], RunScreen)


@every_size
async def test_nothing_is_opened_where_nothing_is_the_matter(size: tuple[int, int]) -> None:
    for held in (RunView(), view(context())):
        async with showing(Store(held), size) as (pilot, app):
            assert "Nothing is the matter here" in await press(pilot, "o")
            assert isinstance((await press(pilot, "enter"), app.screen)[1], RunScreen)


async def test_enter_on_a_nodes_row_opens_the_same_and_still_folds_others() -> None:
    held = asked()
    async with showing(Store(held)) as (pilot, app):
        await opened(pilot, held, "escape")
        await press(pilot, "enter")
        assert isinstance(app.screen, WaitingScreen)
        await press(pilot, "escape", "up", "up")
        assert app.screen.query_one("#tree")
        before = screen_text(app)
        assert await press(pilot, "enter") != before
        assert isinstance(app.screen, RunScreen)


@pytest.mark.parametrize("look", ["waiting", "failed", "blocked", "in doubt"])
async def test_the_bar_names_the_key_only_where_there_is_more(look: str) -> None:
    held, entries, _ = LOOKS[look]
    async with showing(Store(held, log=entries)) as (pilot, app):
        await opened(pilot, held, "escape")
        assert "o tells" in screen_text(app)
        assert isinstance(app.screen, RunScreen)
        app.screen.select(("node", "context"))
        app.screen.draw_text()
        await idle(pilot)
        assert "o tells" not in screen_text(app)


@every_size
async def test_a_watcher_sees_it_all_and_can_decide_nothing(size: tuple[int, int]) -> None:
    for held, entries in ((asked(attest="I sent it"), []), (stopped(state=S.BLOCKED, blocked=BLOCK), REFUSED)):
        store = Store(held, is_read_only=True, driver="bob on jumphost", log=entries)
        async with showing(store, size) as (pilot, app):
            await opened(pilot, held)
            for key in ("r", "s", "t"):
                text = await press(pilot, key)
                assert not isinstance(app.screen, RunScreen | Dialog)
            assert "You are watching: driven by bob on jumphost." in remarks(app)
            assert "READ-ONLY" in text
            assert store.commands == []


# ---------------------------------------------------------------- what is wanted is done on the run screen


@every_size
async def test_an_answer_is_recorded_through_the_usual_question(size: tuple[int, int]) -> None:
    store = Store(asked(next_poll_ms=None, attest="I sent it"))
    async with showing(store, size) as (pilot, app):
        await opened(pilot, store.held, "t")
        assert isinstance(app.screen, Dialog)
        app.screen.query_one("#field-text", Input).value = "approved by mail"
        await pilot.click("#go")
        await idle(pilot)
        assert isinstance(app.screen, RunScreen)
        (command,) = store.commands
        assert isinstance(command, Attest)
        assert (command.node, command.text) == ("approval", "approved by mail")


WORDS = [{"says": "sent", "title": "I wrote to them again"}, {"says": "approved", "title": "They say yes"}]


@every_size
async def test_an_answer_is_recorded_with_which_reference_date_and_evidence(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path.write_text(Path("m.eml"), "yes")
    store = Store(asked(words=WORDS))
    async with showing(store, size) as (pilot, app):
        text = await opened(pilot, store.held, "t")
        assert "2  They say yes" in text
        assert isinstance(app.screen, Dialog)
        assert "Type a number from 1 to 2." in await write(pilot, "3", "enter")
        await press(pilot, "backspace")
        await write(pilot, "2", "enter")
        await write(pilot, "Ben wrote", "enter")
        await write(pilot, "m.eml", "enter")
        await write(pilot, "TICKET-7", "enter")
        assert "Type a day" in await write(pilot, "soon", "enter")
        app.screen.query_one("#field-dated", Input).value = ""
        assert "lies ahead" in await write(pilot, "2031-01-01", "enter")
        app.screen.query_one("#field-dated", Input).value = ""
        assert "Cancel (Esc)" in screen_text(app)
        await write(pilot, "2026-10-25", "enter")
        (word,) = store.commands
        assert isinstance(word, Attest)
        assert (word.node, word.says, word.text, word.reference) == ("approval", "approved", "Ben wrote", "TICKET-7")
        assert word.evidence == "m.eml"
        assert word.dated_ms == from_iso("2026-10-25")


async def test_a_wait_that_no_word_ends_says_so() -> None:
    store = Store(asked())
    async with showing(store) as (pilot, app):
        await opened(pilot, store.held, "t")
        assert "Your word cannot end this wait" in remarks(app)
        assert isinstance(app.screen, WaitingScreen)


async def test_look_now_and_skip_go_through_the_run_screen() -> None:
    store = Store(asked())
    async with showing(store) as (pilot, app):
        await opened(pilot, store.held, "r")
        assert store.commands == [Retry("approval")]
        await opened(pilot, store.held, "s")
        assert isinstance(app.screen, Dialog)
        await write(pilot, "not wanted", "enter")
        assert store.commands[1:] == [Skip("approval", "not wanted")]


@every_size
async def test_a_failure_is_tried_again_skipped_or_accepted_by_keys(size: tuple[int, int]) -> None:
    store = Store(stopped(state=S.BLOCKED, blocked=BLOCK))
    async with showing(store, size) as (pilot, app):
        await opened(pilot, store.held, "t")
        assert isinstance(app.screen, Dialog)
        await write(pilot, "safe", "enter", "enter")
        await opened(pilot, store.held, "r")
        await opened(pilot, store.held, "s")
        await write(pilot, "left out", "enter")
        kinds = [type(c) for c in store.commands]
        assert kinds == [Attest, Retry, Skip]


async def test_sending_a_doubtful_call_again_still_asks() -> None:
    store = Store(stopped(state=S.IN_DOUBT, intent=INTENT))
    async with showing(store) as (pilot, app):
        text = await opened(pilot, store.held, "r")
        assert "Send the call again?" in text
        assert store.commands == []
        assert isinstance(app.screen, Dialog)


async def test_changing_an_input_opens_the_form_of_another_run_with_the_inputs_of_this_one(
    clean_environment: Path,
) -> None:
    store = Store(stopped(state=S.FAILED, error=ERROR), log=REFUSED)
    making = Workshop(clean_environment).making
    async with showing(store, (120, 36), around=Around(making=making)) as (pilot, app):
        await opened(pilot, store.held, "i")
        assert isinstance(app.screen, NewRunScreen)
        assert str(store.held.inputs["subscription"]) in screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, RunScreen)


async def test_where_no_run_can_be_made_changing_an_input_says_so() -> None:
    store = Store(stopped(state=S.FAILED, error=ERROR), log=REFUSED)
    async with showing(store, (120, 36)) as (pilot, app):
        assert "No run can be made from here" in await opened(pilot, store.held, "i")
        assert isinstance(app.screen, RunScreen)


async def test_n_goes_to_what_can_be_done_meanwhile() -> None:
    store = Store(asked())
    async with showing(store) as (pilot, app):
        await opened(pilot, store.held, "n")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.key == ("node", "endpoint")
        assert store.commands == []


# ---------------------------------------------------------------- what is stored


@every_size
async def test_the_stored_answer_is_one_key_away_and_can_be_copied(size: tuple[int, int]) -> None:
    store = Store(stopped(state=S.FAILED, error=ERROR), log=REFUSED)
    async with showing(store, size) as (pilot, app):
        text = await opened(pilot, store.held, "v")
        assert isinstance(app.screen, RawScreen)
        assert '"code": "SubnetIsFull"' in text
        await press(pilot, "c")
        assert json.loads(app.clipboard)["entries"][0]["data"]["error"]["request_id"] == "r7"
        for close in ("escape", "v", "q"):
            await press(pilot, close)
            assert isinstance(app.screen, FailureScreen)
            await press(pilot, "v")


async def test_what_a_helper_should_know_is_copied() -> None:
    store = Store(stopped(state=S.FAILED, error=ERROR), log=REFUSED)
    async with showing(store) as (pilot, app):
        await opened(pilot, store.held, "c")
        assert "Correlation id: 9f1c" in app.clipboard
        assert "Request id: r7" in app.clipboard


async def test_text_from_outside_is_never_markup_and_never_drives_the_terminal() -> None:
    evil = "[red]x[/]\x1b[31m[@click=app.quit]y[/] \u202e$error"
    one = asked(who=evil, message=evil, then=evil, draft=evil, attest=evil)
    two = stopped(state=S.FAILED, error={"code": evil, "message": evil, "hint": evil, "correlation_id": evil})
    three = stopped(
        state=S.BLOCKED, blocked={**BLOCK, "rule": evil, "message": evil, "ways_out": [evil], "attest": evil}
    )
    for held in (one, two, three):
        store = Store(held, log=log((Kind.FAILED, {"error": {"code": evil}, "title": evil})))
        async with showing(store, (120, 36)) as (pilot, _):
            for text in (await opened(pilot, held), await press(pilot, "v"), await press(pilot, "c")):
                assert "\x1b" not in text
                assert "\u202e" not in text
                assert "[red]" in text


# ---------------------------------------------------------------- news


async def test_the_screens_follow_the_journal() -> None:
    store = Store(asked())
    async with showing(store) as (pilot, app):
        await opened(pilot, store.held)
        nodes = dict(store.held.nodes)
        nodes["approval"] = replace(nodes["approval"], state=S.DONE, waiting=None)
        await from_another_thread(lambda: store.put(replace(store.held, nodes=nodes)))
        await idle(pilot)
        assert "This wait is over: the node is done" in screen_text(app)
        assert isinstance((await press(pilot, "escape"), app.screen)[1], RunScreen)


async def test_every_key_is_told_by_the_help_of_its_screen() -> None:
    for held, name in ((asked(), "waiting"), (stopped(state=S.FAILED, error=ERROR), "failure")):
        async with showing(Store(held), (120, 50)) as (pilot, _):
            text = await opened(pilot, held, "question_mark")
            for key in SCREENS[name]:
                assert key.tooltip.split(",")[0][:40] in text


async def test_a_small_terminal_gets_a_plain_sentence() -> None:
    held = asked()
    async with showing(Store(held)) as (pilot, app):
        await opened(pilot, held)
        await pilot.resize_terminal(50, 20)
        await idle(pilot)
        assert "This terminal is too small" in screen_text(app)
        await pilot.resize_terminal(80, 24)
        await idle(pilot)
        assert "Since: 2026-10-24" in screen_text(app)


# ---------------------------------------------------------------- ids in plans, long paths in dialogs


def two_networks() -> NodeView:
    base = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-net/providers/Microsoft.Network"
    diff = [{"path": "properties.subnet.id", "before": f"{base}/virtualNetworks/a/subnets/pe", "after": None}]
    diff[0]["after"] = f"{base}/virtualNetworks/b/subnets/pe"
    return node("endpoint", state=S.READY, changes=({**change("Move it", "pe"), "diff": diff},))


@every_size
async def test_the_plan_shows_what_tells_ids_apart_and_the_whole_on_request(size: tuple[int, int]) -> None:
    store = Store(view(context(), two_networks()))
    async with showing(store, size) as (pilot, app):
        text = await press(pilot, "2")
        assert "− …/virtualNetworks/a/subnets/pe" in text
        assert "+ …/virtualNetworks/b/subnets/pe" in text
        assert "v shows whole resource ids" in text
        await press(pilot, "v")
        text = as_text(app.screen.query_one("#page-text", Prose).rows)
        assert "v shortens resource ids" in text
        assert "− /subscriptions/11111111-1111" in text
        text = await press(pilot, "A")
        assert "F2 shows whole resource ids" in text
        await press(pilot, "f2")
        assert "Resource: /subscriptions/" in as_text(app.screen.query_one("#many-text", Prose).rows)


@pytest.mark.parametrize("size", [(60, 15), *SIZES])
async def test_a_very_long_path_leaves_the_buttons_where_they_are(size: tuple[int, int]) -> None:
    store = Store(asked(next_poll_ms=None, attest="I sent it"))
    async with showing(store, size) as (pilot, app):
        await press(pilot, "t")
        assert isinstance(app.screen, Dialog)
        app.screen.query_one("#field-text", Input).value = "seen"
        path = "/no/such/" + "folder-with-a-long-name/" * 60 + "mail.eml"
        app.screen.query_one("#field-evidence", Input).value = path
        app.screen._answer()
        await idle(pilot)
        text = screen_text(app)
        assert "There is no file" in text
        assert "Cancel (Esc)" in text
        app.screen.query_one("#field-evidence", Input).value = "~nobody-of-that-name/x\0"
        app.screen._answer()
        await idle(pilot)
        assert "is no path here" in screen_text(app)
