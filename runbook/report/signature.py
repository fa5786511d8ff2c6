"""Signing a report, and checking a signature: Ed25519 over the canonical JSON of the report without its signature.

Invariant: a private key is read, used and dropped; no part of it, nor the file's content, is in any message or file.

Source: RFC 8032 (Ed25519); RFC 8410 (its keys in PEM); ``cryptography``, hazmat ``ed25519`` and ``serialization``.
"""

from __future__ import annotations

import base64
import os
import stat
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runbook.core.entry import canonical
from runbook.core.error import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Json = dict[str, Any]

VARIABLE: Final = "RUNBOOK_SIGNING_KEY"
ALGORITHM: Final = "Ed25519"
_LARGEST: Final = 16_384
_MAKE: Final = "Make one: openssl genpkey -algorithm ed25519 -out key.pem (then chmod 600 key.pem)."


def sign(doc: Json, key_file: Path) -> Json:
    """The report with its signature.

    Raises:
        UsageError: the key file is missing, readable by others, or holds no Ed25519 key.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = _private(key_file)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    value = key.sign(_signed(doc))
    signature = {
        "algorithm": ALGORITHM,
        "public_key": base64.b64encode(public).decode(),
        "fingerprint": fingerprint(public),
        "value": base64.b64encode(value).decode(),
    }
    return {**doc, "signature": signature}


def fingerprint(public: bytes) -> str:
    """What people compare: as OpenSSH writes one, of the raw key."""
    return "SHA256:" + base64.b64encode(sha256(public).digest()).decode().rstrip("=")


def check_signature(doc: Json, public: bytes | None) -> tuple[str, list[str]]:
    """In words how a report is signed, and what is wrong with that.

    Args:
        doc: the report.
        public: the key that it must be signed by; None takes the one that the report names.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    given = doc.get("signature")
    if given is None:
        return "It is not signed.", ["the report is not signed, and a public key was given"] if public else []
    try:
        named = base64.b64decode(given["public_key"], validate=True)
        value = base64.b64decode(given["value"], validate=True)
        if given["algorithm"] != ALGORITHM or given["fingerprint"] != fingerprint(named):
            raise ValueError("another algorithm or fingerprint")
        key = Ed25519PublicKey.from_public_bytes(public or named)
    except (KeyError, TypeError, ValueError):
        return "Its signature cannot be read.", ["the signature cannot be read"]
    if public is not None and public != named:
        return (
            f"It says that it is signed by {fingerprint(named)}.",
            [f"it is signed by {fingerprint(named)}, not by the key given, {fingerprint(public)}"],
        )
    try:
        key.verify(value, _signed(doc))
    except InvalidSignature:
        return f"It is not what {fingerprint(named)} signed.", ["the signature does not fit: the report was altered"]
    if public is None:
        return (f"It is signed by {fingerprint(named)}; whether that is the right key, --public-key tells.", [])
    return f"It is signed by the key given, {fingerprint(named)}.", []


def public_key(path: Path) -> bytes:
    """A public key from a PEM file, or from one that holds the base64 of a report.

    Raises:
        UsageError: the file holds none.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    data = _read(path, private=False)
    try:
        if b"-----BEGIN" not in data:
            raw = base64.b64decode(data.strip(), validate=True)
            return Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.Raw, PublicFormat.Raw)
        key = load_pem_public_key(data)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(
            f"{path} holds no Ed25519 public key.", "Write it: openssl pkey -in key.pem -pubout -out public.pem"
        ) from None
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _signed(doc: Json) -> bytes:
    return canonical({name: value for name, value in doc.items() if name != "signature"}).encode()


def _private(path: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(path, private=True)
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # what it says may quote the file: not a word of it is told
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"The signing key {path} is no Ed25519 key in PEM without a password.", _MAKE) from None
    return key


def _read(path: Path, *, private: bool) -> bytes:
    """A key file; a private one only if nobody but its owner may read it."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if private and os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o077:
                raise UsageError(
                    f"The signing key {path} may be read by others.", f"Make it yours alone: chmod 600 {path}"
                )
            return file.read(_LARGEST)
    except OSError as error:
        what = "signing key" if private else "public key"
        raise UsageError(f"The {what} {path} cannot be read: {error.strerror}.", _MAKE if private else "") from error
