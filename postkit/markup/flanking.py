"""Where emphasis may begin and end beside the letters of scripts without spaces.

CommonMark asks for a space between a mark that has punctuation on its inner side and a letter on
its outer one, as in ``**「語」**は``: there is none to be had, and readers would see the marks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from markdown_it.common.utils import isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


class Inline(ParserInline):
    """Reads what is within a line as CommonMark does, but for those marks."""

    def parse(
        self, src: str, md: MarkdownIt, env: MutableMapping[str, Any], tokens: list[Token]
    ) -> list[Token]:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _State(StateInline):
    __slots__ = ()

    # The names are the parser's.
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803
        found = super().scanDelims(start, canSplitWord)
        before = self.src[start - 1] if start else " "
        behind = self.src[start + found.length : start + found.length + 1] or " "
        if not (canSplitWord and (_is_wide(before) or _is_wide(behind))):
            return found
        return Scanned(not isWhiteSpace(ord(behind)), not isWhiteSpace(ord(before)), found.length)


def _is_wide(char: str) -> bool:
    """Whether it is of Chinese, Japanese or Korean writing, its punctuation included."""
    is_symbol = unicodedata.category(char) == "So"
    return unicodedata.east_asian_width(char) in ("W", "F", "H") and not is_symbol
