"""What went wrong at a node, what is known of its effect, and what to do now, in this order.

Pure. Fixes come from where they are known: the error's hint, the rule's ways out, and what the state allows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runbook.core.clock import iso
from runbook.core.entry import Entry
from runbook.core.redact import redact
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.tui.present.codes import Meaning, meaning, rule_meaning
from runbook.tui.present.effect import Effect, LastCall, last_call
from runbook.tui.present.matter import matter
from runbook.tui.present.meanwhile import Meanwhile, meanwhile_lines
from runbook.tui.present.text import (
    BLANK,
    Line,
    ago,
    as_text,
    clean,
    end_of,
    heading,
    labelled,
    line,
    lines,
    moment,
    one_line,
)
from runbook.tui.present.words import glyph, role, word


@dataclass(frozen=True, slots=True)
class Fix:
    """One thing to do.

    Attributes:
        key: the id of the key that does it here; empty where it is done elsewhere.
    """

    text: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What the screen knows of one node.

    Attributes:
        entries: the node's entries, oldest first; None while they are being read.
        can: ids of the decisions that the run screen would take at this node now.
        due: a moment of the run's clock in words: ``in 3 h``.
    """

    view: RunView
    node: NodeView
    now_ms: int
    meanwhile: Meanwhile = field(default_factory=Meanwhile)
    entries: Sequence[Entry] | None = None
    can: Collection[str] = frozenset()
    due: Callable[[int], str] = str

    @property
    def code(self) -> str:
        """The code or rule that stands for what is the matter; empty where nothing is."""
        n = self.node
        if n.state is NodeState.BLOCKED and n.blocked:
            return n.blocked["rule"]
        return n.error["code"] if n.error else ""

    @property
    def is_ruled_out(self) -> bool:
        """Whether a rule stopped the node before anything was sent."""
        return self.node.state is NodeState.BLOCKED and self.call.effect is Effect.NO_CALL

    @property
    def meaning(self) -> Meaning:
        return rule_meaning(self.code) if self.node.state is NodeState.BLOCKED else meaning(self.code)

    @property
    def call(self) -> LastCall:
        return last_call(self.node, self.entries or ())


# ---------------------------------------------------------------- the page


def head(of: Trouble) -> list[Line]:
    """One line: sign, state, code, how long."""
    n = of.node
    since_ms = n.blocked_since_ms if n.state is NodeState.BLOCKED and n.blocked_since_ms is not None else n.since_ms
    lasted = f" · for {ago(since_ms, of.now_ms)}" if since_ms and of.now_ms - since_ms >= 1000 else ""
    state = (f"{glyph(n)} {word(n)}", role(n.state))
    code = (f"  {one_line(of.code)}", "heading") if of.code else ("", "")
    return [line(state, code, (lasted, "muted"))]


def page(of: Trouble) -> list[Line]:
    """The whole page."""
    if matter(of.node) != "failure":
        return [*lines("Nothing is the matter here any more. Esc goes back.", "ok"), BLANK, *_meanwhile(of)]
    call = of.call
    parts = [
        _what(of, call),
        [heading("Was anything changed?" if of.is_ruled_out else "Did it take effect?"), *_effect(of, call)],
        [heading(_ways_title(of, call)), *_fixes(of, call)],
        _ids(of, call),
        _meanwhile(of),
    ]
    rows: list[Line] = []
    for part in parts:
        rows += [*part, BLANK] if part else []
    return rows[:-1]


def _what(of: Trouble, call: LastCall) -> list[Line]:
    n, means = of.node, of.meaning
    rows: list[Line] = []
    if means.said:
        rows.append(heading(means.said))
    if n.state is NodeState.BLOCKED and n.blocked:
        rows += lines(n.blocked["message"])
    elif n.error:
        rows += labelled("The runbook says" if means.is_ours else "Azure says", n.error["message"])
    elif n.state is NodeState.IN_DOUBT:
        rows += lines(n.summary or "A call was sent, and whether it took effect is not known.")
    if call.title:
        at = f", {moment(call.at_ms)}" if call.at_ms is not None else ""
        rows += labelled("The call", f"{one_line(call.title)}{at}")
    if call.path:
        rows += labelled("On", end_of(call.path, 2), "code")
    return rows


_SAID: Final[dict[Effect, tuple[str, str, str]]] = {
    Effect.NO_CALL: ("No.", "ok", "It went wrong while looking. Looking changes nothing."),
    Effect.NOT_SENT: ("No.", "ok", "The call never left this machine, so nothing was changed by it."),
    Effect.REFUSED: ("No.", "ok", "Azure refused the call, so it did not happen."),
    Effect.UNANSWERED: (
        "Not known.",
        "wait",
        "The call was sent and no answer came that tells: it may or may not have happened.",
    ),
    Effect.ENDED_BADLY: (
        "Maybe partly.",
        "wait",
        "Azure took the call, worked on it and ended badly: part of it may stand. A fresh look tells what is there.",
    ),
    Effect.UNDER_WAY: ("Not yet.", "busy", "Azure took the call and works on it; only its progress could not be read."),
    Effect.UNTOLD: ("Not told.", "wait", "What is recorded at hand does not say; a fresh look tells what is there."),
    Effect.TAKEN: (
        "Azure said yes,",
        "wait",
        "but a fresh look does not show it: something undid it, or never did it.",
    ),
}


def _effect(of: Trouble, call: LastCall) -> list[Line]:
    n = of.node
    short, role_, said = _SAID[call.effect]
    if of.is_ruled_out and n.applied:
        short, said = "Before it stopped:", "what is named below; since then nothing was sent."
    elif of.is_ruled_out:
        said = "Nothing was sent: the rule forbids going on."
    if call.effect is Effect.UNANSWERED and n.due_ms is not None:
        said += " The cloud is looked at to find out, by itself."
    elif call.effect is Effect.UNANSWERED and n.intent and n.intent["repeat"] == "never":
        said += " Looking could not tell, and sending it twice could do harm."
    if of.entries is None and call.effect is Effect.UNTOLD:
        return lines("Reading the journal …", "muted")
    rows = [line((f"{short} ", role_), said)]
    if n.applied:
        made = f"{len(n.applied)} change{'s' * (len(n.applied) != 1)}"
        last = n.applied[-1]
        rows += lines(f"Recorded as made here: {made}; the last: {one_line(last['title'])}, {moment(last['at_ms'])}.")
    return rows


def _ids(of: Trouble, call: LastCall) -> list[Line]:
    rows: list[Line] = []
    if call.ended_ms is not None:
        rows += labelled("Recorded", f"{iso(call.ended_ms)[:19]}Z")
    if call.correlation_id:
        rows += labelled("Correlation id", one_line(call.correlation_id), "code")
    if call.request_id:
        rows += labelled("Request id", one_line(call.request_id), "code")
    return (
        [heading("To look it up, or for a support request"), *rows] if call.correlation_id or call.request_id else rows
    )


def _meanwhile(of: Trouble) -> list[Line]:
    return [heading("Meanwhile"), *meanwhile_lines(of.meanwhile)]


# ---------------------------------------------------------------- what to do

_BY_WORD: Final = (
    ("skip", re.compile(r"^skip\b|\bskip this node\b", re.IGNORECASE)),
    ("attest", re.compile(r"^attest\b|\bsay so here\b", re.IGNORECASE)),
    ("retry", re.compile(r"^retry\b", re.IGNORECASE)),
)
KEYS: Final = {"retry": "r", "change_input": "i", "skip": "s", "attest": "t"}
"""The key of each act, as it stands on the keyboard."""


def fixes(of: Trouble, call: LastCall) -> list[Fix]:
    """What to do, best first. Every act that is possible here is named once."""
    n = of.node
    found: list[Fix] = []
    if n.state is NodeState.BLOCKED and n.blocked:
        found += [Fix(clean(way), _key_of(way)) for way in n.blocked["ways_out"]]
    elif n.error and n.error["hint"]:
        found.append(Fix(clean(n.error["hint"])))
    found += _by_state(of, call)
    if of.meaning.may_be_input:
        found.append(Fix("If an input of this run is wrong, start another run with the right one.", "change_input"))
    if n.state is NodeState.BLOCKED and n.blocked and n.blocked["attest"]:
        found.append(Fix(f"Give your word: {one_line(n.blocked['attest'])}", "attest"))
    found.append(Fix("Leave this node out, with a reason that stands in the report.", "skip"))
    named: set[str] = set()
    kept: list[Fix] = []
    for fix in found:
        if fix.key and (fix.key in named or (fix.key in KEYS and fix.key != "change_input" and fix.key not in of.can)):
            continue
        named |= {fix.key} - {""}
        kept.append(fix)
    return kept


def _key_of(way: str) -> str:
    """The act that a way out speaks of, by the words that steps use for it; empty where it is done elsewhere."""
    return next((act for act, words in _BY_WORD if words.search(way)), "")


def _by_state(of: Trouble, call: LastCall) -> list[Fix]:
    n = of.node
    match n.state:
        case NodeState.BLOCKED:
            next_ms = n.blocked["next_poll_ms"] if n.blocked else None
            by_itself = "" if next_ms is None else f" It looks again by itself {of.due(next_ms)}."
            return [Fix(f"Once a way out is taken, have it looked at again.{by_itself}", "retry")]
        case NodeState.IN_DOUBT if n.due_ms is not None:
            return [Fix("Nothing to press: the cloud is being looked at, and that decides.")]
        case NodeState.IN_DOUBT:
            look = Fix("Look yourself whether it happened: the portal or the activity log shows it.")
            return [look, Fix("If it did not happen: send it again.", "retry")]
        case NodeState.FAILED if call.effect in (Effect.UNANSWERED, Effect.ENDED_BADLY):
            return [Fix("Try again: it looks first, and sends only what is still missing.", "retry")]
        case NodeState.FAILED:
            return [Fix("Try again once that is put right.", "retry")]
        case _ if n.due_ms is not None:
            return [Fix(f"Nothing to press: it is tried again by itself {of.due(n.due_ms)}.")]
        case _:
            return []


def _ways_title(of: Trouble, call: LastCall) -> str:
    """The Guide's word for it. The ways stand best first, and the first that fits ends it."""
    return "Ways out, best first: one is enough" if len(fixes(of, call)) > 1 else "Way out"


def _fixes(of: Trouble, call: LastCall) -> list[Line]:
    rows: list[Line] = []
    for number, fix in enumerate(fixes(of, call), 1):
        first, *rest = lines(fix.text)
        key = (f"{KEYS[fix.key]}", "key") if fix.key else ("", "")
        rows.append(line(f"{number}. ", key, " " if fix.key else "", *first))
        rows += [line("   ", *row) for row in rest]
    return rows


# ---------------------------------------------------------------- to hand on


def ticket(of: Trouble) -> str:
    """What somebody who is asked for help wants to know, as plain text."""
    node, view = of.node, of.view
    top = [
        line(f"Runbook: {one_line(view.book.get('title', ''))} ({one_line(view.book.get('id', ''))})"),
        line(f"Run: {view.id}, {view.mode}"),
        line(f"Node: {one_line(node.doc['title'])} ({one_line(node.id)})"),
        line(f"State: {word(node)} {one_line(of.code)}".rstrip()),
    ]
    call = of.call
    path = [line(f"Resource: {one_line(call.path)}")] if call.path else []
    effect = [line("Did it take effect? ", *(span for row in _effect(of, call) for span in row))]
    return as_text([*top, *_what(of, call), *path, *effect, *_ids(of, call)])


def raw(node: NodeView, entries: Iterable[Entry]) -> str:
    """The node's entries as JSON, newest first: everything that was stored of the answers.

    The journal keeps an error's code, message, hint and ids, not the whole HTTP answer; it was redacted before it was
    written, and is once more here. Operation URLs, which carry signatures, are not among an entry's data.
    """
    rows: list[dict[str, Any]] = [
        {"seq": e.seq, "at": iso(e.at_ms), "kind": str(e.kind), "to": e.to and str(e.to), "data": redact(e.data)}
        for e in sorted(entries, key=lambda e: e.seq, reverse=True)
    ]
    return clean(json.dumps({"node": node.id, "entries": rows}, indent=2, ensure_ascii=False))
