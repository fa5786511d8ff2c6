"""Runs that wait or have failed, for the tests of the screens about them, and the way to those screens."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from runbook.core.entry import Draft, Entry, Kind
from runbook.core.view import RunView
from runbook.tui.app import RunbookApp
from runbook.tui.screens.run import RunScreen
from tests.tui.conftest import idle, press
from tests.tui.sample import NOW, S, change, context, node, view, wait

DAY = 86_400_000
DRAFTED = "To: the Arc team at Microsoft\nSubject: Approval, please\n\nHello,\n\nplease approve it.\n\nThank you."
WORD = {"at_ms": NOW - 2 * DAY, "seq": 5, "text": "sent by mail", "by": "ana", "evidence": "", "sha256": ""}
ERROR = {
    "code": "SubnetIsFull",
    "message": "No room.",
    "hint": "Make room.",
    "correlation_id": "9f1c",
    "request_id": "r7",
}
INTENT = {"seq": 44, "digest": "d", "title": "Run the command", "repeat": "never", "at_ms": NOW, "locks": []}
BLOCK = {
    "rule": "need-skipped",
    "message": "“Close it” is disruptive and stands on endpoint, which was skipped.",
    "ways_out": ["Attest that it is safe without it.", "Skip this node too."],
    "attest": "What was skipped is not needed for this change, because …",
    "next_poll_ms": None,
}


def asked(**more: Any) -> RunView:
    """A run that waits for Microsoft, with something else to do meanwhile."""
    one = node("approval", state=S.WAITING, waiting=wait(**{"draft": DRAFTED, **more}))
    one.doc["gate"] = "microsoft"
    one.doc["needs"].append("request_sent")
    ready = node("endpoint", state=S.READY, changes=(change("Create private endpoint pe-arc", "pe-arc"),))
    return view(
        context(),
        node("request_sent", state=S.DONE, attested=({**WORD, "at_ms": more.get("since_ms", NOW - 2 * DAY)},)),
        one,
        ready,
    )


def stopped(**more: Any) -> RunView:
    return view(context(), node("endpoint", **more))


def log(*rows: tuple[Kind, dict[str, Any]]) -> list[Entry]:
    return [Entry.chain(Draft(k, "endpoint", None, d), n, NOW + n * 1000, "") for n, (k, d) in enumerate(rows, 1)]


SENT = {"digest": "d", "title": "Create private endpoint pe-arc", "method": "PUT", "path": "/subscriptions/s/x/pe-arc"}
REFUSED = log((Kind.BEGUN, {}), (Kind.INTENDED, SENT), (Kind.FAILED, {"error": ERROR, "refused": True}))
BADLY = log((Kind.BEGUN, {}), (Kind.INTENDED, SENT), (Kind.ACCEPTED, {}), (Kind.FAILED, {"error": ERROR}))


def at_matter(held: RunView) -> str:
    return "approval" if "approval" in held.nodes else "endpoint"


def remarks(app: RunbookApp) -> str:
    """What was told in the corner."""
    return "\n".join(note.message for note in app._notifications)


async def opened(pilot: Pilot[None], held: RunView, *keys: str) -> str:
    """Go to the node and open its screen by ``o``, then press keys."""
    app = pilot.app
    assert isinstance(app.screen, RunScreen)
    app.screen.follows = False
    app.screen.select(("node", at_matter(held)))
    await idle(pilot)
    return await press(pilot, "o", *keys)
