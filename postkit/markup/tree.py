"""Markdown as a tree: CommonMark with ~~strikethrough~~, and without HTML and pictures.

HTML is text, since no network shows it; so are references, since an unused one would vanish.
A line break is one, as the author sees it (CommonMark would make it a space).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

MAX_DEPTH = 20
"""Levels of lists and quotes within each other."""

_MARKS = re.compile(
    r"[*_`~\\&<\[]|^[ \t]*(?:[-+#>=]|\d{1,9}[.)](?:[ \t]|$))|^(?: {4}| {0,3}\t)|[ \t]$",
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

    tokens = _parser().parse(text)
    # The parser drops what is deeper than its limit, which is a little above ours.
    if any(token.level >= 2 * MAX_DEPTH for token in tokens):
        raise TooDeep
    return SyntaxTreeNode(tokens)


def is_plain(tree: SyntaxTreeNode) -> bool:
    """Whether there is nothing but paragraphs of text."""
    kinds = {"root", "paragraph", "inline", "text", "softbreak", "hardbreak"}
    return all(node.type in kinds for node in tree.walk())


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    from .literal import literal

    class Reader(MarkdownIt):
        """Leaves addresses as the author wrote them, with their letters of any script."""

        def normalizeLink(self, url: str) -> str:  # noqa: N802 - the parser's name for it
            return url

        def normalizeLinkText(self, link: str) -> str:  # noqa: N802 - the parser's name for it
            return link

    parser = Reader("commonmark", {"maxNesting": 2 * MAX_DEPTH + 10})
    parser.enable("strikethrough")
    parser.inline.ruler.before("strikethrough", "literal", literal)
    return parser.disable(["html_block", "html_inline", "image", "reference"])
