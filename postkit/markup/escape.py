"""Plain text for a network that reads Markdown: readers see exactly the author's letters.

Beyond CommonMark this covers what sites add to it: strikethrough, superscript, tables, spoilers,
and headings without a space behind their sign.
"""

from __future__ import annotations

import re

from ..limits.entities import EntityRules

BREAK = "  \n"
"""A line break within a paragraph; without its spaces the lines would be joined."""

_INLINE = re.compile(r"[\\`*\[\]<>^~|]|(?<![^\W_])_|_(?![^\W_])")
_REFERENCE = re.compile(r"&(?=#?\w+;)")
_INDENT = re.compile(r"[ \t]+")
_BULLET = re.compile(r"([#+-])")
_NUMBER = re.compile(r"(\d+)([.)])(?=\s|$)")
_UNDERLINE = re.compile(r"=(?==*\s*$)")


def escape(text: str, rules: EntityRules) -> str:
    """Markdown that is shown as exactly ``text``; the URLs of ``rules`` in it stay links."""
    lines = [escape_line(line.rstrip(), rules) for line in text.replace("\r\n", "\n").split("\n")]
    pieces: list[str] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        pieces.append(line + (BREAK if line and following else "\n"))
    return "".join(pieces)[:-1]


def escape_line(line: str, rules: EntityRules) -> str:
    """The same for what begins a line, and has no line break."""
    indent = _INDENT.match(line)
    if indent is not None:
        # Four plain spaces would begin a block of code, fewer would vanish.
        shown = indent.group().expandtabs(4)
        return "\u00a0" * len(shown) + escape_words(line[indent.end() :], rules)
    for pattern, escaped in ((_BULLET, r"\\\1"), (_NUMBER, r"\1\\\2"), (_UNDERLINE, "&#61;")):
        found = pattern.match(line)
        if found is not None:
            return found.expand(escaped) + escape_words(line[found.end() :], rules)
    return escape_words(line, rules)


def escape_words(text: str, rules: EntityRules) -> str:
    """The same for what stands within a line."""
    pieces: list[str] = []
    end = 0
    for url in rules.urls_in(text):
        pieces += (_escaped(text[end : url.start]), url.text)
        end = url.end
    pieces.append(_escaped(text[end:]))
    return "".join(pieces)


def _escaped(text: str) -> str:
    return _REFERENCE.sub("&amp;", _INLINE.sub(r"\\\g<0>", text))
