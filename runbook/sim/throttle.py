"""Token buckets: one each for reads, writes and deletes of a subscription.

Tokens flow back with the cloud's own time, so the same calls at the same times are always throttled alike.

Source: Azure Resource Manager request limits (token bucket since 2024), learn.microsoft.com, checked 2026-05.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from runbook.sim.wire import ArmFault

if TYPE_CHECKING:
    from runbook.sim.cloud import Cloud

_KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}


def take(cloud: Cloud, method: str, subscription: str) -> dict[str, str]:
    """Draw one token for a call.

    Returns:
        The header that says how many are left.

    Raises:
        ArmFault: 429 with ``Retry-After`` in whole seconds.
    """
    kind = _KINDS.get(method, "writes")
    limits = cloud.scenario.throttle
    bucket = {"reads": limits.reads, "writes": limits.writes, "deletes": limits.deletes}[kind]
    scope = "subscription" if subscription else "tenant"
    key = f"{subscription.lower() or 'tenant'}|{kind}"
    row = cloud.state.get("buckets", key) or {"tokens": bucket.size, "at_ms": cloud.now_ms}
    gained = max(0, cloud.now_ms - int(row["at_ms"])) / 1000 * bucket.refill
    tokens = min(bucket.size, float(row["tokens"]) + gained)
    if tokens < 1:
        wait_s = max(1, math.ceil((1 - tokens) / bucket.refill)) if bucket.refill else 3600
        raise ArmFault(
            429,
            "SubscriptionRequestsThrottled" if subscription else "TooManyRequests",
            f"Number of '{kind}' requests for {scope} '{subscription}' exceeded the limit. "
            f"Please try again after '{wait_s}' seconds.",
            headers={"Retry-After": str(wait_s), f"x-ms-ratelimit-remaining-{scope}-{kind}": "0"},
        )
    cloud.state.put("buckets", key, {"tokens": tokens - 1, "at_ms": cloud.now_ms}, soft=True)
    return {f"x-ms-ratelimit-remaining-{scope}-{kind}": str(int(tokens - 1))}
