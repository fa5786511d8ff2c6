"""The looks of every screen worth a picture: what the app is given, and the keys that lead there."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from runbook.cli.making import Workshop
from runbook.core.entry import Draft, Entry, Kind
from runbook.core.error import Damaged, RunbookError, TooNew
from runbook.core.event import Event
from runbook.core.summary import summary
from runbook.core.view import NodeView, RunView
from runbook.dns.look import look
from runbook.dns.model import Table
from runbook.journal.past import ToldPast
from runbook.tui.app import RunbookApp
from runbook.tui.live import LiveScreen
from runbook.tui.present.how import LIVE, Prefill
from runbook.tui.runs import Runs
from runbook.tui.screens.new_run import NewRunScreen
from runbook.wiring import Wish, create_run
from tests.crash.harness import Played
from tests.dns.test_look import GBL, WANT, WE, cloud
from tests.journeys.scenes import drive, no_words
from tests.maps import first, rehearsed
from tests.steps.table import TableDns
from tests.tui.forms import ARC, home_of, refuse
from tests.tui.house import ANNA, House, listed, named, unreadable
from tests.tui.matters import BADLY, BLOCK, ERROR, INTENT, asked, stopped
from tests.tui.sample import NOW, S, Store, change, context, node, ready, running, view, wait

SIZES: Final = {"80x24": (80, 24), "120x36": (120, 36), "200x60": (200, 60), "50x12": (50, 12)}
EVERY: Final = ("80x24", "120x36", "200x60")
LEAST: Final = ("80x24",)
"""The smallest one that everything has to fit in. A look that is one more state of a screen is kept only here: how the
screen uses more room is told by its first look, and each picture costs a second."""


@dataclass(frozen=True)
class Look:
    """One look.

    Attributes:
        app: makes what the app is given.
        keys: pressed one after another, each once the screen is at rest.
        sizes: kept at these.
        then: done to the app when the keys are pressed.
        tells_theme: the words say which theme it is.
    """

    app: Callable[[], dict[str, Any]]
    keys: Sequence[str] = ()
    sizes: tuple[str, ...] = LEAST
    then: Callable[[RunbookApp], object] | None = None
    tells_theme: bool = False


# ---------------------------------------------------------------- a run

_OPENS: dict[str, Any] = {"take_over": House().opener("take")}
"""Runs can be taken over from here."""


def _run(held: RunView | Callable[[], RunView], *keys: str, around: dict[str, Any] | None = None, **more: Any) -> Look:
    """A run screen on a view, or on one that is made only when the look is taken."""

    def given() -> dict[str, Any]:
        store = Store(held if isinstance(held, RunView) else held(), **more)
        store.at_ms = store.held.updated_ms or NOW
        return {"open_attachment": lambda: store, "around": around or {}}

    return Look(given, keys)


def _only(one: NodeView, **more: Any) -> RunView:
    return view(context(), one, **more)


_ERROR: Final = {
    "code": "SubnetIsFull",
    "message": "The subnet snet-endpoints has no free address.",
    "hint": "Enlarge the subnet, or choose another.",
    "correlation_id": "9f1c2a4e-0000-4000-8000-00000000abcd",
}
_RULE: Final = {
    "rule": "subnet-too-small",
    "message": "Two addresses are free, four are needed.",
    "ways_out": ["Enlarge the subnet.", "Choose another subnet."],
    "attest": "",
    "next_poll_ms": None,
}

_WAITING: Final = _only(node("approval", state=S.WAITING, waiting=wait(draft="Dear team,\nplease approve.")))
_FAILED: Final = _only(node("endpoint", state=S.FAILED, error=_ERROR))
_RULED: Final = _only(node("endpoint", state=S.BLOCKED, blocked=_RULE, blocked_since_ms=NOW - 90_000))
_IN_DOUBT: Final = _only(node("endpoint", state=S.IN_DOUBT, intent=INTENT))
_LOST: Final = RunbookError("The disk is full.", "Make room, then resume the run.")
_DONE: Final = view(context(), book={"title": "One", "phases": [], "steps": []}, expanded=frozenset())


def _batch() -> RunView:
    """Six servers are ready to be put into the scope at once."""
    ids = [{"name": f"srv-app-{n:02}", "id": f"id-{n}"} for n in range(1, 7)]
    nodes = [
        node(
            "associate",
            one["name"],
            f"Associate {one['name']}",
            S.READY,
            changes=(change(f"Put {one['name']} into the scope", one["name"], "disruptive" if n == 5 else "safe"),),
        )
        for n, one in enumerate(ids)
    ]
    return view(context(), node("machines", state=S.DONE, outputs={"ids": ids}), *nodes)


def _sign_in(app: RunbookApp) -> None:
    """The engine notes what the sign-in wants."""
    assert isinstance(app.screen, LiveScreen)
    text = "To sign in, open https://login.example/device in a browser and enter the code ABCD-1234."
    noted = Entry.chain(Draft(Kind.NOTED, None, None, {"prompt": True, "text": text}), 8, NOW, "")
    app.screen.hear(Event(noted, None, app.screen.view))


# ---------------------------------------------------------------- rehearsals that were played


@cache
def _played(scenario: str) -> Played:
    def play() -> Played:
        with tempfile.TemporaryDirectory() as home:
            create_run(Path(home), Wish(ARC, scenario=scenario, run=scenario), durable=False)
            return drive(Path(home), no_words, run=scenario)

    with ThreadPoolExecutor(1) as apart:  # the test that asks has a loop of its own
        return apart.submit(play).result()


def _looked_back(scenario: str, *keys: str) -> Look:
    """A run that was played, beside another one of its book."""

    def given() -> dict[str, Any]:
        one, two = _played(scenario), _played("arc-preview" if scenario == "arc-trouble" else "arc-trouble")
        store = Store(one.view, log=one.entries, at_ms=one.view.updated_ms)
        runs = Runs(
            lambda: [summary(one.view), summary(two.view)],
            lambda id_: ToldPast((one if id_ == one.view.id else two).entries),
        )
        return {"open_attachment": lambda: store, "around": {"runs": runs}}

    return Look(given, keys)


def _mapped() -> RunView:
    return first(rehearsed("arc-ga"), "links[privatelink.his.arc.azure.com]", S.SETTLING)


# ---------------------------------------------------------------- names


def _names(_: RunView) -> Table:
    """One name that the premises still answer with its public address."""
    answers = {"on-premises": {GBL: "10.0.0.4", WE: "203.0.113.9"}}
    return asyncio.run(look(WANT, cloud(), TableDns(answers)))


# ---------------------------------------------------------------- the home screen, and a new run


def _home(house: Callable[[], House], *keys: str) -> Look:
    return Look(lambda: {"home": house().given(), "around": _OPENS}, keys)


def _several() -> House:
    held = view(context(), node("approval", state=S.WAITING, waiting=wait()), mode="live", id="arc-wait")
    done = view(context(), book={"id": "b", "title": "B", "steps": []}, expanded=frozenset(), id="arc-old")
    return House(
        [
            listed(named(running(), "arc-busy"), 1, driver=ANNA),
            listed(held),
            listed(done, 3000),
            listed(ready(), 65),
            unreadable("arc-broken", Damaged("/some/where/journal.db is damaged: no header.", "Restore it.")),
            unreadable("arc-later", TooNew("Run arc-later was written by a later release.", "Install it.")),
        ]
    )


def _many() -> House:
    views = (ready(), _WAITING, _FAILED, running())
    return House([listed(named(views[n % 4], f"arc-{n:03}"), n) for n in range(60)])


def _new(*keys: str, prefill: Prefill | None = None) -> Look:
    """The form, on a folder in which there is no run."""

    def given() -> dict[str, Any]:
        making = Workshop(Path(tempfile.mkdtemp()), refuse).making
        return {"home": replace(home_of(making), new_run=lambda _: NewRunScreen(making, ARC, prefill))}

    return Look(given, ("n", *keys))


def _everywhere(one: Look) -> Look:
    return replace(one, sizes=EVERY)


LOOKS: Final[dict[str, Look]] = {
    # the home screen
    "home": _everywhere(_home(_several)),
    "home-empty": _home(House),
    "home-damaged": _home(_several, "down"),
    "home-many": _home(_many, "pagedown"),
    "home-found": _home(_many, "slash", *"fail"),
    "home-take-over": _home(_several, "down", "down", "down", "down", "T"),
    # a new run
    "new": _everywhere(_new()),
    "new-empty": _new(prefill=Prefill({}, "nothing", LIVE)),
    "new-wrong": _new("down", "down", "down", "ctrl+u", *"1234"),
    "new-list": _new("down", "down", "down", "f2"),
    "summary": _new("f5"),
    # the run screen
    "run-empty": _run(RunView()),
    "run-busy": _run(running()),
    "run-ready": _everywhere(_run(ready())),
    "run-plan": _run(ready(), "2"),
    "run-commands": _run(ready(), "3"),
    "run-checks": _run(ready(), "4"),
    "run-entries": _run(_FAILED, "5", log=BADLY),
    "run-map": _run(_mapped, "6"),
    "run-waiting": _everywhere(_run(_WAITING)),
    "run-failed": _run(_FAILED),
    "run-blocked": _run(_RULED),
    "run-in-doubt": _run(_IN_DOUBT),
    "run-watched": _run(ready(), is_read_only=True, driver="bob on jumphost", around=_OPENS),
    "run-left": _run(ready(), is_read_only=True, driver="nobody at the moment", around=_OPENS),
    "run-read-only": _run(ready(), is_read_only=True, driver="bob on jumphost"),
    "run-live": _run(replace(ready(), mode="live")),
    "run-paused": _run(replace(ready(), paused=True)),
    "run-ended": _run(ready(), failure=_LOST, around=_OPENS),
    "run-done": _run(_DONE),
    "run-sign-in": replace(_run(replace(running(), mode="live")), then=_sign_in),
    "run-too-small": replace(_run(ready()), sizes=("50x12",)),
    # its dialogs
    "disruptive": _run(ready("disruptive"), "a"),
    "batch": _run(_batch, "up", "a"),
    "attest": _run(_only(node("approval", state=S.WAITING, waiting=wait(attest="it was approved"))), "t"),
    "skip": _run(_FAILED, "s"),
    # the screens above it
    "map": _everywhere(_run(_mapped, "m")),
    "map-closer": _run(_mapped, "m", "up", "up", "plus"),
    "map-found": _run(_mapped, "m", "slash", *"pe-arc", "enter"),
    "waiting": _everywhere(_run(asked(attest="it was approved"), "o")),
    "failure": _everywhere(_run(stopped(state=S.FAILED, error=ERROR), "o", log=BADLY)),
    "failure-raw": _run(stopped(state=S.FAILED, error=ERROR), "o", "v", log=BADLY),
    "failure-blocked": _run(stopped(state=S.BLOCKED, blocked=BLOCK, blocked_since_ms=NOW - 90_000), "o"),
    "failure-in-doubt": _run(stopped(state=S.IN_DOUBT, intent=INTENT), "o"),
    "timeline": _everywhere(_looked_back("arc-preview", "h")),
    "timeline-failure": _looked_back("arc-trouble", "h", "F"),
    "compare": _everywhere(_looked_back("arc-preview", "C", "enter")),
    "names": _everywhere(_run(ready(), "D", "n", around={"names": _names})),
    # what every screen has
    "help": _run(ready(), "question_mark"),
    "palette": _run(ready(), "ctrl+p"),
    "settings": replace(_run(ready(), "comma"), tells_theme=True),
}
