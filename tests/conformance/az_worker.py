"""Runs the Azure CLI many times without starting Python each time. Run by the Azure CLI's own interpreter.

Reads one JSON object per line, ``{"args": […]}``, and answers with ``{"rc", "out", "err"}``. Each command runs in a
child forked after the imports, so none sees what another left in memory; it is the code that ``az`` itself runs.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from importlib import import_module
from typing import Any


def run(args: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            code = 1
            try:
                code = invoke(args)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        return {"rc": os.waitstatus_to_exitcode(status), "out": out.read(), "err": err.read()}


def invoke(args: list[str]) -> int:
    try:
        return int(import_module("azure.cli.core").get_default_cli().invoke(args) or 0)
    except SystemExit as left:
        return int(left.code or 0) if isinstance(left.code, int) or left.code is None else 1


if __name__ == "__main__":
    for name in ("azure.cli.core.commands", "azure.cli.core.aaz", "msal", "requests", "azure.mgmt.core"):
        import_module(name)
    print(json.dumps({"rc": 0, "out": "ready", "err": ""}), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line)["args"])), flush=True)
