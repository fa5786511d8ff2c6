"""Which api-version the RDP Shortpath properties are read and written with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runbook.core.arm import Json
from runbook.core.error import Refused
from runbook.step import Changes, StepContext
from steps.avd.shortpath import Shortpath
from tests.steps.table import HERE, TableCloud, cases, context

LISTED = ["2024-04-03", "2025-04-01-preview", "2025-10-10", "2026-02-01", "2022-10-14-preview"]


@dataclass(frozen=True, slots=True)
class Versioned(TableCloud):
    """The table's cloud, where only some api-versions know the property and some are refused."""

    knowing: tuple[str, ...] = ()
    refusing: tuple[str, ...] = ()
    status: int = 400

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        found = await TableCloud.get(self, path, api_version, **query)
        if found is None or "resourceTypes" in found:
            return found
        if api_version in self.refusing:
            raise Refused("no", status=self.status, arm_code="InvalidApiVersionParameter")
        return found if api_version in self.knowing else {"properties": {}}


def scene(*knowing: str, refusing: tuple[str, ...] = (), status: int = 400) -> tuple[Shortpath, StepContext]:
    case = next(cases(Path(HERE / "avd" / "shortpath.yaml")))
    provider = next(doc for doc in case.cloud.values() if "resourceTypes" in doc)
    provider["resourceTypes"][0]["apiVersions"] = LISTED
    arm = Versioned(case.cloud, [], knowing, refusing, status)
    return Shortpath(Shortpath.Params(**case.params)), replace(context(case), arm=arm)


@pytest.mark.parametrize(
    ("knowing", "taken"),
    [
        (("2025-04-01-preview",), "2025-04-01-preview"),
        (("2025-04-01-preview", "2025-10-10"), "2025-10-10"),
        (("2025-04-01-preview", "2025-10-10", "2026-02-01"), "2026-02-01"),
    ],
)
async def test_the_newest_version_that_answers_with_the_property_is_used(knowing: tuple[str, ...], taken: str) -> None:
    step, ctx = scene(*knowing)
    verdict = await step.observe(ctx)
    assert isinstance(verdict, Changes)
    assert verdict.changes[0].api_version == taken


async def test_a_listed_version_that_is_not_served_is_passed_over() -> None:
    step, ctx = scene("2025-04-01-preview", refusing=("2026-02-01", "2025-10-10"))
    verdict = await step.observe(ctx)
    assert isinstance(verdict, Changes)
    assert verdict.changes[0].api_version == "2025-04-01-preview"


async def test_a_refusal_for_another_reason_is_not_passed_over() -> None:
    step, ctx = scene("2025-04-01-preview", refusing=("2026-02-01",), status=403)
    with pytest.raises(Refused):
        await step.observe(ctx)
