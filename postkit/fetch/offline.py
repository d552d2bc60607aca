"""A fetcher that fetches nothing, for rehearsals: they make no connection beyond this machine."""

from __future__ import annotations

from .errors import Forbidden
from .fetched import Fetched
from .fetcher import MEDIA, Caps


class Offline:
    """``why`` is the reason in each error, such as ``a rehearsal fetches nothing``."""

    def __init__(self, why: str) -> None:
        self.why = why

    def fetch(self, url: str, caps: Caps = MEDIA) -> Fetched:  # noqa: ARG002 - as Fetches says
        """Raises Forbidden."""
        raise Forbidden(url, self.why, "give a file")
