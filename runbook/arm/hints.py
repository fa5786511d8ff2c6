"""What an operator can do about an ARM error, by its code. Pure; the sentences are ours.

Invariant: a hint never decides anything. It may read a message to name the action or the lock in question, and when
the message is worded differently the hint is merely less exact.

Sources: azure-docs, "Troubleshoot common Azure deployment errors", "Resolve errors for resource provider
registration", "Set up preview features", "What is a private endpoint"; Azure Resource Manager RPC.
"""

from __future__ import annotations

import re
from typing import Final

from runbook.arm.fault import Fault

AFTER_SILENCE: Final = "Nothing is sent again before the cloud has been looked at."
"""Beside every error that leaves open what happened."""

NOT_ARM: Final = (
    "This is not Resource Manager's error format: a proxy or firewall between this machine and Azure may have answered."
)

SIGN_IN: Final = "Sign in again (az login), check with az account show that it is the right account, then retry."

_HINTS: Final = {
    "anotheroperationinprogress": "Another write to this resource or its network is still running. It is repeated"
    " when that one has had time to end; nothing needs to be done.",
    "authorizationfailed": "The signed-in account lacks a role that allows {action}{scope}. Have it assigned; a new"
    " assignment can take some minutes to count, and a fresh sign-in speeds that up.",
    "expiredauthenticationtoken": SIGN_IN,
    "featurenotfound": "No feature flag of that name exists here. Check the spelling and the cloud; a flag that"
    " became generally available is gone, and its step can be skipped.",
    "invalidapiversionparameter": "This cloud does not offer that API version. Sovereign clouds can lag behind.",
    "invalidauthenticationtoken": SIGN_IN,
    "invalidauthenticationtokentenant": "The sign-in belongs to another tenant than the subscription. Sign in to the"
    " subscription's tenant: az login --tenant <tenant id>.",
    "invalidresourcereference": "Something the request points to does not exist or lies in another region. Check the"
    " ids of network, subnet and target{target}.",
    "invalidresourcetype": "This cloud or API version does not know that kind of resource. Check that the resource"
    " provider is registered and that the region offers it.",
    "inusesubnetcannotbedeleted": "Private endpoints or other network cards still stand in the subnet. Delete them"
    " first.",
    "linkedauthorizationfailed": "The signed-in account may write the resource itself, but not {action} on something"
    " it points to{scope}. Have that right granted there, or check that the id is right.",
    "locationrequired": "The request names no region.",
    "missingparameteronprivatelinkserviceconnection": "The private endpoint names no sub-resource to connect to."
    " Give its group id.",
    "missingsubscriptionregistration": "The resource provider {namespace} is not registered in this subscription."
    " Register it (az provider register --namespace {namespace}), wait for Registered, then retry.",
    "noregisteredproviderfound": "The region or the API version is not offered for that kind of resource, or its"
    " provider is not registered in this subscription. az provider show lists both.",
    "parentresourcenotfound": "What this resource would belong to does not exist. Create that first, or check its"
    " name.",
    "preconditionfailed": "The resource changed since it was read, or exists already. Look again and decide on what"
    " is there now.",
    "privateendpointcannotbecreatedinsubnetthathasnetworkpoliciesenabled": "Network policies are switched on for"
    " private endpoints in this subnet. Switch them off there (privateEndpointNetworkPolicies: Disabled) or choose"
    " another subnet.",
    "privateendpointipconfigurationmissingmembernamesrequiredbyfps": "Static addresses were given for some members"
    " of the target only, or a member name is wrong. Give one address for each member, or none at all.",
    "privateendpointnetworkpoliciescannotbeenabledonprivateendpointsubnet": "The subnet holds private endpoints, so"
    " network policies must stay off there.",
    "readonlydisabledsubscription": "The subscription is disabled and can only be read. Its owner has to settle"
    " billing or spending before anything can be written.",
    "requestdisallowedbypolicy": "An Azure Policy forbids this{assignments}. Ask its owner for an exemption, or use"
    " what the policy wants, such as the central private DNS zones of a landing zone.",
    "resourcegroupnotfound": "Check the resource group's name and that the subscription is the right one.",
    "resourcenotfound": "Check the resource's name and that the subscription is the right one.",
    "retryableerror": "Azure's network service clashed with itself for a moment. It is repeated after a pause.",
    "retryableerrorduetoanotheroperation": "Another operation holds this resource. It is repeated after a pause.",
    "scopelocked": "A lock forbids writing or deleting here{locks}. Have its owner lift it for as long as the step"
    " takes.",
    "subnetisfull": "The subnet has too few free addresses. Choose a larger or another subnet; Azure keeps five"
    " addresses of each for itself.",
    "subscriptionnotfound": "The signed-in account cannot see this subscription. Check its id, and sign in to its"
    " tenant.",
    "subscriptionnotregisteredforfeature": "The subscription lacks a feature flag that this call needs. Register the"
    " flag, wait for Registered, register its resource provider again, then retry.",
    "subscriptionrequeststhrottled": "Azure limits how often it may be asked. It is asked again when it allows it.",
    "toomanyrequests": "Azure limits how often it may be asked. It is asked again when it allows it.",
}
"""By code, in lower case. Braces name what ``_facts`` finds."""

_BY_WORDS: Final = (
    (
        re.compile(r"overlapping namespaces", re.IGNORECASE),
        "This network is already linked to a private DNS zone of the same name, perhaps in another resource group or"
        " subscription. Use that zone and put the records there.",
    ),
    (
        re.compile(r"invalid groupid", re.IGNORECASE),
        "The target has no sub-resource of that name. Its private link resources list the names it knows.",
    ),
)
"""For codes that say nothing, such as ``BadRequest``."""

_ACTION: Final = re.compile(r"perform action\(?s?\)? '([^']{1,200})'")
_LINKED_ACTION: Final = re.compile(r"does not have permission to perform action\(?s?\)? '([^']{1,200})'")
_SCOPE: Final = re.compile(r"(?:linked scope\(s\)|scope) '([^']{1,500})'")
_LINKED_SCOPE: Final = re.compile(r"linked scope\(s\) '([^']{1,500})'")
_LOCKED: Final = re.compile(r"are locked: '([^']{1,500})'")
_NAMESPACE: Final = re.compile(r"namespace '([\w.]{1,100})'")

_APPROVAL: Final = (
    " Or create the endpoint with a manual connection, which the target's owner then approves: the right in question"
    " is the one to approve private endpoint connections."
)
_JOIN: Final = " Network Contributor on the subnet includes it."


def hint_for(fault: Fault) -> str:
    """One or two sentences on what can be done now; empty when we know nothing better than the message."""
    code = fault.code.lower()
    template = _HINTS.get(code)
    if template is None:
        return next((hint for words, hint in _BY_WORDS if words.search(fault.message)), "")
    hint = template.format_map(_facts(code, fault))
    if code == "linkedauthorizationfailed":
        message = fault.message.lower()
        if "privateendpointconnectionsapproval" in message:
            return hint + _APPROVAL
        if "subnets/join" in message:
            return hint + _JOIN
    return hint


def _facts(code: str, fault: Fault) -> dict[str, str]:
    message = fault.message
    is_linked = code == "linkedauthorizationfailed"
    action = _first(_LINKED_ACTION if is_linked else _ACTION, message)
    scope = _first(_LINKED_SCOPE if is_linked else _SCOPE, message)
    locks = _first(_LOCKED, message)
    target = fault.target
    return {
        "action": action or "this action",
        "scope": f" on {scope}" if scope else "",
        "locks": f" ({locks})" if locks else "",
        "target": f" ({target})" if target else "",
        "assignments": f" (assignment {', '.join(fault.assignments)})" if fault.assignments else "",
        "namespace": target if re.fullmatch(r"[\w.]+", target) else _first(_NAMESPACE, message) or "<namespace>",
    }


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
