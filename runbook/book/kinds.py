"""The kinds of input: what each accepts, in which form it is kept, and what to say when a value is none of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any, Final

from runbook.book.errors import near, shown, sort_of
from runbook.book.model import InputSpec
from runbook.book.names import GROUP, called, why_not
from runbook.core.ids import ResourceId

HOLDERS: Final = ("list", "map")
"""Kinds that hold values of another kind, which ``items`` describes."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_YES: Final = {"true": True, "yes": True, "false": False, "no": False}

_NAMES: Final = {
    "subscription": "a subscription id",
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "location": "an Azure region",
    "cidr": "an address range",
    "ip": "an IP address",
}
_EXAMPLES: Final = {
    "subscription": "11111111-2222-3333-4444-555555555555",
    "string": "name",
    "integer": "4",
    "boolean": "true",
    "location": "westeurope",
    "cidr": "10.1.0.0/24",
    "ip": "10.1.0.4",
}


def describe(spec: InputSpec) -> str:
    """What is asked for, as it stands in a sentence: "a resource id of Microsoft.Network/virtualNetworks"."""
    match spec.type:
        case "enum":
            return f"one of {', '.join(spec.values)}"
        case "resource_id":
            return f"a resource id of {spec.of}" if spec.of else "a resource id"
        case "list":
            return f"a list, each {describe(spec.items)}" if spec.items else "a list"
        case "map":
            return f"a mapping of names, each to {describe(spec.items)}" if spec.items else "a mapping"
        case "string" if spec.of:
            return f"the name of a {called(spec.of)}"
        case kind:
            return _NAMES[kind]


def example(spec: InputSpec) -> str:
    """A value of this kind, as one would write it."""
    if spec.example is not None:
        return spec.example if isinstance(spec.example, str) else json.dumps(spec.example, ensure_ascii=False)
    match spec.type:
        case "enum":
            return spec.values[0] if spec.values else ""
        case "resource_id":
            namespace, *types = (spec.of or "Microsoft.Network/virtualNetworks").split("/")
            tail = "/".join(f"{kind}/name" for kind in types)
            return f"/subscriptions/{_EXAMPLES['subscription']}/resourceGroups/group/providers/{namespace}/{tail}"
        case "list":
            return f"[{example(spec.items)}]" if spec.items else "[]"
        case "map":
            return f"{{name: {example(spec.items)}}}" if spec.items else "{}"
        case kind:
            return _EXAMPLES[kind]


def accept(spec: InputSpec, value: Any) -> Any:
    """The value in the form a run keeps it.

    Subscription ids and regions come back in lower case, resource ids in their usual spelling with names untouched,
    numbers and truth values also from text. A single value is a list of one. The keys of a map stay as they are
    written. An empty text, list or map is accepted where it is the default.

    Raises:
        ValueError: the value is not of this kind; the text says what was expected, what was found, and an example.
    """
    if spec.is_optional and value == spec.default and value in ("", [], {}):
        return value
    if spec.type == "list":
        return _list(spec, value)
    if spec.type == "map":
        return _map(spec, value)
    try:
        return _ACCEPT[spec.type](spec, value)
    except ValueError as fault:
        reason = f" ({fault})" if str(fault) else ""
        raise ValueError(
            f"expected {describe(spec)}, found {sort_of(value)}{reason}; for example {example(spec)}"
        ) from fault


def _list(spec: InputSpec, value: Any) -> list[Any]:
    assert spec.items is not None
    if isinstance(value, dict) or value is None:
        raise ValueError(f"expected {describe(spec)}, found {sort_of(value)}; for example {example(spec)}")
    found: list[Any] = []
    for at, member in enumerate(value if isinstance(value, list) else [value], 1):
        try:
            accepted = accept(spec.items, member)
        except ValueError as fault:
            raise ValueError(f"member {at}: {fault}" if isinstance(value, list) else str(fault)) from fault
        same = accepted.lower() if isinstance(accepted, str) else accepted
        if same in [m.lower() if isinstance(m, str) else m for m in found]:
            raise ValueError(f"member {at}: {shown(member)} is listed twice")
        found.append(accepted)
    return found


def _map(spec: InputSpec, value: Any) -> dict[str, Any]:
    assert spec.items is not None
    if not isinstance(value, dict):
        raise ValueError(f"expected {describe(spec)}, found {sort_of(value)}; for example {example(spec)}")
    found: dict[str, Any] = {}
    seen: set[str] = set()
    for key, member in value.items():
        try:
            name = _text(key)
        except ValueError as fault:
            raise ValueError(f"{sort_of(key)} cannot be a name in it ({str(fault) or 'it is empty'})") from fault
        if name.lower() in seen:  # ARM ignores letter case in names and ids
            raise ValueError(f"`{shown(name)}` is named twice")
        seen.add(name.lower())
        try:
            found[name] = accept(spec.items, member)
        except ValueError as fault:
            raise ValueError(f"`{shown(name)}`: {fault}") from fault
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("" if isinstance(value, list | dict | None) else "write it in quotes")
    if not value.strip():
        raise ValueError("")
    if not value.isprintable():
        raise ValueError("it holds a control character")
    return value.strip()


def _string(spec: InputSpec, value: Any) -> str:
    text = _text(value)
    if spec.of and (reason := why_not(spec.of, text)):
        raise ValueError(reason)
    return text


def _subscription(spec: InputSpec, value: Any) -> str:
    text = _text(value).lower()
    if not _GUID.fullmatch(text):
        raise ValueError("")
    return text


def _integer(spec: InputSpec, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]{1,15}", value.strip(), re.ASCII):
        return int(value)
    raise ValueError("")


def _boolean(spec: InputSpec, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _YES:
        return _YES[value.strip().lower()]
    raise ValueError("")


def _enum(spec: InputSpec, value: Any) -> str:
    text = _text(value)
    for known in spec.values:
        if text.lower() == known.lower():
            return known
    raise ValueError(near(text, spec.values).removeprefix("; "))


def _location(spec: InputSpec, value: Any) -> str:
    text = _text(value).replace(" ", "").lower()
    if not re.fullmatch(r"[a-z][a-z0-9]{1,39}", text, re.ASCII):
        raise ValueError("")
    return text


def _cidr(spec: InputSpec, value: Any) -> str:
    text = _text(value)
    if "/" not in text:
        raise ValueError("the length of the prefix is missing")
    return str(ip_network(text))


def _ip(spec: InputSpec, value: Any) -> str:
    try:
        return str(ip_address(_text(value)))
    except ValueError as fault:
        raise ValueError("") from fault


def _resource_id(spec: InputSpec, value: Any) -> str:
    text = _text(value)
    try:
        found = ResourceId.parse(text)
    except ValueError as fault:
        raise ValueError("") from fault
    if spec.of and found.type.lower() != spec.of.lower():
        raise ValueError(f"its type is {shown(found.type)}")
    if reason := why_not(GROUP, found.group):
        raise ValueError(f"resource group {shown(found.group)}: {reason}")
    for name in found.names:
        if reason := why_not("", name):
            raise ValueError(f"{shown(name)}: {reason}")
    return str(found)


_ACCEPT: Final[dict[str, Callable[[InputSpec, Any], Any]]] = {
    "subscription": _subscription,
    "string": _string,
    "integer": _integer,
    "boolean": _boolean,
    "enum": _enum,
    "location": _location,
    "cidr": _cidr,
    "ip": _ip,
    "resource_id": _resource_id,
}
