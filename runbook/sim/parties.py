"""People and services outside the run who act at simulated times: the approver, the network team, a colleague.

A trigger that is met sets a durable timer; what the party does then goes through the same checks as anybody's call,
and whether it worked is kept in the ``parties`` table.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from runbook.sim.hooks import effect
from runbook.sim.scenario import Action, Party, spoken
from runbook.sim.wire import Call, Json, obj

if TYPE_CHECKING:
    from runbook.sim.cloud import Cloud

ANSWERS: dict[str, str] = {"feature_pending": "feature.answer", "connection_pending": "connection.answer"}
"""Which effect carries out ``approve`` and ``reject`` for an event: called with the event and ``approved``."""


def arrange(cloud: Cloud) -> None:
    """Set the timers of parties that act at a fixed time. Called once, when a cloud is made."""
    start_ms = int((cloud.state.get("cloud", "start") or {"at_ms": cloud.now_ms})["at_ms"])
    for index, party in enumerate(cloud.scenario.parties):
        if party.at is not None:
            at_ms = start_ms + round((party.at + party.after) * 1000)
            cloud.later(at_ms, "party.act", {"party": index, "event": "", "about": {}})


def notice(cloud: Cloud, event: str, about: Json) -> None:
    """Let parties see an event; those whose trigger it meets will act ``after`` their time."""
    for index, party in enumerate(cloud.scenario.parties):
        if party.on != event or not _meets(party, about):
            continue
        row = cloud.state.get("parties", party.id) or {"met": 0, "done": []}
        row["met"] += 1
        cloud.state.put("parties", party.id, row)
        if party.nth in (None, row["met"]) and row["met"] > party.beyond:
            at_ms = cloud.now_ms + round(party.after * 1000)
            cloud.later(at_ms, "party.act", {"party": index, "event": event, "about": about})


def _meets(party: Party, about: Json) -> bool:
    if about.get("caller") == party.who:
        return False  # nobody reacts to their own writes
    return (
        party.feature.lower() in ("", str(about.get("feature", "")).lower())
        and party.subscription.lower() in ("", str(about.get("subscription", "")).lower())
        and party.method in ("", about.get("method", ""))
        and fnmatchcase(str(about.get("path", "")).lower(), party.path.lower())
    )


@effect("party.act")
def _act(cloud: Cloud, args: Json) -> None:
    from runbook.sim.hooks import EFFECTS

    party = cloud.scenario.parties[args["party"]]
    for action in party.actions:
        outcome: str = action.do
        if action.do in ("approve", "reject"):
            about = {**args["about"], "approved": action.do == "approve", "who": party.who}
            EFFECTS[ANSWERS[args["event"]]](cloud, about)
        else:
            words = _words(args["about"])
            said = {"path": spoken(action.path, words), "body": spoken(action.body, words)}
            outcome = _do(cloud, party, action.model_copy(update=said))
        row = cloud.state.get("parties", party.id) or {"met": 0, "done": []}
        row["done"].append({"at_ms": cloud.now_ms, "do": action.do, "outcome": outcome})
        cloud.state.put("parties", party.id, row)


def _words(about: Json) -> dict[str, str]:
    """What an action may name of the event that triggered it."""
    words = {str(word): value for word, value in about.items() if isinstance(value, str)}
    if path := words.get("path", ""):
        parts = path.split("/")
        words |= {"name": parts[-1], "parent": "/".join(parts[:-2]), "subscription": parts[2] if len(parts) > 2 else ""}
        words["group"] = "/".join(parts[:5])
    return words


def _do(cloud: Cloud, party: Party, action: Action) -> str:
    from runbook.sim.cloud import Principal
    from runbook.sim.routes import type_of, versions_of

    if action.do == "set":
        found = cloud.find(action.path)
        if found is None:
            return "absent"
        cloud.save(merged(found, obj(action.body)))
        return "set"
    post = action.do == "post"
    known = versions_of(type_of(action.path.rpartition("/")[0] if post else action.path))
    version = action.api_version or (known[0] if known else "")
    who = Principal(party.who, cloud.guid("party", party.who), "party")
    reply = cloud.answer(Call(action.do.upper(), action.path, {"api-version": version}, {}, action.body), who)
    error = obj(reply.body).get("error") if reply.status >= 400 else None
    return f"{reply.status} {obj(error).get('code', '')}".strip()


def merged(old: Json, new: Json) -> Json:
    """A JSON merge patch (RFC 7396): null removes."""
    result = dict(old)
    for key, value in new.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result
