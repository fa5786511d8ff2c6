"""Whether a report belongs to a journal: the journal tells the story again, and every claim is held against it.

Pure functions. A report may be older than the journal: then it is told up to the entry at which the report ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from runbook.core.entry import Entry
from runbook.core.view import RunView
from runbook.journal.fold import fold
from runbook.journal.store import Driver
from runbook.report.model import FORM, report_doc

Json = dict[str, Any]

MOST: Final = 50
"""So many differences are told; a report of another run differs everywhere."""
SIGNATURE: Final = "signature"
_LONGEST: Final = 120


def claims_against(
    report: Json, entries: Sequence[Entry], drivers: Sequence[Driver], faults: Sequence[str]
) -> list[str]:
    """What a report says and its journal does not, or says otherwise; empty when it belongs to it.

    Args:
        report: the JSON form of a report, with or without its signature.
        entries: all of the journal's.
        drivers: who drove, as the journal has it.
        faults: what a check of the journal's chain found.
    """
    if report.get("form") != FORM:
        return [f"the report has form {report.get('form')!r}; this release makes and checks form {FORM}"]
    told = [f"the journal itself is damaged: {fault}" for fault in faults]
    journal = report.get("journal")
    claimed: Json = journal if isinstance(journal, dict) else {}
    seq, head = claimed.get("entries"), claimed.get("head")
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 < seq <= len(entries):
        return [*told, f"the report ends at entry {seq!r}; the journal has {len(entries)}"]
    if entries[seq - 1].hash != head:
        told.append(
            f"the report says that entry {seq} has the hash {head}; in the journal it is {entries[seq - 1].hash}"
        )
    upto = entries[:seq]
    again = report_doc(fold(RunView(), upto), upto, drivers, (seq, upto[-1].hash), faults)
    said = {name: value for name, value in report.items() if name not in (SIGNATURE, "drivers")}
    kept = {name: value for name, value in again.items() if name != "drivers"}
    for doc, chain in ((said, claimed), (kept, again["journal"])):
        doc["journal"] = {k: v for k, v in chain.items() if k != "head"}
    known = again["drivers"]
    drove = report.get("drivers")
    if not isinstance(drove, list) or drove != known[: len(drove)]:  # more may have driven it since
        told.append("drivers: they are not those that the journal has, in its order")
    found = _differing("", kept, said)
    told += [line for line, _ in zip(found, range(MOST + 1), strict=False)]
    return told if len(told) <= MOST else [*told[:MOST], "and more"]


def _differing(path: str, journal: Any, report: Any) -> Iterator[str]:
    """Each place where two documents differ, innermost first told."""
    if isinstance(journal, dict) and isinstance(report, dict):
        for name in dict.fromkeys((*journal, *report)):
            at = f"{path}.{name}" if path else str(name)
            if name not in report:
                yield f"{at}: is missing in the report"
            elif name not in journal:
                yield f"{at}: the journal knows nothing of it"
            else:
                yield from _differing(at, journal[name], report[name])
    elif isinstance(journal, list) and isinstance(report, list):
        if len(journal) != len(report):
            yield f"{path}: {len(report)} in the report, {len(journal)} by the journal"
        for number, (one, other) in enumerate(zip(journal, report, strict=False)):
            yield from _differing(f"{path}[{number}]", one, other)
    elif journal != report or isinstance(journal, bool) is not isinstance(report, bool):
        yield f"{path}: the report says {_short(report)}, the journal {_short(journal)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
