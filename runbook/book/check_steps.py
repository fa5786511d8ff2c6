"""Whether a book gives each step's code what that code asks for: the names, and the values that are already known."""

from __future__ import annotations

from pydantic import ValidationError

from runbook.book.check_refs import Faults
from runbook.book.errors import near, shown, sort_of
from runbook.book.model import Book, StepSpec
from runbook.book.refs import texts
from runbook.book.steps import adapter, load_step, parameters
from runbook.core.error import BookError, StepFault


def check_steps(book: Book, faults: Faults) -> None:
    """Report steps that do not exist or cannot be loaded, and parameters that do not fit them."""
    for at, step in enumerate(book.steps):
        try:
            _check_step(step, at, faults)
        except (BookError, StepFault) as fault:
            faults.add(f"step `{step.id}`: {fault.message}", ("steps", at, "uses"), hint=fault.hint)


def _check_step(step: StepSpec, at: int, faults: Faults) -> None:
    code = load_step(step.uses)
    known = parameters(code)
    for name in step.with_:
        if name not in known:
            message = f"step `{step.id}`: {step.uses} has no parameter `{shown(name)}`{near(name, known)}"
            faults.add(message, ("steps", at, "with", name), on_key=True)
    missing = [name for name, is_required in known.items() if is_required and name not in step.with_]
    if missing:
        names = ", ".join(f"`{n}`" for n in missing)
        faults.add(f"step `{step.id}`: {step.uses} needs {names} under `with`", ("steps", at))
    checked = adapter(code)
    constant = {n for n, value in step.with_.items() if n in known and not any(texts(value))}
    if not constant:
        return
    try:
        checked.validate_python({n: step.with_[n] for n in step.with_ if n in known})
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            # Values that are references are known only while the run goes on, and are checked then.
            if fault["loc"] and fault["loc"][0] in constant:
                where = shown(".".join(str(part) for part in fault["loc"]))
                words = f"{fault['msg'][:1].lower()}{fault['msg'][1:]}, found {sort_of(fault.get('input'))}"
                faults.add(f"step `{step.id}`: `{where}`: {words}", ("steps", at, "with", *fault["loc"]))
