"""What the simulated Azure implements, read off its routes: so that the list cannot say anything else."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from runbook.sim.routes import Route, all_routes


@dataclass(frozen=True, slots=True)
class Implemented:
    """One resource type.

    Attributes:
        type: ``Microsoft.Network/privateEndpoints``.
        calls: ``(method, path)``, with ``{…}`` for names.
        versions: the api-versions accepted, oldest first.
    """

    type: str
    calls: tuple[tuple[str, str], ...]
    versions: tuple[str, ...]

    @property
    def operations(self) -> list[str]:
        """In words: ``get``, ``list``, ``create or update``, ``update``, ``delete``, and the names of actions."""
        found = [_word(method, path) for method, path in self.calls]
        order = ("get", "exists", "list", "create or replace", "update", "delete")
        return [*(w for w in order if w in found), *sorted({w for w in found if w not in order})]

    @property
    def span(self) -> str:
        """The api-versions, briefly."""
        first, last, count = self.versions[0], self.versions[-1], len(self.versions)
        return last if count == 1 else f"{first} to {last} ({count})"


def implemented() -> list[Implemented]:
    """Every resource type, in alphabetical order."""
    import_module("runbook.sim.providers")  # registers the routes; late, as it knows the cloud
    import_module("runbook.sim.operations")
    by_type: dict[str, list[Route]] = {}
    for entry in all_routes():
        by_type.setdefault(entry.type, []).append(entry)
    return [
        Implemented(
            kind,
            tuple((entry.method, entry.template) for entry in entries),
            tuple(sorted({version for entry in entries for version in entry.versions})),
        )
        for kind, entries in sorted(by_type.items(), key=lambda pair: pair[0].lower())
    ]


def _word(method: str, path: str) -> str:
    last = path.rpartition("/")[2]
    if method == "POST":
        return last
    if method == "GET":
        return "get" if last.startswith("{") or last in ("@", "current", "instanceView") else "list"
    return {"HEAD": "exists", "PUT": "create or replace", "PATCH": "update", "DELETE": "delete"}[method]
