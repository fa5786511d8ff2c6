"""README's pictures: screens of real rehearsals, driven without a screen to a wanted moment and drawn as SVG.

``python -m tests.architecture.pictures`` draws them anew in ``assets/pictures``. A rehearsal is the same each time, and
so are its pictures. They refer to nothing outside of themselves: no font is loaded, the reader's own monospace is used.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from runbook.cli.policy import Policy
from runbook.core.command import Command
from runbook.core.state import NodeState
from runbook.core.summary import summary
from runbook.core.view import NodeView, RunView
from runbook.journal.fold import fold
from runbook.journal.past import ToldPast
from runbook.tui.app import RunbookApp
from runbook.tui.around import Around
from runbook.tui.runs import Runs
from runbook.tui.settings import Kept, Settings
from runbook.wiring import Wish, create_run
from tests.architecture.repository import ROOT
from tests.crash.harness import Played
from tests.journeys.scenes import drive
from tests.tui.conftest import idle
from tests.tui.house import House, Shelf, listed
from tests.tui.sample import Store

FOLDER: Final = ROOT / "assets" / "pictures"
SIZE: Final = (110, 32)
FONTS: Final = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

Moment = Callable[[RunView], bool]


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        alt: what README says of it to who cannot see it.
        app: makes what the app is given.
        keys: pressed one after another, each once the screen is at rest.
    """

    alt: str
    app: Callable[[], dict[str, Any]]
    keys: tuple[str, ...] = ()


_POLICY: Final = Policy(yes=True, yes_disruptive=True, attests=True, by="dana@contoso.com")


def _answer(node: NodeView) -> Command | None:
    """Say go and vouch, but never talk a rule away."""
    return None if node.state is NodeState.BLOCKED else _POLICY.answer(node)


def played(scenario: str, run: str, book: str = "arc-private-link") -> Played:
    """A whole rehearsal."""

    def play() -> Played:
        with tempfile.TemporaryDirectory() as home:
            create_run(Path(home), Wish(book, scenario=scenario, run=run), durable=False)
            return drive(Path(home), _answer, run=run)

    with ThreadPoolExecutor(1) as apart:  # the picture's app has a loop of its own
        return apart.submit(play).result()


def at(one: Played, moment: Moment) -> Store:
    """A rehearsal as it stood at the first such moment, else at its end."""
    view = RunView()
    for number, entry in enumerate(one.entries, 1):
        view = fold(view, [entry])
        if moment(view):
            return Store(view, log=one.entries[:number], at_ms=view.updated_ms, driver="you", speed=60.0)
    return Store(one.view, log=one.entries, at_ms=one.view.updated_ms, driver="you", speed=60.0)


def _stands(node: str, state: NodeState) -> Moment:
    return lambda view: node in view.nodes and view.nodes[node].state is state


def _some(state: NodeState, step: str) -> Moment:
    return lambda view: any(n.state is state and n.doc["step"] == step for n in view.nodes.values())


def _shown(one: Callable[[], Played], moment: Moment) -> Callable[[], dict[str, Any]]:
    def given() -> dict[str, Any]:
        store = at(one(), moment)
        return {"open_attachment": lambda: store}

    return given


def _preview() -> Played:
    return played("arc-preview", "arc-preview-1")


def _ga() -> Played:
    return played("arc-ga", "arc-ga-1")


def _trouble() -> Played:
    return played("arc-trouble", "arc-trouble-1")


def _two() -> dict[str, Any]:
    """A run that was finished, beside one that is stuck."""
    one, two = _preview(), _trouble()
    store = Store(one.view, log=one.entries, at_ms=one.view.updated_ms, driver="you", speed=60.0)
    of = {p.view.id: p for p in (one, two)}
    runs = Runs(lambda: [summary(p.view) for p in of.values()], lambda id_: ToldPast(of[id_].entries))
    return {"open_attachment": lambda: store, "around": {"runs": runs}}


def _home() -> dict[str, Any]:
    """Runs in every state that a day at work brings."""
    preview, trouble = _preview(), _trouble()
    views = [
        at(_ga(), _stands("endpoint", NodeState.READY)).held,
        trouble.view,
        replace(at(preview, _some(NodeState.WAITING, "approval")).held, id="arc-preview-2"),
        preview.view,
    ]
    shelf = [
        Shelf("arc-private-link", 1, "Azure Arc-enabled servers behind Azure Private Link", "", ""),
        Shelf("avd-private-link", 1, "Azure Virtual Desktop behind Azure Private Link", "", ""),
    ]
    house = House([listed(view, ago) for view, ago in zip(views, (4, 55, 180, 2900), strict=True)], books=shelf)
    return {"home": house.given(new_run=house.opener("new"))}


PICTURES: Final[dict[str, Picture]] = {
    "home": Picture(
        "The home screen: runs by what needs you first, and below what is known of the selected one.", _home
    ),
    "run": Picture(
        "A run: the tree of nodes, the exact command that makes the private endpoint, and the bar with the next key.",
        _shown(_ga, _stands("endpoint", NodeState.READY)),
        ("3",),
    ),
    "map": Picture(
        "The map: the private endpoint in its subnet with its addresses, and zones that are not linked yet.",
        _shown(_ga, _stands("links[privatelink.his.arc.azure.com]", NodeState.SETTLING)),
        ("m",),
    ),
    "waiting": Picture(
        "A wait for Microsoft: since when, what to do, and a text to hand over.",
        _shown(_preview, _some(NodeState.WAITING, "approval")),
        ("o",),
    ),
    "failure": Picture(
        "A rule in the way: what is wrong, whether anything was changed, and what to do, in order.",
        _shown(_trouble, _stands("capacity", NodeState.BLOCKED)),
        ("slash", *"room", "escape", "o"),
    ),
    "timeline": Picture(
        "A finished rehearsal over time: bars of what was changed, waited for and looked at.", _two, ("h",)
    ),
    "compare": Picture(
        "Two rehearsals of the same book side by side: what differed, the gravest first.", _two, ("C", "enter")
    ),
}


async def _drawn(picture: Picture) -> str:
    given = picture.app()
    around = Around(Kept(Settings(animations=False)), **given.pop("around", {}))
    app = RunbookApp(**given, around=around, redraw_s=0.0, settle_s=0.0)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await idle(pilot)
        for key in picture.keys:
            await pilot.press(key)
            await idle(pilot)
        svg = app.export_screenshot(title="runbook", simplify=True)
    app.close()
    return alone(svg)


def drawn(name: str) -> str:
    """One picture, as SVG."""
    return asyncio.run(_drawn(PICTURES[name]))


def alone(svg: str) -> str:
    """The drawing without anything that a reader would have to fetch, and without blanks at its lines' ends."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;]+;", f"font-family: {FONTS};", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


def references(svg: str) -> list[str]:
    """What a drawing refers to outside of itself; the names of XML vocabularies are no references."""
    bare = re.sub(r'xmlns(:\w+)?="[^"]*"', "", svg)
    return re.findall(
        r"https?:[^\s\"')]*|@import|@font-face|<image|<script|(?:href|src)=\"[^#][^\"]*\"|url\([^#][^)]*\)", bare
    )


def in_readme() -> Iterable[tuple[str, str]]:
    """The pictures that README shows: alt text and path."""
    return re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8"))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in PICTURES:
        (FOLDER / f"{each}.svg").write_text(drawn(each), encoding="utf-8")
