"""Requests made up from Azure's OpenAPI descriptions: paths, queries and bodies that fit, and such that almost do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from hypothesis import strategies as st

from runbook.sim.routes import Route
from tests.sim import openapi

DEEPEST: Final = 5
JUNK: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from([[], {}, [{}], [None], {"id": None}, {"id": "/"}, "10.0.0.0/8", "/subscriptions/x", "*", "::1/64"]),
)
_TEXTS: Final = st.one_of(
    st.sampled_from(["", "10.0.0.0/24", "10.20.1.9", "westeurope", "443", "*", "a.example", "2026-05-11T07:30:00Z"]),
    st.text(alphabet="abcdefghij-0123456789", min_size=1, max_size=12),
)
_NAMES: Final = st.one_of(
    st.from_regex(r"[a-z][a-z0-9-]{0,14}[a-z0-9]", fullmatch=True),
    st.sampled_from(["a", "x" * 90, "ünï", "a b", "a%b", "..", "a.b.c", "privatelink.his.arc.azure.com"]),
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``is_sound``: nothing in it was bent."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    is_sound: bool


@dataclass(frozen=True, slots=True)
class Estate:
    """What there is to ask about.

    Attributes:
        bodies: every resource, by its id.
        words: what the ``{…}`` of a route may stand for besides names: operations, features, namespaces, …
    """

    bodies: Mapping[str, Any]
    words: Mapping[str, Sequence[str]]

    def fitting(self, route: Route) -> list[str]:
        """Paths to what exists and a route leads to: a resource, its action, or a list of such."""
        return _fitting(route, tuple(self.bodies))


@cache
def _fitting(route: Route, every: tuple[str, ...]) -> list[str]:
    last = route.template.rpartition("/")[2]
    behind = "" if last.startswith("{") else f"/{last}"
    ids = {*every, *(one.rpartition("/")[0] for one in every)}
    return sorted(path for one in ids for path in {one, one + behind} if route.pattern.fullmatch(path))


@st.composite
def requests(draw: st.DrawFn, route: Route, estate: Estate) -> Request:
    """A request to a route: mostly about something that exists or could, mostly well made."""
    path = _path(draw, route, estate)
    version = draw(st.sampled_from(sorted(route.versions)))
    query = {"api-version": version}
    body: Any = None
    try:
        operation = openapi.find(route.method, path, version)
    except AssertionError:
        operation = None
    for parameter, file in parameters(operation) if operation is not None else ():
        if parameter["in"] == "query" and parameter["name"] != "api-version" and draw(st.integers(0, 3)) == 0:
            query[parameter["name"]] = str(draw(values(parameter, file, estate)))
        if parameter["in"] == "body":
            body = draw(_bodies(parameter["schema"], file, route, path, estate))
    is_sound = draw(st.integers(0, 3)) > 0
    return Request(route.method, path, query, body if is_sound else draw(bent(body)), is_sound)


def _bodies(schema: Any, file: Path, route: Route, path: str, estate: Estate) -> st.SearchStrategy[Any]:
    """A body that fits: made up, or one that stands at such a place, perhaps with another value somewhere."""
    made_up = values(schema, file, estate)
    alike = [one for one in estate.bodies if route.pattern.fullmatch(one)]
    if not alike:
        return made_up
    near = [one for one in alike if one.lower() == path.lower()] or alike
    known = st.sampled_from([writable(schema, file, estate.bodies[one]) for one in near])
    return st.one_of(known, mixed(known, made_up), made_up)


@st.composite
def mixed(draw: st.DrawFn, one: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> Any:
    """A body with one part of another."""
    return _mixed(draw, draw(one), draw(other))


def _mixed(draw: st.DrawFn, one: Any, other: Any) -> Any:
    if not (isinstance(one, dict) and isinstance(other, dict) and other):
        return other
    key = draw(st.sampled_from(sorted(other)))
    return {**one, key: _mixed(draw, one[key], other[key]) if key in one and draw(st.booleans()) else other[key]}


def writable(schema: Any, file: Path, value: Any) -> Any:
    """What of a resource's body a client may send."""
    schema, file = openapi.resolved(schema, file)
    if isinstance(value, list):
        return [writable(schema.get("items", {}), file, inner) for inner in value]
    known, _, is_open = openapi.fields(schema, file)
    if not isinstance(value, dict) or (is_open and not known):
        return value
    return {n: writable(*known[n], v) for n, v in value.items() if n in known and not _is_read_only(*known[n])}


def _path(draw: st.DrawFn, route: Route, estate: Estate) -> str:
    there = estate.fitting(route)
    way = draw(st.integers(0, 5))
    if there and way < 4:
        return draw(st.sampled_from(there))
    if there and way == 4 and route.template.endswith("}"):
        return f"{draw(st.sampled_from(there)).rpartition('/')[0]}/{quote(draw(_NAMES), safe='')}"

    def one(match: re.Match[str]) -> str:
        known = estate.words.get(match[0])
        return draw(st.sampled_from(known)) if known else quote(draw(_NAMES), safe="")

    return re.sub(r"\{[^}]*\}", one, route.template)


def parameters(operation: openapi.Operation) -> list[tuple[Any, Path]]:
    """The parameters of an operation, each with the file it is described in."""
    item = openapi.document(operation.file)["paths"][operation.template]
    listed = (*item.get("parameters", ()), *item[operation.method].get("parameters", ()))
    return [openapi.resolved(parameter, operation.file) for parameter in listed]


def values(schema: Any, file: Path, estate: Estate, name: str = "", depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that fit a schema."""
    schema, file = openapi.resolved(schema, file)
    if choices := schema.get("enum"):
        return st.sampled_from(choices)
    kind = schema.get("type", "object" if "properties" in schema or "allOf" in schema else "string")
    if kind == "object":
        return _objects(schema, file, estate, depth)
    if kind == "array":
        if depth > DEEPEST:
            return st.just([])
        return st.lists(values(schema.get("items", {}), file, estate, name, depth + 1), max_size=2)
    if kind in ("integer", "number"):
        return st.integers(schema.get("minimum", 0), schema.get("maximum", 65_535))
    if kind == "boolean":
        return st.booleans()
    if name.lower().endswith("id") or schema.get("format") == "arm-id":
        return st.sampled_from([*estate.bodies, "", "/subscriptions/x"])
    if name == "location":
        return st.sampled_from(["westeurope", "West Europe", "eastus", "global"])
    return _TEXTS


def _objects(schema: Any, file: Path, estate: Estate, depth: int) -> st.SearchStrategy[Any]:
    known, required, _ = openapi.fields(schema, file)
    writable = {name: place for name, place in known.items() if not _is_read_only(*place)}
    if not writable and "additionalProperties" in schema:
        return st.dictionaries(st.text(alphabet="abc", min_size=1, max_size=3), _TEXTS, max_size=2)
    must = {n: values(s, f, estate, n, depth + 1) for n, (s, f) in writable.items() if n in required}
    if depth > DEEPEST:
        return st.fixed_dictionaries(must)
    may = {n: values(s, f, estate, n, depth + 1) for n, (s, f) in writable.items() if n not in required}
    if depth == 0:  # nearly nothing comes about without these two
        must |= {n: may.pop(n) for n in ("location", "properties") if n in may}
    return st.fixed_dictionaries(must, optional=may)


def _is_read_only(schema: Any, file: Path) -> bool:
    return bool(schema.get("readOnly") or openapi.resolved(schema, file)[0].get("readOnly"))


@st.composite
def bent(draw: st.DrawFn, body: Any) -> Any:
    """A body with something else at one place."""
    if not isinstance(body, (dict, list)) or not body or draw(st.integers(0, 3)) == 0:
        return draw(JUNK)
    if isinstance(body, list):
        at = draw(st.integers(0, len(body) - 1))
        return [*body[:at], draw(bent(body[at])), *body[at + 1 :]]
    key = draw(st.sampled_from(sorted(body)))
    return {**body, key: draw(bent(body[key]))}
