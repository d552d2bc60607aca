"""Why something was not fetched."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..errors import InputError


class NotFetched(InputError):
    """What a URL names was not fetched: ``reason`` says why, ``remedy`` what to do.

    Both are parts of a sentence. The message has the URL without its query, which may hold a
    secret.
    """

    kind = "not_fetched"

    def __init__(self, url: str, reason: str, remedy: str) -> None:
        super().__init__(f"{shown(url)}: {reason}; {remedy}.")
        self.reason = reason
        self.remedy = remedy


class Forbidden(NotFetched):
    """The URL leads, or leads on, to where nothing is fetched from. No connection was made to
    that place."""


def shown(url: str, most: int = 120) -> str:
    """``url`` for a message: printable, without user, password, query and fragment, cut."""
    try:
        parts = urlsplit(url)
    except ValueError:
        text = url.partition("?")[0]
    else:
        host = parts.netloc.rpartition("@")[2]
        text = f"{parts.scheme}://{host}{parts.path}" if parts.netloc else url.partition("?")[0]
    text = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return text if len(text) <= most else f"{text[:most]}…"
