"""Holds the simulator's answers against Azure's published OpenAPI descriptions.

The descriptions lie beside the checkout (``../shared/azure-specs``); where they do not, tests that need them are
skipped and say so. References that climb out of a folder resolve from the descriptions' root.

    check("GET", "/subscriptions/…/privateLinkScopes/s", reply, "2022-12-27")
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from jsonschema import Draft4Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from runbook.sim.cloud import Reply

ROOT = Path(__file__).resolve().parents[2].parent / "shared" / "azure-specs"
needs_specs = pytest.mark.skipif(not ROOT.is_dir(), reason=f"Azure's OpenAPI descriptions are not at {ROOT}")
_METHODS = ("get", "put", "patch", "post", "delete", "head")
_LONG = ("{scope}", "{resourceid}", "{parentresourcepath}")


@dataclass(frozen=True, slots=True)
class Operation:
    """One described operation."""

    file: Path
    version: str
    method: str
    template: str
    pattern: re.Pattern[str]
    pointer: str
    statuses: tuple[str, ...]


@cache
def _operations() -> tuple[Operation, ...]:
    found = []
    for file in sorted(ROOT.glob("Microsoft.*/*/*.json")):
        for template, item in json.loads(file.read_text()).get("paths", {}).items():
            parts = [_pattern(part) for part in template.strip("/").split("/")]
            pattern = re.compile("/" + "/".join(parts), re.IGNORECASE)
            for method in _METHODS:
                if method in item:
                    pointer = f"/paths/{template.replace('~', '~0').replace('/', '~1')}/{method}/responses"
                    statuses = tuple(item[method]["responses"])
                    found.append(Operation(file, file.parent.name, method, template, pattern, pointer, statuses))
    return tuple(found)


def _pattern(part: str) -> str:
    if part.lower() in _LONG:
        return ".+"
    return re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(part))


def _retrieve(uri: str) -> Resource[Any]:
    path = unquote(urlsplit(uri).path).lstrip("/")
    return DRAFT4.create_resource(json.loads((ROOT / path).read_text()))


@cache
def _registry() -> Registry[Any]:
    return Registry(retrieve=_retrieve)  # type: ignore[call-arg]


def find(method: str, path: str, version: str = "") -> Operation:
    """The description of a call: of this version where there is one, else of the newest.

    Raises:
        AssertionError: nothing describes it.
    """
    matches = [o for o in _operations() if o.method == method.lower() and o.pattern.fullmatch(path)]
    assert matches, f"no description of {method} {path}"
    plain = [o for o in matches if not any(long in o.template.lower() for long in _LONG)] or matches
    exact = [o for o in plain if o.version == version]
    return max(exact or plain, key=lambda o: (o.version, -o.template.count("{")))


def problems(method: str, path: str, reply: Reply, version: str = "") -> list[str]:
    """What is wrong with an answer, one line each; empty when it fits its description."""
    operation = find(method, path.partition("?")[0], version)
    status = str(reply.status) if str(reply.status) in operation.statuses else "default"
    if status not in operation.statuses:
        return [f"{method} {operation.template}: status {reply.status} is not among {', '.join(operation.statuses)}"]
    if status == "default" and reply.status < 400:
        return [f"{method} {operation.template}: {reply.status} is a success that the description does not know"]
    base = f"http://specs/{operation.file.relative_to(ROOT).as_posix()}#{operation.pointer}/{status}"
    response = document(operation.file)["paths"][operation.template][operation.method]["responses"][status]
    if "schema" not in response:
        return [] if reply.body is None else [f"{method} {operation.template}: {status} must have no body"]
    schema = {"$ref": base + "/schema"}
    validator = Draft4Validator(schema, registry=_registry(), format_checker=FormatChecker())
    where = f"{method} {operation.template} ({operation.version})"
    return [f"{where}: {'.'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(reply.body)]


def check(method: str, path: str, reply: Reply, version: str = "") -> None:
    """Fail when an answer does not fit its description."""
    assert problems(method, path, reply, version) == []


# ---------------------------------------------------------------- requests


def request_problems(method: str, path: str, body: Any, version: str = "") -> list[str]:
    """What is wrong with a request's body, one line each: a field that the description does not know, that is missing,
    that only answers hold, or whose value does not fit.
    """
    operation = find(method, path, version)
    item = document(operation.file)["paths"][operation.template]
    where = f"{method} {operation.template} ({operation.version})"
    for listed in (*item.get("parameters", ()), *item[operation.method].get("parameters", ())):
        parameter, file = resolved(listed, operation.file)
        if parameter["in"] != "body":
            continue
        if body is None:
            return [f"{where}: needs a body"] if parameter.get("required") else []
        return [f"{where}: {problem}" for problem in _misfits(parameter["schema"], file, body, "body")]
    return [] if body is None else [f"{where}: takes no body"]


@cache
def document(file: Path) -> Any:
    """A description as it was published."""
    return json.loads(file.read_text())


def resolved(node: Any, file: Path) -> tuple[Any, Path]:
    """What a node stands for, and the file it lies in."""
    while "$ref" in node:
        place, _, pointer = node["$ref"].partition("#")
        file = _near(file, place) if place else file
        node = document(file)
        for part in pointer.strip("/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
    return node, file


def _near(file: Path, place: str) -> Path:
    """A file named by another: beside it, or, where the reference climbs out of a folder, from the root."""
    beside = (file.parent / place).resolve()
    return beside if beside.exists() else ROOT / place.replace("../", "").removeprefix("./")


def fields(schema: Any, file: Path) -> tuple[dict[str, tuple[Any, Path]], set[str], bool]:
    """The fields of an object, those required, and whether others may stand beside them."""
    schema, file = resolved(schema, file)
    known: dict[str, tuple[Any, Path]] = {}
    required, is_open = set(schema.get("required", ())), "additionalProperties" in schema
    for part in schema.get("allOf", ()):
        more, needed, opens = fields(part, file)
        known |= more
        required |= needed
        is_open = is_open or opens
    known |= {name: (value, file) for name, value in schema.get("properties", {}).items()}
    return known, required, is_open


def _misfits(schema: Any, file: Path, value: Any, at: str) -> Iterator[str]:
    schema, file = resolved(schema, file)
    choices = schema.get("enum")
    if choices and value not in choices:
        yield f"{at}: {value!r} is not among {choices}"
    if isinstance(value, dict):
        known, required, is_open = fields(schema, file)
        yield from (f"{at}: {name} is missing" for name in sorted(required - value.keys()) if not _is_told(known, name))
        for name, inner in value.items():
            if name not in known:
                if not is_open:
                    yield f"{at}.{name}: no such field"
                continue
            if known[name][0].get("readOnly"):
                yield f"{at}.{name}: only answers hold it"
            yield from _misfits(*known[name], inner, f"{at}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _misfits(schema.get("items", {}), file, inner, f"{at}[{number}]")
    elif (kind := schema.get("type")) is not None:
        kinds: dict[str, tuple[type, ...]] = {
            "string": (str,),
            "boolean": (bool,),
            "integer": (int,),
            "number": (int, float),
        }
        if not isinstance(value, kinds.get(kind, ())) or (kind != "boolean" and isinstance(value, bool)):
            yield f"{at}: {value!r} is no {kind}"


def _is_told(known: dict[str, tuple[Any, Path]], name: str) -> bool:
    return name in known and bool(known[name][0].get("readOnly"))
