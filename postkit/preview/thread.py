"""The posts of one address as its readers would see them, joined where they are a thread."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..limits.model import Limits
from ..pages.card import avatar, poll
from ..pages.markup import Markup, escape, isolated
from ..plan import Planned
from ..rendition import Attachment, RenderedPart
from ..terms import span
from .pictures import Pictures
from .rich import rich
from .text import language, marked

_PLAY = Markup(
    '<svg class="play" viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="24"/>'
    '<path d="M19 15l15 9-15 9z"/></svg>'
)


def thread(planned: Planned, pictures: Pictures) -> Markup:
    """The HTML of the address's parts; nothing where it refuses."""
    parts = planned.rendition.parts if planned.rendition is not None else ()
    limits = planned.network.limits_for(planned.place.account)
    cards = "".join(
        f"<li>{_card(planned, part, number, len(parts), limits, pictures)}</li>"
        for number, part in enumerate(parts, 1)
    )
    return Markup(f'<ol class="thread{" joined" if len(parts) > 1 else ""}">{cards}</ol>')


def address_of(planned: Planned) -> str:
    """The address in words; without the account where none is connected and none was named."""
    place = planned.place
    if _is_nameless(planned):
        return place.account.network + (f"/{place.target}" if place.target else "")
    return place.label


def _is_nameless(planned: Planned) -> bool:
    account = planned.place.account
    return not planned.is_connected and account.name == account.network


def _author(planned: Planned) -> str:
    account = planned.place.account
    if _is_nameless(planned):
        return "Your account"
    return (account.identity.name if account.identity else "") or account.name


def _card(
    planned: Planned, part: RenderedPart, number: int, of: int, limits: Limits, pictures: Pictures
) -> str:
    name = _author(planned)
    face = avatar(planned.network.title if _is_nameless(planned) else name)
    count = f'<span class="quiet">{number} of {of}</span>' if of > 1 else ""
    head = f'<div class="head"><strong class="who">{isolated(name)}</strong>{count}</div>'
    content = _content(part, limits, pictures)
    warning = part.fields.get("content_warning")
    if warning:
        content = (
            f'<details class="warning" open><summary dir="auto"{language(part.fields.get("lang"))}>'
            f"{escape(str(warning))}</summary>"
            f'<p class="quiet">Readers see this closed.</p>{content}</details>'
        )
    return (
        f'<article class="post" aria-label="Part {number} of {of}">{face}'
        f'<div class="body">{head}{_tags(planned, part)}{content}</div></article>'
    )


def _tags(planned: Planned, part: RenderedPart) -> str:
    replies = part.fields.get("replies")
    words = [planned.place.target, part.fields.get("visibility"), part.fields.get("lang")]
    words.append(f"replies: {replies}" if replies else None)
    tags = "".join(f'<span class="tag">{isolated(str(word))}</span>' for word in words if word)
    return f'<div class="tags">{tags}</div>' if tags else ""


def _content(part: RenderedPart, limits: Limits, pictures: Pictures) -> str:
    lang = language(part.fields.get("lang"))
    out = []
    if part.fields.get("title"):
        out.append(f'<h3 dir="auto"{lang}>{escape(str(part.fields["title"]))}</h3>')
    if part.text:
        if part.fields.get("markup") == "markdown":
            out.append(f'<div class="text rich"{lang}>{rich(part.text, limits.rules)}</div>')
        else:
            out.append(f'<p class="text" dir="auto"{lang}>{marked(part.text, limits.rules)}</p>')
    if part.pictures:
        figures = "".join(_figure(medium, lang, limits, pictures) for medium in part.pictures)
        out.append(f'<div class="gallery n{min(len(part.pictures), 4)}">{figures}</div>')
    asked = part.fields.get("poll")
    if asked:
        until = f"open for {span(int(asked['minutes']) * 60)}"
        multiple = bool(asked.get("multiple"))
        out.append(poll(asked["options"], multiple=multiple, open_until=until))
    if part.fields.get("link"):
        out.append(_link_card(part, lang, pictures))
    return "".join(out)


def _figure(medium: Attachment, lang: Markup, limits: Limits, pictures: Pictures) -> str:
    shown = pictures.shown(medium)
    words = escape(shown.words)
    if shown.uri is not None:
        picture = (
            f'<img src="{shown.uri}" alt="{escape(medium.alt)}" '
            f'title="{escape(medium.name)}: {words}" '
            f'width="{medium.width}" height="{medium.height}">'
        )
    else:
        picture = '<div class="blank"></div>'
    facts = f'<span class="facts">{words}</span>' if medium.kind == "video" or not shown.uri else ""
    if medium.kind == "video":
        length = f"<span>{medium.seconds:.1f} s</span>" if medium.seconds is not None else ""
        picture = f'<div class="film">{picture}{_PLAY}{length}</div>'
    caption = f"<figcaption>{facts}{_alt(medium, lang, limits)}</figcaption>"
    return f"<figure>{picture}{caption}</figure>"


def _alt(medium: Attachment, lang: Markup, limits: Limits) -> str:
    if not medium.alt:
        return '<b class="mark none">no alt text</b>'
    count = ""
    limit = limits.alt_limit(medium.kind)
    if limit is not None:
        used, unit = limit.counter.count(medium.alt), limit.counter.unit
        count = f' <span class="count">{used:,} of {limit.maximum:,} {escape(unit)}</span>'
    words = f'<span class="words" dir="auto"{lang}>{escape(medium.alt)}</span>'
    return f'<b class="mark">alt text</b> {words}{count}'


def _link_card(part: RenderedPart, lang: Markup, pictures: Pictures) -> str:
    """The card that postkit builds where the network's clients do; else the bare link."""
    link = str(part.fields["link"])
    try:
        host = urlsplit(link).hostname or link
    except ValueError:
        host = link
    card = part.fields.get("card") or {}
    picture = ""
    if card and part.media:
        shown = pictures.shown(part.media[0])
        if shown.uri is not None:
            picture = f'<img src="{shown.uri}" alt="" title="{escape(shown.words)}">'
    words = "".join(
        f'<{tag} dir="auto"{lang}>{escape(str(card[name]))}</{tag}>'
        for name, tag in (("title", "strong"), ("description", "span"))
        if card.get(name)
    )
    return (
        f'<div class="card">{picture}<span class="quiet">{isolated(host)}</span>{words}'
        f'<span class="link">{isolated(link)}</span></div>'
    )
