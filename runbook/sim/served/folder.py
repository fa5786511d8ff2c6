"""A folder that signs clients in to a served cloud: the Azure CLI's configuration, ready made, and the certificate.

Nothing of the operator's own is read or written: with the variables that ``environment`` names, the Azure CLI and the
SDKs see this folder alone, and a proxy that nobody answers at keeps them on this machine.

Source: the files that azure-cli-core 2.91 and MSAL 1.39 read; each was tried with the Azure CLI.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from runbook.sim.scenario import Scenario
from runbook.sim.served.signin import AUDIENCE

Json = dict[str, Any]

CLOUD_NAME: Final = "Rehearsal"
"""Not one of Azure's own names: where the Azure CLI loses its list of clouds, it then finds none, and calls nobody."""
_CLI: Final = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The Azure CLI's own client id, which is public."""
_NOWHERE: Final = "http://127.0.0.1:9"
"""A port at which nobody answers (discard)."""


def subscriptions(scenario: Scenario) -> list[dict[str, str]]:
    """Id, name and tenant of each subscription."""
    return [{"id": s.id, "name": s.name, "tenantId": s.tenant or scenario.tenant.id} for s in scenario.subscriptions]


def environment(folder: Path, endpoint: str) -> dict[str, str]:
    """The variables that make a folder count for the Azure CLI, the SDKs and anything that is built on them."""
    url = urlsplit(endpoint)
    ca_file = str(folder / "ca.pem")
    direct = ",".join(dict.fromkeys(["127.0.0.1", "localhost", url.hostname or ""]))
    return {
        "AZURE_CONFIG_DIR": str(folder / "azure"),
        "AZURE_EXTENSION_DIR": str(folder / "extensions"),
        "AZURE_AUTHORITY_HOST": endpoint,
        "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential",  # never a look for a managed identity outside this machine
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off",
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CORE_NO_COLOR": "true",
        "AZURE_CORE_SURVEY_MESSAGE": "false",
        "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
        "REQUESTS_CA_BUNDLE": ca_file,
        "SSL_CERT_FILE": ca_file,
        **{name: _NOWHERE for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")},
        **{name: direct for name in ("NO_PROXY", "no_proxy")},  # the small ones beat the others where both are set
    }


def write(folder: Path, scenario: Scenario, endpoint: str, ca: bytes, made_s: int) -> None:
    """Fill an empty folder.

    Args:
        folder: an existing one, which nobody else may look into.
        scenario: whose operator is signed in, and to which subscriptions.
        endpoint: where the cloud is served, without a trailing slash.
        ca: the certificate of its CA, PEM.
        made_s: now, UTC seconds.
    """
    (folder / "ca.pem").write_bytes(ca)
    for name in ("azure", "extensions"):
        (folder / name).mkdir(mode=0o700)
    home = folder / "azure"
    _put(home / "config", _config())
    _put(home / "clouds.config", _clouds(endpoint))
    _put(home / "azureProfile.json", json.dumps(_profile(scenario)))
    _put(home / "msal_token_cache.json", json.dumps(_tokens(scenario, endpoint, made_s)))
    env = environment(folder, endpoint)
    _put(folder / "env.sh", "".join(f"export {name}='{_quoted(value)}'\n" for name, value in env.items()))
    _put(folder / "env.ps1", "".join(f"$env:{name} = '{_doubled(value)}'\n" for name, value in env.items()))


def _put(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _quoted(text: str) -> str:
    return text.replace("'", "'\\''")


def _doubled(text: str) -> str:
    return text.replace("'", "''")


def _sections(sections: dict[str, dict[str, str]]) -> Iterator[str]:
    for name, pairs in sections.items():
        yield f"[{name}]\n"
        yield from (f"{key} = {value}\n" for key, value in pairs.items())
        yield "\n"


def _config() -> str:
    quiet = {
        "instance_discovery": "false",
        "login_experience_v2": "off",
        "collect_telemetry": "false",
        "encrypt_token_cache": "false",
        "survey_message": "false",
    }
    sections = {
        "cloud": {"name": CLOUD_NAME},
        "core": quiet,
        "extension": {"use_dynamic_install": "no"},
        "auto-upgrade": {"enable": "no"},
    }
    return "".join(_sections(sections))


def _clouds(endpoint: str) -> str:
    about = {
        "endpoint_resource_manager": endpoint,
        "endpoint_active_directory": endpoint,
        "endpoint_management": AUDIENCE,
        "endpoint_active_directory_resource_id": AUDIENCE,
        "endpoint_active_directory_graph_resource_id": "https://graph.windows.net/",
    }
    return "".join(_sections({CLOUD_NAME: about}))


def _profile(scenario: Scenario) -> Json:
    own = scenario.tenant
    default = next((s.id for s in scenario.subscriptions if s.state == "Enabled"), scenario.subscriptions[0].id)
    entries = [
        {
            "id": s.id,
            "name": s.name,
            "state": s.state,
            "isDefault": s.id == default,
            "tenantId": s.tenant or own.id,
            "homeTenantId": own.id,
            "tenantDisplayName": own.name,
            "tenantDefaultDomain": own.domain,
            "environmentName": CLOUD_NAME,
            "managedByTenants": [],
            "user": {"name": scenario.operator.name, "type": "user"},
        }
        for s in scenario.subscriptions
    ]
    return {"installationId": own.id, "subscriptions": entries}


def _tokens(scenario: Scenario, endpoint: str, made_s: int) -> Json:
    """MSAL's cache with an account and something to get tokens with."""
    host = urlsplit(endpoint).hostname or ""
    tenant, person = scenario.tenant.id, scenario.operator.object_id
    home = f"{person}.{tenant}"
    account = {
        "home_account_id": home,
        "environment": host,
        "realm": tenant,
        "local_account_id": person,
        "username": scenario.operator.name,
        "authority_type": "MSSTS",
        "account_source": "device_code",
    }
    refresh = {
        "credential_type": "RefreshToken",
        "secret": "simulated-refresh",
        "home_account_id": home,
        "environment": host,
        "client_id": _CLI,
        "target": f"{AUDIENCE}/.default offline_access openid profile",
        "last_modification_time": str(made_s),
    }
    return {
        "Account": {f"{home}-{host}-{tenant}".lower(): account},
        "RefreshToken": {f"{home}-{host}-refreshtoken-{_CLI}--".lower(): refresh},
        "AppMetadata": {f"appmetadata-{host}-{_CLI}".lower(): {"client_id": _CLI, "environment": host}},
    }
