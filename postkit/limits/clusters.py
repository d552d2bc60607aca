r"""Extended grapheme clusters: what a reader takes for one character.

The rules are those of Unicode's annex 29 (revision 47, Unicode 17.0), the properties those of the
installed ``regex`` (17.0 since 2025-10). Its ``\X`` departs from the rules in one place (measured
on 2026.11.19, 2026-11-29): a consonant joins any virama before it, also one that follows no
consonant (rule GB9c). And it walks back over a run of flags for each of them, which takes minutes
for 100,000. Both are kept from it: what it sees is a text of the same length without them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regex import Pattern

# Code points that never join a neighbour: each is a cluster, but for CR LF.
_APART = re.compile(
    "[\x00-\u02ff\u0400-\u0482\u2010-\u2027\u20a0-\u20bf\u3001-\u3029\u3041-\u3096\u30a1-\u30ff"
    "\u4e00-\u9fff\uff01-\uff60]*+"
)
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
# The scripts that have viramas, from Devanagari to Kawi.
_INDIC = re.compile("[\u0900-\u0d7f\u1000-\u109f\u1780-\u1cff\ua980-\uabff\U00010a00-\U00011fff]")
_MARK = "\u0308"
"""Joins what is before it and nothing behind it."""


def clusters(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each cluster of ``text``; time grows with its length only."""
    for found in _patterns()[0].finditer(_smoothed(text)):
        yield found.span()


def count_clusters(text: str) -> int:
    apart = _APART.match(text)
    if apart is not None and apart.end() == len(text):
        return len(text) - text.count("\r\n")
    return len(_patterns()[0].findall(_smoothed(text)))


def _smoothed(text: str) -> str:
    """A text with the same clusters, each of which the engine finds at once."""
    text = _FLAG.sub("o" + _MARK, text)
    if not _INDIC.search(text):
        return text
    _, stray, virama = _patterns()
    return stray.sub(lambda found: virama.sub(_MARK, found.group()), text)


@cache
def _patterns() -> tuple[Pattern[str], Pattern[str], Pattern[str]]:
    import regex

    joining = r"\p{InCB=Extend}\p{InCB=Linker}"
    virama = r"[\p{InCB=Linker}&&\p{GCB=Extend}]"
    return (
        regex.compile(r"\X"),
        regex.compile(
            rf"(?V1)(?<![\p{{InCB=Consonant}}{joining}])[{joining}]++(?=\p{{InCB=Consonant}})"
        ),
        regex.compile(rf"(?V1){virama}"),
    )
