from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.arm.answer import Reply, parse, retry_after_s

NOON = "Fri, 20 Nov 2026 12:00:00 GMT"
HALF_PAST = "Fri, 20 Nov 2026 12:30:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "60"}, 60.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1e30"}, 86_400.0),
        ({"x-ms-retry-after-ms": "20", "retry-after": "9"}, 0.02),
        ({"retry-after-ms": "30", "x-ms-retry-after-ms": "20"}, 0.03),
        ({"x-ms-retry-after-ms": "0", "retry-after": "9"}, 9.0),
        ({"retry-after": HALF_PAST, "date": NOON}, 1_800.0),
        ({"retry-after": NOON, "date": HALF_PAST}, None),
        ({"retry-after": HALF_PAST}, None),
        ({"retry-after": "Fri, 20 Nov 2026 12:30:00 -0000", "date": NOON}, None),
    ],
)
def test_the_wish_for_when_to_ask_again(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


def test_an_empty_body_is_no_value_and_not_an_error() -> None:
    assert parse(b"") is None
    assert parse(b" \r\n") is None


def test_a_byte_order_mark_and_surrogate_pairs_are_fine() -> None:
    assert parse(b'\xef\xbb\xbf{"a": "\\ud83d\\ude00"}') == {"a": "😀"}


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\\ud83d"}',
        b"[" * 100_000,
        b"1" * 5_000,
        b'{"a": 1',
    ],
)
def test_what_could_not_be_stored_again_is_unreadable(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its subclasses differ, and that is all that is promised
        parse(content)


@given(st.binary())
def test_any_bytes_are_strict_json_or_a_value_error(content: bytes) -> None:
    try:
        value: Any = parse(content)
    except ValueError:
        return
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("headers", "id_"),
    [
        ({"x-ms-correlation-request-id": "c", "x-ms-request-id": "r"}, "c"),
        ({"x-ms-request-id": " r "}, "r"),
        ({"x-ms-correlation-request-id": "\x1b[31m", "x-ms-request-id": "r"}, "r"),
        ({"x-ms-request-id": "x" * 200}, ""),
        ({}, ""),
    ],
)
def test_the_correlation_id_is_the_first_usable_one(headers: dict[str, str], id_: str) -> None:
    assert Reply(200, headers, b"").correlation_id == id_
