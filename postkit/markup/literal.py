"""Marks that are none: those inside of addresses and names, which are kept letter by letter.

Markdown alone would read ``@_sam_`` as another person and ``example.com/_a_`` as another page.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.rules_inline import StateInline

_LITERAL = re.compile(
    r"""(?:https?://|(?<![\w/.@-])[^\W_][\w-]*+(?:\.[\w-]++)+/)[^\s<>\[\]`\\]*+
    |[@#]\w++(?:[.@-]\w++)*+""",
    re.VERBOSE | re.IGNORECASE,
)
# What may close emphasis or a sentence around an address belongs to neither.
_CLOSING = "*_~.,:;!?'\")"
_KEY = "literal"


def literal(state: StateInline, silent: bool) -> bool:
    """An inline rule: takes a mark inside of an address or a name for a letter."""
    if state.src[state.pos] not in "*_~":
        return False
    source, starts, ends = state.env.get(_KEY) or ("", [], [])
    if source is not state.src:
        starts, ends = _spans(state.src)
        state.env[_KEY] = (state.src, starts, ends)
    index = bisect_right(starts, state.pos) - 1
    if index < 0 or state.pos >= ends[index]:
        return False
    if not silent:
        state.pending += state.src[state.pos]
    state.pos += 1
    return True


def _spans(text: str) -> tuple[list[int], list[int]]:
    starts: list[int] = []
    ends: list[int] = []
    for found in _LITERAL.finditer(text):
        starts.append(found.start())
        ends.append(found.start() + len(found.group().rstrip(_CLOSING)))
    return starts, ends
