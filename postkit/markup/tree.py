"""Markdown as a tree: CommonMark with ~~strikethrough~~ and tables, without HTML and pictures.

HTML is text, since no network shows it. So is what a reader of Markdown would leave out: link
references of which one is not used, and tables with a row that is longer than their head.
A line break is one, as the author sees it (CommonMark would make it a space).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode

MAX_DEPTH = 20
"""Levels of lists and quotes within each other."""

_MARKS = re.compile(
    r"[*_`~\\&<\[]|^[ \t]*(?:[-+#>=|:]|\d{1,9}[.)](?:[ \t]|$))|^(?: {4}| {0,3}\t)|[ \t]$",
    re.MULTILINE,
)


class TooDeep(ValueError):
    """Lists and quotes are nested more than MAX_DEPTH deep."""


def may_have_marks(text: str) -> bool:
    """Whether ``text`` has any character that could mean something in Markdown."""
    return _MARKS.search(text) is not None


def parse(text: str) -> SyntaxTreeNode:
    """The tree of ``text``. Raises TooDeep."""
    from markdown_it.tree import SyntaxTreeNode

    env: dict[str, Any] = {}
    tokens = _parser(references=True, tables=True).parse(text, env)
    unused = "duplicate_refs" in env or env.get("references", {}).keys() != _labels(tokens)
    cut = _is_cut(text, tokens)
    if unused or cut:
        tokens = _parser(references=not unused, tables=not cut).parse(text)
    # The parser drops what is deeper than its limit, which is a little above ours.
    if any(token.level >= 2 * MAX_DEPTH for token in tokens):
        raise TooDeep
    return SyntaxTreeNode(tokens)


def is_plain(tree: SyntaxTreeNode) -> bool:
    """Whether there is nothing but paragraphs of text."""
    kinds = {"root", "paragraph", "inline", "text", "softbreak", "hardbreak"}
    return all(node.type in kinds for node in tree.walk())


def _labels(tokens: Iterable[Token]) -> set[str]:
    """The references that links are made of."""
    spans = (span for token in tokens for span in token.children or ())
    return {span.meta["label"] for span in spans if "label" in span.meta}


def _is_cut(text: str, tokens: Iterable[Token]) -> bool:
    """Whether a table has a row with more cells than its head; a reader drops those."""
    from markdown_it.rules_block.table import escapedSplit

    lines = text.split("\n")
    start = end = width = 0
    for token in tokens:
        if token.type == "table_open":
            (start, end), width = token.map or (0, 0), 0
        elif token.type == "th_open":
            width += 1
        elif token.type == "thead_close":
            # Below the head, and the line under it.
            rows = (line.strip(" \t>") for line in lines[start + 2 : end])
            if any(len(escapedSplit(r.removeprefix("|").removesuffix("|"))) > width for r in rows):
                return True
    return False


@cache
def _parser(*, references: bool, tables: bool) -> MarkdownIt:
    from markdown_it import MarkdownIt

    from .flanking import Inline
    from .literal import literal

    class Reader(MarkdownIt):
        """Leaves addresses as the author wrote them, with their letters of any script."""

        def configure(self, *args: Any, **named: Any) -> MarkdownIt:
            self.inline = Inline()
            return super().configure(*args, **named)

        def normalizeLink(self, url: str) -> str:  # noqa: N802 - the parser's name for it
            return url

        def normalizeLinkText(self, link: str) -> str:  # noqa: N802 - the parser's name for it
            return link

    parser = Reader("commonmark", {"maxNesting": 2 * MAX_DEPTH + 10, "store_labels": True})
    parser.enable(["strikethrough", *["table"] * tables])
    parser.inline.ruler.before("strikethrough", "literal", literal)
    return parser.disable(["html_block", "html_inline", "image", *["reference"] * (not references)])
