"""Secrets never reach the journal, a log or a screen. Everything that is written passes through here."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

HIDDEN: Final = "(hidden)"

_ENDINGS: Final = "password|passwd|pwd|secret|token|privatekey|sharedkey|accountkey|accesskey|apikey|connectionstring"
# "authorization" only as a header: Microsoft.Authorization is a resource provider, and its state is no secret.
_SECRET_KEY: Final = re.compile(
    rf"(?:.*(?:{_ENDINGS})|(?:proxy|xms)?authorization|sas|protectedsetting)s?", re.IGNORECASE
)
_SECRET_TEXT: Final = (
    (re.compile(r"eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+\.?[A-Za-z0-9_-]*"), HIDDEN),
    (re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/=-]{8,}"), f"Bearer {HIDDEN}"),
    (re.compile(r"(?i)([?&](?:sig|t|c|s|h|code|access_token|token)=)[^&\s\"']+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b((?:AccountKey|SharedAccessKey|SharedAccessSignature)=)[^;\s\"']+"), rf"\1{HIDDEN}"),
    # A body inside a command line: "adminPassword": "…"
    (re.compile(rf'(?i)("[\w.-]*(?:{_ENDINGS})s?"\s*:\s*)"(?:[^"\\]|\\.)+"'), rf'\1"{HIDDEN}"'),
)

# Most text holds none of these: one quick search spares it the patterns above.
_SUSPECT: Final = re.compile(r"(?i)eyJ|bearer|[?&]\w+=|key=|signature=|\":|\"\s+:")
# Wider than all of the above together. Plain substrings, because every entry passes here and they are ten times faster
# than one pattern.
_SUSPECT_PARTS: Final = tuple(
    "pass pwd secret token key connection authoriz sas protected eyj bearer signature".split()
)
_SUSPECT_QUERY: Final = re.compile(r"[?&]\w+=")
_HALF_A_PAIR: Final = re.compile("[\ud800-\udfff]")


def may_hold_secret(text: str) -> bool:
    """Whether the JSON text of a value may hold anything that ``redact`` would replace. Errs to the side of yes."""
    low = text.lower()
    return (
        any(part in low for part in _SUSPECT_PARTS)
        or _SUSPECT_QUERY.search(low) is not None
        or (not text.isascii() and _HALF_A_PAIR.search(text) is not None)
    )


def redact(value: Any) -> Any:
    """A copy of a JSON value with secrets replaced: by the name of their key, or by what they look like.

    In a diff, the name is the last part of its ``path``. Text that UTF-8 cannot hold is made whole.
    """
    match value:
        case dict():
            is_diff = {"path", "before", "after"} <= value.keys() and _is_secret(str(value["path"]))
            return {
                _whole(k): _hide(v, k) if _is_secret(k) or (is_diff and k in ("before", "after")) else redact(v)
                for k, v in value.items()
            }
        case list() | tuple():
            return [redact(v) for v in value]
        case str():
            return redact_text(value)
        case _:
            return value


def redact_text(text: str) -> str:
    """Text with tokens, bearer headers and URL signatures replaced."""
    text = _whole(text)
    if not _SUSPECT.search(text):
        return text
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text


@lru_cache(maxsize=4096)
def _is_secret(key: str) -> bool:
    name = key if key.lower().startswith("microsoft.") else key.rpartition(".")[2]
    return _SECRET_KEY.fullmatch(re.sub(r"[-_ ]", "", name)) is not None


def _hide(value: Any, key: str) -> Any:
    """Hide every text below a secret key; an object only where its whole content is secret by definition."""
    match value:
        case str():
            return HIDDEN if value else value
        case list() | tuple():
            return [_hide(v, key) for v in value]
        case dict() if key.lower().startswith("protected"):
            return {_whole(k): _hide(v, key) for k, v in value.items()}
        case _:
            return redact(value)


def _whole(text: str) -> str:
    """Half a surrogate pair, which JSON may carry and UTF-8 cannot, becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Text from outside with control characters made visible, so that it cannot drive a terminal.

    Tabs and line feeds stay; bidirectional overrides are replaced too.
    """
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
