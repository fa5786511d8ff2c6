"""One node's story, from its entries: what was sent and what came of it, who said go, who was waited for.

Pure: entries go in, in order, and a JSON document comes out.
"""

from __future__ import annotations

from typing import Any

from runbook.core.clock import duration, iso
from runbook.core.docs import ChangeDoc
from runbook.core.entry import Entry, Kind
from runbook.core.state import NodeState

Json = dict[str, Any]

_STILL_WAITING = (NodeState.WAITING, NodeState.OBSERVING)


class Story:
    """Hears the entries of one node."""

    def __init__(self) -> None:
        self.commands: list[Json] = []
        self.approvals: list[Json] = []
        self.waits: list[Json] = []
        self.attestations: list[Json] = []
        self.troubles: list[Json] = []
        self.started_ms: int | None = None
        self.ended_ms: int | None = None
        self._shown: dict[str, ChangeDoc] = {}
        self._since_ms = self._told_ms = self._until_ms = 0
        self._block: Json = {}

    def hear(self, entry: Entry) -> None:
        """Take up the next entry."""
        d, at = entry.data, iso(entry.at_ms)
        self._follow_wait(entry)
        self._follow_block(entry)
        match entry.kind:
            case Kind.BEGUN:
                self.started_ms = entry.at_ms if self.started_ms is None else self.started_ms
            case Kind.OBSERVED:
                self._observed(entry)
            case Kind.APPROVED:
                said = {"changes": d.get("titles", []), "by": d.get("by", "")}
                self.approvals.append({"entry": entry.seq, "at": at, **said})
            case Kind.ATTESTED:
                word = {name: d.get(name, "") for name in ("text", "by", "evidence", "sha256", "reference", "says")}
                word["dated"] = iso(d["dated_ms"]) if "dated_ms" in d else ""
                self.attestations.append({"entry": entry.seq, "at": at, **word})
            case Kind.INTENDED:
                self._intended(entry)
            case Kind.ANSWERED:
                self._came_of_it("answered", entry)
            case Kind.ACCEPTED:
                self._came_of_it("accepted as an operation", entry)
            case Kind.POLLED if entry.to is not None and self.commands:
                self.commands[-1]["outcome"] = f"operation {d['status']}"
                self.commands[-1]["answered_at"] = at
            case Kind.FAILED | Kind.DEFERRED | Kind.DOUBTED:
                self._trouble(entry)
            case _:
                pass
        self.ended_ms = entry.at_ms if entry.to in (NodeState.DONE, NodeState.SKIPPED) else self.ended_ms

    # ------------------------------------------------------------ commands

    def _observed(self, entry: Entry) -> None:
        d = entry.data
        self._shown.update({c["digest"]: c for c in d.get("changes", ())})
        if "took_effect" in d and self.commands and self.commands[-1]["outcome"] == _LOST:
            effect = "it had taken effect" if d["took_effect"] else "it had not taken effect"
            self.commands[-1]["outcome"] = f"{_LOST}; a fresh look showed that {effect}"

    def _intended(self, entry: Entry) -> None:
        d = entry.data
        change = self._shown.get(d["digest"])
        faces = change["command"] if change else {"az": "", "powershell": "", "rest": f"{d['method']} {d['path']}"}
        self.commands.append(
            {
                "entry": entry.seq,
                "hash": entry.hash,
                "by": self.approvals[-1]["by"] if self.approvals else "",
                "answer_entry": None,
                "answer_hash": "",
                "title": d["title"],
                "method": d["method"],
                "path": d["path"],
                "digest": d["digest"],
                "risk": change["risk"] if change else "",
                "repeat": d["repeat"],
                "az": faces["az"],
                "powershell": faces["powershell"],
                "rest": faces["rest"],
                "by_hand": faces.get("by_hand", ""),
                "sent_at": iso(entry.at_ms),
                "answered_at": None,
                "outcome": "no answer recorded",
                "status": None,
                "correlation_id": "",
            }
        )

    def _came_of_it(self, outcome: str, entry: Entry) -> None:
        d = entry.data
        if self.commands:
            known = {"status": d.get("status"), "correlation_id": d.get("correlation_id", "")}
            known |= {"answer_entry": entry.seq, "answer_hash": entry.hash}
            self.commands[-1].update(outcome=outcome, answered_at=iso(entry.at_ms), **known)

    def _trouble(self, entry: Entry) -> None:
        d, at = entry.data, iso(entry.at_ms)
        error = d["error"]
        self.troubles.append({"at": at, "kind": entry.kind.value, **error})
        if not self.commands or self.commands[-1]["answered_at"] is not None:
            return
        if entry.kind is Kind.DOUBTED:
            self.commands[-1]["outcome"] = _LOST
        elif d.get("refused"):
            again = "refused for now" if entry.kind is Kind.DEFERRED else "refused"
            correlation = error.get("correlation_id", "")
            self.commands[-1].update(outcome=f"{again}: {error['code']}", answered_at=at, correlation_id=correlation)

    # ------------------------------------------------------------ waits

    def _follow_wait(self, entry: Entry) -> None:
        wait = entry.data.get("waiting") if entry.kind is Kind.OBSERVED else None
        if self.waits and self.waits[-1]["until"] is None:
            is_same = wait is None or (wait["who"] == self.waits[-1]["who"] and wait["since_ms"] == self._told_ms)
            if (entry.to is not None and entry.to not in _STILL_WAITING) or not is_same:
                self.end_wait(entry.at_ms)
        if wait is None:
            return
        if not self.waits or self.waits[-1]["until"] is not None:
            # A wait that is taken up again tells its first beginning; what was counted once is not counted again.
            self._told_ms, self._since_ms = wait["since_ms"], max(wait["since_ms"], self._until_ms)
            self.waits.append({"who": wait["who"], "since": iso(self._since_ms), "until": None})
        kept = {name: wait[name] for name in ("message", "then", "draft", "polls")}
        self.waits[-1].update(kept, lasted=duration((entry.at_ms - self._since_ms) / 1000))

    def end_wait(self, at_ms: int) -> None:
        """Close the open wait."""
        self._until_ms = at_ms
        lasted = duration((at_ms - self._since_ms) / 1000)
        self.waits[-1].update(until=iso(at_ms), lasted=lasted)

    def still_waiting(self, now_ms: int) -> None:
        """Say how long an open wait has lasted by now."""
        if self.waits and self.waits[-1]["until"] is None:
            self.waits[-1]["lasted"] = duration((now_ms - self._since_ms) / 1000)

    # ------------------------------------------------------------ rules

    def _follow_block(self, entry: Entry) -> None:
        """A rule that stood in the way and no longer does is told as trouble; one that still does, as the state."""
        if entry.kind not in (Kind.OBSERVED, Kind.SKIPPED):
            return
        block = entry.data.get("blocked") if entry.kind is Kind.OBSERVED else None
        held = self._block
        if held and (block is None or block["rule"] != held["code"]):
            lasted = duration((entry.at_ms - held.pop("since_ms")) / 1000)
            said = f"{held['message'].rstrip('.')}. This stood in the way for {lasted}."
            self.troubles.append({**held, "message": said})
            self._block = held = {}
        if block is not None:
            since = {"at": iso(entry.at_ms), "since_ms": entry.at_ms} if not held else {}
            self._block |= {"kind": "blocked", "code": block["rule"], "message": block["message"], "hint": "", **since}


_LOST = "answer lost"
