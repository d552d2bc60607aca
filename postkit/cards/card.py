"""A link card, and how one is made of a web page."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from ..fetch.errors import NotFetched
from ..fetch.fetched import Fetched
from ..fetch.fetcher import Caps, Fetches
from ..post import Media
from .page import Page, read_page

PAGE = Caps(512_000, connect=5.0, read=5.0, total=10.0, cut=True)
"""The beginning of a page: what it says of itself is in its head."""
PICTURE = Caps(10 * 1024 * 1024, connect=5.0, read=5.0, total=15.0)


@dataclass(frozen=True, slots=True)
class Card:
    """What readers see of a link: ``image`` as it was fetched, not yet made to fit.

    ``notes`` says what is missing, and why: a card is made of what there is.
    """

    url: str
    title: str
    description: str = ""
    image: Media | None = None
    notes: tuple[str, ...] = ()


def make_card(link: str, fetcher: Fetches) -> Card:
    """The card of ``link``. What cannot be fetched is a note, never an error; without a title
    the name of the host stands for it."""
    host = urlsplit(link).hostname or link
    try:
        with fetcher.fetch(link, PAGE) as fetched:
            page = _page_of(fetched)
            here = fetched.final_url
    except NotFetched as error:
        return Card(link, host, notes=(f"link card without title: {error.reason}",))
    if page is None:
        return Card(link, host, notes=(f"link card without title: {host} gives no web page",))
    notes = [] if page.title else [f"link card without title: {host} gives none"]
    image = None
    if page.image:
        try:
            image = _image(urljoin(here, page.image), fetcher)
        except NotFetched as error:
            notes.append(f"link card without picture: {error.reason}")
        except ValueError:
            notes.append("link card without picture: its address cannot be read")
    return Card(link, page.title or host, page.description, image, tuple(notes))


def _page_of(fetched: Fetched) -> Page | None:
    # A page may begin with anything that is text; the bytes decide only what is none.
    if fetched.mime.partition("/")[0] in ("image", "video"):
        return None
    return read_page(fetched.read(), fetched.declared)


def _image(url: str, fetcher: Fetches) -> Media:
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    printable = "".join(char for char in name if char.isprintable())[:60]
    with fetcher.fetch(url, PICTURE) as fetched:
        return Media(fetched.read(), name=printable or "card")
