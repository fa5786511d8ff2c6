"""The looks of every screen worth a picture: what the app is given, and the keys that lead there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from runbook.core.error import RunbookError
from runbook.core.view import NodeView, RunView
from tests.tui.sample import NOW, S, Store, context, node, ready, running, view, wait


@dataclass(frozen=True)
class Look:
    """One look.

    Attributes:
        app: makes what the app is given.
        keys: pressed one after another, each once the screen is at rest.
        tells_theme: the words say which theme it is.
    """

    app: Callable[[], dict[str, Any]]
    keys: tuple[str, ...] = ()
    tells_theme: bool = False


def _run(held: RunView, *keys: str, **more: Any) -> Look:
    def given() -> dict[str, Any]:
        store = Store(held, **more)
        return {"open_attachment": lambda: store}

    return Look(given, keys)


def _only(one: NodeView) -> RunView:
    return view(context(), one)


_ERROR: Final = {
    "code": "SubnetIsFull",
    "message": "The subnet snet-endpoints has no free address.",
    "hint": "Enlarge the subnet, or choose another.",
    "correlation_id": "9f1c2a4e-0000-4000-8000-00000000abcd",
}
_BLOCK: Final = {
    "rule": "subnet-too-small",
    "message": "Two addresses are free, four are needed.",
    "ways_out": ["Enlarge the subnet.", "Choose another subnet."],
    "attest": "",
    "next_poll_ms": None,
}
_INTENT: Final = {"seq": 44, "digest": "d", "title": "Run the command", "repeat": "never", "at_ms": NOW, "locks": []}

_WAITING: Final = _only(node("approval", state=S.WAITING, waiting=wait(draft="Dear team,\nplease approve.")))
_FAILED: Final = _only(node("endpoint", state=S.FAILED, error=_ERROR))
_BLOCKED: Final = _only(node("endpoint", state=S.BLOCKED, blocked=_BLOCK, blocked_since_ms=NOW - 90_000))
_IN_DOUBT: Final = _only(node("endpoint", state=S.IN_DOUBT, intent=_INTENT))
_LOST: Final = RunbookError("The disk is full.", "Make room, then resume the run.")
_DONE: Final = view(context(), book={"title": "One", "phases": [], "steps": []}, expanded=frozenset())

LOOKS: Final[dict[str, Look]] = {
    "run-empty": _run(RunView()),
    "run-busy": _run(running()),
    "run-ready": _run(ready()),
    "run-ready-plan": _run(ready(), "2"),
    "run-ready-commands": _run(ready(), "3"),
    "run-disruptive": _run(ready("disruptive"), "a"),
    "run-waiting": _run(_WAITING),
    "run-failed": _run(_FAILED),
    "run-blocked": _run(_BLOCKED),
    "run-in-doubt": _run(_IN_DOUBT),
    "run-read-only": _run(ready(), is_read_only=True, driver="bob on jumphost"),
    "run-live": _run(replace(ready(), mode="live")),
    "run-paused": _run(replace(ready(), paused=True)),
    "run-ended": _run(ready(), failure=_LOST),
    "run-done": _run(_DONE),
    "help": _run(ready(), "question_mark"),
    "settings": replace(_run(ready(), "comma"), tells_theme=True),
    "palette": _run(ready(), "ctrl+p"),
    "attest": _run(_only(node("approval", state=S.WAITING, waiting=wait(attest="it was approved"))), "t"),
    "skip": _run(_FAILED, "s"),
}
