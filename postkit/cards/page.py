"""What a web page says of itself: Open Graph, Twitter cards, its title and description.

Read by the standard library's parser, up to the end of the head; a page is hostile until proven
otherwise, so everything that is read is bounded.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from ..post import is_blank

MAX_TITLE = 300
MAX_DESCRIPTION = 1000
"""Code points: more than any card shows."""

_MAX_ADDRESS = 4096
_DECLARED = 1024
"""Bytes in which a page says what its letters are (WHATWG HTML, "prescan")."""
_MAX_TAGS = 2000

_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_KNOWN = re.compile(
    r"utf-?8|utf-?16(?:le|be)?|us-ascii|ascii|iso-?8859-?\d{1,2}|latin-?1|(?:windows|cp)-?125\d"
    r"|koi8-[ru]|shift[_-]jis|euc-(?:jp|kr)|iso-2022-jp|gb18030|gbk|gb2312|big5",
    re.IGNORECASE,
)
"""Encodings of the web (WHATWG Encoding, 2026-11-29); Python knows others that are no text."""
_LATIN = frozenset({"ascii", "iso8859-1"})
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

_TITLE = ("og:title", "twitter:title", "title")
_DESCRIPTION = ("og:description", "twitter:description", "description")
_IMAGE = (
    "og:image:secure_url",
    "og:image",
    "og:image:url",
    "twitter:image",
    "twitter:image:src",
)


@dataclass(frozen=True, slots=True)
class Page:
    """``image`` is an address as it is written in the page; "" is for what is not there."""

    title: str = ""
    description: str = ""
    image: str = ""


def read_page(data: bytes, declared: str = "") -> Page:
    """The page in ``data``; ``declared`` is its content type as the server says."""
    head = _Head()
    try:
        head.feed(_decoded(data, declared))
    except _Over:
        pass
    except (AssertionError, ValueError, RecursionError):
        # The parser gives up on some pages; what it has read until then is good.
        pass
    found = head.found
    if "".join(head.title).strip():
        found.setdefault("title", "".join(head.title))
    return Page(
        _words(_first(found, _TITLE), MAX_TITLE),
        _words(_first(found, _DESCRIPTION), MAX_DESCRIPTION),
        _first(found, _IMAGE).strip()[:_MAX_ADDRESS],
    )


class _Over(Exception):
    """The head is over."""


class _Head(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, str] = {}
        self.title: list[str] = []
        self._in_title = False
        self._tags = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tags += 1
        if tag == "body" or self._tags > _MAX_TAGS:
            raise _Over
        if tag == "title":
            self._in_title = not self.title
        elif tag == "meta":
            given = {name: value or "" for name, value in reversed(attrs)}
            key = (given.get("property") or given.get("name") or "").strip().lower()
            content = given.get("content", "")
            if content.strip() and key != "title":
                self.found.setdefault(key, content)

    def handle_endtag(self, tag: str) -> None:
        if tag == "head":
            raise _Over
        if tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)


def _decoded(data: bytes, declared: str) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(name, "replace")
    for text in (declared, data[:_DECLARED].decode("latin-1")):
        found = _CHARSET.search(text)
        if found and _KNOWN.fullmatch(found[1]):
            try:
                name = codecs.lookup(found[1]).name
            except LookupError:
                continue
            # The web's name for it; and a page that is read as ASCII here is no UTF-16.
            return data.decode("cp1252" if name in _LATIN else name, "replace")
    try:
        # The end may have been cut off within a letter.
        return codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _first(found: dict[str, str], names: Sequence[str]) -> str:
    return next((found[name] for name in names if name in found), "")


def _words(text: str, most: int) -> str:
    """In one line, without signs that nobody sees, cut with a … where it is long."""
    line = " ".join(_UNSEEN.sub("", text[: 20 * most]).split())
    if is_blank(line):
        return ""
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
