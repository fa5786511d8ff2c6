"""The screen on the real engine: whoever does nothing but what the bar at the bottom says finishes a rehearsal."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from runbook.core.state import NodeState, RunState
from runbook.tui.app import RunbookApp
from runbook.tui.present.next import Desk, Next, next_step
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.run import RunScreen
from runbook.wiring import Wish, attach, create_run
from tests.tui.conftest import screen_text


def advice(screen: RunScreen) -> Next:
    """What the bar says, for the view that is drawn."""
    node = screen.node.id if screen.node else None
    return next_step(screen.view, node, Desk(screen.attachment.now_ms(), has_sent=node in screen.sent))


async def obey(pilot: Pilot[None], screen: RunScreen) -> None:
    """Press the key that the bar names, and answer what is asked then."""
    todo = advice(screen)
    if not todo.key:
        return
    await pilot.press(todo.key)
    dialog = pilot.app.screen
    if isinstance(dialog, Dialog):
        for field, box in zip(dialog.question.fields, dialog.query(Input), strict=True):
            box.value = field.expected or ("1" if field.choices else "done as asked" if field.is_required else "")
        dialog.query_one("#go", Button).press()


SMALL, LARGE = (80, 24), (120, 36)


@pytest.mark.parametrize(
    ("book", "size"),
    [
        pytest.param("arc-private-link", SMALL, id="arc-80x24"),
        pytest.param("arc-private-link", LARGE, id="arc-120x36", marks=pytest.mark.soak),
        pytest.param("avd-private-link", SMALL, id="avd-80x24"),
        pytest.param("avd-private-link", LARGE, id="avd-120x36", marks=pytest.mark.soak),
    ],
)
async def test_the_bar_alone_leads_to_the_end_of_the_rehearsal(
    book: str, size: tuple[int, int], clean_environment: Path
) -> None:
    run = create_run(clean_environment, Wish(book), durable=False)
    app = RunbookApp(partial(attach, clean_environment, run, durable=False), settle_s=0.0)
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        for _ in range(1500):
            await pilot.pause()
            screen = app.screen
            if isinstance(screen, RunScreen):
                assert screen.attachment.failure is None
                if screen.view.state is RunState.DONE:
                    break
                await obey(pilot, screen)
        text = screen_text(app)
        assert "Finished: " in text, text
        assert isinstance(app.screen, RunScreen)
        states = {n.state for n in app.screen.view.nodes.values()}
        assert states == {NodeState.DONE, NodeState.SKIPPED}
        await pilot.press("q")
    app.close()
    assert f"runbook report {run}" in app.farewell
