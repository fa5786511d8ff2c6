"""The restart of session hosts, driven by the real engine: order, refusals, words, a process that ends anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.core.state import NodeState
from tests.steps.avd_farm import Farm, attest, farm, live, node_of, nothing, retry


def test_waves_go_one_after_the_other_and_every_host_is_opened_again(tmp_path: Path) -> None:
    arm = farm("a", "b", "c", "d", "e")
    view = live(tmp_path, arm, wave_percent=40)
    assert node_of(view).state is NodeState.DONE
    wave = "drain {0},drain {1},restart {0},restart {1},open {0},open {1}"
    last = "drain e,restart e,open e"
    assert ",".join(arm.calls) == f"{wave.format('a', 'b')},{wave.format('c', 'd')},{last}"
    assert arm.out == 2
    assert node_of(view).outputs["restarted"] == 5


def closed(arm: Farm) -> set[str]:
    return {name for name, host in arm.hosts.items() if not host["open"]}


def rule(view: object) -> str:
    blocked = node_of(view).blocked  # type: ignore[arg-type]
    return blocked["rule"] if blocked else ""


def test_a_second_run_finds_every_host_restarted_for_this_endpoint(tmp_path: Path) -> None:
    arm = farm("a", "b")
    live(folder(tmp_path, "one"), arm)
    done = list(arm.calls)
    view = live(folder(tmp_path, "two"), arm)
    assert node_of(view).state is NodeState.DONE
    assert arm.calls == done


def test_other_addresses_need_another_restart(tmp_path: Path) -> None:
    arm = farm("a")
    live(folder(tmp_path, "one"), arm)
    records = [{"fqdn": "x.wvd.microsoft.com", "ip": "10.0.0.9", "zone": "", "name": "x"}]
    live(folder(tmp_path, "two"), arm, records=records)
    assert arm.calls.count("restart a") == 2


def test_a_host_that_took_no_new_sessions_before_takes_none_afterwards(tmp_path: Path) -> None:
    arm = farm("a-", "b")
    view = live(tmp_path, arm)
    assert closed(arm) == {"a"}
    assert arm.calls == ["restart a", "drain b", "restart b", "open b"]
    assert [h.rpartition("/")[2] for h in node_of(view).outputs["closed_before"]] == ["a.lab"]


def test_a_deallocated_host_is_satisfied_and_named(tmp_path: Path) -> None:
    arm = farm("a!", "b!")
    view = live(tmp_path, arm)
    assert arm.calls == []
    assert node_of(view).outputs["deallocated"] == 2
    assert "starts with the machine" in node_of(view).checks[0]["observed"]


def test_users_are_waited_for_on_a_drained_host(tmp_path: Path) -> None:
    arm = farm("a3", "b")
    view = live(tmp_path, arm, wave_percent=100)
    assert arm.calls == ["drain a", "drain b", "restart b", "open b"]
    waiting = node_of(view).waiting
    assert waiting is not None
    assert waiting["who"] == "the users on hp"
    assert "a.lab (3)" in waiting["message"]
    arm.hosts["a"]["sessions"] = 0
    view = live(tmp_path, arm, answers=(retry,), wave_percent=100)
    assert node_of(view).state is NodeState.DONE
    assert closed(arm) == set()


def test_a_word_lets_the_restart_go_on_in_this_wave_only(tmp_path: Path) -> None:
    arm = farm("a3", "b2")
    view = live(tmp_path, arm, answers=(attest,))
    assert arm.calls == ["drain a", "restart a", "open a", "drain b"]
    assert node_of(view).state is NodeState.WAITING
    view = live(tmp_path, arm, answers=(attest,))
    assert node_of(view).state is NodeState.DONE
    assert closed(arm) == set()


def test_sessions_are_not_waited_for_when_told_so(tmp_path: Path) -> None:
    arm = farm("a3")
    assert node_of(live(tmp_path, arm, sessions="go_on")).state is NodeState.DONE
    assert arm.calls == ["drain a", "restart a", "open a"]


def test_a_script_that_failed_stops_the_line_after_every_host_is_opened(tmp_path: Path) -> None:
    arm = farm("a", "b", "c", "d", b_restart=["bad"])
    view = live(tmp_path, arm)
    assert rule(view) == "restart-failed"
    assert any(doc.get("failed") for n in view.nodes.values() for doc in n.applied)
    assert closed(arm) == set()
    assert "restart c" not in arm.calls
    blocked = node_of(view).blocked
    assert blocked is not None
    assert "b.lab" in blocked["message"]
    assert "Cannot start service" in blocked["message"]
    assert blocked["attest"]


def test_a_retry_runs_the_script_again_as_another_change(tmp_path: Path) -> None:
    arm = farm("a", "b", a_restart=["bad", "ok"])
    first = {c["digest"] for c in changes_shown(tmp_path, arm)}
    view = live(tmp_path, arm, answers=(retry,))
    assert node_of(view).state is NodeState.DONE
    assert arm.calls.count("restart a") == 2
    again = next(a for a in node_of(view).applied if a["title"].endswith("attempt 2"))
    assert again["digest"] not in first


def test_another_attempt_waits_for_another_go(tmp_path: Path) -> None:
    arm = farm("a", a_restart=["bad", "ok"])
    live(tmp_path, arm)
    view = live(tmp_path, arm, answers=(retry,), approve=False)
    assert node_of(view).state is NodeState.READY
    assert closed(arm) == set()


def test_a_word_stands_for_a_restart_that_failed(tmp_path: Path) -> None:
    arm = farm("a", "b", a_restart=["bad"])
    view = live(tmp_path, arm, answers=(attest,))
    assert node_of(view).state is NodeState.DONE
    assert arm.calls == ["drain a", "restart a", "open a", "drain b", "restart b", "open b"]


def test_a_word_about_sessions_does_not_stand_for_a_restart_that_failed(tmp_path: Path) -> None:
    arm = farm("a2", a_restart=["bad"])
    view = live(tmp_path, arm, answers=(attest,))
    assert rule(view) == "restart-failed"
    assert closed(arm) == set()


def test_a_word_for_a_restart_does_not_let_sessions_be_cut(tmp_path: Path) -> None:
    arm = farm("a", "b2", a_restart=["bad"])
    view = live(tmp_path, arm, answers=(attest,))
    assert node_of(view).state is NodeState.WAITING
    assert "restart b" not in arm.calls


def test_a_word_for_a_restart_does_not_cover_sessions_on_a_host_that_was_closed_before(tmp_path: Path) -> None:
    arm = farm("a", "b-2", a_restart=["bad"])
    view = live(tmp_path, arm, answers=(attest,))
    assert node_of(view).state is NodeState.WAITING
    assert "restart b" not in arm.calls


@pytest.mark.parametrize("kind", ["drain", "restart", "open"])
def test_after_a_refusal_every_other_host_is_opened_and_the_operator_is_asked(tmp_path: Path, kind: str) -> None:
    arm = farm("a", "b", **{f"b_{kind}": ["refused"]})
    view = live(tmp_path, arm, wave_percent=100)
    assert rule(view) == "restart-failed"
    assert closed(arm) == ({"b"} if kind == "open" else set())
    blocked = node_of(view).blocked
    assert blocked is not None
    assert "AuthorizationFailed" in blocked["message"]
    view = live(tmp_path, arm, answers=(retry,), wave_percent=100)
    assert node_of(view).state is NodeState.DONE
    assert closed(arm) == set()


def test_a_host_that_could_not_be_opened_is_left_to_the_operator_with_a_word(tmp_path: Path) -> None:
    arm = farm("a", a_open=["refused", "refused", "refused"])
    view = live(tmp_path, arm, answers=(attest,))
    assert node_of(view).state is NodeState.DONE
    assert arm.sent.count("open a") == 1
    assert [c["name"] for c in node_of(view).checks if c["observed"] == "a.lab"] == ["hosts that take no new sessions"]


def test_an_operation_that_ends_badly_is_opened_again_and_asked_about(tmp_path: Path) -> None:
    arm = farm("a", a_restart=["dies", "ok"])
    view = live(tmp_path, arm)
    assert rule(view) == "restart-failed"
    assert closed(arm) == set()
    assert node_of(live(tmp_path, arm, answers=(retry,))).state is NodeState.DONE


def test_a_machine_that_goes_down_while_its_host_is_drained_is_opened_again(tmp_path: Path) -> None:
    arm = farm("a3")
    live(tmp_path, arm)
    assert closed(arm) == {"a"}
    arm.hosts["a"]["power"] = "deallocated"
    view = live(tmp_path, arm, answers=(retry,))
    assert node_of(view).state is NodeState.DONE
    assert closed(arm) == set()


def test_a_host_without_a_machine_is_named_and_needs_a_word(tmp_path: Path) -> None:
    arm = farm("a", "b?")
    view = live(tmp_path, arm)
    assert arm.calls == []
    waiting = node_of(view).waiting
    assert waiting is not None
    assert waiting["who"] == "you, at b.lab"
    assert waiting["attest"]
    view = live(tmp_path, arm, answers=(attest,))
    assert node_of(view).state is NodeState.DONE
    assert arm.calls == ["drain a", "restart a", "open a"]


def test_a_word_about_a_host_without_a_machine_says_nothing_about_sessions(tmp_path: Path) -> None:
    arm = farm("a-2", "b?")
    view = live(tmp_path, arm, answers=(attest,))
    assert node_of(view).state is NodeState.WAITING
    assert arm.calls == []


def test_the_machine_is_restarted_once_and_what_this_run_did_is_the_evidence(tmp_path: Path) -> None:
    arm = farm("a", "b")
    view = live(tmp_path, arm, method="vm")
    assert node_of(view).state is NodeState.DONE
    assert arm.calls == ["drain a", "restart a", "open a", "drain b", "restart b", "open b"]


def test_a_machine_whose_restart_got_no_answer_is_not_restarted_again_without_a_word(tmp_path: Path) -> None:
    arm = farm("a", a_restart=["vanished"])
    view = live(tmp_path, arm, method="vm")
    assert node_of(view).state is NodeState.IN_DOUBT
    assert node_of(live(tmp_path, arm, answers=(retry,), method="vm")).state is NodeState.DONE
    assert arm.calls == ["drain a", "restart a", "open a"]


@pytest.mark.parametrize("kind", ["drain", "restart", "open"])
@pytest.mark.parametrize("how", ["lost", "vanished"])
def test_an_answer_that_never_came_is_settled_by_looking(tmp_path: Path, kind: str, how: str) -> None:
    arm = farm("a", "b", **{f"a_{kind}": [how]})
    view = live(tmp_path, arm, wave_percent=100)
    assert node_of(view).state is NodeState.DONE
    assert sorted(arm.calls) == sorted(f"{k} {n}" for k in ("drain", "restart", "open") for n in "ab")
    assert closed(arm) == set()


def troubled() -> Farm:
    """Everything at once: closed before, off, sessions, refusals, lost answers, a script that fails."""
    return farm(
        *("a", "b-", "c!", "d", "e2", "f"),
        a_restart=["lost"],
        a_open=["lost"],
        d_drain=["lost"],
        d_restart=["bad", "ok"],
        e_restart=["refused", "ok"],
        f_drain=["vanished"],
    )


def sitting(folder_: Path, arm: Farm, at: int = 0) -> object:
    """Whatever is asked, the operator answers: retry what went wrong, let sessions be cut."""

    def answer(farm_: Farm, node: object) -> object:
        return (attest if node.waiting else retry)(farm_, node)  # type: ignore[attr-defined, arg-type]

    return live(folder_, arm, at, answers=(answer,) * 6)  # type: ignore[arg-type]


PARTS = 11
"""Of which one runs by default."""


@pytest.mark.parametrize("part", [0, *(pytest.param(n, marks=pytest.mark.soak) for n in range(1, PARTS))])
def test_ended_at_any_step_every_host_is_left_as_it_was_found(tmp_path: Path, part: int) -> None:
    whole = troubled()
    view = sitting(folder(tmp_path, "whole"), whole)
    assert node_of(view).state is NodeState.DONE  # type: ignore[arg-type]
    assert closed(whole) == {"b"}
    names = whole.fuse.names
    assert len(names) > 150
    wrong = []
    for at in range(1 + part, len(names) + 1, PARTS):
        arm, place = troubled(), folder(tmp_path, str(at))
        sitting(place, arm, at)
        assert arm.fuse.is_blown
        end = node_of(sitting(place, arm))  # type: ignore[arg-type]
        if end.state is not NodeState.DONE:
            wrong.append(f"step {at} ({names[at - 1]}): ended {end.state}: {end.summary}")
        if closed(arm) != {"b"}:
            wrong.append(f"step {at} ({names[at - 1]}): {sorted(closed(arm))} take no new sessions")
        restarts = {n: arm.calls.count(f"restart {n}") for n in arm.hosts}
        if restarts != {"a": 1, "b": 1, "c": 0, "d": 2, "e": 1, "f": 1}:
            wrong.append(f"step {at} ({names[at - 1]}): restarts {restarts}")
        if arm.out > whole.out:
            wrong.append(f"step {at} ({names[at - 1]}): {arm.out} hosts out at a time")
    assert not wrong, "\n".join(wrong[:20])


def folder(parent: Path, name: str) -> Path:
    found = parent / name
    found.mkdir()
    return found


def changes_shown(place: Path, arm: Farm) -> list[dict[str, str]]:
    """What the first look shows, and then the run on to where it is stuck."""
    view = live(place, arm, answers=(nothing,))
    assert rule(view) == "restart-failed"
    return [{"digest": a["digest"]} for a in node_of(view).applied]
