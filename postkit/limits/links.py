"""Finding URLs in running text: two ways to draw the edges, each in one pass over the text.

``embedded``: a URL may touch text of another script, and its host ends in a known top-level
domain. ``spaced``: what stands between white space or after an opening parenthesis.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from .hosts import is_encodable, is_listed_host, tld_end

Span = tuple[int, int]

# The embedded edges are those of twitter-text 3 (configuration version 3), checked 2026-11-23;
# unicode_paths are the changes that a federated server makes to them, checked the same day.

MAX_URL = 4096
"""Code points of a URL with its host in ASCII form; longer ones are not links."""

MAX_SLUG = 40
"""Letters and digits in the path of a link of a network's own shortener."""

SPACES = r"\x09-\x0d\x20\x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NEVER = r"\ufffe\ufeff\uffff"
_DIRECTIONAL = r"\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
_OUTSIDE = r"!'#%&()*+,\\/:;<=>?@\[\]^{|}~$" + SPACES + _NEVER + _DIRECTIONAL
LATIN = (
    r"\xc0-\xd6\xd8-\xf6\xf8-\xff\u0100-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268"
    r"\u026f\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
_CYRILLIC = r"\u0400-\u04ff"
_BEYOND = r"\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\uffef\U00010000-\U0010fffd"

_DOT = re.compile(rf"\.(?=[^{_OUTSIDE}._-])")
_HOST = re.compile(rf"[^{_OUTSIDE}]+")
_BARRIER = re.compile(rf"[{_OUTSIDE}]")
_START = re.compile(rf"(?<![A-Za-z0-9@\uff20$#\uff03{_NEVER}])[^{_OUTSIDE}._-]")
_SCHEME = re.compile(rf"(?<![A-Za-z0-9@\uff20$#\uff03{_NEVER}])[Hh][Tt][Tt][Pp][Ss]?://")
_PORT = re.compile(r":[0-9]+")
_ASCII_CHAIN = re.compile(rf"(?:[-a-z0-9{LATIN}]+\.)+", re.IGNORECASE)


class _Tail:
    """What may follow a host: path and query, each ending at a character that can end one."""

    def __init__(self, path: str, path_end: str, query: str, query_end: str) -> None:
        # At most one nested pair of parentheses belongs to a path, and only if it is closed.
        # Possessive groups are avoided: early releases of Python 3.11 match them wrongly.
        pair = rf"\((?:{path}++(?:\({path}++\){path}*+)?|\({path}++\){path}*+)\)"
        self._path = re.compile(rf"/(?:{path}++|{pair})*", re.IGNORECASE)
        self._path_end = re.compile(rf"{path_end}|\)", re.IGNORECASE)
        self._query = re.compile(rf"\?{query}*+")
        self._query_end = re.compile(query_end)
        self.query = rf"\?{query}*{query_end}"

    def path(self, text: str, start: int) -> int:
        found = self._path.match(text, start)
        if found is None:
            return start
        end = found.end()
        while end > start + 1 and not self._path_end.match(text, end - 1):
            end -= 1
        return end

    def behind(self, text: str, start: int) -> int:
        found = self._query.match(text, start)
        if found is None:
            return start
        end = found.end()
        while end > start + 1 and not self._query_end.match(text, end - 1):
            end -= 1
        return end if end > start + 1 else start


@cache
def _tail(unicode_paths: bool) -> _Tail:
    if unicode_paths:
        return _Tail(
            path=r"[^\s<>()?]",
            path_end=r"""[^\s()?!*"'「」<>;:=,.$%\[\]~&|@]""",
            query=rf"[a-zA-Z0-9!?*'();:&=+$/%#\[\]\-_.,~|@^{_BEYOND}]",
            query_end=rf"[a-zA-Z0-9_&=#/\-{_BEYOND}]",
        )
    return _Tail(
        path=rf"[a-z0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_CYRILLIC}{LATIN}]",
        path_end=rf"[-+a-z0-9=_#/{_CYRILLIC}{LATIN}]",
        query=r"[a-zA-Z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]",
        query_end=r"[a-zA-Z0-9\-_&=#/]",
    )


@cache
def _short_link(host: str, tail: _Tail) -> re.Pattern[str]:
    return re.compile(rf"https?://{re.escape(host)}/([a-z0-9]+)(?:{tail.query})?", re.IGNORECASE)


def embedded_links(
    text: str, *, bare: bool, unicode_paths: bool = False, short_host: str | None = None
) -> Iterator[Span]:
    """The URLs in ``text``, in order. ``bare`` adds hosts without a scheme.

    A link of ``short_host`` ends after its slug. Time grows with the length of ``text`` only.
    """
    tail = _tail(unicode_paths)
    floor = position = 0
    while (dot := _DOT.search(text, position)) is not None:
        first = dot.start()
        while first > floor and not _BARRIER.match(text, first - 1):
            first -= 1
        stretch = _HOST.match(text, first)
        last = stretch.end() if stretch else dot.end()
        scheme = _scheme_before(text, first, floor)
        host = _host_in(text, first, last, floor, has_scheme=scheme is not None)
        if host is None:
            position = last
            continue
        start, end = host
        port = _PORT.match(text, end)
        path = port.end() if port else end
        query = tail.path(text, path)
        stop = tail.behind(text, query)
        if scheme is not None and start == first:
            yield from _with_scheme(text, scheme, host, stop, short_host, tail)
        elif bare and text[start - 1 : start] not in ("-", "_", ".", "/"):
            yield from _without_scheme(text, host, stop, has_path=query > path)
        floor = position = stop + 1


def _scheme_before(text: str, first: int, floor: int) -> int | None:
    for length in (8, 7):
        start = first - length
        if start >= floor and (found := _SCHEME.match(text, start)) and found.end() == first:
            return start
    return None


def _host_in(text: str, first: int, last: int, floor: int, *, has_scheme: bool) -> Span | None:
    """The leftmost host in a stretch of host characters, as long as labels and endings allow."""
    labels = text[first:last].split(".")
    offsets = [first]
    for label in labels[:-1]:
        offsets.append(offsets[-1] + len(label) + 1)
    # near[i]: where the ending right behind label i ends; far[i]: the last one behind later labels.
    far: list[int | None] = [None] * len(labels)
    near: list[int | None] = [None] * len(labels)
    for i in range(len(labels) - 2, -1, -1):
        label = labels[i]
        if not label or label[-1] in "_-":
            continue
        following = labels[i + 1]
        if i + 2 < len(labels) and following and following[0] not in "_-":
            # An underscore is allowed left of the registered name only.
            far[i] = far[i + 1] or (None if "_" in following else near[i + 1])
        near[i] = tld_end(text, offsets[i + 1])
    for i, offset in enumerate(offsets[:-1]):
        end, at = far[i], offset
        if end is None:
            end = near[i]
            at = offset + labels[i].rfind("_") + 1
        if end is None:
            continue
        if has_scheme and i == 0 and at == first and labels[0][0] not in "_-":
            return at, end
        limit = offsets[i + 1] - 1
        begin = _START.search(text, max(at, floor), limit)
        if begin is not None:
            # The published pattern spends the first character of a text on what precedes a URL.
            second = begin.start() == 0 and at == 0 and _START.match(text, 1, limit) is not None
            return (1 if second else begin.start()), end
    return None


def _with_scheme(
    text: str, start: int, host: Span, stop: int, short_host: str | None, tail: _Tail
) -> Iterator[Span]:
    scheme = host[0] - start
    if not is_encodable(text[host[0] : host[1]], scheme + stop - start, MAX_URL):
        return
    if short_host is not None:
        short = _short_link(short_host, tail).match(text, start, stop)
        if short is not None:
            if len(short.group(1)) <= MAX_SLUG:
                yield start, short.end()
            return
    yield start, stop


def _without_scheme(text: str, host: Span, stop: int, *, has_path: bool) -> Iterator[Span]:
    """The ASCII hosts inside a host of any script; a path belongs to the last of them."""
    base = host[0]
    domain = text[base : host[1]]
    if not is_encodable(domain, len("https://") + stop - base, MAX_URL):
        return
    spans: list[Span] = []
    position = 0
    while (chain := _ASCII_CHAIN.search(domain, position)) is not None:
        position = chain.end()
        dot = chain.end() - 1
        while dot > chain.start():
            end = tld_end(domain, dot + 1)
            if end is not None:
                spans.append((base + chain.start(), base + end))
                position = end
                break
            dot = domain.rfind(".", chain.start() + 1, dot)
    if spans and has_path:
        spans[-1] = (spans[-1][0], stop)
    yield from spans


_WORD_START = r"(?<![^\s(])"
_SPACED = re.compile(
    rf"{_WORD_START}(?:[Hh][Tt][Tt][Pp][Ss]?://(?=[\w\[])\S+"
    r"|(?P<host>[^\W_][\w-]*+(?:\.[\w-]++)+)(?::[0-9]++)?(?:[/?#]\S*+)?)"
)
_CLOSERS = {")": "(", "]": "[", "}": "{", "」": "「", "』": "『", "）": "（", "”": "“", "’": "‘"}
_TRAILING = frozenset(".,;:!?'\"…。、，．！？；：»")


def spaced_links(text: str, *, bare: bool) -> Iterator[Span]:
    """The URLs in ``text`` that begin after white space or ``(`` and run to white space.

    Punctuation at the end, and a closing bracket that was not opened, are not part of one.
    """
    for found in _SPACED.finditer(text):
        start, end = found.span()
        host = found["host"]
        mail = text[end : end + 1] in ("@", "+")
        if host is None or (bare and not mail and is_listed_host(host)):
            yield start, _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> int:
    surplus = {
        close: text.count(close, start, end) - text.count(opener, start, end)
        for close, opener in _CLOSERS.items()
    }
    while end > start:
        last = text[end - 1]
        if last in surplus and surplus[last] > 0:
            surplus[last] -= 1
        elif last not in _TRAILING:
            break
        end -= 1
    return end
