"""The DNS on premises, and what custom DNS servers do: one stored document, as if it were a resource.

It is filled from the scenario's ``dns`` block, outlives the process with the rest of the cloud, and an outside party
can change it (``do: set``, ``path: /providers/Simulated.OnPremises/dns/site``, ``body: {properties: …}``)::

    dns:
      onprem:
        forwarder: {vnet: <id of the network the queries come out in>, suffixes: [his.arc.azure.com]}
        records: {gbl.his.arc.azure.com: 10.20.1.4}
      non_forwarding: [10.9.0.4]       # DNS servers of virtual networks that do not ask Azure

No call of ARM reaches it.
"""

from __future__ import annotations

from typing import Final

from runbook.core.error import BookError
from runbook.sim.cloud import Cloud
from runbook.sim.seeding import starter
from runbook.sim.wire import ArmFault, Json, obj, text, texts

ONPREM: Final = "/providers/Simulated.OnPremises/dns/site"
"""Where it is stored: ``cloud.find(ONPREM)``."""


def site_of(cloud: Cloud) -> Json:
    """``{"forwarder": {"vnet", "suffixes"}, "records": {name: address}, "non_forwarding": [address]}``."""
    return obj(cloud.find(ONPREM), "properties")


@starter
def _start(cloud: Cloud) -> None:
    given = cloud.scenario.dns
    try:
        here = obj(given, "onprem")
        properties: Json = {
            "forwarder": {
                "vnet": text(here, "forwarder", "vnet"),
                "suffixes": texts(here, "forwarder", "suffixes"),
            },
            "records": obj(here, "records"),
            "non_forwarding": texts(given, "non_forwarding"),
        }
    except ArmFault as fault:
        raise BookError(f"scenario {cloud.scenario.id}: dns: {fault.message}") from fault
    unknown = sorted({*given} - {"onprem", "non_forwarding"} | {*here} - {"forwarder", "records"})
    if unknown:
        raise BookError(f"scenario {cloud.scenario.id}: dns: unknown key {unknown[0]!r}")
    cloud.save({"id": ONPREM, "name": "site", "type": "Simulated.OnPremises/dns", "properties": properties})
