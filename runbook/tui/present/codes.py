"""Error codes in plain words: what a code means, beside what the operator can do about it, which the error carries.

Two kinds of codes: those of Azure, and those of the runbook's own errors and rules. A code that is not in the table is
shown as it came. What can be done stands in the error's hint (``arm/hints.py``); here is only what it says.

Sources: azure-docs, "Troubleshoot common Azure deployment errors", "Resolve errors for resource provider
registration", "Set up preview features", "Understand how Azure Resource Manager throttles requests"; Azure Resource
Manager RPC, common-api-details. Statuses and names that no public page confirms are worded by their name alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_AZURE: Final = {
    "anotheroperationinprogress": "Something else is being written to the same resource or network at this moment.",
    "authorizationfailed": "The signed-in account lacks a right.",
    "badrequest": "Azure does not accept the request as it is; the message says why.",
    "canceled": "Azure stopped the work before it was finished, perhaps because another call took its place.",
    "conflict": "The resource is in a state that does not allow this now; the message says which.",
    "expiredauthenticationtoken": "The sign-in has run out.",
    "failed": "Azure took the call, worked on it, and could not finish it.",
    "featurenotfound": "Azure knows no feature flag of that name here.",
    "forbidden": "Azure does not let this account do it.",
    "internalservererror": "Azure itself broke on this request.",
    "invalidapiversionparameter": "This cloud does not offer the API version that was asked for.",
    "invalidauthenticationtoken": "Azure does not accept the sign-in.",
    "invalidauthenticationtokentenant": "The sign-in is for another tenant than the subscription.",
    "invalidresourcereference": "The request points to something that is not there, or lies in another region.",
    "invalidresourcetype": "Azure does not offer that kind of resource here.",
    "inusesubnetcannotbedeleted": "The subnet is still in use.",
    "linkedauthorizationfailed": "The account may write the resource, but lacks a right on something it points to.",
    "locationrequired": "The request names no region.",
    "missingparameteronprivatelinkserviceconnection": "The endpoint does not say which part of the target it leads to.",
    "missingsubscriptionregistration": "The subscription has never been registered for that service.",
    "noregisteredproviderfound": "That kind of resource is not offered in this region, or not registered for.",
    "operationnotallowed": "Azure does not allow this for the resource as it is.",
    "parentresourcenotfound": "What this would belong to is not there.",
    "preconditionfailed": "Somebody changed the resource after it was read.",
    "privateendpointcannotbecreatedinsubnetthathasnetworkpoliciesenabled": "The subnet does not take private "
    "endpoints as it is set.",
    "privateendpointipconfigurationmissingmembernamesrequiredbyfps": "Fixed addresses were given for some parts of the "
    "target only.",
    "privateendpointnetworkpoliciescannotbeenabledonprivateendpointsubnet": "Network policies cannot be switched on "
    "while private endpoints stand in the subnet.",
    "readonlydisabledsubscription": "The subscription is disabled; it can only be read.",
    "requestdisallowedbypolicy": "A policy of your organisation forbids it.",
    "resourcegroupnotfound": "The resource group is not there.",
    "resourcenotfound": "The resource is not there.",
    "retryableerror": "Azure's network service clashed with itself for a moment.",
    "retryableerrorduetoanotheroperation": "Another operation holds the resource at this moment.",
    "scopelocked": "A lock forbids changing or deleting it.",
    "subnetisfull": "The subnet has no free addresses left for this.",
    "subscriptionnotfound": "Azure does not show this subscription to the signed-in account.",
    "subscriptionnotregisteredforfeature": "The subscription lacks a feature flag that this needs.",
    "subscriptionrequeststhrottled": "Too many calls were made in a short time.",
    "toomanyrequests": "Too many calls were made in a short time.",
}

_OURS: Final = {
    "answer_missing": "The call was sent and no answer came back that says how it ended.",
    "change-did-not-hold": "Azure took the change, and it is gone again or never showed.",
    "check-not-met": "Everything seems made, but a check does not read what it should.",
    "context": "You are signed in as somebody else, or elsewhere, than this run is pinned to.",
    "need-skipped": "A disruptive change stands on something that was left out of this run.",
    "no-end-in-sight": "Azure has been at work for longer than anything here should take.",
    "not_sent": "The call never left this machine: no connection, no name, or no trust in the certificate.",
    "outside_pinned": "The change would be made outside the subscriptions that this run may write to.",
    "sign_in": "There is no valid sign-in any more.",
    "step_fault": "The runbook itself has a defect here; the cloud is not to blame.",
    "stopped": "The run was stopped before the call was sent.",
    "wait-expired": "Nobody answered for so long that what was asked counts as lapsed.",
    "unexpected": "Something broke here while the call was under way.",
}

_ABOUT_INPUTS: Final = frozenset(
    {
        "invalidresourcereference",
        "locationrequired",
        "outside_pinned",
        "parentresourcenotfound",
        "resourcegroupnotfound",
        "resourcenotfound",
        "subnetisfull",
        "subscriptionnotfound",
    }
)
"""Codes where what the run was started with may be wrong. A rule says so by its name."""

_INPUT_RULE: Final = re.compile(r"subnet|region|location|address|name|network|zone|plan|input")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says.

    Attributes:
        said: one sentence; empty for a code that is not known here.
        is_ours: whether the runbook made the code, not Azure.
        may_be_input: whether another input may be the way out.
    """

    said: str
    is_ours: bool = False
    may_be_input: bool = False


def meaning(code: str) -> Meaning:
    """Look a code up, without regard to letter case."""
    low = code.strip().lower()
    about_inputs = low in _ABOUT_INPUTS
    if low in _OURS:
        return Meaning(_OURS[low], True, about_inputs)
    return Meaning(_AZURE.get(low, ""), False, about_inputs)


def rule_meaning(rule: str) -> Meaning:
    """Look a rule up; a rule of a step is told by its own message, so nothing is said for it here."""
    known = meaning(rule)
    return known if known.said else Meaning("", True, bool(_INPUT_RULE.search(rule.lower())))
