"""What ``doctor`` looks at. Each point is a function that reads and judges, and never raises."""

from __future__ import annotations

import locale
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from runbook.home import run_ids

Verdict = Literal["ok", "warn", "fail"]

_NEWER_THAN: Final = 1_760_000_000
"""Seconds since 1970, in October 2025: this program is younger, so a clock that reads less is wrong."""
_LEAST_BYTES: Final = 50 * 1024 * 1024
_MANY_BYTES: Final = 500 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Point:
    """One thing looked at. ``advice`` is empty when all is well."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""


def every_point(home: Path) -> list[Point]:
    """Look at everything, in order."""
    looks: list[tuple[str, Callable[[], Point]]] = [
        ("python", _python),
        ("sqlite", _sqlite),
        ("home", lambda: _home(home)),
        ("disk", lambda: _disk(home)),
        ("terminal", _terminal),
        ("colours", _colours),
        ("locale", _locale),
        ("clock", _clock),
        ("azure cli", _azure_cli),
        ("sign-in", _sign_in),
        ("cloud", _cloud),
        ("network", _network),
    ]
    points = []
    for name, look in looks:
        try:
            points.append(look())
        except Exception as error:
            points.append(Point(name, "warn", f"could not be looked at: {type(error).__name__}: {error}"))
    return points


def _python() -> Point:
    return Point("python", "ok", f"{platform.python_version()} at {sys.executable}")  # an older one cannot start this


def _sqlite() -> Point:
    import apsw

    version = apsw.sqlite_lib_version()
    if tuple(map(int, version.split("."))) < (3, 51, 3):
        return Point("sqlite", "fail", version, "Versions up to 3.51.2 can corrupt a journal: pip install -U apsw.")
    return Point("sqlite", "ok", f"{version}, from apsw {apsw.apsw_version()}")


def _home(home: Path) -> Point:
    near = _nearest(home)
    if not near.is_dir():
        return Point("home", "fail", str(home), f"{near} is not a folder. Name another with --home or RUNBOOK_HOME.")
    if not os.access(near, os.W_OK | os.X_OK):
        return Point("home", "fail", f"{home} cannot be written", "Name another with --home or RUNBOOK_HOME.")
    if not home.is_dir():
        return Point("home", "ok", f"{home}, to be made")
    if os.name == "posix" and home.stat().st_mode & 0o077:
        return Point("home", "warn", f"{home} is open to others", f"Close it: chmod 700 {home}")
    return Point("home", "ok", f"{home}, {len(run_ids(home))} runs")


def _nearest(path: Path) -> Path:
    """The path, or the nearest thing above it that exists."""
    return next((p for p in (path, *path.parents) if p.exists()), path)


def _disk(home: Path) -> Point:
    free = shutil.disk_usage(_nearest(home)).free
    found = f"{free // (1024 * 1024)} MiB free"
    if free < _LEAST_BYTES:
        return Point("disk", "fail", found, "Free some space: a run stops when its journal cannot be written.")
    if free < _MANY_BYTES:
        return Point("disk", "warn", found, "Free some space before a long run.")
    return Point("disk", "ok", found)


def _terminal() -> Point:
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        return Point("terminal", "warn", "none here", "Screens need one; --headless and --plain do not.")
    columns, rows = shutil.get_terminal_size()
    found = f"{columns} by {rows}, TERM={os.environ.get('TERM', '')}"
    if os.environ.get("TERM") == "dumb":
        return Point("terminal", "warn", found, "This one cannot show a screen: use --plain.")
    if columns < 80 or rows < 24:
        return Point("terminal", "warn", found, "Make it at least 80 by 24.")
    return Point("terminal", "ok", found)


def _colours() -> Point:
    if os.environ.get("NO_COLOR"):
        return Point("colours", "ok", "none, as NO_COLOR asks; every state also has a sign and a word")
    name = os.environ.get("COLORTERM", "") or os.environ.get("TERM", "")
    rich = name in ("truecolor", "24bit") or "256" in name or os.name == "nt"
    return Point("colours", "ok", name or "unknown") if rich else Point("colours", "ok", f"few ({name or 'unknown'})")


def _locale() -> Point:
    encoding = locale.getpreferredencoding(False)
    if encoding.lower().replace("-", "") != "utf8":
        return Point("locale", "warn", encoding, "Signs may show as question marks: use a UTF-8 locale (LANG=C.UTF-8).")
    return Point("locale", "ok", encoding)


def _clock() -> Point:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if time.time() < _NEWER_THAN:
        return Point(
            "clock", "fail", now, "The clock is wrong; sign-in to Azure fails by it. Set it, or let NTP do so."
        )
    return Point("clock", "ok", now)


def _azure_cli() -> Point:
    found = shutil.which("az")
    if found is None:
        return Point("azure cli", "ok", "not found; rehearsals do not need it, nor do live runs but for --via az")
    return Point("azure cli", "ok", found)


def _sign_in() -> Point:
    """Which way ``--auth auto`` would take, and where it leads. Nobody is asked for a token."""
    from runbook.arm.auth import named_by_environment
    from runbook.arm.azurecli import read_profile
    from runbook.core.error import RunbookError

    try:
        profile = read_profile()
    except RunbookError as error:
        return Point("sign-in", "warn", error.message, error.hint)
    current, kind = profile.current, named_by_environment()
    if profile.accounts:
        where = f"{current.name} ({current.id}), tenant {current.tenant}" if current else "no subscription"
        who = current.user if current else profile.accounts[0].user
        found = f"Azure CLI (--auth cli): {who} in {profile.cloud}, in {where}; {len(profile.accounts)} known"
        if shutil.which("az") is None:
            return Point("sign-in", "warn", found, "Tokens come from az, which is not on the PATH: install it again.")
        return Point("sign-in", "ok", found)
    if kind:
        return Point("sign-in", "ok", f"named by the environment (--auth {kind})")
    return Point(
        "sign-in",
        "ok",
        "nobody; rehearsals need nobody",
        "Before a live run: az login; or --auth device-code, browser, environment, workload or managed.",
    )


def _cloud() -> Point:
    """Whether the cloud of the sign-in is one whose rules are known."""
    from runbook.arm.azurecli import read_profile
    from runbook.core.error import RunbookError

    try:
        cloud = read_profile().place()
    except RunbookError as error:
        return Point("cloud", "warn", error.message, error.hint)
    rules = "" if cloud.is_known else f", on this machine, by the rules of {cloud.rules}"
    return Point("cloud", "ok", f"{cloud.name} at {cloud.endpoint}{rules}")


def _network() -> Point:
    """Proxies and private certificates, as live runs take them from the environment. Nobody is called."""
    from runbook.arm.tls import trusted
    from runbook.core.error import RunbookError
    from runbook.core.redact import plain

    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or ""
    bundle = os.environ.get("REQUESTS_CA_BUNDLE", "")
    try:
        trusted()
    except RunbookError as error:
        return Point("network", "warn", error.message, error.hint)
    through = f"through the proxy {plain(proxy.rpartition('@')[2])}" if proxy else "straight"
    return Point("network", "ok", f"{through}; certificates of {bundle or 'this system'}")
