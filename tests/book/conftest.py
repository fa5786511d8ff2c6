"""Tiny steps and books. The steps live in ``sys.modules`` alone, under names no real step has."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from runbook.book import Book, book_from_json, expand, load_book
from runbook.core.docs import NodeDoc
from runbook.core.error import RunbookError
from runbook.core.state import NodeState
from runbook.core.view import NodeView, RunView
from runbook.step import Satisfied, Step, StepContext, Verdict


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    port: int = 443


class Thing(Step):
    @dataclass(frozen=True, slots=True)
    class Params:
        name: str
        count: int = 1
        names: tuple[str, ...] = ()
        rules: tuple[Rule, ...] = ()
        note: str | None = None

    async def observe(self, ctx: StepContext) -> Verdict:
        return Satisfied()


class NoParams(Step):
    async def observe(self, ctx: StepContext) -> Verdict:
        return Satisfied()


@pytest.fixture(autouse=True)
def tiny_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: dict[str, dict[str, type]] = {
        "thing": {"Thing": Thing},
        "no_params": {"NoParams": NoParams},
        "nothing": {},
    }
    for noun, names in modules.items():
        module = ModuleType(f"steps.tiny.{noun}")
        vars(module).update(names)
        monkeypatch.setitem(sys.modules, module.__name__, module)


HEAD = """\
id: demo
version: 1
title: Demo
inputs:
  name: {type: string}
  flag: {type: boolean, default: true}
  names: {type: list, items: {type: string}, default: []}
phases: [{id: main, title: Main}]
steps:
"""


def text_of(*steps: str) -> str:
    """A book of these steps, each the inside of a YAML flow mapping, completed by what every step has."""
    common = {"title": "T", "phase": "main", "uses": "tiny.thing"}
    lines = [", ".join([s, *(f"{k}: {v}" for k, v in common.items() if f"{k}:" not in s)]) for s in steps]
    return HEAD + "".join(f"  - {{{line}}}\n" for line in lines)


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Book]:
    def load_steps(*steps: str) -> Book:
        file = tmp_path / "demo.yaml"
        file.write_text(text_of(*steps), encoding="utf-8")
        return load_book(str(file))

    return load_steps


WITH = 'with: {name: "${inputs.name}"}'


def tiny(*steps: dict[str, Any], **more: Any) -> Book:
    """A book as JSON: these steps, each completed by what every step has."""
    common = {"title": "T", "phase": "main", "uses": "tiny.thing", "with": {"name": "n"}}
    doc = {
        "id": "demo",
        "version": 1,
        "title": "Demo",
        "inputs": {
            "name": {"type": "string", "default": "n"},
            "flag": {"type": "boolean", "default": True},
            "names": {"type": "list", "items": {"type": "string"}, "default": []},
        },
        "phases": [{"id": "main", "title": "Main"}],
        "steps": [{**common, **s} for s in steps],
        **more,
    }
    return book_from_json(doc)


def view_of(book: Book, inputs: Mapping[str, Any] | None = None, **outputs: Any) -> RunView:
    """A run in which the named steps are expanded, in book order, and done with these outputs.

    Outputs of a repeated step are given by key; None instead of outputs stands for a node that was skipped.
    """
    view = RunView(
        id="r1",
        mode="rehearsal",
        inputs=inputs or {},
        pinned={"cloud": "AzureCloud", "tenant": "t", "account": "a", "subscriptions": {"s1": "One"}},
    )
    nodes: dict[str, NodeView] = {}
    for spec in book.steps:
        if spec.id not in outputs:
            continue
        said = outputs[spec.id]
        for doc in expand(book, spec, view):
            mine = said if spec.for_each is None else (said or {}).get(doc["key"], {})
            state = NodeState.SKIPPED if said is None or mine is None else NodeState.DONE
            nodes[doc["id"]] = NodeView(doc, state, outputs=mine or {})
        view = RunView(
            id=view.id,
            mode=view.mode,
            inputs=view.inputs,
            pinned=view.pinned,
            nodes=dict(nodes),
            expanded=view.expanded | {spec.id},
        )
    return view


def only(book: Book, step: str, view: RunView) -> NodeDoc:
    """The one node of a step."""
    [node] = expand(book, book.step(step), view)
    return node


def told(call: Callable[[], object]) -> RunbookError | None:
    """The error meant for the operator that a call ends in, if it does; any other error passes."""
    try:
        call()
    except RunbookError as fault:
        return fault
    return None
