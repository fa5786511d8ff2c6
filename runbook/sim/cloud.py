"""One simulated Azure: a call goes in, a reply comes out, and what it changed is durable before the reply is.

Everything a cloud knows lies in its ``State``; a ``Cloud`` object is only the present turn. There is no wall clock
and no randomness: time comes from the injected clock (and from timers that fall due), ids from ``guid``.

For provider authors:

- read and write resources with ``find``, ``need``, ``save``, ``drop``, ``resources``; they are ARM bodies keyed by id
  without regard to letter case. Keep anything a client must not see in a table of your own through ``cloud.state``.
- refuse with ``raise ArmFault(...)`` (``wire.py``); what your handler wrote so far is undone.
- what ends later is an operation (``operations.begin``) or a bare timer (``cloud.later``), both by effect name
  (``hooks.effect``).
- tell others with ``cloud.emit`` and listen with ``hooks.on``.
- lists go through ``cloud.listing``; ETags through ``cloud.new_etag`` and ``wire.check_match``.
- ask for what you need by type and place (``resources``) or by what it refers to (``referring``), so that an answer
  costs what it holds and not what the estate holds; another question that is asked often gets a ``hooks.index``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from runbook.core.clock import Clock
from runbook.core.error import UsageError
from runbook.sim.hooks import EFFECTS, INDICES, LISTENERS, index
from runbook.sim.routes import Place
from runbook.sim.scenario import Grant, Scenario, from_doc
from runbook.sim.state import CloudLost, Docs, State
from runbook.sim.wire import ArmFault, Call, Json, Reply, parent_not_found, resource_not_found

__all__ = ["ArmFault", "Call", "Cloud", "CloudLost", "Place", "Principal", "Reply", "Turn", "scenario_of"]


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. ``kind`` is ``operator``, ``party`` (someone outside) or ``platform`` (Azure itself)."""

    name: str
    object_id: str
    kind: str
    grants: tuple[Grant, ...] = (Grant(),)


PLATFORM = Principal("Azure", "", "platform")

ENDPOINTS = {
    "AzureCloud": "https://management.azure.com",
    "AzureUSGovernment": "https://management.usgovcloudapi.net",
    "AzureChinaCloud": "https://management.chinacloudapi.cn",
}
"""Where ARM lives in each cloud."""


@dataclass(slots=True)
class Turn:
    """The call being answered: whose it is and what a fault script wants of it.

    ``slow_s`` and ``fail`` bend the next operation that is begun; ``operation`` is its id once it was.
    """

    caller: Principal
    correlation: str
    action: str = ""
    subject: str = ""
    slow_s: float = 0
    fail: Json | None = None
    operation: str = ""
    keep: bool = False
    """Whether what was written so far stays although the call is refused."""
    headers: dict[str, str] = field(default_factory=dict)
    """More headers for the answer."""


class Cloud:
    """A simulated Azure.

    Args:
        scenario: what it starts from; a state that was started before goes on with the scenario it holds.
        clock: where time comes from. Time never runs back: it is at least the state's latest.
        state: an empty one is filled from the scenario.
    """

    def __init__(self, scenario: Scenario, clock: Clock, state: State) -> None:
        import_module("runbook.sim.providers")  # registers routes and effects; late, as they know this module
        for (table, name), finder in INDICES.items():
            state.index(table, name, finder)
        stored = scenario_of(state)
        if stored is not None and stored.id != scenario.id:
            raise UsageError(f"This simulated cloud was started from {stored.id!r}, not from {scenario.id!r}.")
        self.scenario = stored or scenario
        self.clock = clock
        self.state = state
        self.endpoint = self.scenario.endpoint or ENDPOINTS[self.scenario.cloud]
        """Base of the URLs handed out, without a trailing slash."""
        self.turn = Turn(PLATFORM, "")
        self.is_seeding = False
        """True while the state is filled from the scenario: parties see nothing then."""
        self._now_ms = max(state.latest_ms, clock.now_ms())
        if stored is None:
            from runbook.sim.seeding import seed

            seed(self)
            state.commit(self._now_ms)

    # ------------------------------------------------------------ answering

    @property
    def now_ms(self) -> int:
        """The cloud's time, UTC milliseconds: the timer's own inside an effect."""
        return self._now_ms

    def handle(self, call: Call, caller: Principal | None = None) -> Reply:
        """Answer one call. What took effect is durable when this returns.

        ``caller`` is the scenario's operator unless said.

        Raises:
            CloudLost: another process took the cloud's file over.
            Unwritable: the cloud's file cannot be written.
        """
        try:
            self.catch_up()
            reply = self.answer(call, caller or self.operator)
            self.state.commit(self._now_ms)
        except BaseException:
            self.state.rollback()  # half an effect must not ride along with the next call's commit
            raise
        return reply

    @property
    def operator(self) -> Principal:
        """Who is signed in, by the scenario."""
        who = self.scenario.operator
        return Principal(who.name, who.object_id, "operator", tuple(who.permissions))

    def answer(self, call: Call, who: Principal) -> Reply:
        """Answer without catching up and committing: for calls that parties and seeding make inside a turn."""
        from runbook.sim.pipeline import answer

        outer, self.turn = self.turn, Turn(who, "")
        try:
            return answer(self, call)
        finally:
            self.turn = outer

    # ------------------------------------------------------------ time

    def later(self, at_ms: int, do: str, args: Mapping[str, Any]) -> None:
        """Set a durable timer.

        Args:
            at_ms: when, UTC milliseconds; a moment that has passed falls due at the next call.
            do: the name of a registered effect, called as ``effect(cloud, args)`` with ``cloud.now_ms == at_ms``.
            args: JSON.
        """
        if do not in EFFECTS:
            raise ValueError(f"no effect is called {do!r}")
        number = self.state.next_number("timer")
        self.state.put("timers", f"{max(at_ms, 0):015d}.{number:09d}", {"do": do, "args": dict(args)})

    def catch_up(self, until_ms: int | None = None) -> None:
        """Let every timer that is due by now (or by ``until_ms``) happen, in order of time, then of setting."""
        goal = max(self._now_ms, self.clock.now_ms() if until_ms is None else until_ms)
        while (key := self.state.first_key("timers")) is not None and (at_ms := int(key.split(".")[0])) <= goal:
            timer = self.state.get("timers", key) or {}
            self.state.delete("timers", key)
            self._now_ms = max(self._now_ms, at_ms)
            outer, self.turn = self.turn, Turn(PLATFORM, "")
            try:
                EFFECTS[timer["do"]](self, timer["args"])
            finally:
                self.turn = outer
        self._now_ms = goal

    def set_time(self, at_ms: int) -> None:
        """Put the cloud's time somewhere else. Only seeding may: it makes the past before it begins the present."""
        self._now_ms = at_ms

    @property
    def next_timer_ms(self) -> int | None:
        """When the next timer falls due, UTC milliseconds, or None."""
        key = self.state.first_key("timers")
        return None if key is None else int(key.split(".")[0])

    def takes_ms(self, what: str) -> int:
        """How long an operation takes by the scenario, in milliseconds; ``what`` as in ``scenario.DURATIONS``."""
        return round(self.scenario.takes_s(what) * 1000)

    def emit(self, event: str, about: Mapping[str, Any]) -> None:
        """Tell listeners and outside parties that something happened."""
        from runbook.sim.parties import notice

        for listener in LISTENERS.get(event, ()):
            listener(self, dict(about))
        if not self.is_seeding:
            notice(self, event, dict(about))

    # ------------------------------------------------------------ ids

    def guid(self, *parts: object) -> str:
        """A GUID that depends on the scenario's seed and the parts alone; texts count without letter case."""
        seed = self.scenario.seed or self.scenario.id
        text = json.dumps([seed, *(str(p).lower() for p in parts)])
        return str(uuid.UUID(bytes=sha256(text.encode()).digest()[:16], version=4))

    def resource_guid(self, resource_id: str, *what: object) -> str:
        """A GUID that belongs to this resource until it is deleted; one made anew under the same id gets another."""
        return self.guid(resource_id, self._generation(resource_id), *what)

    def new_etag(self, resource_id: str) -> str:
        """The next ETag of a resource, a weak one: ``W/"…"``. Put it into the body as ``etag`` before ``save``."""
        key = resource_id.lower()
        row = self.state.get("generations", key) or {"n": 0, "revision": 0}
        row["revision"] = int(row.get("revision", 0)) + 1
        self.state.put("generations", key, row)
        return f'W/"{self.guid("etag", key, row["n"], row["revision"])}"'

    def _generation(self, resource_id: str) -> int:
        return int((self.state.get("generations", resource_id.lower()) or {"n": 0})["n"])

    # ------------------------------------------------------------ resources

    def find(self, resource_id: str) -> Json | None:
        """The stored ARM body of a resource, as a copy, or None."""
        return self.state.get("resources", resource_id.lower())

    def need(self, resource_id: str, *, as_parent: bool = False) -> Json:
        """The stored ARM body of a resource.

        Raises:
            ArmFault: 404 ``ResourceNotFound``; with ``as_parent``, ``ParentResourceNotFound``.
        """
        found = self.find(resource_id)
        if found is None:
            raise parent_not_found(resource_id.rpartition("/")[2]) if as_parent else resource_not_found(resource_id)
        return found

    def save(self, body: Json) -> None:
        """Store an ARM body under its ``id``."""
        self.state.put("resources", str(body["id"]).lower(), body)

    def drop(self, resource_id: str) -> None:
        """Remove a resource and every resource below it. Nothing happens when it is absent."""
        key = resource_id.lower()
        for below in [key, *self.state.keys("resources", key + "/")]:
            if self.state.get("resources", below) is not None:
                self.state.delete("resources", below)
                row = self.state.get("generations", below) or {"revision": 0}
                self.state.put("generations", below, {**row, "n": int(row.get("n", 0)) + 1})

    def resources(self, kind: str, under: str = "") -> Docs:
        """All resources of a type, sorted by id; each is copied when it is looked at.

        Args:
            kind: ``Microsoft.Network/virtualNetworks/subnets``, in any letter case.
            under: only those whose id begins with this subscription's, group's or resource's id.
        """
        prefix = under.lower().rstrip("/") + "/" if under else ""
        return Docs(self.state, "resources", self.state.entries("type", kind.lower(), prefix))

    def referring(self, kind: str, resource_id: str) -> list[str]:
        """Ids of the resources of a type whose stored body names another resource's id anywhere."""
        return self.state.entries("refers", f"{kind.lower()}|{resource_id.lower()}")

    # ------------------------------------------------------------ answers

    def listing(
        self,
        call: Call,
        values: Iterable[T],
        headers: Mapping[str, str] | None = None,
        show: Callable[[T], Json] | None = None,
    ) -> Reply:
        """A page of a collection: ``value`` and, when more follow, ``nextLink``. Give it the whole collection.

        Only what stands on the page is looked at, and only that is handed to ``show``, which makes of a value (a
        stored body, as a rule) what a client sees. The link carries ``$skiptoken``; pages count items, so a collection
        that changes meanwhile may shift.
        """
        every = values if isinstance(values, Sequence) else list(values)
        size = self.scenario.page_size
        token = call.query.get("$skiptoken", "0")
        if not token.isascii() or not token.isdigit() or len(token) > 9:
            raise ArmFault(400, "InvalidSkipToken", f"The $skiptoken '{token}' is not one that this server gave out.")
        first = int(token)
        page = every[first : first + size]
        body: Json = {"value": [show(value) for value in page] if show else list(page)}
        if first + size < len(every):
            query = {**call.query, "$skiptoken": str(first + size)}
            body["nextLink"] = self.url(call.path, query)
        return Reply(200, headers or {}, body)

    def url(self, path: str, query: Mapping[str, str]) -> str:
        """An absolute URL of this ARM."""
        return f"{self.endpoint}{quote(path, safe='/%:@!$&()*+,;=~-._')}?{urlencode(query, quote_via=quote)}"


def scenario_of(state: State) -> Scenario | None:
    """The scenario that a state was filled from, as it was then; None when it is empty."""
    stored = state.get("cloud", "scenario")
    return None if stored is None else from_doc(stored)


# ---------------------------------------------------------------- indices of resources


@index("resources", "type")
def _by_type(key: str, doc: Json) -> Iterator[tuple[str, str]]:
    """Type in lower case → key."""
    yield _type(key), key


@index("resources", "refers")
def _by_reference(key: str, doc: Json) -> Iterator[tuple[str, str]]:
    """``type|id`` in lower case → id of the resource of that type whose body names the id."""
    kind = _type(key)
    for text in _texts(doc):
        named = text.lower()
        if named.startswith("/subscriptions/") and named != key and not named.startswith(key + "/"):
            yield f"{kind}|{named}", str(doc.get("id", key))


def _type(key: str) -> str:
    parts = key.strip("/").split("/")
    if "providers" not in parts:
        return "microsoft.resources/subscriptions" + ("/resourcegroups" if len(parts) == 4 else "")
    tail = parts[len(parts) - parts[::-1].index("providers") :]
    return "/".join([*tail[:1], *tail[1::2]])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
