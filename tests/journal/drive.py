"""A driver in a process of its own: ``python -m tests.journal.drive JOURNAL [take-over]``.

It says what it did on standard output, one line each, and appends one entry for every line it reads.
"""

from __future__ import annotations

import sys
from pathlib import Path

from runbook.core.entry import Draft, Kind
from runbook.core.error import RunbookError
from runbook.journal.lease import take
from runbook.journal.store import Journal


def main() -> None:
    journal = Journal.open(Path(sys.argv[1]))
    try:
        lease = take(journal, take_over="take-over" in sys.argv, reason="a test")
    except RunbookError as error:
        print(f"{error.code}: {error}", flush=True)
        return
    print(f"epoch {lease.epoch}{' taken over' if lease.took_over else ''}", flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            lease.release()
            break
        try:
            entry = journal.append([Draft(Kind.NOTED, data={"text": line.strip()})], 0, lease.epoch)[0]
            print(f"wrote {entry.seq}", flush=True)
        except RunbookError as error:
            print(f"{error.code}: {error}", flush=True)
    journal.close()


if __name__ == "__main__":
    main()
