"""The page as a picture, made by a Chromium of this machine."""

from __future__ import annotations

import base64
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
TALLEST = 16_000
"""Pixels. What a browser draws in one piece; the rest of a taller page is left out."""


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A PNG, and the pixels at the end of the page that it leaves out."""

    data: bytes
    left_out: int


def find_browser() -> str:
    """The path of a Chromium or Chrome. Raises InputError that says what to install."""
    for name in PROGRAMS:
        path = shutil.which(name)
        if path is not None:
            return path
    raise InputError(
        "--png takes Chromium or Chrome, and neither is on the PATH: install one (on Debian: "
        "`apt install chromium`), or write the page with --html."
    )


def screenshot(page: Path, width: int) -> Screenshot:
    """The whole page, ``width`` CSS pixels wide. Raises InputError."""
    from .browser import Browser

    with Browser(find_browser()) as browser:
        session = browser.open(page, width, 800)
        size = browser.ask("Page.getLayoutMetrics", session)["cssContentSize"]
        height = min(int(size["height"]), TALLEST)
        browser.resize(session, width, height)
        shot = browser.ask("Page.captureScreenshot", session, format="png")
    return Screenshot(base64.b64decode(shot["data"]), int(size["height"]) - height)
