"""The apps that were registered at networks: given once, kept in the vault for the next account."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Protocol

from ...errors import VaultError

PREFIX = "app:"


class AppVault(Protocol):
    """What is asked of the vault."""

    def ids(self) -> tuple[str, ...]: ...
    def get(self, account_id: str) -> dict[str, str]: ...
    def put(self, account_id: str, fields: Mapping[str, str]) -> None: ...
    def delete(self, account_id: str) -> None: ...


class Apps:
    """The apps of one tenant, by network and by the server that they are registered at."""

    def __init__(self, vault: AppVault, tenant: str = "") -> None:
        self._vault = vault
        self._tenant = tenant

    def get(self, network: str, endpoint: str | None, redirect_uri: str = "") -> dict[str, str]:
        """The app's credentials; empty where none is kept.

        ``redirect_uri`` where an app is good for one address alone, as one that registers itself.
        """
        key = self._key(network, endpoint, redirect_uri)
        if key not in self._vault.ids():
            return {}
        try:
            return self._vault.get(key)
        except VaultError:
            return {}  # gone this very moment

    def put(
        self,
        network: str,
        endpoint: str | None,
        app: Mapping[str, str],
        redirect_uri: str = "",
    ) -> None:
        self._vault.put(self._key(network, endpoint, redirect_uri), app)

    def delete(self, network: str, endpoint: str | None, redirect_uri: str = "") -> None:
        self._vault.delete(self._key(network, endpoint, redirect_uri))

    def _key(self, network: str, endpoint: str | None, redirect_uri: str) -> str:
        owned = json.dumps([self._tenant, network, endpoint, redirect_uri])
        return PREFIX + hashlib.sha256(owned.encode()).hexdigest()
