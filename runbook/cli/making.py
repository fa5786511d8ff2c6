"""What the screens of a new run work with, from the composition root: one sign-in, kept as long as the program runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from runbook.cli.driving import Front
from runbook.cli.options import JUMP

if TYPE_CHECKING:
    from runbook.book import Book
    from runbook.engine.host import Attachment
    from runbook.engine.survey import Told
    from runbook.sim.scenario import Scenario
    from runbook.tui.making import Making, Sight, Terms
    from runbook.wiring import Wish
    from runbook.wiring.choices import Choices
    from runbook.wiring.live import SignedIn


class Workshop:
    """Makes runs for a screen. Its methods are called in worker threads.

    Args:
        home: the state folder.
        sign_in: signs in to the real cloud; as the command line does by itself when absent.
    """

    def __init__(self, home: Path, sign_in: Callable[[], SignedIn] | None = None) -> None:
        self._home = home
        self._sign_in = sign_in or _sign_in
        self._signed_in: SignedIn | None = None
        self._lock = Lock()

    @property
    def making(self) -> Making:
        """What the screens are given."""
        from runbook.tui.making import Making

        return Making(
            list_books=self._books,
            load_book=self._book,
            list_scenarios=self._scenarios,
            read_scenario=self._scenario,
            choices=self._choices,
            look=self._look,
            where=self._where,
            check_words=self._check_words,
            create=self._create,
            open_run=self._open,
        )

    def signed_in(self) -> SignedIn:
        """Who works with the real cloud. One that failed is tried again the next time.

        Raises:
            ContextError, SignInNeeded: nobody is signed in.
        """
        with self._lock:
            if self._signed_in is None:
                self._signed_in = self._sign_in()
            return self._signed_in

    def _books(self) -> Sequence[tuple[str, str]]:
        from runbook.book import list_books

        return [(book.id, book.title) for book in list_books() if not book.fault]

    def _book(self, name: str) -> Book:
        from runbook.book import load_book

        return load_book(name)

    def _scenarios(self, book: Book) -> Sequence[str]:
        """Those that answer every question of the book that has no default, the book's own first."""
        from runbook.core.error import RunbookError
        from runbook.sim.scenario_files import list_scenarios
        from runbook.wiring.create import DEFAULT_SCENARIO

        required = {name for name, spec in book.inputs.items() if not spec.is_optional}
        found = []
        for name in list_scenarios():
            try:
                if required <= set(self._scenario(name).inputs):
                    found.append(name)
            except RunbookError:
                continue  # one that is broken is no place to rehearse; `--scenario` says what is wrong with it
        return sorted(found, key=lambda name: name != DEFAULT_SCENARIO.get(book.id))

    def _scenario(self, name: str) -> Scenario:
        from runbook.wiring import find_scenario

        return find_scenario(name)

    def _choices(self, place: str) -> Choices:
        from runbook.tui.present.how import LIVE
        from runbook.wiring.choices import live_choices, scenario_choices

        return live_choices(self.signed_in) if place == LIVE else scenario_choices(place)

    async def _look(self, terms: Terms, told: Told) -> Sight:
        import asyncio

        from runbook.tui.making import Sight
        from runbook.wiring import look_ahead

        signed_in = await asyncio.to_thread(self.signed_in) if terms.mode == "live" else None
        lookout = await asyncio.to_thread(look_ahead, _wish(terms), signed_in and _lent(signed_in))
        return Sight(lookout.view, await lookout.survey(told))

    def _where(self, terms: Terms) -> Mapping[str, Any]:
        from runbook.wiring.create import prepare_live

        pinned: Mapping[str, Any] = prepare_live(_wish(terms), self.signed_in())[1]["pinned"]
        return pinned

    def _check_words(self, pinned: Mapping[str, Any], said: Sequence[str]) -> None:
        from runbook.wiring.confirm import confirmation

        confirmation(pinned, str(pinned.get("account", "")), said)

    def _create(self, terms: Terms, said: Sequence[str]) -> str:
        from runbook.wiring import create_run

        if terms.mode != "live":
            return create_run(self._home, _wish(terms))
        agree = lambda pinned: self._check_words(pinned, said)  # noqa: E731
        return create_run(self._home, _wish(terms), signed_in=self.signed_in(), agree=agree)

    def _open(self, run: str, terms: Terms, said: Sequence[str]) -> Attachment:
        from runbook.wiring import attach

        if terms.mode != "live":
            return attach(self._home, run, **Front(speed=_speed(terms.speed)).opening)
        from runbook.wiring.live_drive import Consent

        signed_in = self.signed_in()
        with self._lock:
            self._signed_in = None  # from now on it is the run's, which ends it
        return attach(self._home, run, consent=Consent(signed_in, said=tuple(said)), **Front().opening)


def _sign_in() -> SignedIn:
    from runbook.wiring.live import sign_in

    return sign_in()


def _lent(signed_in: SignedIn) -> SignedIn:
    """The same sign-in for somebody who closes it when done: others go on using it."""
    from dataclasses import replace

    from runbook.arm.auth import Lent

    return replace(signed_in, credential=Lent(signed_in.credential))


def _wish(terms: Terms) -> Wish:
    from runbook.wiring import Wish

    return Wish(terms.book, terms.mode, terms.scenario, terms.edition, dict(terms.inputs))


def _speed(text: str) -> Any:
    """What the options of the command line make of it; None for the usual."""
    text = text.strip().lower()
    return JUMP if text == "max" else float(text) if text else None
