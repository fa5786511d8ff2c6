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
from steps._shared.endpoints import Endpoint, connection_at_target, endpoint_of, endpoints_in, version_of
from steps._shared.faces import by_hand, word
from steps._shared.look import BUSY, dig, find, find_member, is_under, name_of, properties, same, same_region
from steps._shared.records import Record, record_of, zones_of_group
from steps._shared.rights import holds

LONGEST_REQUEST: Final = 140
"""Characters of the message to an owner."""


class PrivateEndpoint(Step):
    """One endpoint to one sub-resource of one target.

    Where this account may not approve connections on the target, its owner is asked (a manual connection), unless the
    book says that this cannot be: the preview of Azure Virtual Desktop's private link has that as a known bug.

    An endpoint of another name that sits in the same network and leads to the same place is used as it is: two would
    write the same names with different addresses. Addresses are read from the endpoint's network interface, which
    knows them also when a zone group has emptied the endpoint's own list.

    Source: Azure Network REST 2024-01-01, private endpoints; "What is a private endpoint?", Microsoft Learn; "Use Azure
    Private Link with Azure Virtual Desktop (preview)", Microsoft Docs, 2022-12-06, known issues.
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """What is wanted.

        ``members`` are the target's members, needed with ``static_addresses`` only: one address for each.
        ``target_version`` reads the target's connections; empty takes the one known for its provider. ``may_ask`` says
        whether the target's owner may be asked for approval.
        """

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
        target_version: str = ""
        may_ask: bool = True

    params: Params

    @property
    def _id(self) -> str:
        p = self.params
        return resource_id(p.subscription, p.resource_group, "Microsoft.Network/privateEndpoints", p.name)

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        if not (p.target_version or version_of(p.target)):
            return Blocked(
                "target-type-unknown",
                f"{name_of(p.target)} is a {ResourceId.parse(p.target).type}; with which api-version its connections "
                "are read is not known.",
                ("Name it in the book as `target_version` of this step.",),
            )
        doc = await find_member(ctx.arm, self._id, versions.NETWORK)
        if doc is None:
            there = await endpoints_in(ctx.arm, p.vnet)
            doc = next((e.doc for e in there if e.leads_to(p.target, p.group)), None)
        if doc is None and p.static_addresses and len(p.members) != len(p.static_addresses):
            return Blocked(
                "static-addresses-unfit",
                f"{len(p.static_addresses)} fixed addresses for {len(p.members)} members: every member needs one, and "
                f"{name_of(p.target)} tells which members there are.",
                ("Start a run without fixed addresses, or with one for each member.",),
                (expect("fixed addresses", len(p.members), len(p.static_addresses)),),
            )
        if doc is None:
            asker = await self._asker(ctx)
            if asker and not p.may_ask:
                return self._may_not_ask(ctx)
            return Changes((self._create({}, asker),), (expect("private endpoint", "present", "absent"),))
        endpoint = endpoint_of(doc)
        if refusal := self._foreign(endpoint):
            return refusal
        if endpoint.is_manual and not p.may_ask and endpoint.connection.lower() != "approved":
            return self._asked_in_vain(endpoint)
        if endpoint.state.lower() in BUSY:
            return InProgress(f"{endpoint.name} is {endpoint.state}.", 10)
        if endpoint.state.lower() != "succeeded":
            check = expect("provisioning state", "Succeeded", endpoint.state)
            if not same(endpoint.id, self._id):
                return Blocked(
                    "endpoint-broken", f"{endpoint.name} is {endpoint.state}.", ("Remove it, then retry.",), (check,)
                )
            asker = ctx.run.account if endpoint.is_manual else ""
            return Changes((self._create(doc.get("tags") or {}, asker, endpoint.state),), (check,))
        return await self._connected(ctx, endpoint)

    async def _asker(self, ctx: StepContext) -> str:
        """Who asks the target's owner for approval; empty where this account may approve by itself."""
        target = self.params.target
        return "" if await holds(ctx.arm, self._approval, target) else ctx.run.account

    @property
    def _approval(self) -> str:
        """The right to approve connections on the target."""
        return f"{ResourceId.parse(self.params.target).type}/privateEndpointConnectionsApproval/action"

    def _may_not_ask(self, ctx: StepContext) -> Blocked:
        target = name_of(self.params.target)
        return Blocked(
            "approval-not-granted",
            f"{ctx.run.account} may not approve connections on {target}, and asking its owner does not work here: "
            "approval by hand is a known bug of the preview.",
            (
                f"Have a role with {self._approval} assigned on {target}; this looks again by itself.",
                "Have somebody who holds that right make the endpoint; one that leads there from this network is used.",
                "Start a run with `edition: ga` where private link is generally available: there the owner is asked.",
            ),
            (expect(f"right to approve on {target}", "granted", "not granted"),),
            poll=Poll(first_s=60, longest_s=3600),
        )

    def _asked_in_vain(self, endpoint: Endpoint) -> Blocked:
        target = name_of(self.params.target)
        return Blocked(
            "approval-not-usable",
            f"{endpoint.name} was made to ask the owner of {target} for approval, and is "
            f"{endpoint.connection or 'not approved'}. Approval by hand is a known bug of the preview.",
            (
                f"Remove it (az network private-endpoint delete --ids {endpoint.id}), have a role with "
                f"{self._approval} assigned on {target}, then retry: a new one is approved at once.",
                "If its connection is approved all the same, it is used; retry then.",
            ),
            (expect("connection", "Approved", endpoint.connection or "none"),),
        )

    def _foreign(self, endpoint: Endpoint) -> Blocked | None:
        """Refuse an endpoint of our name that somebody made for something else; its target cannot be changed."""
        p = self.params
        if not endpoint.leads_to(p.target, p.group):
            where = f"{endpoint.target or 'nothing'} ({', '.join(endpoint.groups) or 'no sub-resource'})"
            return Blocked(
                "endpoint-name-taken",
                f"{endpoint.name} exists and leads to {where}; where an endpoint leads cannot be changed.",
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
        approved = expect("connection", "Approved", endpoint.connection or "none")
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
        version = p.target_version or version_of(p.target)
        other_side = await connection_at_target(arm, p.target, endpoint.id, version)
        card = await find(arm, endpoint.nic, versions.NETWORK) if endpoint.nic else None
        records = _records(endpoint, card, zones_of_group(p.zones, p.group))
        addresses = sorted({r.ip for r in records})
        if not other_side and await find(arm, p.target, version) is None:
            return _leads_nowhere(endpoint, name_of(p.target), approved)
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
            expect("names that fit no private zone", "none", [r.fqdn for r in records if not r.zone], ok=True),
        )
        outputs = {
            "id": endpoint.id,
            "name": endpoint.name,
            "nic": endpoint.nic,
            "records": [r.doc() for r in records],
            "addresses": addresses,
        }
        return Satisfied(checks, outputs)

    def _create(self, tags: Json, asker: str, broken: str = "") -> Change:
        """``broken`` is the state of the one that stands there and ended badly; empty where there is none."""
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
            diff=(Diff("properties.provisioningState", broken, "Succeeded") if broken else Diff("", None, body),),
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


def _leads_nowhere(endpoint: Endpoint, target: str, approved: Check) -> Blocked:
    """The endpoint stands, and even says Approved, but what it leads to was deleted."""
    return Blocked(
        "target-gone",
        f"{target} does not exist any more, so {endpoint.name} leads nowhere; one that is made again under the name "
        "does not know it.",
        (
            f"Make {target} again, remove the endpoint (az network private-endpoint delete --ids {endpoint.id}), then "
            "retry: a new one is made.",
            f"If {target} was deleted for good, remove the endpoint and skip this node.",
        ),
        (approved, expect("target", "present", "absent")),
    )


def _fixed(group: str, member: str, address: str) -> Json:
    name = member.lower().replace(".", "-")
    return {"name": name, "properties": {"groupId": group, "memberName": member, "privateIPAddress": address}}


def _records(endpoint: Endpoint, card: Json | None, zones: list[str]) -> list[Record]:
    """Every name of the endpoint with its address, in the order of the names."""
    found: dict[str, str] = {}
    for item in properties(endpoint.doc).get("customDnsConfigs") or ():
        for address in (item.get("ipAddresses") or ())[:1]:
            found[str(item.get("fqdn", "")).lower()] = str(address)
    for configuration in properties(card).get("ipConfigurations") or ():
        at = properties(configuration)
        for fqdn in dig(at, "privateLinkConnectionProperties", "fqdns") or ():
            found[str(fqdn).lower()] = str(at.get("privateIPAddress", ""))
    return [record_of(fqdn, ip, zones, endpoint.name) for fqdn, ip in sorted(found.items()) if fqdn and ip]
