"""Whom this machine trusts: the system's certificates, or those that ``REQUESTS_CA_BUNDLE`` names."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from runbook.core.error import UsageError


def trusted(bundle: str | os.PathLike[str] | None = None) -> ssl.SSLContext:
    """A TLS context for calling out.

    Args:
        bundle: a PEM file or a folder of CA certificates to trust instead of the system's; None asks the environment.

    Raises:
        UsageError: the bundle cannot be read.
    """
    named = bundle or os.environ.get("REQUESTS_CA_BUNDLE")
    if not named:
        return ssl.create_default_context()
    path = Path(named)
    try:
        return ssl.create_default_context(capath=path) if path.is_dir() else ssl.create_default_context(cafile=path)
    except OSError as error:
        raise UsageError(
            f"The CA bundle {path} cannot be read: {error.strerror or error}.",
            "REQUESTS_CA_BUNDLE must name a PEM file or a folder of certificates.",
        ) from error
