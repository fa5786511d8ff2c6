"""Finds out how a feature flag is called whose name nobody publishes: it is read, offered, and chosen by a person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbook.core.arm import Reader
from runbook.step import Blocked, Check, Satisfied, Step, StepContext, Verdict, Waiting, expect
from steps._shared import versions
from steps._shared.look import dig, name_of, said, same

MOST = 12
"""So many flags are named on screen; a provider may list hundreds."""


class FlagChoice(Step):
    """One flag of one provider. A name is taken from the list or from the operator, never made up.

    Source: Features 2021-07-01. The classic list has no display names, and the articles print nothing else.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``contains`` is what a fitting name holds; ``name`` the one that the operator knows, or empty."""

        subscription: str
        namespace: str
        contains: str = "private"
        name: str = ""

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        states = await _catalogue(ctx.arm, p.subscription, p.namespace)
        if p.name:
            return self._named(states)
        fitting = [name for name in states if p.contains.lower() in name.lower()]
        word = ctx.attested[-1] if ctx.attested else None
        named = _named_in(word["text"], states) if word else []
        if word and len(named) == 1:
            return self._chosen(named[0], states, said(word))
        if word and not named and len(fitting) == 1:
            return self._chosen(fitting[0], states, said(word))
        if word and not fitting:
            check = expect(self._title, "as the list offers", f"none: {said(word)}", ok=True)
            return Satisfied((check,), {"name": ""}, "No flag is asked for, on the operator's word.")
        if not fitting:
            return self._none(states)
        return self._offer(fitting, states, missed=named if word else None)

    @property
    def _title(self) -> str:
        return f"flag of {self.params.namespace}"

    def _named(self, states: Mapping[str, str]) -> Verdict:
        p = self.params
        bare = name_of(p.name)
        found = next((name for name in states if same(name, bare)), None)
        if found is not None:
            return self._chosen(found, states, "named for this run")
        return Blocked(
            "flag-not-listed",
            f"{p.namespace} lists no flag {bare} in subscription {p.subscription}. It lists {_listing(states)}.",
            ("Start a run with a name from the list.", "Start a run without a name: what fits is then offered."),
            (expect(self._title, bare, _listing(states), ok=False),),
        )

    def _chosen(self, name: str, states: Mapping[str, str], why: str) -> Satisfied:
        checks = (
            expect(self._title, "one that is listed", name, ok=True),
            expect("chosen", "by a person", why, ok=True),
            expect("its state", "any", states[name], ok=True),
        )
        return Satisfied(checks, {"name": name}, f"{name} is the flag that is asked for.")

    def _none(self, states: Mapping[str, str]) -> Blocked:
        p = self.params
        return Blocked(
            "flag-not-offered",
            f"{p.namespace} lists no flag with “{p.contains}” in its name in subscription {p.subscription}. It lists "
            f"{_listing(states)}.",
            (
                "Find the flag in the portal (Subscriptions, Preview features) and start a run with its name.",
                "Say that it is not needed here and why, for example because endpoints work already.",
                "Name the right one of the list in your word.",
            ),
            (expect(self._title, f"one with “{p.contains}”", _listing(states), ok=False),),
            attest="It is not needed here, because …",
        )

    def _offer(self, fitting: Sequence[str], states: Mapping[str, str], *, missed: Sequence[str] | None) -> Waiting:
        p = self.params
        lines = "\n".join(f"  {name}  ({states[name]})" for name in fitting)
        again = "" if missed is None else _missed(missed)
        checks: list[Check] = [
            expect(self._title, "one, chosen by a person", f"{len(fitting)} fit: {', '.join(fitting)}", ok=False)
        ]
        only = len(fitting) == 1
        return Waiting(
            who="you, to choose the flag",
            message=f"{again}The articles give the flag's display name only. "
            + (
                f"One of {len(states)} listed flags speaks of “{p.contains}”: {fitting[0]}. Say whether it is this "
                "one, or name another of the list."
                if only
                else f"{len(fitting)} of {len(states)} listed flags speak of “{p.contains}”. Name one of them."
            ),
            then="The flag is asked for in every subscription that takes part.",
            draft=f"Flags of {p.namespace} in subscription {p.subscription}:\n\n{lines}\n\n"
            "The portal shows display names beside them: Subscriptions, Preview features.",
            attest=f"It is {fitting[0]}" if only else "It is … (name one flag of the list)",
            checks=checks,
        )


async def _catalogue(arm: Reader, subscription: str, namespace: str) -> dict[str, str]:
    """Flags and their states, by name. ARM puts the namespace before the name."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.Features/providers/{namespace}/features"
    docs = await arm.list(path, versions.FEATURES)
    found = {name_of(str(d.get("name", ""))): str(dig(d, "properties", "state") or "NotRegistered") for d in docs}
    return {name: found[name] for name in sorted(found, key=str.lower) if name}


def _named_in(text: str, states: Mapping[str, str]) -> list[str]:
    """Flags that a text names as whole words."""
    words = {w.lower().rstrip(".") for w in re.findall(r"[\w.-]+", text)}
    return [name for name in states if name.lower() in words]


def _missed(named: Sequence[str]) -> str:
    if not named:
        return "Your last word named no flag of the list. "
    return f"Your last word named {len(named)} flags ({', '.join(named)}); it takes one. "


def _listing(states: Mapping[str, str]) -> str:
    if not states:
        return "no flags at all"
    shown = ", ".join(list(states)[:MOST])
    return f"{shown} and {len(states) - MOST} more" if len(states) > MOST else shown
