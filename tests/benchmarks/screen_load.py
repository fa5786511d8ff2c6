"""The run screen under load, as a program of its own in a terminal that a benchmark reads.

Usage: ``screen_load.py churn N`` (N nodes that change state all the time, each as a commit of its own) or
``screen_load.py tree N`` (a tree of N nodes at rest).
"""

from __future__ import annotations

import re
import resource
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from runbook.core.state import NodeState
from runbook.core.view import NodeView
from runbook.tui.app import RunbookApp
from tests.tui.sample import Store, change, context, node, view

STATES = (NodeState.OBSERVING, NodeState.READY, NodeState.APPLYING, NodeState.SETTLING, NodeState.DONE)
COMMIT_S = 0.005
"""Between two commits: about what a disk allows."""


def members(count: int) -> list[NodeView]:
    names = [f"m{i:05}" for i in range(count)]
    return [node("associate", n, f"Associate {n}", changes=(change(f"Associate {n}", n),)) for n in names]


def churn(store: Store, count: int, stop: threading.Event) -> None:
    nodes = {n.id: n for n in store.held.nodes.values()}
    ids = [id_ for id_ in nodes if id_.startswith("associate")]
    for number in cycle(range(count)):
        if stop.wait(COMMIT_S):
            return
        one = nodes[ids[number]]
        state = STATES[(STATES.index(one.state) + 1) % len(STATES)] if one.state in STATES else STATES[0]
        nodes[one.id] = replace(one, state=state)
        store.put(replace(store.held, nodes=dict(nodes)))


def main(kind: str, count: int) -> None:
    store = Store(view(context(), *members(count)))
    app = RunbookApp(lambda: store)
    stop = threading.Event()
    work: Callable[[], None] = (lambda: churn(store, count, stop)) if kind == "churn" else stop.wait  # type: ignore[assignment]
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    app.run()
    stop.set()
    thread.join()
    print(f"peak {peak_mb():.0f} MB")


def peak_mb() -> float:
    """The most memory of this program: what the system counts for a process has its parent's before ``exec``, too."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text("ascii", "replace")) if status.exists() else None
    return (int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
