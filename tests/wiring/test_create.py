from __future__ import annotations

import stat
import sys
from pathlib import Path
from threading import Thread

import pytest

from runbook.core.error import UsageError
from runbook.home import run_ids
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.sim.state import State
from runbook.wiring import Wish, create_run, run_dir


def view_of(home: Path, run: str) -> object:
    journal = Journal.open(run_dir(home, run) / "journal.db", write=False)
    try:
        return load_view(journal)
    finally:
        journal.close()


def make(home: Path, **wish: object) -> str:
    return create_run(home, Wish("arc-private-link", **wish), durable=False)  # type: ignore[arg-type]


def test_runs_are_numbered_from_one(tmp_path: Path) -> None:
    assert [make(tmp_path) for _ in range(3)] == [f"arc-private-link-{n}" for n in (1, 2, 3)]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_everything_made_is_its_owners_alone(tmp_path: Path) -> None:
    run = make(tmp_path / "new" / "home")
    folder = run_dir(tmp_path / "new" / "home", run)
    for path in (tmp_path / "new", tmp_path / "new" / "home", folder.parent, folder, *folder.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_journal_keeps_the_whole_book_the_inputs_and_where_it_may_write(tmp_path: Path) -> None:
    from runbook.core.view import RunView

    view = view_of(tmp_path, make(tmp_path, sets={"scope_name": "mine"}))
    assert isinstance(view, RunView)
    assert len(view.book["steps"]) > 10
    assert view.inputs["scope_name"] == "mine"
    assert view.pinned["account"]
    assert view.inputs["subscription"] in view.pinned["subscriptions"]
    assert all(view.pinned["subscriptions"].values())


def test_a_subscription_named_only_inside_a_resource_id_is_pinned_too(tmp_path: Path) -> None:
    from runbook.core.view import RunView

    other = "33333333-3333-4333-8333-333333333333"
    nsg = f"/subscriptions/{other}/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/n"
    view = view_of(tmp_path, make(tmp_path, sets={"nsg": nsg}))
    assert isinstance(view, RunView)
    assert other in view.pinned["subscriptions"]


def test_subscriptions_inside_a_map_are_pinned_too(tmp_path: Path) -> None:
    from runbook.book.model import InputSpec
    from runbook.wiring.create import _subscriptions

    first, second = (f"{n}" * 8 + f"-{n * 4}-4{n * 3}-8{n * 3}-" + n * 12 for n in "34")
    subnet = "resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
    ids = {name: f"/subscriptions/{sub}/{subnet}" for name, sub in (("a", first), ("b", second))}
    place = InputSpec("placements", "resource_id", of="Microsoft.Network/virtualNetworks/subnets")
    assert _subscriptions(InputSpec("placements", "map", items=place), ids) == [first, second]
    lists = InputSpec("placements", "map", items=InputSpec("placements", "list", items=place))
    assert _subscriptions(lists, {"x": list(ids.values())}) == [first, second]
    assert _subscriptions(lists, {}) == []


def test_a_failure_halfway_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(State, "commit", full)
    with pytest.raises(OSError, match="No space"):
        make(tmp_path)
    assert list((tmp_path / "runs").iterdir()) == []


def test_two_who_want_the_same_name_do_not_share_it(tmp_path: Path) -> None:
    ended: list[object] = []

    def go() -> None:
        try:
            ended.append(make(tmp_path, run="mine"))
        except UsageError as error:
            ended.append(error)

    threads = [Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended.count("mine") == 1
    assert sum(isinstance(e, UsageError) for e in ended) == 3
    assert run_ids(tmp_path) == ["mine"]


def test_two_who_name_none_get_two_runs(tmp_path: Path) -> None:
    made: list[str] = []
    threads = [Thread(target=lambda: made.append(make(tmp_path))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == run_ids(tmp_path) == [f"arc-private-link-{n}" for n in (1, 2, 3)]
