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
from runbook.core.state import FINISHED, NodeState
from runbook.core.view import NodeView, RunView
from runbook.tui.present.around import Around, around_lines
from runbook.tui.present.letter import Letter, letter, reminder
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
class Usual:
    """How long such a wait takes, and from when on it has lasted long.

    Attributes:
        long_ms: the moment on the run's clock; None where nobody knows.
        told: a sentence with where it comes from.
        how: what to do then, in the step's words; may be empty.
    """

    long_ms: int | None
    told: str
    how: str = ""


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
    around: Around = field(default_factory=Around)
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


def usual(of: Waited) -> Usual:
    """How long it usually takes: as the step says, else by who must say go."""
    wait = of.wait or {}
    said, turn = wait.get("usual") or {}, wait.get("escalate") or {}
    from_ms = (wait.get("sent") or {}).get("at_ms") or wait.get("since_ms") or of.now_ms
    how = str(turn.get("how", ""))
    told = f"{one_line(said.get('text', ''))} ({one_line(said.get('source', ''))})" if said.get("text") else ""
    if turn:
        return Usual(
            int(turn["at_ms"]), told or f"After {duration((turn['at_ms'] - from_ms) / 1000)} ask further.", how
        )
    if said.get("to_s") is not None:
        return Usual(from_ms + round(said["to_s"] * 1000), told, how)
    patience_s = _PATIENCE_S.get(of.node.doc["gate"])
    if patience_s is None or not asks_others(of):
        return Usual(None, told, how)
    ours = f"nobody promises a time; after {duration(patience_s)} it is time to ask again (our own figure)"
    return Usual(from_ms + round(patience_s * 1000), told or ours, how)


def is_long(of: Waited) -> bool:
    """Whether it has lasted longer than usual."""
    long_ms = usual(of).long_ms
    return long_ms is not None and of.now_ms >= long_ms


# ---------------------------------------------------------------- the texts


def texts(of: Waited) -> dict[Which, Letter]:
    """The texts there are: what is to be sent or was sent, and what to send when it lasts too long."""
    found: dict[Which, Letter] = {}
    wait = of.wait
    draft = str(wait["draft"]) if wait is not None and wait["draft"] else _drafted(of.entries or ())
    if draft:
        found["first"] = letter(draft)
    if wait is not None and asks_others(of):
        about = one_line(of.node.doc["title"])
        lasted = duration(max(60.0, (of.now_ms - _asked_ms(of)) / 1000))
        found["second"] = reminder(found.get("first"), str(wait["who"]), about, _sent_ms(of), lasted)
    return found


def _drafted(entries: Iterable[Entry]) -> str:
    """The newest text that was drafted for this wait."""
    drafts = (str((e.data.get("waiting") or {}).get("draft") or "") for e in sorted(entries, key=lambda e: -e.seq))
    return next((d for d in drafts if d), "")


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
        return [*_over(of), BLANK, heading("Meanwhile"), *around_lines(of.around)]
    inside = list(text) if text and texts(of) else []
    is_now = bool(wait["draft"]) or is_long(of)  # else it was sent long ago, and is only for looking up
    parts = [
        _since(of, wait),
        [heading("What to do"), *_todo(of, wait)],
        inside if is_now else [],
        _sent(of, wait),
        [heading("What happens then"), *lines(wait["then"])] if wait["then"] else [],
        [heading("Meanwhile"), *around_lines(of.around)],
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
    known = usual(of)
    if is_long(of):
        rows.append(line(("Longer than usual. ", "bad"), known.told))
        rows += lines(known.how, "wait") if known.how else []
    elif known.told:
        rows += labelled("Usual", known.told)
    looks = wait["polls"]
    looked = "looked once" if looks == 1 else f"looked {looks} times" if looks else "not looked since"
    if wait["next_poll_ms"] is not None:
        rows += labelled("Looks again", f"{of.due(wait['next_poll_ms'])}, by itself; {looked} so far")
    else:
        rows += lines("Nothing to look at: only your word ends it.", "wait")
    if expires_ms := wait.get("expires_ms"):
        rows += labelled("Lapses", f"{moment(expires_ms)}, {of.due(expires_ms)}")
    return rows


def _todo(of: Waited, wait: Mapping[str, Any]) -> list[Line]:
    rows = lines(wait["message"])
    if wait["attest"]:
        rows.append(line(("t", "key"), f" records it: {one_line(wait['attest'])}"))
    for more in wait.get("words") or ():
        rows.append(line(("t", "key"), f" also records: {one_line(more.get('title', ''))}"))
    return rows


def _sent(of: Waited, wait: Mapping[str, Any]) -> list[Line]:
    rows: list[Line] = []
    sent: Mapping[str, Any] = wait.get("sent") or {}
    if sent:
        rows += lines(f"{one_line(sent.get('what', ''))}: {moment(sent['at_ms'])}, by {one_line(sent.get('by', ''))}")
        rows += labelled("Reference", one_line(sent["reference"])) if sent.get("reference") else []
    for node, said in given(of.view, of.node):
        rows += _said(node if node.id != of.node.id else None, said)
    if not rows and asks_others(of):
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
        title = "The text that was drafted"
    other = [("   v", "key"), (" the other text", "muted")] if len(known) > 1 else []
    return [line((title, "heading"), *other), BLANK, *lines(known[which].text, "code")]


_TITLES: Final[dict[Which, str]] = {"first": "Text to hand over", "second": "Text to ask again with"}
