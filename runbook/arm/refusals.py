"""Why no token could be had, in words an operator can act on. Pure; it reads what sign-in libraries say.

Source: Microsoft Learn, "Microsoft Entra authentication & authorization error codes" (the AADSTS numbers); azure-cli
and azure-identity 1.27, messages.
"""

from __future__ import annotations

import re
from typing import Final

_CODE: Final = re.compile(r"AADSTS(\d{5,7})")

_EXPIRED: Final = (
    "the sign-in has expired or was revoked",
    "Sign in again ({again}); the run then goes on, nothing is lost.",
)
_STRONGER: Final = (
    "the sign-in needs a second factor or a fresh proof of who you are",
    "Sign in again, with a browser ({again}), and answer the second factor; the run then goes on.",
)
_CONDITIONAL: Final = (
    "a Conditional Access policy of the tenant refuses this sign-in",
    "Meet the policy (a managed device, an allowed network or app), or ask the tenant's administrators for an account "
    "or place that may. Then sign in again ({again}).",
)
_TENANT: Final = (
    "the account does not exist in the tenant that was asked",
    "Sign in to the run's own tenant (az login --tenant <tenant id>) with an account that is in it.",
)
_SECRET: Final = (
    "the service principal's secret, certificate or assertion is wrong or has run out",
    "Renew it, set AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH or the federated token anew, then retry.",
)
_DISABLED: Final = (
    "the account is locked, disabled, or its password has run out",
    "Have the account put right, then sign in again ({again}).",
)
_CONSENT: Final = (
    "nobody has consented to this application in the tenant",
    "Ask the tenant's administrators for consent, or use the Azure CLI's sign-in (--auth cli).",
)

_BY_CODE: Final = {
    **dict.fromkeys(("50173", "50132", "50133", "50078", "70008", "70043", "700082", "700084"), _EXPIRED),
    **dict.fromkeys(("50072", "50074", "50076", "50079", "50158"), _STRONGER),
    **dict.fromkeys(("50005", "50097", "53000", "53001", "53002", "53003", "53011", "530003", "530004"), _CONDITIONAL),
    **dict.fromkeys(("50020", "50034", "90002", "90072", "700016"), _TENANT),
    **dict.fromkeys(("700024", "700027", "70021", "700211", "700212", "700213", "7000215", "7000222"), _SECRET),
    **dict.fromkeys(("50053", "50055", "50057"), _DISABLED),
    **dict.fromkeys(("65001", "65004", "650056"), _CONSENT),
}

_BY_WORDS: Final = (
    (
        "azure cli not found",
        "the Azure CLI (az) is not installed here, or not on the PATH",
        "Install it (https://aka.ms/azure-cli), or sign in another way: --auth device-code.",
    ),
    (
        "claims challenge",
        "Azure wants a stronger proof of who you are than this sign-in gives",
        "Sign in again ({again}); the Azure CLI's own line, with the claims, stands in the message. Then retry.",
    ),
    ("please run 'az login'", "nobody is signed in to the Azure CLI", "Sign in: az login. The run then goes on."),
    (
        "environmentcredential authentication unavailable",
        "the environment names no service principal",
        "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH.",
    ),
    (
        "managedidentitycredential authentication unavailable",
        "this machine has no managed identity",
        "Run where one is assigned, or choose another way with --auth.",
    ),
    (
        "failed to invoke the azure cli",
        "the Azure CLI did not answer in time",
        "Try `az account get-access-token` by hand; a slow disk or a proxy may hold it up.",
    ),
)


def explain(said: str, again: str = "az login") -> tuple[str, str]:
    """The cause in a few words and what to do; both empty where the message is one we do not know.

    Args:
        said: the library's message, of any length.
        again: how this operator signs in again.
    """
    for code in _CODE.findall(said):
        if code in _BY_CODE:
            cause, hint = _BY_CODE[code]
            return f"{cause} (AADSTS{code})", hint.format(again=again)
    low = said.lower()
    for words, cause, hint in _BY_WORDS:
        if words in low:
            return cause, hint.format(again=again)
    return "", ""
