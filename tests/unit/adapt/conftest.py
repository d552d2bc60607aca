"""Tables of limits and pictures that the tests of adapting share."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from PIL import Image, ImageDraw

from postkit.limits.counters import CodePoints, Graphemes, Utf8Bytes, Weighted
from postkit.limits.entities import EntityRules
from postkit.limits.model import ImageLimit, Limits, PollLimit, Source, TextLimit

SOURCE = Source("made for these tests", date(2026, 11, 23))
RULES = EntityRules(bare_domains=True, mention="name", hashtags=True)
RANGES = ((0, 4351, 1), (8192, 8205, 1), (8208, 8223, 1), (8242, 8247, 1))
WEIGHTED = TextLimit(Weighted(RANGES, 2, 23, 2, RULES), 280, SOURCE)
PICTURES = ImageLimit(
    ("image/jpeg", "image/png", "image/gif"), 1_000_000, SOURCE, max_width=2048, max_height=2048
)
POLL = PollLimit(2, 4, 25, 5, 10_080, SOURCE)


def characters(maximum: int) -> TextLimit:
    return TextLimit(CodePoints(), maximum, SOURCE)


TABLES = {
    "weighted thread": Limits(
        SOURCE,
        (WEIGHTED,),
        RULES,
        threads=True,
        media_count=4,
        image=PICTURES,
        poll=POLL,
        alt=characters(1000),
    ),
    "graphemes and bytes": Limits(
        SOURCE,
        (TextLimit(Graphemes(), 300, SOURCE), TextLimit(Utf8Bytes(), 3000, SOURCE)),
        RULES,
        threads=True,
        media_count=2,
        image=PICTURES,
        alt=characters(20),
        languages=3,
        link="field",
        link_with_media=False,
        tags="field",
        max_tags=2,
        empty_text=False,
    ),
    "title and no threads": Limits(
        SOURCE,
        (characters(400),),
        RULES,
        threads=False,
        media_count=1,
        image=PICTURES,
        title=characters(30),
        title_required=True,
        link="field",
        tags="none",
    ),
    "server": Limits(
        SOURCE,
        (characters(60),),
        RULES,
        threads=True,
        media_count=4,
        image=PICTURES,
        alt=characters(1500),
        languages=1,
        content_warning=True,
        visibility=("public", "private"),
        replies=("everyone", "following", "nobody"),
        poll=PollLimit(2, 4, 50, 5, 100_000, SOURCE, multiple=True, with_media=True),
        tags="text",
        max_tags=1,
    ),
    "text alone": Limits(
        SOURCE,
        (characters(100),),
        RULES,
        threads=False,
        media_count=0,
        link="none",
        tags="none",
    ),
}


@pytest.fixture(scope="session")
def tables() -> dict[str, Limits]:
    return TABLES


@pytest.fixture
def table() -> Callable[..., Limits]:
    """A table by name, with other values: ``table("server", media_count=1)``."""

    def make(name: str = "weighted thread", **fields: Any) -> Limits:
        return TABLES[name].changed(**fields)

    return make


@pytest.fixture(scope="session")
def pictures() -> ImageLimit:
    return PICTURES


@pytest.fixture(scope="session")
def weighted() -> TextLimit:
    return WEIGHTED


@pytest.fixture(scope="session")
def rules() -> EntityRules:
    return RULES


@pytest.fixture(scope="session")
def photo() -> Callable[..., bytes]:
    """A picture with a red upper left corner and noise that does not compress away."""

    def make(
        width: int = 64, height: int = 48, kind: str = "JPEG", mode: str = "RGB", **save: Any
    ) -> bytes:
        image = Image.effect_noise((width, height), 40).convert("RGB")
        ImageDraw.Draw(image).rectangle((0, 0, width // 4, height // 4), fill=(255, 0, 0))
        file = io.BytesIO()
        image.convert(mode).save(file, kind, **save)
        return file.getvalue()

    return make
