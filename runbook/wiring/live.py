"""The world of a live run: who is signed in, where that is, and the wire to it.

Invariants: what a run is pinned to (cloud, endpoint, tenant, subscriptions) is compared with the sign-in before
anything of it is opened; a look stands behind ``ReadOnly``; a simulator on this machine never passes for the cloud
whose rules it follows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from runbook.core.clock import Clock, RealClock
from runbook.core.error import ContextError, UsageError
from runbook.core.view import RunView
from runbook.engine.world import Account, World

if TYPE_CHECKING:
    from runbook.arm.auth import AnyCredential, OnPrompt
    from runbook.arm.client import ArmClient
    from runbook.arm.clouds import Cloud
    from runbook.arm.policies import Wire

CALL_S: Final = 60.0
"""How long one call may take; a take-over waits as long for calls of the driver before."""

SUBSCRIPTIONS: Final = "2022-12-01"


def _live_transport() -> Wire:
    from runbook.arm.transport import LiveTransport

    return LiveTransport()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, and where.

    Attributes:
        account: a person's or an application's name.
        tenant: its id; empty where neither the token nor the Azure CLI says.
        auth: how; one of ``runbook.arm.auth.KINDS``.
        current: the subscription the sign-in stands in; empty where it stands in none.
        names: display names of subscriptions, as far as the sign-in knows them, by id.
        transport: makes the wire.
    """

    cloud: Cloud
    credential: AnyCredential
    account: str
    tenant: str
    auth: str = "cli"
    current: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    transport: Callable[[], Wire] = _live_transport


SignIn = Callable[[RunView], SignedIn]
"""Signs in for a run that exists."""


def sign_in(
    auth: str = "auto", *, tenant: str = "", subscription: str = "", on_prompt: OnPrompt | None = None
) -> SignedIn:
    """Sign in, and prove it by a token. What the Azure CLI shares with other shells stays as it is.

    Args:
        auth: one of ``runbook.arm.auth.KINDS``.
        tenant: for ways that ask for one.
        subscription: id or name of the one to work in; of the Azure CLI's accounts, the one that has it. Empty: the
            Azure CLI's own default.
        on_prompt: told what a device code wants.

    Raises:
        UsageError: there is no such way.
        ContextError: nobody is signed in, or in a cloud that this program does not know.
        SignInNeeded: no token can be had.
    """
    from runbook.arm.auth import KINDS, claims_of, live_credential, named_by_environment
    from runbook.arm.azurecli import read_profile
    from runbook.arm.policies import no_token

    if auth not in KINDS:
        raise UsageError(f"There is no way to sign in called {auth!r}.", f"Choose one of: {', '.join(KINDS)}.")
    profile = read_profile()
    kind = auth if auth != "auto" else "cli" if profile.accounts else named_by_environment()
    if not kind or (kind == "cli" and not profile.accounts):
        raise ContextError(
            f"Nobody is signed in to the Azure CLI in {profile.folder}.",
            "Sign in (az login), or choose another way: --auth device-code, browser or environment.",
        )
    known = None
    if kind == "cli":
        known = profile.find(subscription) if subscription else profile.current
        if known is None:
            raise ContextError(
                "The Azure CLI is signed in, but stands in no subscription.", "Name one with --subscription."
            )
    cloud = profile.place()
    credential = live_credential(
        kind,
        tenant=known.tenant if known else tenant,
        subscription=known.id if known else "",
        cloud=cloud,
        on_prompt=on_prompt,
    )
    try:
        claims = claims_of(credential.sign_in(cloud.scope).token)
    except (ContextError, UsageError):
        raise
    except Exception as error:  # sign-in libraries raise what they like
        raise no_token(error, kind) from None
    signed_in = SignedIn(
        cloud,
        credential,
        account=claims.name or (known.user if known else "") or f"signed in by {kind}",
        tenant=claims.tenant or (known.tenant if known else tenant),
        auth=kind,
        current=known.id if known else "",
        names={a.id: a.name for a in profile.accounts} if kind == "cli" else {},
    )
    if subscription and known is None:
        names = asyncio.run(_seen(signed_in))
        return replace(signed_in, current=_one_of(names, subscription), names=names)
    return signed_in


async def _seen(signed_in: SignedIn) -> dict[str, str]:
    """Every subscription that is seen, by id, with its name."""
    async with live_client(signed_in, is_read_only=True, is_last=False) as arm:
        every = await arm.list("/subscriptions", SUBSCRIPTIONS)
    return {str(d["subscriptionId"]).lower(): str(d.get("displayName", "")) for d in every}


def sign_in_for(view: RunView, auth: str = "", on_prompt: OnPrompt | None = None) -> SignedIn:
    """Sign in for a run that exists, in the way it was made with unless another is named."""
    pinned = view.pinned
    subscription = next(iter(pinned["subscriptions"]), "")
    kind = auth or str(view.options.get("auth", "auto"))
    return sign_in(kind, tenant=pinned["tenant"], subscription=subscription, on_prompt=on_prompt)


def live_client(signed_in: SignedIn, *, is_read_only: bool, is_last: bool = True) -> ArmClient:
    """A client of the real cloud, which is to be closed.

    Args:
        signed_in: who calls.
        is_read_only: whether nothing but reads may pass.
        is_last: whether closing it ends the sign-in, too; else others go on using that.
    """
    from runbook.arm.auth import Lent
    from runbook.arm.client import ArmClient
    from runbook.arm.policies import ReadOnly

    wire = signed_in.transport()
    cloud = signed_in.cloud
    return ArmClient(
        ReadOnly(wire) if is_read_only else wire,
        signed_in.credential if is_last else Lent(signed_in.credential),
        endpoint=cloud.endpoint,
        scope=cloud.scope,
        timeout_s=CALL_S,
    )


def live_world(
    view: RunView,
    signed_in: SignedIn,
    *,
    is_read_only: bool,
    escape_s: float = 0.0,
    clock: Clock | None = None,
    via: str = "",
) -> tuple[World, ArmClient]:
    """The seams of a live run, and the client among them, which is to be closed.

    Args:
        view: the run.
        signed_in: who drives it.
        is_read_only: whether nothing but reads may pass.
        escape_s: as ``World`` has it.
        clock: another than the machine's.
        via: another than the run was made with.

    Raises:
        ContextError: the sign-in is not the one the run is pinned to.
        UsageError: changes cannot be made in the way the run was made for.
    """
    from runbook.here.resolver import HereResolver

    check_pinned(view, signed_in)
    via = via or str(view.options.get("via", "arm"))
    if not is_read_only:
        check_via(via, signed_in)
    arm = live_client(signed_in, is_read_only=is_read_only)
    who = Account(signed_in.account, signed_in.tenant, signed_in.cloud.rules)
    dns = HereResolver(str(view.options.get("here", "nowhere")))
    if via == "az" and not is_read_only:
        from runbook.arm.azline import AzLines, find_az

        lines = AzLines(arm, find_az(), signed_in.cloud.name)
        return World(lines, dns, clock or RealClock(), who, escape_s), arm
    return World(arm, dns, clock or RealClock(), who, escape_s), arm


def check_pinned(view: RunView, signed_in: SignedIn) -> None:
    """Hold a sign-in against what a run is pinned to.

    Raises:
        ContextError: they differ.
    """
    pinned, cloud = view.pinned, signed_in.cloud
    for what, want, have in (
        ("cloud", str(pinned.get("cloud_name", "")), cloud.name),
        ("endpoint", str(pinned.get("endpoint", "")), cloud.endpoint),
        ("tenant", str(pinned["tenant"]), signed_in.tenant),
    ):
        if want.lower() != have.lower():
            raise ContextError(
                f"Run {view.id} is pinned to {what} {want}, and {signed_in.account} is signed in to {have or 'none'}.",
                "Sign in to the run's own cloud and tenant, then resume. Nothing was sent.",
            )


def check_via(via: str, signed_in: SignedIn) -> None:
    """Whether changes can be made in this way by whoever is signed in.

    Raises:
        UsageError: they would be made in another name, or the Azure CLI is not installed.
    """
    if via == "az":
        from runbook.arm.azline import find_az

        if signed_in.auth != "cli":
            raise UsageError(
                f"--via az writes in the name the Azure CLI is signed in by, and this is --auth {signed_in.auth}.",
                "Sign in by the Azure CLI (az login, --auth cli), or leave --via az out.",
            )
        find_az()


def pin(signed_in: SignedIn, wanted: Iterable[str]) -> dict[str, Any]:
    """Where a new run may write: its subscriptions, read from the cloud itself.

    Args:
        signed_in: who reads.
        wanted: subscription ids.

    Raises:
        ContextError: one is not visible, or belongs to another tenant.
        ArmError: it could not be read.
    """
    docs = asyncio.run(_read_all(signed_in, list(dict.fromkeys(s.lower() for s in wanted))))
    tenant = signed_in.tenant
    for name, doc in docs.items():
        if doc is None:
            raise ContextError(
                f"{signed_in.account} sees no subscription {name} in {signed_in.cloud.name}.",
                "Check its id; or sign in to the tenant that holds it (az login --tenant <tenant id>).",
            )
        theirs = str(doc.get("tenantId") or "").lower()
        tenant = tenant or theirs
        if theirs and theirs != tenant.lower():
            raise ContextError(
                f"Subscription {doc.get('displayName') or name} belongs to tenant {theirs}, and "
                f"{signed_in.account} is signed in to {tenant}.",
                f"Sign in there: az login --tenant {theirs}. A run works in one tenant.",
            )
    return {
        "cloud": signed_in.cloud.rules,
        "cloud_name": signed_in.cloud.name,
        "endpoint": signed_in.cloud.endpoint,
        "tenant": tenant,
        "account": signed_in.account,
        "subscriptions": {name: str((doc or {}).get("displayName") or "") for name, doc in docs.items()},
    }


async def _read_all(signed_in: SignedIn, names: list[str]) -> dict[str, dict[str, Any] | None]:
    from runbook.core.error import Refused

    async with live_client(signed_in, is_read_only=True, is_last=False) as arm:

        async def one(name: str) -> dict[str, Any] | None:
            try:
                return await arm.get(f"/subscriptions/{name}", SUBSCRIPTIONS)
            except Refused as refused:
                if refused.arm_code in ("SubscriptionNotFound", "AuthorizationFailed"):
                    return None
                raise

        found = await asyncio.gather(*map(one, names))
    return dict(zip(names, found, strict=True))


async def read_twin(
    signed_in: SignedIn, wanted: Iterable[str], id_: str, inputs: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Read an estate into a scenario; and what is not in it, for the operator.

    Args:
        signed_in: who reads.
        wanted: subscriptions by id or name; none for every one that is seen.
        id_: the scenario's id.
        inputs: a book's inputs to go with it.

    Raises:
        ContextError: a subscription is not visible.
        ArmError: the estate could not be read.
        BookError: no scenario can be made of it.
    """
    from runbook.wiring.capture import read_estate
    from runbook.wiring.twin import fitting, twin

    now_ms = RealClock().now_ms()
    known = await _seen(signed_in)
    async with live_client(signed_in, is_read_only=True) as arm:
        chosen = [_one_of(known, name) for name in wanted] or list(known)
        estate = await read_estate(arm, chosen, now_ms)
    doc = twin(estate, id_=id_, cloud=signed_in.cloud.rules, account=signed_in.account, now_ms=now_ms, inputs=inputs)
    doc, unfit = fitting(doc)
    return doc, [*estate.remarks, *unfit]


def _one_of(known: Mapping[str, str], wanted: str) -> str:
    found = [id_ for id_, name in known.items() if wanted.lower() in (id_, name.lower())]
    if len(found) != 1:
        what = "sees no subscription" if not found else "sees several subscriptions called"
        raise ContextError(f"This account {what} {wanted}.", f"Name one of: {', '.join(known)}.")
    return found[0]
