"""A board that takes pictures, and pictures for it."""

from __future__ import annotations

import dataclasses
from io import BytesIO
from pathlib import Path

from PIL import Image

from postkit.kit import Kit
from postkit.limits.model import ImageLimit
from postkit.post import Media

from .board import SOURCE, Board


class PictureBoard(Board):
    limits = dataclasses.replace(
        Board.limits, media_count=4, image=ImageLimit(("image/png",), 10**6, SOURCE)
    )


def picture(path: Path, number: int = 0) -> Media:
    """Each number is another picture."""
    data = BytesIO()
    Image.new("RGB", (8, 8), (number, 0, 0)).save(data, "PNG")
    file = path / f"picture{number}.png"
    file.write_bytes(data.getvalue())
    return Media(file)


def stored(kit: Kit) -> list[Path]:
    """The media in the kit's home."""
    return [path for path in kit.home.media_path.rglob("*") if len(path.name) == 64]
