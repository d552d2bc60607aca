"""Where an account is: the server that its access is for, and what that server is checked by."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..network import Account


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


def place_of(account: Account) -> Place:
    return Place(account.endpoint, account.ca_bundle)
