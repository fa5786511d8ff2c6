"""Changes as Bicep files: a pure function of ARM requests, without knowing any resource type.

A PUT of a resource is a Bicep declaration: its path tells type, names, parents and scope, its api-version the version,
its body the rest. What is no such PUT (a PATCH, an action, a PUT that depends on a version) has no Bicep form and is
named. ``If-None-Match: *`` ("only if nothing of that name is there") cannot be said either; a comment says it instead.

No compiler was asked: a property that a type's Bicep description lacks is a warning there, and goes out all the same.

Source: "Bicep file structure", "Resource declaration", "Child resources", "Extension resources", "Existing resources",
"Data types" and "Set scope" of the Bicep documentation, Microsoft Learn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runbook.core.docs import ChangeDoc

_READ_ONLY: Final = frozenset({"id", "name", "type", "etag", "systemdata"})
"""Of a body: what stands in the declaration itself, or is not written."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final = frozenset(
    "targetScope param var resource module output for in if existing import metadata type func using extension "
    "true false null scope parent name".split()
)


@dataclass(frozen=True, slots=True)
class Place:
    """A resource by its path.

    Attributes:
        subscription: its id; empty where the path is none of a subscription.
        group: the resource group that a deployment goes to; empty for one to the subscription.
        types: namespace, then each type on the way: ``("Microsoft.Network", "privateDnsZones")``.
        names: one for each type.
        on: what an extension resource is on; None for any other.
    """

    subscription: str
    group: str
    types: tuple[str, ...]
    names: tuple[str, ...]
    on: Place | None = None

    @property
    def parent(self) -> Place | None:
        if len(self.names) < 2:
            return None
        return Place(self.subscription, self.group, self.types[:-1], self.names[:-1], self.on)

    @property
    def key(self) -> tuple[str, ...]:
        inner = self.on.key if self.on else ()
        return tuple(part.lower() for part in (self.subscription, self.group, *inner, *self.types, *self.names))


def place_of(path: str) -> Place | None:
    """Where a path leads; None where it leads to no resource."""
    parts = [part for part in path.partition("?")[0].split("/") if part]
    lowered = [part.lower() for part in parts]
    if len(parts) < 2 or lowered[0] != "subscriptions":
        return None
    subscription, rest = parts[1], parts[2:]
    if len(rest) == 2 and lowered[2] == "resourcegroups":
        return Place(subscription, "", ("Microsoft.Resources", "resourceGroups"), (rest[1],))
    group = ""
    if len(rest) > 2 and lowered[2] == "resourcegroups":
        group, rest = rest[1], rest[2:]
    at: Place | None = None
    while rest:
        if rest[0].lower() != "providers" or len(rest) < 4:
            return None
        end = next((n for n in range(2, len(rest), 2) if rest[n].lower() == "providers"), len(rest))
        own = rest[1:end]
        if len(own) % 2 == 0:
            return None
        at = Place(subscription, group, (own[0], *own[1::2]), tuple(own[2::2]), at)
        rest = rest[end:]
    return at


@dataclass(frozen=True, slots=True)
class BicepFile:
    """One file: what is deployed to one resource group or subscription.

    Attributes:
        command: the line that deploys it.
    """

    name: str
    text: str
    command: str


def is_bicep(change: ChangeDoc) -> bool:
    """Whether a change has a Bicep form."""
    has_version = bool(re.fullmatch(r"\d{4}-\d\d-\d\d(-[a-z]+)?", change["api_version"]))
    is_plain = not change["headers"] or _is_new_only(change)
    return change["method"] == "PUT" and is_plain and has_version and place_of(change["path"]) is not None


def _is_new_only(change: ChangeDoc) -> bool:
    return {key.lower(): value for key, value in change["headers"].items()} == {"if-none-match": "*"}


def bicep_files(changes: Iterable[ChangeDoc], stem: str = "main") -> list[BicepFile]:
    """A file for each place that is deployed to, in the order of the changes; none for changes without a Bicep form."""
    scopes: dict[tuple[str, str], _File] = {}
    for change in changes:
        place = place_of(change["path"]) if is_bicep(change) else None
        if place is not None:
            file = scopes.setdefault((place.subscription, place.group), _File())
            file.declare(place, change)
    made = []
    for number, ((subscription, group), file) in enumerate(scopes.items(), 1):
        name = f"{stem}.bicep" if len(scopes) == 1 else f"{stem}-{number}.bicep"
        to = f"az deployment group create --resource-group {_word(group)}"
        if not group:
            location = next(iter(file.locations), "LOCATION")
            to = f"az deployment sub create --location {_word(location)}"
        line = f"{to} --subscription {_word(subscription)} --template-file {name}"
        target = "resourceGroup" if group else "subscription"
        text = "\n\n".join([f"targetScope = {literal(target)}", *file.blocks]) + "\n"
        made.append(BicepFile(name, text, line))
    return made


@dataclass(slots=True)
class _File:
    blocks: list[str] = field(default_factory=list)
    symbols: dict[tuple[str, ...], str] = field(default_factory=dict)
    locations: list[str] = field(default_factory=list)

    def declare(self, place: Place, change: ChangeDoc) -> None:
        if place.key in self.symbols:
            return  # Bicep declares a resource once; a second write of the same waits for the next look
        above = self._above(place, change["api_version"])
        body = change["body"] if isinstance(change["body"], Mapping) else {}
        rows = {key: value for key, value in body.items() if key.lower() not in _READ_ONLY}
        if isinstance(rows.get("location"), str):
            self.locations.append(rows["location"])
        lines = [f"  name: {literal(place.names[-1])}", *above]
        lines += [f"  {_key(key)}: {literal(value, 1)}" for key, value in rows.items()]
        symbol = self._symbol(place)
        head = f"resource {symbol} {literal(_type(place, change['api_version']))} = {{"
        told = [f"// {_comment(change['title'])}"]
        if _is_new_only(change):
            told += ["// Only where nothing of this name is there yet: Bicep would write over it, so look first."]
        self.blocks.append("\n".join([*told, head, *lines, "}"]))

    def _existing(self, place: Place, version: str) -> str:
        """The symbol of something that another declaration refers to and that is there already."""
        if place.key in self.symbols:
            return self.symbols[place.key]
        above = self._above(place, version)
        symbol = self._symbol(place)
        head = f"resource {symbol} {literal(_type(place, version))} existing = {{"
        self.blocks.append("\n".join([head, f"  name: {literal(place.names[-1])}", *above, "}"]))
        return symbol

    def _above(self, place: Place, version: str) -> list[str]:
        if (parent := place.parent) is not None:
            return [f"  parent: {self._existing(parent, version)}"]
        if place.on is not None:
            return [f"  scope: {self._existing(place.on, version)}"]
        return []

    def _symbol(self, place: Place) -> str:
        last = re.sub(r"[^A-Za-z0-9]", "", place.types[-1]) or "thing"
        base = f"{last[0].lower()}{last[1:]}" if last[0].isalpha() else f"a{last}"
        taken = {*self.symbols.values(), *_RESERVED}
        symbol = next(s for n in range(1, len(taken) + 2) if (s := base if n == 1 else f"{base}{n}") not in taken)
        self.symbols[place.key] = symbol
        return symbol


def _type(place: Place, version: str) -> str:
    return f"{'/'.join(place.types)}@{version}"


def literal(value: Any, depth: int = 0) -> str:
    """A JSON value as a Bicep literal. Bicep has no fractions: such a number goes by way of ``json()``."""
    pad, end = "  " * (depth + 1), "  " * depth
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return f"json({_string(json.dumps(value))})"
        case str():
            return _string(value)
        case Mapping():
            rows = [f"{pad}{_key(str(key))}: {literal(part, depth + 1)}" for key, part in value.items()]
            return "\n".join(["{", *rows, f"{end}}}"]) if rows else "{}"
        case Sequence():
            rows = [f"{pad}{literal(part, depth + 1)}" for part in value]
            return "\n".join(["[", *rows, f"{end}]"]) if rows else "[]"
        case _:
            return _string(str(value))


_ESCAPES: Final = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _string(text: str) -> str:
    escaped = "".join(_ESCAPES.get(c, c if c >= " " and c != "\x7f" else f"\\u{{{ord(c):x}}}") for c in text)
    return "'" + escaped.replace("${", "\\${") + "'"


def _key(key: str) -> str:
    return key if _NAME.fullmatch(key) else _string(key)


def _comment(text: str) -> str:
    return " ".join(text.split())


def _word(text: str) -> str:
    import shlex

    return shlex.quote(text)
