"""Making changes by the very lines that are shown: each is one run of the installed Azure CLI.

Reads go the way they always go; only writes become a process. The line is an argument list, never a text for a shell;
it is pinned to its subscription and its cloud, cannot ask anything, and is not reached by Ctrl-C at the terminal, so a
call in flight can finish. What it says on stderr becomes the same error tree that an HTTP answer becomes, and where it
does not say whether ARM answered, the call is in doubt and the engine looks.

Source: azure-cli 2.91: ``azure/cli/core/util.py`` (``send_raw_request``, ``handle_exception``), ``parser.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from runbook.arm.answer import Reply
from runbook.arm.client import ArmClient
from runbook.arm.errors import Call, refusal
from runbook.arm.policies import no_token
from runbook.core.arm import Answered, Ended, Json, Operation, Request, Running
from runbook.core.error import AnswerMissing, ArmError, NotSent, Refused, SignInNeeded, UsageError
from runbook.core.ids import subscription_of
from runbook.core.redact import plain, redact_text

LONGEST_S: Final = 30 * 60.0
"""How long one line may take: the Azure CLI waits for an operation's end itself."""
AT_ONCE: Final = 4
"""Lines at the same time: each is a Python of its own, of some 100 MB."""
_GRACE_S: Final = 5.0

QUIET: Final = {
    "AZURE_CORE_COLLECT_TELEMETRY": "false",
    "AZURE_CORE_DISABLE_CONFIRM_PROMPT": "true",
    "AZURE_CORE_NO_COLOR": "true",
    "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
    "AZURE_CORE_SURVEY_MESSAGE": "false",
    "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
}
"""What keeps ``az`` from asking, from colours and from installing anything by itself."""

INSTALL: Final = (
    "Install it (https://aka.ms/azure-cli), or leave --via az out: this program then makes the calls itself."
)


def find_az() -> tuple[str, ...]:
    """How the installed Azure CLI is started, without a shell.

    Raises:
        UsageError: it is not installed.
    """
    found = shutil.which("az")
    if found is None:
        raise UsageError("The Azure CLI (az) is not on the PATH.", INSTALL)
    if not found.lower().endswith((".cmd", ".bat")):
        return (found,)
    # On Windows `az` is a batch file, whose arguments a shell would read; it starts this Python.
    python = Path(found).parent.parent / "python.exe"
    if not python.is_file():
        raise UsageError(f"{found} can only be started through a shell, which this program never does.", INSTALL)
    return (str(python), "-IBm", "azure.cli")


class AzLines:
    """``runbook.core.arm.Arm`` whose writes are lines of the Azure CLI.

    Args:
        reader: how everything is read. It is not closed here.
        program: as ``find_az`` gives it.
        cloud: the cloud's name, as the Azure CLI registered it.
        longest_s: no line runs longer.
    """

    def __init__(self, reader: ArmClient, program: Sequence[str], cloud: str, longest_s: float = LONGEST_S) -> None:
        self._reader = reader
        self._program = tuple(program)
        self._more = {**QUIET, "AZURE_CLOUD_NAME": cloud}
        self._longest_s = longest_s
        self._room = asyncio.Semaphore(AT_ONCE)

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        return await self._reader.get(path, api_version, **query)

    async def list(self, path: str, api_version: str, **query: str) -> list[Json]:
        return await self._reader.list(path, api_version, **query)

    async def poll(self, operation: Operation) -> Running | Ended:
        return await self._reader.poll(operation)

    async def write(self, request: Request, client_request_id: str) -> Answered:
        """Run a change's line, once.

        Raises:
            NotSent, SignInNeeded: it ended before it called.
            AnswerMissing: it may have taken effect.
            Refused, Throttled: ARM, or the Azure CLI itself, said no.
        """
        argv = (*self._program, *arguments(request))
        async with self._room:
            code, out, err = await self._run(argv)
        if code == 0:
            return Answered(200, _body(out))
        raise refused(argv[len(self._program) :], code, err)

    async def _run(self, argv: Sequence[str]) -> tuple[int, str, str]:
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **self._more},
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            raise NotSent(f"The Azure CLI could not be started: {error.strerror or error}.", INSTALL) from error
        try:
            async with asyncio.timeout(self._longest_s):
                out, err = await process.communicate()
        except TimeoutError:
            raise AnswerMissing(
                f"az did not end within {self._longest_s:g} s and was stopped.", "Looking will tell what it did."
            ) from None
        finally:
            if process.returncode is None:
                await _end(process)
        return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")


def arguments(request: Request) -> tuple[str, ...]:
    """The arguments of the line that is shown, pinned to its subscription and with JSON as its answer."""
    if request.az[:1] != ("az",):
        raise NotSent(f"{request.method} {request.path} has no line of the Azure CLI.", "Resume with --via arm.")
    argv = request.az[1:]
    subscription = subscription_of(request.path)
    if subscription and "--subscription" not in argv:
        argv = (*argv, "--subscription", subscription)
    return (*argv, "--output", "json")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a line and what it started: gently, then not."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with contextlib.suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, number)  # its own group, as it has a session of its own
            else:
                process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE_S)
            return


def _body(out: str) -> Any:
    """What the line printed; None where it printed nothing, or no JSON. The resource itself is read afterwards."""
    try:
        return json.loads(out) if out.strip() else None
    except ValueError:
        return None


# ---------------------------------------------------------------- what it says when it fails

_PHRASES: Final[Mapping[str, int]] = {status.phrase.lower(): status.value for status in HTTPStatus}
_RAW: Final = re.compile(r"ERROR: ([A-Z][A-Za-z -]{2,40})\((.*)\)\s*$", re.DOTALL)
"""``az rest``: the answer's reason, and its body."""
_CODED: Final = re.compile(r"ERROR: \((\w[\w.]*)\) (.*?)(?:\n(?:Code|Message|Target|Exception Details):|\Z)", re.DOTALL)
"""Any other command: ARM's code and message."""
_EXTENSION: Final = re.compile(r"requires the extension ['\"]?([\w-]+)")
_UNKNOWN: Final = re.compile(r"'([\w-]+)' is (?:misspelled or not recognized|not in the 'az' command group)")
_UNSEEN: Final = re.compile(r"Subscription '[^']{1,100}' not found\. Check the spelling")
_WITHOUT_A_WORD: Final = frozenset(
    {"internalservererror", "serviceunavailable", "gatewaytimeout", "servertimeout", "operationtimedout", "badgateway"}
)


def refused(argv: Sequence[str], code: int, err: str) -> ArmError:
    """What a line that failed comes to. Pure.

    Args:
        argv: its arguments, without the program.
        code: its exit code.
        err: what it wrote on stderr.
    """
    said = plain(redact_text(err)).strip()
    call = Call(f"az {' '.join(a for a in argv[:3] if not a.startswith('-'))}", is_write=True)
    if _UNSEEN.search(said):
        return SignInNeeded(
            f"The Azure CLI is no longer signed in to this subscription: {' '.join(said.split())[:300]}",
            "Sign in to its tenant again: az login --tenant <tenant id>. The run then goes on.",
        )
    if "az login" in said or "AADSTS" in said or "doesn't exist in cloud" in said:
        return no_token(ValueError(said), "cli")
    if raw := _RAW.search(said):
        status = _PHRASES.get(raw[1].strip().lower())
        if status is not None:
            return refusal(call, Reply(status, {}, raw[2].encode()))
    if coded := _CODED.search(said):
        body = json.dumps({"error": {"code": coded[1], "message": " ".join(coded[2].split())}})
        status = 500 if coded[1].lower() in _WITHOUT_A_WORD else 400
        return refusal(call, Reply(status, {}, body.encode()))
    first = " ".join(said.split())[:600] or f"it ended with {code} and said nothing"
    if wanted := _EXTENSION.search(said) or _UNKNOWN.search(said):
        hint = f"Install the extension: az extension add --name {wanted[1]}. Or resume with --via arm."
        return Refused(
            f"The Azure CLI does not know this line: {first}", status=0, arm_code="AzExtensionMissing", hint=hint
        )
    if code == 2:
        hint = "Update the Azure CLI (az upgrade), or resume with --via arm."
        return Refused(f"The Azure CLI does not take this line: {first}", status=0, arm_code="AzUsage", hint=hint)
    return AnswerMissing(f"{call.what} ended with {code}: {first}", call.after_silence)
