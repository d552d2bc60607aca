"""What generated texts are made of: each piece as it is written, and as readers see it."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """``source`` is what the author writes; ``shown`` is what a network without markup shows,
    worked out by hand. ``block`` stands between blank lines."""

    source: str
    shown: str
    block: bool = False


SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "Größe, naïveté, Ærøskøbing and Łódź.",
    "今日は新しい版を公開します。長い文でも切れません。",
    "我们今天发布新版本，欢迎试用。",
    "새 버전을 오늘 공개합니다.",
    "วันนี้เราเปิดตัวรุ่นใหม่แล้ว",
    "आज हम नया संस्करण जारी कर रहे हैं।",
    "نطلق اليوم الإصدار الجديد من البرنامج.",
    "היום אנחנו משחררים גרסה חדשה.",
    "👩‍👩‍👧‍👦 and 👨🏽‍🚀 and 🏳️‍🌈 and 🇩🇪 and 1️⃣!",
    "Cafe\u0301 with a combining accent.",
    "See https://example.com/a_b/c?d=e&f=g#h for more.",
    "https://例え.jp/道 works as well.",
    "It is on docs.example.org/guide now.",
    "Thanks to @postkit_dev and @someone@social.example for it.",
    "#launch #größe #日本語 and #2027goals.",
    "Load 5 km/h at 1,000.50 €, 20 °C.",
    "“Quoted words (in brackets) stay together,” she said.",
    "3 < 4 & 5 > 2.",
)
RARE = ("Buy $ACME today.", "Line one\nline two\nline three")
LITERAL = (
    "5 * 3 * 2 is *not emphasis* here, _nor_ here, and `this` is ~~no~~ code.",
    "# is no heading, and [this](https://example.com/) is no link.",
    "- is no list",
    "> is no quote",
    "1. is no list either",
    "Back\\slash and \\*stars\\*.",
    "&amp; is no entity.",
)
"""Marks in a text that is not Markdown: each stands to the letter."""
MARKED = (
    Piece("This is *soft* and **loud**.", "This is soft and loud."),
    Piece("Run `make *all*` now.", "Run make *all* now."),
    Piece("It is ~~old~~ new.", "It is old new."),
    Piece(
        "Read [the guide](https://example.com/guide).",
        "Read the guide (https://example.com/guide).",
    ),
    Piece(r"A \*literal\* star.", "A *literal* star."),
    Piece("This &amp; that.", "This & that."),
    Piece("- first\n- second", "• first\n• second", block=True),
    Piece("1. one\n2. two", "1. one\n2. two", block=True),
    Piece("> quoted *words*", "> quoted words", block=True),
    Piece("## A heading", "A heading", block=True),
    Piece("|a|*b*|\n|-|--:|\n|`c`|d\\|e|", "a | b\nc | d|e", block=True),
)
"""Marks of Markdown."""


def text(choose: random.Random, opening: str, pieces: int, *, markdown: bool) -> Piece:
    """``opening`` and so many pieces, joined by spaces and line ends of any kind."""
    written, shown = [opening], [opening]
    was_block = False
    for _ in range(pieces):
        piece = _piece(choose, markdown=markdown)
        if piece.block and was_block:
            piece = _same(choose.choice(SENTENCES))  # two lists in a row would be one
        joint = choose.choice((" ", " ", " ", "\n", "\n\n", "\r\n", "\r\n\r\n"))
        if piece.block or was_block:
            joint = "\n\n"
        was_block = piece.block
        written += [joint, piece.source]
        shown += [joint, piece.shown]
    return Piece("".join(written), "".join(shown))


def _piece(choose: random.Random, *, markdown: bool) -> Piece:
    draw = choose.random()
    if markdown and draw < 0.5:
        return choose.choice(MARKED)
    if not markdown and draw < 0.15:
        return _same(choose.choice(LITERAL))
    return _same(choose.choice(RARE if draw > 0.97 else SENTENCES))


def _same(sentence: str) -> Piece:
    return Piece(sentence, sentence)
