"""Decides whose procedure applies, the preview's of 2022 or today's, and which subscriptions take part in what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from runbook.core.arm import Reader
from runbook.core.error import Refused
from runbook.step import Blocked, Check, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.look import find, name_of, region
from steps._shared.providers import ProviderView, read_provider
from steps.avd._names import CLOUDS, FLAG_CLOUDS, NAMESPACE, TAGS

FIRST: Final = "2023"
"""No stable version before this year knows private endpoint connections; 2024-04-03 was held against its description.

Source: Azure/azure-rest-api-specs, desktopvirtualization, July 2024 (general availability was in July 2023).
"""
UNREADABLE: Final = "(not readable)"


class Edition(Step):
    """``preview`` or ``ga``, as asked for or, with ``auto``, as the resource provider shows.

    Source: Providers 2021-04-01, Features 2021-07-01; the articles of 2022-12-06 and 2023-07-17, which ask for a
    feature flag in the preview and, today, in US Government and 21Vianet.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``location`` is where new workspaces go; empty when there are none."""

        subscriptions: tuple[str, ...]
        zones_subscription: str
        location: str

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        members = list(dict.fromkeys(s.lower() for s in p.subscriptions))
        if refusal := await self._refused(ctx, members):
            return refusal
        view = await read_provider(ctx.arm, members[0], NAMESPACE)
        stable = stable_with_private_link(view)
        edition, why = _edition(ctx.run.edition, stable)
        asked = "as found" if ctx.run.edition == "auto" else f"{ctx.run.edition}, as asked for"
        checks = [
            expect("edition", asked, f"{edition}: {why}", ok=True),
            expect("stable versions with private link", "listed in ga", stable[:3], ok=True),
        ]
        if refusal := _not_offered(view, p.location, checks):
            return refusal
        needs_flag, note = await _flag(ctx, members, edition)
        checks.append(expect("feature flag", "as edition and cloud need", note, ok=True))
        summary = "The preview's procedure applies." if edition == "preview" else "Today's procedure applies."
        return Satisfied(checks, self._outputs(ctx, members, edition, needs_flag), f"{summary} {note}")

    async def _refused(self, ctx: StepContext, members: list[str]) -> Blocked | None:
        if not members:
            return Blocked("subscription-unnamed", "No subscription is named.", ("Start a run that names one.",))
        if ctx.run.cloud not in CLOUDS:
            return Blocked(
                "cloud-unknown",
                f"Azure Virtual Desktop private link is not described for {ctx.run.cloud}: its zones are not known.",
                (f"Sign in to one of these clouds and start a run there: {', '.join(CLOUDS)}.",),
            )
        for subscription in members:
            if await find(ctx.arm, f"/subscriptions/{subscription}", versions.SUBSCRIPTIONS) is None:
                return Blocked(
                    "subscription-not-visible",
                    f"{ctx.run.account} sees no subscription {subscription} in tenant {ctx.run.tenant}.",
                    (
                        "Sign in to the tenant that holds it, then retry.",
                        "Start a run with the right subscription id.",
                    ),
                )
        return None

    def _outputs(self, ctx: StepContext, members: list[str], edition: str, needs_flag: bool) -> Mapping[str, Any]:
        names = {s.lower(): name for s, name in ctx.run.subscriptions.items()}
        zones_home = self.params.zones_subscription.lower()
        # Networks may lie in still others: whatever the run may write to is checked beforehand.
        involved = dict.fromkeys([*members, *([zones_home] if zones_home else ()), *sorted(names)])
        zones = CLOUDS[ctx.run.cloud]
        return {
            "edition": edition,
            "needs_flag": needs_flag,
            "subscriptions": [{"id": s, "name": names.get(s) or s} for s in members],
            "ids": members,
            "involved": [{"id": s, "name": names.get(s) or s} for s in involved],
            "zones_apart": bool(zones_home) and zones_home not in members,
            "feed_zone": zones.feed,
            "global_zone": zones.discovery,
            "public_suffix": zones.suffix,
            "discovery_name": zones.discovery_name,
            "tags": list(TAGS[edition]),
        }


def stable_with_private_link(view: ProviderView) -> list[str]:
    """Stable api-versions of host pools that know private endpoint connections, newest first.

    Where the provider lists the connections as a type of their own, a version must be among theirs, too.
    """
    found = [v for v in view.stable_versions("hostpools") if v >= FIRST]
    own = view.find_type("hostpools/privateEndpointConnections")
    return found if own is None else [v for v in found if v in (own.get("apiVersions") or ())]


def _edition(asked: str, stable: list[str]) -> tuple[str, str]:
    if asked in ("preview", "ga"):
        return asked, "set for this run"
    if stable:
        return "ga", f"host pools are offered with the stable version {stable[0]}"
    return "preview", f"host pools are offered with no stable version from {FIRST} on that knows private endpoints"


async def _flag(ctx: StepContext, members: list[str], edition: str) -> tuple[bool, str]:
    """Whether a feature flag has to be asked for, and what that rests on."""
    if edition == "ga" and ctx.run.cloud not in FLAG_CLOUDS:
        return False, "No feature flag is needed."
    listed = await _private_flags(ctx.arm, members)
    if UNREADABLE in listed:
        return True, "A feature flag is needed; the list of flags cannot be read in every subscription."
    if listed:
        return True, f"A feature flag is needed; the list offers {', '.join(listed)}."
    if edition == "ga" and ctx.run.cloud == "AzureUSGovernment":
        return False, (
            "The article of 2023-07 asks for a feature flag in this cloud, a later one does not, and the list shows "
            "none that speaks of private link: none is asked for."
        )
    return True, "A feature flag is needed by the article, yet the list shows none that speaks of private link."


async def _private_flags(arm: Reader, members: list[str]) -> list[str]:
    """Names of flags that speak of private link, over all subscriptions. Their internal names are not published."""
    found: set[str] = set()
    for subscription in members:
        path = f"/subscriptions/{subscription}/providers/Microsoft.Features/providers/{NAMESPACE}/features"
        try:
            docs = await arm.list(path, versions.FEATURES)
        except Refused as refused:
            if refused.status != 403:
                raise
            found.add(UNREADABLE)
            continue
        names = (name_of(str(d.get("name", ""))) for d in docs)
        found |= {n for n in names if "private" in n.lower()}
    return sorted(found)


def _not_offered(view: ProviderView, location: str, checks: list[Check]) -> Blocked | None:
    kind = view.find_type("workspaces")
    if not location or kind is None or view.is_open("workspaces", location):
        return None
    offered = sorted(region(r) for r in kind.get("locations") or ())
    return Blocked(
        "region-not-offered",
        f"{location} does not offer workspaces of Azure Virtual Desktop.",
        (
            f"Start a run with one of the regions that do: {', '.join(offered)}. Networks and session hosts may "
            "be elsewhere.",
            "Check the spelling of the region.",
        ),
        checks,
    )
