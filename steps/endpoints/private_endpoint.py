"""Makes a private endpoint, or finds one that already leads there, and reads its names and addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.core.arm import Json, Reader
from runbook.core.ids import ResourceId, resource_id
from runbook.step import (
    Blocked,
    Change,
    Changes,
    Check,
    Diff,
    InProgress,
    Poll,
    Satisfied,
    Step,
    StepContext,
    Verdict,
    Waiting,
    expect,
)
from steps._shared import versions
from steps._shared.endpoints import Endpoint, connection_at_target, endpoint_of, endpoints_in
from steps._shared.faces import by_hand, word
from steps._shared.look import BUSY, dig, find, is_under, name_of, properties, same, same_region
from steps._shared.records import Record, record_of
from steps._shared.rights import grants_at, is_granted

LONGEST_REQUEST: Final = 140
"""Characters of the message to an owner."""


class PrivateEndpoint(Step):
    """One endpoint to one target.

    Where this account may not approve connections on the target, its owner is asked (a manual connection).

    An endpoint of another name that sits in the same network and leads to the same target is used as it is: two would
    write the same names with different addresses. Addresses are read from the endpoint's network interface, which
    knows them also when a zone group has emptied the endpoint's own list.

    Source: Azure Network REST 2024-01-01, private endpoints; "What is a private endpoint?", Microsoft Learn.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``members`` are the target's members, needed with ``static_addresses`` only: one address for each."""

        subscription: str
        resource_group: str
        name: str
        location: str
        vnet: str
        subnet: str
        target: str
        group: str
        zones: tuple[str, ...] = ()
        members: tuple[str, ...] = ()
        static_addresses: tuple[str, ...] = ()
        target_version: str = versions.HYBRID_COMPUTE

    params: Params

    @property
    def _id(self) -> str:
        p = self.params
        return resource_id(p.subscription, p.resource_group, "Microsoft.Network/privateEndpoints", p.name)

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        doc = await find(ctx.arm, self._id, versions.NETWORK)
        if doc is None:
            doc = next((e.doc for e in await endpoints_in(ctx.arm, p.vnet) if same(e.target, p.target)), None)
        if doc is None and p.static_addresses and len(p.members) != len(p.static_addresses):
            return Blocked(
                "static-addresses-unfit",
                f"{len(p.static_addresses)} fixed addresses for {len(p.members)} members: every member needs one, and "
                f"{name_of(p.target)} tells which members there are.",
                ("Start a run without fixed addresses, or with one for each member.",),
                (expect("fixed addresses", len(p.members), len(p.static_addresses)),),
            )
        if doc is None:
            change = self._create({}, await self._asker(ctx))
            return Changes((change,), (expect("private endpoint", "present", "absent"),))
        endpoint = endpoint_of(doc)
        if refusal := self._foreign(endpoint):
            return refusal
        if endpoint.state.lower() in BUSY:
            return InProgress(f"{endpoint.name} is {endpoint.state}.", 10)
        if endpoint.state.lower() != "succeeded":
            check = expect("provisioning state", "Succeeded", endpoint.state)
            if not same(endpoint.id, self._id):
                return Blocked(
                    "endpoint-broken", f"{endpoint.name} is {endpoint.state}.", ("Remove it, then retry.",), (check,)
                )
            asker = ctx.run.account if properties(doc).get("manualPrivateLinkServiceConnections") else ""
            return Changes((self._create(doc.get("tags") or {}, asker),), (check,))
        return await self._connected(ctx, endpoint)

    async def _asker(self, ctx: StepContext) -> str:
        """Who asks the target's owner for approval; empty where this account may approve by itself."""
        target = self.params.target
        kind = ResourceId.parse(target).type
        approve = f"{kind}/privateEndpointConnectionsApproval/action"
        return "" if is_granted(approve, await grants_at(ctx.arm, target)) else ctx.run.account

    def _foreign(self, endpoint: Endpoint) -> Blocked | None:
        """Refuse an endpoint of our name that somebody made for something else; its target cannot be changed."""
        p = self.params
        if not same(endpoint.target, p.target):
            return Blocked(
                "endpoint-name-taken",
                f"{endpoint.name} exists and leads to {endpoint.target or 'nothing'}; where an endpoint leads "
                "cannot be changed.",
                ("Start a run with another endpoint name.", "Have it removed by its owner, then retry."),
            )
        if not is_under(endpoint.subnet, p.vnet):
            return Blocked(
                "endpoint-in-other-network",
                f"{endpoint.name} leads to {name_of(p.target)} but sits in {endpoint.network}, not in "
                f"{name_of(p.vnet)}.",
                ("Start a run with another endpoint name.", "Start a run for that network."),
            )
        return None

    async def _connected(self, ctx: StepContext, endpoint: Endpoint) -> Verdict:
        p = self.params
        approved = expect("connection", "Approved", endpoint.connection or "(none)")
        match endpoint.connection.lower():
            case "approved":
                return await self._satisfied(ctx.arm, endpoint, approved)
            case "rejected":
                return Blocked(
                    "connection-rejected",
                    f"The owner of {name_of(p.target)} rejected {endpoint.name}: "
                    f"{endpoint.remark or 'no reason given'}.",
                    (
                        f"Have them approve it on {name_of(p.target)}; this looks again by itself.",
                        "Remove the endpoint and ask again.",
                    ),
                    (approved,),
                    poll=Poll(first_s=300, longest_s=4 * 3600),
                )
            case "disconnected":
                return Blocked(
                    "connection-disconnected",
                    f"The owner of {name_of(p.target)} removed the connection; {endpoint.name} is dead and cannot "
                    "be revived.",
                    (
                        f"Remove it (az network private-endpoint delete --ids {endpoint.id}), then retry: a new one "
                        "is made.",
                    ),
                    (approved,),
                )
            case _:
                return self._pending(endpoint, approved)

    def _pending(self, endpoint: Endpoint, approved: Check) -> Waiting:
        target = self.params.target
        return Waiting(
            who=f"the owner of {name_of(target)}",
            message=f"{endpoint.name} asks for approval on {name_of(target)} and works only once it is given.",
            then="The endpoint's names and addresses are read and DNS is prepared.",
            poll=Poll(first_s=60, longest_s=3600),
            draft=f"Please approve the private endpoint connection of {endpoint.id} on {target}:\n\n"
            f"az network private-endpoint-connection list --id {target}\n"
            f"az network private-endpoint-connection approve --id <id of the connection> --description approved",
            checks=(approved,),
        )

    async def _satisfied(self, arm: Reader, endpoint: Endpoint, approved: Check) -> Verdict:
        p = self.params
        other_side = await connection_at_target(arm, p.target, endpoint.id, p.target_version)
        card = await find(arm, endpoint.nic, versions.NETWORK) if endpoint.nic else None
        records = _records(endpoint, card, p.zones)
        addresses = sorted({r.ip for r in records})
        if not records or not other_side:
            return InProgress(f"{endpoint.name} is made; its names and addresses are not listed yet.", 10, (approved,))
        checks = (
            expect("provisioning state", "Succeeded", endpoint.state),
            approved,
            expect(f"connection as {name_of(p.target)} has it", "Approved", other_side),
            expect(
                "name",
                p.name,
                endpoint.name if same(endpoint.name, p.name) else f"{endpoint.name}, found and used",
                ok=True,
            ),
            expect("region", p.location, endpoint.location, ok=same_region(p.location, endpoint.location)),
            expect("names with an address", "at least one", len(records), ok=True),
            expect("names that fit no private zone", "(none)", [r.fqdn for r in records if not r.zone], ok=True),
        )
        outputs = {
            "id": endpoint.id,
            "name": endpoint.name,
            "nic": endpoint.nic,
            "records": [r.doc() for r in records],
            "addresses": addresses,
        }
        return Satisfied(checks, outputs)

    def _create(self, tags: Json, asker: str) -> Change:
        p = self.params
        link: Json = {"name": p.name, "properties": {"privateLinkServiceId": p.target, "groupIds": [p.group]}}
        kind = "manualPrivateLinkServiceConnections" if asker else "privateLinkServiceConnections"
        if asker:
            link["properties"]["requestMessage"] = f"{p.name} in {name_of(p.vnet)}, asked for by {asker}"[
                :LONGEST_REQUEST
            ]
        at: Json = {"subnet": {"id": p.subnet}, kind: [link]}
        pairs = list(zip(p.members, p.static_addresses, strict=False)) if p.static_addresses else []
        if pairs:
            at["ipConfigurations"] = [_fixed(p.group, member, address) for member, address in pairs]
        body: Json = {"location": p.location, "properties": at}
        if tags:
            body["tags"] = tags
        native = () if pairs or tags or asker else self._az()
        return Change(
            title=f"Create private endpoint {p.name} to {name_of(p.target)}"
            + (", whose owner must approve" if asker else ""),
            method="PUT",
            path=self._id,
            api_version=versions.NETWORK,
            body=body,
            diff=(Diff("", None, body),),
            locks=(p.vnet,),
            az=native,
            by_hand=by_hand(powershell=self._powershell(bool(asker))),
        )

    def _az(self) -> tuple[str, ...]:
        p = self.params
        return (
            *("az", "network", "private-endpoint", "create", "--subscription", p.subscription),
            *("--resource-group", p.resource_group, "--name", p.name, "--location", p.location, "--subnet", p.subnet),
            *("--private-connection-resource-id", p.target, "--group-id", p.group, "--connection-name", p.name),
        )

    def _powershell(self, is_manual: bool) -> tuple[str, ...]:
        p = self.params
        group, vnet = p.vnet.strip("/").split("/")[3], name_of(p.vnet)
        request = " -ByManualRequest" if is_manual else ""
        return (
            f"Set-AzContext -Subscription {p.subscription}",
            f"$subnet = (Get-AzVirtualNetwork -ResourceGroupName {word(group)} -Name {word(vnet)}).Subnets "
            f"| Where-Object Name -eq '{name_of(p.subnet)}'",
            f"$link = New-AzPrivateLinkServiceConnection -Name {word(p.name)} -PrivateLinkServiceId {word(p.target)} "
            f"-GroupId {p.group}",
            f"New-AzPrivateEndpoint -ResourceGroupName {word(p.resource_group)} -Name {word(p.name)} -Location "
            f"{p.location} -Subnet $subnet -PrivateLinkServiceConnection $link{request}",
        )


def _fixed(group: str, member: str, address: str) -> Json:
    name = member.lower().replace(".", "-")
    return {"name": name, "properties": {"groupId": group, "memberName": member, "privateIPAddress": address}}


def _records(endpoint: Endpoint, card: Json | None, zones: tuple[str, ...]) -> list[Record]:
    """Every name of the endpoint with its address, in the order of the names."""
    found: dict[str, str] = {}
    for item in properties(endpoint.doc).get("customDnsConfigs") or ():
        for address in (item.get("ipAddresses") or ())[:1]:
            found[str(item.get("fqdn", "")).lower()] = str(address)
    for configuration in properties(card).get("ipConfigurations") or ():
        at = properties(configuration)
        for fqdn in dig(at, "privateLinkConnectionProperties", "fqdns") or ():
            found[str(fqdn).lower()] = str(at.get("privateIPAddress", ""))
    return [record_of(fqdn, ip, zones) for fqdn, ip in sorted(found.items()) if fqdn and ip]
