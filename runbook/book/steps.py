"""From the name in a book to the step's code: ``arc.machine`` is ``steps/arc/machine.py``, class ``Machine``.

The only module here that imports steps, and it does so by the name that stands in the book.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from runbook.book.errors import near, shown
from runbook.core.error import BookError, StepFault
from runbook.step import Step

_USES = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


def load_step(uses: str) -> type[Step]:
    """The step class behind ``domain.noun``.

    Raises:
        BookError: there is no such step.
        StepFault: there is, but it breaks the contract of ``runbook.step``.
    """
    if not _USES.fullmatch(uses):
        raise BookError(f"{shown(uses)!r} is not a step: it is written domain.noun, such as arc.machine")
    name = f"steps.{uses}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as fault:
        if fault.name is not None and (fault.name == name or name.startswith(f"{fault.name}.")):
            raise BookError(f"there is no step `{uses}`{near(uses, known_steps())}") from fault
        raise StepFault(f"step {uses} cannot be loaded: {fault}") from fault
    except Exception as fault:  # a step's module may raise anything while it is imported
        raise StepFault(f"step {uses} cannot be loaded: {type(fault).__name__}: {fault}") from fault
    expected = "".join(word.capitalize() for word in uses.partition(".")[2].split("_"))
    found = getattr(module, expected, None)
    if not (isinstance(found, type) and issubclass(found, Step)):
        raise StepFault(f"step {uses} has no class {expected}(Step)")
    params = getattr(found, "Params", None)
    if not (isinstance(params, type) and is_dataclass(params)):
        raise StepFault(f"step {uses}: {expected}.Params must be a dataclass")
    return found


def known_steps() -> tuple[str, ...]:
    """The names of all steps there are, sorted, without importing one."""
    spec = importlib.util.find_spec("steps")
    places = spec.submodule_search_locations if spec is not None else None
    files = {f for place in places or () for f in Path(place).glob("[a-z]*/[a-z]*.py")}
    return tuple(sorted(f"{f.parent.name}.{f.stem}" for f in files))


def parameters(step: type[Step]) -> dict[str, bool]:
    """The names of a step's parameters, and whether each must be given."""
    return {f.name: f.default is MISSING and f.default_factory is MISSING for f in fields(step.Params) if f.init}


@cache
def adapter(step: type[Step]) -> Any:
    """What checks and converts a JSON object to a step's ``Params``: a pydantic ``TypeAdapter``.

    Raises:
        StepFault: pydantic cannot make sense of its annotations.
    """
    from pydantic import PydanticUserError, TypeAdapter

    try:
        return TypeAdapter(step.Params)
    except (PydanticUserError, NameError, TypeError) as fault:
        raise StepFault(f"{step.__module__}.{step.__qualname__}.Params cannot be checked: {fault}") from fault
