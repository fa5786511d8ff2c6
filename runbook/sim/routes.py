"""Which handler answers which method, path and api-version.

A provider registers its handlers when it is imported::

    @route("PUT", GROUP + "/providers/Microsoft.Network/privateEndpoints/{name}", versions=NETWORK)
    def put_endpoint(cloud: Cloud, call: Call, place: Place) -> Reply: ...

Before the handler runs, the cloud has already checked, in this order: throttling, that the subscription exists and
(for writes) is enabled, api-version, that the namespace is registered, the caller's right to ``place.action``, that
the resource group exists, locks. Literal path segments compare without regard to letter case; ``{name}`` stands for
one segment and ``{rest+}`` for one or more. An unknown path, method or api-version is an ARM error that names it.

Source: Azure Resource Manager RPC, common-api-details; errors as documented in "Troubleshoot common Azure deployment
errors", learn.microsoft.com.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from runbook.sim.wire import ArmFault, Call, Reply

if TYPE_CHECKING:
    from runbook.sim.cloud import Cloud

SUBSCRIPTION: Final = "/subscriptions/{sub}"
GROUP: Final = SUBSCRIPTION + "/resourceGroups/{group}"

_VERBS: Final = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call points.

    Attributes:
        id: the path as a resource id: literals spelled as in the route, names as the caller spelled them.
        params: what the ``{…}`` of the route stood for, percent-decoded.
        type: ``Microsoft.Network/privateEndpoints``; for a POST the type that the action belongs to.
        action: the right needed, ``Microsoft.Network/privateEndpoints/write``.
    """

    id: str
    params: Mapping[str, str]
    type: str
    action: str

    def __getitem__(self, name: str) -> str:
        return self.params[name]

    @property
    def name(self) -> str:
        """The last segment of the id."""
        return self.id.rpartition("/")[2]

    @property
    def sub(self) -> str:
        """The subscription id; empty where there is none."""
        return self.params.get("sub", "")

    @property
    def group(self) -> str:
        """The resource group's name; empty where there is none."""
        return self.params.get("group", "")

    @property
    def group_id(self) -> str:
        """``/subscriptions/S/resourceGroups/G``."""
        return f"/subscriptions/{self.sub}/resourceGroups/{self.group}"

    @property
    def parent_id(self) -> str:
        """The id without its last type and name: the parent resource of a child resource."""
        return self.id.rsplit("/", 2)[0]


Handler = Callable[["Cloud", Call, Place], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """One registered handler."""

    method: str
    template: str
    versions: frozenset[str]
    handler: Handler
    type: str
    action: str
    needs_registration: bool
    needs_group: bool
    is_write: bool
    pattern: re.Pattern[str]


_ROUTES: dict[tuple[str, int], list[Route]] = {}
_OPEN_ENDED: list[Route] = []


def route(
    method: str,
    template: str,
    *,
    versions: Collection[str],
    kind: str = "",
    action: str = "",
    registered: bool = True,
    is_write: bool | None = None,
) -> Callable[[Handler], Handler]:
    """Register a handler.

    Args:
        method: one HTTP method.
        template: the path, as the module's docstring says.
        versions: the api-versions accepted.
        kind: the resource type, where it does not follow from the path.
        action: the right needed; by default ``<type>/read|write|delete``, or ``<type>/<last segment>/action``.
        registered: whether the namespace must be registered in the subscription first (not so for ARM's own).
        is_write: whether locks, disabled subscriptions and the activity log care; by default all but GET and HEAD.
    """
    kind = kind or type_of(template.rpartition("/")[0] if method == "POST" else template)
    last = template.rpartition("/")[2]
    right = action or f"{kind}/{_VERBS.get(method) or last + '/action'}"
    groups = [_segment(s) for s in template.strip("/").split("/")]

    def register(handler: Handler) -> Handler:
        entry = Route(
            method=method,
            template=template,
            versions=frozenset(versions),
            handler=handler,
            type=kind,
            action=right,
            needs_registration=registered,
            needs_group=("{group}" in template and not template.endswith("{group}")) or "{rest+}" in template,
            is_write=method not in ("GET", "HEAD") if is_write is None else is_write,
            pattern=re.compile("/" + "/".join(groups), re.IGNORECASE),
        )
        if "+}" in template:
            _OPEN_ENDED.append(entry)
            _OPEN_ENDED.sort(key=lambda r: -r.template.count("/"))
        else:
            _ROUTES.setdefault((method, len(groups)), []).append(entry)
        return handler

    return register


def _segment(text: str) -> str:
    if not text.startswith("{"):
        return re.escape(text)
    return f"(?P<{text[1:-2]}>.+)" if text.endswith("+}") else f"(?P<{text[1:-1]}>[^/]+)"


def type_of(path: str) -> str:
    """``Microsoft.Network/virtualNetworks/subnets`` for a path, id or template; the last ``providers`` counts."""
    parts = path.strip("/").split("/")
    words = [p.lower() for p in parts]
    if "providers" not in words:
        subject = "subscriptions/resourceGroups" if "resourcegroups" in words else "subscriptions"
        return f"Microsoft.Resources/{subject}" if words[0] == "subscriptions" else f"Microsoft.Resources/{parts[0]}"
    at = len(words) - 1 - words[::-1].index("providers")
    tail = parts[at + 1 :]
    return "/".join(tail[:1] + [t for t in tail[1::2] if not t.startswith("{")])


def find(call: Call) -> tuple[Route, Place]:
    """The route of a call, and where it points. The api-version is not looked at.

    Slashes in a row count as one: `az lock create --resource` writes two, and Azure takes it.

    Raises:
        ArmFault: no such path, or not with this method.
    """
    path = "/" + _SLASHES.sub("/", call.path).strip("/")
    count = path.count("/")
    entry = _match(call.method, path, count)
    if entry is None:
        if any(_match(other, path, count) for other in ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE")):
            message = f"The requested resource '{path}' does not support http method '{call.method}'."
            raise ArmFault(405, "UnsupportedHttpMethod", message)
        raise _unknown(path, call)
    found, match = entry
    params = {name: unquote(value) for name, value in match.groupdict().items()}
    for name, value in params.items():
        if not value.isprintable() or (name != "rest" and "/" in value):
            raise ArmFault(400, "InvalidRequestUri", f"The segment '{value!r}' of the request URI is not a name.")
    place_id = found.template
    for name, value in params.items():
        place_id = place_id.replace(f"{{{name}+}}", value.strip("/")).replace(f"{{{name}}}", value)
    if found.method == "POST":
        place_id = place_id.rpartition("/")[0]
    if rest := params.get("rest"):  # an extension resource on a group, or on something in it
        params["group"] = _GROUP_OF.sub(r"\1", rest) if _GROUP_OF.fullmatch(rest) else ""
    kind, action = found.type, found.action
    if "ns" in params:
        kind, action = kind.replace("{ns}", params["ns"]), action.replace("{ns}", params["ns"])
    return found, Place(place_id, params, kind, action)


_SLASHES: Final = re.compile("/{2,}")
_GROUP_OF: Final = re.compile(r"resourcegroups/([^/]+)(?:/.*)?", re.IGNORECASE)


def check_version(found: Route, call: Call) -> None:
    """Refuse a missing or unknown api-version.

    Raises:
        ArmFault: 400.
    """
    version = call.query.get("api-version", "")
    if not version:
        raise ArmFault(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if version not in found.versions:
        namespace, _, kind = found.type.partition("/")
        known = ", ".join(sorted(found.versions, reverse=True))
        if namespace in ("Microsoft.Resources", "Microsoft.Features", "Microsoft.Authorization"):
            message = f"The api-version '{version}' is invalid. The supported versions are '{known}'."
            raise ArmFault(400, "InvalidApiVersionParameter", message)
        raise ArmFault(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for API version '{version}' for type '{kind}'. "
            f"The supported api-versions are '{known}'.",
        )


def versions_of(kind: str) -> list[str]:
    """Every api-version that some route of a resource type accepts, newest first."""
    known: set[str] = set()
    for entry in all_routes():
        if entry.type.lower() == kind.lower():
            known |= entry.versions
    return sorted(known, reverse=True)


def all_routes() -> list[Route]:
    """Everything registered, in a stable order."""
    entries = [entry for bucket in _ROUTES.values() for entry in bucket] + _OPEN_ENDED
    return sorted(entries, key=lambda r: (r.template, r.method))


def _match(method: str, path: str, count: int) -> tuple[Route, re.Match[str]] | None:
    for entry in (*_ROUTES.get((method, count), ()), *(r for r in _OPEN_ENDED if r.method == method)):
        if match := entry.pattern.fullmatch(path):
            return entry, match
    return None


def _unknown(path: str, call: Call) -> ArmFault:
    kind = type_of(path)
    namespace, _, rest = kind.partition("/")
    known = {entry.type.partition("/")[0].lower() for entry in all_routes()}
    if "providers" not in path.lower().split("/"):
        return ArmFault(404, "InvalidRequestUri", f"The request URI '{path}' matches no operation of {call.method}.")
    if namespace.lower() not in known:
        return ArmFault(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
    return ArmFault(
        404,
        "InvalidResourceType",
        f"The resource type '{rest or path}' could not be found in the namespace '{namespace}' "
        f"for api version '{call.query.get('api-version', '')}'.",
    )
