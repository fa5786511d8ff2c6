"""What the engine and the steps know of Azure Resource Manager: a request, an answer, an operation.

The client that sends them lives in ``runbook.arm``; these are only values and the shape of that client.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

Json = dict[str, Any]
"""A JSON object."""

Method = Literal["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"]


TRANSIENT_CODES: Final = frozenset(
    {"AnotherOperationInProgress", "RetryableError", "RetryableErrorDueToAnotherOperation", "TooManyRequests"}
)
"""Codes that mean "not applied, try again later". Source: Azure Resource Manager, "Resolve common errors"."""


@dataclass(frozen=True, slots=True)
class Request:
    """One ARM call. ``path`` starts with ``/`` and carries no query; ``headers`` only what changes the meaning.

    ``az`` is the line of the Azure CLI that makes the same call, argument by argument; empty where there is none.
    """

    method: Method
    path: str
    api_version: str
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    az: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """An accepted long-running operation.

    ``url`` is polled verbatim and may carry a signature: it is stored beside the journal's hashed part, never in it.
    """

    url: str
    kind: Literal["async-operation", "location"]
    """Which header named the URL: ``Azure-AsyncOperation`` (a status body) or ``Location`` (202 until done)."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A call that is over. ``operation`` is set when ARM accepted it but has not finished."""

    status: int
    body: Any
    operation: Operation | None = None
    retry_after_s: float | None = None
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A polled operation is still under way. ``percent`` is None when ARM does not say."""

    status: str
    retry_after_s: float | None = None
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A polled operation is over. ``code`` and ``message`` are empty when it ended well."""

    status: str
    code: str = ""
    message: str = ""
    hint: str = ""
    """What can be done now, when it ended badly; may be empty."""

    @property
    def is_ok(self) -> bool:
        return self.status.lower() == "succeeded"

    @property
    def is_transient(self) -> bool:
        """Whether it ended badly in a way that ARM itself calls worth another try."""
        return self.code in TRANSIENT_CODES


class Reading(Protocol):
    """Read-only ARM, call by call."""

    async def get(self, path: str, api_version: str, **query: str) -> Json | None:
        """The object at ``path``; None when ARM says that it, or its resource group, does not exist.

        Raises:
            Refused, Throttled, NotSent, AnswerMissing: as the class says.
        """
        ...

    async def list(self, path: str, api_version: str, **query: str) -> list[Json]:
        """All items of a collection, every page. An absent resource group or parent gives an empty list."""
        ...


class Reader(Reading, Protocol):
    """Read-only ARM, as a step uses it.

    Looks that happen at once share what they list, so what ``list`` and ``member`` give cannot be altered: copy it.
    """

    async def member(self, path: str, api_version: str, of: str) -> Json | None:
        """One member of a collection; None when it is not there.

        Many looks that want members of one collection at once are served by one list of it; a look alone, and one whose
        node has sent something, by a call of its own. So use it for what many nodes have one each of, and only where
        the list shows all that is needed of a member.

        Args:
            path: the member's resource id.
            api_version: of both.
            of: the collection's path, such as ``/subscriptions/S/providers/Microsoft.Network/privateEndpoints``.
        """
        ...


class Arm(Reading, Protocol):
    """Reading and writing ARM. Only the engine holds one."""

    async def write(self, request: Request, client_request_id: str) -> Answered:
        """Send one mutating call, once. No retry happens below this line.

        Raises:
            NotSent: nothing left this machine.
            AnswerMissing: it may have taken effect.
            Refused, Throttled: ARM said no.
        """
        ...

    async def poll(self, operation: Operation) -> Running | Ended:
        """Read an operation's status once."""
        ...
