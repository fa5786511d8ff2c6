"""What every test stands on: an empty home, none of the machine's settings, no network but loopback."""

from __future__ import annotations

import gc
import math
import os
import sys
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

_FOREIGN = ("RUNBOOK_", "AZURE_", "ARM_", "XDG_", "MSI_", "IDENTITY_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak-share", type=float, default=1.0, help="of the tests marked soak, run this share (0 to 1)")
    parser.addoption("--whole", action="store_true", help="conformance: every line of a kind, not one of each")
    parser.addoption("--take-pictures", action="store_true", help="keep the pictures of screens as they are now")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep a share of the long tests: the same ones each time, from all over the suite."""
    long = [item for item in items if item.get_closest_marker("soak")]
    chosen = sorted(long, key=lambda item: sha256(item.nodeid.encode()).digest())
    dropped = set(chosen[math.ceil(config.getoption("--soak-share") * len(chosen)) :])
    config.hook.pytest_deselected(items=[item for item in items if item in dropped])
    items[:] = [item for item in items if item not in dropped]


def pytest_collection_finish() -> None:
    """What was collected lives to the end: the collector need not look at it again and again (a tenth of the time)."""
    gc.set_threshold(20_000, 20, 20)
    gc.collect()
    gc.freeze()


@pytest.fixture
def whole(request: pytest.FixtureRequest) -> bool:
    """Whether a long suite is to leave nothing out."""
    return bool(request.config.getoption("--whole"))


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """State goes to a folder of the test's own, which is returned; the machine's configuration is out of sight."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name.upper() in _PROXIES:
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "USERPROFILE", "RUNBOOK_HOME", "AZURE_CONFIG_DIR"):
        monkeypatch.setenv(name, str(home if name in ("HOME", "USERPROFILE") else home / name.lower()))
    return home


class NetworkTouched(AssertionError):
    """A test reached beyond this machine."""


def _only_loopback(event: str, args: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host and host != "localhost" and not _is_loopback(host):
        raise NetworkTouched(f"{event} to {host}: tests stay on this machine")


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


sys.addaudithook(_only_loopback)
