"""Whom the tokens of the emulated Graph API act for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PAGE_ID = "104857600000001"
USER_ID = "524288000000001"

Kind = Literal["page", "user", "app"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a token acts for."""

    kind: Kind
    node: Mapping[str, str]


PAGE = Owner(
    "page",
    {
        "id": PAGE_ID,
        "name": "Emulated Page",
        "category": "Software",
    },
)
USER = Owner("user", {"id": USER_ID, "name": "Emulated Person"})
APP = Owner("app", {"id": "2097152", "name": "Emulated App"})
