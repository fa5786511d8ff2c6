"""The run screen through Pilot: every action, every look, at 80×24 and 120×36."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from runbook.core.command import Abort, Approve, Attest, Pause, Retry, Skip, Start
from runbook.core.docs import ChangeDoc, CommandDoc
from runbook.core.entry import Draft, Entry, Kind
from runbook.core.error import LeaseLost, UsageError
from runbook.core.event import Event
from runbook.core.view import NodeView, RunView
from runbook.tui.screens.run import RunScreen
from runbook.tui.widgets.node_tree import NodeTree
from tests.tui.conftest import from_another_thread, idle, press, screen_text, showing, small_and_usual, write
from tests.tui.matters import remarks
from tests.tui.sample import NOW, S, Store, change, context, node, ready, running, view, wait

LARGE = (120, 36)

INTENT = {"seq": 44, "digest": "d", "title": "Run the command", "repeat": "never", "at_ms": NOW, "locks": []}
BLOCK = {
    "rule": "subnet-too-small",
    "message": "Two addresses are free.",
    "ways_out": ["Enlarge it."],
    "attest": "",
    "next_poll_ms": None,
}
ERROR = {"code": "SubnetIsFull", "message": "No room.", "hint": "Make room.", "correlation_id": "9f1c"}


def only(one: NodeView) -> RunView:
    return view(context(), one)


# ---------------------------------------------------------------- looks

LOOKS = {
    "empty": (RunView(), ["Waiting for the run's first entry"]),
    "running": (running(), ["REHEARSAL", "settling", "Nothing to press: Azure is at work", "Get ready"]),
    "ready": (ready(), ["Approve: Create private endpoint pe-arc", "1! 0/3+", "ready"]),
    "waiting": (
        only(node("approval", state=S.WAITING, waiting=wait())),
        ["Waiting for: the Arc team at Microsoft", "in 3 h (simulated), about 3 s here; 12 so", "for 2 d"],
    ),
    "blocked": (only(node("endpoint", state=S.BLOCKED, blocked=BLOCK)), ["subnet-too-small", "1. Enlarge it."]),
    "failed": (only(node("endpoint", state=S.FAILED, error=ERROR)), ["SubnetIsFull", "Make room.", "Try again"]),
    "in doubt": (only(node("endpoint", state=S.IN_DOUBT, intent=INTENT)), ["in doubt", "may or may not", "entry 44"]),
    "paused": (replace(ready(), paused=True), ["PAUSED", "Go on"]),
    "done": (
        view(context(), book={"title": "One", "phases": [], "steps": []}, expanded=frozenset()),
        ["Finished: "],
    ),
    "aborted": (replace(ready(), aborted="wrong subscription"), ["aborted", "wrong subscription"]),
    "live": (replace(ready(), mode="live"), ["LIVE"]),
}


@small_and_usual
@pytest.mark.parametrize("look", list(LOOKS))
async def test_each_look_says_what_matters(look: str, size: tuple[int, int]) -> None:
    held, said = LOOKS[look]
    async with showing(Store(held), size) as (_, app):
        text = screen_text(app)
        for part in said:
            assert part in text, text
        assert len(text.splitlines()) <= size[1]


@small_and_usual
async def test_a_watcher_is_told_who_drives_and_can_decide_nothing(size: tuple[int, int]) -> None:
    store = Store(ready(), is_read_only=True, driver="bob on jumphost")
    async with showing(store, size) as (pilot, app):
        assert "READ-ONLY, driven by bob on jumphost" in screen_text(app)
        for key in "aArstpx":
            text = await press(pilot, key)
        assert "You are watching" in text
        assert store.commands == []


@small_and_usual
async def test_mode_and_subscription_are_always_visible(size: tuple[int, int]) -> None:
    async with showing(Store(ready("disruptive")), size) as (pilot, _):
        for keys in (["2"], ["3"], ["4"], ["5"], ["1"]):
            text = await press(pilot, *keys)
            assert "REHEARSAL" in text
            assert "Contoso Production 11111111-aaaa-4bbb-8ccc-000000000001" in text


async def test_a_terminal_that_is_too_small_gets_a_plain_sentence_and_recovers() -> None:
    async with showing(Store(ready()), (50, 20)) as (pilot, app):
        assert "This terminal is too small" in screen_text(app)
        assert "REHEARSAL" not in screen_text(app)
        await pilot.resize_terminal(60, 14)
        await idle(pilot)
        assert "This terminal is too small" in screen_text(app)
        await pilot.resize_terminal(60, 15)
        await idle(pilot)
        assert "REHEARSAL" in screen_text(app)
        assert "Approve: Create private endpoint pe-arc" in screen_text(app)


async def test_text_from_outside_is_never_markup_and_never_drives_the_terminal() -> None:
    evil = "[red]x[/]\x1b[31m[@click=app.quit]y[/] \u202e$error \udce9"
    put = spoken_by(evil)
    block = {**BLOCK, "rule": evil, "message": evil, "ways_out": [evil], "attest": evil}
    nodes = [
        node("endpoint", title=evil, state=S.READY, changes=(put,), summary=evil),
        node("machines", title=evil, state=S.BLOCKED, blocked=block),
        node("approval", title=evil, state=S.WAITING, waiting=wait(who=evil, message=evil, draft=evil, attest=evil)),
    ]
    store = Store(view(*nodes, pinned={"subscriptions": {"s": evil}, "tenant": evil, "cloud": evil}), driver=evil)
    store.log.append(Entry.chain(Draft(Kind.NOTED, "endpoint", None, {"text": evil.replace("\udce9", "")}), 1, NOW, ""))
    store.refuse = UsageError(evil, evil)
    async with showing(store, LARGE) as (pilot, _):
        for key in (
            "f",
            "1",
            "2",
            "3",
            "4",
            "5",
            "c",
            "a",
            "r",
            "n",
            "1",
            "t",
            "escape",
            "n",
            "s",
            "escape",
            "question_mark",
        ):
            text = await press(pilot, key)
            assert "\x1b" not in text
            assert "\u202e" not in text
        await press(pilot, "escape")
        assert "[red]x[/]\N{REPLACEMENT CHARACTER}[31m" in await press(pilot, "1")


def spoken_by(text: str) -> ChangeDoc:
    """A change with this text wherever it holds one."""
    command: CommandDoc = {"az": text, "powershell": text, "rest": text, "by_hand": text}
    return {**change(text, "pe"), "command": command, "diff": [{"path": text, "before": text, "after": text}]}


# ---------------------------------------------------------------- decisions


async def test_a_approves_exactly_the_changes_shown() -> None:
    store = Store(ready())
    async with showing(store) as (pilot, _):
        await press(pilot, "a")
    assert store.commands == [Approve("endpoint", ("digest-pe-arc",), "ana@contoso.example")]


@small_and_usual
async def test_a_disruptive_change_wants_a_name_typed(size: tuple[int, int]) -> None:
    store = Store(ready("disruptive"))
    async with showing(store, size) as (pilot, _):
        text = await press(pilot, "a")
        assert "type this name: pe-arc" in text
        assert "…/privateEndpoints/pe-arc" in text
        assert "What can go wrong, and how it would show." in text
        assert "Cancel" in text
        text = await write(pilot, "pe", "enter")
        assert "Type exactly: pe-arc" in text
        assert store.commands == []
        await write(pilot, "pe-arc", "enter")
    assert store.commands == [Approve("endpoint", ("digest-pe-arc",), "ana@contoso.example")]


async def test_escape_leaves_a_dialog_without_deciding() -> None:
    store = Store(ready("disruptive"))
    async with showing(store) as (pilot, app):
        await press(pilot, "a", "escape")
        assert isinstance(app.screen, RunScreen)
    assert store.commands == []


@small_and_usual
async def test_capital_a_lists_and_approves_the_ready_safe_nodes_of_the_phase(size: tuple[int, int]) -> None:
    nodes = [
        node("associate", f"m{i}", f"Associate m{i}", S.READY, changes=(change(f"Associate m{i}", f"m{i}"),))
        for i in range(3)
    ]
    risky = node("endpoint", state=S.READY, changes=(change("Redirect names", "zone", "disruptive"),))
    store = Store(view(context(), risky, *nodes))
    async with showing(store, size) as (pilot, _):
        text = await press(pilot, "A")
        assert "Approve 3 nodes in Network and" in text
        assert "• Associate m2" in text
        assert "Not included, because disruptive: 1" in text
        await press(pilot, "enter")
    assert store.commands == [Approve(f"associate[m{i}]", (f"digest-m{i}",), "ana@contoso.example") for i in range(3)]


async def test_r_looks_again_and_asks_first_before_sending_a_doubtful_call_again() -> None:
    store = Store(only(node("endpoint", state=S.FAILED, error=ERROR)))
    async with showing(store) as (pilot, _):
        await press(pilot, "r")
    assert store.commands == [Retry("endpoint")]
    store = Store(only(node("endpoint", state=S.IN_DOUBT, intent=INTENT)))
    async with showing(store) as (pilot, _):
        text = await press(pilot, "r")
        assert "Send the call again?" in text
        await press(pilot, "enter")  # the focus is on Cancel
        assert store.commands == []
        await press(pilot, "r", "shift+tab", "enter")
    assert store.commands == [Retry("endpoint")]


@small_and_usual
async def test_s_skips_with_a_reason(size: tuple[int, int]) -> None:
    store = Store(only(node("endpoint", state=S.BLOCKED, blocked=BLOCK)))
    async with showing(store, size) as (pilot, _):
        text = await press(pilot, "s", "enter")
        assert "is needed" in text
        await write(pilot, "not here", "enter")
    assert store.commands == [Skip("endpoint", "not here")]


@small_and_usual
async def test_t_takes_a_word_with_evidence_that_exists(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path.write_text(Path("mail.txt"), "sent")
    waits = node("request_sent", state=S.WAITING, waiting=wait(attest="I sent it", draft="Dear team\n" * 20))
    store = Store(only(waits))
    async with showing(store, size) as (pilot, _):
        text = await press(pilot, "t")
        assert "You vouch for: I sent it" in text
        assert "Cancel (Esc)" in text
        assert "is needed" in await press(pilot, "enter", "enter")
        await write(pilot, "by mail", "enter")
        assert "There is no file no." in await write(pilot, "no", "enter")
        await pilot.press("backspace", "backspace")
        await write(pilot, "mail.txt", "enter", "enter", "enter")
    sha256 = hashlib.sha256(b"sent").hexdigest()
    assert store.commands == [Attest("request_sent", "by mail", "ana@contoso.example", "mail.txt", sha256)]


async def test_a_word_needs_no_evidence() -> None:
    store = Store(only(node("request_sent", state=S.WAITING, waiting=wait(attest="I sent it"))))
    async with showing(store) as (pilot, _):
        await press(pilot, "t", "o", "k", "enter", "enter", "enter", "enter")
    assert store.commands == [Attest("request_sent", "ok", "ana@contoso.example")]


async def test_p_pauses_and_goes_on() -> None:
    store = Store(running())
    async with showing(store) as (pilot, _):
        await press(pilot, "p")
        store.put(replace(running(), paused=True))
        assert "p Go on" in " ".join((await press(pilot, "p")).split())
    assert store.commands == [Pause(), Start()]


async def test_x_aborts_only_after_the_run_name_and_a_reason() -> None:
    store = Store(ready())
    async with showing(store) as (pilot, _):
        assert "Type exactly: arc-1" in await press(pilot, "x", "enter", "enter")
        await write(pilot, "arc-1", "enter")
        await write(pilot, "no", "enter")
    assert store.commands == [Abort("no")]


async def test_a_refused_command_shows_code_message_and_hint() -> None:
    store = Store(ready(), refuse=UsageError("Other changes now.", "Look at the plan."))
    async with showing(store) as (pilot, _):
        text = await press(pilot, "a")
        for part in ("usage", "Other changes now.", "Look at the plan."):
            assert part in text


async def test_when_driving_has_ended_the_bar_says_why_and_how_to_leave() -> None:
    store = Store(ready())
    async with showing(store) as (pilot, app):
        store.failure = LeaseLost("Bob took this run over.", "Resume it to watch.")
        store.put(ready())
        await idle(pilot)
        text = screen_text(app)
        for part in (
            "Quit: driving has ended here",
            "What is shown is old, as of",
            "Bob took this run over.",
            "Resume it to watch.",
        ):
            assert part in text


async def test_who_lost_the_run_to_another_is_no_longer_shown_as_driving() -> None:
    store = Store(ready(), refuse=LeaseLost("Bob took this run over.", "Resume it to watch."))
    async with showing(store) as (pilot, app):
        text = await press(pilot, "a")
        for part in ("READ-ONLY, you drive no more", "Quit: driving has ended here", "Bob took this run over."):
            assert part in text
        await press(pilot, "a")
        assert len(store.commands) == 1
        await pilot.press("q")
    assert "is not driven from here" in app.farewell


async def test_a_question_that_is_open_when_the_run_is_taken_over_is_closed_and_says_why() -> None:
    store = Store(ready("disruptive"))
    async with showing(store) as (pilot, app):
        assert "type this name" in await press(pilot, "a")
        store.failure = LeaseLost("Bob took this run over.", "Resume it to watch.")
        store.put(ready("disruptive"))
        await idle(pilot)
        assert isinstance(app.screen, RunScreen)
        assert "Your question was closed; nothing was sent." in remarks(app)
        assert store.commands == []


async def test_a_key_that_means_nothing_here_says_why() -> None:
    store = Store(ready())
    async with showing(store) as (pilot, _):
        assert "cannot be settled by your word" in await press(pilot, "t")
    assert store.commands == []


@pytest.mark.parametrize("key", ["a", "A", "t", "r", "s", "H", "o"])
async def test_a_key_right_after_the_selection_moved_by_itself_does_nothing_and_says_where_it_moved(key: str) -> None:
    store = Store(ready())
    async with showing(store) as (pilot, app):
        assert isinstance(app.screen, RunScreen)
        app.screen.is_settling = True
        await press(pilot, key)
        assert "has just moved to Private endpoint pe-arc. Look, then press" in remarks(app)
        assert isinstance(app.screen, RunScreen)
        assert store.commands == []
        app.screen.is_settling = False
        await press(pilot, "s")
        assert remarks(app) == "", "it does not cover the question that comes after it"


# ---------------------------------------------------------------- looking around


async def test_pages_turn_with_arrows_and_numbers() -> None:
    async with showing(Store(ready())) as (pilot, _):
        assert "− Enabled" in await press(pilot, "right")
        assert "[Commands]" in await press(pilot, "right")
        assert "✗ differs exists" in await press(pilot, "4")
        assert "[Guide]" in await press(pilot, "1")
        assert "[Map]" in await press(pilot, "left")
        assert "[Entries]" in await press(pilot, "left")


async def test_pages_turn_with_a_click() -> None:
    async with showing(Store(ready())) as (pilot, app):
        await pilot.click("#page-names", offset=(9, 0))
        await idle(pilot)
        assert "− Enabled" in screen_text(app)


async def test_entries_of_the_selected_node_are_read_and_follow_the_journal() -> None:
    store = Store(ready())
    store.log.append(Entry.chain(Draft(Kind.OBSERVED, "endpoint", S.READY, {"summary": "missing"}), 8, NOW, ""))
    async with showing(store) as (pilot, app):
        assert "#8 Looked: to be changed" in await press(pilot, "5")
        store.log.append(Entry.chain(Draft(Kind.APPROVED, "endpoint", None, {"titles": ["Create it"]}), 9, NOW, ""))
        await from_another_thread(lambda: store.put(ready()))
        await idle(pilot)
        assert "#9 The operator said go" in screen_text(app)


async def test_v_shows_the_next_form_and_c_copies_it_to_clipboard_and_file(tmp_path: Path) -> None:
    async with showing(Store(ready()), LARGE) as (pilot, app):
        assert "New-AzPrivateEndpoint" in await press(pilot, "3", "v")
        text = await press(pilot, "c")
        assert app.clipboard == "New-AzPrivateEndpoint -Name 'pe-arc' -ResourceGroupName 'rg-arc'"
        (file,) = (tmp_path / name for name in os.listdir(tmp_path) if name.startswith("runbook-"))
        assert Path.read_text(file) == app.clipboard + "\n"
        assert file.name in "".join(text.split())
        assert Path.stat(file).st_mode & 0o077 == 0


async def test_c_copies_the_draft_message_of_a_wait() -> None:
    waits = node("approval", state=S.WAITING, waiting=wait(draft="Dear team"))
    async with showing(Store(only(waits))) as (pilot, app):
        await press(pilot, "c")
        assert app.clipboard == "Dear team"


async def test_the_selection_follows_to_the_node_that_needs_me_until_moved_by_hand() -> None:
    store = Store(running())
    async with showing(store) as (pilot, app):
        screen = app.screen
        assert isinstance(screen, RunScreen)
        assert screen.key == ("node", "providers[microsoft.network]")
        store.put(only(node("endpoint", state=S.FAILED, error=ERROR)))
        await idle(pilot)
        assert screen.key == ("node", "endpoint")
        await press(pilot, "up")
        assert not screen.follows
        assert "not following" in screen_text(app)
        by_hand = screen.key
        store.put(view(node("context", state=S.FAILED, error=ERROR), node("endpoint", state=S.FAILED, error=ERROR)))
        await idle(pilot)
        assert screen.key == by_hand
        await press(pilot, "n")
        assert screen.key == ("node", "context")
        await press(pilot, "n", "f")
        assert screen.follows


async def test_following_never_takes_a_node_away_that_still_needs_me() -> None:
    store = Store(only(node("endpoint", state=S.FAILED, error=ERROR)))
    async with showing(store) as (pilot, app):
        store.put(view(node("context", state=S.FAILED, error=ERROR), node("endpoint", state=S.FAILED, error=ERROR)))
        await idle(pilot)
        assert isinstance(app.screen, RunScreen)
        assert app.screen.key == ("node", "endpoint")


async def test_a_step_that_becomes_nodes_keeps_cursor_and_folds() -> None:
    store = Store(view(context(), node("endpoint", state=S.FAILED, error=ERROR)))
    async with showing(store) as (pilot, app):
        await press(pilot, "f")
        machines = [node("associate", f"m{i}", f"Associate m{i}") for i in range(5)]
        await from_another_thread(lambda: store.put(view(*store.view.nodes.values(), *machines)))
        await idle(pilot)
        text = screen_text(app)
        assert re.search(r"▾ · Associate", text)
        assert re.search(r"· m2\b", text)
        assert app.screen.query_one(NodeTree).key == ("node", "endpoint")


async def test_hundreds_of_changes_cause_few_redraws(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [node("associate", f"m{i}", f"Associate m{i}") for i in range(400)]
    store = Store(view(context(), *nodes))
    draws = 0
    draw = RunScreen.draw

    def counted(self: RunScreen) -> None:
        nonlocal draws
        draws += 1
        draw(self)

    monkeypatch.setattr(RunScreen, "draw", counted)

    def work() -> None:
        for i in range(400):
            nodes[i] = replace(nodes[i], state=S.DONE)
            store.put(view(context(), *nodes))

    async with showing(store) as (pilot, app):
        draws = 0
        work()  # all before the screen gets a chance to draw
        await idle(pilot)
        assert 1 <= draws <= 2
        assert "400 of 400 done" in screen_text(app)


async def test_every_binding_has_id_description_and_tooltip() -> None:
    async with showing(Store(ready())) as (_, app):
        for bindings in app.screen._bindings.key_to_bindings.values():
            for binding in bindings:
                if binding.id and binding.id.startswith("run.") and not binding.id.endswith((*"2345", ")")):
                    assert binding.description
                    assert binding.tooltip


async def test_nothing_is_lost_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    async with showing(Store(ready())) as (_, app):
        coloured = screen_text(app)
    monkeypatch.setenv("NO_COLOR", "1")
    async with showing(Store(ready())) as (_, app):
        assert screen_text(app) == coloured
        assert "[Guide]" in coloured


async def test_where_room_is_short_help_and_quit_are_still_in_sight() -> None:
    async with showing(Store(ready()), (60, 16)) as (_, app):
        keys = screen_text(app).splitlines()[-1]
        assert "? Help" in keys
        assert "q Quit" in keys
        assert "Attest" not in keys


async def test_what_a_sign_in_wants_in_the_middle_of_a_run_stands_on_the_screen() -> None:
    store = Store(replace(ready(), mode="live"))
    async with showing(store) as (pilot, app):
        text = "To sign in, open https://login.example/device on any device and type the code [b]ABC123"
        entry = Entry.chain(Draft(Kind.NOTED, data={"text": text, "prompt": True}), 99, NOW, "")
        for listener in store.listeners:
            listener(Event(entry, None, store.held))
        await idle(pilot)
        assert [n.message for n in app._notifications] == [text]
