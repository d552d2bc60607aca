"""The links of a text, as HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence

from postkit.pages.markup import Markup, escape

from .timeline import TextLink

_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.I)
_TRAILING = ".,;:!?'\")]}"


def anchor(href: str, text: str) -> Markup:
    """A link where ``href`` is http(s), else the text alone."""
    own = href.startswith("/") and href[1:2] not in ("/", "\\")
    if not own and not href.lower().startswith(("http://", "https://")):
        return escape(text)
    return Markup(f'<a href="{escape(href)}" rel="noreferrer nofollow">{escape(text)}</a>')


def linked(text: str, links: Sequence[TextLink] | None) -> Markup:
    """``text`` with its links. None finds the http(s) addresses in it."""
    out: list[str] = []
    end = 0
    for link in sorted(found(text) if links is None else links, key=lambda one: one.start):
        if end <= link.start < link.end <= len(text):
            out += [escape(text[end : link.start]), anchor(link.href, text[link.start : link.end])]
            end = link.end
    out.append(escape(text[end:]))
    return Markup("".join(out))


def found(text: str) -> list[TextLink]:
    """The http(s) addresses in a text, without the punctuation that follows them."""
    links = []
    for match in _ADDRESS.finditer(text):
        address = match.group()
        bare = address.rstrip(_TRAILING)
        if "(" in bare and address[len(bare) : len(bare) + 1] == ")":
            bare += ")"
        links.append(TextLink(match.start(), match.start() + len(bare), bare))
    return links
