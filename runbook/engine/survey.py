"""What a run would do from here, from looking alone. Nothing is sent, and no entry is written.

The rules by which a plan stays true:

1. A node is looked at when every node it needs has been judged, whatever came of those: a look never writes.
2. What a node refers to (in ``for_each``, ``key``, ``title``, ``target``, ``when``, ``with``) must have been read: as
   long as one of those nodes is not satisfied, this one is not looked at and is ``unknown_until`` it. A step whose
   ``for_each`` is not known yet is one line.
3. Where every need is satisfied or not needed, the verdict is what the look says.
4. Where a need would be changed first, ``after`` names it, and what was read may be otherwise by then. A change that is
   asked for all the same is told as a change. Anything else may be nothing but the absence of what is still to be made
   (a rule that blocks, a wait), or hold only because of it (a satisfied check): the verdict is ``unknown_until`` that
   need, what the look said is kept in ``remark``, and nobody else reads its outputs. One that is satisfied ``so_far``
   does not hold up the changes behind it.
5. Where a need is unknown otherwise, waits, is blocked or could not be read, nobody can tell whether this node's turn
   ever comes: it is ``unknown_until`` that need, also when the look asks for a change.
6. A node whose needs are satisfied and that cannot be read has failed: it is unknown, and its error says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runbook.book import Book, StepSpec, expand, expansion_needs, when
from runbook.book.graph import before
from runbook.book.refs import Template, paths, template
from runbook.book.scope import everywhere, local
from runbook.core.docs import NodeDoc
from runbook.core.entry import Draft, Kind
from runbook.core.error import BookError, RunbookError
from runbook.core.ids import step_of
from runbook.core.state import FINISHED, NodeState
from runbook.core.view import NodeView, RunView
from runbook.engine.growth import applies, failure
from runbook.engine.looks import PATIENCE, SAID, Looks, Said, told
from runbook.engine.world import Limits, World


@dataclass(frozen=True, slots=True)
class Finding:
    """What a plan says of one node.

    Attributes:
        node: as the look left it; pending where its verdict is not known, or failed where it could not be read.
        verdict: a node that is not needed here, or was finished before, is satisfied.
        after: what has to be done first, that which holds it up most at the front; ``step[*]`` for all of a step.
        remark: what the look says as things stand, where that is not the verdict.
        so_far: the look is satisfied, and only changes come before it.
    """

    node: NodeView
    verdict: Said
    after: tuple[str, ...] = ()
    remark: str = ""
    so_far: bool = False

    @property
    def is_passed(self) -> bool:
        """Whether nothing is asked for here, at least as things stand."""
        return self.verdict == "satisfied" or self.so_far


Told = Callable[[int, int], None]
"""Hears how many steps have been judged, and of how many."""


async def survey(
    book: Book, view: RunView, world: World, limits: Limits = PATIENCE, told: Told = lambda done, of: None
) -> tuple[Finding, ...]:
    """What a run would do from here, node by node in the book's order. What it has finished is not looked at again.

    Args:
        book: the book.
        view: the run; one without nodes for a run that does not exist yet.
        world: where to look.
        limits: how many looks at once, and how patiently.
        told: hears how far it has come.
    """
    return await _Survey(book, view, world, limits, told).run()


@dataclass(frozen=True, slots=True)
class _Sum:
    """All nodes of a step."""

    is_read: bool
    """All are satisfied."""
    is_passed: bool
    is_changed: bool
    """Those that are not passed would be changed."""
    after: tuple[str, ...]
    """What those that are passed come after."""


class _Survey:
    """One survey. Each step is a task that begins when the steps it needs are judged."""

    def __init__(self, book: Book, view: RunView, world: World, limits: Limits, told: Told) -> None:
        self._book = book
        self._tell = told
        self._looks = Looks(book, world, limits)
        self._before = before(book)
        self._whens = {spec.id: self._referred(spec, spec.when) for spec in book.steps}
        self._withs = {spec.id: self._referred(spec, dict(spec.with_)) for spec in book.steps}
        self._nodes = dict(view.nodes)
        self._view = replace(view, nodes=self._nodes)  # grows with what is found, so that references read it
        self._of_step: dict[str, dict[str, Finding]] = {}
        self._sums: dict[str, _Sum] = {}

    async def run(self) -> tuple[Finding, ...]:
        tasks: dict[str, asyncio.Task[None]] = {}
        for name in self._before:  # each after those it needs
            spec = self._book.step(name)
            needs = {need.step for need in spec.needs} | set(expansion_needs(spec, self._book))
            tasks[name] = asyncio.create_task(self._judge_step(spec, [tasks[n] for n in needs if n in tasks]))
        try:
            await asyncio.gather(*tasks.values())
        finally:
            for task in tasks.values():
                task.cancel()
        return tuple(finding for spec in self._book.steps for finding in self._of_step[spec.id].values())

    # ------------------------------------------------------------ one step

    async def _judge_step(self, spec: StepSpec, first: Sequence[asyncio.Task[None]]) -> None:
        if first:
            await asyncio.wait(first)
        nodes, stand_in = self._grown(spec)
        found = await asyncio.gather(*(self._judge(spec, node) for node in nodes))
        every = self._of_step[spec.id] = {f.node.id: f for f in (*stand_in, *found)}
        open_ = [f for f in every.values() if not f.is_passed]
        rests = dict.fromkeys(need for f in every.values() if f.is_passed for need in f.after)
        self._sums[spec.id] = _Sum(
            is_read=all(f.verdict == "satisfied" for f in every.values()),
            is_passed=not open_,
            is_changed=all(f.verdict == "change" for f in open_),
            after=tuple(rests),
        )
        self._tell(len(self._sums), len(self._before))

    def _grown(self, spec: StepSpec) -> tuple[list[NodeView], list[Finding]]:
        """The nodes to judge; or one finding for a step that cannot become nodes yet."""
        if spec.id in self._view.expanded:
            return self._view.of_step(spec.id), []
        unread = [self._name(step) for step in expansion_needs(spec, self._book) if not self._sums[step].is_read]
        if unread:
            node = NodeView(self._stand_in(spec))
            if self._is_ruled_out(spec, node):
                return [], [Finding(_not_needed(spec, node), "satisfied", self._after(node.doc["needs"]))]
            return [], [Finding(node, "unknown_until", tuple(unread))]
        try:
            nodes = [NodeView(doc) for doc in expand(self._book, spec, self._view)]
        except RunbookError as error:
            node = told(NodeView(self._stand_in(spec)), failure(spec.id, error))
            return [], [Finding(node, "unknown_until")]
        self._nodes.update((node.id, node) for node in nodes)
        self._view = replace(self._view, expanded=self._view.expanded | {spec.id})
        return nodes, []

    def _is_ruled_out(self, spec: StepSpec, node: NodeView) -> bool:
        """Whether none of a step's nodes is needed, whichever there will be."""
        if self._unread(node, self._whens[spec.id]):
            return False
        try:
            return not when(self._book, node.doc, self._view)
        except RunbookError:  # it depends on the member
            return False

    def _stand_in(self, spec: StepSpec) -> NodeDoc:
        """One node in place of those that are not known, with an ellipsis where the title is not known either."""
        scope = local(everywhere(self._view), self._book, spec, self._view)
        title = []
        for part in template(spec.title).parts:
            try:
                title.append(Template((part,)).write(scope))
            except BookError:
                title.append("…")
        needs = [self._name(need.step) for need in spec.needs]
        return {
            "id": spec.id,
            "step": spec.id,
            "key": None,
            "title": "".join(title),
            "phase": spec.phase,
            "target": "",
            "gate": spec.gate,
            "needs": needs,
            "item": None,
        }

    # ------------------------------------------------------------ one node

    async def _judge(self, spec: StepSpec, node: NodeView) -> Finding:
        if node.state in FINISHED:
            return Finding(node, "satisfied")
        after = self._after(node.doc["needs"])
        if unread := self._unread(node, self._whens[spec.id]):
            return self._keep(Finding(_pending(node), "unknown_until", unread))
        try:
            is_wanted = applies(self._book, node, self._view)
        except RunbookError as error:
            return self._keep(self._ruled(told(_pending(node), failure(node.id, error)), after))
        if not is_wanted:
            return self._keep(Finding(_not_needed(spec, node), "satisfied", after))
        if unread := self._unread(node, self._withs[spec.id]):
            return self._keep(Finding(_pending(node), "unknown_until", unread))
        return self._keep(self._ruled(await self._looks.look(node, self._view), after))

    def _ruled(self, node: NodeView, after: tuple[str, ...]) -> Finding:
        """What a look comes to, by rules 3 to 6."""
        is_near = all(map(self._is_change, after))
        if not after or (node.state is NodeState.READY and is_near):
            return Finding(node, SAID[node.state], after)
        so_far = is_near and node.state is NodeState.DONE
        return Finding(_pending(node), "unknown_until", after, _words(node), so_far)

    def _keep(self, finding: Finding) -> Finding:
        """References read the node as it was found."""
        self._nodes[finding.node.id] = finding.node
        return finding

    def _after(self, needs: Iterable[str]) -> tuple[str, ...]:
        """What has to be done first: needs that are not passed, and what the others come after.

        Those that nobody can tell the end of come first.
        """
        found: dict[str, None] = {}
        for need in needs:
            step = step_of(need)
            known = self._finding(need)
            if known is not None and known.is_passed:
                found.update(dict.fromkeys(known.after))
            elif known is None and self._sums[step].is_passed:
                found.update(dict.fromkeys(self._sums[step].after))
            else:
                found[need if known is None else known.node.id] = None
        return tuple(sorted(found, key=self._is_change))

    def _finding(self, need: str) -> Finding | None:
        """What was found of a node, or of the step that stands in for it; None for all nodes of a step."""
        of_step = self._of_step[step_of(need)]
        return of_step.get(need) or of_step.get(step_of(need))

    def _is_change(self, need: str) -> bool:
        known = self._finding(need)
        return self._sums[step_of(need)].is_changed if known is None else known.verdict == "change"

    # ------------------------------------------------------------ what is referred to

    def _referred(self, spec: StepSpec, written: Any) -> list[tuple[str, str]]:
        """Root and step of every reference to a node in what a step writes."""
        found: dict[tuple[str, str], None] = {}
        for path in paths(written):
            root, *names = path.names
            if root in ("nodes", "all") and names:
                found[root, names[0]] = None
            elif root in ("nodes", "all", "@"):  # all of it
                found.update((("all", step), None) for step in self._before[spec.id])
        return [(root, step) for root, step in found if step in self._before[spec.id]]

    def _unread(self, node: NodeView, refs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
        """Nodes that this one refers to and that are not satisfied."""
        found: dict[str, None] = {}
        for root, step in refs:
            mine = [need for need in node.doc["needs"] if step_of(need) == step and not need.endswith("[*]")]
            known = self._of_step[step].get(mine[0]) if root == "nodes" and len(mine) == 1 else None
            if not (known.verdict == "satisfied" if known is not None else self._sums[step].is_read):
                found[known.node.id if known is not None else self._name(step)] = None
        return tuple(found)

    def _name(self, step: str) -> str:
        """How all nodes of a step are called together."""
        return step if self._book.step(step).for_each is None else f"{step}[*]"


def _not_needed(spec: StepSpec, node: NodeView) -> NodeView:
    data = {"by": "when", "reason": spec.unneeded}
    return told(_pending(node), [Draft(Kind.SKIPPED, node.id, NodeState.SKIPPED, data)])


def _pending(node: NodeView) -> NodeView:
    """The node without anything that a look said."""
    bare = replace(node, verdict="", summary="", checks=(), changes=(), outputs={}, due_ms=None)
    return replace(bare, state=NodeState.PENDING, waiting=None, blocked=None, error=None)


def _words(node: NodeView) -> str:
    match node.state:
        case NodeState.BLOCKED if node.blocked:
            return f"blocked by {node.blocked['rule']}: {node.blocked['message']}"
        case NodeState.WAITING if node.waiting:
            return f"waiting for {node.waiting['who']}"
        case NodeState.SETTLING:
            return f"in progress: {node.summary}"
        case NodeState.FAILED if node.error:
            return f"not readable: {node.error['message']}"
        case NodeState.READY:
            return f"change: {'; '.join(c['title'] for c in node.changes)}"
        case _:
            return "satisfied"
