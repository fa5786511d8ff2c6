"""What another team is given: one document with what to do, why, the commands, and what will be looked at afterwards.

Pure: nodes go in, text comes out, without secrets. Text from outside can neither end a code block nor begin a heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from runbook.core.clock import iso
from runbook.core.docs import ChangeDoc, CheckDoc
from runbook.core.error import UsageError
from runbook.core.redact import plain, redact
from runbook.core.rights import action_of
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.report.bicep import BicepFile, bicep_files, is_bicep

Form = Literal["md", "az", "powershell", "bicep"]
FORMS: Final[tuple[Form, ...]] = ("md", "az", "powershell", "bicep")


def can_be_handed(node: NodeView) -> bool:
    """Whether a node can be handed over as it stands; ``engine.decide`` has the last word."""
    if node.state is NodeState.WAITING:
        return node.handed is not None
    return node.state in (NodeState.READY, NodeState.BLOCKED, NodeState.FAILED) and node.attempts > 0


def handed_over(view: RunView) -> list[NodeView]:
    """The nodes that others have to do now."""
    return [n for n in view.nodes.values() if n.state is NodeState.WAITING and n.handed]


def handover(view: RunView, nodes: Sequence[NodeView], form: Form = "md", to: str = "") -> str:
    """The document for these nodes, or its commands alone.

    Args:
        view: the run they are of.
        nodes: in the order in which they are to be done.
        form: ``md`` is the whole document.
        to: who does it, where the nodes do not say it yet.

    Raises:
        UsageError: there is nothing that this form could hold.
    """
    changes: list[ChangeDoc] = [redact(c) for node in nodes for c in node.changes]
    match form:
        case "md":
            return plain(_markdown(view, nodes, to))
        case "bicep":
            files = bicep_files(changes, _stem(nodes))
            if not files:
                raise UsageError("Nothing of this has a Bicep form.", "Bicep declares resources; --format md has all.")
            if any(map(_is_in_between, nodes)):
                raise UsageError(
                    "Bicep cannot keep the order here: a command that is no resource comes before one.",
                    "--format md has all of it, in order.",
                )
            text = _bicep_text(files, [c for c in changes if not is_bicep(c)])
            return plain("\n".join([*_about(view, changes, to, "//"), *text]))
        case _:
            if not changes:
                raise UsageError("There is no command to hand over here.", "--format md says what is to be done.")
            lines = [*_STOPS[form], *_about(view, changes, to, "#"), ""]
            for change in changes:
                lines += [f"# {_line(change['title'])}", *["# DISRUPTIVE"] * (change["risk"] == "disruptive")]
                lines += [change["command"][form], ""]
            return plain("\n".join(lines))


_STOPS: Final[dict[str, Sequence[str]]] = {"az": ["#!/bin/sh -e"], "powershell": ["$ErrorActionPreference = 'Stop'"]}
"""So that nothing goes on after an error; a line that a shell into which all is pasted takes for a remark."""


def _about(view: RunView, changes: Sequence[ChangeDoc], to: str, sign: str) -> list[str]:
    """What a script says on top, for whoever comes by it without the document."""
    when = iso(view.updated_ms)[:16].replace("T", " ")
    names = view.pinned.get("subscriptions", {})
    told = [
        f"Run {_line(view.id)}, as of {when} UTC{f', for {_line(to)}' if to else ''}. "
        "Read the document (--format md) first: it says why, and what may go wrong.",
        *(f"Subscription {_line(name)} {_line(id_)}" for id_, name in names.items()),
    ]
    if view.mode == "rehearsal":
        told.insert(0, "REHEARSAL on a simulated Azure: nothing has to be done out there.")
    if any(change["risk"] == "disruptive" for change in changes):
        told.append("DISRUPTIVE: people or machines may notice. Choose the time for it.")
    if len(changes) > 1:
        told.append(
            "Do it step by step, in this order, and look at each result: not every step waits for the one before."
        )
    return [f"{sign} {line}" for line in told]


def _is_in_between(node: NodeView) -> bool:
    """Whether something that Bicep cannot say has to happen before something that it could."""
    kinds = [is_bicep(change) for change in node.changes]
    return any(kinds) and not all(kinds[: len(kinds) - kinds[::-1].index(True)])


def _bicep_text(files: Sequence[BicepFile], rest: Iterable[ChangeDoc]) -> list[str]:
    lines = [f"// Not in here, since Bicep cannot say it: {_line(c['title'])} ({c['method']})" for c in rest]
    for file in files:
        told = [f"// ---- file {file.name}"] if len(files) > 1 else []
        lines += [*told, f"// {file.command}", file.text]
    return lines


def _markdown(view: RunView, nodes: Sequence[NodeView], to: str) -> str:
    teams = list(dict.fromkeys(n.handed["to"] for n in nodes if n.handed)) or ([to] if to else [])
    account = view.pinned.get("account", "")
    subscriptions = view.pinned.get("subscriptions", {})
    lines = [
        f"# For {_one(', '.join(teams) or 'another team')}: {_one(view.book.get('title', ''))}",
        "",
        f"{len(nodes)} thing{'s' * (len(nodes) != 1)} to do, from run `{_one(view.id)}`, as of "
        f"{iso(view.updated_ms)[:16].replace('T', ' ')} UTC. Asked for by {_one(account) or 'its operator'}.",
        "",
    ]
    if view.mode == "rehearsal":
        lines += ["**This is a rehearsal on a simulated Azure: nothing has to be done out there.**", ""]
    lines += [f"- Cloud {_one(view.cloud)}, tenant `{_one(view.pinned.get('tenant', ''))}`"]
    lines += [f"- Subscription {_one(name)} `{_one(id_)}`" for id_, name in subscriptions.items()]
    lines += [
        "",
        "Do it in the order given. Each command makes exactly one change and is given in several forms: one of them is "
        "enough. Any other way to the same end will do as well, the portal too: what counts is how it looks "
        "afterwards. Nothing here asks for a password or a key.",
        "",
    ]
    for number, node in enumerate(nodes, 1):
        lines += _node(view, node, number)
    lines += [
        "## How to tell us",
        "",
        "Nothing has to be sent back where it can be read: the run looks by itself and goes on when it finds what is "
        "listed under “What will be looked at”. A short answer helps all the same: what was done, when, by whom, and "
        "the number of your ticket. If something cannot be done as it stands here, say so before doing it otherwise.",
        "",
    ]
    return "\n".join(lines)


def _node(view: RunView, node: NodeView, number: int) -> list[str]:
    guide = next((s.get("guide") for s in view.book.get("steps", ()) if s["id"] == node.doc["step"]), None)
    guide = guide if isinstance(guide, dict) else {}
    changes: list[ChangeDoc] = [redact(c) for c in node.changes]
    lines = [f"## {number}. {_one(node.doc['title'])}", ""]
    if node.doc["target"]:
        lines += [f"At `{_code(node.doc['target'])}`", ""]
    if node.handed and node.handed["note"]:
        lines += [f"> {_one(node.handed['note'])}", ""]
    for title, key in (("Why", "why"), ("What happens", "what"), ("What can go wrong", "risk")):
        if guide.get(key):
            lines += [f"**{title}.** {_one(guide[key])}", ""]
    if why := _in_the_way(node):
        lines += [f"**What stands in the way.** {_one(why)}", ""]
    for place, change in enumerate(changes, 1):
        lines += _change(change, f"{number}.{place}")
    if not changes and node.blocked:
        lines += ["### Ways out", "", *(f"- {_one(way)}" for way in node.blocked["ways_out"]), ""]
    if not _is_in_between(node) and (files := bicep_files(changes, _stem([node]))):
        lines += _bicep(files, [c for c in changes if not is_bicep(c)])
    return lines + _checks(node.checks, changes)


def _in_the_way(node: NodeView) -> str:
    if node.handed:
        return node.handed["why"]
    if node.blocked:
        return f"{node.blocked['rule']}: {node.blocked['message']}"
    return f"{node.error['code']}: {node.error['message']}" if node.error else ""


def _change(change: ChangeDoc, number: str) -> list[str]:
    command = change["command"]
    action = action_of(change["method"], change["path"])
    lines = [f"### {number} {_one(change['title'])}", ""]
    if change["risk"] == "disruptive":
        lines += ["**Disruptive: people or machines may notice.** Choose the time for it.", ""]
    if action:
        lines += [f"Right needed: `{_code(action)}`", ""]
    for name, language, text in (
        ("Azure CLI", "sh", command["az"]),
        ("Azure PowerShell", "powershell", command["powershell"]),
        ("REST", "http", command["rest"]),
        ("By hand", "text", command.get("by_hand", "")),
    ):
        if text:
            lines += [f"{name}:", "", *_fenced(text, language), ""]
    if diff := [d for d in change["diff"] if d["path"]]:  # what is new as a whole stands in the request
        lines += ["| field | now | then |", "|---|---|---|"]
        lines += [f"| {_cell(d['path'])} | {_cell(d['before'])} | {_cell(d['after'])} |" for d in diff]
        lines += [""]
    return lines


def _bicep(files: Sequence[BicepFile], rest: Sequence[ChangeDoc]) -> list[str]:
    lines = ["### The same as Bicep", ""]
    if rest:
        lines += [f"Without {_one('; '.join(c['title'] for c in rest))}: Bicep cannot say that.", ""]
    lines += [
        "Written from the requests above and not tried with a Bicep compiler; `what-if` shows what it would do.",
        "",
    ]
    for file in files:
        lines += [f"`{_code(file.name)}`:", "", *_fenced(file.text.rstrip(), "bicep"), ""]
        lines += [*_fenced(file.command, "sh"), ""]
    return lines


def _checks(checks: Sequence[CheckDoc], changes: Sequence[ChangeDoc]) -> list[str]:
    lines = ["### What will be looked at", ""]
    if checks:
        lines += ["| what | should be | is now |", "|---|---|---|"]
        lines += [f"| {_cell(c['name'])} | {_cell(c['expected'])} | {_cell(c['observed'])} |" for c in checks]
    else:
        told = [f"`{_code(c['path'])}` is as its request above says" for c in changes]
        lines += [f"- {text}" for text in told] or ["- Whether the step finds anything left to do."]
    return [*lines, ""]


# ---------------------------------------------------------------- text


def _stem(nodes: Sequence[NodeView]) -> str:
    """A file's name, of what it is about."""
    name = nodes[0].doc["step"] if len(nodes) == 1 else "handover"
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "handover"


def _line(value: Any) -> str:
    return " ".join(str(value).split())


def _one(value: Any) -> str:
    """One line of text that is no markup."""
    return re.sub(r"([\\`*_<>\[\]|#])", r"\\\1", _line(value))


def _code(value: Any) -> str:
    return _line(value).replace("`", "'")


def _cell(value: Any) -> str:
    import json

    return _one(value if isinstance(value, str) else "(nothing)" if value is None else json.dumps(value))


def _fenced(text: str, language: str) -> list[str]:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text, fence]
