"""The values of the DNS truth table: names, places, answers, verdicts. No I/O.

Invariant: a cell is only ever ``ok`` or wrong by evidence; where none can be had from this machine it says so, and
counts neither as right nor as wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered when asked for the IPv4 addresses of a name.

    Attributes:
        status: ``NOERROR``, ``NXDOMAIN``, ``SERVFAIL``, ``REFUSED`` or ``TIMEOUT``.
        chain: the CNAMEs followed, in order, without the name asked for.
        addresses: at the end of the chain; sorted.
        server: who answered, for people.
        ttl_s: for how many more seconds the answer may be kept; None where nobody says.
        is_own: whether the server answered from data of its own (the AA bit); None where nobody says.
        transport: ``udp``, ``tcp``, or empty.
    """

    name: str
    status: str
    chain: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    server: str = ""
    ttl_s: int | None = None
    is_own: bool | None = None
    transport: str = ""

    @property
    def told(self) -> str:
        """In words: its addresses, or why there are none."""
        return ", ".join(self.addresses) or ("no address" if self.status == "NOERROR" else self.status)


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a run answers for.

    Attributes:
        address: what it must resolve to, as the endpoint has it now.
        recorded: what the run read when it made the endpoint.
        zone: name of the private zone that should hold it; ``relative`` is its name in there.
        endpoint: resource id of the private endpoint; ``source`` says where its address was read.
        ports: TCP ports that must be reached there; ``all_ports`` where the service wants every one.
    """

    fqdn: str
    address: str
    recorded: str
    zone: str
    relative: str
    endpoint: str
    source: str
    ports: tuple[int, ...] = (443,)
    all_ports: bool = False

    @property
    def inner(self) -> str:
        """The name in the private zone, which the public DNS gives as the alias of the public name."""
        return f"{self.relative}.{self.zone}" if self.zone else ""

    @property
    def endpoint_name(self) -> str:
        return self.endpoint.rstrip("/").rpartition("/")[2]


PlaceKind = Literal["network", "premises", "here", "resolver", "paste", "machine"]


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere names are looked up.

    Attributes:
        id: stable: ``network:<resource id>``, ``on-premises``, ``here``, ``resolver:<address>:<port>``, ``paste:<n>``,
            ``machine``.
        title: for people.
        network: resource id, of a network.
        how: how its answers were had, for people; empty where there are none.
        why_not: why none can be had from here; empty where there are some.
        counts: whether a wrong answer there is wrong; a machine that stands outside may well see public addresses.
    """

    id: str
    kind: PlaceKind
    title: str
    network: str = ""
    how: str = ""
    why_not: str = ""
    counts: bool = True


class Rule(StrEnum):
    """What became of one name at one place. The values are a contract with scripts."""

    OK = "ok"
    NOT_PROVABLE = "not-provable"
    PUBLIC_ANSWER = "public-answer"
    MISSING_ZONE = "missing-zone"
    MISSING_LINK = "missing-link"
    LINK_NOT_READY = "link-not-ready"
    HIDDEN_BY_ZONE = "hidden-by-zone"
    WRONG_ZONE = "wrong-zone"
    BLACK_HOLE = "black-hole"
    FALLS_BACK = "falls-back-to-public"
    SERVERS_DO_NOT_FORWARD = "dns-servers-do-not-forward"
    FORWARDS_PRIVATELINK = "forwards-privatelink-name"
    STALE_CACHE = "stale-cache"
    OLD_RECORD = "old-record"
    ANOTHER_ENDPOINT = "another-endpoint"
    OTHER_ADDRESS = "other-address"
    SEVERAL_ADDRESSES = "several-addresses"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    SERVER_FAILURE = "server-failure"
    SPLIT_ANSWERS = "split-answers"
    ENDPOINT_GONE = "endpoint-gone"
    PORT_CLOSED = "port-closed"
    WRONG_CERTIFICATE = "wrong-certificate"


WORDS: Final[Mapping[Rule, str]] = {
    Rule.OK: "ok",
    Rule.NOT_PROVABLE: "unseen",
    Rule.PUBLIC_ANSWER: "public",
    Rule.MISSING_ZONE: "no zone",
    Rule.MISSING_LINK: "no link",
    Rule.LINK_NOT_READY: "linking",
    Rule.HIDDEN_BY_ZONE: "hidden",
    Rule.WRONG_ZONE: "zone",
    Rule.BLACK_HOLE: "absent",
    Rule.FALLS_BACK: "public",
    Rule.SERVERS_DO_NOT_FORWARD: "public",
    Rule.FORWARDS_PRIVATELINK: "public",
    Rule.STALE_CACHE: "stale",
    Rule.OLD_RECORD: "old",
    Rule.ANOTHER_ENDPOINT: "other",
    Rule.OTHER_ADDRESS: "other",
    Rule.SEVERAL_ADDRESSES: "mixed",
    Rule.TIMEOUT: "silent",
    Rule.REFUSED: "refused",
    Rule.SERVER_FAILURE: "failed",
    Rule.SPLIT_ANSWERS: "split",
    Rule.ENDPOINT_GONE: "gone",
    Rule.PORT_CLOSED: "closed",
    Rule.WRONG_CERTIFICATE: "cert",
}
"""At most seven letters each, for a table."""

MEANINGS: Final[Mapping[Rule, str]] = {
    Rule.OK: "exactly the endpoint's address",
    Rule.NOT_PROVABLE: "nobody can look from here, or looking proves nothing",
    Rule.PUBLIC_ANSWER: "the public address: the public suffix is not forwarded",
    Rule.MISSING_ZONE: "there is no private zone for it",
    Rule.MISSING_LINK: "the network has no link to the zone",
    Rule.LINK_NOT_READY: "the link is not Completed yet",
    Rule.HIDDEN_BY_ZONE: "a zone of the public name itself answers, and lacks it",
    Rule.WRONG_ZONE: "the record is in another zone than the one that is asked",
    Rule.BLACK_HOLE: "it does not exist there, in private or in public",
    Rule.FALLS_BACK: "the record is missing, and the link falls back to the public DNS",
    Rule.SERVERS_DO_NOT_FORWARD: "the network's own DNS servers do not ask Azure",
    Rule.FORWARDS_PRIVATELINK: "the privatelink name is forwarded, not the public one",
    Rule.STALE_CACHE: "an old answer in a cache; it says for how long",
    Rule.OLD_RECORD: "an entry with an address that is not the endpoint's any more",
    Rule.ANOTHER_ENDPOINT: "the address of another endpoint",
    Rule.OTHER_ADDRESS: "a private address of nobody that is known",
    Rule.SEVERAL_ADDRESSES: "the right address, and others",
    Rule.TIMEOUT: "the server does not answer",
    Rule.REFUSED: "the server does not serve whoever asks from here",
    Rule.SERVER_FAILURE: "the server, or the one behind it, fails",
    Rule.SPLIT_ANSWERS: "servers disagree",
    Rule.ENDPOINT_GONE: "the endpoint does not exist any more",
    Rule.PORT_CLOSED: "no connection to the address gets through",
    Rule.WRONG_CERTIFICATE: "what answers at the address is not the service",
}
"""What each rule means, in a few words."""

GLYPHS: Final = {"ok": "✓", "wrong": "✗", "unseen": "·"}
"""For the three states of a cell; the word beside says the same."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One name as one place has it."""

    name: str
    place: str
    rule: Rule
    observed: str
    cause: str = ""
    fix: str = ""
    answer: Answer | None = None

    @property
    def state(self) -> Literal["ok", "wrong", "unseen"]:
        match self.rule:
            case Rule.OK:
                return "ok"
            case Rule.NOT_PROVABLE:
                return "unseen"
            case _:
                return "wrong"

    @property
    def word(self) -> str:
        return WORDS[self.rule]


@dataclass(frozen=True, slots=True)
class Finding:
    """The same trouble of some names, told once. ``place`` is a title, or empty where it is no single place's."""

    rule: Rule
    place: str
    names: tuple[str, ...]
    cause: str
    fix: str


@dataclass(frozen=True, slots=True)
class Reached:
    """Whether packets get through to a name's address, from where this machine stands.

    ``state`` is ``ok``, ``wrong`` or ``unseen``.
    """

    name: str
    address: str
    port: int
    rule: Rule
    told: str

    @property
    def state(self) -> Literal["ok", "wrong", "unseen"]:
        return "ok" if self.rule is Rule.OK else "unseen" if self.rule is Rule.NOT_PROVABLE else "wrong"


@dataclass(frozen=True, slots=True)
class Table:
    """The whole truth table. ``cells`` is by (name, place id); every pair has one."""

    names: tuple[Name, ...]
    places: tuple[Place, ...]
    cells: Mapping[tuple[str, str], Cell]
    findings: tuple[Finding, ...] = ()
    reached: tuple[Reached, ...] = ()
    remarks: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    """Names of the private zones in question."""
    vnets: tuple[str, ...] = ()
    """Resource ids of the networks that are to resolve."""
    keeps: str = "azure"
    """Who holds the names: ``azure`` or ``own``."""

    @property
    def totals(self) -> dict[str, int]:
        """How many cells are ``ok``, ``wrong`` and ``unseen``."""
        counts = Counter(cell.state for cell in self.cells.values())
        return {state: counts[state] for state in ("ok", "wrong", "unseen")}

    @property
    def seen_places(self) -> tuple[Place, ...]:
        """Those of which anything is known."""
        return tuple(p for p in self.places if any(self.cells[n.fqdn, p.id].state != "unseen" for n in self.names))

    @property
    def is_wrong(self) -> bool:
        """Whether anything that can be proven is wrong."""
        return bool(self.findings)
