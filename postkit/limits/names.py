"""Mentions, lists, hashtags and cashtags: where each begins and ends, network by network.

``name`` mentions and the hashtags of ``embedded`` edges are those of twitter-text 3; what a
federated server and Bluesky's app do otherwise are styles of their own (checked 2026-11-23).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from .hosts import is_listed_host
from .links import LATIN, SPACES, Span

if TYPE_CHECKING:
    from regex import Pattern as UnicodePattern

_AT = "@\uff20"
_HASH = "#\uff03"

MENTION_STYLES = {
    # RT alone may touch the sign; everything else of a word may not.
    "name": (
        rf"(?:(?<![A-Za-z0-9_!#$%&*{_AT}])|(?<=^[Rr][Tt])|(?<=[^A-Za-z0-9_+~.-][Rr][Tt]))"
        rf"[{_AT}][A-Za-z0-9_]{{1,20}}(?P<list>/[A-Za-z][A-Za-z0-9_-]{{0,24}})?"
    ),
    "name@host": r"(?<![\w=/@])@[A-Za-z0-9_]++(?:[.-]++[A-Za-z0-9_]++)*(?:@\w++(?:[.-]++\w++)*)?",
    "host": r"(?<![^\s(])@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)+(?![\w@]|\.\w)",
}
"""Ways to mention somebody: ``@name``, also with a list of theirs; ``@name``, also at a server; a
domain as the name."""

_NO_NAME = re.compile(rf"[{_AT}{LATIN}]|://")
_NO_TAG = re.compile(rf"[{_HASH}]|://")
_CASHTAG = re.compile(
    rf"(?<![^{SPACES}])\$[A-Za-z]{{1,6}}(?:[._][A-Za-z]{{1,2}})?"
    r"(?=\Z|[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
    r"|[!'#%&()*+,\\./:;<=>?@\[\]^_{|}~$-])"
)


@cache
def mention_pattern(style: str) -> re.Pattern[str]:
    """The pattern of a style or of ``re``. Raises ValueError for one that is neither."""
    try:
        return re.compile(MENTION_STYLES.get(style, style))
    except re.error as error:
        styles = ", ".join(MENTION_STYLES)
        raise ValueError(
            f"mention is {style!r}; take one of {styles} or a valid pattern ({error})."
        ) from None


def mentions(text: str, style: str) -> Iterator[tuple[Span, bool]]:
    """Each mention, and whether it names a list."""
    found = mention_pattern(style).finditer(text)
    if style == "name":
        for match in _apart(text, found, _NO_NAME):
            yield match.span(), match["list"] is not None
        return
    for match in found:
        start, end = match.span()
        if style == "host":
            # Names below .test are reserved for tests and used as such.
            host = text[start + 1 : end]
            if not (is_listed_host(host) or host.endswith(".test")):
                continue
        if end > start:
            yield (start, end), False


def hashtags(text: str, *, spaced: bool, federated: bool) -> Iterator[Span]:
    """``spaced``: between white space; ``federated``: none behind a slash, fewer signs in it."""
    found = _hashtag_pattern(spaced, federated).finditer(text)
    for match in found if spaced else _apart(text, found, _NO_TAG):
        start, end = match.span()
        while spaced and text[end - 1] in "-_":
            end -= 1
        yield start, end


def cashtags(text: str) -> Iterator[Span]:
    for found in _CASHTAG.finditer(text):
        yield found.span()


def _apart(text: str, found: Iterator[Any], not_before: re.Pattern[str]) -> Iterator[Any]:
    """Without what touches the one before, or what ``not_before`` follows.

    The published rules look at what follows only after the longest match, and spend the
    character that precedes one: what was part of a refused match cannot precede another.
    """
    last = -1
    for match in found:
        if match.start() != last and not not_before.match(text, match.end()):
            yield match
        last = match.end()


@cache
def _hashtag_pattern(spaced: bool, federated: bool) -> UnicodePattern[str]:
    # re knows no class for combining marks, without which most Indic words would end early.
    import regex

    if spaced:
        return regex.compile(
            rf"(?<!\S)[{_HASH}](?!\ufe0f|\u20e3)"
            r"(?=[\p{Nd}_-]*+[\p{L}\p{M}\p{Extended_Pictographic}])"
            r"[\p{L}\p{M}\p{Nd}\p{Extended_Pictographic}\p{Emoji_Modifier}\u200d_-]++"
        )
    word = r"\p{L}\p{M}\p{Nd}_\u200c\u200d\xb7\u05f3\u05f4\u30fb"
    before = rf"(?<![{word}&/])"
    if not federated:
        word += r"\u05be\u0f0b\u0f0c\u3003\u301c\u309b\u309c\u30a0\ua67e\uff5e"
        # A hashtag may follow an emoji, the last part of which is a mark.
        before = rf"(?:(?<![{word}&])|(?<=[\ufe0e\ufe0f]))"
    return regex.compile(
        rf"{before}[{_HASH}](?!\ufe0f|\u20e3)(?=[{word}]*?[\p{{L}}\p{{M}}])[{word}]++"
    )
