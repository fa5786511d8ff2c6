"""Makes sure that a resource group exists. An existing one is used as it is, wherever it is and whatever its tags."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.step import Change, Changes, Diff, InProgress, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.faces import in_context, word
from steps._shared.look import find, is_busy, same_region, state_of


class ResourceGroup(Step):
    """One resource group. Its region says only where Azure keeps the group's own data.

    Source: Resource Groups 2021-04-01.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        subscription: str
        name: str
        location: str

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        path = f"/subscriptions/{p.subscription}/resourceGroups/{p.name}"
        group = await find(ctx.arm, path, versions.RESOURCES)
        if group is None:
            return Changes((self._create(path),), (expect("resource group", "present", "absent"),))
        if is_busy(group):
            return InProgress(f"Resource group {p.name} is {state_of(group)}.")
        where = str(group.get("location", ""))
        remark = where if same_region(where, p.location) else f"{where} (its contents may still be in {p.location})"
        checks = (
            expect("resource group", "present", "present"),
            expect("provisioning state", "Succeeded", state_of(group)),
            expect("region of the group", p.location, remark, ok=True),
        )
        return Satisfied(checks, outputs={"id": group.get("id", path), "name": p.name, "location": where})

    def _create(self, path: str) -> Change:
        p = self.params
        return Change(
            title=f"Create resource group {p.name}",
            method="PUT",
            path=path,
            api_version=versions.RESOURCES,
            body={"location": p.location},
            diff=(Diff("", None, {"location": p.location}),),
            az=("az", "group", "create", "--name", p.name, "--location", p.location, "--subscription", p.subscription),
            powershell=in_context(p.subscription, f"New-AzResourceGroup -Name {word(p.name)} -Location {p.location}"),
        )
