"""Four ways to make ten private zones in one served cloud: this program, `az rest` in a script, and Ansible.

Each zone is written once with the same request (a PUT that must not find it), asked after until Azure is done, and
read back. A run and the play ask after the operation, whose address the write's answer names, and then read the zone.
A script cannot see the headers of what `az rest` did, so it asks the zone itself, as scripts do; the answer that ends
the waiting is its read-back, so it is let off one command of three for each zone. Script and play ask at once, and
pause only where it is not over yet: not for the whole seconds of `Retry-After`, but for what the finer header beside
it says.

Everything is started in the served cloud's environment, which keeps it on this machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runbook.core.state import RunState
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from tests.conformance.az import environment
from tests.served.simulate import SUB, Simulated

TEN = 10
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg-speed"
VERSION = "?api-version=2020-06-01"
BOOK = Path(__file__).with_name("ten_zones.yaml")
MEASURED = Path(__file__).with_name("measured.py")
PAUSE_S = 0.12
"""What `x-ms-retry-after-ms` says at first: a third of the 20 s that a zone takes, 60 times as fast."""

ONE_ZONE = f"""
set -euo pipefail
az rest --method put --url "$1{VERSION}" --headers 'If-None-Match=*' --body '{{"location": "global"}}' --output none
state() {{ az rest --method get --url "$1{VERSION}" --query properties.provisioningState --output tsv; }}
until [ "$(state "$1")" = Succeeded ]; do sleep {PAUSE_S}; done
"""
ONE_AFTER_ANOTHER = 'set -e; one=$1; shift; for zone in "$@"; do bash "$one" "$zone"; done'
FOUR_AT_A_TIME = 'one=$1; shift; printf "%s\\n" "$@" | xargs -P 4 -n 1 bash "$one"'


@dataclass(frozen=True, slots=True)
class Took:
    """What one way came to.

    Attributes:
        s: real seconds of the whole command.
        peak_mb: of its largest process.
        requests: to Resource Manager.
        run_s: of a run, seconds from its journal's first entry to the last.
    """

    s: float
    peak_mb: float
    requests: float = 0
    run_s: float = 0.0


def median(times: Sequence[Took]) -> Took:
    """Each figure's median."""
    return Took(*(statistics.median(getattr(t, name) for t in times) for name in ("s", "peak_mb", "requests", "run_s")))


def ratio(theirs: Sequence[Took], ours: Sequence[Took]) -> float:
    """How often a run fits into what another way takes: the median over turns, for a machine's load changes."""
    return statistics.median(they.s / we.run_s for they, we in zip(theirs, ours, strict=True))


def zones(way: str, turn: int) -> list[str]:
    """Names that nothing else takes."""
    return [f"{way}-{turn}-{n}.example.com" for n in range(TEN)]


def path_of(zone: str) -> str:
    return f"{GROUP}/providers/Microsoft.Network/privateDnsZones/{zone}"


class Course:
    """Where they run: a served cloud, the programs, and a folder for what they leave."""

    def __init__(self, there: Simulated, az: Path, ansible: Path, folder: Path) -> None:
        self._there, self._az, self._ansible, self._folder = there, az, ansible, folder
        guard = there.said["env"]
        assert guard["HTTPS_PROXY"] == guard["HTTP_PROXY"] == "http://127.0.0.1:9"
        assert guard["AZURE_CONFIG_DIR"]
        assert guard["AZURE_CORE_INSTANCE_DISCOVERY"] == "false"
        path = os.pathsep.join([str(az.parent), os.environ["PATH"]])
        self._env = {**environment(), **guard, "PATH": path, "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        (folder / "one.sh").write_text(ONE_ZONE, "utf-8")
        (folder / "ansible.cfg").write_text("", "utf-8")

    def warm_up(self) -> None:
        """Make the group, and have everything read from the disk once; the first `az` also asks for a token."""
        assert self._there.call("PUT", f"{GROUP}?api-version=2021-04-01", {"location": "westeurope"})[0] == 201
        self._time([str(self._az), "rest", "--method", "get", "--url", f"{GROUP}?api-version=2021-04-01"])
        self._time([sys.executable, "-m", "runbook", "--home", str(self._folder / "state"), "runs"])
        self._time([str(self._ansible), "--version"])

    def runbook(self, turn: int) -> Took:
        """`runbook start`, journal and cloud's answers on the disk before anything that follows from them."""
        home, run, names = self._folder / "state", f"speed-{turn}", zones("runbook", turn)
        chosen = [f"subscription={SUB}", f"resource_group={GROUP.rpartition('/')[2]}", *(f"zones={z}" for z in names)]
        took = self._time(
            [
                *(sys.executable, "-m", "runbook", "--home", str(home), "start", str(BOOK), "--mode", "live"),
                *("--via", "arm", "--headless", "--yes", "--run-id", run),
                *("--confirm-subscription", self._there.said["subscriptions"][0]["name"]),
                *(part for each in chosen for part in ("--set", each)),
            ]
        )
        self._check(names)
        journal = Journal.open(home / "runs" / run / "journal.db", write=False)
        try:
            assert load_view(journal).state is RunState.DONE
            moments = [entry.at_ms for entry in journal.entries()]
        finally:
            journal.close()
        return replace(took, run_s=(moments[-1] - moments[0]) / 1000)

    def token(self) -> Took:
        """A token from the Azure CLI, as our command asks it for one when it starts."""
        return self._time([str(self._az), "account", "get-access-token", "--output", "none"])

    def script(self, turn: int, *, is_parallel: bool) -> Took:
        """`az rest`, one after another or four at a time."""
        names = zones("four" if is_parallel else "one", turn)
        text = FOUR_AT_A_TIME if is_parallel else ONE_AFTER_ANOTHER
        took = self._time(["bash", "-c", text, "script", str(self._folder / "one.sh"), *map(path_of, names)])
        self._check(names)
        return took

    def play(self, turn: int) -> Took:
        """Ansible's `uri`: all writes, then all polls, then all read-backs: in this order it waits least."""
        names = zones("ansible", turn)
        book = self._folder / "play.json"
        book.write_text(json.dumps([self._tasks([path_of(name) for name in names])]), "utf-8")
        mine = {
            "ANSIBLE_CONFIG": str(self._folder / "ansible.cfg"),
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_PYTHON_INTERPRETER": str(self._ansible.with_name("python")),
        }
        took = self._time([str(self._ansible), "--inventory", "localhost,", str(book)], mine)
        self._check(names)
        return took

    def _tasks(self, paths: Sequence[str]) -> dict[str, object]:
        signed = {"Authorization": "Bearer any"}
        url = f"{self._there.endpoint}{{{{ item }}}}{VERSION}"
        call = {"url": url, "ca_path": self._there.said["ca_file"], "return_content": True}
        new = {"headers": {**signed, "If-None-Match": "*"}, "body_format": "json", "body": {"location": "global"}}
        write = {"ansible.builtin.uri": {**call, **new, "method": "PUT", "status_code": [201, 202]}, "loop": paths}
        poll = {
            "ansible.builtin.uri": {**call, "url": "{{ item.azure_asyncoperation }}", "headers": signed},
            "loop": "{{ written.results }}",
            "loop_control": {"label": "{{ item.item }}"},
            "register": "polled",
            "until": "polled.json.status != 'InProgress'",
            "retries": 600,
            "delay": PAUSE_S,
        }
        read = {
            "ansible.builtin.uri": {**call, "headers": signed},
            "loop": paths,
            "register": "got",
            "failed_when": "got.json.properties.provisioningState != 'Succeeded'",
        }
        tasks = [{**write, "register": "written"}, poll, read]
        return {"hosts": "all", "connection": "local", "gather_facts": False, "tasks": tasks}

    def _check(self, names: Sequence[str]) -> None:
        """Each zone is there and was written once."""
        wrote = [r["path"].lower() for r in self._there.requests() if r["method"] == "PUT"]
        for path in map(path_of, names):
            assert self._there.call("GET", path + VERSION)[2]["properties"]["provisioningState"] == "Succeeded"
            assert wrote.count(path.lower()) == 1

    def _time(self, command: Sequence[str], more: dict[str, str] | None = None) -> Took:
        figures, talk = self._folder / "figures.json", self._folder / "talk.txt"
        figures.unlink(missing_ok=True)
        before = len(self._there.requests())
        started = subprocess.Popen(
            [sys.executable, "-I", "-S", str(MEASURED), str(figures), str(talk), *command],
            env={**self._env, **(more or {})},
            start_new_session=True,
        )
        try:
            started.wait(timeout=300)
        finally:
            if started.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(started.pid, signal.SIGKILL)
                started.wait()
        found = json.loads(figures.read_text("utf-8"))
        assert found["rc"] == 0, talk.read_text("utf-8")[-2000:]
        return Took(found["s"], found["mb"], len(self._there.requests()) - before)
