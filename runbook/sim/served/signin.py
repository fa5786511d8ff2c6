"""Sign-in for a cloud that trusts everybody on this machine: OIDC discovery, device code, tokens, cloud metadata.

Nobody is refused who asks in the protocol's way, since there is nothing to protect. A token looks like Entra's, is
signed by nobody and holds no secret.

Source: "OAuth 2.0 device authorization grant flow", "OpenID Connect on the Microsoft identity platform",
learn.microsoft.com; what the Azure CLI 2.91 and MSAL 1.39 were seen to ask for, and the form in which the Azure CLI
reads ``/metadata/endpoints`` (2022-09-01 an object, 2019-05-01 a list of such).
"""

from __future__ import annotations

import base64
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, quote

from runbook.sim.scenario import Scenario

Json = dict[str, Any]

AUDIENCE: Final = "https://management.core.windows.net/"
TOKEN_LIFE_S: Final = 86_399
"""A day: longer than anybody sits at a simulator without a new command."""
_CODE_LIFE_S: Final = 900
_MOST_CODES: Final = 1_000
_HOME_WORDS: Final = frozenset({"common", "organizations", "consumers"})


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of the sign-in host: a JSON object or list, or for a person a text."""

    status: int
    body: Any


class SignIn:
    """The sign-in host of a served cloud.

    Args:
        scenario: whose operator is signed in, in whose tenant.
        endpoint: where all of this is served, without a trailing slash.
        now_s: real time in UTC seconds: clients hold the life of a token against their own clock.
    """

    def __init__(self, scenario: Scenario, endpoint: str, now_s: Callable[[], int]) -> None:
        self._who, self._tenant, self._cloud = scenario.operator, scenario.tenant, scenario.cloud
        self._endpoint, self._now_s = endpoint, now_s
        self._codes: OrderedDict[str, str] = OrderedDict()  # device code → user code
        self._count = 0

    def answer(self, method: str, path: str, query: Mapping[str, str], form: bytes) -> Page | None:
        """The answer to a request, or None when it is not about signing in."""
        parts = [part.lower() for part in path.strip("/").split("/")]
        match method, parts:
            case "GET", ["metadata", "endpoints"]:
                about = self._metadata()
                return Page(200, [about] if query.get("api-version", "") < "2022" else about)
            case "GET", ["common", "discovery", "instance"]:
                return Page(200, self._instances())
            case "GET", [tenant, "v2.0" | ".well-known", *_] if parts[-1] == "openid-configuration":
                return Page(200, self._configuration(tenant))
            case "GET", [_, "discovery", "v2.0", "keys"]:
                return Page(200, {"keys": []})
            case "POST", [_, "oauth2", "v2.0", "devicecode"]:
                return self._device_code(_fields(form))
            case "POST", [tenant, "oauth2", "v2.0", "token"]:
                return self._token(tenant, _fields(form))
            case "GET", ["devicelogin"]:
                return Page(200, "You are signed in already: this is a simulated Azure. Go back to your terminal.\n")
        return None

    # ------------------------------------------------------------ what there is

    def _metadata(self) -> Json:
        """What a client needs to know of this cloud; ``name`` is the one whose rules it follows."""
        return {
            "name": self._cloud,
            "portal": self._endpoint,
            "authentication": {
                "loginEndpoint": self._endpoint,
                "audiences": [AUDIENCE, self._endpoint],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "graph": "https://graph.windows.net/",
            "graphAudience": "https://graph.windows.net/",
            "resourceManager": self._endpoint,
            "suffixes": {},
        }

    def _configuration(self, tenant: str) -> Json:
        home = f"{self._endpoint}/{quote(tenant)}"
        return {
            "issuer": f"{self._endpoint}/{self._realm(tenant)}/v2.0",
            "authorization_endpoint": f"{home}/oauth2/v2.0/authorize",
            "token_endpoint": f"{home}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{home}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{home}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
        }

    def _instances(self) -> Json:
        host = self._endpoint.partition("://")[2]
        known = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
        where = f"{self._endpoint}/{self._tenant.id}/v2.0/.well-known/openid-configuration"
        return {"tenant_discovery_endpoint": where, "api-version": "1.1", "metadata": [known]}

    # ------------------------------------------------------------ signing in

    def _device_code(self, form: Mapping[str, str]) -> Page:
        if not form.get("client_id"):
            return _refused("invalid_request", "AADSTS900144: The request body must contain 'client_id'.")
        self._count += 1
        code, word = f"device-{self._count}", f"SIM{self._count:06d}"
        self._codes[code] = word
        while len(self._codes) > _MOST_CODES:
            self._codes.popitem(last=False)
        page = f"{self._endpoint}/devicelogin"
        said = f"To sign in, use a web browser to open the page {page} and enter the code {word} to authenticate."
        about = {"expires_in": _CODE_LIFE_S, "interval": 1, "verification_uri": page, "message": said}
        return Page(200, {"device_code": code, "user_code": word, **about})

    def _token(self, tenant: str, form: Mapping[str, str]) -> Page:
        client, grant = form.get("client_id", ""), form.get("grant_type", "")
        if not client:
            return _refused("invalid_request", "AADSTS900144: The request body must contain 'client_id'.")
        match grant:
            case "client_credentials":
                return Page(200, self._access(tenant, client, form, is_user=False))
            case "refresh_token" if form.get("refresh_token"):
                return Page(200, self._signed_in(tenant, client, form))
            case "urn:ietf:params:oauth:grant-type:device_code" | "device_code":
                if self._codes.pop(form.get("device_code") or form.get("code", ""), None) is None:
                    return _refused("invalid_grant", "AADSTS70008: No such device code was given out.")
                return Page(200, self._signed_in(tenant, client, form))
        return _refused("unsupported_grant_type", f"AADSTS70003: The grant type {grant!r} is not supported here.")

    def _signed_in(self, tenant: str, client: str, form: Mapping[str, str]) -> Json:
        person = {"uid": self._who.object_id, "utid": self._tenant.id}
        about = {
            **self._claims(tenant, client),
            "aud": client,
            "name": self._who.name,
            "preferred_username": self._who.name,
            "sub": self._who.object_id,
        }
        return {
            **self._access(tenant, client, form, is_user=True),
            "refresh_token": "simulated-refresh",
            "id_token": _jwt(about),
            "client_info": _encoded(person),
        }

    def _access(self, tenant: str, client: str, form: Mapping[str, str], *, is_user: bool) -> Json:
        who = (
            {"oid": self._who.object_id, "upn": self._who.name, "unique_name": self._who.name, "idtyp": "user"}
            if is_user
            else {"oid": client, "idtyp": "app"}
        )
        token = _jwt({**self._claims(tenant, client), **who, "aud": AUDIENCE, "appid": client, "ver": "1.0"})
        life = {"expires_in": TOKEN_LIFE_S, "ext_expires_in": TOKEN_LIFE_S}
        return {"token_type": "Bearer", "scope": form.get("scope", ""), **life, "access_token": token}

    def _claims(self, tenant: str, client: str) -> Json:
        now_s, realm = self._now_s(), self._realm(tenant)
        return {
            "iss": f"{self._endpoint}/{realm}/v2.0",
            "tid": realm,
            "oid": self._who.object_id,
            "iat": now_s,
            "nbf": now_s,
            "exp": now_s + TOKEN_LIFE_S,
        }

    def _realm(self, tenant: str) -> str:
        return self._tenant.id if tenant in _HOME_WORDS else tenant


def _refused(error: str, description: str) -> Page:
    return Page(400, {"error": error, "error_description": description, "error_codes": []})


def _fields(form: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(form.decode("utf-8", "replace")).items()}


def _encoded(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _jwt(claims: Json) -> str:
    return f"{_encoded({'typ': 'JWT', 'alg': 'none'})}.{_encoded(claims)}.simulated"
