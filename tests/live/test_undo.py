"""A live run is taken back against a real Resource Manager over HTTPS."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runbook.core.error import ContextError, UsageError
from runbook.core.state import RunState
from runbook.engine.engine import Until
from runbook.home import run_ids
from runbook.wiring.confirm import confirmation
from runbook.wiring.undo import create_undo, look_back
from tests.live.cloud import NAMES, RUN, azure, begin, drive


def test_a_live_run_is_taken_back_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with azure("arc-ga", monkeypatch) as there:
        before = there.resources()
        begin(tmp_path, there)
        drive(tmp_path, there, until=Until.STUCK)
        there.requests.clear()
        lookout, undo = look_back(tmp_path, RUN, lambda _: there.signed_in())
        findings = asyncio.run(lookout.survey())
        assert sum(f.verdict == "change" for f in findings) == len(undo.takebacks)
        assert there.writes == [], "a plan only reads"

        def refuse(pinned: Any) -> None:
            confirmation(pinned, "dana@contoso.com", ())

        with pytest.raises(UsageError, match="was not confirmed"):
            create_undo(tmp_path, RUN, durable=False, signed_in=there.signed_in(), agree=refuse)
        with pytest.raises(ContextError):
            create_undo(tmp_path, RUN, durable=False, signed_in=there.signed_in(tenant="another"))
        assert run_ids(tmp_path) == [RUN]
        name = create_undo(tmp_path, RUN, durable=False, signed_in=there.signed_in())
        driven = drive(tmp_path, there, said=NAMES, until=Until.STUCK, run=name)
        assert driven.view.state is RunState.DONE, {n.id: (n.state, n.error) for n in driven.view.nodes.values()}
        assert set(there.resources()) == set(before)
