"""Keeps libraries from talking on stderr by themselves, where a screen may stand; what they raise is told by us.

Python prints a warning that no handler takes; sign-in libraries warn of every token that they cannot get.
"""

from __future__ import annotations

import logging
from typing import Final

_TALKATIVE: Final = ("azure", "cli", "knack", "msal", "urllib3")


def hush() -> None:
    """Give each of their loggers a handler that does nothing. Whoever wants to hear them adds another."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
