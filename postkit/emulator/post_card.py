"""One post on the page."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from postkit.pages.card import avatar, poll
from postkit.pages.markup import Markup, escape

from .links import anchor, linked
from .timeline import LivePost, ShownCard, ShownMedia, ShownPoll


def post_card(post: LivePost, now: datetime) -> Markup:
    """The HTML of one post, as a reader would see it at ``now``."""
    ident = escape(f"{post.network}-{post.id}")
    name = post.author or post.account
    return Markup(
        f'<article class="post" id="{ident}">{avatar(name)}<div class="body">'
        f"{_head(post, now)}{_folded(post)}</div></article>"
    )


def _head(post: LivePost, now: datetime) -> str:
    exact = post.created_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    when = (
        f'<time datetime="{post.created_at.isoformat()}" title="{exact}">'
        f"{_ago(post.created_at, now)}</time>"
    )
    if post.url:
        when = f'<a class="quiet" href="{escape(post.url)}">{when}</a>' if _web(post.url) else when
    author = escape(post.author or post.account)
    handle = f'<span class="handle">{escape(post.account)}</span>' if post.author else ""
    where = f'<span class="tag">{escape(post.target)}</span>' if post.target else ""
    seen = post.visibility not in (None, "public")
    who = f'<span class="tag">{escape(str(post.visibility))}</span>' if seen else ""
    closed = post.replies not in (None, "everyone")
    may = f'<span class="tag">replies: {escape(str(post.replies))}</span>' if closed else ""
    tags = where + who + may
    return (
        f'<div class="head"><span class="who"><strong>{author}</strong>{handle}</span>{when}</div>'
        + (f'<div class="tags">{tags}</div>' if tags else "")
    )


def _folded(post: LivePost) -> str:
    content = _content(post)
    if not post.content_warning:
        return content
    return (
        f'<details class="warning"><summary>{escape(post.content_warning)}</summary>'
        f"{content}</details>"
    )


def _content(post: LivePost) -> str:
    language = f' lang="{escape(post.language)}"' if post.language else ""
    title = f"<h3 dir=auto{language}>{escape(post.title)}</h3>" if post.title else ""
    text = f"<p class=text dir=auto{language}>{linked(post.text, post.links)}</p>"
    return (
        title
        + (text if post.text else "")
        + _gallery(post.media)
        + (_poll(post.poll) if post.poll else "")
        + (_card(post.link, post.card) if post.link else "")
    )


def _gallery(media: tuple[ShownMedia, ...]) -> str:
    if not media:
        return ""
    figures = "".join(_figure(one) for one in media)
    return f'<div class="gallery n{min(len(media), 4)}">{figures}</div>'


def _figure(media: ShownMedia) -> str:
    alt = escape(media.alt)
    source = f"/_postkit/media/{escape(media.sha256)}"
    size = f'width="{media.width}" height="{media.height}"'
    title = f' title="{alt}"' if media.alt else ""
    if media.mime.startswith("image/"):
        shown = f'<img src="{source}" alt="{alt}"{title} {size} loading="lazy">'
    elif media.mime.startswith("video/"):
        label = f' aria-label="{alt}"' if media.alt else ""
        shown = f'<video src="{source}"{label}{title} {size} controls preload="metadata"></video>'
    else:
        shown = f'<p class="file"{title}>{escape(media.mime)}</p>'
    badge = (
        f'<details class="alt"><summary>ALT</summary><p dir="auto">{alt}</p></details>'
        if media.alt
        else '<span class="alt none">no alt text</span>'
    )
    return f"<figure>{shown}{badge}</figure>"


def _poll(shown: ShownPoll) -> Markup:
    until = f"ends {shown.ends_at:%Y-%m-%d %H:%M} UTC" if shown.ends_at else ""
    return poll(shown.options, multiple=shown.multiple, open_until=until)


def _card(link: str, card: ShownCard | None) -> str:
    try:
        host = urlsplit(link).hostname or link
    except ValueError:
        host = link
    image = title = description = ""
    if card is not None:
        title = f"<strong dir=auto>{escape(card.title)}</strong>" if card.title else ""
        if card.description:
            description = f"<span dir=auto>{escape(card.description)}</span>"
        if card.image is not None:
            source = f"/_postkit/media/{escape(card.image.sha256)}"
            size = f'width="{card.image.width}" height="{card.image.height}"'
            image = f'<img src="{source}" alt="" {size} loading="lazy">'
    return (
        f'<p class="card">{image}<span class="quiet">{escape(host)}</span>{title}{description}'
        f"{anchor(link, link)}</p>"
    )


def _web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _ago(then: datetime, now: datetime) -> str:
    seconds = max(0, int((now - then).total_seconds()))
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86_400:
        return f"{seconds // 3600} h"
    return then.strftime("%Y-%m-%d")
