"""A body's Markdown as readers see it, in plain text. Enough of it to show what is lost when a
text that is no Markdown is sent as it is."""

from __future__ import annotations

import html
import re

_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_URL = re.compile(r"https?://[^\s<>\ue100-\ue1ff]+")
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]*)\)")
_EMPHASIS = (
    re.compile(r"\*\*(\S(?:.{0,999}?\S)?)\*\*", re.DOTALL),
    re.compile(r"\*(\S(?:.{0,999}?\S)?)\*", re.DOTALL),
    re.compile(r"(?<!\w)__(\S(?:.{0,999}?\S)?)__(?!\w)", re.DOTALL),
    re.compile(r"(?<!\w)_(\S(?:.{0,999}?\S)?)_(?!\w)", re.DOTALL),
    re.compile(r"~~(.{1,999}?)~~", re.DOTALL),
    re.compile(r"`([^`]{1,999})`"),
    re.compile(r"\^(\S)"),
)
_BLOCK = re.compile(r"[ \t]{0,3}(?:#{1,6}[ \t]*|>!?[ \t]*|[-+*][ \t]+|\d+[.)][ \t]+)")
_RULE = re.compile(r"[ \t]{0,3}([-*_=])(?:[ \t]*\1)*[ \t]*")
_CELLS = re.compile(r"[ \t]*\|(.*)\|[ \t]*")
_UNDER = re.compile(r"[ \t]*\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*")
"""The line under the head of a table."""
_PRIVATE = 0xE100


def shown(source: str) -> str:
    """The text of a body: escapes resolved, marks gone, the lines of a paragraph joined."""
    kept: list[str] = []

    def keep(text: str) -> str:
        kept.append(text)
        return f"\ue0fe{len(kept) - 1}\ue0ff"

    text = _ESCAPE.sub(lambda found: chr(_PRIVATE + ord(found[1])), source.rstrip())
    text = _LINK.sub(lambda found: found[1] + keep(f" ({found[2]})"), text)
    text = _URL.sub(lambda found: keep(found[0]), text)
    paragraphs = [_paragraph(part) for part in re.split(r"\n[ \t]*\n\s*?(?=\S|\u00a0)", text)]
    text = "\n\n".join(part for part in paragraphs if part)
    text = re.sub(r"\ue0fe(\d+)\ue0ff", lambda found: kept[int(found[1])], html.unescape(text))
    return re.sub(
        f"[{chr(_PRIVATE)}-{chr(_PRIVATE + 127)}]", lambda f: chr(ord(f[0]) - _PRIVATE), text
    )


def _paragraph(source: str) -> str:
    pieces: list[str] = []
    lines = source.strip("\n").split("\n")
    is_table = len(lines) > 1 and _UNDER.fullmatch(lines[1]) is not None
    for line in lines:
        if is_table and (cells := _CELLS.fullmatch(line)):
            if not _UNDER.fullmatch(line):
                pieces.append(cells[1].strip() + "\n")
            continue
        if _RULE.fullmatch(line):
            continue
        block = _BLOCK.match(line)
        text = line[block.end() :] if block else line
        broken = text.endswith("  ") or block is not None
        pieces.append(text.strip(" \t") + ("\n" if broken else " "))
    joined = "".join(pieces).strip(" \n")
    for mark in _EMPHASIS:
        joined = mark.sub(r"\1", joined)
    return joined
