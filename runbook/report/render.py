"""The report document in its three forms. Text from outside can neither style a page nor break out of a table."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from runbook import assets
from runbook.core.redact import plain
from runbook.core.state import GLYPHS, NodeState
from runbook.report.markdown import (
    CHAINED,
    DROVE,
    LONG,
    REHEARSED,
    approved,
    backing,
    came_of_it,
    drafts,
    gathered,
    in_row,
    in_short,
    markdown,
    moment,
    named,
    signed,
    sums,
    value_words,
    waited,
)

if TYPE_CHECKING:
    from jinja2 import Template

Json = dict[str, Any]


def render(doc: Json, form: str) -> str:
    """The report as text.

    Args:
        doc: as ``report_doc`` makes it.
        form: ``md``, ``html`` or ``json``.
    """
    match form:
        case "json":
            return json.dumps(doc, indent=2) + "\n"
        case "html":
            return _html(doc)
        case _:
            return plain(markdown(doc))


def _html(doc: Json) -> str:
    return plain(_page().render(doc, doc=doc))


@cache
def _page() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(assets.path("reports"))
    jinja = Environment(autoescape=True, undefined=StrictUndefined, loader=loader, trim_blocks=True, lstrip_blocks=True)
    jinja.filters |= {
        f.__name__: f
        for f in (approved, came_of_it, drafts, gathered, in_row, in_short, moment, named, sums, value_words, waited)
    }
    jinja.globals |= {"backing": backing, "signed": signed}
    jinja.globals |= {"REHEARSED": REHEARSED, "CHAINED": CHAINED, "DROVE": DROVE, "LONG": LONG}
    jinja.globals["glyphs"] = {state.value: GLYPHS[state] for state in NodeState}
    return jinja.get_template("report.html")
