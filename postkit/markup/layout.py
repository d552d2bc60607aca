"""The layout of a text: how many blank lines its author left between two blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode


class Layout:
    """Knows the lines of the source that a tree was made of."""

    def __init__(self, source: str) -> None:
        self._blank = [not line.strip(" \t>") for line in source.split("\n")]

    def between(self, block: SyntaxTreeNode) -> int:
        """Blank lines right above ``block``."""
        line = block.map[0] if block.map else 0
        count = 0
        while count < line and self._blank[line - 1 - count]:
            count += 1
        return count
