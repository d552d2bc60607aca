"""A status's text as the HTML that a server makes of it."""

from __future__ import annotations

import html
import re

from postkit.limits.entities import EntityRules

_SHOWN = 30
"""Characters of an address that stay visible after its scheme (TextFormatter, 4.x)."""


def to_html(text: str, rules: EntityRules, root: str) -> str:
    """Paragraphs, line breaks, links and hashtags. Mentions of unknown accounts stay text."""
    if not text.strip():
        return ""
    pieces: list[str] = []
    end = 0
    for entity in rules.detect(text):
        found = text[entity.start : entity.end]
        if entity.kind == "url" and found.lower().startswith(("http://", "https://")):
            markup = _link(found)
        elif entity.kind == "hashtag":
            markup = _hashtag(found[1:], root)
        else:
            continue
        pieces += html.escape(text[end : entity.start]), markup
        end = entity.end
    pieces.append(html.escape(text[end:]))
    body = "".join(pieces).replace("\r\n", "\n").strip("\n")
    paragraphs = re.split(r"\n{2,}", body)
    return "".join(f"<p>{part.replace(chr(10), '<br />')}</p>" for part in paragraphs)


def _link(address: str) -> str:
    match = re.match(r"https?://(?:www\.)?", address, re.IGNORECASE)
    prefix = match.group() if match else ""
    rest = address[len(prefix) :]
    cut = ' class="ellipsis"' if len(rest) > _SHOWN else ""
    return (
        f'<a href="{html.escape(address)}" target="_blank" rel="nofollow noopener" translate="no">'
        f'<span class="invisible">{html.escape(prefix)}</span>'
        f"<span{cut}>{html.escape(rest[:_SHOWN])}</span>"
        f'<span class="invisible">{html.escape(rest[_SHOWN:])}</span></a>'
    )


def _hashtag(name: str, root: str) -> str:
    tag = html.escape(name)
    address = f"{root}/tags/{tag.lower()}"
    return f'<a href="{address}" class="mention hashtag" rel="tag">#<span>{tag}</span></a>'
