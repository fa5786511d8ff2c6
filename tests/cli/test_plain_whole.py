"""Both books from end to end in plain lines, through a pipe and at a terminal, and all that can be said there."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from runbook import assets
from runbook.book.model import InputSpec
from runbook.cli.answers import Answers
from runbook.cli.plain_asking import asked_by
from runbook.cli.plain_inputs import _ask
from runbook.cli.plain_words import ABOUT_LOOKS, OF_KEY, WORDS, meaning
from runbook.cli.reading import view_of
from runbook.core.docs import BlockDoc
from runbook.core.state import NodeState, RunState
from runbook.tui.keys import SCREENS
from tests.cli.clerk import agreeable, by_pipe, by_terminal
from tests.cli.conftest import Shell
from tests.cli.conftest import _run as run_here

ARC, AVD = "arc-private-link", "avd-private-link"
LONG = pytest.mark.soak
"""Each book goes one way by default, and both ways in the long suite."""
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX terminal")


@pytest.mark.timeout(110)
@pytest.mark.parametrize("book", [ARC, pytest.param(AVD, marks=LONG)])
def test_a_rehearsal_is_driven_to_its_end_through_a_pipe(book: str, home: Path) -> None:
    code, told = by_pipe("rehearse", book, "--plain", "--speed", "max", "--run-id", "r")
    assert code == 0, told[-30:]
    assert view_of(home, "r")[0].state is RunState.DONE
    _has_no_drawing(told)


@posix
@pytest.mark.timeout(110)
@pytest.mark.parametrize("book", [AVD, pytest.param(ARC, marks=LONG)])
def test_a_rehearsal_is_driven_to_its_end_at_a_dumb_terminal(book: str, home: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"

    def answer(line: str) -> str | None:
        if line.startswith("The run is over") and not report.exists():
            return f"report {report}"
        return agreeable(line)

    code, told = by_terminal("rehearse", book, "--speed", "max", "--run-id", "r", answer=answer, env={"TERM": "dumb"})
    assert code == 0, told[-30:]
    assert any("TERM=dumb" in line and "--plain" in line for line in told[:3])
    assert view_of(home, "r")[0].state is RunState.DONE
    assert "<html" in report.read_text("utf-8")
    _has_no_drawing(told)


def _has_no_drawing(told: list[str]) -> None:
    """No cursor is moved, nothing is coloured, and no line is drawn over."""
    assert not [line for line in told if re.search(r"[\x00-\x08\x0b-\x1f\x7f\x9b]", line)]


@posix
@pytest.mark.parametrize("wish", [{"RUNBOOK_PLAIN": "1"}, {"RUNBOOK_PLAIN": "yes"}])
def test_the_environment_can_ask_for_plain_lines(wish: dict[str, str], home: Path) -> None:
    code, told = by_terminal(
        "rehearse", "--run-id", "r", answer=lambda line: "q" if line.endswith("quit?") else None, env=wish
    )
    assert code == 4
    assert any(line.startswith("Approve, skip, retry, later, quit?") for line in told)


@posix
def test_the_settings_can_ask_for_plain_lines(home: Path) -> None:
    home.mkdir(parents=True)
    (home / "settings.yaml").write_text("plain: true\n", "utf-8")
    code, told = by_terminal(answer=lambda line: "quit" if line.endswith("quit?") else None)
    assert code == 0
    assert any("arc-private-link" in line for line in told)


def test_the_environment_must_say_yes_or_no(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNBOOK_PLAIN", "perhaps")
    ended = shell("rehearse")
    assert ended.code == 2
    assert "RUNBOOK_PLAIN" in ended.err


# ---------------------------------------------------------------- what can be said


def said(*replies: str, to: tuple[str, ...]) -> tuple[int, str]:
    """What a command tells that is told this, a line for each question; all of it has to be asked for."""
    source = io.StringIO("".join(f"{reply}\n" for reply in replies))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", source)
        ended = run_here(*to)
    assert source.read() == "", ended.out[-2000:]
    return ended.code, ended.out


def talked(home: Path, *replies: str) -> tuple[int, str]:
    """What is told by a run that waits for its first approvals, when this is said to it."""
    return said(*replies, to=("resume", "arc", "--plain", "--speed", "max"))


def test_every_page_of_a_node_can_be_heard(parked: Path) -> None:
    _, told = talked(parked, "guide", "plan", "commands", "commands powershell", "checks", "entries", "quit")
    for words in ("Why:", "What happens:", "What can go wrong:", "Source:"):
        assert words in told
    assert "registrationState: NotRegistered becomes Registered" in told
    assert "Azure CLI:" in told
    assert told.count("PowerShell:") == 2
    assert "expected Registered, found NotRegistered" in told
    assert "Looked: to be changed: Register Microsoft.HybridCompute  to ready" in told


def test_every_node_is_in_the_overview_and_can_be_gone_to(parked: Path) -> None:
    view, _ = view_of(parked, "arc")
    _, told = talked(parked, "overview", "go 1", "guide", "go resource_group", "find ready", "/zone", "next", "quit")
    for node in view.nodes.values():
        assert node.doc["title"] in told
    assert "Target:" in told
    assert re.search(r"\d+\. ready, needs you:", told)
    assert re.search(r"\d+ found", told)


def test_what_cannot_be_gone_to_is_told(parked: Path) -> None:
    _, told = talked(parked, "go 999", "go nothing", "go", "find", "find nothing at all", "/", "quit")
    assert told.count("overview has the numbers") == 3
    assert "Nothing like that" in told


def test_a_phase_is_approved_together_after_its_list_was_heard(parked: Path) -> None:
    _, told = talked(parked, "phase", "no", "phase", "yes", "quit")
    assert "Not done." in told
    assert "Approved: " in told
    assert told.count("Sends POST") >= 2


def test_a_run_is_paused_and_gone_on_with(parked: Path) -> None:
    _, told = talked(parked, "pause", "who", "on", "on", "quit")
    assert "Paused: nothing new starts" in told
    assert "State: needs you, paused" in told
    assert "It is not paused." in told


def test_a_run_is_aborted_by_its_name_alone(parked: Path) -> None:
    code, told = talked(parked, "ab", "abort", "wrong", "abort", "arc", "", "abort", "arc", "no longer wanted")
    assert code == 1
    assert "Not aborted: that is not its name." in told
    assert view_of(parked, "arc")[0].aborted == "no longer wanted"


def test_commands_are_saved_to_a_new_file_and_no_file_is_overwritten(parked: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "commands.txt", tmp_path / "other.txt"
    other.write_text("mine", "utf-8")
    missing = tmp_path / "none" / "x"
    _, told = talked(parked, "save", str(file), "save rest", str(other), "save", str(missing), "save", "", "quit")
    assert file.read_text("utf-8").startswith("az provider register")
    assert other.read_text("utf-8") == "mine"
    assert "exists already" in told
    assert "cannot be written" in told


def test_the_report_is_written_in_the_form_that_its_name_says(parked: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    _, told = talked(parked, f"report {file}", "report", str(tmp_path / "report.doc"), "report", "", "quit")
    assert json.loads(file.read_text("utf-8"))["run"]["id"] == "arc"
    assert "must end in" in told


def test_answers_that_fit_nothing_are_told_and_end_at_a_bound(parked: Path) -> None:
    code, told = talked(parked, *["hm"] * 25)
    assert code == 4
    assert told.count("One of: ") == 25
    assert view_of(parked, "arc")[0].state is RunState.NEEDS_OPERATOR


def test_an_answer_that_does_not_fit_the_node_changes_nothing(parked: Path) -> None:
    before = view_of(parked, "arc")[0].head
    _, told = talked(parked, "attest", "go 1", "approve", "step", "quit")
    assert "attest does not fit this node now" in told
    assert "approve does not fit this node now (done)" in told
    assert "nothing to approve together" in told
    assert view_of(parked, "arc")[0].head == before


def test_help_has_every_word_and_every_state(parked: Path) -> None:
    _, told = talked(parked, "help", "help states", "quit")
    for word in WORDS:
        assert f"  {word}: " in told
    assert "  in doubt: " in told


def test_what_is_typed_may_hold_anything(parked: Path) -> None:
    _, told = talked(parked, "\x1b[A\x07", "go \x1b[2J", "skip", "因為 \x1b[31m\u202e not ours", "quit")
    _has_no_drawing(told.split("\n"))
    reasons = [
        n.skipped["reason"]
        for n in view_of(parked, "arc")[0].nodes.values()
        if n.skipped and n.skipped["by"] == "operator"
    ]
    assert len(reasons) == 1
    assert "\x1b" not in reasons[0]


@posix
def test_a_question_that_settles_by_itself_is_let_go() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r", encoding="utf-8") as terminal:
        looks = iter([False, False, True])
        assert Answers(terminal).read("Well?", lambda: next(looks)) is None
        os.write(ours, b"late\n")
        assert Answers(terminal).forget() == ["late"]
        assert Answers(terminal).typed() is None
    os.close(ours)


def test_a_node_that_looks_again_and_finds_the_same_asks_nothing_new(parked: Path) -> None:
    node = view_of(parked, "arc")[0].nodes["resource_group"]
    blocked = replace(node, state=NodeState.BLOCKED, blocked=_rule("told"))
    assert asked_by(blocked) == asked_by(replace(blocked, since_ms=node.since_ms + 1))
    assert asked_by(blocked) != asked_by(replace(blocked, blocked=_rule("otherwise")))
    assert asked_by(node) != asked_by(replace(node, changes=()))
    assert asked_by(node) != asked_by(blocked)


def _rule(message: str) -> BlockDoc:
    return {"rule": "some-rule", "message": message, "ways_out": [], "next_poll_ms": None, "attest": ""}


@posix
def test_words_typed_while_nothing_is_asked_are_heard_at_a_terminal(finished: Path) -> None:
    replies = iter(["overview", "go 1", "checks", "history", "who", "nonsense", "quit"])

    def answer(line: str) -> str | None:
        return next(replies) if line.startswith("The run is over") else None

    code, told = by_terminal("resume", "arc", "--plain", answer=answer)
    assert code == 0
    assert any(line.startswith("  1. done: ") for line in told)
    assert any("You drive" in line for line in told)
    assert any("does not fit now" in line for line in told)


# ---------------------------------------------------------------- home and new runs


def test_the_plain_home_lists_opens_and_looks_on(parked: Path) -> None:
    replies = ("help", "9", "look 1", "overview", "approve", "quit", "1", "quit", "list", "quit")
    code, text = said(*replies, to=("--plain",))
    assert code == 0
    assert "  1. arc: arc-private-link, rehearsal, needs you" in text
    assert "nothing of that number" in text
    assert "You look on: " in text
    assert "Approve, skip, retry, later, quit?" in text


def test_a_new_rehearsal_is_made_from_home(home: Path) -> None:
    code, _ = said("new arc-private-link", "", "arc-ga", "quit", "quit", to=("--plain",))
    assert code == 0
    assert view_of(home, "arc-private-link-1")[0].scenario == "arc-ga"


def test_what_is_missing_is_asked_for_until_it_will_do() -> None:
    text = InputSpec("text", "string")
    said = "\n".join(["huge", "2", "10.0.0.1", "10.1.0.0/24", "a", "b", "", "x", "k=v", "x", "l=w", "", "yes"])
    answers = Answers(io.StringIO(said + "\n"))
    tier = InputSpec("tier", "enum", "How large?", "Small is enough.", values=("small", "large"))
    assert _ask(tier, "1 of 5", answers, ()) == "large"
    assert _ask(InputSpec("range", "cidr"), "2 of 5", answers, ()) == "10.1.0.0/24"
    assert _ask(InputSpec("names", "list", items=text), "3 of 5", answers, ()) == ["a", "b"]
    tags = InputSpec("tags", "map", items=text)
    assert _ask(tags, "4 of 5", answers, ()) == {"k": "v", "l": "w"}
    assert _ask(InputSpec("open", "boolean", is_optional=True, default=False), "5 of 5", answers, ()) is True


@pytest.fixture
def forgetful(tmp_path: Path) -> Path:
    """A scenario that leaves two questions of its book open."""
    text = assets.path("scenarios", "arc-ga.yaml").read_text("utf-8")
    for name in ("location", "resource_group"):
        text = re.sub(rf"^  {name}: .*\n", "", text, flags=re.MULTILINE)
    file = tmp_path / "forgetful.yaml"
    file.write_text(text, "utf-8")
    return file


def test_a_new_run_asks_for_what_it_has_to_know_with_help_and_says_what_is_wrong(home: Path, forgetful: Path) -> None:
    replies = ("re", "", "Nowhere 1!", "West Europe", "rg-arc", "no", "quit")
    args = ("start", "arc-private-link", "--plain", "--scenario", str(forgetful), "--run-id", "r")
    code, text = said(*replies, to=args)
    assert code == 4
    assert "1 of 2. location: Which region are the servers registered in?" in text
    assert "A scope serves the servers of its own region." in text
    assert "for example westeurope" in text
    assert text.count("Not that: expected an Azure region") == 2
    view, _ = view_of(home, "r")
    assert (view.inputs["location"], view.inputs["resource_group"]) == ("westeurope", "rg-arc")


def test_what_has_a_default_is_asked_for_only_where_that_is_wished(home: Path, forgetful: Path) -> None:
    def answer(line: str) -> str | None:
        if line.startswith("Your answer? (") or line.startswith(
            ("Your answer, or its number? (", "The first of them? (")
        ):
            return ""
        if line.startswith("Your answer?"):
            return "westeurope" if any("1 of 2. location" in before for before in seen[-6:]) else "rg-arc"
        seen.append(line)
        return "yes" if line.startswith("Go through") else "quit" if line.endswith("quit?") else None

    seen: list[str] = []
    args = (
        "start",
        "arc-private-link",
        "--mode",
        "rehearsal",
        "--plain",
        "--scenario",
        str(forgetful),
        "--run-id",
        "r",
    )
    code, _ = by_pipe(*args, answer=answer)
    assert code == 4
    assert [line for line in seen if "network_rules: " in line or "endpoint_resource_group: " in line]
    assert view_of(home, "r")[0].inputs["location"] == "westeurope"


def test_the_end_of_input_before_a_run_is_known_creates_none(
    home: Path, forgetful: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("westeurope\n"))
    ended = run_here("rehearse", "--plain", "--scenario", str(forgetful))
    assert ended.code == 2
    assert "resource_group is missing" in ended.err
    assert not (home / "runs").exists()


def test_a_live_run_offers_the_subscriptions_that_the_sign_in_knows(home: Path) -> None:
    id_ = "99999999-9999-4999-8999-999999999999"
    said = Answers(io.StringIO("huge\n2\n"))
    spec = InputSpec("subscription", "subscription", "Which one?")
    choices = [("11111111-1111-4111-8111-111111111111", "Landing Zone"), (id_, "Branch Offices")]
    assert _ask(spec, "1 of 1", said, choices) == id_


# ---------------------------------------------------------------- words


def test_every_key_of_the_run_screen_has_a_word() -> None:
    known = set(OF_KEY) | ABOUT_LOOKS
    missing = {key.id.partition("(")[0] for key in SCREENS["run"]} - known
    assert not missing, f"say in runbook/cli/plain_words.py which word stands for {missing}"
    assert set(OF_KEY.values()) <= set(WORDS)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a", ("approve", "")),
        ("A", ("approve", "")),
        ("ab", ("", "")),
        ("abort", ("abort", "")),
        ("sk", ("skip", "")),
        ("p", ("plan", "")),
        ("pa", ("pause", "")),
        ("7", ("go", "7")),
        ("go  x y ", ("go", "x y")),
        ("/zone one", ("find", "zone one")),
        ("?", ("help", "")),
        ("", ("", "")),
        ("xyz", ("", "")),
    ],
)
def test_a_beginning_is_enough_but_never_for_what_is_grave(typed: str, meant: tuple[str, str]) -> None:
    assert meaning(typed) == meant


def test_what_is_offered_goes_first() -> None:
    assert meaning("a", ("attest", "retry")) == ("attest", "")
    assert meaning("o", ("approve", "show", "one")) == ("one", "")
