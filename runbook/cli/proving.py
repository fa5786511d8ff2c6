"""``runbook journal check REPORT.json``: whether a report belongs to its journal, and who signed it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from runbook.cli import output
from runbook.cli.exits import Exit
from runbook.cli.reading import opened
from runbook.core.error import Damaged, UsageError
from runbook.report.proof import claims_against
from runbook.report.signature import check_signature, public_key

_LARGEST: Final = 512 * 1024 * 1024


def prove(home: Path, path: Path, run: str, public: str | None, *, as_json: bool) -> Exit:
    """Hold a report against its journal and its signature, and say exactly what differs.

    Args:
        home: the state folder.
        path: the report's file.
        run: the run whose journal it is held against; empty for the one it names.
        public: the file of the key that must have signed it.
        as_json: print one object.

    Raises:
        UsageError: the file is no report, or the key's file holds none.
        RunUnknown, TooNew: as the class says.
    """
    report = _read(path)
    named = report.get("run")
    run = run or str((named.get("id") if isinstance(named, dict) else "") or "")
    signature, faults = check_signature(report, public_key(Path(public)) if public else None)
    with opened(home, run) as journal:
        held = journal.check()
        entries = list(journal.entries())
        try:
            faults += claims_against(report, entries, journal.drivers(), held)
        except Damaged as error:
            faults.append(error.message)
        seq, head = journal.head()
    if as_json:
        doc = {"ok": not faults, "run": run, "entries": seq, "head": head, "faults": faults, "signature": signature}
        output.json_data(doc)
        return Exit.FAILED if faults else Exit.DONE
    for fault in faults:
        output.data(f"{path.name}: {fault}")
    if not faults:
        at = report["journal"]["entries"]
        since = f"; {seq - at} entries followed since" if seq > at else ""
        output.data(f"{path.name}: OK, all it says is what the journal of {run} says up to entry {at}{since}")
    output.data(f"{path.name}: {signature}")
    return Exit.FAILED if faults else Exit.DONE


def _read(path: Path) -> dict[str, Any]:
    problem = f"{path} is no report in JSON form."
    hint = "Write one: runbook report RUN --format json --out report.json"
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} is larger than any report.", hint)
        doc = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Check its rights.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(problem, hint) from error
    if not isinstance(doc, dict) or "journal" not in doc:
        raise UsageError(problem, hint)
    return doc
