"""The Entries page of a phase or a step."""

from __future__ import annotations

from runbook.core.entry import Draft, Entry, Kind
from runbook.tui import group_entries
from runbook.tui.present.entries import entry_lines
from runbook.tui.present.text import as_text
from tests.tui.sample import NOW, Store, ready


def written(number: int, node: str) -> Entry:
    return Entry.chain(Draft(Kind.NOTED, node, None, {"text": f"text {number}"}), number, NOW + number, "")


def test_a_group_shows_its_own_nodes_entries_alone_and_names_each_node() -> None:
    store = Store(ready())
    store.log += [written(1, "context"), written(2, "endpoint"), written(3, "")]
    step = store.held.nodes["endpoint"].doc["step"]
    found = group_entries.read(store, store.held, ("step", step))
    assert [e.seq for e in found.entries] == [2]
    assert found.node == group_entries.about(("step", step))
    assert found.node not in store.held.nodes, "a node of the same name has entries of its own"
    assert "endpoint" in as_text(entry_lines(found.entries, is_group=True)).splitlines()[1]
    phase = store.held.nodes["endpoint"].doc["phase"]
    others = {n.id for n in store.held.nodes.values() if n.doc["phase"] == phase}
    assert {e.node for e in group_entries.read(store, store.held, ("phase", phase)).entries} <= others
