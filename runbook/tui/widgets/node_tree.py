"""The tree of phases and nodes. A row is redrawn when it changed; a branch is rebuilt when its members changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from runbook.tui.present.rows import Branch, Key, Row
from runbook.tui.present.text import short_middle, short_parts

_EMPTY = Row(("phase", ""), "", "", "", "")

_ROOMY: Final = 40
"""In fewer cells, words that the glyph says just as plainly make room for titles."""
_QUIET: Final = frozenset({"done", "pending"})


class NodeTree(Tree[Row], inherit_bindings=False):
    """Shows an outline and knows which row the cursor is on, by key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor_up", "Up", show=False),
        Binding("down", "cursor_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home", "scroll_home", "First", show=False),
        Binding("end", "scroll_end", "Last", show=False),
        Binding("space", "toggle_node", "Fold", show=False),
        Binding("enter", "enter_row", "Open", show=False),
    ]
    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "

    class Entered(Message):
        """Enter was pressed on a row that holds no others: the selected one."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(Text("run"), _EMPTY, id=id)
        self.show_root = False
        self.guide_depth = 2
        self.auto_expand = False
        self._places: dict[Key, TreeNode[Row]] = {}
        self._drawn: dict[Key, Branch] = {}
        """What each row was last drawn from."""

    @property
    def key(self) -> Key | None:
        """The key of the row under the cursor."""
        node = self.cursor_node
        return node.data.key if node is not None and node.data is not None else None

    def action_enter_row(self) -> None:
        """Fold or unfold a row that holds others; else say that it was entered."""
        if self.cursor_node is not None and self.cursor_node.allow_expand:
            self.action_toggle_node()
        else:
            self.post_message(self.Entered())

    def show(self, branches: Sequence[Branch]) -> None:
        """Make the tree look like this outline. The cursor stays on its key where that still exists."""
        at = self.key
        with self.prevent(Tree.NodeHighlighted):
            if self._sync(self.root, branches):
                self._settle(at)

    def go(self, key: Key) -> None:
        """Move the cursor to a row, unfolding what hides it. Says nothing to anybody."""
        place = self._places.get(key)
        if place is None:
            return
        parent = place.parent
        with self.prevent(Tree.NodeHighlighted):
            while parent is not None and not parent.is_root:
                if not parent.is_expanded:  # expanding counts every line of the tree anew
                    parent.expand()
                parent = parent.parent
            self._settle(key)

    def _settle(self, key: Key | None) -> None:
        """Put the cursor back after lines may have moved; asking for the last line makes the tree count them."""
        if self.last_line >= 0 and key is not None and (place := self._places.get(key)) is not None:
            self.move_cursor(place)
            self._reveal()

    def _reveal(self) -> None:
        """Keep the cursor in sight, with a few rows below it."""
        if self.cursor_line >= 0 and self.size.height:
            self.scroll_to_line(min(self.last_line, self.cursor_line + 3), animate=False)
            self.scroll_to_line(self.cursor_line, animate=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self._reveal)

    def _sync(self, parent: TreeNode[Row], branches: Sequence[Branch]) -> bool:
        """Bring one level up to date. Returns whether rows came or went."""
        keys = [b.row.key for b in branches]
        had = [c.data.key if c.data else None for c in parent.children]
        came = keys != had
        if came and not self._insert(parent, branches, had):
            is_open = {c.data.key: c.is_expanded for c in parent.children if c.data}
            self._forget(parent)
            for branch in branches:
                self._add(parent, branch, is_open)
            return True
        moved = came
        for child, branch in zip(parent.children, branches, strict=True):
            if self._drawn.get(branch.row.key) is branch:
                continue
            self._drawn[branch.row.key] = branch
            if child.data != branch.row:
                child.data = branch.row
                if child.line >= 0:
                    child.refresh()
            if branch.children and not child.allow_expand:  # a step that has become nodes
                child.allow_expand = True
                if not branch.begins_folded:
                    child.expand()
            moved = self._sync(child, branch.children) or moved
        return moved

    def _insert(self, parent: TreeNode[Row], branches: Sequence[Branch], had: Sequence[Key | None]) -> bool:
        """Put new rows between those that stay. False when that is not all that happened."""
        left = iter(had)
        waited_for = next(left, None)
        new: list[tuple[int, Branch]] = []
        for place, branch in enumerate(branches):
            if waited_for is not None and branch.row.key == waited_for:
                waited_for = next(left, None)
            else:
                new.append((place, branch))
        if waited_for is not None or not had:
            return False
        for place, branch in new:
            self._add(parent, branch, {}, place)
        return True

    def _add(self, parent: TreeNode[Row], branch: Branch, is_open: dict[Key, bool], place: int | None = None) -> None:
        key = branch.row.key
        before = place if place is not None and place < len(parent.children) else None
        node = parent.add(
            Text(branch.row.title or " "),
            branch.row,
            before=before,
            expand=is_open.get(key, not branch.begins_folded),
            allow_expand=bool(branch.children),
        )
        self._places[key] = node
        self._drawn[key] = branch
        for child in branch.children:
            self._add(node, child, is_open)

    def _forget(self, parent: TreeNode[Row]) -> None:
        for child in parent.children:
            self._forget(child)
            if child.data is not None:
                self._places.pop(child.data.key, None)
                self._drawn.pop(child.data.key, None)
        parent.remove_children()

    def is_folded(self, key: Key) -> bool:
        """Whether a row holds others that are not shown."""
        place = self._places.get(key)
        return place is not None and place.allow_expand and not place.is_expanded

    def has(self, key: Key) -> bool:
        """Whether there is such a row."""
        return key in self._places

    def folds(self) -> tuple[frozenset[Key], frozenset[Key]]:
        """The rows that hold others: those that are folded, and those that are open."""
        holding = [(key, place.is_expanded) for key, place in self._places.items() if place.allow_expand]
        return frozenset(k for k, is_open in holding if not is_open), frozenset(k for k, is_open in holding if is_open)

    def fold(self, folded: Iterable[Key], opened: Iterable[Key]) -> None:
        """Fold and open rows, as far as they are there."""
        for keys, is_open in ((folded, False), (opened, True)):
            for place in (self._places[key] for key in keys if key in self._places):
                if place.allow_expand and place.is_expanded is not is_open:
                    place.toggle()

    def get_label_width(self, node: TreeNode[Row]) -> int:
        """Asked for every line of the tree to know how far it scrolls sideways, which it never does."""
        return 1

    def _room_of(self, node: TreeNode[Row]) -> int:
        """What a label has to fill exactly."""
        depth, parent = -1, node.parent
        while parent is not None:
            depth, parent = depth + 1, parent.parent
        return max(1, self.scrollable_content_region.width - depth * self.guide_depth)

    def render_label(self, node: TreeNode[Row], base_style: Style, style: Style) -> Text:
        """``▾ glyph title …… word``, the word at the right edge."""
        row = node.data or _EMPTY
        width = self._room_of(node)
        fold = ""
        if node.allow_expand:
            fold = self.ICON_NODE_EXPANDED if node.is_expanded else self.ICON_NODE
        has_cursor = node is self.cursor_node  # a state's colour may vanish on the cursor's
        state = self.screen.get_component_rich_style(f"role--{row.role}", partial=True) if row.role else Style()
        state = Style() if has_cursor else state
        word = "" if self.size.width < _ROOMY and row.word in _QUIET else row.word
        taken = len(fold) + 2 + cell_len(row.title)
        if row.spelled and taken + len(row.spelled) + 1 <= width:
            word = row.spelled
        room = width - len(fold) - 2 - (len(word) + 1 if word else 0)
        title = short_parts(row.parts, room) if row.parts else short_middle(row.title, room)
        text = Text(no_wrap=True, end="")
        text.append(fold, Style(meta={"toggle": True}) if fold else None)
        text.append(f"{row.glyph} ", state)
        text.append(title, self.screen.get_component_rich_style("role--heading", partial=True) if fold else None)
        text.append(" " * max(bool(word), width - text.cell_len - len(word)))
        text.append(word, state)
        text.stylize_before(style)
        return text
