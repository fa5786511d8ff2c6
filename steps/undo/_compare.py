"""Whether a resource is still as it was sent, and the body that puts values back. Pure functions.

ARM adds what was not sent, ignores letter case in ids and regions, and shows read-only properties; so what was sent is
looked for in what is there, and nothing else is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runbook.core.arm import Json
from steps._shared.look import region

READ_ONLY: Final = frozenset(
    {
        "ipConfigurations",
        "ipConfigurationProfiles",
        "privateEndpoints",
        "privateEndpointConnections",
        "privateLinkScopeId",
        "resourceNavigationLinks",
        "serviceAssociationLinks",
        "provisioningState",
        "purpose",
        "virtualNetworkLinkState",
    }
)
"""What answers hold and a PUT does not take, of the kinds that a run changes by a PUT.

Source: Azure REST API specifications (``readOnly``): Network 2024-01-01 subnets; PrivateDns 2020-06-01 virtual network
links; HybridCompute 2022-12-27 private link scopes.
"""


@dataclass(frozen=True, slots=True)
class Field:
    """One place in a resource, what stood there before the run and what it made of it."""

    path: str
    before: Any
    after: Any


def value_at(doc: Any, path: str) -> Any:
    """The value at a dotted place, or None."""
    for name in path.split(".") if path else ():
        doc = doc.get(name) if isinstance(doc, dict) else None
    return doc


def fits(wanted: Any, found: Any) -> bool:
    """Whether what was sent is in what is there. Absent, null and empty text are one."""
    return not any(_unlike("", wanted, found))


def differing(sent: Json, found: Json) -> Iterator[tuple[str, str, str]]:
    """``(place, sent, found)`` of everything that was sent and is otherwise now."""
    for name, value in sent.items():
        if name == "location" and region(str(value)) == region(str(found.get(name) or "")):
            continue
        yield from _unlike(name, value, found.get(name))


def _unlike(place: str, sent: Any, found: Any) -> Iterator[tuple[str, str, str]]:
    match sent:
        case dict():
            inner = found if isinstance(found, dict) else {}
            for name, value in sent.items():
                yield from _unlike(f"{place}.{name}" if place else name, value, inner.get(name))
        case list():
            there = found if isinstance(found, list) else []
            if len(sent) != len(there) or not _paired(sent, there):
                yield place, f"{len(sent)} values", f"{len(there)} values, or others"
        case _:
            a, b = _text(sent), _text(found)
            if a != b:
                yield place, str(sent), "(absent)" if found is None else str(found)


def _paired(sent: Sequence[Any], found: Sequence[Any]) -> bool:
    """Whether each member of one list is in the other, in whatever order."""
    left = list(found)
    for member in sent:
        match = next((other for other in left if fits(member, other)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip("/").lower()


def put_back(doc: Json, fields: Sequence[Field], sent: Json, *, is_whole: bool) -> Json:
    """The body that gives fields the values of before.

    Args:
        doc: the resource as it stands.
        fields: what to put back.
        sent: what the run sent.
        is_whole: a PUT, which takes everything that is to stay; else a PATCH of these fields.
    """
    body: Json = {}
    if is_whole:
        body = {name: doc[name] for name in ("name", "location", "tags") if name in sent and doc.get(name)}
        if doc.get("tags"):
            body["tags"] = doc["tags"]
        body["properties"] = {k: v for k, v in (doc.get("properties") or {}).items() if k not in READ_ONLY}
    for f in fields:
        *way, last = f.path.split(".")
        at = body
        for name in way:
            at[name] = dict(at.get(name) or {})
            at = at[name]
        # A machine leaves its scope by an empty text; that null does it, too, is not documented (unconfirmed).
        at[last] = "" if f.before is None and last == "privateLinkScopeResourceId" else f.before
    return body
