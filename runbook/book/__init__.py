"""Books: from YAML to a checked graph of steps, and from that graph to the nodes of a run.

Everything here is a function of its arguments. Files are read in ``reader`` and ``load`` alone, steps are imported in
``steps`` alone, and no function here keeps anything between two calls but caches of what it parsed.

Importing this package imports neither YAML nor pydantic; the names below are fetched when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runbook.book.errors import BookErrors
    from runbook.book.graph import ordered
    from runbook.book.inputs import (
        InputFile,
        Judged,
        check_inputs,
        dump_inputs,
        judge_inputs,
        load_inputs,
        parse_sets,
        save_inputs,
    )
    from runbook.book.kinds import describe
    from runbook.book.load import BookInfo, book_from_json, lint, list_books, load_book
    from runbook.book.model import Book, InputSpec, Need, Phase, StepSpec
    from runbook.book.nodes import expand, expansion_needs, params, when
    from runbook.book.reader import Source
    from runbook.book.shape import schema
    from runbook.book.steps import known_steps, load_step

_HOMES = {
    "errors": ("BookErrors",),
    "graph": ("ordered",),
    "inputs": (
        "InputFile",
        "Judged",
        "check_inputs",
        "dump_inputs",
        "judge_inputs",
        "load_inputs",
        "parse_sets",
        "save_inputs",
    ),
    "kinds": ("describe",),
    "load": ("BookInfo", "book_from_json", "lint", "list_books", "load_book"),
    "model": ("Book", "InputSpec", "Need", "Phase", "StepSpec"),
    "nodes": ("expand", "expansion_needs", "params", "when"),
    "reader": ("Source",),
    "shape": ("schema",),
    "steps": ("known_steps", "load_step"),
}

__all__ = [
    "Book",
    "BookErrors",
    "BookInfo",
    "InputFile",
    "InputSpec",
    "Judged",
    "Need",
    "Phase",
    "Source",
    "StepSpec",
    "book_from_json",
    "check_inputs",
    "describe",
    "dump_inputs",
    "expand",
    "expansion_needs",
    "judge_inputs",
    "known_steps",
    "lint",
    "list_books",
    "load_book",
    "load_inputs",
    "load_step",
    "ordered",
    "params",
    "parse_sets",
    "save_inputs",
    "schema",
    "when",
]


def __getattr__(name: str) -> Any:
    # No module here bears the name of a function above: importing it would put the module in the function's place.
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
