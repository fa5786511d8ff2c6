"""Which public names lead to which private zones, and what the public DNS answers.

Pure: names in, names out. ``always`` marks suffixes whose public names are CNAMEs into the private zone for everybody;
below the others only the names of resources that have a private endpoint are.

Source: "Azure Private Endpoint private DNS zone values", learn.microsoft.com; the Arc and Azure Virtual Desktop private
link articles there. Public addresses are from the ranges of RFC 5737, which nobody routes.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

PREFIX: Final = "privatelink."


@dataclass(frozen=True, slots=True)
class Suffix:
    """Names below ``public`` are CNAMEs to the same relative names below ``zone``."""

    public: str
    zone: str
    always: bool = False


def _plain(public: str, *, always: bool = False) -> Suffix:
    return Suffix(public, PREFIX + public, always)


SUFFIXES: Final = (
    *(_plain(f"his.arc.azure.{end}", always=True) for end in ("com", "us", "cn")),
    *(_plain(f"guestconfiguration.azure.{end}", always=True) for end in ("com", "us", "cn")),
    *(_plain(f"dp.kubernetesconfiguration.azure.{end}", always=True) for end in ("com", "us", "cn")),
    *(_plain(name) for name in ("wvd.microsoft.com", "wvd.azure.us", "wvd.azure.cn")),
    _plain("blob.core.windows.net"),
    _plain("blob.core.usgovcloudapi.net"),
    _plain("blob.core.chinacloudapi.cn"),
    _plain("azure-automation.net"),
    _plain("monitor.azure.com"),
    _plain("oms.opinsights.azure.com"),
    _plain("ods.opinsights.azure.com"),
    _plain("agentsvc.azure-automation.net"),
    *(
        Suffix(f"{word}.{end}", f"privatelink.vaultcore.{end}")
        for word in ("vault", "vaultcore")
        for end in ("azure.net", "usgovcloudapi.net", "azure.cn")
    ),
)

_GLOBAL: Final = {
    f"rdweb.{end}": f"privatelink-global.{end}" for end in ("wvd.microsoft.com", "wvd.azure.us", "wvd.azure.cn")
}
"""The one public name of each cloud's AVD feed discovery, which has a zone of its own."""

_PUBLIC: Final = ("203.0.113.", "198.51.100.")

_LOCAL: Final = ("local", "internal", "corp", "lan", "home", "private", "test", "invalid", "localdomain")
"""Last labels that the public DNS does not know (RFC 6761, RFC 8244 and custom)."""


def clean(name: str) -> str:
    """A name as it is compared: lower case, no dot at the end."""
    return name.strip().lower().rstrip(".")


def is_below(name: str, suffix: str) -> bool:
    """Whether a clean name is the suffix itself or lies below it."""
    return name == suffix or name.endswith("." + suffix)


def suffix_for(name: str) -> Suffix | None:
    """The longest known public suffix of a clean name, or None."""
    fitting = [s for s in SUFFIXES if name.endswith("." + s.public)]
    return max(fitting, key=lambda s: len(s.public), default=None)


def private_name(name: str) -> str:
    """The name below a private zone that a clean public name is a CNAME to, should it be one.

    ``gbl.his.arc.azure.com`` → ``gbl.privatelink.his.arc.azure.com``. For an unknown suffix the label ``privatelink``
    comes after the first.
    """
    if name in _GLOBAL:
        return f"{name.partition('.')[0]}.{_GLOBAL[name]}"
    known = suffix_for(name)
    if known is not None:
        return f"{name.removesuffix(known.public)}{known.zone}"
    first, _, rest = name.partition(".")
    return f"{first}.{PREFIX}{rest}"


def is_always_private(name: str) -> bool:
    """Whether a clean public name is a CNAME into a private zone even when nobody has an endpoint."""
    known = suffix_for(name)
    return name in _GLOBAL or (known is not None and known.always)


def relative_in(zone: str, public: str) -> str | None:
    """The relative name under which a public name stands in a private zone, or None when the zone is not for it."""
    zone, target = clean(zone), private_name(clean(public))
    return target.removesuffix("." + zone) if target.endswith("." + zone) else None


def public_address(name: str) -> str | None:
    """What the public DNS answers for a clean name: always the same address, or None when it knows no such name."""
    labels = name.split(".")
    if len(labels) < 2 or "" in labels or labels[-1] in _LOCAL:
        return None
    number = sha256(name.encode()).digest()
    return f"{'203.0.113' if number[0] % 2 else '198.51.100'}.{1 + number[1] % 254}"


def is_public(address: str) -> bool:
    """Whether an address is one that ``public_address`` gives."""
    return address.startswith(_PUBLIC)
