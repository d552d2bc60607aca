"""What belongs together in a text: never cut (links, names, amounts), or only where it must be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ..limits.entities import EntityRules

Span = tuple[int, int]

# A link is kept whole also where the network itself makes none of it.
_LINK = re.compile(r"https?://\S+")
_UNIT = (
    r"(?:[kcmµμn]?m[²³]?|km/h|[kmµμ]?g|[mk]?[lL]|h|min|m?s|°[CF]?|%|‰|[€$£¥₹₽]|EUR|USD|GBP|JPY|CHF"
    r"|[kKMGT]i?B|[kMG]?Hz|[kMG]?Wh?|k?V|px|pt|Uhr|[AaPp]\.?[Mm]\.?|Mio\.|Mrd\.|[mb]illion)"
)
_AMOUNT = re.compile(
    rf"(?<![\w.,])[-+±~≈]?\d[\d.,  /]*+[ \u00a0\u202f]?(?<=[\d \u00a0\u202f]){_UNIT}(?!\w)"
    r"|(?<!\w)(?:[€$£¥₹₽]|EUR|USD|GBP|CHF|No\.|Nr\.|№|§§?)[ \u00a0\u202f]\d[\d.,]*"
)
_PAIRS = {"(": ")", "[": "]", "{": "}", "«": "»", "“": "”", "„": "“", "‹": "›", '"': '"'} | {
    "「": "」", "『": "』", "（": "）", "【": "】", "《": "》", "〈": "〉", "〔": "〕", "［": "］"
}  # fmt: skip
_BRACKET = re.compile("|".join(map(re.escape, sorted({*_PAIRS, *_PAIRS.values()}))) + r"|\n\s*\n")
# Embeddings and overrides end with PDF, isolates with PDI; a cut between would turn text around.
_BIDI = re.compile("[\u202a\u202b\u202d\u202e\u202c\u2066-\u2069]")
_RTL_LETTERS = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
_RTL_RUN = re.compile(rf"[{_RTL_LETTERS}](?:[^\n\w]*+[\d{_RTL_LETTERS}]++)*+")


def never_cut(text: str, rules: EntityRules) -> list[Span]:
    """Links, mentions, hashtags, cashtags, and numbers with their unit, in order of their start."""
    return sorted(
        [(entity.start, entity.end) for entity in rules.detect(text)]
        + [found.span() for pattern in (_LINK, _AMOUNT) for found in pattern.finditer(text)]
    )


def keep_whole(text: str) -> list[Span]:
    """Quotes, brackets, directional isolates and embeddings, and words from right to left among
    others: what is cut only where it is longer than a part. What is not closed is no span."""
    return sorted({*_quoted(text), *_directed(text), *_turned(text)})


def _quoted(text: str) -> Iterator[Span]:
    """Pairs within one paragraph; a sign of inches or an emoticon closes nothing."""
    opened: list[tuple[str, int]] = []
    for found in _BRACKET.finditer(text):
        sign, at = found.group(), found.start()
        if sign[0] == "\n":
            opened.clear()
            continue
        closes = next((i for i in range(len(opened) - 1, -1, -1) if opened[i][0] == sign), None)
        if closes is not None and len(opened) - closes <= _DEPTH:
            yield opened[closes][1], found.end()
            del opened[closes:]
        elif sign in _PAIRS:
            opened.append((_PAIRS[sign], at))
            del opened[:-_DEPTH]


_DEPTH = 16
"""Quotes and brackets that may be open at once; of more, the outer ones are forgotten."""


def _directed(text: str) -> Iterator[Span]:
    opened: list[tuple[bool, int]] = []
    for found in _BIDI.finditer(text):
        sign, at = found.group(), found.start()
        if sign not in "\u202c\u2069":
            opened.append((sign >= "\u2066", at))
            continue
        # An isolate's end closes what is open within it; an embedding's end closes itself only.
        isolate = sign == "\u2069"
        while isolate and len(opened) > 1 and not opened[-1][0]:
            opened.pop()
        if opened and opened[-1][0] == isolate:
            yield opened.pop()[1], found.end()


def _turned(text: str) -> Iterator[Span]:
    """Runs of right-to-left words in lines that begin from left to right."""
    for found in _RTL_RUN.finditer(text):
        start, end = found.span()
        line = text.rfind("\n", 0, start) + 1
        first = next((c for c in text[line : line + 200] if c.isalpha()), "")
        if unicodedata.bidirectional(first) == "L" if first else False:
            yield start, end
