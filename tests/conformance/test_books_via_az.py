"""Both books, changed by the Azure CLI's own lines from end to end: the same cloud as by our own calls."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.core.state import RunState
from runbook.engine.engine import Until
from tests.crash.harness import without_choices
from tests.live.cloud import Azure, azure, begin, drive

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("book", "scenario"),
    [("arc-private-link", "arc-ga"), pytest.param("avd-private-link", "avd-small", marks=pytest.mark.soak)],
)
def test_a_book_driven_by_az_ends_in_the_cloud_that_our_own_calls_end_in(
    book: str, scenario: str, az: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(via: str, prepare: Callable[[Azure], None]) -> dict[str, Any]:
        with azure(scenario, monkeypatch) as there:
            prepare(there)
            begin(tmp_path / via, there, book=book, via=via)
            names = tuple(s.name for s in there.scenario.subscriptions)
            signed_in = there.signed_in(auth="cli")
            driven = drive(tmp_path / via, there, signed_in=signed_in, said=names, until=Until.STUCK)
            assert driven.view.state is RunState.DONE, {n.id: n.error for n in driven.view.nodes.values() if n.error}
            found = without_choices(there.resources())
        for body in found.values():
            body.get("properties", {}).pop("registrationInfo", None)  # its token is drawn anew for each cloud
        return found

    def by_az(there: Azure) -> None:
        for name, value in there.served.announcement["env"].items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PATH", os.pathsep.join([str(az.parent), os.environ["PATH"]]))

    ours = end("arm", lambda _: None)
    theirs = end("az", by_az)
    assert theirs.keys() == ours.keys()
    other = {k: _differing(body, ours[k]) for k, body in theirs.items() if body != ours[k]}
    assert other == {}


def _differing(one: Any, other: Any) -> Any:
    """What is not the same in two values, as pairs."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return one, other
    names = one.keys() | other.keys()
    return {n: _differing(one.get(n), other.get(n)) for n in names if one.get(n) != other.get(n)}
