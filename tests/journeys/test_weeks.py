"""An approval that takes weeks, with all that happens in them: nothing is typed twice, nothing is sent twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runbook import assets
from runbook.cli.polling import news_of
from runbook.core.command import Attest, Command
from runbook.core.entry import Kind
from runbook.core.patience import apart_of, sentences, standing
from runbook.core.state import NodeState, RunState
from runbook.core.view import NodeView
from runbook.engine.engine import Until
from runbook.report.earlier import earlier_waits
from runbook.wiring import Wish, create_run
from runbook.wiring.migrate import migrate_run
from tests.crash.harness import RUN, Played, reply
from tests.journeys.scenes import BRANCH, MAIN, Answer, drive

OURS, THEIRS = f"approval[{MAIN}]", f"approval[{BRANCH}]"
HOUR_S, DAY_S = 3_600.0, 86_400.0


def saying(*words: Attest) -> Answer:
    """Approve what asks for it, and give each of these words once."""
    left = {word.node: word for word in words}

    def answer(node: NodeView) -> Command | None:
        if node.state is NodeState.READY:
            return reply(node)
        return left.pop(node.id, None) if node.state in (NodeState.WAITING, NodeState.BLOCKED) else None

    return answer


def newer_book(folder: Path) -> str:
    """What the next release ships: another patience with Microsoft, and other words."""
    text = (assets.path("books") / "arc-private-link.yaml").read_text(encoding="utf-8")
    assert "escalate_days: 14" in text
    text = text.replace("\nversion: 1\n", "\nversion: 2\n", 1).replace("escalate_days: 14", "escalate_days: 21", 1)
    path = folder / "newer.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def told(played: Played, node: str) -> list[str]:
    found = played.view.nodes[node]
    assert found.waiting is not None, (found.state, found.error, found.blocked)
    s = standing(found.waiting, played.view.updated_ms, apart=apart_of(played.view, found))
    return sentences(s, found.waiting["who"])


def test_weeks_of_waiting_end_right_and_nothing_is_typed_twice(tmp_path: Path) -> None:
    home = tmp_path / "state"
    said: list[Attest] = []

    def session(*words: Attest, away_s: float = 0.0) -> Played:
        """One evening at the laptop; it is closed in between."""
        said.extend(words)
        return drive(home, saying(*words), away_s=away_s, until=Until.PARKED)

    create_run(home, Wish("arc-private-link", scenario="approval-weeks", run=RUN), durable=False)
    sent = session(Attest("request_sent", "by mail to the team", "dana", reference="MS-1"))
    start_ms = sent.view.updated_ms
    wait = sent.view.nodes[OURS].waiting
    assert wait is not None
    message = wait.get("sent")
    assert message is not None
    assert (message["reference"], message["about"]) == ("MS-1", [MAIN])

    quiet = session(away_s=4 * DAY_S)
    assert news_of(sent.view, quiet.view) == [], "silence is no news"
    due = session(away_s=2 * DAY_S)
    assert [line for line in news_of(quiet.view, due.view) if "Remind" in line], "a reminder is"
    draft = due.view.nodes[OURS].waiting
    assert draft is not None
    assert "your reference MS-1" in draft["draft"]
    reminded = session(Attest(OURS, "reminded them", "dana", says="sent", reference="MS-1b"))
    assert not any("Remind" in line for line in told(reminded, OURS))

    rejected = session(away_s=7 * DAY_S)
    assert rejected.view.state is RunState.BLOCKED
    assert "was asked for and now reads NotRegistered" in rejected.view.nodes[OURS].summary
    asked = session(Attest(OURS, "cleared it up: the region was missing", "dana", reference="MS-2"))
    assert asked.view.nodes[OURS].state is NodeState.WAITING
    assert asked.view.nodes[OURS].waited, "the first wait is over, and how long it took is kept"

    moved = migrate_run(home, RUN, newer_book(tmp_path))
    assert set(moved.again) == {OURS, THEIRS}

    one = session(away_s=7 * DAY_S)
    assert one.view.book["version"] == 2
    assert one.view.nodes[OURS].state is NodeState.DONE
    assert one.view.nodes[f"reregister[{MAIN}]"].state is NodeState.DONE, "by itself"
    other = one.view.nodes[THEIRS]
    assert other.waiting is not None
    assert other.waiting["since_ms"] <= start_ms, "the other wait has lasted all along"
    assert any(line.startswith(f"Already through: {MAIN}") for line in told(one, THEIRS))

    session(Attest(THEIRS, "mail: approved", "dana", says="approved", reference="MS-3", evidence="m.eml", sha256="ab"))
    stuck = session(away_s=5 * HOUR_S)
    blocked = stuck.view.nodes[THEIRS].blocked
    assert blocked is not None
    assert blocked["rule"] == "approval-stuck"
    session(Attest(THEIRS, "told them that it still reads Pending", "dana", says="sent", reference="MS-3"))
    session(away_s=12 * DAY_S)
    ended = drive(home)
    assert ended.view.state is RunState.DONE

    entries = [e for e in ended.entries if e.kind is Kind.ATTESTED]
    assert [(e.node, e.data["text"]) for e in entries[: len(said)]] == [(w.node, w.text) for w in said]
    waits = {OURS, THEIRS, "request_sent"}
    assert sum(e.node in waits for e in entries) == len(said), "no word was asked for twice"
    sent_calls = [(e.node, e.data["digest"]) for e in ended.entries if e.kind is Kind.INTENDED]
    assert len(sent_calls) == len(set(sent_calls)), "nothing was sent twice"
    register = f"/subscriptions/{BRANCH}/providers/microsoft.hybridcompute/register"
    calls = [e.data["path"].lower() for e in ended.entries if e.kind is Kind.INTENDED]
    assert calls.count(register) == 2, "once at first, once after the approval"

    assert earlier_waits(home, ended.view) == {}, "a run that does not wait reads nothing"
    assert earlier_waits(home, one.view) == {}, "and none is compared with itself"
    another = replace(one.view, id="another")
    [(kind, lengths)] = earlier_waits(home, another).items()
    assert kind == ("approval", "the Arc-enabled servers team at Microsoft")
    assert [round(s / DAY_S) for s in lengths] == [7, 13, 32]
