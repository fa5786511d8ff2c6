"""Texts that are handed over from the waiting screen: copied, saved, put into the mail program, each on its key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual.widgets import Input

from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.waiting import WaitingScreen
from tests.tui.conftest import every_size, from_another_thread, idle, press, showing
from tests.tui.matters import DRAFTED, asked, opened, remarks
from tests.tui.sample import S, Store, context, node, view, wait


@every_size
async def test_both_texts_can_be_copied(size: tuple[int, int]) -> None:
    store = Store(asked())
    async with showing(store, size) as (pilot, app):
        await opened(pilot, store.held, "c")
        assert app.clipboard == DRAFTED
        await press(pilot, "v", "c")
        assert app.clipboard.startswith("To: the Arc team at Microsoft\nSubject: Reminder: Approval, please")
        await press(pilot, "v", "c")
        assert app.clipboard == DRAFTED


async def test_the_text_is_saved_to_a_new_file_and_never_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store(asked())
    async with showing(store) as (pilot, app):
        await opened(pilot, store.held, "w")
        assert isinstance(app.screen, Dialog)
        assert "arc-1-approval-first.txt" in await press(pilot, "enter")
        assert (tmp_path / "arc-1-approval-first.txt").read_text("utf-8") == DRAFTED + "\n"
        text = await press(pilot, "w", "enter")
        assert isinstance(app.screen, Dialog)
        assert "exists already" in " ".join(text.split())
        await press(pilot, "escape")
        await press(pilot, "w")
        app.screen.query_one(Input).value = str(tmp_path / "no" / "folder.txt")
        assert "There is no folder for" in await press(pilot, "enter")
    assert set(os.listdir(tmp_path)) - {"home"} == {"arc-1-approval-first.txt"}


async def test_a_file_that_came_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    store = Store(asked())
    async with showing(store) as (pilot, app):
        await opened(pilot, store.held)
        assert isinstance(app.screen, WaitingScreen)
        there = tmp_path / "there.txt"
        there.write_text("mine")
        screen = app.screen
        await from_another_thread(lambda: screen._write(str(there), "text"))
        await idle(pilot)
        assert "was left as it is" in remarks(app)
        assert there.read_text() == "mine"


async def test_over_ssh_the_mail_program_is_refused_politely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 22 10.0.0.2 22")
    monkeypatch.setenv("PATH", "/nowhere")
    store = Store(asked())
    async with showing(store) as (pilot, app):
        await opened(pilot, store.held, "e")
        assert "over SSH" in remarks(app)
        assert "c copies the text" in remarks(app)


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desktop whose opener writes down what it was given."""
    if os.name != "posix" or os.uname().sysname != "Linux":
        pytest.skip("a Linux desktop is made here")
    (tmp_path / "xdg-open").write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/got\n')
    (tmp_path / "xdg-open").chmod(0o755)
    for name in ("SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path / "got"


def read(place: Path) -> str:
    """What a file holds; nothing where there is none."""
    return place.read_text() if place.exists() else ""


async def test_the_mail_program_gets_the_text_and_is_only_asked_on_the_key(desktop: Path) -> None:
    store = Store(asked())
    async with showing(store) as (pilot, app):
        await opened(pilot, store.held, "c", "v", "v")
        assert read(desktop) == ""
        await press(pilot, "e")
        assert "Nothing is sent before you send it there" in remarks(app)
        assert "no address is known here" in remarks(app)
        assert read(desktop).startswith("mailto:?subject=Approval%2C%20please&body=Hello%2C%0D%0A")


async def test_a_text_too_long_for_a_link_is_copied_to_be_pasted(desktop: Path) -> None:
    store = Store(asked(draft="To: x\nSubject: s\n\n" + "long " * 800))
    async with showing(store, (120, 36)) as (pilot, app):
        await opened(pilot, store.held, "e")
        assert "too long for a mail link" in remarks(app)
        assert read(desktop) == "mailto:?subject=s"
        assert app.clipboard.startswith("long long")


async def test_a_wait_without_a_text_offers_none() -> None:
    one = node("approval", state=S.WAITING, waiting=wait(draft=""))
    store = Store(view(context(), one))
    async with showing(store) as (pilot, app):
        await opened(pilot, store.held, *"cewv")
        assert remarks(app).count("There is no text to hand over here.") == 4
