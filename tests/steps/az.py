"""What a native ``az`` command writes, worked out from its arguments.

Each entry is the shape of a recording in ``az_recorded.yaml``, and a test holds it against that recording; an option
that is not in the entry is an error, as ``az`` would say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Options = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Write:
    """One call that changes something, without its api-version."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


_SHORT: Final = {"-g": "--resource-group", "-n": "--name", "-l": "--location", "-z": "--zone-name"}
_LONG: Final = {"-v": "--virtual-network", "-e": "--registration-enabled"}
ANEW: Final = {"If-None-Match": "*"}


@dataclass(frozen=True, slots=True)
class Command:
    """A command: the options it must have besides ``--subscription``, and its write."""

    options: tuple[str, ...]
    write: Callable[[str, Options], Write]


def _in_group(sub: str, o: Options, rest: str) -> str:
    return f"/subscriptions/{sub}/resourceGroups/{o['--resource-group']}/providers/Microsoft.Network/{rest}"


def _provider(sub: str, o: Options) -> Write:
    return Write("POST", f"/subscriptions/{sub}/providers/{o['--namespace']}/register")


def _feature(sub: str, o: Options) -> Write:
    home = f"/subscriptions/{sub}/providers/Microsoft.Features/providers/{o['--namespace']}"
    return Write("POST", f"{home}/features/{o['--name']}/register")


def _group(sub: str, o: Options) -> Write:
    return Write("PUT", f"/subscriptions/{sub}/resourcegroups/{o['--name']}", {"location": o["--location"]})


def _endpoint(sub: str, o: Options) -> Write:
    connection = {
        "name": o["--connection-name"],
        "properties": {
            "groupIds": [o["--group-id"]],
            "privateLinkServiceId": o["--private-connection-resource-id"],
        },
    }
    at = {
        "ipVersionType": "IPv4",
        "privateLinkServiceConnections": [connection],
        "subnet": {"id": o["--subnet"]},
    }
    path = _in_group(sub, o, f"privateEndpoints/{o['--name']}")
    return Write("PUT", path, {"location": o["--location"], "properties": at})


def _zone(sub: str, o: Options) -> Write:
    return Write("PUT", _in_group(sub, o, f"privateDnsZones/{o['--name']}"), {"location": "global"}, ANEW)


def _link(sub: str, o: Options) -> Write:
    at = {
        "registrationEnabled": {"true": True, "false": False}[o["--registration-enabled"]],
        "virtualNetwork": {"id": o["--virtual-network"]},
    }
    path = _in_group(sub, o, f"privateDnsZones/{o['--zone-name']}/virtualNetworkLinks/{o['--name']}")
    return Write("PUT", path, {"location": "global", "properties": at}, ANEW)


def _rule(sub: str, o: Options) -> Write:
    at = {
        "access": o["--access"],
        "destinationAddressPrefix": o["--destination-address-prefixes"],
        "destinationPortRange": o["--destination-port-ranges"],
        "direction": o["--direction"],
        "priority": int(o["--priority"]),
        "protocol": o["--protocol"],
        "sourceAddressPrefix": o["--source-address-prefixes"],
        "sourcePortRange": o["--source-port-ranges"],
    }
    path = _in_group(sub, o, f"networkSecurityGroups/{o['--nsg-name']}/securityRules/{o['--name']}")
    return Write("PUT", path, {"name": o["--name"], "properties": at})


_PLACE = ("--resource-group", "--name")
COMMANDS: Final[dict[tuple[str, ...], Command]] = {
    ("provider", "register"): Command(("--namespace",), _provider),
    ("feature", "register"): Command(("--namespace", "--name"), _feature),
    ("group", "create"): Command(("--name", "--location"), _group),
    ("network", "private-endpoint", "create"): Command(
        (
            *(*_PLACE, "--location", "--subnet", "--private-connection-resource-id"),
            *("--group-id", "--connection-name"),
        ),
        _endpoint,
    ),
    ("network", "private-dns", "zone", "create"): Command(_PLACE, _zone),
    ("network", "private-dns", "link", "vnet", "create"): Command(
        (*_PLACE, "--zone-name", "--virtual-network", "--registration-enabled"), _link
    ),
    ("network", "nsg", "rule", "create"): Command(
        (
            *(*_PLACE, "--nsg-name", "--priority", "--direction", "--access", "--protocol"),
            *("--source-address-prefixes", "--source-port-ranges"),
            *("--destination-address-prefixes", "--destination-port-ranges"),
        ),
        _rule,
    ),
}


def write_of(argv: Sequence[str], subscription: str = "") -> Write:
    """The one write that a native command makes.

    Args:
        argv: from ``az`` on.
        subscription: the one signed in to, where the arguments name none.

    Raises:
        AssertionError: no such command is recorded, or its options are not exactly those.
    """
    assert argv[0] == "az"
    words = next((w for w in COMMANDS if tuple(argv[1 : 1 + len(w)]) == w), None)
    assert words is not None, f"no recording of {' '.join(argv)}"
    rest = list(argv[1 + len(words) :])
    assert len(rest) % 2 == 0, rest
    given = {(_SHORT | _LONG).get(name, name): value for name, value in zip(rest[::2], rest[1::2], strict=True)}
    sub = given.pop("--subscription", subscription)
    command = COMMANDS[words]
    assert given.keys() == set(command.options), (sorted(given), sorted(command.options))
    return command.write(sub, given)
