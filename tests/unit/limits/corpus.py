"""Texts to compare two readings of the same rules by: sentences, and pieces thrown together."""

from __future__ import annotations

import random

PIECES = (
    *("http://", "https://", "HTTP://", "example", "foo", "com", "jp", "co.uk", "file.py", "xn--"),
    *(".", ".", ".", "..", "/", "/", "-", "_", "@", "#", "$", "(", ")", "?", "=", "&", ":", ":80"),
    *(
        "日",
        "本語",
        "。",
        "、",
        "公司",
        "рф",
        "Привет",
        "ком",
        "пример",
        "xn--p1ai",
        "한국",
        "भारत",
    ),
    *("t.co", "https://t.co/a1", "https://t.co/a?b=c", " ", " ", " ", "\n", "\r\n", "\r", "\t"),
    *("a", "B", "1", "!", ",", "'", '"', "*", "~", "+", "%", "[", "]", "|", "{", "^", "`", "\\"),
    *("é", "ü", "ñ", "ß", "e\u0301", "“", "”", "–", "—", "…", "€", "\u200e", "\u202e", "＠", "＃"),
    *(
        "😀",
        "👩‍🔧",
        "👨‍👩‍👧‍👦",
        "👍",
        "👍🏽",
        "🏽",
        "🇩",
        "🇪",
        "🇩🇪",
        "1️⃣",
        "#️⃣",
        "2⃣",
        "©",
        "®️",
        "❤️",
        "🏴‍☠️",
    ),
    *("\ufe0f", "\u200d", "\u20e3", "ไทย", "हिन्दी", "مرحبا", "ʻ", "ι", "\u180e", "\xa0", "\u3000"),
    *("\x00", "\x07", "\ufeff", "\uffff", "vermögensberatung", "word", "naïve", "user@example.com"),
)

SENTENCES = (
    "We ship today: https://example.com/launch?ref=1#top.",
    "Read example.com/docs_(v2), then file.py and foo.bar",
    "今日はhttps://example.jp/新しい版を公開。詳細はexample.comで",
    "Größer, schöner – für 5 € bei münchen.de oder http://bücher.example.de/ä!",
    "Ask press@example.com or @someone about #launch and $ABC",
    "👩‍👩‍👧 went 🇯🇵→🇩🇪 in 3️⃣ days 👍🏿",
    "สวัสดี example.com.hk/ไทย नमस्ते مرحبا",
    "Привет, пример.рф и http://пример.рф/путь",
)


def corpus(seed: int, size: int) -> list[str]:
    chance = random.Random(seed)
    texts = list(SENTENCES)
    while len(texts) < size // 3:
        texts.append(" ".join(chance.choices(SENTENCES, k=chance.randint(1, 4))))
    while len(texts) < size:
        texts.append("".join(chance.choices(PIECES, k=chance.randint(1, 24))))
    return texts
