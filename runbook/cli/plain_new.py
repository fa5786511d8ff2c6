"""A new run by questions: which mode and estate, and what its book has to know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.cli import output
from runbook.cli.answers import Answers, Left
from runbook.cli.plain_inputs import ask_inputs
from runbook.core.error import UsageError

if TYPE_CHECKING:
    from runbook.wiring import Wish
    from runbook.wiring.live import SignedIn


def ask_mode(answers: Answers) -> str:
    """``rehearsal`` or ``live``.

    Raises:
        UsageError: neither was said.
    """
    try:
        said = answers.ask("rehearsal or live? A rehearsal touches nothing real (empty: rehearsal)").lower()
    except Left:
        said = "?"
    found = next((mode for mode in ("rehearsal", "live") if mode.startswith(said)), "")
    if not found:
        raise UsageError("A run is a rehearsal or live.", "Say which: --mode rehearsal or --mode live.")
    return found


def completed(wish: Wish, answers: Answers, signed_in: SignedIn | None = None) -> Wish:
    """The wish with everything that its book still has to know, asked for.

    Args:
        wish: what is known; a rehearsal's scenario answers for itself.
        answers: where answers come from.
        signed_in: for a live run, who makes it.

    Raises:
        UsageError: the input ended, or nothing that was typed would do.
        BookError: a fault in the book or the scenario.
    """
    from runbook.book import load_book
    from runbook.wiring.create import DEFAULT_SCENARIO, find_scenario

    book = load_book(wish.book)
    given: dict[str, Any] = {}
    if signed_in is None and (name := wish.scenario or DEFAULT_SCENARIO.get(book.id, "")):
        given |= find_scenario(name).inputs
    given |= {**(wish.file or {}), **wish.sets}
    if signed_in is not None and signed_in.current:
        first = next((name for name, spec in book.inputs.items() if spec.type == "subscription"), "")
        if first and given.get(first) is None:
            given[first] = signed_in.current
            known = signed_in.names.get(signed_in.current, "")
            output.data(f"{first}: {known or signed_in.current}, where you are signed in.")
    names = signed_in.names if signed_in is not None else {}
    asked = ask_inputs(book, given, answers, {"subscription": list(names.items())})
    return replace(wish, sets={**wish.sets, **asked})


def made_by_questions(home: Path, book: str, mode: str, answers: Answers) -> str:
    """Make a run of a book by questions alone; gives its id.

    Raises:
        RunbookError: it could not be made.
    """
    from runbook.wiring import Wish, create_run

    if mode == "live":
        from runbook.cli.signing import asker, signed_in_by

        signed_in = signed_in_by(None)
        wish = completed(Wish(book, mode), answers, signed_in)
        return create_run(home, wish, signed_in=signed_in, agree=asker([], signed_in.account, may_ask=True))
    from runbook.sim.scenario_files import list_scenarios

    scenario = answers.ask(f"Which estate? {', '.join(list_scenarios())} (empty: the book's own)")
    return create_run(home, completed(Wish(book, mode, scenario), answers))
