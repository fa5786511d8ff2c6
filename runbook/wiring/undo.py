"""A run that takes another one back: made from that one's journal, looked at or driven like any other.

Invariants: it writes only where the other run was pinned to; in a rehearsal it works on a copy of the simulated cloud
as the other run left it, so that one stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runbook.book import book_from_json
from runbook.book.reverse import reverse_book
from runbook.core.error import UsageError
from runbook.core.ids import RUN_ID
from runbook.core.undo import Undo, undo_of
from runbook.core.view import RunView
from runbook.home import is_taken, journal_path
from runbook.journal import lease
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.wiring.create import place_run
from runbook.wiring.look import Lookout, begun, look_again
from runbook.wiring.world import cloud_file

if TYPE_CHECKING:
    from runbook.wiring.live import SignedIn, SignIn

SUFFIX: Final = "-undo"


def look_back(home: Path, run: str, sign_in: SignIn | None = None) -> tuple[Lookout, Undo]:
    """What taking a run back would do: a run that does not exist, to be surveyed. Nothing is made or sent.

    Raises:
        UsageError: the run took back another one itself.
        RunUnknown, TooNew, Damaged, Unwritable, ContextError, SignInNeeded: as ``look_again``.
    """
    found: list[Undo] = []

    def reverse(journal: Journal, view: RunView) -> RunView:
        _check_forward(view)
        found.append(undo_of(view, journal.entries()))
        return begun({"id": f"{run}{SUFFIX}"[-64:], **_first(view, found[0], foresees=True)}, view.updated_ms)

    return look_again(home, run, sign_in, reverse), found[0]


def create_undo(
    home: Path,
    run: str,
    *,
    name: str = "",
    durable: bool = True,
    signed_in: SignedIn | None = None,
    agree: Callable[[Mapping[str, Any]], None] = lambda _: None,
) -> str:
    """Make the run that takes a run back, and return its id.

    Args:
        home: the state folder.
        run: the run to take back.
        name: the id of the new one; empty for the other's with ``-undo``.
        durable: whether writes wait for the disk; only tests may say no.
        signed_in: for a live run, who makes it.
        agree: asked with what a live run is pinned to, before anything is made.

    Raises:
        UsageError: the run still goes on, it did nothing that can be taken back, or that is under way already.
        ContextError: the sign-in does not reach what the run is pinned to.
        RunUnknown, Driven, TooNew, Damaged, Unwritable: as the class says.
    """
    path = journal_path(home, run)
    journal = Journal.open(path, write=False)
    try:
        view, row = load_view(journal), lease.driver(journal)
        undo = undo_of(view, journal.entries())
    finally:
        journal.close()
    _check_forward(view)
    _check_over(view, lease.words(row) if row else "")
    if not undo.takebacks:
        raise UsageError(f"Run {run} changed nothing that can be taken back.", f"See: runbook undo {run} --plan")
    name = name or f"{run}{SUFFIX}"
    if not RUN_ID.fullmatch(name):
        raise UsageError(f"{name!r} is no run id.", "Name a shorter one with --run-id.")
    if is_taken(home, name):
        raise UsageError(
            f"There is a run {name} already.", f"Go on with it by `runbook resume {name}`, or name another by --run-id."
        )
    first = _first(view, undo)
    if view.mode == "live":
        from runbook.wiring.live import check_pinned

        if signed_in is None:
            raise UsageError("Taking a live run back needs a sign-in.", "Sign in: az login.")
        check_pinned(view, signed_in)
        first["pinned"] = {**first["pinned"], "account": signed_in.account}
        agree(first["pinned"])
        return place_run(home, name, name, first, None, durable)
    return place_run(home, name, name, first, lambda target: _copied(cloud_file(path), target, view, durable), durable)


def _check_forward(view: RunView) -> None:
    if before := view.options.get("undoes"):
        raise UsageError(
            f"Run {view.id} took back run {before}; that is not taken back again.",
            f"Run its book anew, if it is wanted after all. What was done: runbook status {view.id}",
        )


def _check_over(view: RunView, driver: str) -> None:
    if driver:
        raise UsageError(f"Run {view.id} is driven by {driver}.", "Let it end, or stop it there, then undo it.")
    if not view.is_over:
        raise UsageError(
            f"Run {view.id} is not over: it would do again what is taken back.",
            f"Finish it (runbook resume {view.id}), or end it for good: runbook abort {view.id}",
        )


def _first(view: RunView, undo: Undo, *, foresees: bool = False) -> dict[str, Any]:
    """What its first entry carries but for its id."""
    return {
        "book": reverse_book(book_from_json(view.book), view.id, undo, foresees=foresees),
        "mode": view.mode,
        "edition": view.edition,
        "scenario": view.scenario,
        "inputs": {},
        "pinned": dict(view.pinned),
        "options": {**view.options, "undoes": view.id},
    }


def _copied(source: Path, target: Path, view: RunView, durable: bool) -> int:
    """The simulated cloud as it stands, in a file of its own; its time goes on."""
    from runbook.sim.state import State, copy_of

    there = copy_of(source)
    state = State(target, durable=durable)
    try:
        for table, rows in there.dump().items():
            for key, doc in rows.items():
                state.put(table, key, doc)
        state.commit(there.latest_ms)
    finally:
        state.close()
    return max(view.updated_ms, there.latest_ms)
