"""How a write of the Azure CLI may differ from the engine's for the same change. Nothing else may.

Each difference is one that the Azure CLI makes of itself and that the cloud takes for the same; each says why. Letter
case in paths and the api-version, which every client chooses for itself, never count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.conformance.lines import Write

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One that is allowed.

    Attributes:
        path: what the path of the write has to contain, in small letters.
        why: why it is none to the cloud.
        undo: the Azure CLI's body without it, or the body itself where it is not there.
    """

    path: str
    why: str
    undo: Callable[[Json], Json]


def _without(body: Json, *where: str, value: Any) -> Json:
    *path, last = where
    if not path:
        return {k: v for k, v in body.items() if k != last} if body.get(last) == value else body
    inner = body.get(path[0])
    return {**body, path[0]: _without(inner, *path[1:], last, value=value)} if isinstance(inner, dict) else body


DIFFERENCES: Final = (
    Difference(
        "/providers/microsoft.network/privateendpoints/",
        "az spells out the default: an endpoint has an IPv4 address.",
        lambda body: _without(body, "properties", "ipVersionType", value="IPv4"),
    ),
)


def apart(ours: Write, theirs: Write) -> tuple[list[str], set[int]]:
    """What differs beyond what is allowed, in words, and the numbers of the allowed differences that were met."""
    body, met = theirs.body, set()
    for number, difference in enumerate(DIFFERENCES):
        if isinstance(body, dict) and difference.path in theirs.path.lower():
            plain = difference.undo(body)
            if plain != body:
                body = plain
                met.add(number)
    pairs = {
        "method": (ours.method, theirs.method),
        "path": (ours.path.lower(), theirs.path.lower()),
        "body": (ours.body, body),
        "headers": (_small(ours), _small(theirs)),
    }
    return [f"{name}: {one!r} here, {other!r} by az" for name, (one, other) in pairs.items() if one != other], met


def _small(write: Write) -> dict[str, str]:
    return {name.lower(): value for name, value in write.headers.items()}
