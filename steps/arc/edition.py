"""Decides whose procedure applies, the preview's of 2021 or today's, and which subscriptions take part in what."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.core.arm import Json
from runbook.core.ids import subscription_of
from runbook.step import Blocked, Check, Satisfied, Step, StepContext, Verdict, expect
from steps._shared import versions
from steps._shared.look import dig, find, region
from steps._shared.providers import ProviderView, read_provider
from steps.arc._names import FLAG, NAMESPACE, PROVIDERS, SCOPES, TAGS, ZONES, needed_type


class Edition(Step):
    """``preview`` or ``ga``, as asked for or, with ``auto``, as the cloud shows.

    The provider shows the type ``privateLinkScopes`` to everybody since it is generally available; during the preview
    it showed it only where the feature flag had been approved.

    Source: Providers 2021-04-01, Features 2021-07-01; the Arc articles of 2021-03-18 and 2026-05-04.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``vnet`` is the network of the endpoint, whose subscription takes part, too."""

        subscription: str
        additional_subscriptions: tuple[str, ...]
        zones_subscription: str
        location: str
        vnet: str

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        if await find(ctx.arm, f"/subscriptions/{p.subscription}", versions.SUBSCRIPTIONS) is None:
            return Blocked(
                "subscription-not-visible",
                f"{ctx.run.account} sees no subscription {p.subscription} in tenant {ctx.run.tenant}.",
                ("Sign in to the tenant that holds it, then retry.", "Start a run with the right subscription id."),
            )
        view = await read_provider(ctx.arm, p.subscription, NAMESPACE)
        flag = await find(
            ctx.arm,
            f"/subscriptions/{p.subscription}/providers/Microsoft.Features/providers/{NAMESPACE}/features/{FLAG}",
            versions.FEATURES,
        )
        edition, why = _edition(ctx.run.edition, view, flag, p.location)
        asked = "as found" if ctx.run.edition == "auto" else f"{ctx.run.edition}, as asked for"
        checks = (
            expect("edition", asked, f"{edition}: {why}", ok=True),
            expect(f"{NAMESPACE}/{SCOPES} in {p.location}", "listed in ga", _listed(view, p.location), ok=True),
            expect(f"flag {FLAG}", "approved in preview", _state(flag), ok=True),
        )
        if edition == "ga" and (refusal := _not_offered(view, p.location, checks)):
            return refusal
        return self._plan(ctx, edition, checks)

    def _plan(self, ctx: StepContext, edition: str, checks: tuple[Check, ...]) -> Satisfied:
        p = self.params
        names = {s.lower(): name for s, name in ctx.run.subscriptions.items()}
        network = subscription_of(p.vnet) or p.subscription
        members = list(dict.fromkeys(s.lower() for s in (p.subscription, *p.additional_subscriptions, network)))
        zones = p.zones_subscription.lower()
        # Networks and security groups may lie in still others: whatever the run may write to is checked beforehand.
        involved = list(dict.fromkeys([*members, zones, *sorted(names)]))
        # In the preview servers, scope and network share one subscription: only its servers can be associated.
        fleet = members[:1] if edition == "preview" else members
        return Satisfied(
            checks,
            {
                "edition": edition,
                "subscriptions": [{"id": s, "name": names.get(s) or s} for s in members],
                "zones_apart": zones not in members,
                "involved": [{"id": s, "name": names.get(s) or s} for s in involved],
                "ids": members,
                "fleet": fleet,
                "providers": [{"id": ns, "type": needed_type(ns, edition)} for ns in PROVIDERS[edition]],
                "zones": list(ZONES.get(ctx.run.cloud, ())),
                "tags": list(TAGS[edition]),
            },
            "The preview's procedure applies." if edition == "preview" else "Today's procedure applies.",
        )


def _edition(asked: str, view: ProviderView, flag: Json | None, location: str) -> tuple[str, str]:
    if asked in ("preview", "ga"):
        return asked, "set for this run"
    is_listed = view.find_type(SCOPES) is not None
    if is_listed and not _is_on(flag):
        return "ga", "the type shows although the preview flag is not on"
    if is_listed and view.stable_versions(SCOPES):
        return "ga", f"the type shows with the stable version {view.stable_versions(SCOPES)[0]}"
    if is_listed:
        return "preview", "the type shows in preview versions only"
    if flag is None:
        return "ga", "there is no preview flag any more"
    return "preview", f"the type does not show and the flag {FLAG} reads {_state(flag)}"


def _is_on(flag: Json | None) -> bool:
    return _state(flag).lower() == "registered"


def _state(flag: Json | None) -> str:
    return "(no such flag)" if flag is None else str(dig(flag, "properties", "state") or "NotRegistered")


def _listed(view: ProviderView, location: str) -> str:
    found = view.find_type(SCOPES)
    if found is None:
        return f"not listed (provider {view.state})"
    return "listed" if view.is_open(SCOPES, location) else f"listed, but not in {location}"


def _not_offered(view: ProviderView, location: str, checks: tuple[Check, ...]) -> Blocked | None:
    found = view.find_type(SCOPES)
    if found is None or view.is_open(SCOPES, location):
        return None
    near = ", ".join(sorted(region(r) for r in found.get("locations") or ()))
    return Blocked(
        "region-not-offered",
        f"{location} does not offer private link scopes for Arc-enabled servers.",
        (f"Start a run with one of the regions that do: {near}.", "Check the spelling of the region."),
        checks,
    )
