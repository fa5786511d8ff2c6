"""Security rules: what makes one valid, and the six that every group has.

Invariant: within a group and a direction no two custom rules have the same priority, and every priority lies between
100 and 4096.

Source: Microsoft.Network OpenAPI 2024-01-01 (networkSecurityGroup.json) and its examples; "Network security groups",
learn.microsoft.com (default rules); recorded error answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from runbook.sim.providers.network import NSG, RULE
from runbook.sim.wire import Json, bad_request, integer, items, one_of, text, texts

FIRST_PRIORITY: Final = 100
LAST_PRIORITY: Final = 4096

_PROTOCOLS: Final = ("Tcp", "Udp", "Icmp", "Esp", "Ah", "*")
_PORTS: Final = re.compile(r"\*|\d{1,5}(-\d{1,5})?", re.ASCII)
_DEFAULTS: Final = (
    ("AllowVnetInBound", "inbound traffic from all VMs in VNET", "VirtualNetwork", "VirtualNetwork", 65000),
    ("AllowAzureLoadBalancerInBound", "inbound traffic from azure load balancer", "AzureLoadBalancer", "*", 65001),
    ("DenyAllInBound", "all inbound traffic", "*", "*", 65500),
    (
        "AllowVnetOutBound",
        "outbound traffic from all VMs to all VMs in VNET",
        "VirtualNetwork",
        "VirtualNetwork",
        65000,
    ),
    ("AllowInternetOutBound", "outbound traffic from all VMs to Internet", "*", "Internet", 65001),
    ("DenyAllOutBound", "all outbound traffic", "*", "*", 65500),
)


def default_rules(nsg_id: str) -> list[Json]:
    """The six rules every group has and nobody can change."""
    rules: list[Json] = []
    for name, words, source, destination, priority in _DEFAULTS:
        access = "Allow" if name.startswith("Allow") else "Deny"
        rules.append(
            {
                "id": f"{nsg_id}/defaultSecurityRules/{name}",
                "name": name,
                "type": NSG + "/defaultSecurityRules",
                "properties": {
                    "provisioningState": "Succeeded",
                    "description": f"{access} {words}",
                    "protocol": "*",
                    "sourcePortRange": "*",
                    "destinationPortRange": "*",
                    "sourceAddressPrefix": source,
                    "destinationAddressPrefix": destination,
                    "access": access,
                    "priority": priority,
                    "direction": "Inbound" if name.endswith("InBound") else "Outbound",
                },
            }
        )
    return rules


def made(nsg_id: str, name: str, body: Json) -> Json:
    """A rule's body as it will be stored.

    Raises:
        ArmFault: 400, something is missing or out of range.
    """
    text(body, "properties", "direction", required=True)
    text(body, "properties", "access", required=True)
    text(body, "properties", "protocol", required=True)
    priority = integer(body, "properties", "priority", required=True)
    if not FIRST_PRIORITY <= priority <= LAST_PRIORITY:
        raise bad_request(
            f"Security rule has invalid Priority. Value provided: {priority} "
            f"Allowed range {FIRST_PRIORITY}-{LAST_PRIORITY}.",
            "SecurityRuleInvalidPriority",
        )
    properties: Json = {
        "protocol": one_of(body, "properties", "protocol", among=_PROTOCOLS, default="*"),
        **_either(body, "sourcePortRange", "SecurityRuleInvalidPortRange", "Port range"),
        **_either(body, "destinationPortRange", "SecurityRuleInvalidPortRange", "Port range"),
        **_either(body, "sourceAddressPrefix", "SecurityRuleInvalidAddressPrefix", "Address prefix"),
        **_either(body, "destinationAddressPrefix", "SecurityRuleInvalidAddressPrefix", "Address prefix"),
        "access": one_of(body, "properties", "access", among=("Allow", "Deny"), default=""),
        "priority": priority,
        "direction": one_of(body, "properties", "direction", among=("Inbound", "Outbound"), default=""),
    }
    if description := text(body, "properties", "description"):
        properties["description"] = description
    return {"id": f"{nsg_id}/securityRules/{name}", "name": name, "type": RULE, "properties": properties}


def _either(body: Json, field: str, code: str, words: str) -> Json:
    """A field that is written as one text, or as a list under its plural; exactly one of the two holds something."""
    plural = field + ("s" if field.endswith("Range") else "es")
    one, many = text(body, "properties", field), texts(body, "properties", plural)
    groups = field.replace("AddressPrefix", "ApplicationSecurityGroups")
    asns = items(body, "properties", groups) if groups != field else []
    if asns and not one and not many:
        return {groups: asns}
    values = many or [one]
    for value in values:
        if not value or (field.endswith("Range") and not _is_ports(value)):
            allowed = (
                " Value should be an integer OR integer range with '-' delimiter. Valid range 0-65535."
                if field.endswith("Range")
                else ""
            )
            raise bad_request(f"Security rule has invalid {words}. Value provided: {value}.{allowed}", code, field)
    return {plural: many} if many else {field: one, plural: []}


def _is_ports(value: str) -> bool:
    if not _PORTS.fullmatch(value):
        return False
    ends = [int(end) for end in value.split("-")] if value != "*" else [0]
    return ends == sorted(ends) and ends[-1] <= 65535


def check_priority(rule: Json, others: Sequence[Json]) -> None:
    """Refuse a priority that another rule of the same direction has.

    Raises:
        ArmFault: 400 ``SecurityRuleConflict`` naming both.
    """
    mine = rule["properties"]
    for other in others:
        theirs = other["properties"]
        if (theirs["priority"], theirs["direction"]) == (mine["priority"], mine["direction"]):
            raise bad_request(
                f"Security rule {other['name']} conflicts with rule {rule['name']}. "
                "Rules cannot have the same Priority and Direction.",
                "SecurityRuleConflict",
            )
