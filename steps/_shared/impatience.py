"""How long a book has the operator be patient with somebody: what it writes under ``patience``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.step import Patience, Usual

DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Impatience:
    """Days from when the message went out.

    Args:
        remind_days: when to remind them.
        escalate_days: when to turn to somebody else; None for never. ``how`` says to whom.
        expires_days: when the request counts as lapsed; None for never.
        usual: what is usual, in words, and ``source``, who says so. ``usual_days`` only where that gives numbers.
    """

    remind_days: tuple[float, ...] = ()
    escalate_days: float | None = None
    how: str = ""
    expires_days: float | None = None
    usual: str = ""
    source: str = ""
    usual_days: tuple[float, float] | None = None

    def plan(self) -> Patience:
        days = self.usual_days
        span = (days[0] * DAY_S, days[1] * DAY_S) if days else None
        return Patience(
            remind_s=tuple(d * DAY_S for d in self.remind_days),
            escalate_s=None if self.escalate_days is None else self.escalate_days * DAY_S,
            how=self.how,
            expires_s=None if self.expires_days is None else self.expires_days * DAY_S,
            usual=Usual(self.usual, self.source, span) if self.usual else None,
        )
