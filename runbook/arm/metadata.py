"""What a cloud on this machine says of itself: the one question that is asked without a token.

Only addresses on loopback are asked, and never through a proxy.

Source: Azure CLI, ``az cloud register --endpoint-resource-manager``, which reads the same document
(``/metadata/endpoints``, api-version 2022-09-01).
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.error import URLError
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from runbook.core.error import ContextError

PATH: Final = "/metadata/endpoints?api-version=2022-09-01"
_LONGEST_BYTES: Final = 1024 * 1024
_TIMEOUT_S: Final = 10.0


def read_metadata(origin: str) -> dict[str, Any]:
    """The metadata of a cloud on this machine.

    Args:
        origin: ``https://127.0.0.1:port``.

    Raises:
        ContextError: it cannot be read.
        UsageError: the CA bundle that ``REQUESTS_CA_BUNDLE`` names cannot be.
    """
    from runbook.arm.tls import trusted

    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trusted()))
    try:
        with opener.open(f"{origin}{PATH}", timeout=_TIMEOUT_S) as answer:
            doc = json.loads(answer.read(_LONGEST_BYTES))
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise ContextError(
            f"The cloud at {origin} does not answer: {reason}.",
            "Is the simulator running? Its certificate is trusted by REQUESTS_CA_BUNDLE, as `runbook simulate` says.",
        ) from None
    if not isinstance(doc, dict):
        raise ContextError(
            f"The cloud at {origin} has no metadata that can be read.", "Use a simulator of this release."
        )
    return doc
