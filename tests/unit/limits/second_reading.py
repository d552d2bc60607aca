"""twitter-text's rules for mentions, lists, hashtags and cashtags, read once more.

The Python port has no code for them, so these walk from character to character, as slow and as
near to the published rules (js/src/regexp of twitter/twitter-text 3.1.0, read 2026-11-29) as can
be: each rule spends the character in front of a sign, and what follows is looked at last.
"""

from __future__ import annotations

import string
import unicodedata

Found = tuple[str, int, int]

NAME = frozenset(string.ascii_letters + string.digits + "_")
AT, HASH = "@＠", "#＃"
SPACES = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u180e\u2028\u2029\u202f\u205f\u3000"
    + "".join(map(chr, range(0x2000, 0x200B)))
)
JAVASCRIPT_SPACES = (SPACES | {"\ufeff"}) - {"\x85", "\u180e"}
PUNCTUATION = frozenset("!'#%&()*+,\\-./:;<=>?@[]^_{|}~$")
SPECIAL = frozenset(
    "_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003\u0f0b\u0f0c\xb7"
)
ACCENTS = (
    (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x24F), (0x253, 0x254), (0x256, 0x257), (0x259, 0x259),
    (0x25B, 0x25B), (0x263, 0x263), (0x268, 0x268), (0x26F, 0x26F), (0x272, 0x272),
    (0x289, 0x289), (0x28B, 0x28B), (0x2BB, 0x2BB), (0x300, 0x36F), (0x1E00, 0x1EFF),
)  # fmt: skip


def is_accented(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in ACCENTS)


def is_letter(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM"


def in_tag(char: str) -> bool:
    return is_letter(char) or unicodedata.category(char) == "Nd" or char in SPECIAL


def run(text: str, at: int, allowed: frozenset[str], most: int) -> int:
    end = at
    while end < min(len(text), at + most) and text[end] in allowed:
        end += 1
    return end


def signs_after(text: str, at: int, signs: str) -> bool:
    return text[at : at + 1] in tuple(signs) or text.startswith("://", at)


def mentions(text: str) -> list[Found]:
    found: list[Found] = []
    floor = 0
    for at, char in enumerate(text):
        if char not in AT or at < floor:
            continue
        before = text[at - 1 : at]
        is_free = at == 0 or (at > floor and before not in NAME and before not in "!#$%&*@＠")
        retweet = text[max(0, at - 2) : at].lower() == "rt" and at - 2 >= floor
        if retweet and at > 2:
            earlier = text[at - 3]
            retweet = at - 3 >= floor and earlier not in NAME and earlier not in "+~.-"
        if not (is_free or retweet):
            continue
        end = run(text, at + 1, NAME, 20)
        if end == at + 1:
            continue
        kind = "mention"
        if text[end : end + 1] == "/" and text[end + 1 : end + 2] in tuple(string.ascii_letters):
            kind, end = "list", run(text, end + 2, NAME | {"-"}, 24)
        floor = end
        accented = end < len(text) and is_accented(text[end])
        if not accented and not signs_after(text, end, AT):
            found.append((kind, at, end))
    return found


def hashtags(text: str) -> list[Found]:
    found: list[Found] = []
    floor = 0
    for at, char in enumerate(text):
        if char not in HASH or at < floor:
            continue
        before = text[at - 1 : at]
        selector = before in ("\ufe0e", "\ufe0f")
        if at and (at == floor or not (selector or (not in_tag(before) and before != "&"))):
            continue
        if text[at + 1 : at + 2] in ("\ufe0f", "\u20e3"):
            continue
        end = at + 1
        while end < len(text) and in_tag(text[end]):
            end += 1
        if not any(map(is_letter, text[at + 1 : end])):
            continue
        floor = end
        if not signs_after(text, end, HASH):
            found.append(("hashtag", at, end))
    return found


def cashtags(text: str) -> list[Found]:
    letters = frozenset(string.ascii_letters)
    found: list[Found] = []
    for at, char in enumerate(text):
        if char != "$" or (at and text[at - 1] not in SPACES):
            continue
        name = run(text, at + 1, letters, 6)
        ends: list[int] = []
        if name > at + 1:
            if text[name : name + 1] in (".", "_"):
                last = run(text, name + 1, letters, 2)
                ends += range(last, name + 1, -1)
            ends += range(name, at + 1, -1)
        for end in ends:
            if end == len(text) or text[end] in JAVASCRIPT_SPACES | PUNCTUATION:
                found.append(("cashtag", at, end))
                break
    return found


def entities(text: str, urls: list[Found]) -> list[Found]:
    """All of them with ``urls``; of two that overlap the first stays."""
    kept: list[Found] = []
    together = urls + mentions(text) + hashtags(text) + cashtags(text)
    for entity in sorted(together, key=lambda entity: entity[1]):
        if not kept or entity[1] >= kept[-1][2]:
            kept.append(entity)
    return kept
