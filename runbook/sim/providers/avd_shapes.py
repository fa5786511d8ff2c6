"""Microsoft.DesktopVirtualization: its types and api-versions, and which fields of a body which version knows.

Invariants: a field that a version does not know is neither read from a body nor shown, and a write at that version
leaves it as it is; read-only fields are ignored in bodies. Ids are given out with ``resourcegroups``, ``hostpools``,
``applicationgroups`` and ``sessionhosts`` in lower case, however they were sent.

Source: Microsoft.DesktopVirtualization OpenAPI 2024-04-03 and 2022-10-14-preview; recorded Azure CLI answers
(2021-07-12, lower-case ids). ``publicNetworkAccess`` came with 2022-04-01-preview ("Private session hosts, public end
users" built-in policy). The UDP fields were seen in preview versions from 2025 on; that it is ``2025-04-01-preview``
that knows them is the simulator's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from runbook.sim.routes import SUBSCRIPTION
from runbook.sim.wire import Call, Json, flag, integer, obj, one_of, tags_of, text, texts

NEWEST: Final = "2025-04-01-preview"
VERSIONS: Final = frozenset({"2021-07-12", "2022-10-14-preview", "2024-04-03", NEWEST})
LINKED: Final = VERSIONS - {"2021-07-12"}
"""Those that know private link."""

POOL: Final = "Microsoft.DesktopVirtualization/hostpools"
WORKSPACE: Final = "Microsoft.DesktopVirtualization/workspaces"
APP_GROUP: Final = "Microsoft.DesktopVirtualization/applicationgroups"
HOST: Final = POOL + "/sessionhosts"

IN_GROUP: Final = SUBSCRIPTION + "/resourcegroups/{group}/providers/"
IN_SUBSCRIPTION: Final = SUBSCRIPTION + "/providers/"


@dataclass(frozen=True, slots=True)
class Field:
    """A writable field of ``properties``.

    Attributes:
        kind: what JSON it is.
        among: the values of a ``choice``.
        required: a PUT must hold it.
        default: what it is when no PUT said so; None for absent.
        patch: whether a PATCH may change it.
        since: the first api-version that knows it.
    """

    name: str
    kind: Literal["text", "integer", "flag", "object", "texts", "choice"] = "text"
    among: tuple[str, ...] = ()
    required: bool = False
    default: Any = None
    patch: bool = True
    since: str = ""

    def read(self, body: Json) -> Any:
        """The field of a body that holds it. Raises ``ArmFault`` 400 when it is something else."""
        where = ("properties", self.name)
        match self.kind:
            case "integer":
                return integer(body, *where)
            case "flag":
                return flag(body, *where)
            case "object":
                return obj(body, *where)
            case "texts":
                return texts(body, *where)
            case "choice":
                text(body, *where, required=self.required)
                return one_of(body, *where, among=self.among, default="")
        return text(body, *where)


_UDP: Final = ("Default", "Enabled", "Disabled")
POOL_FIELDS: Final = (
    Field("friendlyName"),
    Field("description"),
    Field("hostPoolType", "choice", ("Personal", "Pooled", "BYODesktop"), required=True, patch=False),
    Field("personalDesktopAssignmentType", "choice", ("Automatic", "Direct")),
    Field("customRdpProperty"),
    Field("maxSessionLimit", "integer", default=999_999),
    Field("loadBalancerType", "choice", ("BreadthFirst", "DepthFirst", "Persistent"), required=True),
    Field("ring", "integer"),
    Field("validationEnvironment", "flag", default=False),
    Field("vmTemplate"),
    Field("preferredAppGroupType", "choice", ("None", "Desktop", "RailApplications"), required=True),
    Field("startVMOnConnect", "flag", default=False),
    Field("agentUpdate", "object", since="2022"),
    Field(
        "publicNetworkAccess",
        "choice",
        ("Enabled", "Disabled", "EnabledForSessionHostsOnly", "EnabledForClientsOnly"),
        since="2022",
    ),
    Field("allowRDPShortPathWithPrivateLink", "choice", ("Enabled", "Disabled"), default="Disabled", since=NEWEST),
    Field("directUDP", "choice", _UDP, default="Default", since=NEWEST),
    Field("managedPrivateUDP", "choice", _UDP, default="Default", since=NEWEST),
    Field("publicUDP", "choice", _UDP, default="Default", since=NEWEST),
    Field("relayUDP", "choice", _UDP, default="Default", since=NEWEST),
)
WORKSPACE_FIELDS: Final = (
    Field("friendlyName"),
    Field("description"),
    Field("applicationGroupReferences", "texts", default=()),
    Field("publicNetworkAccess", "choice", ("Enabled", "Disabled"), since="2022"),
)
APP_GROUP_FIELDS: Final = (
    Field("friendlyName"),
    Field("description"),
    Field("hostPoolArmPath", required=True, patch=False),
    Field("applicationGroupType", "choice", ("RemoteApp", "Desktop"), required=True, patch=False),
    Field("showInFeed", "flag", default=True, since="2023"),
)


def version_of(call: Call) -> str:
    """The api-version of a call that passed the check of it."""
    return call.query.get("api-version", "")


def read(fields: Sequence[Field], call: Call, body: Json, before: Json | None, *, is_patch: bool = False) -> Json:
    """The writable properties as they stand after a write.

    Args:
        fields: those of the type.
        call: for its api-version.
        body: what was sent.
        before: the properties that stand; None when the resource is made now.
        is_patch: what is not sent stays; else it falls back to its default.

    Raises:
        ArmFault: 400, a value is of the wrong kind or none of the allowed, or a required one is missing.
    """
    given, version = obj(body, "properties"), version_of(call)
    properties: Json = {}
    for field in fields:
        is_known = field.since <= version
        may_change = is_known and (field.patch or not is_patch)
        value: Any
        if may_change and (given.get(field.name) is not None or (field.required and not is_patch)):
            text(body, "properties", field.name, required=True) if field.required else None
            value = field.read(body)
        elif before is not None and (is_patch or not is_known):
            value = before.get(field.name)
        else:
            value = field.default
        if value is not None:
            properties[field.name] = list(value) if isinstance(value, tuple) else value
    return properties


def known(fields: Sequence[Field], properties: Json, call: Call) -> Json:
    """Properties without those that the call's api-version does not know."""
    unknown = {field.name for field in fields if field.since > version_of(call)}
    return {name: value for name, value in properties.items() if name not in unknown}


def tags_after(body: Json, before: Json | None, *, is_patch: bool = False) -> Json:
    """The tags as they stand after a write."""
    return tags_of(body) if "tags" in body or not is_patch or before is None else obj(before, "tags")


def access_of(target: Json) -> str:
    """A host pool's or workspace's ``publicNetworkAccess``: one that was never set is ``Enabled``."""
    return text(target, "properties", "publicNetworkAccess", default="Enabled")
