"""Takes back one thing that another run did: removes what it made, or puts back the values that it changed.

Invariant: what is otherwise than that run left it, and what others use by now, is left alone, and said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from runbook.core.arm import Json
from runbook.step import Change, Changes, Check, Diff, InProgress, Satisfied, Step, StepContext, Verdict, expect
from steps._shared.look import find, is_busy, name_of, state_of
from steps.undo._compare import Field, differing, fits, put_back, value_at
from steps.undo._others import Ours, used_by_others

SAFE: Final = ("/resourcegroups/", "/locks/", "/privatednszones/", "/privatelinkscopes/")
"""Kinds whose removal cuts nobody: they go only when nothing is in them, behind them or attached to them any more."""


class Takeback(Step):
    """One resource of the run that is taken back.

    Removing asks whether it is still as that run sent it, field by field, and whether somebody else's things stand in
    it or lead to it. Putting back asks whether the fields still have the values that the run gave them.

    Source: Azure Resource Manager RPC v1.0, resource-api-reference (DELETE of what is absent answers 204; a PATCH
    alters the named properties alone, a PUT replaces the resource).
    """

    @dataclass(frozen=True, slots=True)
    class Params:
        """``body`` is what the run sent; ``fields`` what it changed; ``ours`` what else it made or changed.

        ``foresees`` is for a plan: what is to be taken back before this one counts as gone already.
        """

        how: Literal["remove", "restore", "remake"]
        path: str
        api_version: str
        title: str
        method: Literal["PUT", "PATCH"]
        risk: Literal["safe", "disruptive"]
        body: dict[str, Any]
        fields: tuple[Field, ...] = ()
        locks: tuple[str, ...] = ()
        ours: tuple[Ours, ...] = ()
        foresees: bool = False

    params: Params

    async def observe(self, ctx: StepContext) -> Verdict:
        p = self.params
        doc = await find(ctx.arm, p.path, p.api_version)
        if p.how == "remake":
            return self._remaking(doc)
        if doc is None:
            told = "It is gone." if p.how == "remove" else "It is gone, so there is nothing to put back."
            return Satisfied((expect(name_of(p.path), "absent", "absent"),), {"left": ""}, told)
        if is_busy(doc):
            return InProgress(f"{name_of(p.path)} is {state_of(doc)}.")
        return await self._removal(ctx, doc) if p.how == "remove" else self._restoring(doc)

    # ------------------------------------------------------------ what goes with something else

    def _remaking(self, doc: Json | None) -> Verdict:
        """What stood there is made again once it went; where something stands, that is somebody's, or not gone yet."""
        p = self.params
        if doc is not None and not p.foresees:
            if fits(p.body, doc):
                return Satisfied((expect(name_of(p.path), "as before", "as before"),), {"left": ""}, "It is there.")
            return _left(p.path, "something else stands there by now")
        change = Change(
            title=f"Make {name_of(p.path)} again as it was",
            method="PUT",
            path=p.path,
            api_version=p.api_version,
            body=p.body,
            risk="disruptive",
            diff=(Diff("", None, p.body),),
            locks=p.locks,
        )
        return Changes((change,), (expect(name_of(p.path), "as before", "absent"),))

    # ------------------------------------------------------------ what the run made

    async def _removal(self, ctx: StepContext, doc: Json) -> Verdict:
        p = self.params
        if other := self._altered(doc):
            return _left(p.path, f"it was changed by somebody else since: {other}")
        if used := await used_by_others(ctx, p.path, p.api_version, doc, p.ours, foresees=p.foresees):
            return _left(p.path, used)
        is_safe = any(f"/{p.path.rstrip('/').split('/')[-2]}/".lower() == kind for kind in SAFE)
        shown = {name: doc[name] for name in ("location", "tags") if doc.get(name)}
        return Changes(
            (
                Change(
                    title=f"Remove {_called(p.path)}",
                    method="DELETE",
                    path=p.path,
                    api_version=p.api_version,
                    risk="safe" if is_safe else "disruptive",
                    diff=(Diff("", {**shown, **p.body}, None),),
                    locks=p.locks,
                    by_hand=f"az resource delete --ids {p.path}",
                ),
            ),
            (expect(name_of(p.path), "absent", "present"),),
            "It is as the run left it, and nobody else's things are in it.",
        )

    def _altered(self, doc: Json) -> str:
        """Where it is otherwise than the run left it; empty where it is not."""
        changed = {f.path: f for f in self.params.fields}
        told = [_said(f, value_at(doc, f.path)) for f in changed.values() if not _is_ours(f, doc)]
        told += [
            f"{path} is {found}, was {sent}"
            for path, sent, found in differing(self.params.body, doc)
            if not any(path == name or path.startswith(f"{name}.") for name in changed)
        ]
        return "; ".join(told[:4])

    # ------------------------------------------------------------ what the run changed

    def _restoring(self, doc: Json) -> Verdict:
        p = self.params
        checks = [_check(f, doc) for f in p.fields]
        if all(c.ok for c in checks):
            return Satisfied(checks, {"left": ""}, "It is as it was before the run.")
        if others := [f for f in p.fields if not _is_ours(f, doc)]:
            told = "; ".join(_said(f, value_at(doc, f.path)) for f in others)
            return _left(p.path, f"it was changed by somebody else since: {told}")
        is_live = any(f.path.endswith("privateLinkScopeResourceId") for f in p.fields)
        what = ", ".join(f.path.removeprefix("properties.") or "everything" for f in p.fields)
        change = Change(
            title=f"Put back {what} of {name_of(p.path)}",
            method=p.method,
            path=p.path,
            api_version=p.api_version,
            body=put_back(doc, p.fields, p.body, is_whole=p.method == "PUT"),
            risk="disruptive" if is_live else p.risk,
            diff=tuple(Diff(f.path, value_at(doc, f.path), f.before) for f in p.fields),
            locks=p.locks,
        )
        return Changes((change,), checks)


def _called(path: str) -> str:
    """A resource as a person tells it from others: a part of something with its kind, and whose it is."""
    parts = path.strip("/").split("/")
    return f"{parts[-2]}/{parts[-1]} of {parts[-3]}" if len(parts) > 8 else parts[-1]


def _is_ours(f: Field, doc: Json) -> bool:
    """Whether a field has the value that the run gave it, or the one before."""
    found = value_at(doc, f.path)
    return fits(f.after, found) or fits(f.before, found)


def _check(f: Field, doc: Json) -> Check:
    found = value_at(doc, f.path)
    return expect(f.path, _short(f.before), _short(found), ok=fits(f.before, found))


def _said(f: Field, found: Any) -> str:
    return f"{f.path} is {_short(found)}; the run made it {_short(f.after)}"


def _short(value: Any) -> str:
    if isinstance(value, Mapping | list):
        return f"{len(value)} value{'' if len(value) == 1 else 's'}"
    return "(absent)" if value in (None, "") else str(value)


def _left(path: str, reason: str) -> Satisfied:
    """Nothing is done here; it is said in a check, so that screens and reports show it."""
    check = expect(name_of(path), "absent, or as before", f"left alone: {reason}", ok=True)
    return Satisfied((check,), {"left": reason}, f"Left alone: {reason}.")
