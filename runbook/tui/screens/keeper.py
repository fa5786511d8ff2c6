"""Brings the operator back to where they looked, notes where they look now, and learns how long things usually take.

Invariant: what needs the operator comes before the place they left; what has come to need them since is told.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.timer import Timer

from runbook.core.error import RunbookError
from runbook.core.expected import Expected
from runbook.report.since import since
from runbook.tui.memory import Memory, Place
from runbook.tui.messages import NewsRead
from runbook.tui.present.standing import standing
from runbook.tui.present.text import one_line
from runbook.tui.present.words import wants_me
from runbook.tui.widgets.node_tree import NodeTree

if TYPE_CHECKING:
    from runbook.core.view import RunView
    from runbook.tui.screens.run import RunScreen

NOTE_S: Final = 0.5
"""After a change, so long until the place is written, in seconds."""

_NEWS: Final = 5_000
"""Of so many entries at most, the newest, it is told what happened meanwhile."""

LEARN_S: Final = 30.0
"""How often it is asked how long things take: this run's own nodes teach, too. In seconds."""


class Keeper:
    """One run screen's.

    Args:
        screen: the screen.
        memory: where places are kept.
        place: where the operator looked last; None when that is not known.
    """

    def __init__(self, screen: RunScreen, memory: Memory, place: Place | None) -> None:
        self._screen = screen
        self._memory = memory
        self._left = place
        self._noted: Place | None = place
        self._pending: Place | None = None
        self._timer: Timer | None = None
        self.expected: Expected = {}
        """How long the steps of this run usually settle and wait."""

    def start(self) -> None:
        """Begin to learn. It can wait until the run is open."""
        if self._memory.expected is not None:
            self._screen.set_timer(1.0, self._learn)
            self._screen.set_interval(LEARN_S, self._learn)

    def _learn(self) -> None:
        ask = self._memory.expected
        if ask is None or self._screen.is_opening or not self._screen.view.id:
            return

        def work(view: RunView) -> None:
            with contextlib.suppress(RunbookError, OSError):  # it would have been good to know, no more
                self.expected = ask(view)

        self._screen.run_worker(partial(work, self._screen.view), thread=True, group="learn", name="learn")

    def restore(self) -> None:
        """Go back to the place that was left, once there are nodes; to what is more urgent by now, where there is."""
        screen, left = self._screen, self._left
        if left is None or not screen.view.nodes:
            return
        self._left = None
        self._tell_news(left.head)
        tree = screen.query_one(NodeTree)
        tree.fold(left.folded, left.opened)
        if left.page:
            screen.turn_to(left.page)
        if left.row is None or not tree.has(left.row):
            return
        screen.follows = left.follows
        screen.select(left.row)
        here = screen.node
        wanting = standing(screen.view).wanting
        news = [n for n in wanting if n.id not in left.wanted]
        if not wanting or (here is not None and wants_me(here)):
            return
        screen.follows = True  # who only looked around and left should not miss what comes now
        screen.select(("node", (news or wanting)[0].id))
        if news:
            title = one_line(news[0].doc["title"])
            more = f", and {len(news) - 1} more" if len(news) > 1 else ""
            screen.notify(f"Since you left, this needs you: {title}{more}.", timeout=4.0, markup=False)

    def _tell_news(self, head: int) -> None:
        """Once, when the run is opened: what happened since its operator last looked."""
        screen = self._screen
        if not 0 < head < screen.view.head:
            return

        def work(view: RunView) -> None:
            with contextlib.suppress(RunbookError):
                entries = screen.attachment.entries(None, min(view.head - head, _NEWS))
                screen.post_message(NewsRead(since(view, [e for e in entries if e.seq > head])))

        screen.run_worker(partial(work, screen.view), thread=True, group="news", name="news")

    def note(self) -> None:
        """Write down, in a moment, where the operator looks now, if that has changed."""
        if self._screen.is_opening or not self._screen.view.nodes or self._left is not None:
            return
        now = self._now()
        if now != (self._pending or self._noted):
            self._pending = now
            if self._timer is None:
                self._timer = self._screen.set_timer(NOTE_S, self._write)

    def _now(self) -> Place:
        screen = self._screen
        folded, opened = screen.query_one(NodeTree).folds()
        wanted = frozenset(n.id for n in standing(screen.view).wanting)
        return Place(screen.key, screen.page, screen.follows, folded, opened, wanted, screen.view.head)

    def _write(self) -> None:
        self._timer = None
        if (place := self._pending) is not None:
            self._noted, self._pending = place, None
            work = partial(self._memory.keep, self._screen.view.id, place)
            self._screen.run_worker(work, thread=True, group="place", name="place")

    def flush(self) -> None:
        """The screen goes: what was still to be written is written now. It is a small file."""
        last = self._pending or self._noted
        if self._screen.is_opening or self._left is not None or last is None:
            return
        if self._pending is not None or last.head != self._screen.view.head:
            self._memory.keep(self._screen.view.id, replace(last, head=self._screen.view.head))
            self._noted, self._pending = last, None
