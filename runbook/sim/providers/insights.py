"""Microsoft.Insights activity log: who wrote what, when, and how it ended.

Every write that is not refused makes an entry; one that goes on as an operation makes a second at its end. The log
reaches back 90 days. Only the filter shapes that the service documents are accepted.

Source: Azure Monitor activity log REST API 2015-04-01 (OpenAPI and "$filter" remarks).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator
from typing import Final

from runbook.core.clock import from_iso, iso
from runbook.sim.cloud import Cloud
from runbook.sim.hooks import index, on
from runbook.sim.routes import SUBSCRIPTION, Place, route, type_of
from runbook.sim.seeding import starter
from runbook.sim.state import Docs
from runbook.sim.wire import ArmFault, Call, Json, Reply

LOG: Final = frozenset({"2014-04-01", "2015-04-01", "2017-03-01-preview"})
RETENTION_MS: Final = 90 * 86_400_000
_CLAUSE: Final = re.compile(
    r"\s*(eventTimestamp|resourceGroupName|resourceUri|resourceProvider|correlationId|eventChannels|status|caller)"
    r"\s+(ge|le|eq)\s+(?:'([^']*)'|([\d:.TZ+-]+))\s*",  # the Azure CLI writes times without quotes
    re.IGNORECASE,
)


def record(
    cloud: Cloud,
    *,
    caller: str,
    operation: str,
    resource_id: str,
    status: str,
    sub_status: str = "",
    correlation: str = "",
    at_ms: int | None = None,
    level: str = "Informational",
) -> None:
    """Add an entry: ``operation`` (``Microsoft.HybridCompute/register/action``) was done to ``resource_id``.

    Where no subscription is written to, nothing is logged. ``at_ms`` is now unless said, in UTC milliseconds.
    """
    parts = resource_id.strip("/").split("/")
    if len(parts) < 2 or parts[0].lower() != "subscriptions":
        return
    when = cloud.now_ms if at_ms is None else at_ms
    number = cloud.state.next_number("event")
    event = cloud.guid("event", number, when)
    group = parts[3] if len(parts) > 3 and parts[2].lower() == "resourcegroups" else ""
    cloud.state.put(
        "activity",
        f"{when:015d}.{number:09d}",
        {
            "id": f"{resource_id}/events/{event}/ticks/{621_355_968_000_000_000 + when * 10_000}",
            "eventDataId": event,
            "caller": caller,
            "channels": "Operation",
            "correlationId": correlation or cloud.guid("correlation", event),
            "operationId": correlation or cloud.guid("correlation", event),
            "description": "",
            "level": level,
            "eventName": _words("EndRequest" if status != "Accepted" else "BeginRequest"),
            "category": _words("Administrative"),
            "resourceGroupName": group,
            "resourceProviderName": _words(operation.partition("/")[0]),
            "resourceType": _words(type_of(resource_id)),
            "resourceId": resource_id,
            "operationName": _words(operation),
            "status": _words(status),
            "subStatus": _words(sub_status),
            "eventTimestamp": iso(when),
            "submissionTimestamp": iso(when),
            "subscriptionId": parts[1],
            "tenantId": cloud.scenario.tenant.id,
        },
    )


def _words(value: str) -> Json:
    return {"value": value, "localizedValue": value}


@on("operation_ended")
def _ended(cloud: Cloud, operation: Json) -> None:
    is_ok = operation["status"] == "Succeeded"
    record(
        cloud,
        caller=operation["caller"],
        operation=operation["action"],
        resource_id=operation["resource"],
        status=operation["status"],
        sub_status="OK" if is_ok else str(operation.get("error", {}).get("code", "")),
        correlation=operation["correlation"],
        level="Informational" if is_ok else "Error",
    )


@starter
def _history(cloud: Cloud) -> None:
    start_ms = int((cloud.state.get("cloud", "start") or {"at_ms": cloud.now_ms})["at_ms"])
    for entry in cloud.scenario.activity:
        record(
            cloud,
            caller=entry.caller,
            operation=entry.operation,
            resource_id=entry.resource,
            status="Succeeded",
            sub_status="OK",
            at_ms=start_ms - round(entry.before * 1000),
        )


@route(
    "GET",
    SUBSCRIPTION + "/providers/Microsoft.Insights/eventtypes/management/values",
    versions=LOG,
    kind="Microsoft.Insights/eventtypes",
    action="Microsoft.Insights/eventtypes/values/Read",
    registered=False,
)
def _read(cloud: Cloud, call: Call, place: Place) -> Reply:
    first_ms, last_ms, column, wanted = _filter(cloud, call)
    keys = cloud.state.entries("event", f"{place.sub}|{column}|{wanted}".lower())
    first, last = bisect_left(keys, f"{first_ms:015d}."), bisect_left(keys, f"{last_ms + 1:015d}.")
    fields = {f.strip().lower() for f in call.query.get("$select", "").split(",") if f.strip()}
    newest_first = Docs(cloud.state, "activity", keys[first:last][::-1])
    return cloud.listing(call, newest_first, show=lambda event: _selected(event, fields))


def _selected(event: Json, fields: Collection[str]) -> Json:
    return {k: v for k, v in event.items() if not fields or k.lower() in fields}


_COLUMNS: Final = {
    "resourcegroupname": "resourceGroupName",
    "resourceuri": "resourceId",
    "resourceprovider": "resourceProviderName",
    "correlationid": "correlationId",
}


@index("activity", "event")
def _by_column(key: str, doc: Json) -> Iterator[tuple[str, str]]:
    """Subscription, column and value (or none) in lower case → key, which sorts by time."""
    for column in ("", *_COLUMNS.values()):
        told = doc[column] if column else ""
        value = told["value"] if isinstance(told, dict) else told
        yield f"{doc['subscriptionId']}|{column}|{value}".lower(), key


def _filter(cloud: Cloud, call: Call) -> tuple[int, int, str, str]:
    """First and last moment (UTC milliseconds), and the one further column asked for with its value."""
    given = call.query.get("$filter", "")
    first_ms, last_ms, column, wanted = -1, cloud.now_ms, "", ""
    for clause in re.split(r"\s+and\s+", given, flags=re.IGNORECASE) if given.strip() else []:
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise _bad(f"The filter '{given}' is not supported: '{clause}' cannot be understood.")
        name, operator, value = match[1].lower(), match[2].lower(), match[3] or match[4] or ""
        if name == "eventtimestamp" and operator in ("ge", "le"):
            try:
                at_ms = from_iso(value)
            except (ValueError, OverflowError) as error:
                raise _bad(f"The value '{value}' of eventTimestamp is not a valid time.") from error
            first_ms, last_ms = (at_ms, last_ms) if operator == "ge" else (first_ms, at_ms)
        elif name in _COLUMNS and operator == "eq" and not column:
            column, wanted = _COLUMNS[name], value
        elif name not in ("eventchannels", "status", "caller"):
            raise _bad(f"The filter '{given}' is not supported: one of '{', '.join(_COLUMNS)}' at most.")
        else:
            raise _bad(f"The filter '{given}' is not supported: '{match[1]}' cannot be filtered on.")
    if first_ms < 0:
        raise _bad("The $filter query parameter must give the start of the time range: eventTimestamp ge '…'.")
    return max(first_ms, cloud.now_ms - RETENTION_MS), last_ms, column, wanted


def _bad(message: str) -> ArmFault:
    return ArmFault(400, "BadRequest", message)
