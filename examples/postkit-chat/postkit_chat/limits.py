"""What Chat allows. Each row has its source and the date on which it was checked."""

from __future__ import annotations

from datetime import date

from postkit.limits.counters import CodePoints, Graphemes
from postkit.limits.entities import EntityRules
from postkit.limits.model import ImageLimit, Limits, Rate, Source, TextLimit

CHECKED = date(2026, 11, 23)
MESSAGES = Source("chat.example/api/messages (imaginary)", CHECKED)
FILES = Source("chat.example/api/files (imaginary)", CHECKED)

RULES = EntityRules(urls=True, edges="spaced", mention="name", hashtags=True)
KEY_SECONDS = 24 * 3600.0
"""How long Chat honours an Idempotency-Key."""

LIMITS = Limits(
    source=MESSAGES,
    text=(TextLimit(Graphemes(), 400, MESSAGES),),
    rules=RULES,
    threads=True,
    media_count=2,
    image=ImageLimit(("image/jpeg", "image/png"), max_bytes=5_000_000, source=FILES),
    alt=TextLimit(CodePoints(), 500, FILES),
    rates=(Rate("messages", 60, 60, MESSAGES),),
)
