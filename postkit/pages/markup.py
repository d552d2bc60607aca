"""HTML that is safe to put on a page, and the one way from text to it."""

from __future__ import annotations

import html
from typing import NewType

Markup = NewType("Markup", str)
"""Escaped HTML. Only ``escape`` and the pages' own templates make it."""


def escape(text: str) -> Markup:
    return Markup(html.escape(text, quote=True))


def isolated(text: str) -> Markup:
    """A name amid other words, whatever direction its letters or its controls ask for."""
    return Markup(f"<bdi>{escape(text)}</bdi>")
