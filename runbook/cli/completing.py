"""What the shell offers after Tab. Invariant: a completion never raises and imports no more than it must."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from runbook import assets

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from runbook.core.view import RunView


def _items(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_run(
    ctx: click.Context, param: click.Parameter, incomplete: str, *, archived: bool = False
) -> list[CompletionItem]:
    """Ids of the runs in this state folder; with ``archived``, of those that were put away."""
    from runbook.cli.main import Settings
    from runbook.home import run_ids

    return _items(run_ids(ctx.ensure_object(Settings).home, archived=archived), incomplete)


def complete_book(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the shipped books, or files when the word looks like a path."""
    return _names("books", incomplete)


def complete_scenario(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the shipped scenarios, or files when the word looks like a path."""
    return _names("scenarios", incomplete)


def _names(folder: str, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    if any(sign in incomplete for sign in "./\\"):
        return [CompletionItem(incomplete, type="file")]
    return _items(sorted(p.stem for p in assets.path(folder).glob("*.yaml")), incomplete)


def complete_node(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Nodes of the run named before, those first that something can be answered to."""
    from runbook.core.error import RunbookError
    from runbook.core.state import NodeState

    try:
        view = _view(ctx)
    except (RunbookError, OSError):
        return []
    nodes = sorted(view.nodes.values(), key=lambda node: not node.needs_operator)
    ready = Counter(n.doc["step"] for n in nodes if n.state is NodeState.READY and not n.is_approved)
    together = [f"{step}[*]" for step, count in ready.items() if count > 1]
    return _items([*together, *(n.id for n in nodes)], incomplete)


def _view(ctx: click.Context) -> RunView:
    from runbook.cli.main import Settings
    from runbook.cli.reading import view_of

    return view_of(ctx.ensure_object(Settings).home, str(ctx.params.get("run", "")))[0]
