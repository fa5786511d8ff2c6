"""Reads scenario files: YAML with the few surprises of YAML 1.1 left out, and errors that name file, line and column.

``on`` and ``off`` are words, a date is a text, and aliases are refused: ``let`` serves instead and cannot blow up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from runbook import assets
from runbook.core.error import BookError, UsageError
from runbook.sim.scenario import Scenario, validated

LARGEST_BYTES: Final = 1_000_000
"""Of YAML, which takes seconds per megabyte to read; what a program writes (``runbook capture``) may be JSON."""
LARGEST_JSON: Final = 64_000_000
SUFFIXES: Final = (".yaml", ".yml", ".json")
"""What makes a name a file's."""


class _Loader(yaml.SafeLoader):
    """The safe loader with booleans spelled ``true`` and ``false`` only, and without dates."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, regexp)
        for tag, regexp in resolvers
        if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|false"), ["t", "f"])


def load_scenario(name_or_path: str) -> Scenario:
    """Read a scenario by its name among the shipped ones, or from a ``.yaml`` file.

    Raises:
        UsageError: no such scenario, or it cannot be read.
        BookError: the file is not right.
    """
    path = Path(name_or_path)
    if path.suffix not in SUFFIXES:
        path = assets.path("scenarios", f"{name_or_path}.yaml")
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        known = ", ".join(list_scenarios())
        raise UsageError(f"There is no scenario {name_or_path!r}.", f"Shipped scenarios: {known}.") from error
    return _parse_json(source, str(path)) if path.suffix == ".json" else parse_scenario(source, str(path))


def list_scenarios() -> list[str]:
    """Names of the shipped scenarios, sorted."""
    folder = assets.path("scenarios")
    return sorted(p.stem for p in folder.glob("*.yaml")) if folder.is_dir() else []


def _parse_json(source: str, file: str) -> Scenario:
    """A scenario that a program wrote; faults are told by their place in it, without a line."""
    if len(source) > LARGEST_JSON:
        raise BookError(
            f"a scenario is no larger than {LARGEST_JSON // 1_000_000} megabytes", file=file, line=1, column=1
        )
    try:
        doc = json.loads(source)
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        raise BookError(f"not JSON: {getattr(error, 'msg', error)}", file=file, line=line, column=column) from error
    if not isinstance(doc, dict):
        raise BookError("a scenario is a mapping", file=file, line=1, column=1)
    try:
        return validated(doc)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BookError(f"scenario: {place}: {first['msg']}", file=file, line=1, column=1) from error


def parse_scenario(source: str, file: str) -> Scenario:
    """Check the text of a scenario file.

    Raises:
        BookError: with file, line and column.
    """
    node = _compose(source, file)
    loader = _Loader("")
    try:
        doc = loader.construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise _at(node, str(error), file) from error
    if not isinstance(doc, dict):
        raise _at(node, "a scenario is a mapping", file)
    try:
        return validated(doc)
    except BookError as error:
        raise _at(node, error.message, file) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _at(_find(node, first["loc"]), f"scenario: {place}: {first['msg']}", file) from error


def _compose(source: str, file: str) -> yaml.Node:
    if len(source) > LARGEST_BYTES:
        raise BookError("a scenario is no larger than a megabyte", file=file, line=1, column=1)
    try:
        for event in yaml.parse(source, Loader=_Loader):
            if isinstance(event, yaml.AliasEvent):
                raise _at(event, "aliases are not allowed in a scenario; use `let`", file)
        node = yaml.compose(source, Loader=_Loader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = getattr(error, "problem", None) or str(error)
        raise BookError(f"not YAML: {problem}", file=file, line=line, column=column) from error
    if node is None:
        raise BookError("the file is empty", file=file, line=1, column=1)
    return node


def _find(node: yaml.Node, place: Sequence[Any]) -> yaml.Node:
    """The node a validation error is about, or the nearest one around it."""
    for part in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    node = value
                    break
    return node


def _at(where: yaml.Node | yaml.Event, message: str, file: str) -> BookError:
    mark = where.start_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return BookError(message, file=file, line=line, column=column)
