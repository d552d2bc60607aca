"""Access that is being tried out: nobody else sees it before it is known to work."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import final

from .place import Place


@final
class Draft:
    """What `Secrets` asks of a vault, for the fields of one account that are not kept yet."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = dict(fields)

    def __repr__(self) -> str:
        return "Draft(***)"

    def get(self, account_id: str) -> dict[str, str]:  # noqa: ARG002 - as the vault has it
        return dict(self._fields)

    def access(self, account_id: str) -> tuple[dict[str, str], Place | None]:
        return self.get(account_id), None

    def rotate(self, account_id: str, fields: Mapping[str, str]) -> None:  # noqa: ARG002
        self._fields = dict(fields)

    def settle(self, account_id: str) -> None:
        """There is nothing to be written."""

    def lock(self, account_id: str) -> AbstractContextManager[None]:  # noqa: ARG002
        return contextlib.nullcontext()
