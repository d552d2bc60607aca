"""Where an account is: the server that its access is for, and what that server is checked by."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """``endpoint`` None: the network's own hosts."""

    endpoint: str | None = None
    ca_bundle: str | None = None

    def to_text(self) -> str:
        return json.dumps([self.endpoint, self.ca_bundle])

    @classmethod
    def from_text(cls, text: str) -> Place:
        return cls(*json.loads(text))


def is_loopback(host: str) -> bool:
    """Whether a host, as a URL names it without brackets, is this machine."""
    if host == "localhost":
        return True
    import ipaddress  # which few commands need

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
