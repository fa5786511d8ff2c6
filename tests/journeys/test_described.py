"""No call of a rehearsal is one that Azure does not describe."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runbook.wiring import Rehearsal
from tests.journeys.scenes import rehearse
from tests.sim.openapi import find, needs_specs

_UNDESCRIBED = ("operation", "/microsoft.authorization/permissions", "/connections", "/virtualnetworkgateways")
"""Reads whose descriptions are not among the files at hand."""


@needs_specs
@pytest.mark.parametrize("scenario", ["arc-preview", "arc-ga", "arc-brownfield", "arc-trouble"])
def test_every_call_of_a_rehearsal_is_described_in_azures_openapi(tmp_path: Path, scenario: str) -> None:
    calls: set[tuple[str, str]] = set()

    def listen(session: Rehearsal) -> None:
        session.transport.before_send = lambda request: calls.add((request.method, urlsplit(request.url).path))

    rehearse(tmp_path, scenario, prepare=listen)
    assert len(calls) > 50
    for method, path in sorted(calls):
        generic = any(part in path.lower() for part in _UNDESCRIBED)
        assert find(method, path).template != "/{resourceId}" or generic, path
