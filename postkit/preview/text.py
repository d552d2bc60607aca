"""A text as a network shows it: its links, mentions and tags stand out, and lead nowhere."""

from __future__ import annotations

from ..limits.entities import EntityRules
from ..pages.markup import Markup, escape


def marked(text: str, rules: EntityRules) -> Markup:
    """``text`` with a span around each entity that the network would find in it."""
    out: list[str] = []
    end = 0
    for entity in rules.detect(text):
        out.append(escape(text[end : entity.start]))
        out.append(f'<span class="{entity.kind} link">{escape(entity.text)}</span>')
        end = entity.end
    out.append(escape(text[end:]))
    return Markup("".join(out))


def language(lang: object) -> Markup:
    """The attribute ``lang`` for a text, with a space before it; empty where none is known."""
    return Markup(f' lang="{escape(str(lang))}"' if lang else "")
