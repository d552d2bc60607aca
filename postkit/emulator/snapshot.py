"""The page as one file: it shows the posts when the emulator has ended."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from .page import Page
from .server import EmulatorServer

_PICTURE = re.compile(r"/_postkit/media/([0-9a-f]{64})")


def save(server: EmulatorServer, path: Path) -> Path:
    """Write the page with its pictures inside; it needs no server and no network."""
    media = server.world.media

    def inline(match: re.Match[str]) -> str:
        kept = media.get(match[1])
        if kept is None:
            return match[0]
        return f"data:{kept.mime};base64,{base64.b64encode(kept.data).decode('ascii')}"

    html = bytes(Page(server.world, server.emulators).timelines().body).decode("utf-8")
    path.write_text(_PICTURE.sub(inline, html), "utf-8")
    return path
