from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.core.entry import canonical
from runbook.core.redact import HIDDEN, plain, redact, redact_text

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "adminPassword",
        "admin_password",
        "Password",
        "secret",
        "clientSecret",
        "client-secret",
        "secrets",
        "token",
        "accessToken",
        "refresh_token",
        "registrationToken",
        "Authorization",
        "x-ms-authorization",
        "privateKey",
        "sharedKey",
        "accountKey",
        "apiKey",
        "connectionString",
        "sas",
        "properties.adminPassword",
    ],
)
def test_a_secret_is_known_by_its_key(key: str) -> None:
    assert redact({"deep": [{key: "hunter2"}]}) == {"deep": [{key: HIDDEN}]}
    assert redact({key: ["hunter2", ""]}) == {key: [HIDDEN, ""]}


@pytest.mark.parametrize(
    "key",
    ["name", "keyVaultUri", "Microsoft.Authorization", "Microsoft.KeyVault", "tokenCount", "gas", "passwordPolicy", ""],
)
def test_what_only_sounds_like_a_secret_stays(key: str) -> None:
    assert redact({key: "Registered"}) == {key: "Registered"}


def test_the_shape_below_a_secret_key_stays_and_protected_settings_hide_whole() -> None:
    assert redact({"secret": {"id": "/x", "enabled": True}}) == {"secret": {"id": "/x", "enabled": True}}
    assert redact({"protectedSettings": {"script": ["x", 1]}}) == {"protectedSettings": {"script": [HIDDEN, 1]}}
    assert redact({"password": None, "usesToken": True}) == {"password": None, "usesToken": True}


def test_a_diff_of_a_secret_field_shows_neither_side() -> None:
    diff = {"path": "properties.osProfile.adminPassword", "before": "old1", "after": "new2"}
    assert redact([diff]) == [{**diff, "before": HIDDEN, "after": HIDDEN}]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"token {JWT} end", JWT),
        (f"Authorization: Bearer {JWT}", JWT),
        ("authorization: bearer abcdefgh12345678", "abcdefgh12345678"),
        ("https://m.example/op/1?api-version=1&t=123&c=MIIB&s=abc&h=def", "MIIB"),
        ("https://acc.blob.example/c?sv=1&sig=ab%2Bcd%3D&se=2", "ab%2Bcd%3D"),
        ("https://login.example/?code=0.AXoA", "0.AXoA"),
        ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0==;EndpointSuffix=x", "c2VjcmV0=="),
        ('az rest --body \'{"adminPassword": "hun\\"ter2"}\'', "ter2"),
        (json.dumps({"a": {"registrationToken": "hunter2"}}, indent=2), "hunter2"),
    ],
)
def test_a_secret_is_known_by_its_look(text: str, secret: str) -> None:
    for cleaned in (redact_text(text), redact({"x": [text]})["x"][0]):
        assert secret not in cleaned
        assert HIDDEN in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "Bearer of bad news",
        "/subscriptions/1/resourceGroups/t?api-version=2024-01-01",
        "https://example.net/?page=2&size=10",
        "eyJust a word",
    ],
)
def test_plain_words_and_addresses_stay(text: str) -> None:
    assert redact_text(text) == text


@given(json_values)
def test_redacting_twice_changes_nothing_more(value: Any) -> None:
    assert redact(redact(value)) == redact(value)


@given(st.recursive(st.text(st.characters()), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_whatever_text_comes_in_can_be_stored_afterwards(value: Any) -> None:
    assert canonical(redact(value)).encode()


def test_half_a_surrogate_pair_is_made_whole() -> None:
    assert redact({"\ud800": json.loads('"a\\ud800b"')}) == {"?": "a?b"}


@given(st.text())
def test_plain_text_can_neither_style_nor_drive_a_terminal(text: str) -> None:
    shown = plain(text)
    assert len(shown) == len(text)
    assert not [c for c in shown if unicodedata.category(c) == "Cc" and c not in "\t\n"]
    assert not [c for c in shown if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI")]


@pytest.mark.parametrize("bad", ["\x1b[31m", "\x9b31m", "\r", "\x07", "\u202e", "\u2066", "\u2069", "\u061c", "\x7f"])
def test_what_could_drive_a_terminal_is_made_visible(bad: str) -> None:
    assert bad[0] not in plain(f"name{bad}tail")
    assert "\N{REPLACEMENT CHARACTER}" in plain(bad)


def test_letters_of_every_script_stay() -> None:
    text = "Zürich\tשלום\nnaïve 東京 🚀"
    assert plain(text) == text
