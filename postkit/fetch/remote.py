"""A picture behind a URL: fetched once, and from then on its bytes alone."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ..errors import InputError
from .errors import shown
from .target import read_target

if TYPE_CHECKING:
    from .fetched import Fetched
    from .fetcher import Fetches


class Remote:
    """``url`` is https. ``place`` is where it was written, such as ``launch.md:5``; it begins
    every message. Raises Forbidden where the URL is one that is never fetched."""

    __slots__ = ("_fetched", "_lock", "place", "url")

    def __init__(self, url: str, place: str = "") -> None:
        read_target(url, None)  # of the ports, the fetcher decides
        self.url = url
        self.place = place
        self._fetched: Fetched | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The last part of the path, else the host."""
        parts = urlsplit(self.url)
        last = unquote(parts.path).rstrip("/").rpartition("/")[2]
        return "".join(c for c in last if c.isprintable())[:60] or parts.hostname or "media"

    def fetch(self, fetcher: Fetches, *, seconds: float = math.inf) -> Fetched:
        """What was fetched; the first call fetches, in ``seconds`` at most. Raises InputError with
        the place."""
        from .fetcher import MEDIA

        with self._lock:
            if self._fetched is None:
                try:
                    caps = replace(MEDIA, total=min(seconds, MEDIA.total))
                    self._fetched = fetcher.fetch(self.url, caps)
                except InputError as error:
                    at = f"{self.place}: " if self.place else ""
                    raise InputError([f"{at}{problem}" for problem in error.problems]) from error
            return self._fetched

    def read(self) -> bytes:
        """The bytes. Raises InputError where nothing was fetched yet: reading never connects."""
        if self._fetched is None:
            raise InputError(f"{shown(self.url)}: it is fetched when a Kit plans the post.")
        try:
            return self._fetched.read()
        except OSError as error:
            raise InputError(
                f"{shown(self.url)}: what was fetched cannot be read ({error.strerror}); try again."
            ) from None
