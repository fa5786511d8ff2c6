"""The journal entries that the selected row is about: its node's, or those of a group's nodes and of nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runbook.core.error import RunbookError
from runbook.core.view import RunView
from runbook.tui.messages import EntriesRead
from runbook.tui.present.rows import Key

if TYPE_CHECKING:
    from runbook.engine.host import Attachment

_SHOWN: Final = 200
_ONE_BY_ONE: Final = 40
"""Up to so many nodes are read each for itself; for more, the newest entries of the run are looked through."""
_LOOKED_THROUGH: Final = 5_000


def about(key: Key | None) -> str:
    """What names the entries of a row: a node's id, or a group's kind and id, which no node has."""
    return "" if key is None else key[1] if key[0] == "node" else " ".join(key)


def read(attachment: Attachment, view: RunView, key: Key | None) -> EntriesRead:
    """The newest entries of a row, oldest first. Slow: called in a worker thread."""
    nodes = _nodes(view, key)
    try:
        if len(nodes) <= _ONE_BY_ONE:
            found = [e for node in nodes for e in attachment.entries(node, _SHOWN)]
        else:
            known = set(nodes)
            found = [e for e in attachment.entries(None, _LOOKED_THROUGH) if e.node in known]
    except RunbookError as error:
        return EntriesRead(about(key), (), str(error))
    return EntriesRead(about(key), sorted(found, key=lambda e: e.seq)[-_SHOWN:])


def _nodes(view: RunView, key: Key | None) -> list[str]:
    if key is None:
        return []
    kind, id_ = key
    if kind == "node":
        return [id_]
    return [n.id for n in view.nodes.values() if n.doc["phase" if kind == "phase" else "step"] == id_]
