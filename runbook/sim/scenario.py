"""What a rehearsal starts from: the estate, how long things take, who acts from outside, what goes wrong.

Scenarios are ``assets/scenarios/*.yaml``, read by ``scenario_files.py``. A string ``{{word}}`` anywhere stands for the
entry of the ``let`` block. An entry of ``resources`` may stand for many (``generators.py``; what stands between its
braces is told in ``words.py``): the document keeps it as it is written, and the resources are made of it when a cloud
is filled.
The model is strict: an unknown key is an error that names its place. Durations are written ``90``, ``90s``, ``15m``,
``2h`` or ``2d``, and held as seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from runbook.core.clock import from_iso
from runbook.core.error import BookError
from runbook.sim.generators import MOST_RESOURCES, Entry, Misplaced, each
from runbook.sim.words import fill

Json = dict[str, Any]

DURATIONS: Final[dict[str, float]] = {
    "feature": 20,
    "provider": 40,
    "group_delete": 40,
    "vnet": 5,
    "subnet": 5,
    "nsg": 5,
    "private_endpoint": 45,
    "private_endpoint_delete": 30,
    "connection": 10,
    "zone": 20,
    "zone_link": 30,
    "zone_group": 20,
    "association": 11 * 60,
    "scope_delete": 10,
    "vm_create": 60,
    "vm_start": 60,
    "vm_restart": 60,
    "vm_deallocate": 40,
    "run_command": 30,
    "run_command_start": 5,
    "session": 20 * 60,
}
"""How long operations take, in seconds, where a scenario does not say otherwise. Our estimates."""

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_span(text: str) -> float:
    """Seconds of ``90``, ``90s``, ``15m``, ``2h`` or ``2d``.

    Raises:
        ValueError: the text is none of these.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration such as 90s, 15m, 2h or 2d")
    return float(match[1]) * _UNITS[match[2]]


Seconds = Annotated[float, BeforeValidator(lambda v: parse_span(v) if isinstance(v, str) else v), Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Tenant(_Part):
    id: str
    name: str = "Contoso"
    domain: str = "contoso.onmicrosoft.com"


class Grant(_Part):
    """A role held at a scope: ``*`` for everywhere, or a subscription's, group's or resource's id."""

    scope: str = "*"
    actions: list[str] = ["*"]
    not_actions: Annotated[list[str], Field(alias="notActions")] = []


class Operator(_Part):
    """Who is signed in."""

    name: str
    object_id: str
    permissions: list[Grant] = [Grant()]


class Registration(_Part):
    """How a provider stands in a subscription at the start. ``takes``: how long registering it takes."""

    state: Literal["Registered", "NotRegistered", "Unregistered"] = "Registered"
    takes: Seconds | None = None
    sees: list[str] | None = None
    """Features that the last registration knew of; by default those registered at the start."""


class Subscription(_Part):
    id: str
    name: str
    state: Literal["Enabled", "Warned", "PastDue", "Disabled", "Deleted"] = "Enabled"
    tenant: str = ""
    """The tenant's id, when it is another than the operator's."""
    providers: dict[str, Registration | Literal["Registered", "NotRegistered", "Unregistered"]] = {}
    """By namespace; those not named are registered or not as the provider catalogue says."""
    features: dict[str, Literal["Registered", "Pending", "NotRegistered", "Unregistered"]] = {}
    """By ``namespace/name``; those not named are ``NotRegistered``."""


class Feature(_Part):
    """A flag in the catalogue."""

    name: str
    approval: Literal["ApprovalRequired", "AutoApproval"] = "AutoApproval"
    display_name: str = ""
    takes: Seconds | None = None


class Bucket(_Part):
    """A token bucket: its size and how many tokens flow back each second."""

    size: float
    refill: float


class Throttle(_Part):
    """Token buckets of each subscription.

    Time stands still while a rehearsal works, so they are larger than ARM's own (250, 200, 200 tokens); a scenario
    about throttling sets those.
    """

    reads: Bucket = Bucket(size=12_000, refill=25)
    writes: Bucket = Bucket(size=1_200, refill=10)
    deletes: Bucket = Bucket(size=15_000, refill=10)


class Action(_Part):
    """What an outside party does.

    ``approve`` and ``reject`` answer what the trigger was about (a feature request, an endpoint connection). ``put``,
    ``patch``, ``post`` and ``delete`` are ARM calls made in that party's name, through the same checks as any other.
    ``set`` changes fields of a stored resource directly, as only its own service could.

    In ``path`` and in the texts of ``body``, ``{word}`` stands for what the trigger was about (``PARTY_WORDS``)::

        on: write
        path: "*/privateEndpoints/*-connection"
        do: {do: put, path: "{path}/privateDnsZoneGroups/deployedByPolicy", body: …}
    """

    do: Literal["approve", "reject", "put", "patch", "post", "delete", "set"]
    path: str = ""
    api_version: str = ""
    body: Json | None = None


PARTY_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "feature_pending": ("feature", "subscription"),
    "connection_pending": ("path", "name", "parent", "group", "subscription", "endpoint", "connection"),
    "write": ("path", "name", "parent", "group", "subscription"),
}
"""What an action may name, by the event that triggers it. ``path`` is the id of what was written (of the target, for a
connection), ``name`` its last part, ``parent`` the id above it, ``group`` its resource group's id; ``subscription`` is
the bare id. A party that acts at a fixed time has none."""

_PARTY_WORD: Final = re.compile(r"\{([A-Za-z_]+)\}")


def spoken(value: Any, words: Mapping[str, str]) -> Any:
    """A part of an action with its ``{words}`` put in.

    Raises:
        ValueError: there is no such word.
    """

    def one(match: re.Match[str]) -> str:
        if match[1] not in words:
            known = ", ".join(f"{{{word}}}" for word in words)
            raise ValueError(f"{match[0]} means nothing here; {f'there are {known}' if known else 'it has no words'}")
        return words[match[1]]

    if isinstance(value, str):
        return _PARTY_WORD.sub(one, value)
    if isinstance(value, dict):
        return {spoken(k, words): spoken(v, words) for k, v in value.items()}
    return [spoken(v, words) for v in value] if isinstance(value, list) else value


class Party(_Part):
    """Somebody outside.

    Triggers: ``at`` (time since the start), or ``on`` an event: ``feature_pending`` (narrowed by ``feature``,
    ``subscription``), ``connection_pending`` (``path``: the scope's id), ``write`` (``method``, ``path`` as a glob).
    ``after`` is how long it takes them; ``nth`` narrows to the nth time the trigger is met (absent: every time).
    """

    id: str
    who: str
    at: Seconds | None = None
    on: Literal["feature_pending", "connection_pending", "write"] | None = None
    feature: str = ""
    subscription: str = ""
    method: str = ""
    path: str = "*"
    after: Seconds = 0
    nth: int | None = None
    beyond: int = 0
    """Only from the time after this one on: with 1, every time but the first."""
    do: Action | list[Action] | Literal["approve", "reject"]

    @model_validator(mode="after")
    def _has_one_trigger(self) -> Self:
        if (self.at is None) == (self.on is None):
            raise ValueError("a party has either `at` or `on`")
        answers = any(action.do in ("approve", "reject") for action in self.actions)
        if answers and self.on not in ("feature_pending", "connection_pending"):
            raise ValueError("approve and reject answer feature_pending or connection_pending")
        for action in self.actions:
            spoken([action.path, action.body], {word: "" for word in PARTY_WORDS.get(self.on or "", ())})
        return self

    @property
    def actions(self) -> list[Action]:
        if isinstance(self.do, str):
            return [Action(do=self.do)]
        return self.do if isinstance(self.do, list) else [self.do]


class Refusal(_Part):
    status: int = Field(ge=400, le=599)
    code: str
    message: str
    retry_after: int | None = None


class Failure(_Part):
    code: str
    message: str


class Fault(_Part):
    """What goes wrong.

    Exactly one act: ``not_sent``, ``refuse`` (nothing happens); ``lose_answer``, ``fail_operation``, ``slow`` (it
    takes effect, then …).

    ``nth`` counts the operator's calls that match (for the first two) or that took effect (for the others), from 1;
    ``times`` is how many in a row are hit.

    ``script_error`` is about what runs inside a machine: the script leaves this text on its standard error and does
    nothing, while every call goes well. ``path`` is the machine's id, ``nth`` counts the scripts that run there, and
    there is no ``method``.
    """

    id: str
    method: str = ""
    type: str = ""
    path: str = "*"
    nth: int = Field(default=1, ge=1)
    times: int = Field(default=1, ge=1)
    not_sent: bool = False
    refuse: Refusal | None = None
    lose_answer: bool = False
    fail_operation: Failure | None = None
    slow: Seconds | None = None
    script_error: str = ""

    @model_validator(mode="after")
    def _has_one_act(self) -> Self:
        acts = (self.not_sent, self.refuse, self.lose_answer, self.fail_operation, self.slow, self.script_error)
        if sum(bool(act) for act in acts) != 1:
            raise ValueError("a fault has exactly one act")
        if self.script_error and (self.method or self.type):
            raise ValueError("script_error is about scripts in a machine: it has no method and no type")
        if not self.script_error and not self.method:
            raise ValueError("a fault names the method of the calls it is about")
        return self


class Region(_Part):
    """Names of a region. The short names in private-link FQDNs cannot be derived from it, so they are data here."""

    display: str
    short: str
    geo: str


class Past(_Part):
    """An entry of the activity log from before the start."""

    before: Seconds
    """How long before the start."""
    caller: str
    operation: str
    resource: str


class Scenario(_Part):
    """The whole file. ``inputs`` are the book's default inputs; ``dns`` belongs to the resolver."""

    id: str
    title: str
    summary: str = ""
    era: Literal["preview", "ga"]
    start: str
    seed: str = ""
    cloud: Literal["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"] = "AzureCloud"
    endpoint: str = ""
    """Base of ARM's URLs; by default the cloud's own."""
    edition: Literal["preview", "ga", "auto"] = "auto"
    tenant: Tenant
    operator: Operator
    subscriptions: list[Subscription] = Field(min_length=1)
    features: list[Feature] = []
    regions: dict[str, Region] = {}
    resources: list[Entry] = []
    """ARM bodies with ``id``, in the order in which they came to be, and generators of such."""
    activity: list[Past] = []
    """What others did before the start and the activity log still shows."""
    durations: dict[str, Seconds] = {}
    throttle: Throttle = Throttle()
    page_size: int = Field(default=100, ge=1)
    parties: list[Party] = []
    faults: list[Fault] = []
    dns: Json = {}
    inputs: Json = {}

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        from_iso(self.start)
        for what, names in (("parties", [p.id for p in self.parties]), ("faults", [f.id for f in self.faults])):
            if len(set(names)) != len(names):
                raise ValueError(f"two of the {what} have one id")
        if unknown := sorted(set(self.durations) - set(DURATIONS)):
            raise ValueError(f"there is no duration {unknown[0]!r}; there are {', '.join(DURATIONS)}")
        return self

    @property
    def start_ms(self) -> int:
        return from_iso(self.start)

    def every_resource(self) -> Iterator[Json]:
        """The bodies of all resources, one after the other.

        Raises:
            BookError: a calculation has no meaning.
        """
        try:
            for number, body in enumerate(each(self.resources, {}, ("resources",))):
                if number == MOST_RESOURCES:
                    raise Misplaced(("resources",), f"there are more than {MOST_RESOURCES:,}")
                yield body
        except Misplaced as error:
            raise BookError(f"scenario {self.id}: {'.'.join(map(str, error.place))}: {error.why}") from error

    def takes_s(self, what: str) -> float:
        """How long an operation takes, in seconds. ``what`` is a key of ``DURATIONS``."""
        return float(self.durations.get(what, DURATIONS[what]))

    @property
    def doc(self) -> Json:
        """The whole scenario as JSON, from which ``from_doc`` makes it again."""
        return self.model_dump(mode="json", by_alias=True)


def validated(doc: Json) -> Scenario:
    """The scenario that a document says.

    Raises:
        BookError: a ``{{word}}`` has no meaning.
        ValidationError: the document does not fit the model, with the place of each error.
    """
    made = Scenario.model_validate(fill(doc))
    try:
        for _ in each(made.resources, {}, ("resources",), samples=True):
            pass  # one of each generator shows whether its words make sense
    except Misplaced as error:
        where: InitErrorDetails = {
            "type": PydanticCustomError("word", "{why}", {"why": error.why}),
            "loc": error.place,
            "input": None,
        }
        raise ValidationError.from_exception_data("Scenario", [where]) from error
    return made


def from_doc(doc: Json) -> Scenario:
    """Check a document, once ``let`` words are filled in.

    Raises:
        BookError: it does not fit the model; the message names the place.
    """
    try:
        return validated(doc)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BookError(f"scenario: {place}: {first['msg']}") from error
