"""What private endpoints can lead to: one entry for each resource type that has an owner's side.

An owner is a provider's module with three functions; nothing else of it is known here.

Source: "What is a private endpoint?" (private-link resource), learn.microsoft.com.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from runbook.core.ids import ResourceId
from runbook.sim.cloud import Cloud
from runbook.sim.providers import avd_links, hybridcompute
from runbook.sim.providers.avd_shapes import POOL, WORKSPACE
from runbook.sim.providers.link_owner import CHILD
from runbook.sim.providers.network import VERSIONS
from runbook.sim.providers.registration import is_visible
from runbook.sim.routes import GROUP, SUBSCRIPTION, Place, route
from runbook.sim.wire import ArmFault, Call, Json, Reply


class Owner(Protocol):
    """The owner's side of a private-link resource type."""

    def members(self, cloud: Cloud, target_id: str, group_id: str, /) -> list[Json]:
        """What an endpoint gets an address for: ``{"member", "fqdns"}``, in order. ArmFault for a wrong group id."""
        ...

    def connect(
        self, cloud: Cloud, target_id: str, endpoint_id: str, group_ids: Sequence[str], manual: bool, message: str, /
    ) -> Json:
        """Make or renew an endpoint's connection; its state: ``{"status", "description", "actionsRequired"}``."""
        ...

    def disconnect(self, cloud: Cloud, target_id: str, endpoint_id: str, /) -> None:
        """Forget the connection of an endpoint that is gone."""
        ...


OWNERS: Final[dict[str, tuple[str, Owner]]] = {
    hybridcompute.SCOPE.lower(): (hybridcompute.SCOPE, hybridcompute),
    POOL.lower(): (POOL, avd_links),
    WORKSPACE.lower(): (WORKSPACE, avd_links),
}
"""By resource type in lower case: its own spelling and its owner."""


def owner_of(target_id: str) -> Owner:
    """Who owns a target.

    Raises:
        ArmFault: 400, resources of this type have no private link here.
    """
    kind = ResourceId.parse(target_id).type
    if kind.lower() not in OWNERS:
        raise ArmFault(
            400,
            "PrivateLinkServiceTypeNotSupported",
            f"Resource {target_id} of type {kind} does not support private endpoints in this simulated cloud. "
            f"It knows {', '.join(name for name, _ in OWNERS.values())}.",
        )
    return OWNERS[kind.lower()][1]


_TYPES: Final = "/providers/Microsoft.Network/locations/{location}/availablePrivateEndpointTypes"


@route("GET", SUBSCRIPTION + _TYPES, versions=VERSIONS)
@route("GET", GROUP + _TYPES, versions=VERSIONS)
def _types(cloud: Cloud, call: Call, place: Place) -> Reply:
    """Types an endpoint can lead to. One that waits for a preview's approval and re-registration is not among them."""
    home = f"/subscriptions/{place.sub}/providers/Microsoft.Network/availablePrivateEndpointTypes"
    values = [
        {
            "id": f"{home}/{kind.replace('/', '.')}",
            "name": kind.replace("/", "."),
            "type": "Microsoft.Network/AvailablePrivateEndpointTypes",
            "resourceName": kind,
            "displayName": kind,
        }
        for kind, _ in OWNERS.values()
        if is_visible(cloud, place.sub, f"{kind}/{CHILD}")
    ]
    return cloud.listing(call, values)
