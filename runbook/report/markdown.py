"""The report document as Markdown that reads well as plain text too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from runbook.core.ids import step_of
from runbook.core.state import GLYPHS, NodeState

Json = dict[str, Any]

LONG: Final = 40
"""A table with more rows than this is folded, and summed up where that says something."""

REHEARSED: Final = (
    "This was a rehearsal against a simulated Azure. Nothing in it happened in a real subscription, and its times are "
    "simulated."
)
DROVE: Final = (
    "An approval names who gave it; skips, and approvals of journals that do not name anybody, were given by whoever "
    "drove. Times are those of the machine, also in a rehearsal."
)
CHAINED: Final = "Each entry of the journal is bound to the one before it by a hash; the head stands for all of them."


def markdown(doc: Json) -> str:
    """The report, ending in a line feed."""
    parts = (_head, _attention, _map, _names, _changes, _waits, _words, _skipped, _inputs, _phases, _notes, _drivers)
    return "\n".join(line for part in parts for line in part(doc)) + "\n"


def _head(doc: Json) -> Iterator[str]:
    run, journal = doc["run"], doc["journal"]
    yield f"# Report of run {_text(run['id'])}"
    yield ""
    yield f"{_text(run['book']['title'])} (book {_text(run['book']['id'])}, version {run['book']['version']})"
    yield ""
    if run["mode"] == "rehearsal":
        yield f"**{REHEARSED}**"
        yield ""
    totals = ", ".join(f"{count} {state}" for state, count in doc["totals"].items())
    rows = [
        ("State", f"{run['state']} ({totals})"),
        ("Aborted", run["aborted"] or ""),
        ("Mode", run["mode"]),
        ("Scenario", run["scenario"]),
        ("Edition asked for", run["edition"]),
        ("In short", in_short(doc["counts"])),
        ("From", moment(run["created_at"])),
        ("To", f"{moment(run['updated_at'])} ({run['took']})"),
        ("Cloud", run["cloud"]),
        ("Tenant", run["tenant"]),
        ("Account", run["account"]),
        *(("Subscription", f"{s['id']} {s['name']}".strip()) for s in run["subscriptions"]),
        ("Journal", f"{journal['entries']} entries, head {journal['head']}"),
        ("Journal check", "the chain holds" if journal["holds"] else "DAMAGED: " + "; ".join(journal["faults"])),
        ("Signature", signed(doc)),
    ]
    yield from _table(("", ""), [row for row in rows if row[1]])
    yield ""
    yield CHAINED


def in_short(counts: Json) -> str:
    """The counts as a sentence."""
    disruptive = f", {counts['disruptive']} of them disruptive" if counts["disruptive"] else ""
    checks = (
        f"all {counts['checks']}"
        if counts["checks_ok"] == counts["checks"]
        else (f"{counts['checks_ok']} of {counts['checks']}")
    )
    sent = "1 change was" if counts["changes"] == 1 else f"{counts['changes']} changes were"
    return f"{sent} sent{disruptive}; {checks} checks of the last looks are ok."


def _inputs(doc: Json) -> Iterator[str]:
    yield from ("", "## Inputs", "")
    yield from _table(("Input", "Value"), [(name, value_words(value)) for name, value in doc["run"]["inputs"].items()])


def _attention(doc: Json) -> Iterator[str]:
    yield from ("", "## What is left", "")
    if not doc["attention"]:
        yield "Nothing: every node is done, or was not needed here."
    for item in gathered(doc):
        yield f"- {_mark(item['state'])} {_text(item['title'])} (`{_code(item['node'])}`): {_text(item['text'])}"


def signed(doc: Json) -> str:
    """By which key the JSON form of this report is signed; empty where it is not."""
    return f"the JSON form of this report is signed by {doc['signature']['fingerprint']}" if "signature" in doc else ""


def _map(doc: Json) -> Iterator[str]:
    if doc["map"]:
        text = "\n".join(doc["map"])
        yield from ("", "## Map", "", _fence(text), text, _fence(text))


def _names(doc: Json) -> Iterator[str]:
    if not doc["names"]:
        return
    yield from ("", "## Private names", "")
    rows = [(n["name"], n["address"], n["zone"], n["endpoint"].rpartition("/")[2]) for n in doc["names"]]
    table = _table(("Name", "Address it must have", "Zone", "Endpoint"), rows)
    yield from table if len(rows) <= LONG else _folded(f"{len(rows)} names", ("", *table))


def _skipped(doc: Json) -> Iterator[str]:
    if not doc["skipped"]:
        return
    yield from ("", "## What was left out, and why", "")
    table = _table(("Node", "Why"), [(s["title"], s["words"]) for s in doc["skipped"]])
    yield from table if len(doc["skipped"]) <= LONG else _folded(f"{len(doc['skipped'])} nodes", ("", *table))


def _waits(doc: Json) -> Iterator[str]:
    if not doc["waits"]:
        return
    yield from ("", "## Waits", "")
    rows = [
        (w["title"], w["who"], moment(w["since"]), moment(w["until"]) if w["until"] else "not ended", w["lasted"])
        for w in doc["waits"]
    ]
    table = _table(("Node", "Waited for", "Since", "Until", "Lasted"), rows)
    yield from table if len(rows) <= LONG else _folded(f"{len(rows)} waits", ("", *table))


def _changes(doc: Json) -> Iterator[str]:
    yield from ("", "## What was changed", "")
    if not doc["changes"]:
        yield "Nothing: no change was sent."
        return
    rows = [
        (
            str(number),
            moment(c["sent_at"]),
            c["by"],
            named(c),
            c["risk"],
            c["outcome"] + (f" (HTTP {c['status']})" if c["status"] else ""),
            str(c["entry"]),
            f"{c['answer_entry']}: {c['answer_hash'][:16]}" if c["answer_hash"] else "",
        )
        for number, c in enumerate(doc["changes"], 1)
    ]
    table = _table(("No.", "Sent", "Go given by", "Change", "Risk", "What came of it", "Entry", "Answer"), rows)
    if len(rows) > LONG:
        heads = ("Step", "Changes", "Disruptive", "What came of them")
        yield from _table(
            heads, [(c["title"], str(c["changes"]), str(c["disruptive"]), c["outcomes"]) for c in sums(doc)]
        )
        yield from _folded(f"Each of the {len(rows)} changes", ("", *table))
    else:
        yield from table
    yield from (
        "",
        "Each command stands in full with its node below; the entry is its number in the journal, the answer that of "
        "its answer with the beginning of its hash.",
    )


def _words(doc: Json) -> Iterator[str]:
    if not doc["attestations"]:
        return
    yield from ("", "## What people vouched for", "")
    rows = [
        (
            moment(a["at"]),
            a["node_title"],
            a["by"],
            a["text"],
            "; ".join(backing(a)) or "(none)",
        )
        for a in doc["attestations"]
    ]
    yield from _table(("When", "Node", "Who", "In their words", "Evidence"), rows)


def _phases(doc: Json) -> Iterator[str]:
    for phase in doc["phases"]:
        yield from ("", f"## {_text(phase['title'])}")
        nodes = {node["id"]: node for node in phase["nodes"]}
        for step in phase["steps"]:
            yield from _step(step, [nodes[id_] for id_ in step["nodes"]], doc["many"])


def _step(step: Json, nodes: list[Json], many: int) -> Iterator[str]:
    """A step's nodes; many of them as a table, each in full behind a fold."""
    if len(nodes) <= many:
        for node in nodes:
            yield ""
            yield from _node(node)
        return
    yield from ("", f"### {_text(step['title'])}: {step['standing']}", "")
    yield from _table(("State", "Node", "Title", "Ended", "Changes", "Checks"), [in_row(node) for node in nodes])
    yield from _folded(f"Each of the {len(nodes)} nodes in full", (line for n in nodes for line in ("", *_node(n, 4))))


def _folded(summary: str, lines: Iterable[str]) -> Iterator[str]:
    yield from ("", "<details>", f"<summary>{_text(summary)}</summary>")
    yield from lines
    yield from ("", "</details>")


def in_row(node: Json) -> tuple[str, ...]:
    """A node in a line of a table: state, id, title, when it ended, changes sent, checks that are ok."""
    ok = sum(c["ok"] and not c.get("later") for c in node["checks"])
    checks = f"{ok} of {len(node['checks'])} ok" if node["checks"] else ""
    ended = moment(node["ended_at"]) if node["ended_at"] else ""
    return (_sign(node["state"]), node["id"], node["title"], ended, str(len(node["commands"]) or ""), checks)


def _node(node: Json, level: int = 3) -> Iterator[str]:
    yield f"{'#' * level} {_mark(node['state'])} {_text(node['title'])}"
    yield ""
    facts = [f"Node `{_code(node['id'])}`", f"target {_text(node['target'])}" if node["target"] else ""]
    if node["started_at"]:
        facts.append(f"first look {moment(node['started_at'])}")
    if node["ended_at"]:
        facts.append(f"ended {moment(node['ended_at'])}" + (f" after {node['took']}" if node["took"] else ""))
    yield ", ".join(f for f in facts if f) + "."
    if node["summary"]:
        yield from ("", _text(node["summary"]))
    if node["skipped"]:
        yield from ("", _text(node["skipped"]["words"]))
    if node["blocked"]:
        yield from ("", f"Blocked by the rule {_text(node['blocked']['rule'])}: {_text(node['blocked']['message'])}")
        yield from (f"- {_text(way)}" for way in node["blocked"]["ways_out"])
    if node["checks"]:
        yield ""
        rows = [
            ("later" if c.get("later") else "ok" if c["ok"] else "NOT MET", c["name"], c["expected"], c["observed"])
            for c in node["checks"]
        ]
        yield from _table(("Result", "Check", "Expected", "Observed"), rows)
    yield from _decisions(node)
    for command in node["commands"]:
        yield ""
        yield f"**{_text(command['title'])}**: sent {moment(command['sent_at'])}, {_text(came_of_it(command))}."
        if command["correlation_id"]:
            yield f"Correlation id `{_code(command['correlation_id'])}`."
        yield from _faces(command)
    for change in node["not_sent"]:
        yield from ("", f"**Not made: {_text(change['title'])}** ({change['risk']}).")
        yield from _faces(change)
    for trouble in node["troubles"]:
        yield from (
            "",
            f"{moment(trouble['at'])} {trouble['kind']}: {_text(trouble['code'])}: {_text(trouble['message'])}",
        )
    if node["source"]:
        yield from ("", f"Source: {_text(node['source'])}")


def _decisions(node: Json) -> Iterator[str]:
    said = [
        *(line for a in node["approvals"] for line in _approved(a)),
        *(_attested(a) for a in node["attestations"]),
        *(f"Waited for {_text(w['who'])}: {_text(waited(w))}" for w in node["waits"]),
    ]
    if said:
        yield ""
    for line in said:
        yield line if line.startswith("  - ") else f"- {line}"
    for draft in drafts(node):
        fence = _fence(draft)
        yield from ("", "Text to hand over:", "", fence, draft, fence)


def _approved(approval: Json) -> list[str]:
    """A line, and below it the calls where there were several."""
    calls = approval["changes"]
    if len(calls) == 1:
        return [f"{_text(approved(approval))}: {_text(calls[0])}"]
    return [f"{_text(approved(approval))}: {len(calls)} calls", *(f"  - {_text(call)}" for call in calls)]


def gathered(doc: Json) -> list[Json]:
    """What is left, with those of one step that stand alike told together where they are many."""
    titles = _titles(doc)
    alike: dict[tuple[str, str], list[Json]] = {}
    for item in doc["attention"]:
        alike.setdefault((step_of(item["node"]), item["state"]), []).append(item)
    found: list[Json] = []
    for (step, _), items in alike.items():
        if len(items) <= doc["many"]:
            found += items
            continue
        text = f"{len(items)} nodes, listed below. The first, {items[0]['title']}: {items[0]['text']}"
        found.append({**items[0], "node": f"{step}[*]", "title": titles.get(step, step), "text": text})
    return found


def _titles(doc: Json) -> dict[str, str]:
    """Each step's title; where two have the same one, with their ids."""
    titles = {step["id"]: step["title"] for phase in doc["phases"] for step in phase["steps"]}
    often = Counter(titles.values())
    return {step: title if often[title] == 1 else f"{title} ({step})" for step, title in titles.items()}


def sums(doc: Json) -> list[Json]:
    """What was changed, step by step: how many changes, how many of them disruptive, and what came of them."""
    titles = _titles(doc)
    by_step: dict[str, list[Json]] = {}
    for change in doc["changes"]:
        by_step.setdefault(step_of(change["node"]), []).append(change)
    return [
        {
            "title": titles.get(step, step),
            "changes": len(changes),
            "disruptive": sum(c["risk"] == "disruptive" for c in changes),
            "outcomes": ", ".join(f"{n} × {outcome}" for outcome, n in Counter(c["outcome"] for c in changes).items()),
        }
        for step, changes in by_step.items()
    ]


def named(change: Json) -> str:
    """What a change is called in a list: the node's title, where that says the same and more."""
    says_more = change["title"] in change["node_title"]
    return str(change["node_title"] if says_more else change["title"])


def approved(approval: Json) -> str:
    """``Approved 2026-11-20T08:00:00Z by ana``."""
    by = f" by {approval['by']}" if approval["by"] else ""
    return f"Approved {moment(approval['at'])}{by}"


def came_of_it(command: Json) -> str:
    """What came of a command, and when."""
    status = f" with HTTP {command['status']}" if command["status"] else ""
    at = f" {moment(command['answered_at'])}" if command["answered_at"] else ""
    return f"{command['outcome']}{status}{at}"


def waited(wait: Json) -> str:
    """How long a wait lasted, from when to when."""
    until = f"until {moment(wait['until'])}" if wait["until"] else "not ended"
    return f"{wait['lasted']}, since {moment(wait['since'])}, {until}"


def drafts(node: Json) -> list[str]:
    """The texts that a node drafted for others, each once."""
    return list(dict.fromkeys(w["draft"] for w in node["waits"] if w["draft"]))


def _attested(word: Json) -> str:
    more = f" ({_text('; '.join(backing(word, is_whole=False)))})" if backing(word, is_whole=False) else ""
    evidence = f" Evidence {_text(word['evidence'])}, SHA-256 `{_code(word['sha256'])}`." if word["evidence"] else ""
    return f"Attested {moment(word['at'])} by {_text(word['by'])}: “{_text(word['text'])}”{more}{evidence}"


def backing(word: Json, *, is_whole: bool = True) -> list[str]:
    """What stands behind a word: what it says, its reference, its date and, of ``is_whole``, the evidence."""
    told = [f"says {word['says']}"] if word["says"] else []
    told += [f"reference {word['reference']}"] if word["reference"] else []
    told += [f"dated {moment(word['dated'])}"] if word["dated"] else []
    return [*told, f"{word['evidence']}, SHA-256 {word['sha256']}"] if is_whole and word["evidence"] else told


def _faces(command: Json) -> Iterator[str]:
    for face, language in (("az", "sh"), ("powershell", "powershell"), ("rest", "http"), ("by_hand", "")):
        if command.get(face):
            fence = _fence(command[face])
            if face == "by_hand":
                yield from ("", "By hand, for reading:")
            yield from ("", f"{fence}{language}", command[face], fence)


def _notes(doc: Json) -> Iterator[str]:
    if doc["notes"]:
        yield from ("", "## Remarks on the run", "")
        yield from (f"- {moment(note['at'])} {_text(note['text'])}" for note in doc["notes"])


def _drivers(doc: Json) -> Iterator[str]:
    yield from ("", "## Who drove", "", DROVE, "")
    rows = [
        (str(d["epoch"]), d["account"], d["host"], str(d["pid"]), moment(d["since"]), d["reason"] or "(start)")
        for d in doc["drivers"]
    ]
    yield from _table(("Epoch", "Account", "Host", "Process", "Since", "Why"), rows)


# ---------------------------------------------------------------- safe text


def _mark(state: str) -> str:
    return f"{_text(_sign(state))}:"


def _sign(state: str) -> str:
    return f"{GLYPHS[NodeState(state)]} {state}"


_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>|#])")


def _text(text: object) -> str:
    """On one line, with nothing that Markdown or HTML would read as a sign."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _code(text: object) -> str:
    """What may stand between backticks."""
    return " ".join(str(text).split()).replace("`", "'")


def _fence(text: str) -> str:
    """A fence longer than any run of backticks inside."""
    return "`" * max(3, max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)


def value_words(value: Any) -> str:
    """An input's value for people."""
    if isinstance(value, list):
        return ", ".join(map(value_words, value)) or "(none)"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {value_words(member)}" for name, member in value.items()) or "(none)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "(none)" if value in (None, "") else str(value)


def moment(text: str) -> str:
    """A time of the document to the second."""
    return f"{text[:19]}Z"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * len(heads)
    for row in rows:
        yield "| " + " | ".join(_text(cell) for cell in row) + " |"
