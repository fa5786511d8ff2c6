"""Every failure that operators are known to hit is planted in the table, or it is said why it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.mistakes.table import HERE, mistakes

KNOWN: list[dict[str, Any]] = yaml.safe_load((HERE / "known.yaml").read_text(encoding="utf-8"))


def test_every_known_failure_is_in_the_table_or_has_a_reason() -> None:
    rows = {row.it for row in mistakes()}
    for known in KNOWN:
        assert known["from"], known
        assert ("rows" in known) != ("why" in known), known
        assert known.get("why", "planted")
        assert known.get("rows", True)
        assert set(known.get("rows", ())) - rows == set(), known["it"]
    assert len({known["it"] for known in KNOWN}) == len(KNOWN)


@pytest.mark.parametrize("least", [60])
def test_most_known_failures_are_planted(least: int) -> None:
    planted = [known for known in KNOWN if "rows" in known]
    assert len(KNOWN) >= least
    assert len(planted) / len(KNOWN) > 0.8
