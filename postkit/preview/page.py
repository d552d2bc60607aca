"""The page: one file that needs no network, runs no script, and escapes every text."""

from __future__ import annotations

from importlib.resources import files

from ..pages.card import card_style
from ..pages.markup import escape
from ..plan import Plan
from .pictures import Pictures
from .section import section
from .summary import summary

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What a browser may load for it: what is inside of it."""


def page(plan: Plan, due: str | None = None) -> bytes:
    """The HTML of ``plan`` in UTF-8. ``due`` is its time in words (None: now)."""
    pictures = Pictures()
    sections = "".join(
        section(planned, number, pictures) for number, planned in enumerate(plan.deliveries, 1)
    )
    title = " ".join((plan.post.title or plan.post.text).split())
    title = title if len(title) <= 60 else f"{title[:60].rstrip()}..."
    style = card_style() + files("postkit.preview").joinpath("page.css").read_text("utf-8")
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{escape(title or 'A post')} - postkit preview</title><style>{style}</style>"
        "</head><body>"
        '<header class="top"><h1>postkit <span>preview</span></h1>'
        f'<p class="subject" dir="auto">{escape(title)}</p>'
        '<p class="unsent">Nothing was sent.</p></header>'
        f'<main>{summary(plan, due)}<div class="addresses n{min(len(plan.deliveries), 9)}">'
        f"{sections}</div></main></body></html>"
    )
    # A file's name is bytes, and may be no text at all.
    return html.encode("utf-8", "replace")
