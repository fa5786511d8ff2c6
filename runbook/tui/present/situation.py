"""What is the matter with one node, in full: whom it waits for, which rule forbids, what failed, what is in doubt."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from runbook.core.clock import duration
from runbook.core.docs import BlockDoc, ErrorDoc, WaitDoc, skipped_why
from runbook.core.expected import Expected, Usual
from runbook.core.state import NodeState
from runbook.core.view import NodeView
from runbook.tui.present.text import BLANK, Line, ago, ahead, clean, labelled, line, lines, moment, one_line

_NOTHING: Final[Expected] = {}

RealS = Callable[[int], float | None]
"""Real seconds until a moment of the run's clock; None where nobody knows."""


def situation(
    node: NodeView,
    now_ms: int,
    *,
    is_brief: bool = False,
    real_s: RealS | None = None,
    expected: Expected = _NOTHING,
) -> list[Line]:
    """Empty when there is nothing to say beyond the state's word. Whatever is busy tells for how long, and what comes.

    Args:
        node: the node.
        now_ms: the run's clock.
        is_brief: what the Guide page has is only named.
        real_s: in a rehearsal, how long a moment of simulated time is away in truth.
        expected: how long such work, or such a wait, usually lasts.
    """
    rows: list[Line] = []
    due = partial(due_words, now_ms=now_ms, real_s=real_s)
    usual = expected.get((node.doc["step"], node.state))
    match node.state:
        case NodeState.WAITING if node.waiting:
            rows += (_waiting_in_brief if is_brief else _waiting)(node.waiting, now_ms, due, usual)
            if node.error:
                rows += labelled("Last look", f"failed: {node.error['message']}")
        case NodeState.BLOCKED if node.blocked:
            rows += (_blocked_in_brief if is_brief else _blocked)(node.blocked, due)
        case NodeState.FAILED if node.error:
            rows += error_lines(node.error)
        case NodeState.IN_DOUBT:
            rows += _in_doubt(node, now_ms, due)
        case NodeState.SETTLING:
            rows += _settling(node, now_ms, due, usual)
        case NodeState.SKIPPED if node.skipped:
            rows += labelled("Skipped", skipped_because(node))
        case NodeState.OBSERVING | NodeState.APPLYING | NodeState.PENDING if node.error:
            rows += labelled("Put off", f"{node.error['code']}: {node.error['message']}", "wait")
            if node.due_ms is not None:
                rows += labelled("Next try", due(node.due_ms))
        case NodeState.OBSERVING:
            rows += labelled("Looking at the cloud", _so_far(node, now_ms), "busy")
        case NodeState.APPLYING:
            what = one_line(node.intent["title"]) if node.intent else "a call"
            rows += labelled("Under way", f"{what}, {_so_far(node, now_ms)}", "busy")
            rows += [] if is_brief else lines("Should its answer stay away, a look at the cloud decides.", "muted")
        case NodeState.READY if node.is_approved:
            rows += labelled("Approved", f"its turn comes by itself; {_so_far(node, now_ms)}", "busy")
        case _:
            pass
    if is_brief:
        is_untold = node.state is NodeState.SETTLING and node.operation is None and node.summary
        return [*rows, *(lines(node.summary) if is_untold else [])]
    told = {c["title"] for c in node.changes} | {d["message"] for d in (node.waiting, node.blocked, node.error) if d}
    if node.state is not NodeState.SKIPPED and node.summary and node.summary not in told:
        rows += lines(node.summary)
    for word in node.attested:
        proof = f" (evidence {one_line(word['evidence'])}, sha256 {word['sha256'][:12]}…)" if word["evidence"] else ""
        if reference := word.get("reference"):
            proof = f", reference {one_line(reference)}{proof}"
        dated = f", dated {moment(word['dated_ms'])}" if "dated_ms" in word else ""
        rows += labelled("Attested", f"{word['text']} — {word['by']}, {moment(word['at_ms'])}{dated}{proof}")
    draft = next((w["draft"] for w in reversed(node.waited) if w.get("draft")), "")
    if node.state is NodeState.DONE and node.attested and draft:
        rows += [BLANK, line(("The text as it was drafted", "heading")), *lines(draft, "code")]
    return rows


def skipped_because(node: NodeView) -> str:
    """Why a node was left out. A bare condition is for the book's author; the report has it."""
    why = skipped_why(node.skipped) if node.skipped else ""
    if not node.skipped or not why:
        return "not needed here; the book's condition for it does not hold"
    if node.skipped["by"] == "when":
        return why
    return f"left out by the operator: {node.skipped['reason']}"


def due_words(at_ms: int, now_ms: int, real_s: RealS | None) -> str:
    """``in 3 h``; in a rehearsal also how long that takes here: ``in 3 h (simulated), about 3 s here``."""
    text = ahead(at_ms, now_ms)
    if real_s is None or at_ms <= now_ms or (here_s := real_s(at_ms)) is None:
        return text
    return f"{text} (simulated), {f'about {duration(here_s)} here' if here_s >= 1 else 'a moment here'}"


def _so_far(node: NodeView, now_ms: int) -> str:
    return f"for {ago(node.since_ms, now_ms)}" if now_ms - node.since_ms >= 1000 else "since just now"


def elapsed(since_ms: int, now_ms: int, usual: Usual | None) -> str:
    """``2 min, usually 1 min to 3 min``, with a word where it is longer than ever before."""
    told = ago(since_ms, now_ms)
    if usual is None:
        return told
    late = ", so longer than usual" if usual.count > 1 and now_ms - since_ms > usual.high_ms else ""
    return f"{told}, {usual.words()}{late}"


def _waiting(wait: WaitDoc, now_ms: int, due: Callable[[int], str], usual: Usual | None) -> list[Line]:
    rows = _whom(wait, now_ms, usual)
    rows += _next_look(wait, due)
    rows += lines(wait["message"])
    if wait["then"]:
        rows += labelled("Then", wait["then"])
    if wait["draft"]:
        rows += [BLANK, line(("Text to hand over", "heading"), ("  c copies it", "muted"))]
        rows += lines(wait["draft"], "code")
    return rows


def _waiting_in_brief(wait: WaitDoc, now_ms: int, due: Callable[[int], str], usual: Usual | None) -> list[Line]:
    rows = _whom(wait, now_ms, usual)
    rows += _next_look(wait, due)
    if wait["draft"]:
        rows.append(line(("c", "key"), " copies the text to hand over; the Guide page shows it."))
    if wait["then"]:
        rows += labelled("Then", wait["then"])
    return rows


def _whom(wait: WaitDoc, now_ms: int, usual: Usual | None) -> list[Line]:
    lasted = f", for {ago(wait['since_ms'], now_ms)}" if now_ms - wait["since_ms"] >= 1000 else ""
    since = (f"{lasted}, since {moment(wait['since_ms'])}", "")
    rows = [line(("Waiting for: ", "muted"), (one_line(wait["who"]), "wait"), since)]
    return rows if usual is None else [*rows, *labelled("Elapsed", elapsed(wait["since_ms"], now_ms, usual))]


def _next_look(wait: WaitDoc, due: Callable[[int], str]) -> list[Line]:
    if wait["next_poll_ms"] is None:
        return []
    looks = f"; {wait['polls']} so far" if wait["polls"] else ""
    return labelled("Next look", f"{due(wait['next_poll_ms'])}{looks}")


def _blocked_in_brief(block: BlockDoc, due: Callable[[int], str]) -> list[Line]:
    """What can be done; what is wrong stands on the Guide page, beside it."""
    rows = labelled("Rule", one_line(block["rule"]), "bad")
    for number, way in enumerate(block["ways_out"], 1):
        rows += lines(f"{number}. {one_line(way)}")
    if block["next_poll_ms"] is not None:
        rows += labelled("Next look", due(block["next_poll_ms"]))
    return rows


def _blocked(block: BlockDoc, due: Callable[[int], str]) -> list[Line]:
    rows = labelled("Rule", one_line(block["rule"]), "bad")
    rows += lines(block["message"])
    if block["ways_out"]:
        is_one = len(block["ways_out"]) == 1
        rows.append(line(("Way out" if is_one else "Ways out, best first: one is enough", "heading")))
        for number, way in enumerate(block["ways_out"], 1):
            rows += lines(f"{number}. {clean(way)}")
    if block["next_poll_ms"] is not None:
        rows += labelled("Next look", due(block["next_poll_ms"]))
    return rows


def error_lines(error: ErrorDoc) -> list[Line]:
    """Code, message, hint and correlation id."""
    rows = labelled("Error", one_line(error["code"]), "bad")
    rows += lines(error["message"])
    if error["hint"]:
        rows += labelled("Hint", error["hint"])
    if correlation := error.get("correlation_id"):
        rows += labelled("Correlation id", one_line(correlation))
    return rows


def _in_doubt(node: NodeView, now_ms: int, due: Callable[[int], str]) -> list[Line]:
    rows: list[Line] = []
    if node.intent:
        rows += labelled("Sent", f"{node.intent['title']}, {moment(node.intent['at_ms'])} (entry {node.intent['seq']})")
        rows += lines("Its answer is not known: it may or may not have taken effect.", "wait")
        if node.due_ms is not None:
            rows += lines(f"Looking at the cloud to find out, {due(node.due_ms)}; {_so_far(node, now_ms)}.")
        elif node.intent["repeat"] == "never":
            rows += lines("Looking could not tell, and sending it twice could do harm: look for yourself, then decide.")
    if node.error:
        rows += error_lines(node.error)
    return rows


def at_work_since(node: NodeView) -> int:
    """Since when Azure works on what was sent; between looks a node changes its state, and the work goes on."""
    begun = [node.operation["since_ms"] if node.operation else None, node.busy_since_ms]
    return min((at_ms for at_ms in begun if at_ms is not None), default=node.since_ms)


def _settling(node: NodeView, now_ms: int, due: Callable[[int], str], usual: Usual | None) -> list[Line]:
    """What Azure says of its work, for how long, how long that usually takes, and when it is looked at again."""
    operation = node.operation
    since_ms = at_work_since(node)
    said = "Azure works on it"
    if operation:
        percent = "" if operation["percent"] is None else f", {operation['percent']:g} %"
        # Until the first poll there is only the answer's HTTP status, which names no state.
        status = one_line(str(operation["status"]))
        said += "" if status.isdecimal() else f" ({status}{percent})"
    next_look = "" if node.due_ms is None else f"; next look {due(node.due_ms)}"
    return labelled(said, f"elapsed {elapsed(since_ms, now_ms, usual)}{next_look}", "busy")
