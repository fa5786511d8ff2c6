"""What the operator's Azure CLI is signed in to: its cloud, its accounts, and which of them is its default. Read-only.

azure-cli-core reads them, so that a profile means here what it means to ``az``. Only those parts of it are called that
do not write: its command line object makes files in the operator's folder as soon as it exists, resets a cloud that it
does not find and deletes a file that it cannot read, and two writers at once corrupt the folder. So the context that
its ``Profile`` and ``get_clouds`` ask for is a small object of ours, the files are tried before it sees them, and where
nobody is signed in it is not even imported.

Source: azure-cli-core 2.91, ``_profile.py``, ``cloud.py``, ``_session.py``.
"""

from __future__ import annotations

import configparser
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runbook.arm.clouds import CLOUDS, Cloud, cloud_of
from runbook.arm.quiet import hush
from runbook.core.error import ContextError

_AGAIN: Final = "Sign in again: az login."


@dataclass(frozen=True, slots=True)
class Account:
    """One subscription that the Azure CLI knows, and who is signed in for it.

    Attributes:
        user: a name, or an application's id.
        kind: ``user`` or ``servicePrincipal``.
    """

    id: str
    name: str
    state: str
    tenant: str
    user: str
    kind: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """The Azure CLI's sign-in, as its folder has it.

    Attributes:
        cloud: the active one's name.
        accounts: those of the active cloud; empty when nobody is signed in.
    """

    folder: Path
    cloud: str
    endpoint: str
    authority: str
    resource: str
    accounts: tuple[Account, ...]

    @property
    def current(self) -> Account | None:
        """The Azure CLI's own default."""
        return next((a for a in self.accounts if a.is_default), None)

    def place(self) -> Cloud:
        """The cloud, as this program knows it.

        Raises:
            ContextError: it is unknown, and not on this machine.
        """
        return cloud_of(self.cloud, self.endpoint, self.authority, self.resource)

    def find(self, wanted: str) -> Account:
        """The account of a subscription by id or name.

        Raises:
            ContextError: none, or several of that name.
        """
        found = [a for a in self.accounts if wanted.lower() in (a.id.lower(), a.name.lower())]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(a.id for a in found)
            raise ContextError(f"Several subscriptions are called {wanted}: {ids}.", "Name one by its id.")
        raise ContextError(
            f"The Azure CLI knows no subscription {wanted} in {self.cloud}.",
            f"`runbook accounts` lists what it knows: {_names(self.accounts)}. Another tenant: az login --tenant ….",
        )


def folder() -> Path:
    """Where the Azure CLI keeps its sign-in: ``AZURE_CONFIG_DIR``, else ``~/.azure``."""
    return Path(os.environ.get("AZURE_CONFIG_DIR") or Path.home() / ".azure")


def read_profile() -> Profile:
    """The Azure CLI's sign-in; without accounts where nobody is signed in.

    Raises:
        ContextError: its files cannot be understood.
    """
    here = folder()
    try:
        doc = json.loads((here / "azureProfile.json").read_text(encoding="utf-8-sig"))
        subscriptions = doc["subscriptions"] if isinstance(doc, dict) else []
    except (FileNotFoundError, NotADirectoryError, KeyError):
        doc, subscriptions = {}, []
    except (OSError, ValueError) as error:
        raise ContextError(f"The Azure CLI's profile in {here} cannot be read: {error}.", _AGAIN) from error
    if not subscriptions and not (here / "config").is_file():
        public = CLOUDS["AzureCloud"]
        return Profile(here, public.name, public.endpoint, public.authority, "", ())
    return _understood(here, doc)


def _understood(here: Path, doc: dict[str, Any]) -> Profile:
    from azure.cli.core import cloud as clouds
    from azure.cli.core._profile import Profile as CliProfile
    from knack.config import CLIConfig

    hush()
    name = CLIConfig(str(here), "AZURE", "config").get("cloud", "name", fallback="AzureCloud")
    registered = here / "clouds.config"
    try:
        configparser.ConfigParser().read(registered)  # what it cannot read, azure-cli-core deletes
    except configparser.Error as error:
        raise ContextError(f"{registered} cannot be read: {error}.", "Register the cloud again: az cloud.") from error
    clouds.CLOUD_CONFIG_FILE = str(registered)  # worked out once when it is imported; the environment may differ by now
    context = _Context(name)
    context.cloud = next((c for c in clouds.get_clouds(context) if c.name == name), None)
    if context.cloud is None:
        raise ContextError(
            f"The Azure CLI's active cloud is {name}, and {registered} does not know it.",
            "Choose a cloud again: az cloud list, az cloud set --name ….",
        )
    ends = context.cloud.endpoints
    known = CliProfile(cli_ctx=context, storage=doc or {"subscriptions": []}).load_cached_subscriptions()
    accounts = tuple(_account(found) for found in known)
    return Profile(
        here, name, ends.resource_manager, ends.active_directory, ends.active_directory_resource_id, accounts
    )


class _Context:
    """What azure-cli-core asks of a command line: which cloud is active. Nothing in it can write."""

    def __init__(self, name: str) -> None:
        self.cloud: Any = None
        self.config = self
        self.data: dict[str, Any] = {}
        self._name = name

    def get(self, section: str, option: str, fallback: Any = None) -> Any:
        return self._name if (section, option) == ("cloud", "name") else fallback


def _account(found: dict[str, Any]) -> Account:
    user = found.get("user") or {}
    return Account(
        id=str(found.get("id", "")).lower(),
        name=str(found.get("name", "")),
        state=str(found.get("state", "")),
        tenant=str(found.get("tenantId", "")).lower(),
        user=str(user.get("name", "")),
        kind=str(user.get("type", "")),
        is_default=bool(found.get("isDefault")),
    )


def _names(accounts: Iterable[Account]) -> str:
    return ", ".join(a.name for a in accounts) or "none"
