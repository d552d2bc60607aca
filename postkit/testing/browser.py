"""A person in front of a consent page, without a browser: follows the page's form by hand."""

from __future__ import annotations

from collections.abc import Collection
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

TIMEOUT = 15.0
BROWSER = {"User-Agent": "Mozilla/5.0 (postkit's test suite)"}
"""Some networks show a page to no library."""


class _Form(HTMLParser):
    """The fields of the one form of a page, and the buttons' values."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.action: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action") or ""
        if tag == "input" and given.get("name"):
            self.fields.append((str(given["name"]), given.get("value") or ""))


class Refused(Exception):
    """The page said no without sending the browser back; the message is its text."""


def consented(url: str, *, agree: bool = True, without: Collection[str] = ()) -> dict[str, str]:
    """The query that the browser comes back with; the redirect itself is not followed.

    ``without`` names scopes that the person unticks. Raises Refused.
    """
    shown = requests.get(url, headers=BROWSER, timeout=TIMEOUT, allow_redirects=False)
    if shown.is_redirect:
        return query_of(shown.headers["location"])
    if shown.status_code != 200:
        raise Refused(shown.text)
    form = _Form()
    form.feed(shown.text)
    data = [pair for pair in form.fields if not (pair[0] == "scope" and pair[1] in without)]
    data.append(("decision", "allow" if agree else "deny"))
    address = urljoin(url, form.action) if form.action else url
    answer = requests.post(
        address, data=data, headers=BROWSER, timeout=TIMEOUT, allow_redirects=False
    )
    if not answer.is_redirect:
        raise Refused(answer.text)
    return query_of(answer.headers["location"])


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
