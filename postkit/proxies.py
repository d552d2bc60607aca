"""The proxies that the environment names, and what never goes through one."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests

from .accounts.place import is_loopback


def proxies_for(url: str) -> dict[str, str]:
    """By scheme, as requests takes them. None for an address of this machine: http is allowed
    there because it does not leave it, and a proxy would be shown the token in the clear."""
    if is_loopback(urlsplit(url).hostname or ""):
        return {}
    found: dict[str, str] = requests.utils.get_environ_proxies(url)
    return found
