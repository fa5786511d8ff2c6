"""The screens about waits and failures on the real engine: real troubles, met and answered by keys alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView
from runbook.tui.app import RunbookApp
from runbook.tui.present.matter import matter
from runbook.tui.screens.dialogs import Dialog
from runbook.tui.screens.failure import FailureScreen
from runbook.tui.screens.run import RunScreen
from runbook.tui.screens.waiting import WaitingScreen
from runbook.wiring import Wish, attach, create_run
from tests.journeys.scenes import scene
from tests.tui.conftest import screen_text
from tests.tui.test_rehearsal import obey

PE = "Microsoft.Network/privateEndpoints"
NO = {"status": 403, "code": "RequestDisallowedByPolicy", "message": "Resource 'pe-arc' was disallowed by policy."}
BROKE = {"code": "InternalServerError", "message": "The endpoint could not be finished."}


async def answer(pilot: Pilot[None], text: str) -> None:
    """Fill in a question and say yes."""
    dialog = pilot.app.screen
    assert isinstance(dialog, Dialog)
    for field, box in zip(dialog.question.fields, dialog.query(Input), strict=True):
        box.value = field.expected or ("" if field.is_file else text if field.is_required else "")
    dialog.query_one("#go", Button).press()


async def settled(pilot: Pilot[None]) -> str:
    """The screen above the run screen, once it has read the journal."""
    for _ in range(200):
        await pilot.pause()
        above = pilot.app.screen
        if isinstance(above, WaitingScreen | FailureScreen) and above.entries is not None:
            break
    assert isinstance(pilot.app, RunbookApp)
    return " ".join(screen_text(pilot.app).split())


async def play(
    home: Path, book: str, scenario: str, met: Callable[[Pilot[None], NodeView], Any], size: tuple[int, int] = (80, 24)
) -> RunbookApp:
    """Do what the bar says; ``met`` is asked first at every node with a screen of its own, and says when to stop."""
    run = create_run(home, Wish(book, scenario=scenario), durable=False)
    app = RunbookApp(partial(attach, home, run, durable=False), settle_s=0.0)
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        for _ in range(1500):
            await pilot.pause()
            screen = app.screen
            if not isinstance(screen, RunScreen):
                continue
            if screen.view.state is RunState.DONE:
                break
            node = screen.node
            if node is not None and matter(node):
                if screen.view is not screen.attachment.view:
                    continue  # what the screen shows is on its way
                said = await met(pilot, node)
                if said == "stop":
                    break
                if said == "answered":
                    continue
            await obey(pilot, screen)
        else:
            raise AssertionError(screen_text(app))
    app.close()
    return app


FAULTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "refused": (
        {"method": "PUT", "type": PE, "refuse": NO},
        [
            "A policy of your organisation forbids it.",
            "Azure refused the call, so it did not happen.",
            "Correlation id:",
        ],
    ),
    "ended badly": (
        {"method": "PUT", "type": PE, "fail_operation": BROKE},
        ["Azure itself broke", "Maybe partly.", "looks first"],
    ),
    "never sent": (
        {"method": "PUT", "type": PE, "not_sent": True, "times": 12},
        ["never left this machine", "so nothing was changed by it"],
    ),
}


@pytest.mark.parametrize("fault", ["refused", "ended badly", pytest.param("never sent", marks=pytest.mark.soak)])
async def test_a_call_that_goes_wrong_is_told_and_tried_again_from_its_screen(
    fault: str, clean_environment: Path, tmp_path: Path
) -> None:
    how, said = FAULTS[fault]
    told: list[str] = []

    async def met(pilot: Pilot[None], node: NodeView) -> str:
        if node.state is not NodeState.FAILED or told:
            return "" if node.state is not NodeState.FAILED else "stop"
        await pilot.press("o")
        text = await settled(pilot)
        for part in [*said, "Create private endpoint pe-arc", "Request id:"]:
            assert part in text, text
        told.append(node.id)
        await pilot.press("r")
        return "answered"

    scenario = scene(tmp_path, "arc-ga", faults=[{"id": "f", **how}])
    app = await play(clean_environment, "arc-private-link", scenario, met, (120, 36))
    assert told == ["endpoint"]
    assert "is done" in app.farewell or app.farewell == ""


async def test_a_request_that_is_turned_down_is_asked_again_by_keys(clean_environment: Path) -> None:
    """Scenario arc-trouble: the message is copied and recorded, the first answer is no, the word for it is given."""
    seen: list[str] = []

    async def met(pilot: Pilot[None], node: NodeView) -> str:
        if node.doc["step"] == "request_sent" and node.state is NodeState.WAITING and "sent" not in seen:
            await pilot.press("o")
            text = await settled(pilot)
            assert "Since: 2021-03-22" in text
            await pilot.press("c", "t")
            assert "Subject: Azure Arc private link preview" in pilot.app.clipboard
            seen.append("sent")
            await answer(pilot, "sent by mail")
            return "answered"
        if node.doc["step"] == "approval" and node.state is NodeState.BLOCKED and "no" not in seen:
            await pilot.press("o")
            text = await settled(pilot)
            assert "approval-rejected" in text
            assert "was turned down, or somebody withdrew it" in text
            await pilot.press("t")
            seen.append("no")
            await answer(pilot, "cleared up on the phone")
            return "answered"
        return "stop" if node.doc["phase"] not in ("plan", "register", "approve") else ""

    await play(clean_environment, "arc-private-link", "arc-trouble", met)
    assert seen == ["sent", "no"]


async def test_a_failing_script_is_told_with_what_was_made_before(clean_environment: Path) -> None:
    """Scenario avd-trouble: one host's agent cannot be restarted."""

    async def met(pilot: Pilot[None], node: NodeView) -> str:
        if node.doc["step"] == "restart" and node.state is NodeState.BLOCKED:
            await pilot.press("o")
            text = await settled(pilot)
            assert "restart-failed" in text
            assert "cannot be stopped" in text
            assert "Before it stopped:" in text
            assert "Recorded as made here: 6 changes" in text
            await pilot.press("v")
            await pilot.pause()
            assert '"kind"' in screen_text(pilot.app)  # type: ignore[arg-type]
            return "stop"
        return ""

    await play(clean_environment, "avd-private-link", "avd-trouble", met, (120, 36))
