"""Feature flags of a subscription: reading one, and the call that registers one.

Source: Features 2021-07-01; "Set up preview features in Azure subscription", Microsoft Learn, 2024-03-19.
"""

from __future__ import annotations

from typing import Final

from runbook.core.arm import Reader
from runbook.step import Change
from steps._shared import versions
from steps._shared.faces import in_context
from steps._shared.look import dig, find

GONE: Final = "(no such flag)"
ON: Final = "registered"
PENDING: Final = frozenset({"pending", "registering"})
"""Asked for and not there yet. Which of the two this flag reads while Microsoft decides is not documented."""
OFF: Final = frozenset({"notregistered", "unregistered", "notspecified"})


def flag_path(subscription: str, namespace: str, name: str) -> str:
    return f"/subscriptions/{subscription}/providers/Microsoft.Features/providers/{namespace}/features/{name}"


async def read_flag(arm: Reader, subscription: str, namespace: str, name: str) -> str:
    """The flag's state in Azure's own letters, or ``GONE`` when the catalogue has no such flag."""
    doc = await find(arm, flag_path(subscription, namespace, name), versions.FEATURES)
    return GONE if doc is None else str(dig(doc, "properties", "state") or "NotRegistered")


def register_flag(subscription: str, namespace: str, name: str, title: str, by_hand: str = "") -> Change:
    """The register call. Asking twice leaves one request, so it is safe to send again."""
    return Change(
        title=title,
        method="POST",
        path=f"{flag_path(subscription, namespace, name)}/register",
        api_version=versions.FEATURES,
        az=("az", "feature", "register", "--namespace", namespace, "--name", name, "--subscription", subscription),
        powershell=in_context(
            subscription, f"Register-AzProviderFeature -ProviderNamespace {namespace} -FeatureName {name}"
        ),
        by_hand=by_hand,
    )
