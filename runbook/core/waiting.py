"""What a wait is made of, as a step says it: how often to look, what was sent, when to become impatient.

Pure values. ``runbook.step`` hands them to step authors; ``core/docs.py`` has the records they become.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.core.docs import PollDoc, SentDoc, UsualDoc, WordDoc


@dataclass(frozen=True, slots=True)
class Poll:
    """How often to look while waiting: from ``first_s``, growing by ``factor``, up to ``longest_s`` seconds."""

    first_s: float = 60.0
    factor: float = 1.5
    longest_s: float = 4 * 3600.0
    jitter: float = 0.1
    """By how much of itself a delay may be longer."""

    def delay_s(self, polls: int, part: float = 0.0) -> float:
        """Seconds until the next look, after ``polls`` looks. ``part``, from 0 to 1, says how much of the jitter."""
        plain = min(self.longest_s, self.first_s * self.factor ** min(polls, 64))
        return float(plain * (1 + self.jitter * part))

    def doc(self) -> PollDoc:
        return {
            "first_s": self.first_s,
            "factor": self.factor,
            "longest_s": self.longest_s,
            "jitter": self.jitter,
        }


@dataclass(frozen=True, slots=True)
class Sent:
    """What was handed to whom we wait for; see ``SentDoc``."""

    what: str
    at_ms: int
    by: str
    how: str
    about: Sequence[str] = ()
    reference: str = ""

    def doc(self) -> SentDoc:
        return {
            "what": self.what,
            "about": list(self.about),
            "at_ms": self.at_ms,
            "by": self.by,
            "how": self.how,
            "reference": self.reference,
        }


@dataclass(frozen=True, slots=True)
class Usual:
    """How long such a wait takes elsewhere, and who says so. ``seconds`` only where the source gives them."""

    text: str
    source: str
    seconds: tuple[float, float] | None = None

    def doc(self) -> UsualDoc:
        low, high = self.seconds or (None, None)
        return {"text": self.text, "source": self.source, "from_s": low, "to_s": high}


@dataclass(frozen=True, slots=True)
class Patience:
    """When to become impatient, in seconds from when it was sent, else from when the wait began.

    Args:
        remind_s: when to remind them, in order.
        escalate_s: when to turn to somebody else; None for never.
        how: to whom and how.
        expires_s: when the request counts as lapsed; None for never.
    """

    remind_s: Sequence[float] = ()
    escalate_s: float | None = None
    how: str = ""
    expires_s: float | None = None
    usual: Usual | None = None


def words_doc(words: Sequence[tuple[str, str]]) -> list[WordDoc]:
    """Words that a node takes, as entries carry them."""
    return [{"says": says, "title": title} for says, title in words]
