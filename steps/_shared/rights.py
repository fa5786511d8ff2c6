"""What the signed-in account may do at a scope, as Azure answers it.

A right is granted when one entry has a matching action and no matching not-action; entries add up. Deny assignments
are not part of the answer.

Source: Permissions 2022-04-01; "Understand Azure role definitions", Microsoft Learn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from runbook.core.arm import Json, Reader
from runbook.core.error import Refused
from runbook.core.ids import subscription_of
from steps._shared import versions
from steps._shared.look import group_of, same

ASKED: Final = "/providers/Microsoft.Authorization/permissions"


async def grants_at(arm: Reader, scope: str) -> list[Json]:
    """What this account may do at a scope: asked at its resource group, or at the subscription while that is absent."""
    group = group_of(scope)
    found = await arm.list(group + ASKED, versions.PERMISSIONS)
    if not found and "/resourcegroups/" in group.lower():
        found = await arm.list(f"/subscriptions/{subscription_of(scope)}{ASKED}", versions.PERMISSIONS)
    if same(group, scope):
        return found
    # A role may be assigned on the resource alone, which its group's answer does not show.
    try:
        return [*found, *await arm.list(scope + ASKED, versions.PERMISSIONS)]
    except Refused as refused:
        if refused.status not in (400, 404):
            raise
        return found


async def holds(arm: Reader, action: str, scope: str) -> bool:
    """Whether this account may do one thing at a scope; the resource itself is asked only where its group says no."""
    if is_granted(action, await arm.list(group_of(scope) + ASKED, versions.PERMISSIONS)):
        return True
    return is_granted(action, await grants_at(arm, scope))


def is_granted(action: str, grants: Iterable[Json]) -> bool:
    """Whether one entry allows the action and does not take it back."""
    return any(
        _matches(action, g.get("actions") or ()) and not _matches(action, g.get("notActions") or ()) for g in grants
    )


def _matches(action: str, patterns: Iterable[str]) -> bool:
    # fnmatch would read brackets as a set; operation names have none, but a custom role may hold anything.
    return any(fnmatchcase(action.lower(), re.sub(r"([\[?])", r"[\1]", p.lower())) for p in patterns)
