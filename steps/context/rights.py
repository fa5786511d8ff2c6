"""Tests every right that later nodes need before the first write, and finds locks that would stop them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from runbook.core.arm import Reader
from runbook.core.error import Refused
from runbook.core.ids import subscription_of
from runbook.core.rights import LACKING
from runbook.step import Blocked, Check, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.look import name_of, said, same
from steps._shared.providers import read_provider
from steps._shared.rights import grants_at, is_granted
from steps.context._locks import level_of, lock_text, reaches

HANDED: Final = "handed"
"""What a word says that names the team which does what needs the missing rights."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One right and who needs it.

    Attributes:
        action: an operation name, such as ``Microsoft.Network/privateEndpoints/write``.
        scope: a subscription, resource group or resource id.
        purpose: the title of the node that needs it.
        applies: whether this run needs it at all.
        unless_registered: a provider; when it is registered already, the right is not needed.
        names: what inside ``scope`` is written to, of the action's own type: a lock on one of them matters, too.
        otherwise: what happens without the right, where the run can do without; it is then a finding.
    """

    action: str
    scope: str
    purpose: str
    applies: bool = True
    unless_registered: str = ""
    names: tuple[str, ...] = ()
    otherwise: str = ""

    @property
    def places(self) -> tuple[str, ...]:
        """Ids of everything that is written to."""
        kind = self.action.rpartition("/")[0]
        return (self.scope, *(f"{self.scope}/providers/{kind}/{name}" for name in self.names))


class Rights(Step):
    """Rights and locks in one subscription.

    A missing right can be accepted by a word that names it; a word that does not name it is none on it. Or a word names
    the team that does what needs the rights: the output ``lacking`` then tells the engine which these are.

    Deny assignments are not part of Azure's answer, so it may still refuse.

    Source: Permissions 2022-04-01; Management Locks 2020-05-01; "Understand Azure role definitions", Microsoft Learn.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        subscription: str
        demands: tuple[Demand, ...]
        more: tuple[Demand, ...] = ()

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        here = await self._here(ctx.arm)
        grants = {scope: await grants_at(ctx.arm, scope) for scope in dict.fromkeys(d.scope for d in here)}
        lacking = [d for d in here if not is_granted(d.action, grants[d.scope])]
        wanted = [d for d in lacking if not d.otherwise]
        words = " ".join(word["text"] for word in ctx.attested if not word.get("says")).lower()
        team = next((word for word in reversed(ctx.attested) if word.get("says") == HANDED), None)
        missing = [] if team else [d for d in wanted if d.action.lower() not in words]
        theirs = [d for d in wanted if d.action.lower() not in words] if team else []
        checks = [check for scope in grants if (check := _rights_check(scope, here, missing)) is not None]
        checks += [
            expect(d.action, f"held, to {_lower(d.purpose)}", f"missing, accepted: {said(ctx.attested[-1])}", ok=True)
            for d in wanted
            if d not in missing and d not in theirs
        ]
        if team:
            found = f"missing; {team['text']} does what needs it"
            checks += [expect(d.action, f"held, to {_lower(d.purpose)}", found, ok=True) for d in theirs]
        checks += [
            expect(d.action, f"held, to {_lower(d.purpose)}", d.otherwise, ok=True) for d in lacking if d.otherwise
        ]
        if missing:
            lines = "; ".join(f"{d.action} on {d.scope} (needed to {_lower(d.purpose)})" for d in missing)
            return Blocked(
                "rights-missing",
                f"{ctx.run.account} lacks {len(missing)} of {len(here)} rights: {lines}.",
                (
                    "Have an owner assign a role that holds them at the scope named (Contributor holds all of them), "
                    "sign in again so that the token knows it, then retry.",
                    "Drive this run with an account that holds them.",
                    "Have another team do what needs them: hand this node over to it (`runbook handover`, or H). What "
                    "needs them then waits for that team, with a document of what to do.",
                    "Go on without them, knowing that Azure will refuse what needs them: vouch for it, naming each.",
                ),
                checks,
                words=((HANDED, "Another team does what needs them; its name is the text"),),
                attest=f"I go on without {', '.join(sorted({d.action for d in missing}))}",
            )
        lacks = [{"action": d.action, "scope": d.scope, "to": team["text"], "by": team["by"]} for d in theirs if team]
        return await self._locks(ctx, here, checks, {LACKING: lacks} if lacks else {})

    async def _here(self, arm: Reader) -> list[Demand]:
        """What this run demands in this subscription."""
        p = self.params
        found: list[Demand] = []
        for demand in (*p.demands, *p.more):
            if any(d.action == demand.action and same(d.scope, demand.scope) for d in found):
                continue
            if not (demand.applies and demand.scope and same(subscription_of(demand.scope), p.subscription)):
                continue
            namespace = demand.unless_registered
            if namespace and (await read_provider(arm, p.subscription, namespace)).is_registered:
                continue
            found.append(demand)
        return found

    async def _locks(
        self, ctx: StepContext, here: Sequence[Demand], checks: list[Check], more: dict[str, Any]
    ) -> Verdict:
        path = f"/subscriptions/{self.params.subscription}/providers/Microsoft.Authorization/locks"
        try:
            locks = await ctx.arm.list(path, versions.LOCKS)
        except Refused as refused:
            if refused.status != 403:
                raise
            note = expect("read-only locks in the way", "none", "not readable with this account", ok=True)
            rights = "All rights are there" if not more else "What lacks a right is handed over"
            return Satisfied((*checks, note), summary=f"{rights}; locks could not be read.", outputs=more)
        places = {place for d in here for place in d.places}
        stops = [lock for lock in locks if level_of(lock) == "readonly" and reaches(lock, places)]
        keeps = [lock for lock in locks if level_of(lock) == "cannotdelete" and reaches(lock, places)]
        checks.append(expect("read-only locks in the way", "none", [lock_text(lock) for lock in stops]))
        if keeps:
            told = [lock_text(k) for k in keeps]
            checks.append(expect("delete locks", "allowed; they only hinder undoing", told, ok=True))
        if stops:
            return Blocked(
                "lock-forbids-writes",
                f"A read-only lock stands over what this run writes: {'; '.join(map(lock_text, stops))}.",
                (
                    "Have the lock's owner lift it for the time of this run, then retry.",
                    "Start a run that works in another resource group.",
                ),
                checks,
            )
        return Satisfied(checks, outputs={"rights": len(here), "delete_locks": [lock_text(k) for k in keeps], **more})


def _rights_check(scope: str, here: Sequence[Demand], missing: Sequence[Demand]) -> Check | None:
    """None where only rights are asked for that the run can do without."""
    wanted = [d for d in here if d.scope == scope and (d in missing or not d.otherwise)]
    if not wanted:
        return None
    lacking = sorted({d.action for d in missing if d.scope == scope})
    have = f"{len(wanted) - len([d for d in missing if d.scope == scope])} of {len(wanted)}"
    observed = have if not lacking else f"{have}; missing {', '.join(lacking)}"
    return expect(f"rights on {_scope_text(scope)}", f"{len(wanted)} of {len(wanted)}", observed, ok=not lacking)


def _scope_text(scope: str) -> str:
    parts = scope.strip("/").split("/")
    kind = "subscription" if len(parts) == 2 else parts[-2].removesuffix("s")
    # resourceGroup and virtualNetwork as people say them.
    return f"the {re.sub('([A-Z])', lambda letter: f' {letter[0].lower()}', kind)} {name_of(scope)}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
