"""Making a run.

Invariant: a run appears whole (journal with its first entry, simulated cloud as the scenario has it) or not at all.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runbook.book import Book, check_inputs, load_book
from runbook.core.clock import RealClock, VirtualClock
from runbook.core.entry import Draft, Kind
from runbook.core.error import Unwritable, UsageError
from runbook.core.ids import subscription_of
from runbook.core.redact import redact
from runbook.home import CLOUD, JOURNAL, is_taken, private_folder, run_dir
from runbook.journal.store import Journal

if TYPE_CHECKING:
    from runbook.book import InputFile, InputSpec
    from runbook.sim.scenario import Scenario
    from runbook.wiring.live import SignedIn

DEFAULT_SCENARIO: Final = {"arc-private-link": "arc-preview", "avd-private-link": "avd-small"}
"""The scenario a book is rehearsed in when none is named."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run is made from.

    Attributes:
        book: a name or a file.
        scenario: a name or a file; empty for the book's own.
        edition: empty for the scenario's.
        sets: values that beat those of ``file``, which beat the scenario's.
        run: the id wished for; empty for the next free one.
        via: live: what makes the changes, ``arm`` (this program) or ``az`` (the lines shown, by the Azure CLI).
        here: live: where this machine stands, for looking names up.
    """

    book: str
    mode: str = "rehearsal"
    scenario: str = ""
    edition: str = ""
    sets: Mapping[str, Any] = field(default_factory=dict)
    file: InputFile | None = None
    run: str = ""
    via: str = "arm"
    here: str = "nowhere"


def create_run(
    home: Path,
    wish: Wish,
    *,
    durable: bool = True,
    signed_in: SignedIn | None = None,
    agree: Callable[[Mapping[str, Any]], None] = lambda _: None,
) -> str:
    """Make a run and return its id. Nothing is made unless everything about the wish is right.

    Args:
        home: the state folder.
        wish: what to make it from.
        durable: whether writes wait for the disk; only tests may say no.
        signed_in: for a live run, who makes it.
        agree: asked with what a live run would be pinned to, before anything is made; what it raises is raised.

    Raises:
        UsageError: the mode, scenario, edition or id will not do.
        BookError: a fault in the book, the scenario or the inputs.
        ContextError: a live run's inputs name what the sign-in does not reach.
        ArmError: a live run's subscriptions could not be read.
        Unwritable: the state folder cannot be written.
    """
    scenario = None
    if wish.mode == "live":
        book, first = prepare_live(wish, _signed(signed_in))
        agree(first["pinned"])
    else:
        book, scenario, first = prepare(wish)
    if wish.run and is_taken(home, wish.run):
        raise _taken(wish.run)
    cloud = None if scenario is None else _seeded(scenario, durable)
    return place_run(home, wish.run, book.id, first, cloud, durable)


def _signed(signed_in: SignedIn | None) -> SignedIn:
    if signed_in is None:
        raise UsageError("A live run needs a sign-in.", "Sign in: az login.")
    return signed_in


def prepare_live(wish: Wish, signed_in: SignedIn) -> tuple[Book, dict[str, Any]]:
    """What a live run would be made of: its book, and what its first entry carries but for its id.

    The subscription that the sign-in stands in answers the book's first question for one, unless it is answered; a
    subscription may be named by its name.

    Raises:
        UsageError: the wish names a scenario, or an edition or a way that does not exist.
        BookError: a fault in the book or the inputs.
        ContextError, ArmError: as ``pin`` says.
    """
    from runbook.here.resolver import check_place
    from runbook.wiring.live import check_via, pin

    if wish.scenario:
        raise UsageError("A live run has no scenario: it works in the real cloud.", "Leave --scenario out.")
    if wish.via not in ("arm", "az"):
        raise UsageError(f"There is no way {wish.via!r} to make changes.", "Choose --via arm or --via az.")
    check_via(wish.via, signed_in)
    book = load_book(wish.book)
    given = {**(wish.file or {}), **wish.sets}
    first_asked = next((name for name, spec in book.inputs.items() if spec.type == "subscription"), None)
    if first_asked is not None and given.get(first_asked) is None and signed_in.current:
        given[first_asked] = signed_in.current
    ids = {name.lower(): id_ for id_, name in signed_in.names.items()}
    for name, spec in book.inputs.items():
        if spec.type == "subscription" and isinstance(given.get(name), str):
            given[name] = ids.get(given[name].lower(), given[name])
    inputs = check_inputs(book, given, source=wish.file.source if wish.file is not None else None)
    _check_edition(wish.edition)
    return book, {
        "book": dict(book.doc),
        "mode": wish.mode,
        "edition": wish.edition or "auto",
        "scenario": "",
        "inputs": inputs,
        "pinned": pin(signed_in, _wanted(book, inputs)),
        "options": {"via": wish.via, "auth": signed_in.auth, "here": check_place(wish.here)},
    }


def prepare(wish: Wish) -> tuple[Book, Scenario, dict[str, Any]]:
    """What a run would be made of: its book, its scenario, and what its first entry carries but for its id.

    Raises:
        UsageError: the mode, scenario or edition will not do.
        BookError: a fault in the book, the scenario or the inputs.
    """
    if wish.mode != "rehearsal":
        raise UsageError(f"There is no mode {wish.mode!r} with a scenario.", "Choose rehearsal or live.")
    book = load_book(wish.book)
    scenario = find_scenario(wish.scenario or _default_scenario(book))
    given = {name: value for name, value in scenario.inputs.items() if name in book.inputs}
    given |= dict(wish.file or {}) | dict(wish.sets)
    inputs = check_inputs(book, given, source=wish.file.source if wish.file is not None else None)
    _check_edition(wish.edition)
    first = {
        "book": dict(book.doc),
        "mode": wish.mode,
        "edition": wish.edition or scenario.edition,
        "scenario": scenario.id,
        "inputs": inputs,
        "pinned": _pinned(book, inputs, scenario),
        "options": {"scenario": scenario.doc},
    }
    return book, scenario, first


def _check_edition(edition: str) -> None:
    if edition not in ("", "preview", "ga", "auto"):
        raise UsageError(f"There is no edition {edition!r}.", "Choose preview, ga or auto.")


def find_scenario(name: str) -> Scenario:
    """A scenario by name or from a file.

    Raises:
        UsageError: no such scenario; near names are told.
        BookError: the file is not right.
    """
    from runbook.sim.scenario_files import SUFFIXES, list_scenarios, load_scenario

    known = list_scenarios()
    if name not in known and Path(name).suffix not in SUFFIXES:
        from difflib import get_close_matches

        near = get_close_matches(name, known, n=2)
        meant = f"Did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(f"There is no scenario {name!r}.", f"{meant}There are {', '.join(known) or 'none'}.")
    return load_scenario(name)


def _default_scenario(book: Book) -> str:
    if book.id in DEFAULT_SCENARIO:
        return DEFAULT_SCENARIO[book.id]
    raise UsageError(f"The book {book.id} has no scenario of its own.", "Name one with --scenario.")


def _taken(run: str) -> UsageError:
    return UsageError(
        f"There is a run {run!r} already.", f"Go on with it by `runbook resume {run}`, or choose another id."
    )


def _pinned(book: Book, inputs: Mapping[str, Any], scenario: Scenario) -> dict[str, Any]:
    """Where the run may write: the subscriptions that its inputs name, by themselves or inside a resource id."""
    names = {s.id.lower(): s.name for s in scenario.subscriptions}
    return {
        "cloud": scenario.cloud,
        "tenant": scenario.tenant.id,
        "account": scenario.operator.name,
        "subscriptions": {s: names.get(s, "") for s in _wanted(book, inputs)},
    }


def _wanted(book: Book, inputs: Mapping[str, Any]) -> list[str]:
    """The subscriptions that inputs name, by themselves or inside a resource id, in order and once."""
    found = (s for name, value in inputs.items() for s in _subscriptions(book.inputs[name], value))
    return list(dict.fromkeys(found))


def _subscriptions(spec: InputSpec, value: Any) -> list[str]:
    if spec.type == "list" and spec.items is not None:
        return [s for member in value or () for s in _subscriptions(spec.items, member)]
    if spec.type == "map" and spec.items is not None:
        return [s for member in (value or {}).values() for s in _subscriptions(spec.items, member)]
    if spec.type == "subscription" and value:
        return [str(value).lower()]
    found = subscription_of(str(value)) if spec.type == "resource_id" and value else None
    return [found] if found else []


def place_run(
    home: Path, run: str, stem: str, first: Mapping[str, Any], cloud: Callable[[Path], int] | None, durable: bool
) -> str:
    """Build the run's folder beside its place, then move it there in one step.

    Args:
        home: the state folder.
        run: the run's id; empty for the next free one.
        stem: what such an id begins with.
        first: what the first entry carries but for the run's id.
        cloud: makes a rehearsal's simulated cloud in a file and gives its time; None for a live run.
        durable: whether writes wait for the disk.

    Raises:
        UsageError: the id is taken.
        Unwritable: the folder cannot be made.
    """
    runs = private_folder(home / "runs")
    try:
        building = Path(tempfile.mkdtemp(prefix=".new-", dir=runs))
    except OSError as error:
        raise Unwritable(
            f"Nothing can be made in {runs}: {error.strerror}.", "Check its rights and the disk."
        ) from error
    try:
        at_ms = RealClock().now_ms() if cloud is None else cloud(building / CLOUD)
        for name in [run] if run else (f"{stem[:48]}-{number}" for number in itertools.count(1)):
            target = run_dir(home, name)
            if is_taken(home, name):
                if run:
                    raise _taken(run)
                continue
            _begin(building / JOURNAL, {"id": name, **first}, at_ms, durable)
            try:
                building.rename(target)
            except OSError as error:
                if not target.exists():
                    raise Unwritable(f"{target} cannot be made: {error.strerror}.", "Check its rights.") from error
                if run:
                    raise _taken(run) from error
                (building / JOURNAL).unlink()  # another process took the name just now: try the next
                continue
            _sync(runs)
            return name
    finally:
        shutil.rmtree(building, ignore_errors=True)
    raise AssertionError("numbers do not end")


def _seeded(scenario: Scenario, durable: bool) -> Callable[[Path], int]:
    """Makes the cloud as the scenario has it, at the scenario's time."""

    def make(path: Path) -> int:
        from runbook.sim.cloud import Cloud
        from runbook.sim.state import State

        state = State(path, durable=durable)
        try:
            Cloud(scenario, VirtualClock(scenario.start_ms), state)
        finally:
            state.close()
        return scenario.start_ms

    return make


def _begin(path: Path, first: dict[str, Any], at_ms: int, durable: bool) -> None:
    journal = Journal.create(path, durable=durable)
    try:
        journal.append([Draft(Kind.RUN_CREATED, data=redact(first))], at_ms, epoch=0)
    finally:
        journal.close()


def _sync(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every system can open a folder; the files in it are synced already
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
