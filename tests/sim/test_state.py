from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import apsw
import pytest

from runbook.core.error import Unwritable
from runbook.sim.state import CloudLost, State


def opened(path: Path) -> State:
    return State(path, durable=False)


def test_what_was_committed_is_there_for_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    first = opened(path)
    first.put("resources", "/a", {"id": "/a", "properties": {"n": 1}})
    first.put("resources", "/b", {"id": "/b"})
    first.commit(now_ms=5000)
    first.delete("resources", "/b")
    first.put("timers", "1", {"do": "x"})
    first.commit(now_ms=7000)
    first.close()
    second = opened(path)
    assert second.dump() == first.dump()
    assert second.latest_ms == 7000


def test_what_was_not_committed_is_not(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    first = opened(path)
    first.put("t", "k", {"n": 1})
    first.commit()
    first.put("t", "k", {"n": 2})
    first.close()
    assert opened(path).get("t", "k") == {"n": 1}


def test_a_former_owner_can_commit_nothing_and_forgets_what_it_tried(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    first = opened(path)
    first.put("t", "k", {"n": 1})
    first.commit()
    second = opened(path)
    first.put("t", "k", {"n": 2})
    with pytest.raises(CloudLost):
        first.commit()
    assert first.get("t", "k") == {"n": 1}
    second.put("t", "k", {"n": 3})
    second.commit()
    assert opened(path).get("t", "k") == {"n": 3}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file modes")
def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    opened(path).commit()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_documents_change_only_through_put() -> None:
    state = State()
    given = {"list": [1]}
    state.put("t", "k", given)
    given["list"].append(2)
    taken = state.get("t", "k")
    assert taken == {"list": [1]}
    taken["list"].append(3)
    assert state.get("t", "k") == {"list": [1]}


def test_rollback_undoes_puts_and_deletes_since_the_mark() -> None:
    state = State()
    state.put("t", "a", {"n": 1})
    state.put("t", "b", {"n": 1})
    mark = state.mark()
    state.put("t", "a", {"n": 2})
    state.delete("t", "b")
    state.put("t", "c", {"n": 3})
    state.rollback(mark)
    assert dict(state.items("t")) == {"a": {"n": 1}, "b": {"n": 1}}
    assert state.keys("t") == ["a", "b"]


def test_items_come_sorted_and_by_prefix() -> None:
    state = State()
    for key in ("/b/1", "/a/2", "/a/10", "/ab"):
        state.put("t", key, {})
    assert state.keys("t", "/a/") == ["/a/10", "/a/2"]
    assert state.keys("t") == ["/a/10", "/a/2", "/ab", "/b/1"]
    assert state.first_key("t") == "/a/10"


def test_a_soft_document_alone_is_not_written_but_goes_along_with_the_next(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    first = opened(path)
    first.put("t", "hard", {})
    first.commit()
    first.put("buckets", "k", {"n": 1}, soft=True)
    first.commit()
    db = apsw.Connection(str(path))
    assert list(db.execute("SELECT key FROM rows")) == [("hard",)]
    first.put("t", "hard", {"n": 1})
    first.commit()
    assert list(db.execute("SELECT key FROM rows ORDER BY key")) == [("hard",), ("k",)]
    db.close()


def test_a_file_of_a_later_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    opened(path).close()
    db = apsw.Connection(str(path))
    db.execute("UPDATE meta SET value=99 WHERE name='schema'")
    db.close()
    with pytest.raises(Unwritable, match="later release"):
        opened(path)


def test_a_place_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(Unwritable, match="cannot be opened"):
        opened(tmp_path / "absent" / "cloud.db")


def test_a_commit_that_fails_leaves_memory_as_last_committed(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    state = opened(path)
    state.put("t", "k", {"n": 1})
    state.commit()
    page = apsw.Connection(str(path))
    page.execute("DROP TABLE rows")
    page.close()
    state.put("t", "k", {"n": 2})
    with pytest.raises(Unwritable):
        state.commit()
    assert state.get("t", "k") == {"n": 1}
