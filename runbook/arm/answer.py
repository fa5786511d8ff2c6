"""From the bytes and headers of an answer to values that can be stored.

Invariant: what leaves here as JSON can be written again as strict UTF-8 JSON: no NaN, no infinities, no lone
surrogates. Anything else is unreadable, which is different from empty.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""No answer may be longer. ARM itself caps what resource providers answer at 8 MB."""

_LONGEST_RETRY_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, read to its end. ``headers`` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def correlation_id(self) -> str:
        """What the activity log can be searched by; empty when the answer names nothing usable."""
        for name in ("x-ms-correlation-request-id", "x-ms-request-id"):
            value = self.headers.get(name, "").strip()
            if value and len(value) <= 128 and value.isascii() and value.isprintable():
                return value
        return ""


def parse(content: bytes) -> Any:
    """The JSON value in a body; None for an empty one.

    Raises:
        ValueError: not JSON, or JSON that could not be stored again.
    """
    if not content.strip():
        return None
    try:
        value = _DECODER.decode(content.decode("utf-8-sig"))
        if b"\\u" in content:  # an escape may hide half a surrogate pair, which no UTF-8 file can hold
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is out of range")
    return number


def _constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_constant)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """ARM's wish for when to ask again, in seconds, at most a day; None when it gave none.

    The millisecond headers go first, as in azure-core. Zero is no wish: Azure's own clients fall back to their
    default on it, so a server that sends it does not mean "at once".
    """
    for name, unit in (("retry-after-ms", 1000.0), ("x-ms-retry-after-ms", 1000.0), ("retry-after", 1.0)):
        seconds = _number(headers.get(name, "")) / unit
        if seconds > 0:
            return min(seconds, _LONGEST_RETRY_S)
    return _until(headers.get("retry-after", ""), headers.get("date", ""))


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _until(moment: str, now: str) -> float | None:
    """Seconds between two HTTP dates of one answer. The server's own clock on both sides, so no clock here."""
    then, since = _http_date(moment), _http_date(now)
    if then is None or since is None or then <= since:
        return None
    return min((then - since).total_seconds(), _LONGEST_RETRY_S)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else None
