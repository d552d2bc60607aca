"""Pieces of a post's card."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from importlib.resources import files

from .markup import Markup, escape

_HUES = 8


def card_style() -> str:
    """The style sheet of these pieces, with the colours that a page builds on."""
    return files("postkit.pages").joinpath("card.css").read_text("utf-8")


def avatar(name: str) -> Markup:
    """A letter on a colour that follows the name. Classes, since a policy may ban style=."""
    letter = next((char for char in name if char.isalnum()), "?").upper()
    hue = zlib.crc32(name.encode("utf-8", "replace")) % _HUES
    return Markup(
        f'<svg class="avatar hue{hue}" viewBox="0 0 40 40" aria-hidden="true">'
        f'<circle cx="20" cy="20" r="20"/><text x="20" y="26.5">{escape(letter)}</text></svg>'
    )


def poll(options: Sequence[str], *, multiple: bool, open_until: str) -> Markup:
    """The options to choose from, and a line on how; ``open_until`` ends that line."""
    mark = "square" if multiple else "round"
    rows = "".join(f'<li class="{mark}" dir="auto">{escape(option)}</li>' for option in options)
    several = "several answers" if multiple else "one answer"
    note = ", ".join(part for part in (several, escape(open_until)) if part)
    return Markup(f'<div class="poll"><ul>{rows}</ul><p class="quiet">Poll, {note}</p></div>')
