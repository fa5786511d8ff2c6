"""Makes the workspace that carries the endpoint of the feed discovery, or takes the one that is there."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Json
from runbook.core.ids import resource_id
from runbook.step import Blocked, Change, Changes, Diff, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.faces import by_hand, word
from steps._shared.look import find, name_of, properties, said, same_region
from steps.avd._names import WORKSPACES, access_of

FRIENDLY: Final = "Feed discovery, do not delete"
DESCRIPTION: Final = "Carries the global private endpoint. Deleting it stops the feed discovery of every user."


class Placeholder(Step):
    """One workspace without application groups.

    Deleting the workspace behind the global endpoint stops feed discovery for everybody, so it should be one that
    nobody has a reason to delete. The service ignores its ``publicNetworkAccess`` while it carries that endpoint, so
    the value is left alone.

    Source: the preview article of 2022-12-06 (limitations); "Set up Private Link with Azure Virtual Desktop",
    2023-07-17; DesktopVirtualization 2024-04-03 (writes are answered at once).
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``location`` counts only if it has to be made; an existing one may be anywhere."""

        subscription: str
        resource_group: str
        name: str
        location: str

    params: Params

    @property
    def _id(self) -> str:
        p = self.params
        return resource_id(p.subscription, p.resource_group, WORKSPACES, p.name)

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        doc = await find(ctx.arm, self._id, versions.AVD)
        if doc is None:
            return Changes((self._create(),), (expect("placeholder workspace", "present", "absent"),))
        carried = [name_of(str(g)) for g in properties(doc).get("applicationGroupReferences") or ()]
        where = str(doc.get("location", ""))
        remark = where if same_region(where, p.location) else f"{where}, where it was made; endpoints may be elsewhere"
        empty = expect("application groups on it", "none", carried, ok=not carried or bool(ctx.attested))
        checks = [
            expect("placeholder workspace", "present", "present"),
            empty,
            expect("region", p.location, remark, ok=True),
            expect(
                "public network access",
                "any: ignored while it carries the global endpoint",
                access_of(doc),
                ok=True,
            ),
        ]
        if carried and not ctx.attested:
            return Blocked(
                "placeholder-in-use",
                f"Workspace {p.name} publishes {len(carried)} application group{'' if len(carried) == 1 else 's'}: "
                f"{', '.join(carried[:8])}. Whoever "
                "deletes it one day, as workspaces in use are deleted, stops feed discovery for every user; and with "
                "its own feed endpoint on it, that feed was seen to resolve publicly.",
                (
                    "Start a run with another placeholder: one that does not exist is made.",
                    "Move its application groups to another workspace, then retry.",
                    "Vouch for it here, if it must be this one.",
                ),
                checks,
                attest=f"Use {p.name} although deleting it would stop discovery for everybody: who decided",
            )
        if carried:
            checks.append(expect("used although it is in use", "attested", said(ctx.attested[-1]), ok=True))
        outputs = {"id": str(doc.get("id") or self._id), "name": p.name, "application_groups": len(carried)}
        return Satisfied(checks, outputs)

    def _create(self) -> Change:
        p = self.params
        body: Json = {
            "location": p.location,
            "properties": {"friendlyName": FRIENDLY, "description": DESCRIPTION},
        }
        az = (
            *("az", "desktopvirtualization", "workspace", "create", "--subscription", p.subscription),
            *("--resource-group", p.resource_group, "--name", p.name, "--location", p.location),
            *("--friendly-name", FRIENDLY, "--description", DESCRIPTION),
        )
        return Change(
            title=f"Create placeholder workspace {p.name}",
            method="PUT",
            path=self._id,
            api_version=versions.AVD,
            body=body,
            diff=(Diff("", None, body),),
            by_hand=by_hand(
                az=("az extension add --name desktopvirtualization", shlex.join(az)),
                powershell=(
                    f"New-AzWvdWorkspace -SubscriptionId {p.subscription} -ResourceGroupName {word(p.resource_group)} "
                    f"-Name {word(p.name)} -Location {p.location} -FriendlyName {word(FRIENDLY)} -Description "
                    f"{word(DESCRIPTION)}",
                ),
            ),
        )
