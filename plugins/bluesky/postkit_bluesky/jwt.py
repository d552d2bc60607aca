"""What a session's tokens say of themselves. Nothing depends on it being true: the server has the
last word."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def claims_of(token: str) -> Mapping[str, Any]:
    """The middle part of a JWT; empty where it is none."""
    payload = token.split(".")[1:2]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload[0] + "=="))
    except (IndexError, ValueError, RecursionError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def end_of(token: str) -> float | None:
    """When the token ends, in seconds since 1970; None where it names no end."""
    end = claims_of(token).get("exp")
    if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
        return None
    return float(end)


def moment_of(token: str) -> datetime | None:
    """The same as a time; None also for one that no calendar has."""
    end = end_of(token)
    try:
        return None if end is None else datetime.fromtimestamp(end, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def scopes_of(token: str) -> frozenset[str] | None:
    """What the token may do; None where it does not say."""
    scope = claims_of(token).get("scope")
    return frozenset(scope.split()) if isinstance(scope, str) and scope.strip() else None
