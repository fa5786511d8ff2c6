"""What the screens of a new run are given to work with: nothing here knows how a cloud is reached or a run is made.

The values cross from the composition root as they are; ``Choices`` is the one way a picker reads.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from runbook.book import Book
    from runbook.core.view import RunView
    from runbook.engine.host import Attachment
    from runbook.engine.survey import Finding, Told


class Choice(Protocol):
    """One answer that a list offers."""

    @property
    def value(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def detail(self) -> str: ...


class Offer(Protocol):
    """Every answer that was found, and what is not among them."""

    @property
    def choices(self) -> Sequence[Choice]: ...
    @property
    def remarks(self) -> Sequence[str]: ...


class Choices(Protocol):
    """Reads what an input could be answered with, from one place. Run in a worker thread; may be called off."""

    def offer(self, of: str, within: Sequence[str]) -> Coroutine[Any, Any, Offer]:
        """What there is of a kind (``subscription``, ``location``, a resource type) in some subscriptions.

        Raises:
            RunbookError: why nothing can be offered.
        """
        ...


class Estate(Protocol):
    """What a scenario says of itself."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def edition(self) -> str: ...
    @property
    def inputs(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run is to be made of, and how it is opened.

    Attributes:
        book: a name or a file.
        mode: ``rehearsal`` or ``live``.
        scenario: a name or a file; empty when live.
        edition: empty for the scenario's, or ``auto``.
        speed: simulated seconds per second, or ``max``; empty for the usual.
        inputs: every input of the book.
    """

    book: str
    mode: str
    scenario: str
    edition: str
    speed: str
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look found: the run as it would begin, and what it would do."""

    view: RunView
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Making:
    """Everything that makes a run. All are called in worker threads; what they raise is a ``RunbookError``.

    Attributes:
        list_books: name and title of the shipped ones.
        load_book: by name or file.
        list_scenarios: names of the shipped scenarios that answer a book's questions, its own first.
        read_scenario: by name or file.
        choices: from a scenario's place, or from ``how.LIVE``; cheap.
        look: what a run would do, by reading alone; hears how far it has come.
        where: what a live run would be pinned to, and the account.
        check_words: whether names that were typed confirm it; the same rule as everywhere.
        create: makes the run and gives its id; for a live one with the words.
        open_run: opens it to be driven.
    """

    list_books: Callable[[], Sequence[tuple[str, str]]]
    load_book: Callable[[str], Book]
    list_scenarios: Callable[[Book], Sequence[str]]
    read_scenario: Callable[[str], Estate]
    choices: Callable[[str], Choices]
    look: Callable[[Terms, Told], Coroutine[Any, Any, Sight]]
    where: Callable[[Terms], Mapping[str, Any]]
    check_words: Callable[[Mapping[str, Any], Sequence[str]], None]
    create: Callable[[Terms, Sequence[str]], str]
    open_run: Callable[[str, Terms, Sequence[str]], Attachment]
