"""Which nodes have something to do now, and when the next one will.

Only what an event may have changed is looked at again, so a run of thousands of nodes costs no more per event than
a small one. Holds nothing the view does not tell: it can be built anew from a view at any moment.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Final

from runbook.core.clock import PUT_BACK_MS
from runbook.core.ids import step_of
from runbook.core.state import FINISHED, NodeState
from runbook.core.view import NodeView, RunView
from runbook.core.waiting import Poll


class Act(Enum):
    """What a node has to do."""

    BEGIN = auto()
    """Its needs are met, or never will be: ask whether it applies, then look."""
    LOOK = auto()
    POLL = auto()


class Agenda:
    """Dirty nodes and timed ones."""

    def __init__(self, view: RunView, moment: Callable[[], int] | None = None) -> None:
        self._moment = moment or partial(next, count(1))
        self._due: dict[str, int] = {}
        self._dirty: set[str] = set()
        self._timed: list[tuple[int, str]] = []
        self._hastened: set[str] = set()
        self._open: Counter[str] = Counter()
        self.left = 0
        """Nodes that are not finished."""
        self._dependents: defaultdict[str, list[str]] = defaultdict(list)
        self._needed: defaultdict[str, set[str]] = defaultdict(set)
        self._place: dict[str, int] = {}
        self.add_nodes(view, list(view.nodes))

    def add_nodes(self, view: RunView, names: list[str]) -> None:
        """Take up nodes that were not known yet."""
        for node in map(view.nodes.__getitem__, names):
            self.touch(node.id)
            if node.state not in FINISHED:
                self._open[node.doc["step"]] += 1
                self.left += 1
            for need in node.doc["needs"]:
                self._dependents[need].append(node.id)
                self._needed[step_of(need)].add(need)
        self._place.clear()

    def touch(self, node: str) -> None:
        """Something about this node may have changed: if it has something to do, that became due just now."""
        self._dirty.add(node)
        self._due[node] = self._moment()

    def hasten(self, nodes: list[str]) -> None:
        """These are due now, whatever their time says."""
        self._hastened.update(nodes)
        self._touch_all(nodes)

    def became_due(self, node: str) -> int:
        """The moment at which what a node has to do became due."""
        return self._due[node]

    def _touch_all(self, nodes: list[str]) -> None:
        self._dirty.update(nodes)
        self._due.update(dict.fromkeys(nodes, self._moment()))

    def finished(self, node: NodeView) -> None:
        """A node came into a finished state: those who need it may begin."""
        step = node.doc["step"]
        self._open[step] -= 1
        self.left -= 1
        self._touch_all(self._dependents[node.id])
        if not self._open[step]:
            self._touch_all(self._dependents[f"{step}[*]"])

    def is_step_over(self, view: RunView, step: str) -> bool:
        """Whether a step has become nodes and all of them are finished."""
        return step in view.expanded and not self._open[step]

    def step_expanded(self, view: RunView, step: str) -> None:
        """A step became nodes, possibly none: those who need all of it may begin, or one that it did not become."""
        every = f"{step}[*]"
        for need in self._needed[step]:
            if need not in view.nodes and (need != every or not self._open[step]):
                self._touch_all(self._dependents[need])

    def next_ms(self, view: RunView) -> int | None:
        """When the next timed node is due; None when none is."""
        while self._timed:
            at_ms, name = self._timed[0]
            if view.nodes[name].due_ms == at_ms:
                return at_ms
            heappop(self._timed)  # overtaken by a later entry
        return None

    def take(
        self, view: RunView, now_ms: int, room: int, is_busy: Callable[[str], bool], is_free: Callable[[NodeView], bool]
    ) -> list[tuple[Act, NodeView]]:
        """What is to be done now, at most ``room``; each is handed out once until touched again.

        Who became due first comes first, and in book order what became due at the same moment: where ARM lets through
        less than there is to do, book order alone would leave the last ones out for ever.
        """
        risen = []
        while (at_ms := self.next_ms(view)) is not None and at_ms <= now_ms:
            risen.append(heappop(self._timed)[1])
        self._touch_all(risen)
        if not self._dirty or room <= 0:
            return []
        if not self._place:
            self._place.update((name, place) for place, name in enumerate(view.nodes))
        dirty = sorted(self._dirty, key=lambda name: (self._due[name], self._place[name]))
        self._dirty.clear()
        acts: list[tuple[Act, NodeView]] = []
        for number, node in enumerate(map(view.nodes.__getitem__, dirty)):
            if len(acts) == room:
                self._dirty.update(dirty[number:])  # not even looked at: there is a next time as soon as there is room
                break
            if is_busy(node.id):
                continue  # it is touched when its activity ends
            is_hastened = node.id in self._hastened
            self._hastened.discard(node.id)
            is_later = node.due_ms is not None and node.due_ms > now_ms and not is_hastened
            if is_later and node.due_ms is not None and node.state is not NodeState.PENDING:
                heappush(self._timed, (node.due_ms, node.id))
            elif (act := self._act(view, node, is_free)) is not None:
                acts.append((act, node))
        return acts

    def _act(self, view: RunView, node: NodeView, is_free: Callable[[NodeView], bool]) -> Act | None:
        match node.state:
            case NodeState.PENDING:
                is_hopeless = any(is_missing(view, need) for need in node.doc["needs"])
                return Act.BEGIN if is_hopeless or self.is_met(view, node) else None
            case NodeState.OBSERVING:
                return Act.LOOK
            case NodeState.READY:
                # A refresh asked for by the operator, or an approved change whose turn has come.
                return Act.LOOK if node.due_ms is not None or (node.is_approved and is_free(node)) else None
            case NodeState.SETTLING:
                return Act.POLL if node.operation else Act.LOOK
            case NodeState.FAILED if not node.verdict:
                # Never looked at: what kept it from that may still.
                return Act.BEGIN if node.due_ms is not None else None
            case NodeState.WAITING | NodeState.BLOCKED | NodeState.FAILED | NodeState.IN_DOUBT:
                return Act.LOOK if node.due_ms is not None else None
            case _:
                return None

    def is_met(self, view: RunView, node: NodeView) -> bool:
        """Whether all that a node needs is finished."""
        return all(self._is_finished(view, need) for need in node.doc["needs"])

    def _is_finished(self, view: RunView, need: str) -> bool:
        if need.endswith("[*]"):
            return self.is_step_over(view, need[:-3])
        node = view.nodes.get(need)
        return node is not None and node.state in FINISHED


def is_missing(view: RunView, need: str) -> bool:
    """Whether a need names a node that its step, which has become nodes, did not become."""
    return need not in view.nodes and not need.endswith("[*]") and step_of(need) in view.expanded


_LONGEST: Final = Poll(first_s=4 * 3600.0)
"""No delay of ours is longer, other than a wait's whose step says so."""


def is_too_far_ahead(node: NodeView, now_ms: int) -> bool:
    """Whether a node's next look lies further ahead than any delay would put it: another clock did."""
    if node.due_ms is None or node.deferred:  # how long ARM asked to be left alone is not ours to judge
        return False
    poll, polls = _LONGEST, 0
    if node.waiting and (doc := node.waiting.get("poll")):
        poll, polls = Poll(**doc), node.waiting["polls"]
    return node.due_ms - now_ms > round(poll.delay_s(polls, part=1.0) * 1000) + PUT_BACK_MS


def next_act_ms(view: RunView, now_ms: int) -> int | None:
    """When something of a run that nobody drives is to be done without a person: now, later, or never (None)."""
    agenda = Agenda(view)
    acts = agenda.take(view, now_ms, len(view.nodes) + 1, lambda _: False, lambda _: True)
    late = any(is_too_far_ahead(n, now_ms) for n in view.nodes.values()) and now_ms < view.updated_ms - PUT_BACK_MS
    at_work = any(n.state is NodeState.APPLYING for n in view.nodes.values())
    return now_ms if acts or late or at_work or not view.nodes else agenda.next_ms(view)
