"""What the modules of Microsoft.Network share: api-versions, references between resources, and how writes end.

Invariant: a network resource is written as ``Updating`` together with the operation that ends it, and that operation
alone turns it to ``Succeeded`` or ``Failed``.

Source: Microsoft.Network OpenAPI 2024-01-01; api-versions as published for the namespace and as current az, SDK and
PowerShell releases send them; error texts as recorded from the service.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runbook.core.ids import ResourceId
from runbook.sim import operations
from runbook.sim.cloud import Cloud
from runbook.sim.hooks import effect
from runbook.sim.providers.resources import check_location
from runbook.sim.routes import GROUP, Place
from runbook.sim.wire import ArmFault, Json, Reply, bad_request, obj, tags_of

VERSIONS: Final = frozenset(
    {
        *("2019-02-01", "2019-04-01", "2019-06-01", "2019-07-01", "2019-08-01", "2019-09-01", "2019-11-01"),
        *("2019-12-01", "2020-03-01", "2020-04-01", "2020-05-01", "2020-06-01", "2020-07-01", "2020-08-01"),
        *("2020-11-01", "2021-02-01", "2021-03-01", "2021-05-01", "2021-08-01", "2022-01-01", "2022-05-01"),
        *("2022-07-01", "2022-09-01", "2022-11-01", "2023-02-01", "2023-04-01", "2023-05-01", "2023-06-01"),
        *("2023-09-01", "2023-11-01", "2024-01-01", "2024-03-01", "2024-05-01", "2024-07-01", "2024-10-01"),
        *("2025-01-01", "2025-03-01", "2025-05-01", "2025-07-01", "2026-01-01", "2026-03-01"),
    }
)
"""Every api-version accepted: clients differ by resource type and by release."""

HERE: Final = GROUP + "/providers/Microsoft.Network"

VNET: Final = "Microsoft.Network/virtualNetworks"
SUBNET: Final = "Microsoft.Network/virtualNetworks/subnets"
NSG: Final = "Microsoft.Network/networkSecurityGroups"
RULE: Final = "Microsoft.Network/networkSecurityGroups/securityRules"
ENDPOINT: Final = "Microsoft.Network/privateEndpoints"
ZONE_GROUP: Final = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"


# ---------------------------------------------------------------- places and references


def region_for(cloud: Cloud, place: Place, body: Json) -> str:
    """The region a PUT asks for.

    Raises:
        ArmFault: 400, none or an unknown one; 409 ``InvalidResourceLocation`` when the resource stands elsewhere.
    """
    wanted = check_location(cloud, body, place.type)
    existing = cloud.find(place.id)
    if existing is not None and existing["location"] != wanted:
        raise ArmFault(
            409,
            "InvalidResourceLocation",
            f"The resource '{place.name}' already exists in location '{existing['location']}' in resource group "
            f"'{place.group}'. A resource with the same name cannot be created in location '{wanted}'. "
            "Please select a new resource name.",
        )
    return wanted


def reference(resource_id: str, kind: str, where: str) -> ResourceId:
    """Read a resource id out of a body.

    Args:
        resource_id: what stood there.
        kind: the type it must be of; empty for any.
        where: the place in the body, for the message.

    Raises:
        ArmFault: 400 ``LinkedInvalidPropertyId``: no full resource id, or of another type.
    """
    try:
        parsed = ResourceId.parse(resource_id)
        if kind and parsed.type.lower() != kind.lower():
            raise ValueError(f"not a {kind}")
    except ValueError:
        raise bad_request(
            f"Property id '{resource_id}' at path '{where}' is invalid. Expect fully qualified resource Id that start "
            "with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
            "LinkedInvalidPropertyId",
        ) from None
    return parsed


def referenced(cloud: Cloud, resource_id: str, by: str) -> Json:
    """The resource that another refers to.

    Raises:
        ArmFault: 400 ``InvalidResourceReference``.
    """
    found = cloud.find(resource_id)
    if found is None:
        raise missing_reference(resource_id, by)
    return found


def missing_reference(resource_id: str, by: str) -> ArmFault:
    """400 ``InvalidResourceReference``: what ``by`` refers to is absent, or in another region."""
    return ArmFault(
        400,
        "InvalidResourceReference",
        f"Resource {resource_id} referenced by resource {by} was not found. Please make sure that the referenced "
        "resource exists, and that both resources are in the same region.",
    )


# ---------------------------------------------------------------- writes and their ends


def etag_of(body: Json | None) -> str | None:
    """The ETag that ``If-Match`` is held against; None when nothing stands."""
    return None if body is None else str(body.get("etag", ""))


def stamped(cloud: Cloud, body: Json, state: str) -> Json:
    """A body with its provisioning state and a new ETag."""
    properties = {**obj(body, "properties"), "provisioningState": state}
    return {**body, "etag": cloud.new_etag(str(body["id"])), "properties": properties}


def begin(
    cloud: Cloud,
    place: Place,
    method: str,
    takes: str,
    *,
    location: str,
    effect: str = "",
    args: Json | None = None,
    locks: Sequence[str] = (),
) -> operations.Started:
    """Begin an operation of Microsoft.Network on ``place.id``.

    ``takes`` says what it is, for its duration: a key of the scenario's durations. ``effect`` is what happens at its
    end; by default the resource and those in ``args["also"]`` turn to ``Succeeded``, and a deleted one goes.

    Raises:
        ArmFault: 409 ``AnotherOperationInProgress``.
    """
    return operations.begin(
        cloud,
        place,
        operations.NETWORK_STYLE,
        method,
        takes_ms=cloud.takes_ms(takes),
        effect=effect or ("network.gone" if method == "DELETE" else "network.succeeded"),
        args={"id": place.id, **(args or {})},
        failed="network.failed",
        location=location,
        locks=locks or (place.id,),
    )


def accepted(started: operations.Started, body: Json, existed: bool) -> Reply:
    """The answer to a PUT whose operation was begun."""
    return Reply(200 if existed else 201, {"ETag": str(body["etag"]), **started.headers}, body)


def settle(cloud: Cloud, resource_id: str, state: str) -> None:
    """Set the provisioning state of a stored resource, if it is still there."""
    if (body := cloud.find(resource_id)) is not None:
        cloud.save(stamped(cloud, body, state))


@effect("network.succeeded")
def _succeeded(cloud: Cloud, args: Json) -> None:
    for resource_id in (args["id"], *args.get("also", ())):
        settle(cloud, resource_id, "Succeeded")


@effect("network.failed")
def _failed(cloud: Cloud, args: Json) -> None:
    for resource_id in (args["id"], *args.get("also", ())):
        settle(cloud, resource_id, "Failed")


@effect("network.gone")
def _gone(cloud: Cloud, args: Json) -> None:
    cloud.drop(args["id"])


def begin_delete(cloud: Cloud, place: Place, takes: str, *, effect: str = "", locks: Sequence[str] = ()) -> Reply:
    """Answer a DELETE: 204 when nothing stands there, else 202 and an operation that ends in ``effect``.

    Raises:
        ArmFault: 409 ``AnotherOperationInProgress``.
    """
    body = cloud.find(place.id)
    if body is None:
        return Reply(204)
    location = str(body.get("location") or (cloud.find(place.parent_id) or {}).get("location", ""))
    started = begin(cloud, place, "DELETE", takes, location=location, effect=effect, locks=locks)
    settle(cloud, place.id, "Deleting")
    return Reply(202, started.headers)


def show(cloud: Cloud, resource_id: str) -> Reply:
    """Answer a GET of a stored body.

    Raises:
        ArmFault: 404 ``ResourceNotFound``.
    """
    body = cloud.need(resource_id)
    return Reply(200, {"ETag": str(body.get("etag", ""))}, body)


def patch_tags(cloud: Cloud, place: Place, body: Json) -> Json:
    """Carry out a PATCH: tags only, at once.

    Raises:
        ArmFault: 404 ``ResourceNotFound``; 400, tags are not texts.
    """
    found = cloud.need(place.id)
    found["tags"] = tags_of(body)
    found["etag"] = cloud.new_etag(place.id)
    cloud.save(found)
    return found
