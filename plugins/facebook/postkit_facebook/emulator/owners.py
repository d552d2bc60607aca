"""Whom the tokens of the emulated Graph API act for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PAGE_ID = "104857600000001"
SHOP_ID = "104857600000002"
ARCHIVE_ID = "104857600000003"
USER_ID = "524288000000001"

Kind = Literal["page", "user", "app"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a token acts for."""

    kind: Kind
    node: Mapping[str, str]

    @property
    def id(self) -> str:
        return self.node["id"]


PAGE = Owner("page", {"id": PAGE_ID, "name": "Emulated Page", "category": "Software"})
SHOP = Owner("page", {"id": SHOP_ID, "name": "Emulated Shop", "category": "Shopping & retail"})
ARCHIVE = Owner("page", {"id": ARCHIVE_ID, "name": "Emulated Archive", "category": "Library"})
PAGES = {page.id: page for page in (PAGE, SHOP, ARCHIVE)}
USER = Owner("user", {"id": USER_ID, "name": "Emulated Person"})
APP = Owner("app", {"id": "2097152", "name": "Emulated App"})
ALL_TASKS = ("ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MANAGE", "MESSAGING", "MODERATE")
TASKS: Mapping[str, tuple[str, ...]] = {
    PAGE_ID: ALL_TASKS,
    SHOP_ID: ("ANALYZE", "CREATE_CONTENT"),
    ARCHIVE_ID: ("ANALYZE",),
}
"""What the person may do at each Page."""
