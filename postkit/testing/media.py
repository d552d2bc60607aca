"""A medium for the tests of a plugin."""

from __future__ import annotations

import io
from typing import IO


class OneMedium:
    """Bytes under every hash: what ``Outgoing.from_json`` reads media from."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    def get(self, sha256: str) -> bytes:  # noqa: ARG002 - the protocol decides
        return self.data

    def open(self, sha256: str) -> IO[bytes]:
        return io.BytesIO(self.get(sha256))
