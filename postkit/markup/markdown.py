"""Markdown as a network's own Markdown: the same marks, in the spelling that every reader knows.

Old readers know no code between fences, no list below a paragraph without a blank line, and no
nested list that is indented by less than four columns; this is right for them and for CommonMark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..limits.entities import EntityRules
from .escape import BREAK, escape_line, escape_words
from .tree import parse

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_MARKS = {"em": "*", "strong": "**", "s": "~~"}
_RULES = {"left": ":---", "center": ":---:", "right": "---:"}
"""What stands under the head of a column, by how it is set."""
_STROKE = re.compile(r"(?<!\\)\|")
_INDENT = 4


def markdown(source: str, rules: EntityRules) -> str:
    """``source`` as Markdown in which only its own marks mean something. Raises TooDeep."""
    return _Writer(rules).blocks(parse(source).children)


class _Writer:
    def __init__(self, rules: EntityRules) -> None:
        self._rules = rules

    def blocks(self, nodes: list[SyntaxTreeNode]) -> str:
        return "\n\n".join(self._block(node) for node in nodes)

    def _code_block(self, node: SyntaxTreeNode) -> str:
        content = node.content.removesuffix("\n")
        before = node.previous_sibling
        if before is not None and before.type.endswith("_list"):
            # Indented, it would belong to the list.
            fence = _ticks(content, 3)
            return f"{fence}\n{content}\n{fence}"
        return _prefixed(content, " " * _INDENT, " " * _INDENT)

    def _block(self, node: SyntaxTreeNode) -> str:
        if node.type in ("fence", "code_block"):
            return self._code_block(node)
        if node.type == "hr":
            return "***"
        if node.type == "blockquote":
            return _prefixed(self.blocks(node.children), "> ", "> ")
        if node.type in ("bullet_list", "ordered_list"):
            return self._list(node)
        if node.type == "heading":
            words = "".join(self._spans(node.children)).replace(BREAK, " ")
            return f"{node.markup if '#' in node.markup else '#' * int(node.tag[1])} {words}"
        if node.type == "table":
            return "\n".join(self._rows(node))
        return "".join(self._spans(node.children))

    def _rows(self, table: SyntaxTreeNode) -> Iterator[str]:
        for part in table.children:
            for row in part.children:
                yield _row("".join(self._spans(cell.children)) for cell in row.children)
                if part.type == "thead":
                    styles = (str(cell.attrs.get("style", "")) for cell in row.children)
                    yield _row(_RULES.get(style.partition(":")[2], "---") for style in styles)

    def _list(self, node: SyntaxTreeNode) -> str:
        number = int(node.attrs.get("start", 1))
        loose = any(
            not child.hidden
            for item in node.children
            for child in item.children
            if child.type == "paragraph"
        )
        items = []
        for position, item in enumerate(node.children):
            mark = node.markup if node.type == "bullet_list" else f"{number + position}."
            if number > 1:
                # Old readers begin every list at 1: a year would become another one.
                items.append(f"{mark[:-1]}\\{item.markup} {self._item(item, loose)}".rstrip(" "))
                continue
            mark = mark.ljust(_INDENT - 1) + " "
            items.append(_prefixed(self._item(item, loose), mark, " " * len(mark)).rstrip(" "))
        if number > 1:
            return "\n\n".join(items)
        return ("\n\n" if loose else "\n").join(items)

    def _item(self, item: SyntaxTreeNode, loose: bool) -> str:
        tight = not loose and all(
            child.type in ("paragraph", "bullet_list", "ordered_list") for child in item.children
        )
        if not tight:
            return self.blocks(item.children)
        return "\n".join(self._block(child) for child in item.children)

    def _spans(self, nodes: list[SyntaxTreeNode], *, starts_line: bool = True) -> Iterator[str]:
        for node in nodes:
            text = self._span(node, starts_line)
            # Together they would be a picture.
            yield f"{text[:-1]}\\!" if _is_called_out(node) else text
            starts_line = node.type in ("softbreak", "hardbreak") or (starts_line and not text)

    def _span(self, node: SyntaxTreeNode, starts_line: bool) -> str:
        if node.type in ("softbreak", "hardbreak"):
            return BREAK
        if node.type == "code_inline":
            return _code(node.content)
        if node.type == "inline":
            return "".join(self._spans(node.children, starts_line=starts_line))
        if node.type == "link":
            return self._link(node)
        if node.type in _MARKS:
            mark = _MARKS[node.type]
            return mark + "".join(self._spans(node.children, starts_line=False)) + mark
        escaped = escape_line if starts_line else escape_words
        return escaped(node.content, self._rules)

    def _link(self, node: SyntaxTreeNode) -> str:
        address = str(node.attrs["href"])
        words = "".join(self._spans(node.children, starts_line=False))
        label = "".join(child.content for child in node.walk() if child.type == "text")
        title = str(node.attrs.get("title") or "")
        if not title and label == address and self._rules.urls_in(address):
            return address
        target = re.sub(r"[\\()<>]", r"\\\g<0>", address.replace(" ", "%20"))
        if title:
            target += ' "' + re.sub(r'[\\"]', r"\\\g<0>", title.replace("\n", " ")) + '"'
        return f"[{words or escape_words(address, self._rules)}]({target})"


def _is_called_out(node: SyntaxTreeNode) -> bool:
    following = node.next_sibling
    return (
        node.type == "text"
        and node.content.endswith("!")
        and (following is not None and following.type == "link")
    )


def _row(cells: Iterable[str]) -> str:
    # Also within code and addresses a bare stroke would begin another cell.
    whole = (_STROKE.sub(r"\\|", cell) for cell in cells)
    return f"| {' | '.join(whole)} |"


def _code(content: str) -> str:
    fence = _ticks(content, 1)
    space = " " if content.startswith("`") or content.endswith("`") else ""
    return f"{fence}{space}{content}{space}{fence}"


def _ticks(content: str, least: int) -> str:
    """More backticks than ``content`` has in a row."""
    return "`" * max(least, 1 + max(map(len, re.findall("`+", content)), default=0))


def _prefixed(text: str, first: str, others: str) -> str:
    lines = text.split("\n")
    rest = (others + line if line else others.rstrip(" ") for line in lines[1:])
    return "\n".join([first + lines[0], *rest])
