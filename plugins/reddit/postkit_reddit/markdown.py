"""Reddit reads a text as Markdown: what to send so that readers see the author's own letters."""

from __future__ import annotations

import re

from .limits import RULES

_INLINE = re.compile(r"[\\`*\[\]<>^~|]|(?<![^\W_])_|_(?![^\W_])")
_REFERENCE = re.compile(r"&(?=#?\w+;)")
_INDENT = re.compile(r"[ \t]+")
_BULLET = re.compile(r"([#+-])")
_NUMBER = re.compile(r"(\d+)([.)])(?=\s|$)")
_UNDERLINE = re.compile(r"=(?==*\s*$)")


def markdown(text: str) -> str:
    """Markdown that is shown as exactly ``text``; addresses in it stay links."""
    lines = [_line(line.rstrip()) for line in text.replace("\r\n", "\n").split("\n")]
    pieces: list[str] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        # Without the two spaces, Reddit would join the lines of a paragraph.
        pieces.append(line + "  " if line and following else line)
    return "\n".join(pieces)


def same_text(listed: str, sent: str) -> bool:
    """Whether a listed source is the one that was sent; Reddit may change white space."""
    return listed.split() == sent.split()


def _line(line: str) -> str:
    indent = _INDENT.match(line)
    if indent is not None:
        # Four plain spaces would begin a block of code, fewer would vanish.
        shown = indent.group().expandtabs(4)
        return "\u00a0" * len(shown) + _inline(line[indent.end() :])
    for pattern, escaped in ((_BULLET, r"\\\1"), (_NUMBER, r"\1\\\2"), (_UNDERLINE, "&#61;")):
        found = pattern.match(line)
        if found is not None:
            return found.expand(escaped) + _inline(line[found.end() :])
    return _inline(line)


def _inline(line: str) -> str:
    pieces: list[str] = []
    end = 0
    for url in RULES.urls_in(line):
        pieces += (_escaped(line[end : url.start]), url.text)
        end = url.end
    pieces.append(_escaped(line[end:]))
    return "".join(pieces)


def _escaped(text: str) -> str:
    return _REFERENCE.sub("&amp;", _INLINE.sub(r"\\\g<0>", text))
