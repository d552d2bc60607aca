"""A request whose body is read as strictly as a server on the open net reads it."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import Request

UNREADABLE = "The body of the request could not be read"
MOST_BYTES = 128 * 1024 * 1024
"""Of one request, held in memory: a mistake must not take all of the machine's."""
MOST_FILE = MOST_BYTES - 1024 * 1024
"""Bytes of a file that is sent to an emulator: what goes with it in the request has room. A
larger one cannot be rehearsed."""

_LONE = re.compile("[\ud800-\udfff]")


class TooLarge(Exception):
    """More than ``MOST_BYTES`` of a body came in."""


class StrictRequest(Request):
    """JSON as RFC 8259 has it: UTF-8, no NaN, no numbers of thousands of digits, and no lone
    surrogates, which nothing could send back. ``mends`` replaces those by U+FFFD instead.
    ``json`` raises HTTPException (400)."""

    def __init__(self, request: Request, *, mends: bool = False) -> None:
        super().__init__(request.scope, request.receive)
        self._mends = mends

    async def json(self) -> Any:
        # Kept under the name that Starlette uses: who puts another value there is believed.
        if not hasattr(self, "_json"):
            self._json = self._parsed(await self.body())
        return self._json

    def _parsed(self, body: bytes) -> Any:
        try:
            text = body.decode("utf-8")
            data = json.loads(text, parse_constant=_refuse)
            if "\\u" not in text:
                return data
            text = json.dumps(data, ensure_ascii=False)
            if not _LONE.search(text):
                return data
            if self._mends:
                return json.loads(_LONE.sub("\ufffd", text))
        except (ValueError, RecursionError):
            pass
        raise HTTPException(400, UNREADABLE)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
