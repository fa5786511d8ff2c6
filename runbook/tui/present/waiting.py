"""Whom a node waits for, since when, what they were sent, what is usual, what comes next, and what goes on meanwhile.

Pure. Fields of a wait that an entry of an earlier release lacks are simply not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from runbook.core.clock import duration
from runbook.core.docs import AttestDoc
from runbook.core.entry import Entry
from runbook.core.patience import Standing, apart_of, sentences, standing
from runbook.core.state import FINISHED, NodeState
from runbook.core.view import NodeView, RunView
from runbook.report.handover import handover
from runbook.tui.present.letter import Letter, letter, reminder
from runbook.tui.present.meanwhile import Meanwhile, meanwhile_lines
from runbook.tui.present.node import GATES
from runbook.tui.present.text import BLANK, Line, ago, heading, labelled, line, lines, moment, one_line
from runbook.tui.present.words import glyph, role, word

Which = Literal["first", "second"]
"""The text to hand over, or the one for when it has lasted longer than usual."""

_DAY_S: Final = 86_400.0
_PATIENCE_S: Final = {"microsoft": 14 * _DAY_S, "team": 2 * _DAY_S}
"""After how long to ask again, by the book's gate, where the step says nothing: figures of ours. Microsoft promises no
time for the approval of a preview; the articles speak of waiting for the answer, without a duration.

Source: Microsoft Docs, "Use Azure Private Link to securely connect networks to Azure Arc enabled servers", 2021-03-18.
"""


@dataclass(frozen=True, slots=True)
class Waited:
    """What the screen knows of one wait.

    Attributes:
        entries: of this node and of those whose words belong to the wait, oldest first; None while they are read.
        due: a moment of the run's clock in words: ``in 3 h``.
    """

    view: RunView
    node: NodeView
    now_ms: int
    meanwhile: Meanwhile = field(default_factory=Meanwhile)
    entries: Sequence[Entry] | None = None
    due: Callable[[int], str] = str

    @property
    def wait(self) -> Mapping[str, Any] | None:
        """The wait; None when it is over."""
        n = self.node
        return cast("Mapping[str, Any]", n.waiting) if n.state is NodeState.WAITING and n.waiting else None


def sources(view: RunView, node: NodeView) -> list[str]:
    """The ids of the nodes whose entries tell what was sent, this one first.

    Where others must say go, those just before it at which a word was given belong to it.
    """
    if node.doc["gate"] not in _PATIENCE_S:
        return [node.id]
    before = [n for i in node.doc["needs"] if (n := view.nodes.get(i)) is not None and n.attested]
    return [node.id, *(n.id for n in before)]


def given(view: RunView, node: NodeView) -> list[tuple[NodeView, AttestDoc]]:
    """The operator's words that belong to a wait, oldest first."""
    nodes = [view.nodes[i] for i in sources(view, node) if i in view.nodes]
    words = [(n, w) for n in nodes for w in n.attested if not w.get("accepts")]
    return sorted(words, key=lambda pair: pair[1]["seq"])


def asks_others(of: Waited) -> bool:
    """Whether a text to somebody else can speed this up: not where the operator is waited for, or a machine."""
    wait = of.wait
    if wait is None or one_line(wait["who"]).lower().startswith("you"):
        return False
    return of.node.doc["gate"] in _PATIENCE_S or bool(wait.get("escalate"))


def stands(of: Waited) -> Standing | None:
    """How the wait stands by what its step says of it; None when it is over."""
    n = of.node
    if n.state is not NodeState.WAITING or n.waiting is None:
        return None
    return standing(n.waiting, of.now_ms, apart=apart_of(of.view, n))


def is_long(of: Waited) -> bool:
    """Whether it has lasted longer than usual: as the step says, else by who must say go."""
    now, wait = stands(of), of.wait
    if now is None or wait is None:
        return False
    if now.is_escalation_due or now.is_reminder_due or now.pace == "long":
        return True
    patience_s = _default_s(of)
    return patience_s is not None and of.now_ms - _asked_ms(of) >= patience_s * 1000


def _default_s(of: Waited) -> float | None:
    """After how long to ask again where the step says nothing of it; None where it does, or nobody can be asked."""
    wait = of.wait or {}
    has_own = wait.get("remind_ms") or wait.get("escalate") or (wait.get("usual") or {}).get("to_s") is not None
    return None if has_own or not asks_others(of) else _PATIENCE_S.get(of.node.doc["gate"])


# ---------------------------------------------------------------- the texts


def texts(of: Waited) -> dict[Which, Letter]:
    """The texts there are: what is to be sent or was sent, and what to send when it lasts too long."""
    found: dict[Which, Letter] = {}
    now, wait = stands(of), of.wait
    draft = str(wait["draft"]) if wait is not None else ""
    if of.node.handed and not draft and wait is not None:
        draft = handover(of.view, [of.node])
    before = _drafted(of.entries or (), draft)
    if draft and now is not None and (now.is_reminder_due or now.is_escalation_due):
        found["second"] = letter(draft)  # the step has one of its own
        draft = ""
    if draft or before:
        found["first"] = letter(draft or before)
    if wait is not None and "second" not in found and asks_others(of):
        about = one_line(of.node.doc["title"])
        lasted = duration(max(60.0, (of.now_ms - _asked_ms(of)) / 1000))
        found["second"] = reminder(found.get("first"), str(wait["who"]), about, _sent_ms(of), lasted, _answered(of))
    return found


def answer(of: Waited) -> AttestDoc | None:
    """What they answered, as the operator recorded it last; None where the newest word tells of a message of ours."""
    words = [w for n, w in given(of.view, of.node) if n.id == of.node.id]
    if not words or not words[-1].get("says"):
        return None
    sent = (of.wait or {}).get("sent") or {}
    is_ours = sent.get("at_ms") == _said_ms(words[-1]) and sent.get("how") == words[-1]["text"]
    return None if is_ours else words[-1]


def _answered(of: Waited) -> str:
    """For a text that asks again: what we were told, and that it cannot be seen."""
    word = answer(of)
    if word is None:
        return ""
    titles = {str(w["says"]): str(w["title"]) for w in (of.wait or {}).get("words") or ()}
    told = one_line(titles.get(word.get("says", ""), "") or word["text"])
    reference = f", reference {one_line(word['reference'])}," if word.get("reference") else ""
    seen = [f"{one_line(c['name'])} reads {one_line(c['observed'])}" for c in of.node.checks if not c["ok"]]
    still = f" What we see is still: {'; '.join(seen)}." if seen else ""
    return f"Your answer of {moment(_said_ms(word))}{reference} is noted here as “{told}”.{still}"


def _drafted(entries: Iterable[Entry], but: str) -> str:
    """The newest text that was drafted for this wait, other than the present one."""
    drafts = (str((e.data.get("waiting") or {}).get("draft") or "") for e in sorted(entries, key=lambda e: -e.seq))
    return next((d for d in drafts if d and d != but), "")


def _sent_ms(of: Waited) -> int | None:
    """When it went out, if anybody said so."""
    sent = (of.wait or {}).get("sent") or {}
    if sent.get("at_ms"):
        return int(sent["at_ms"])
    words = given(of.view, of.node)
    return _said_ms(words[0][1]) if words else None


def _asked_ms(of: Waited) -> int:
    sent_ms = _sent_ms(of)
    return sent_ms if sent_ms is not None else int((of.wait or {}).get("since_ms", of.now_ms))


def _said_ms(said: AttestDoc) -> int:
    return int(cast("Mapping[str, Any]", said).get("dated_ms") or said["at_ms"])


# ---------------------------------------------------------------- the page


def head(of: Waited) -> list[Line]:
    """One line: sign, state, whom, how long."""
    n, wait = of.node, of.wait
    state = (f"{glyph(n)} {word(n)}", role(n.state))
    if wait is None:
        return [line(state)]
    lasted = f" · for {ago(wait['since_ms'], of.now_ms)}" if of.now_ms - wait["since_ms"] >= 1000 else ""
    return [line(state, ("  for ", "muted"), (one_line(wait["who"]), "wait"), (lasted, "muted"))]


def page(of: Waited, text: Sequence[Line] | None = None) -> list[Line]:
    """The page. ``text``, of ``text_page``, stands in it where it is needed; None where it stands beside it."""
    wait = of.wait
    if wait is None:
        return [*_over(of), BLANK, heading("Meanwhile"), *meanwhile_lines(of.meanwhile)]
    inside = list(text) if text and texts(of) else []
    is_now = bool(wait["draft"] or of.node.handed) or is_long(
        of
    )  # else it was sent long ago, and is only for looking up
    parts = [
        _since(of, wait),
        [heading("What to do"), *_todo(of, wait)],
        inside if is_now else [],
        _sent(of, wait),
        [heading("What happens then"), *lines(wait["then"])] if wait["then"] else [],
        [heading("Meanwhile"), *meanwhile_lines(of.meanwhile)],
        [] if is_now else inside,
    ]
    rows: list[Line] = []
    for part in parts:
        rows += [*part, BLANK] if part else []
    return rows[:-1]


def _over(of: Waited) -> list[Line]:
    n = of.node
    if n.state in FINISHED:
        return lines(f"This wait is over: the node is {word(n)}. Esc goes back.", "ok")
    return [*lines(f"This wait is over for now: the node is {word(n)}. Esc goes back."), *lines(n.summary, "muted")]


def _since(of: Waited, wait: Mapping[str, Any]) -> list[Line]:
    so_far = f", that is {ago(wait['since_ms'], of.now_ms)}" if of.now_ms - wait["since_ms"] >= 1000 else ""
    rows = labelled("Since", f"{moment(wait['since_ms'])}{so_far}")
    if gate := of.node.doc["gate"]:
        rows += labelled("Who must say go", GATES.get(gate, one_line(gate)))
    now = stands(of)
    told = sentences(now, one_line(wait["who"])) if now is not None else []
    rows += [
        row for number, said in enumerate(told) for row in lines(said, "wait" if not number and is_long(of) else "")
    ]
    if (patience_s := _default_s(of)) is not None:
        late = ("Longer than usual: ", "bad") if is_long(of) else ("Usual: ", "muted")
        rows.append(line(late, f"nobody promises a time; after {duration(patience_s)} ask again (our own figure)"))
    looks = wait["polls"]
    looked = "looked once" if looks == 1 else f"looked {looks} times" if looks else "not looked since"
    if wait["next_poll_ms"] is not None:
        rows += labelled("Looks again", f"{of.due(wait['next_poll_ms'])}, by itself; {looked} so far")
    else:
        rows += lines("Nothing to look at: only your word ends it.", "wait")
    return rows


def _todo(of: Waited, wait: Mapping[str, Any]) -> list[Line]:
    rows = lines(wait["message"])
    if wait["attest"]:
        rows.append(line(("t", "key"), f" records it: {one_line(wait['attest'])}"))
    if others := [one_line(more.get("title", "")) for more in wait.get("words") or ()]:
        rows.append(line(("t", "key"), f" records{', too' if wait['attest'] else ''}: {' · '.join(others)}"))
    return rows


def _sent(of: Waited, wait: Mapping[str, Any]) -> list[Line]:
    rows: list[Line] = []
    for node, said in given(of.view, of.node):
        rows += _said(node if node.id != of.node.id else None, said)
    if not rows and not wait.get("sent") and asks_others(of):
        rows += lines("Nobody has said here that something was sent.", "muted")
    return [heading("What was sent and said"), *rows] if rows else []


def _said(where: NodeView | None, said: AttestDoc) -> list[Line]:
    more = cast("Mapping[str, Any]", said)
    at = f" (at “{one_line(where.doc['title'])}”)" if where is not None else ""
    rows = [line((f"{moment(_said_ms(said))} ", "muted"), f"{one_line(said['by'])}: “{one_line(said['text'])}”{at}")]
    if more.get("reference"):
        rows += labelled("  Reference", one_line(more["reference"]))
    if said["evidence"]:
        rows += labelled("  Evidence", f"{one_line(said['evidence'])}, SHA-256 {said['sha256'][:12]}…")
    return rows


def text_page(of: Waited, which: Which) -> list[Line]:
    """The text that ``c``, ``e`` and ``w`` are about, under a line that says which it is."""
    known = texts(of)
    if which not in known:
        return lines("There is no text to hand over here." if of.entries is not None else "Reading …", "muted")
    title = _TITLES[which]
    if which == "first" and not (of.wait or {}).get("draft"):
        title = "The document to send them" if of.node.handed else "The text that was drafted"
    other = [("   ", ""), ("v", "key"), (" the other text", "muted")] if len(known) > 1 else []
    return [line((title, "heading"), *other), BLANK, *lines(known[which].text, "code")]


_TITLES: Final[dict[Which, str]] = {"first": "Text to hand over", "second": "Text to ask again with"}
