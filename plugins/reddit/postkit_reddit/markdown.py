"""Reddit reads a text as Markdown: what to send so that readers see the author's own letters."""

from __future__ import annotations

from postkit.markup.escape import escape

from .limits import RULES


def markdown(text: str) -> str:
    """Markdown that is shown as exactly ``text``; addresses in it stay links."""
    return escape(text, RULES)


def same_text(listed: str, sent: str) -> bool:
    """Whether a listed source is the one that was sent; Reddit may change white space."""
    return listed.split() == sent.split()
