"""What an operator may ask of a run. Commands are the only way in; the engine answers with entries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Approve:
    """Go, for the changes with these digests, as they were shown. Empty: all changes shown at this moment.

    Args:
        by: who says so, for the journal and the report.
    """

    node: str
    digests: tuple[str, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """Look again now. On a node in doubt: send the call again, knowing that it may have taken effect."""

    node: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave a node out."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class Attest:
    """The operator's word for what cannot be read.

    Args:
        evidence: name of a file that backs it, or empty; only its name and ``sha256`` are kept.
        reference: what the other side calls it, such as a ticket's number; or empty.
        dated_ms: when what it tells of happened; None for now.
        says: which of the node's further ``words`` it is; empty for the one that settles the wait.
    """

    node: str
    text: str
    by: str
    evidence: str = ""
    sha256: str = ""
    reference: str = ""
    dated_ms: int | None = None
    says: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Another team does what is to be done here; the node waits for it and is looked at until it is as it should be.

    ``Retry`` takes it back: what is then still to be done is asked about again.

    Args:
        to: who does it, as a person would say it: "the DNS team".
        note: what they were told beside it, or where: a ticket's number. May be empty.
    """

    node: str
    to: str
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on the run, for whoever reads it next."""

    text: str
    by: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Start nothing new; let calls in flight finish."""


@dataclass(frozen=True, slots=True)
class Start:
    """Go on after a pause."""


@dataclass(frozen=True, slots=True)
class Abort:
    """End the run for good. What was changed stays changed."""

    reason: str


Command = Approve | Retry | Skip | Attest | HandOver | Note | Pause | Start | Abort
