"""``runbook simulate`` as a process of its own, and a way to call it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SUB = "11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulator that runs.

    Attributes:
        said: its first line.
        process: the process itself.
        log: what it notes about requests, a JSON object per line.
    """

    said: dict[str, Any]
    process: subprocess.Popen[str]
    log: Path

    @property
    def endpoint(self) -> str:
        return str(self.said["endpoint"])

    @property
    def env(self) -> dict[str, str]:
        """An environment with its variables, and nothing of the operator's that could lead elsewhere."""
        return {**os.environ, **self.said["env"]}

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.said["ca_file"])

    def requests(self) -> list[dict[str, Any]]:
        """Every request to Resource Manager so far."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    def call(self, method: str, target: str, body: Any = None, token: str = "any") -> tuple[int, dict[str, str], Any]:
        """One request on a connection of its own: status, headers with small names, JSON body."""
        connection = HTTPSConnection(urlsplit(self.endpoint).netloc, context=self.context, timeout=30)
        with contextlib.closing(connection):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request(method, target, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, told, json.loads(content) if content else None


@contextlib.contextmanager
def simulated(folder: Path, *options: str) -> Iterator[Simulated]:
    """Run ``runbook simulate``, by default at a port that is free; it is asked to end at the end."""
    log = folder / "requests.jsonl"
    args = [sys.executable, "-m", "runbook", "simulate", *options, "--log", str(log)]
    with (folder / "simulate.err").open("w", encoding="utf-8") as talk:
        process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=talk, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, (folder / "simulate.err").read_text("utf-8")
            yield Simulated(json.loads(line), process, log)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                raise
