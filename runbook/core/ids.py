"""Names of things: node ids, ARM resource ids, run ids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

RUN_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def node_id(step: str, key: str | None = None) -> str:
    """``step`` or ``step[key]``; the key is a stable lower-cased name or ARM id, never a position."""
    return step if key is None else f"{step}[{key.lower()}]"


def step_of(node: str) -> str:
    """The step part of a node id."""
    return node.partition("[")[0]


def digest(text: str, length: int = 12) -> str:
    """The first ``length`` hex digits of the text's SHA-256."""
    return sha256(text.encode()).hexdigest()[:length]


@dataclass(frozen=True, slots=True)
class ResourceId:
    """An ARM resource id, taken apart. Compare with ``key``: ARM treats ids without regard to letter case.

    Source: Azure Resource Manager RPC, common-api-details ("resource ids are case-insensitive").
    """

    subscription: str
    group: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take apart ``/subscriptions/S/resourceGroups/G/providers/NS/type/name[/type/name…]``.

        Raises:
            ValueError: the text is not a resource id of that form.
        """
        parts = text.strip("/").split("/")
        words = [p.lower() for p in parts]
        if (
            len(parts) < 8
            or len(parts) % 2
            or "" in parts
            or (words[0], words[2], words[4]) != ("subscriptions", "resourcegroups", "providers")
        ):
            raise ValueError(
                f"{text!r} is not a resource id: expected "
                "/subscriptions/…/resourceGroups/…/providers/<namespace>/<type>/<name>"
            )
        return cls(parts[1], parts[3], parts[5], tuple(parts[6::2]), tuple(parts[7::2]))

    @property
    def type(self) -> str:
        """``Microsoft.Network/virtualNetworks/subnets``."""
        return "/".join((self.namespace, *self.types))

    @property
    def name(self) -> str:
        """The last name: the resource's own."""
        return self.names[-1]

    @property
    def parent(self) -> Self:
        """The resource this one is a child of.

        Raises:
            ValueError: it is a top-level resource.
        """
        if len(self.names) < 2:
            raise ValueError(f"{self} has no parent resource")
        return type(self)(self.subscription, self.group, self.namespace, self.types[:-1], self.names[:-1])

    @property
    def key(self) -> str:
        """The id in lower case, for comparing."""
        return str(self).lower()

    def child(self, kind: str, name: str) -> Self:
        """The id of a child resource."""
        return type(self)(self.subscription, self.group, self.namespace, (*self.types, kind), (*self.names, name))

    def __str__(self) -> str:
        tail = "/".join(f"{t}/{n}" for t, n in zip(self.types, self.names, strict=True))
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{self.namespace}/{tail}"


def resource_id(subscription: str, group: str, kind: str, *names: str) -> str:
    """Build an id: ``resource_id(sub, rg, "Microsoft.Network/virtualNetworks/subnets", "v", "s")``."""
    namespace, *types = kind.split("/")
    return str(ResourceId(subscription, group, namespace, tuple(types), names))


def subscription_of(path: str) -> str | None:
    """The subscription id in an ARM path, lower-cased, or None."""
    match = re.match(r"/?subscriptions/([^/?]+)", path, re.IGNORECASE)
    return match[1].lower() if match else None
