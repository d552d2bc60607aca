"""The User-Agent that Reddit asks for."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, version


def user_agent(name: str | None) -> str:
    """The form that Reddit asks for: platform, application, version, and who is behind it."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "", name or "")
    author = f"by /u/{plain}" if plain else "account not known yet"
    return f"{sys.platform}:postkit:{_version()} ({author})"


def _version() -> str:
    try:
        return version("postkit-social")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
