"""What a screen hands to the desktop and to the disk: a mail link, a new file. Called from worker threads only.

Invariants: nothing is opened where nobody would see it; no shell is involved; no file is written over.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_OPENERS: Final = (("xdg-open",), ("gio", "open"), ("wslview",))
"""Programs of Linux desktops that open a link with whatever the desktop has for it. Not ``webbrowser``: without a
desktop it takes a text browser, which would draw over this screen.

Source: xdg-utils, xdg-open(1); GLib, gio(1); Python documentation, ``webbrowser``.
"""

_LOOK_S: Final = 5.0
"""An opener that fails does so within so many seconds; some stay until the mail is written."""
_OPEN: Final[list[subprocess.Popen[bytes]]] = []


def opener(platform: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """The command that opens a link with the desktop's own program; empty where there is none.

    Args:
        platform: as ``sys.platform`` has it.
        env: the environment.
    """
    if platform == "win32":
        return ("start",)  # os.startfile; only its name is told
    found = (("open",),) if platform == "darwin" else _OPENERS
    return next((command for command in found if shutil.which(command[0], path=env.get("PATH"))), ())


def why_no_mail(platform: str, env: Mapping[str, str], is_web: bool = False) -> str:
    """Why a mail program cannot be opened from here, in a sentence; empty when it can."""
    if is_web:
        return "This screen is shown in a browser, and the mail program would open on the machine that serves it."
    if env.get("SSH_CONNECTION") or env.get("SSH_TTY"):
        return "You are here over SSH, and the mail program would open on the far machine."
    if platform not in ("win32", "darwin") and not (env.get("DISPLAY") or env.get("WAYLAND_DISPLAY")):
        return "This machine has no display to open a mail program on."
    return "" if opener(platform, env) else "This machine has no program that opens mail links (xdg-open)."


def open_link(link: str) -> None:
    """Hand a link to the desktop and come back at once.

    Raises:
        OSError: it could not be started, or failed at once.
    """
    if sys.platform == "win32":
        os.startfile(link)
        return
    command = opener(sys.platform, os.environ)
    if not command:
        raise OSError("no program opens mail links here")
    quiet = subprocess.DEVNULL
    child = subprocess.Popen([*command, link], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        status = child.wait(timeout=_LOOK_S)
    except subprocess.TimeoutExpired:
        _OPEN.append(child)  # it lives as long as the mail is being written; nobody waits for it
        return
    if status:
        raise OSError(f"{command[0]} ended with status {status}")


def write_new(path: str, text: str) -> Path:
    """Write a text to a file that must not exist yet.

    Raises:
        FileExistsError: there is one; it is left as it is.
        OSError: it cannot be written.
    """
    place = Path(path).expanduser()
    with place.open("x", encoding="utf-8") as file:
        file.write(text if text.endswith("\n") else text + "\n")
    return place
