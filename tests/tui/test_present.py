from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from runbook.core.docs import ErrorDoc
from runbook.core.entry import Draft, Entry, Kind
from runbook.core.error import LeaseLost
from runbook.core.state import NodeState, RunState
from runbook.core.view import RunView
from runbook.tui.keys import SCREENS
from runbook.tui.present import node as pages
from runbook.tui.present.can import available, ready_safe
from runbook.tui.present.entries import entry_lines
from runbook.tui.present.header import Seat, header
from runbook.tui.present.next import Desk, next_step
from runbook.tui.present.rows import member_rows, outline, step_title
from runbook.tui.present.standing import next_for_me
from runbook.tui.present.text import as_text, clean, one_line, pack, short, short_middle, short_parts, time_of_day
from runbook.tui.present.words import RUN_ROLES, RUN_WORDS, driven_by, role, word
from runbook.tui.screens.help import help_rows
from tests.tui.sample import NOW, SUBSCRIPTION, S, change, check, context, node, ready, running, view, wait

SEAT = Seat(False, "ana on laptop", 3600.0, NOW)
DESK = Desk(NOW)


@given(st.text())
def test_cleaned_text_holds_nothing_that_drives_a_terminal(text: str) -> None:
    safe = clean(text)
    safe.encode("utf-8")
    assert not any((ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 for c in safe)
    assert "\n" not in one_line(text)


@given(st.text(), st.integers(0, 40))
def test_a_shortened_text_fits_its_width(text: str, width: int) -> None:
    assert cell_len(short(one_line(text), width)) <= width


@given(st.text(), st.integers(0, 40))
def test_a_text_shortened_in_the_middle_fits_its_width(text: str, width: int) -> None:
    assert cell_len(short_middle(one_line(text), width)) <= width


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1), max_size=8))
def test_packed_lines_fit_their_width(parts: list[str]) -> None:
    assert all(cell_len("".join(t for t, _ in row)) <= 30 for row in pack([(p, "") for p in parts], 30))


def test_every_state_has_a_word_of_at_most_nine_letters_and_a_role() -> None:
    for state in NodeState:
        assert len(word(node("context", state=state))) <= 9
        assert role(state)
    assert set(RUN_WORDS) == set(RUN_ROLES) == set(RunState)


def test_the_header_names_mode_title_subscription_tenant_cloud_clock_and_driver() -> None:
    text = as_text(header(ready(), SEAT, 80))
    for part in (
        "REHEARSAL",
        "Arc-enabled servers behind Azure Private Link",
        "Contoso Production 11111111-aaaa-4bbb-8ccc-000000000001",
        "tenant 22222222…",
        "AzureCloud",
        "simulated time 2026-10-26",
        "you drive",
        "needs you",
    ):
        assert part in text
    roomy = as_text(header(ready(), SEAT, 160))
    for part in ("ana on laptop", "tenant 22222222-aaaa-4bbb-8ccc-000000000002", "×3600 or faster"):
        assert part in roomy
    assert len(header(ready(), SEAT, 80)) == 3
    assert len(header(ready(), SEAT, 120)) == len(header(ready(), SEAT, 160)) == 2
    assert all(cell_len("".join(t for t, _ in row)) <= 80 for row in header(ready(), SEAT, 80))


def test_the_header_says_live_and_no_simulated_time_in_a_live_run() -> None:
    text = as_text(header(replace(ready(), mode="live"), SEAT, 120))
    assert " LIVE " in text
    assert "simulated" not in text
    assert "×" not in text


def test_the_header_says_read_only_paused_and_not_following() -> None:
    seat = replace(SEAT, is_read_only=True, driver="bob on jumphost", follows=False)
    text = as_text(header(replace(ready(), paused=True), seat, 120))
    assert "READ-ONLY, driven by bob on jumphost" in text
    assert "PAUSED" in text
    assert "not following" in text


def test_the_tree_has_phases_groups_nodes_and_steps_that_come_later() -> None:
    phases = outline(running())
    assert [b.row.title for b in phases] == [
        "Get ready",
        "Approval by Microsoft",
        "Network and endpoint",
        "Proof",
    ]
    get_ready = phases[0]
    assert (get_ready.row.word, get_ready.row.glyph) == ("2/3", "~")
    group = get_ready.children[1]
    assert group.row.title == "Register Microsoft.…"
    assert [c.row.title for c in group.children] == ["HybridCompute", "Network"]
    assert [c.row.word for c in group.children] == ["done", "settling"]
    assert phases[2].children[-1].row.word == "later"


def test_a_step_that_became_no_nodes_is_shown_as_none() -> None:
    v = replace(view(context()), expanded=frozenset({"context", "providers"}))
    assert outline(v)[0].children[1].row.word == "none"


def test_a_step_title_has_ellipses_for_its_expressions() -> None:
    assert step_title({"id": "x", "title": "Link ${item.zone} to ${item.vnet}"}) == "Link … to …"
    assert step_title({"id": "x", "title": "${item}"}) == "x"


@pytest.mark.parametrize(
    ("title", "titles", "together", "rows"),
    [
        ("Put ${item} in", ["Put srv-a in", "Put srv-b in"], "Put … in", ["srv-a", "srv-b"]),
        ("Zone ${item}", ["Zone privatelink.his", "Zone privatelink.dp"], "Zone privatelink.…", ["his", "dp"]),
        ("Do ${x} in ${y}", ["Do a in b", "Do c in d"], "Do … in …", ["a · b", "c · d"]),
        ("Do ${x} in ${y}", ["Do a in b", "Do c in b"], "Do … in b", ["a", "c"]),
        ("The same", ["The same", "The same"], "The same", ["k0", "k1"]),
        ("Other ${item}", ["This a", "That b"], "Other …", ["k0", "k1"]),
        ("${item}", ["a", "ab"], "…", ["a", "ab"]),
    ],
)
def test_rows_of_one_step_leave_out_what_they_share(
    title: str, titles: list[str], together: str, rows: list[str]
) -> None:
    nodes = [node("associate", f"/machines/k{i}", t) for i, t in enumerate(titles)]
    named, members = member_rows({"id": "s", "title": title}, nodes, {})
    assert named == together
    assert [r.title for r in members] == rows


def test_parts_are_shortened_longest_first_and_stay_readable() -> None:
    assert short_parts(["AllowPrivateEndpoints", "Landing Zone"], 24) == "AllowPriv… · Landing Zo…"
    assert short_parts(["AllowPrivateEndpoints", "hub"], 24) == "AllowPrivateEndpo… · hub"
    assert short_parts(["privatelink.dp.azure.com"], 12) == "privat…e.com"


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4), st.integers(0, 30))
def test_parts_never_take_more_room_than_there_is(parts: list[str], width: int) -> None:
    assert cell_len(short_parts(parts, width)) <= width


@given(st.lists(st.text(st.sampled_from("ab ./-"), min_size=1, max_size=8), min_size=2, max_size=5))
def test_rows_of_one_step_always_have_a_title(titles: list[str]) -> None:
    nodes = [node("associate", f"k{i}", t) for i, t in enumerate(titles)]
    _, members = member_rows({"id": "s", "title": "${item}"}, nodes, {})
    assert all(r.title for r in members)


def test_a_row_calls_a_pinned_subscription_by_its_name() -> None:
    title = f"Register Microsoft.Network in {SUBSCRIPTION.upper()} and {'3' * 8}-3333-3333-3333-{'3' * 12}"
    rows = outline(view(node("context", title=title)))[0].children
    assert rows[0].row.title.startswith("Register Microsoft.Network in Contoso Production and 33333333-")


def test_next_names_the_approval_and_its_key() -> None:
    todo = next_step(ready(), "endpoint", DESK)
    assert (todo.key, todo.action) == ("a", "Approve: Create private endpoint pe-arc")
    assert "PUT …/privateEndpoints/pe-arc" in as_text(todo.lines)


def test_next_for_a_disruptive_change_says_so() -> None:
    assert "Disruptive" in as_text(next_step(ready("disruptive"), "endpoint", DESK).lines)


def test_next_for_a_wait_names_whom_since_when_next_look_and_what_follows() -> None:
    waits = node("approval", state=S.WAITING, waiting=wait(draft="Dear team"))
    todo = next_step(view(context(), waits), "approval", DESK)
    assert todo == replace(todo, key="", action="Nothing to press: others have to act; this looks again by itself")
    text = as_text(todo.lines)
    for part in (
        "the Arc team at Microsoft",
        "for 2 d, since 2026-",
        "in 3 h; 12 so far",
        "Then: The provider",
        "c copies the text to hand over",
    ):
        assert part in text


def test_next_for_a_wait_that_a_word_can_end_is_attest() -> None:
    waits = node("request_sent", state=S.WAITING, waiting=wait(attest="I sent the message", next_poll_ms=None))
    todo = next_step(view(context(), waits), "request_sent", DESK)
    assert (todo.key, todo.action) == ("t", "Attest: I sent the message")
    assert "Next look" not in as_text(todo.lines)


def test_next_for_a_block_names_the_rule_and_the_ways_out_and_the_guide_what_is_wrong() -> None:
    rule = {
        "rule": "subnet-too-small",
        "message": "Two addresses are free.",
        "ways_out": ["Enlarge it.", "Choose another."],
        "attest": "",
        "next_poll_ms": None,
    }
    blocked = node("endpoint", state=S.BLOCKED, blocked=rule)
    todo = next_step(view(context(), blocked), "endpoint", DESK)
    assert todo.key == "r"
    text = as_text(todo.lines)
    assert "subnet-too-small" in text
    assert "1. Enlarge it." in text
    assert "2. Choose another." in text
    guide = as_text(pages.guide(view(context()), blocked, NOW))
    assert "Two addresses are free." in guide
    assert "2. Choose another." in guide


def test_a_wait_that_is_looked_at_again_can_be_attested_or_just_waited_for() -> None:
    wait = {"who": "users", "message": "m", "then": "", "since_ms": 0, "next_poll_ms": NOW + 60_000, "polls": 1}
    waits = node("request_sent", state=S.WAITING, waiting={**wait, "draft": "", "attest": "They may be cut off"})
    todo = next_step(view(context(), waits), "request_sent", DESK)
    assert (todo.key, todo.action) == ("t", "Attest, or just wait: They may be cut off")
    assert "Next look" in as_text(todo.lines)


WORDS = [{"says": "sent", "title": "I wrote again"}, {"says": "approved", "title": "They say yes"}]


def test_while_others_have_to_act_the_key_that_records_their_answer_is_named() -> None:
    held = view(node("approval", state=S.WAITING, waiting=wait(words=WORDS)))
    todo = next_step(held, "approval", DESK)
    assert todo.key == "t"
    assert "Record their answer" in todo.action
    other = view(node("approval", state=S.WAITING, waiting=wait(words=WORDS)), node("endpoint", state=S.FAILED))
    todo = next_step(other, "approval", DESK)
    assert todo.key == "n"
    assert "t records an answer: I wrote again · They say yes" in as_text(todo.lines)
    assert next_step(held, "approval", replace(DESK, read_only_for="bob")).key != "t"


def test_next_for_a_block_offers_the_operators_word_second_and_never_first() -> None:
    rule = {"rule": "a", "message": "m", "ways_out": ["Mend it."], "attest": "It is mended", "next_poll_ms": None}
    todo = next_step(view(context(), node("endpoint", state=S.BLOCKED, blocked=rule)), "endpoint", DESK)
    assert todo.key == "r"
    assert as_text(todo.lines[-1:]) == "Or t attests: It is mended"


def test_next_for_several_calls_names_the_node_and_how_many_they_are() -> None:
    calls = (change("drain", "host"), change("restart", "machine", "disruptive"))
    todo = next_step(view(context(), node("endpoint", state=S.READY, changes=calls)), "endpoint", DESK)
    assert todo.action == "Approve: Private endpoint pe-arc"
    assert "Sends 2 calls" in as_text(todo.lines)
    assert "First: drain" in as_text(todo.lines)


def test_next_for_a_failure_names_code_message_hint_and_correlation_id() -> None:
    error = {"code": "SubnetIsFull", "message": "No room.", "hint": "Make room.", "correlation_id": "9f1c"}
    todo = next_step(view(context(), node("endpoint", state=S.FAILED, error=error)), "endpoint", DESK)
    assert todo.key == "r"
    for part in ("SubnetIsFull", "No room.", "Make room.", "9f1c"):
        assert part in as_text(todo.lines)


def test_next_for_a_doubt_says_what_is_known() -> None:
    intent = {"seq": 44, "digest": "d", "title": "Run the command", "repeat": "never", "at_ms": NOW, "locks": []}
    doubtful = node("endpoint", state=S.IN_DOUBT, intent=intent)
    todo = next_step(view(context(), doubtful), "endpoint", DESK)
    assert todo.key == "r"
    assert "s skip" in todo.action
    assert "entry 44" in as_text(todo.lines)
    looking = next_step(view(context(), replace(doubtful, due_ms=NOW)), "endpoint", DESK)
    assert looking.key == ""
    assert "Looking at the cloud" in as_text(looking.lines)


def test_next_leads_to_another_node_that_needs_me() -> None:
    todo = next_step(ready(), "context", DESK)
    assert (todo.key, todo.action) == ("n", "Go to: Private endpoint pe-arc")


def test_next_says_go_on_when_paused_and_watching_when_read_only() -> None:
    assert next_step(replace(ready(), paused=True), "endpoint", DESK).key == "p"
    todo = next_step(ready(), "endpoint", Desk(NOW, read_only_for="bob"))
    assert (todo.key, todo.action) == ("", "Nothing to press: you are watching")


def test_next_at_the_end_names_the_report_and_an_ended_driver_says_why() -> None:
    todo = next_step(RunView(id="arc-1", book={"steps": []}, nodes={"context": context()}), None, DESK)
    assert todo.key == "q"
    assert "runbook report arc-1" in as_text(todo.lines)
    lost = next_step(ready(), "endpoint", Desk(NOW, failure=LeaseLost("Bob took over.", "Watch.")))
    assert lost.key == "q"
    assert "Bob took over." in as_text(lost.lines)


@pytest.mark.parametrize("state", list(NodeState))
def test_there_is_always_something_said(state: NodeState) -> None:
    v = view(context(), node("endpoint", state=state, changes=(change("Change it", "pe-arc"),)))
    for selected in ("endpoint", "context", None, "gone"):
        assert next_step(v, selected, DESK).action


def test_next_for_me_goes_round_in_book_order() -> None:
    v = view(node("context", state=S.FAILED), node("endpoint", state=S.BLOCKED), node("machines"))
    assert next_for_me(v, None) == "context"
    assert next_for_me(v, "context") == "endpoint"
    assert next_for_me(v, "endpoint") == "context"
    assert next_for_me(view(context()), "context") is None


def test_only_fitting_decisions_are_offered() -> None:
    assert {"approve", "retry", "skip", "pause", "abort"} <= available(ready(), "endpoint", "network", False)
    assert "approve" not in available(ready(), "context", "ready", False)
    assert available(ready(), "endpoint", "network", True) == frozenset()
    aborted = replace(ready(), aborted="enough")
    assert not available(aborted, "endpoint", "network", False) & {"approve", "pause", "abort"}


def test_approving_a_phase_leaves_disruptive_nodes_out() -> None:
    v = view(
        node("endpoint", state=S.READY, changes=(change("a", "a"),)),
        node("machines", state=S.READY, changes=(change("b", "b", "disruptive"),)),
    )
    assert [n.id for n in ready_safe(v, "network")] == ["endpoint"]


def test_the_guide_shows_why_what_risk_and_source() -> None:
    text = as_text(pages.guide(ready(), ready().nodes["endpoint"], NOW))
    for part in ("Why", "What happens", "What can go wrong", "Source: Public article"):
        assert part in text


def test_a_pending_node_names_what_it_comes_after() -> None:
    pending = node("endpoint")
    pending.doc["needs"].append("approval")
    v = view(context(), pending, node("approval", state=S.WAITING, waiting=wait()))
    assert "Approval of the preview" in as_text(pages.guide(v, pending, NOW))


def test_the_plan_shows_before_and_after() -> None:
    text = as_text(pages.plan(ready("disruptive").nodes["endpoint"]))
    for part in ("properties.publicNetworkAccess", "− Enabled", "+ Disabled", "Disruptive"):
        assert part in text


def test_commands_are_shown_and_copied_in_the_chosen_form() -> None:
    n = ready().nodes["endpoint"]
    assert "az network private-endpoint create" in as_text(pages.commands(n, n.changes, "az"))
    assert "New-AzPrivateEndpoint" in as_text(pages.commands(n, n.changes, "powershell"))
    assert pages.copyable(n.changes, "rest").startswith("PUT /subscriptions/")
    assert pages.faces(n.changes) == ["az", "powershell", "rest"]


def test_a_finished_node_still_shows_the_commands_its_entries_hold() -> None:
    made = change("Create private endpoint pe-arc", "pe-arc")
    n = node("endpoint", state=S.DONE, applied=({"digest": made["digest"], "title": made["title"], "at_ms": NOW},))
    seen = Entry.chain(Draft(Kind.OBSERVED, "endpoint", S.READY, {"changes": [made]}), 9, NOW, "")
    changes = pages.known_changes(n, [seen])
    assert changes == [made]
    assert "made" in as_text(pages.commands(n, changes, "az"))


def test_checks_show_expected_and_observed() -> None:
    n = node("endpoint", state=S.READY, checks=(check("same", "yes", "yes"), check("state", "Approved", "Pending")))
    text = as_text(pages.checks(n))
    for part in ("✓ ok   same", "✗ differs state", "expected: Approved", "observed: Pending"):
        assert part in text


def test_entries_stand_newest_first_with_what_they_tell() -> None:
    one = Entry.chain(Draft(Kind.OBSERVED, "endpoint", S.READY, {"summary": "It is missing."}), 8, NOW, "")
    error = {"code": "SubnetIsFull", "message": "No room."}
    two = Entry.chain(Draft(Kind.FAILED, "endpoint", S.FAILED, {"error": error}), 9, NOW, "")
    text = as_text(entry_lines([one, two]))
    assert text.index("#9") < text.index("#8")
    assert "Looked: to be changed" in text
    assert "→ ready" in text
    assert "SubnetIsFull: No room." in text


def test_the_help_explains_every_key_and_every_sign() -> None:
    text = as_text(help_rows(ready(), SEAT))
    assert "ana on laptop" in text
    assert all(k.tooltip in text for k in SCREENS["run"])
    assert all(state.replace("_", " ") in text for state in NodeState)


def test_the_header_tells_calls_under_way_and_that_arm_turns_calls_away() -> None:
    looking = node("context", state=S.OBSERVING)
    error: ErrorDoc = {"code": "TooManyRequests", "message": "", "hint": "", "throttled": True}
    waiting = [node("associate", f"b{i}", state=S.OBSERVING, error=error, due_ms=NOW + 17_000) for i in range(3)]
    text = as_text(header(view(looking, *waiting), SEAT, 160))
    assert "1 under way" in text
    assert f"ARM throttles: 3 wait until {time_of_day(NOW + 17_000)}" in text
    calm = as_text(header(view(context()), SEAT, 160))
    assert "under way" not in calm
    assert "throttles" not in calm


@pytest.mark.parametrize("screen", list(SCREENS))
def test_no_key_stands_in_a_list_twice(screen: str) -> None:
    keys = SCREENS[screen]
    assert len({k.id for k in keys}) == len(keys)
    single = [name for k in keys for name in k.keys.split(",")]
    assert len(set(single)) == len(single)


def test_a_driver_is_told_to_the_minute_and_may_be_nobody() -> None:
    assert driven_by("ana on x (process 7) since 2026-11-20T08:00:05.123Z") == (
        "driven by ana on x (process 7) since 2026-11-20 08:00Z"
    )
    assert driven_by("nobody drives it") == driven_by("") == "nobody drives it now"


def test_who_watches_is_told_how_to_drive_and_that_the_driver_has_left() -> None:
    todo = next_step(ready(), "endpoint", replace(DESK, read_only_for="bob on jumphost", program="./runbook"))
    assert (todo.key, todo.action) == ("", "Nothing to press: you are watching")
    assert "./runbook resume arc-1 --take-over" in as_text(todo.lines)
    todo = next_step(ready(), "endpoint", replace(DESK, read_only_for="nobody drives it"))
    assert (todo.key, todo.action) == ("q", "Quit: whoever drove this run has left it")
    assert "runbook resume arc-1" in as_text(todo.lines)
    assert "--take-over" not in as_text(todo.lines)


def test_the_next_node_for_the_operator_is_sought_in_the_same_phase_first() -> None:
    held = view(node("context", state=S.FAILED), node("request_sent", state=S.FAILED), node("endpoint", state=S.FAILED))
    assert next_for_me(held, None) == "context"
    assert next_for_me(held, None, near="network") == "endpoint"
    assert next_for_me(held, None, near="proof") == "context"


def test_a_newcomer_is_told_that_nothing_is_real_until_the_first_decision() -> None:
    said = "This Azure is simulated"
    assert said in as_text(next_step(ready(), "endpoint", DESK).lines)
    assert said not in as_text(next_step(replace(ready(), mode="live"), "endpoint", DESK).lines)
    applied = ({"digest": "d", "title": "t", "at_ms": NOW},)
    begun = view(*ready().nodes.values(), node("context", state=S.DONE, applied=applied))
    assert said not in as_text(next_step(begun, "endpoint", DESK).lines)


@pytest.mark.parametrize(
    ("status", "said"), [(201, "elapsed 5 s"), ("201", "elapsed 5 s"), ("InProgress", "(InProgress): elapsed 5 s")]
)
def test_before_the_first_poll_no_http_status_is_told_as_a_state(status: object, said: str) -> None:
    operation = {"seq": 1, "kind": "async", "status": status, "percent": None, "since_ms": NOW - 5_000, "locks": []}
    settling = node("endpoint", state=S.SETTLING, operation=operation)
    text = as_text(pages.guide(view(settling), settling, NOW))
    assert said in text
    assert "201" not in text


def test_what_a_condition_left_out_is_told_without_the_expression() -> None:
    skipped = node("endpoint", state=S.SKIPPED, skipped={"by": "when", "reason": "not needed here: ${inputs.x}"})
    text = as_text(pages.guide(view(skipped), skipped, NOW))
    assert "not needed here" in text
    assert "${" not in text


def test_what_a_condition_left_out_is_told_in_the_books_words() -> None:
    skipped = node("endpoint", state=S.SKIPPED, skipped={"by": "when", "reason": "not needed here: no rule was wanted"})
    assert "not needed here: no rule was wanted" in as_text(pages.guide(view(skipped), skipped, NOW))


def test_a_plan_shows_each_thing_that_changes_on_a_line_of_its_own() -> None:
    after = {"location": "global", "properties": {"zone": {"id": "/x"}, "open": False, "none": [], "rules": [{"a": 1}]}}
    diff = [{"path": "", "before": None, "after": after}, {"path": "tags", "before": {"a": "b"}, "after": None}]
    planned = node("endpoint", state=S.READY, changes=({**change("Create it", "pe"), "diff": diff},))
    told = as_text(pages.plan(planned)).splitlines()
    for row in (
        "   + location: global",
        "   + properties.zone.id: /x",
        "   + properties.open: false",
        "   + properties.none: []",
        "   + properties.rules[0].a: 1",
        "   tags",
        "   − a: b",
        "   − (removed)",
    ):
        assert row in told


def test_a_simulator_never_passes_for_the_cloud_whose_rules_it_follows() -> None:
    pinned = {**ready().pinned, "cloud": "AzureCloud", "cloud_name": "Rehearsal", "endpoint": "https://127.0.0.1:8443"}
    text = as_text(header(replace(ready(), mode="live", pinned=pinned), SEAT, 120))
    assert "Rehearsal (by the rules of AzureCloud)" in text
    assert "AzureCloud" in as_text(header(replace(ready(), mode="live"), SEAT, 120))
