"""Resource providers of a subscription: their state, which types they show where, and the call that registers one.

Source: Azure Resource Manager REST, Providers 2021-04-01; "Azure resource providers and types", Microsoft Learn.
"""

from __future__ import annotations

from dataclasses import dataclass

from runbook.core.arm import Json, Reader
from runbook.step import Change, Diff
from steps._shared import versions
from steps._shared.faces import in_context
from steps._shared.look import find, region


@dataclass(frozen=True, slots=True)
class ProviderView:
    """What ``GET …/providers/{namespace}`` says.

    Attributes:
        state: ``registrationState``, a free string; ``NotRegistered`` when the provider is unknown here.
        types: the resource types it shows; feature-gated ones are missing until they are open here.
    """

    namespace: str
    state: str
    types: tuple[Json, ...]

    @property
    def is_registered(self) -> bool:
        return self.state.lower() == "registered"

    @property
    def is_registering(self) -> bool:
        return self.state.lower() == "registering"

    def find_type(self, kind: str) -> Json | None:
        """The entry of one resource type, or None when it is not shown."""
        return next((t for t in self.types if str(t.get("resourceType", "")).lower() == kind.lower()), None)

    def is_open(self, kind: str, location: str) -> bool:
        """Whether a type is shown for a region. A type without a list of regions is open everywhere."""
        found = self.find_type(kind)
        if found is None:
            return False
        regions = {region(r) for r in found.get("locations") or ()}
        return not regions or bool(regions & {region(location), "global"})

    def stable_versions(self, kind: str) -> list[str]:
        """The api-versions of a type that are not previews, newest first."""
        found = self.find_type(kind) or {}
        return sorted((v for v in found.get("apiVersions") or () if "preview" not in v), reverse=True)


async def read_provider(arm: Reader, subscription: str, namespace: str) -> ProviderView:
    """Read one provider of one subscription."""
    doc = await find(arm, f"/subscriptions/{subscription}/providers/{namespace}", versions.RESOURCES) or {}
    state = str(doc.get("registrationState") or "NotRegistered")
    return ProviderView(namespace, state, tuple(doc.get("resourceTypes") or ()))


def register(subscription: str, namespace: str, title: str, diff: tuple[Diff, ...] = ()) -> Change:
    """The register call. Repeating it changes nothing that was there, so it is safe to send again."""
    return Change(
        title=title,
        method="POST",
        path=f"/subscriptions/{subscription}/providers/{namespace}/register",
        api_version=versions.RESOURCES,
        diff=diff,
        az=("az", "provider", "register", "--namespace", namespace, "--subscription", subscription),
        powershell=in_context(subscription, f"Register-AzResourceProvider -ProviderNamespace {namespace}"),
    )
