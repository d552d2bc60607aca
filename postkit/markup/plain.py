"""Markdown as plain text, for networks that show no markup: nothing of the text is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from .layout import Layout
from .tree import may_have_marks, parse

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

RULE = "———"
INDENT = "  "
_LOOKS = {
    "em": "emphasis",
    "strong": "emphasis",
    "s": "strikethrough",
    "code_inline": "code",
    "fence": "code",
    "code_block": "code",
    "heading": "headings",
    "table": "tables",
}
_SEVERAL = frozenset({"headings", "tables"})
CELLS = " | "
_SCHEME = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plain:
    """``change`` says in words what is not shown any more; "" where nothing is missing."""

    text: str
    change: str = ""


@lru_cache(maxsize=64)  # a post's parts are asked for once by each of its networks
def plain(source: str) -> Plain:
    """What readers see of ``source``, without its marks.

    Items of lists keep their number or get a bullet, quotes a ``>``, links stand behind their
    words unless the words are the link. Raises TooDeep.
    """
    if not may_have_marks(source):
        return Plain(source)
    writer = _Writer(Layout(source))
    text = writer.blocks(parse(source).children)
    return Plain(text, writer.change())


class _Writer:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._looks: dict[str, None] = {}
        self._has_links = False

    def change(self) -> str:
        looks = list(self._looks)
        words = []
        if looks:
            named = " and ".join(filter(None, (", ".join(looks[:-1]), looks[-1])))
            verb = "is" if len(looks) == 1 and looks[0] not in _SEVERAL else "are"
            words.append(f"{named} {verb} shown as plain text")
        if self._has_links:
            words.append("links stand behind their words")
        return "; ".join(words)

    def blocks(self, nodes: list[SyntaxTreeNode]) -> str:
        pieces: list[str] = []
        for node in nodes:
            text = self._block(node)
            if pieces:
                pieces.append("\n" * (1 + self._layout.between(node)))
            pieces.append(text)
        return "".join(pieces)

    def _block(self, node: SyntaxTreeNode) -> str:
        if node.type in _LOOKS:
            self._looks[_LOOKS[node.type]] = None
        if node.type in ("fence", "code_block"):
            return node.content.removesuffix("\n")
        if node.type == "hr":
            return RULE
        if node.type == "blockquote":
            return _prefixed(self.blocks(node.children), "> ", "> ")
        if node.type in ("bullet_list", "ordered_list"):
            return "".join(self._items(node))
        if node.type == "table":
            rows = (row for part in node.children for row in part.children)
            return "\n".join(self._row(row) for row in rows)
        return self._inline(node.children)

    def _row(self, row: SyntaxTreeNode) -> str:
        return CELLS.join(self._inline(cell.children) for cell in row.children).strip()

    def _items(self, node: SyntaxTreeNode) -> Iterator[str]:
        number = int(node.attrs.get("start", 1))
        for position, item in enumerate(node.children):
            if position:
                yield "\n" * (1 + self._layout.between(item))
            mark = "• " if node.type == "bullet_list" else f"{number + position}{item.markup} "
            # Only what is nested is indented: lines are as long as the screen of a reader.
            yield mark + "".join(self._block(block) for block in item.children[:1])
            for block in item.children[1:]:
                yield "\n" * (1 + self._layout.between(block))
                yield _prefixed(self._block(block), INDENT, INDENT)

    def _inline(self, nodes: list[SyntaxTreeNode]) -> str:
        return "".join(self._span(node) for node in nodes)

    def _span(self, node: SyntaxTreeNode) -> str:
        if node.type in _LOOKS:
            self._looks[_LOOKS[node.type]] = None
        if node.type in ("softbreak", "hardbreak"):
            return "\n"
        if node.type == "link":
            return self._link(node)
        return self._inline(node.children) if node.children else node.content

    def _link(self, node: SyntaxTreeNode) -> str:
        words = self._inline(node.children)
        address = str(node.attrs["href"])
        title = str(node.attrs.get("title") or "")
        if not address:
            return f"{words} ({title})" if title else words
        if words.strip() and _is_same(words, address):
            address, words = words, ""
        behind = f"{title}: {address}" if title else address
        if not words.strip():
            return behind
        self._has_links = True
        return f"{words} ({behind})"


def _is_same(words: str, address: str) -> bool:
    """Whether ``words`` are the address, perhaps without its scheme or a slash at its end."""
    bare = _SCHEME.sub("", address, count=1).rstrip("/")
    return _SCHEME.sub("", words.strip(), count=1).rstrip("/") == bare


def _prefixed(text: str, first: str, others: str) -> str:
    lines = text.split("\n")
    rest = (others + line if line else others.rstrip(" ") for line in lines[1:])
    return "\n".join([(first + lines[0]).rstrip(" "), *rest])
