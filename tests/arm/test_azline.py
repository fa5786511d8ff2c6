"""Lines of the Azure CLI as processes; a small program stands in for ``az``.

What the real one says when it fails was recorded from azure-cli 2.91.0.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from runbook.arm.azline import AzLines, arguments, find_az, refused
from runbook.core.arm import Request
from runbook.core.error import AnswerMissing, NotSent, Refused, SignInNeeded, Throttled, UsageError
from runbook.step import Change
from tests.arm.scripted import answer, client

SUB = "11111111-1111-4111-8111-111111111111"
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg"

STAND_IN = """\
import json, os, subprocess, sys, time
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "called"), "a", encoding="utf-8") as file:
    env = {k: v for k, v in os.environ.items() if k.startswith("AZURE_")}
    json.dump({"argv": sys.argv[1:], "env": env, "stdin": sys.stdin.read()}, file)
    file.write("\\n")
"""


def stand_in(folder: Path, then: str) -> tuple[str, ...]:
    program = folder / "az.py"
    program.write_text(STAND_IN + then)
    return (sys.executable, str(program))


def called(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "called").read_text("utf-8").splitlines()]


def lines(program: tuple[str, ...], **more: Any) -> AzLines:
    reader, _ = client(answer(200, {"id": GROUP}))
    return AzLines(reader, program, "Rehearsal", **more)


def change(**more: Any) -> Request:
    return Change("Make it", "PUT", GROUP, "2021-04-01", {"location": "we; rm -rf $HOME"}, **more).request


async def test_a_line_is_a_list_of_arguments_with_its_subscription_and_cloud_pinned(tmp_path: Path) -> None:
    program = stand_in(tmp_path, 'print(json.dumps({"id": "x"}))')
    answered = await lines(program).write(change(), "id")
    assert (answered.status, answered.body, answered.operation) == (200, {"id": "x"}, None)
    (call,) = called(tmp_path)
    assert call["argv"] == [
        *("rest", "--method", "put", "--url", f"{GROUP}?api-version=2021-04-01"),
        *("--body", '{"location": "we; rm -rf $HOME"}'),
        *("--subscription", SUB, "--output", "json"),
    ]
    assert call["stdin"] == ""
    assert call["env"]["AZURE_CLOUD_NAME"] == "Rehearsal"
    assert call["env"]["AZURE_EXTENSION_USE_DYNAMIC_INSTALL"] == "no"


def test_the_line_that_runs_is_the_line_that_is_shown() -> None:
    native = ("az", "group", "create", "--name", "rg", "--location", "we", "--subscription", SUB)
    assert arguments(change(az=native)) == (*native[1:], "--output", "json")
    assert Change("x", "PUT", GROUP, "1", az=native).doc()["az"] == list(native)


def test_a_call_without_a_line_is_not_sent() -> None:
    with pytest.raises(NotSent, match="has no line"):
        arguments(Request("PUT", GROUP, "1"))


@pytest.mark.parametrize("printed", ["", "done, thank you", "[1"])
async def test_an_answer_that_is_no_json_is_an_answer_all_the_same(tmp_path: Path, printed: str) -> None:
    answered = await lines(stand_in(tmp_path, f"print({printed!r})")).write(change(), "id")
    assert answered.body is None


async def test_reads_do_not_start_az(tmp_path: Path) -> None:
    az = lines(stand_in(tmp_path, ""))
    assert await az.get(GROUP, "1") == {"id": GROUP}
    assert not (tmp_path / "called").exists()


HANG = """
child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
with open(os.path.join(here, "pids.new"), "w") as file:
    file.write(f"{os.getpid()} {child.pid}")
os.rename(os.path.join(here, "pids.new"), os.path.join(here, "pids"))
child.wait()
"""


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"  # ended; nobody has asked for it yet


async def hung(folder: Path) -> list[int]:
    while not (folder / "pids").exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.01)
    return [int(pid) for pid in (folder / "pids").read_text().split()]


async def test_a_line_that_is_cancelled_ends_with_all_it_started(tmp_path: Path) -> None:
    task = asyncio.create_task(lines(stand_in(tmp_path, HANG)).write(change(), "id"))
    pids = await hung(tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while not all(map(is_gone, pids)):  # noqa: ASYNC110 - the system ends them
        await asyncio.sleep(0.01)


async def test_a_line_without_an_end_is_stopped_and_in_doubt(tmp_path: Path) -> None:
    with pytest.raises(AnswerMissing, match="did not end within"):
        await lines(stand_in(tmp_path, HANG), longest_s=1.0).write(change(), "id")


def test_without_az_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="not on the PATH") as caught:
        find_az()
    assert "https://aka.ms/azure-cli" in caught.value.hint


async def test_az_that_vanished_since_was_not_sent(tmp_path: Path) -> None:
    with pytest.raises(NotSent, match="could not be started"):
        await lines((str(tmp_path / "az"),)).write(change(), "id")


UNKNOWN = """ERROR: 'connectedmachine' is misspelled or not recognized by the system.
If the command is from an extension, please make sure the corresponding extension is installed."""
MISSING = """ERROR: the following arguments are required: --name/--resource-group/-n/-g

Examples from command's help:"""
REST_404 = """ERROR: Not Found({"error": {"code": "ResourceGroupNotFound", "message": "Group 'x' is gone."}})"""
CODED = """ERROR: (ResourceGroupNotFound) Resource group 'rg-none' could not be found.
Code: ResourceGroupNotFound
Message: Resource group 'rg-none' could not be found."""
BUSY = """ERROR: (AnotherOperationInProgress) Another operation on this or dependent resource is in progress.
Code: AnotherOperationInProgress"""
TOO_MANY = """ERROR: Too Many Requests({"error": {"code": "TooManyRequests", "message": "slow down"}})"""
SERVER = """ERROR: Internal Server Error({"error": {"code": "InternalServerError", "message": "oops"}})"""
SERVER_CODED = "ERROR: (InternalServerError) An error occurred.\nCode: InternalServerError\nMessage: An error occurred."
CUT = "ERROR: HTTPSConnectionPool(host='management.azure.com', port=443): Read timed out. (read timeout=300)"
UNSEEN = "ERROR: Subscription '9999' not found. Check the spelling and casing and try again."
NO_LOGIN = "ERROR: Please run 'az login' to setup account."
POLICY = "ERROR: AADSTS53003: Access has been blocked by Conditional Access policies. Trace ID: x"


@pytest.mark.parametrize(
    ("code", "err", "type_", "words"),
    [
        (2, UNKNOWN, Refused, "az extension add --name connectedmachine"),
        (1, "ERROR: The command requires the extension front-door.", Refused, "az extension add --name front-door"),
        (2, MISSING, Refused, "az upgrade"),
        (1, REST_404, Refused, "ResourceGroupNotFound: Group 'x' is gone."),
        (3, CODED, Refused, "ResourceGroupNotFound: Resource group 'rg-none' could not be found."),
        (1, BUSY, Throttled, "AnotherOperationInProgress"),
        (1, TOO_MANY, Throttled, "slow down"),
        (1, SERVER, AnswerMissing, "leaves open whether it took effect"),
        (1, SERVER_CODED, AnswerMissing, "leaves open whether it took effect"),
        (1, CUT, AnswerMissing, "Read timed out"),
        (1, "", AnswerMissing, "said nothing"),
        (137, "Killed", AnswerMissing, "ended with 137"),
        (1, "Traceback (most recent call last): \x1b[2J", AnswerMissing, "Traceback"),
        (1, UNSEEN, SignInNeeded, "no longer signed in"),
        (1, NO_LOGIN, SignInNeeded, "nobody is signed in"),
        (1, POLICY, SignInNeeded, "Conditional Access"),
    ],
)
def test_what_az_says_becomes_an_error_of_the_right_class(code: int, err: str, type_: type, words: str) -> None:
    error = refused(("group", "create", "--name", "rg"), code, err)
    assert type(error) is type_
    told = f"{error} {error.hint}"
    assert words in told
    assert "\x1b" not in told
    assert "Bearer ey" not in told
