"""A token endpoint's answer, as fields for the vault; nothing of it is believed unseen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import requests

from ...errors import NeedsLogin, Refused, Unavailable
from ..secret import Redactor, Secret
from .terms import OAuth

LONGEST_TOKEN = 8_192
"""Characters: more than any header that a server takes."""
LONGEST_LIFE = 20 * 366 * 86_400
"""Seconds. An end beyond it is no end."""
_TOKEN = re.compile(r"[\x21-\x7e]+")


def fields_of(title: str, terms: OAuth, response: requests.Response, now: float) -> dict[str, str]:
    """``access_token``, ``refresh_token`` (where given), ``expires_at`` (seconds since 1970, empty
    where no end is told) and ``scopes`` (separated by blanks; those asked for where the answer
    names none, RFC 6749 section 5.1).

    ``now`` is in seconds since 1970. Raises Refused where the network says no, NeedsLogin where
    it granted less than publishing needs, Unavailable where the answer is none.
    """
    answer = _json(response)
    error = answer.get("error")
    if error or response.status_code in (400, 401, 403):
        raise Refused(
            f"{title} gave no access ({_said(answer) or f'HTTP {response.status_code}'}); "
            "check the app's credentials and connect again.",
            network=title,
            status=response.status_code,
            code=error if isinstance(error, str) else None,
        )
    if not response.ok or "access_token" not in answer:
        raise Unavailable(
            f"{title} answered without access (HTTP {response.status_code}, "
            f"{response.headers.get('content-type', 'no type').partition(';')[0]}); "
            "connect again.",
            network=title,
            status=response.status_code,
        )
    fields = {"access_token": token_of(title, answer["access_token"], "access_token")}
    if answer.get("refresh_token"):
        fields["refresh_token"] = token_of(title, answer["refresh_token"], "refresh_token")
    kind = answer.get("token_type", "bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise Unavailable(f"{title} gave a token that is none of a bearer.", network=title)
    fields["expires_at"] = end_of(answer, now)
    fields["scopes"] = " ".join(granted(title, terms, answer.get("scope")))
    return fields


def end_of(answer: Mapping[str, Any], now: float) -> str:
    """When the access ends, in seconds since 1970; empty where the answer tells no end."""
    seconds = answer.get("expires_in")
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdecimal():
        seconds = int(seconds[:12])
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return ""
    # Compared, not converted first: JSON knows numbers that are none.
    return str(int(now + seconds)) if 0 < seconds < LONGEST_LIFE else ""


def granted(title: str, terms: OAuth, scope: object) -> list[str]:
    """The scopes that were granted, in their order. Raises NeedsLogin where one is missing that
    nothing can be published without."""
    if not isinstance(scope, str) or not scope.strip():
        return [each.name for each in terms.scopes]
    names = list(dict.fromkeys(re.split(r"[\s,]+", scope.strip())))
    if "*" in names:
        return [each.name for each in terms.scopes]
    missing = [each for each in terms.scopes if not each.optional and each.name not in names]
    if missing:
        told = "; ".join(f"{each.name} (to {each.why})" for each in missing)
        raise NeedsLogin(
            f"{title} did not grant {told}. Nothing was kept: connect again, and leave every "
            "permission ticked.",
            network=title,
        )
    return names


def token_of(title: str, value: object, name: str) -> str:
    """A token of an answer, as a header can carry it. Raises Unavailable for anything else."""
    if isinstance(value, str):
        Secret(value)  # from here on the redactor knows it
        if _TOKEN.fullmatch(value) and len(value) <= LONGEST_TOKEN:
            return value
    raise Unavailable(f"{title} gave an {name} that cannot be sent.", network=title)


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _said(answer: Mapping[str, Any]) -> str:
    """The network's own sentence, in one of the shapes that occur."""
    error = answer.get("error")
    found = answer.get("error_description") or answer.get("message")
    if isinstance(error, dict):
        found = error.get("message") or found
    text = found if isinstance(found, str) else error if isinstance(error, str) else ""
    return " ".join(Redactor.redact(text).split())[:200].rstrip(".")
