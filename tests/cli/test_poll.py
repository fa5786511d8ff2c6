"""`runbook poll`: quiet, budgeted, safe beside others, and telling those who are not here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from runbook.cli.exits import Exit
from runbook.cli.notifying import Notifier, scheme
from runbook.cli.polling import worst
from runbook.core.entry import Kind
from runbook.core.error import UsageError
from runbook.core.state import NodeState
from runbook.engine.engine import Until
from runbook.home import journal_path
from runbook.journal import lease
from runbook.journal.load import load_view
from runbook.journal.store import Journal
from runbook.wiring import Wish, create_run
from tests.cli.conftest import Shell
from tests.crash.harness import RUN, entries_of
from tests.journeys.scenes import MAIN, drive, no_words, scene

APPROVAL = f"approval[{MAIN}]"
SECRET = "hunter2"


@pytest.fixture(scope="session")
def waiting_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rehearsal that waits for Microsoft and for nobody else, with a reminder due after five days."""
    home = tmp_path_factory.mktemp("waiting")
    slow = scene(home, "arc-preview", lambda doc: doc["parties"][0].update(after="20d"))
    create_run(home, Wish("arc-private-link", scenario=slow, run=RUN), durable=False)
    played = drive(home, no_words, until=Until.PARKED)
    assert played.view.nodes[APPROVAL].state is NodeState.WAITING
    return home


@pytest.fixture
def waiting(waiting_home: Path, home: Path) -> Path:
    shutil.copytree(waiting_home, home)
    return home


def looks(home: Path) -> Counter[str]:
    """How often each node was looked at."""
    return Counter(e.node or "" for e in entries_of(home) if e.kind is Kind.BEGUN)


def test_nothing_is_said_and_nothing_asked_while_nothing_is_due(shell: Shell, waiting: Path) -> None:
    before = looks(waiting)
    ended = shell("poll", "--away", "1s")
    assert (ended.code, ended.out, ended.err) == (3, "", "")
    assert looks(waiting) == before


def test_a_pass_of_a_rehearsal_lets_time_pass_until_the_next_look_and_looks_once(shell: Shell, waiting: Path) -> None:
    before = looks(waiting)
    ended = shell("poll")
    assert (ended.code, ended.out) == (3, "")
    assert max((looks(waiting) - before).values()) == 1


def test_a_reminder_that_became_due_is_news_once(shell: Shell, waiting: Path) -> None:
    first = shell("poll", RUN, "--away", "6d")
    assert first.code == 3
    assert "Remind the Arc-enabled servers team at Microsoft" in first.out
    assert shell("poll", RUN, "--away", "1d").out == ""
    assert "Remind" in shell("status", RUN).out, "status says it as long as nobody did"


def test_the_second_registration_starts_by_itself_after_the_approval(shell: Shell, waiting: Path) -> None:
    ended = shell("poll", RUN, "--away", "21d")
    assert ended.code == 4, "the scope needs a go"
    assert "needs you: " in ended.err
    view = json.loads(shell("status", RUN, "--json").out)
    states = {n["id"]: n["state"] for n in view["nodes"]}
    assert states[f"reregister[{MAIN}]"] == "done"
    approved = [e for e in entries_of(waiting) if e.kind is Kind.APPROVED and e.node == f"reregister[{MAIN}]"]
    assert [e.data["by"].partition(":")[0] for e in approved] == ["the book"], "on record like any other go"
    assert shell("poll").code == 0, "it waits for nobody outside any more, and is left to its operator"
    assert shell("poll", RUN).code == 4, "unless it is named"


def test_a_word_from_a_script_is_kept_with_reference_and_date_and_shown(shell: Shell, waiting: Path) -> None:
    proof = ("--says", "approved", "--reference", "MS-77", "--dated", "2021-03-22T07:00Z", "--text", "mail from Kim")
    assert shell("answer", RUN, APPROVAL, "attest", *proof).code == 0
    ended = shell("poll", RUN)
    assert "reference MS-77" in shell("status", RUN).out
    node = next(n for n in json.loads(shell("status", RUN, "--json").out)["nodes"] if n["id"] == APPROVAL)
    assert [(w["reference"], w["dated"], w["says"]) for w in node["attested"]] == [
        ("MS-77", "2021-03-22T07:00:00.000Z", "approved")
    ]
    assert node["patience"]["usual"].startswith("days")
    for form in ("md", "html", "json"):
        assert "MS-77" in shell("report", RUN, "--format", form).out
    assert ended.code == 3
    assert "still reads Pending" in node["waiting_on"]["message"]
    later = shell("poll", RUN, "--away", "5h")
    assert later.code == 5
    assert "approval-stuck" in later.out


def test_a_date_stands_as_it_was_said_or_is_refused(shell: Shell, waiting: Path) -> None:
    said = ("answer", RUN, APPROVAL, "attest", "--says", "sent", "--text", "wrote again")
    ahead = shell(*said, "--dated", "2021-03-22T15:00Z")
    assert ahead.code == 2
    assert "--dated 2021-03-22T15:00Z lies ahead: in this rehearsal it is 2021-03-22T08:0" in ahead.err
    assert shell(*said, "--dated", "2021-03-22").code == 0, "today is now"
    word = next(e.data for e in entries_of(waiting) if e.kind is Kind.ATTESTED and e.data["text"] == "wrote again")
    assert word["dated_ms"] <= max(e.at_ms for e in entries_of(waiting))
    assert shell(*said, "--dated", "2021-03-24").code == 2


def test_a_run_that_cannot_be_read_is_told_of_by_every_pass(shell: Shell, waiting: Path) -> None:
    broken = waiting / "runs" / "broken"
    broken.mkdir()
    (broken / "journal.db").write_bytes(b"no journal at all" * 100)
    ended = shell("poll")
    assert ended.code == 1
    assert "broken:" in ended.err
    assert "is damaged" in ended.err


def test_json_is_one_object_also_when_nothing_changed(shell: Shell, waiting: Path) -> None:
    doc = json.loads(shell("poll", "--json", "--away", "1s").out)
    assert doc["exit"] == 3
    assert [(r["run"]["id"], r["looked"], r["news"], r["passed_over"]) for r in doc["runs"]] == [(RUN, False, [], None)]
    assert doc["runs"][0]["next_look"].endswith("Z")


def test_a_run_that_another_process_drives_is_passed_over_with_a_word(shell: Shell, waiting: Path) -> None:
    journal = Journal.open(journal_path(waiting, RUN))
    held = lease.take(journal)
    try:
        before = entries_of(waiting)
        ended = shell("poll")
        assert (ended.code, ended.out) == (0, "")
        assert f"{RUN}: passed over: driven by " in ended.err
        assert shell("poll", RUN).code == 6
        assert entries_of(waiting) == before
    finally:
        held.release()
        journal.close()


def test_an_unknown_run_is_told(shell: Shell, waiting: Path) -> None:
    assert shell("poll", "nobody").code == 2


def test_two_pollers_and_a_driver_at_once_do_everything_once(waiting: Path) -> None:
    """Real processes: whoever is not first passes the run over, or finds that nothing is due any more."""
    base = [sys.executable, "-m", "runbook", "--home", str(waiting)]
    poll = [*base, "poll", RUN, "--away", "21d"]
    drive_on = [*base, "resume", RUN, "--headless", "--away", "21d"]
    started = [
        subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for args in (poll, poll, drive_on)
    ]
    ended = [(p.communicate(timeout=90), p.returncode) for p in started]
    assert all(code in (4, 6) for _, code in ended), ended
    assert any(code == 4 for _, code in ended), "one of them drove it"
    intended = [(e.node, e.data["digest"]) for e in entries_of(waiting) if e.kind is Kind.INTENDED]
    assert len(intended) == len(set(intended)), "nothing was sent twice"
    journal = Journal.open(journal_path(waiting, RUN), write=False)
    assert journal.check() == []
    assert load_view(journal).nodes[f"reregister[{MAIN}]"].state is NodeState.DONE
    journal.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
def test_a_run_that_is_open_on_a_screen_is_passed_over_by_two_pollers_at_once(waiting: Path) -> None:
    """Real processes: the screen in a terminal of its own."""
    import pty
    import select

    base = [sys.executable, "-m", "runbook", "--home", str(waiting)]
    master, terminal = pty.openpty()
    seen = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    screen = subprocess.Popen(
        [*base, "resume", RUN], stdin=terminal, stdout=terminal, stderr=terminal, env={**os.environ, **seen}
    )
    os.close(terminal)
    journal = Journal.open(journal_path(waiting, RUN), write=False)
    try:
        for _ in range(600):
            if lease.driver(journal) is not None:
                break
            if select.select([master], [], [], 0.1)[0]:
                os.read(master, 65_536)
        assert lease.driver(journal) is not None, "the screen never came to drive"
        polls = [subprocess.Popen([*base, "poll", RUN], stderr=subprocess.PIPE, text=True) for _ in range(2)]
        told = [p.communicate(timeout=60)[1] for p in polls]
        assert [p.returncode for p in polls] == [6, 6]
        assert all("passed over: driven by" in text for text in told)
    finally:
        screen.kill()
        screen.wait(timeout=30)
        os.close(master)
        journal.close()
    again = subprocess.run([*base, "poll", RUN], capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 3, (again.returncode, again.stderr)


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ((), 0),
        ((Exit.OUTSIDE, Exit.OPERATOR), 4),
        ((Exit.OPERATOR, Exit.BLOCKED, Exit.OUTSIDE), 5),
        ((Exit.BLOCKED, Exit.FAILED), 1),
        ((Exit.FAILED, Exit.INTERRUPTED), 130),
        ((Exit.DONE, Exit.OUTSIDE), 3),
    ],
)
def test_several_runs_end_with_the_worst(codes: tuple[Exit, ...], code: int) -> None:
    assert worst(codes) == code


# ---------------------------------------------------------------- telling others


class StandIn(ModuleType):
    """What stands in for Apprise: keeps what it was told, and fails for addresses that say so."""

    def __init__(self) -> None:
        super().__init__("apprise")
        self.told: list[tuple[str, str]] = []
        module = self

        class Apprise:
            def add(self, url: str) -> bool:
                self.url = url
                return "://" in url

            def notify(self, *, title: str, body: str) -> bool:
                if "broken" in self.url:
                    raise OSError(f"cannot reach {self.url}")
                module.told.append((title, body))
                return "deaf" not in self.url

        self.Apprise = Apprise


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    module = StandIn()
    monkeypatch.setitem(sys.modules, "apprise", module)
    return module


def test_somebody_is_told_of_news_and_of_nothing_else(shell: Shell, waiting: Path, stand_in: StandIn) -> None:
    shell("poll", RUN, "--notify", f"mailto://me:{SECRET}@example.com")
    assert stand_in.told == []
    shell("poll", RUN, "--away", "6d", "--notify", f"mailto://me:{SECRET}@example.com")
    [(title, body)] = stand_in.told
    assert title == f"runbook {RUN}: waiting"
    assert "Remind" in body


def test_no_secret_of_an_address_is_printed_or_kept(
    shell: Shell, waiting: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNBOOK_NOTIFY", f"broken://me:{SECRET}@example.com deaf://{SECRET}")
    ended = shell("poll", RUN, "--away", "6d")
    assert "The first --notify address (broken) could not be told." in ended.err
    assert "The second --notify address (deaf) could not be told." in ended.err
    bad = shell("poll", RUN, "--notify", f"{SECRET}")
    assert bad.code == 2
    for text in (ended.out, ended.err, bad.out, bad.err, *(str(e.data) for e in entries_of(waiting))):
        assert SECRET not in text
    assert all(SECRET.encode() not in p.read_bytes() for p in waiting.rglob("*") if p.is_file())


def test_without_apprise_the_way_to_get_it_is_told_before_anything_is_looked_at(
    shell: Shell, waiting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    before = entries_of(waiting)
    ended = shell("poll", RUN, "--notify", f"json://{SECRET}")
    assert ended.code == 2
    assert "pip install 'runbook[notify]'" in ended.err
    assert SECRET not in ended.err
    assert entries_of(waiting) == before


def test_of_an_address_only_its_scheme_is_told() -> None:
    assert [scheme(u) for u in ("slack://a/b", "no address", "://x", "we ird://x")] == [
        "slack",
        "unknown",
        "unknown",
        "unknown",
    ]


@pytest.mark.filterwarnings("ignore")
def test_apprise_itself_takes_the_message_to_a_loopback_address() -> None:
    pytest.importorskip("apprise")
    heard: list[dict[str, Any]] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Ear) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        missed = Notifier([f"json://127.0.0.1:{server.server_port}/"]).tell("a title", "a body")
        thread.join(timeout=10)
    assert missed == []
    assert (heard[0]["title"], heard[0]["message"]) == ("a title", "a body")
    with pytest.raises(UsageError, match=r"\(nosuchkind\)"):
        Notifier(["nosuchkind://x"])
