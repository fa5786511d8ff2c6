"""Keeps a resource from being deleted by accident."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Json
from runbook.core.error import Refused
from runbook.core.ids import subscription_of
from runbook.step import Change, Changes, Check, Diff, Poll, Satisfied, Step, StepContext, Verdict, Waiting, expect
from steps._shared import versions
from steps._shared.faces import by_hand, in_context, word
from steps._shared.look import dig, name_of, said, same
from steps._shared.rights import holds
from steps.context._locks import level_of, lock_scope, lock_text, reaches

LEVEL: Final = "CanNotDelete"
FORBIDS: Final = frozenset({"cannotdelete", "readonly"})
"""Levels that forbid deleting."""
RIGHT: Final = "Microsoft.Authorization/locks/write"
"""Held by Owner and User Access Administrator; Contributor's role takes it back."""
LONGEST_NOTES: Final = 512


class Lock(Step):
    """One lock against deletion. Any lock that forbids it, here or further up and of whatever name, is enough.

    Source: Management Locks 2020-05-01; "Lock your resources to protect your infrastructure", Microsoft Learn.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``notes`` say why, to whoever meets the lock later."""

        scope: str
        name: str
        notes: str

    params: Params

    @property
    def _path(self) -> str:
        return f"{self.params.scope}/providers/Microsoft.Authorization/locks/{self.params.name}"

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        title = f"lock against deleting {name_of(p.scope)}"
        locks = await self._locks(ctx)
        if locks is None:
            return self._ask(ctx, expect(title, LEVEL, "not readable with this account"))
        keeping = [lock for lock in locks if level_of(lock) in FORBIDS and reaches(lock, (p.scope,))]
        if keeping:
            found = [f"{dig(lock, 'properties', 'level')}: {lock_text(lock)}" for lock in keeping]
            return Satisfied((expect(title, "present", found, ok=True),), {"id": str(keeping[0].get("id", ""))})
        check = expect(title, LEVEL, "none")
        if not await holds(ctx.arm, RIGHT, p.scope):
            return self._ask(ctx, check)
        mine = next((k for k in locks if same(lock_scope(k), p.scope) and same(str(k.get("name", "")), p.name)), None)
        return Changes((self._put(mine),), (check,))

    async def _locks(self, ctx: StepContext) -> list[Json] | None:
        """Every lock of the subscription, which shows those further up, too; None when they cannot be read."""
        subscription = subscription_of(self.params.scope)
        try:
            return await ctx.arm.list(
                f"/subscriptions/{subscription}/providers/Microsoft.Authorization/locks", versions.LOCKS
            )
        except Refused as refused:
            if refused.status != 403:
                raise
            return None

    def _ask(self, ctx: StepContext, check: Check) -> Verdict:
        p = self.params
        if ctx.attested:
            word_given = expect(check.name, LEVEL, said(ctx.attested[-1]), ok=True)
            return Satisfied((word_given,), {"id": ""}, f"{name_of(p.scope)} is left to its owner's word.")
        return Waiting(
            who=f"an owner of {name_of(p.scope)}",
            message=f"{ctx.run.account} may not lock it: that takes {RIGHT}, which Owner and User Access Administrator "
            "hold and Contributor does not. Hand the lines below over.",
            then="The lock is seen by itself and the work goes on.",
            poll=Poll(first_s=300, longest_s=4 * 3600),
            draft=f"Please keep {p.scope} from being deleted. {p.notes}\n\n" + self._lines(),
            attest="It is locked, or may stay without a lock: who decided",
            checks=(check,),
        )

    def _lines(self) -> str:
        p = self.params
        subscription = subscription_of(p.scope) or ""
        az = ("az", "lock", "create", "--name", p.name, "--lock-type", LEVEL, "--resource", p.scope, "--notes", p.notes)
        shell = (
            f"New-AzResourceLock -LockName {word(p.name)} -LockLevel {LEVEL} -LockNotes {word(p.notes)} "
            f"-Scope {word(p.scope)} -Force"
        )
        return by_hand(az=(shlex.join(az),), powershell=(in_context(subscription, shell),))

    def _put(self, mine: Json | None) -> Change:
        p = self.params
        body: Json = {"properties": {"level": LEVEL, "notes": p.notes[:LONGEST_NOTES]}}
        return Change(
            title=f"Lock {name_of(p.scope)} against deletion",
            method="PUT",
            path=self._path,
            api_version=versions.LOCKS,
            body=body,
            diff=(Diff("properties.level", dig(mine, "properties", "level"), LEVEL),),
            by_hand=self._lines(),
        )
