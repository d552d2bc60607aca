"""Every request to a network, so that a test can count what was really sent."""

from __future__ import annotations

import re
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_SECRET_NAME = re.compile(r"token|secret|password|passwd|signature|jwt|code|key|auth", re.I)
_CANARY = re.compile(r"pk_canary_[A-Za-z0-9_]+")


def redact_query(query: str) -> str:
    """A query string without the values of fields that carry secrets."""
    pairs = []
    for pair in query.split("&"):
        name, equals, _ = pair.partition("=")
        pairs.append(f"{name}=***" if equals and _SECRET_NAME.search(name) else pair)
    return _CANARY.sub("***", "&".join(pairs))


@dataclass(slots=True)
class Entry:
    """One request. ``path`` is below the network's mount; ``status`` is None while, or where,
    no answer was sent; ``create`` marks the request that makes a post live; ``fault`` names
    the fault that hit it."""

    network: str
    method: str
    path: str
    query: str
    at: datetime
    bytes: int = 0
    status: int | None = None
    create: bool = False
    fault: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "network": self.network,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "at": self.at.isoformat(),
            "bytes": self.bytes,
            "status": self.status,
            "create": self.create,
            "fault": self.fault,
        }


class Journal:
    """The last 10,000 requests, oldest first."""

    def __init__(self, size: int = 10_000) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=size)

    def add(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)

    def list(self, network: str | None = None) -> list[Entry]:
        with self._lock:
            return [entry for entry in self._entries if network in (None, entry.network)]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
