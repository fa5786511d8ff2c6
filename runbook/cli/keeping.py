"""The operator's settings in their file: read with the place of every fault, written one setting at a time.

Invariant: what the operator wrote besides stays as it is, comments included; a file with a fault is never written.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, Final

from runbook.core.error import RunbookError, Unwritable
from runbook.home import private_folder
from runbook.tui.settings import THEMES, Kept, Settings

FILE: Final = "settings.yaml"

_KNOWN: Final = {f.name: f for f in fields(Settings)}


def settings_path(home: Path) -> Path:
    """Where the settings are; the file need not exist."""
    return home / FILE


def kept(home: Path) -> Kept:
    """The settings of this machine's operator.

    Raises:
        BookError: the file is not right; says where.
    """
    path = settings_path(home)
    return Kept(load(path), str(path), partial(save, path))


def kept_anyway(home: Path) -> tuple[Kept, str]:
    """The settings, or those that hold without any and what is wrong with the file: nobody is locked out by it."""
    try:
        return kept(home), ""
    except RunbookError as error:
        return Kept(), f"{error} Until that is put right, the usual settings hold."


def load(path: Path) -> Settings:
    """The settings of a file; the usual ones where there is no file.

    Raises:
        BookError: the file is not right; says where.
    """
    if not path.exists():
        return Settings()
    from runbook.book.errors import near
    from runbook.book.reader import Source, read
    from runbook.tui.keys import unknown_keys

    source: Source = read(path)
    doc = source.root.plain()
    if not isinstance(doc, dict):
        raise source.fault("settings are a mapping such as `theme: light`")
    if source.faults:
        raise source.faults[0]
    for name, value in doc.items():
        if name not in _KNOWN:
            raise source.fault(f"there is no setting {name!r}", (name,), on_key=True, hint=near(name, _KNOWN))
        if (problem := _problem(name, value)) is not None:
            raise source.fault(problem, (name,))
    for id_ in unknown_keys(doc.get("keys", {})):
        hint = "`runbook settings --keys` lists them."
        raise source.fault(f"there is no key called {id_!r}", ("keys", id_), on_key=True, hint=hint)
    return Settings(**doc)


def _problem(name: str, value: Any) -> str | None:
    if name == "theme":
        return None if value in THEMES else f"the theme is one of {', '.join(THEMES)}"
    if name == "keys":
        is_map = isinstance(value, dict) and all(isinstance(v, str) and v.strip() for v in value.values())
        return None if is_map else "keys are a mapping such as `run.approve: y`"
    return None if isinstance(value, bool) else f"{name} is true or false"


def save(path: Path, name: str, value: object) -> None:
    """Write one setting, leaving the rest of the file as it is.

    Raises:
        BookError: the file as it stands is not right.
        Unwritable: it cannot be written.
    """
    load(path)
    row = f"{name}: {str(value).lower() if isinstance(value, bool) else value}"
    private_folder(path.parent)
    try:
        text = path.read_text(encoding="utf-8-sig") if path.exists() else "# Settings of runbook.\n"
        pattern = re.compile(rf"^{re.escape(name)}[ \t]*:[^#\n]*?(?=[ \t]*(?:#|$))", re.MULTILINE)
        text, count = pattern.subn(row, text, count=1)
        if not count:
            text = f"{text.rstrip()}\n{row}\n" if text.strip() else f"{row}\n"
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".settings-")
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        raise Unwritable(f"{path} cannot be written: {error.strerror}.", "Check its rights and the disk.") from error
