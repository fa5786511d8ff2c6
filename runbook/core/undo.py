"""What a run made or changed, in the order it did so, and how each of it can be taken back: pure functions.

Only the journal is asked: a change counts when its call took effect, and what stood there before is what the look
before the call said. What that look did not say cannot be taken back, and is told with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from runbook.core.docs import ChangeDoc, DiffDoc
from runbook.core.entry import Entry, Kind
from runbook.core.ids import step_of
from runbook.core.state import NodeState
from runbook.core.view import RunView

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """One change of a run that took effect. ``number`` counts those of its node, from 0."""

    node: str
    number: int
    at_ms: int
    change: ChangeDoc

    @property
    def step(self) -> str:
        return step_of(self.node)


@dataclass(frozen=True, slots=True)
class Takeback:
    """One resource that goes, or that gets values back.

    Attributes:
        how: ``remove`` what the run made, ``restore`` what it changed, or ``remake`` what stood there and goes with
            something else that is removed.
        last: the change after which this is due, in reverse.
        fields: what the run changed here: ``{"path", "before", "after"}``, first before and last after.
        body: what was sent last, without those fields.
    """

    how: Literal["remove", "restore", "remake"]
    last: Effect
    fields: tuple[DiffDoc, ...] = ()
    body: Json = field(default_factory=dict)
    at: str = ""
    """Its resource id, where that is not the one that the change wrote to."""

    @property
    def path(self) -> str:
        return self.at or self.last.change["path"]

    @property
    def api_version(self) -> str:
        return RECORDS if self.how == "remake" else self.last.change["api_version"]


@dataclass(frozen=True, slots=True)
class Stays:
    """Something a run did that cannot be taken back, and why."""

    node: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Undo:
    """A run in reverse. ``takebacks`` are in the order in which the run did what they take back."""

    takebacks: tuple[Takeback, ...]
    stays: tuple[Stays, ...]


RECORDS: Final = "2020-06-01"
"""Of private DNS records. Source: Azure PrivateDns REST 2020-06-01."""

REGISTERED: Final = "A registration stays: others in the subscription may rely on it by now, and it costs nothing."
RESTARTED: Final = "A restart has happened. The command that did it stays listed on the machine and does nothing more."
NOT_SEEN: Final = "What stood there before was not recorded, so nothing can be put back."
REMOVED: Final = "What was removed can only be made anew: run its book again."
REPAIRED: Final = "It made something whole that had failed before; it would only be broken again."
CALLED: Final = "Such a call has no opposite."
ATTESTED: Final = "What people did or agreed outside Azure is theirs to take back: “{}”, said by {}."
ALLOWED: Final = {
    "microsoft": "What Microsoft approved stays approved.",
    "team": "What another team did stays; ask that team, if it must go.",
}

# ---------------------------------------------------------------- what took effect


def effects(entries: Iterable[Entry]) -> list[Effect]:
    """Every change of a run that took effect, in the journal's order; last those of which it is not known.

    Whoever takes them back looks first, and what is not there is gone.
    """
    shown: dict[tuple[str, str], ChangeDoc] = {}
    sent: dict[str, str] = {}  # node → digest of the call whose effect is not settled
    accepted: dict[str, int] = {}  # node → place of the effect whose operation still runs
    counts: dict[str, int] = {}
    found: list[Effect | None] = []

    def count(at_ms: int, node: str) -> None:
        change = shown.get((node, sent.pop(node, "")))
        if change is not None:
            found.append(Effect(node, counts.get(node, 0), at_ms, change))
            counts[node] = counts.get(node, 0) + 1

    last_ms = 0
    for entry in entries:
        node, data, last_ms = entry.node, entry.data, entry.at_ms
        if node is None:
            continue
        match entry.kind:
            case Kind.OBSERVED:
                for change in data.get("changes", ()):
                    shown[node, change["digest"]] = change
                if node in sent and data.get("took_effect"):
                    count(entry.at_ms, node)
                elif node in sent and "took_effect" in data:
                    sent.pop(node)
            case Kind.INTENDED:
                sent[node] = data["digest"]
            case Kind.ANSWERED:
                count(entry.at_ms, node)
            case Kind.ACCEPTED:
                count(entry.at_ms, node)
                accepted[node] = len(found) - 1
            case Kind.POLLED if entry.to is not None:
                accepted.pop(node, None)
            case Kind.DEFERRED if data.get("refused"):
                sent.pop(node, None)
                if node in accepted:  # it ended as "not now": it took no effect after all
                    found[accepted.pop(node)] = None
            case Kind.FAILED if data.get("refused"):
                sent.pop(node, None)
            case _:
                pass
    for node in list(sent):
        count(last_ms, node)
    return [effect for effect in found if effect is not None]


# ---------------------------------------------------------------- how it is taken back


def undo_of(view: RunView, entries: Iterable[Entry]) -> Undo:
    """How a run can be taken back.

    Args:
        view: the run as it stands.
        entries: all of its entries, in order.
    """
    made: dict[str, Effect] = {}
    bodies: dict[str, Json] = {}
    touched: dict[str, dict[str, DiffDoc]] = {}
    last: dict[str, Effect] = {}
    stays: list[Stays] = []
    for effect in effects(entries):
        change, key = effect.change, effect.change["path"].lower()
        if (reason := _irreversible(change)) == REPAIRED and key in made:
            continue  # its own, which is removed whole
        if reason:
            stays.append(Stays(effect.node, change["title"], reason))
        elif key not in touched and key not in made and _creates(change):
            made[key] = effect
            bodies[key] = dict(change["body"] or {})
        elif key in made and change["method"] == "PUT" and _creates(change):
            bodies[key] = dict(change["body"] or {})  # sent again: the first answer was bad
        else:
            before = touched.setdefault(key, {})
            for diff in _fields(change):
                first = before.get(diff["path"], diff)
                before[diff["path"]] = {"path": diff["path"], "before": first["before"], "after": diff["after"]}
            last[key] = effect
            bodies.setdefault(key, dict(change["body"] or {}))
    backs = [
        Takeback("remove", effect, tuple(touched.get(key, {}).values()), bodies[key]) for key, effect in made.items()
    ]
    for key, fields in touched.items():
        changed = tuple(f for f in fields.values() if f["before"] != f["after"])
        if changed:
            backs.append(Takeback("restore", last[key], changed, bodies[key]))
    backs += [back for effect in made.values() for back in _taken_over(effect)]
    stays += _of_people(view)
    place = {effect.node: number for number, effect in enumerate([b.last for b in backs])}
    backs.sort(key=lambda b: (b.last.at_ms, place[b.last.node], b.last.number))
    return Undo(tuple(backs), tuple(dict.fromkeys(stays)))


def _irreversible(change: ChangeDoc) -> str:
    path = change["path"].lower().rstrip("/")
    if change["method"] == "DELETE":
        return REMOVED
    if change["method"] == "POST":
        return REGISTERED if path.endswith("/register") else RESTARTED if path.endswith("/restart") else CALLED
    if "/runcommands/" in path:
        return RESTARTED
    if not change["diff"]:
        return NOT_SEEN
    return REPAIRED if all(d["path"] == "properties.provisioningState" for d in change["diff"]) else ""


def _creates(change: ChangeDoc) -> bool:
    """Whether the look before it saw nothing there: a whole PUT, and no field of it had a value."""
    own = [d for d in change["diff"] if not _is_record(d)]
    if change["method"] != "PUT" or any(d["before"] is not None for d in own):
        return False
    return not _kept_zones(change)


def _is_record(diff: DiffDoc) -> bool:
    """Whether it is about a record that a zone group takes over: ``record gbl in privatelink.…``."""
    return diff["path"].startswith("record ")


def _taken_over(effect: Effect) -> Iterator[Takeback]:
    """Records that stood in a zone before a zone group took them over; they go with the group, and are made again."""
    configs = (effect.change["body"] or {}).get("properties", {}).get("privateDnsZoneConfigs") or []
    zones = [str(c.get("properties", {}).get("privateDnsZoneId", "")) for c in configs]
    for diff in effect.change["diff"]:
        if _is_record(diff):
            _, name, _, zone = diff["path"].split(" ")
            at = next((z for z in zones if z.lower().endswith(f"/{zone.lower()}")), "")
            yield Takeback("remake", effect, (), {"properties": dict(diff["before"])}, f"{at}/A/{name}")


def _fields(change: ChangeDoc) -> Iterator[DiffDoc]:
    """What a change altered in something that stood there, by the place in the resource."""
    if _is_zone_group(change):
        every = (change["body"] or {}).get("properties", {}).get("privateDnsZoneConfigs") or []
        yield {"path": "properties.privateDnsZoneConfigs", "before": _kept_zones(change), "after": every}
        return
    for diff in change["diff"]:
        if diff["path"].startswith("properties."):
            yield diff
        elif isinstance(diff["before"], Mapping) and not _is_record(
            diff
        ):  # named by the resource: all of its properties
            yield {**diff, "path": "properties"}


def _is_zone_group(change: ChangeDoc) -> bool:
    return "/privatednszonegroups/" in change["path"].lower()


def _kept_zones(change: ChangeDoc) -> list[Json]:
    """The zones that a zone group held already when a change added others to it."""
    if not _is_zone_group(change):
        return []
    added = {str(d["after"]).lower() for d in change["diff"]}
    every = (change["body"] or {}).get("properties", {}).get("privateDnsZoneConfigs") or []
    return [c for c in every if str(c.get("properties", {}).get("privateDnsZoneId", "")).lower() not in added]


def _of_people(view: RunView) -> Iterator[Stays]:
    for node in view.nodes.values():
        for word in node.attested:
            if not word.get("accepts"):
                yield Stays(node.id, node.doc["title"], ATTESTED.format(word["text"], word["by"]))
        if node.doc["gate"] in ALLOWED and node.state is NodeState.DONE and not node.attested:
            yield Stays(node.id, node.doc["title"], ALLOWED[node.doc["gate"]])
