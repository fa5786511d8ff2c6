"""Reading and comparing what ARM says. ARM ignores letter case in ids and names; so do these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from runbook.core.arm import Json, Reader
from runbook.core.docs import AttestDoc
from runbook.core.error import Refused
from runbook.core.ids import ResourceId

BUSY = frozenset({"updating", "creating", "provisioning", "accepted", "running", "inprogress", "deleting"})
"""Provisioning states, lower case, in which Azure still works on a resource."""


async def find(arm: Reader, path: str, api_version: str, **query: str) -> Json | None:
    """The object, or None when ARM answers 404 in whichever wording the provider chose.

    ``FeatureNotFound`` means the same, and with which status it comes is not documented.

    Raises:
        ArmError: anything else than "not there".
    """
    try:
        return await arm.get(path, api_version, **query)
    except Refused as refused:
        if refused.status == 404 or refused.arm_code.lower() == "featurenotfound":
            return None
        raise


async def find_member(arm: Reader, resource: str, api_version: str) -> Json | None:
    """A top-level resource, or None: as ``find``, but many nodes that look at once share one list of its kind.

    Only for kinds whose list in a subscription shows members in full.

    Raises:
        ArmError: anything else than "not there".
    """
    parsed = ResourceId.parse(resource)
    of = f"/subscriptions/{parsed.subscription}/providers/{parsed.type}"
    try:
        return await arm.member(resource, api_version, of)
    except Refused as refused:
        if refused.status == 404:
            return None
        raise


T = TypeVar("T")


async def readable(arm: Reader, path: str, api_version: str) -> list[Json] | None:
    """A collection; None where this account may not read it. A provider that was never registered holds nothing."""
    try:
        return await arm.list(path, api_version)
    except Refused as refused:
        if refused.arm_code in ("MissingSubscriptionRegistration", "NoRegisteredProviderFound"):
            return []
        if refused.status == 403:
            return None
        raise


def properties(doc: Json | None) -> Json:
    """``properties`` of a resource, never None."""
    found = (doc or {}).get("properties")
    return found if isinstance(found, dict) else {}


def dig(doc: Any, *path: str) -> Any:
    """A value deep inside nested objects, or None where the way ends."""
    for key in path:
        if not isinstance(doc, dict):
            return None
        doc = doc.get(key)
    return doc


def state_of(doc: Json | None) -> str:
    """``provisioningState``; a resource that names none has succeeded.

    Source: Azure Resource Manager RPC, async-api-reference.
    """
    return str(properties(doc).get("provisioningState") or "Succeeded")


def has_failed(doc: Json | None) -> bool:
    """Whether the last write of it ended badly; the same write again is what repairs it."""
    return state_of(doc).lower() in ("failed", "canceled")


def is_busy(doc: Json | None) -> bool:
    """Whether Azure still works on it."""
    return state_of(doc).lower() in BUSY


def same(a: str | None, b: str | None) -> bool:
    """Whether two ids or names mean the same."""
    return (a or "").strip("/").lower() == (b or "").strip("/").lower()


def region(text: str | None) -> str:
    """``West Europe`` and ``westeurope`` are one region."""
    return re.sub(r"[\s_-]", "", text or "").lower()


def same_region(a: str | None, b: str | None) -> bool:
    return region(a) == region(b)


def whereabouts(resource: str, subscriptions: Mapping[str, str]) -> str:
    """A resource as a sentence names it, with its group and its subscription (names by id in lower case)."""
    parts = resource.strip("/").split("/")
    known = dict(zip((p.lower() for p in parts[::2]), parts[1::2], strict=False))
    home, group = known.get("subscriptions", ""), known.get("resourcegroups", "")
    where = [f"resource group {group}"] if group else []
    where += [f"subscription {subscriptions.get(home.lower()) or home}"] if home else []
    return f"{name_of(resource)} ({', '.join(where)})" if where else resource


def name_of(resource: str) -> str:
    """The last part of a resource id."""
    return resource.rstrip("/").rpartition("/")[2]


def is_under(path: str, parent: str) -> bool:
    """Whether a path is that of ``parent`` or of something inside it."""
    inner, outer = path.strip("/").lower(), parent.strip("/").lower()
    return inner == outer or inner.startswith(outer + "/")


def group_of(resource: str) -> str:
    """``/subscriptions/S/resourceGroups/G`` of a resource id; the path itself where it is not inside a group."""
    match = re.match(r"(/subscriptions/[^/]+/resourceGroups/[^/]+)", resource, re.IGNORECASE)
    return match[1] if match else resource


def moment(at_ms: int) -> str:
    """A time as people of several time zones read it: ``2021-04-01 08:30 UTC``."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def happened_ms(word: AttestDoc) -> int:
    """When that of which the operator's word tells happened: the date it names, else when it was said."""
    return word.get("dated_ms", word["at_ms"])


def said(word: AttestDoc) -> str:
    """The operator's word, as a check shows it."""
    reference = f", reference {word['reference']}" if word.get("reference") else ""
    dated = f", dated {moment(word['dated_ms'])}" if "dated_ms" in word else ""
    evidence = f", evidence {word['evidence']}" if word["evidence"] else ""
    return f"“{word['text']}” by {word['by']}, {moment(word['at_ms'])}{dated}{reference}{evidence}"
