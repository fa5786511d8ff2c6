"""Which api-version each kind of call uses. One place, so that a step never invents one.

Source: Azure REST API specifications, stable versions that the recorded answers match (checked 2026-11).
"""

from __future__ import annotations

from typing import Final

SUBSCRIPTIONS: Final = "2022-12-01"
RESOURCES: Final = "2021-04-01"
"""Providers and resource groups."""
FEATURES: Final = "2021-07-01"
PERMISSIONS: Final = "2022-04-01"
LOCKS: Final = "2020-05-01"
ACTIVITY_LOG: Final = "2015-04-01"
NETWORK: Final = "2024-01-01"
PRIVATE_DNS: Final = "2020-06-01"
HYBRID_COMPUTE: Final = "2022-12-27"
AVD: Final = "2024-04-03"
"""Host pools, workspaces, application groups, session hosts."""
COMPUTE: Final = "2024-03-01"
