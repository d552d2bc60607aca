"""The query that the browser came back with; nothing of it is believed unseen."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from ...errors import InputError, Refused
from ..secret import Redactor, Secret
from .pending import Pending

LONGEST_CODE = 4_096
"""Characters; a URL has few more."""


def check_query(params: Mapping[str, str]) -> None:
    """Raises InputError for what no query is, such as the lists that ``parse_qs`` gives."""
    if not isinstance(params, Mapping) or not all(isinstance(v, str) for v in params.values()):
        raise InputError(
            "The answer's query must be a mapping of names to text, as dict(parse_qsl(query)) "
            "makes it."
        )


def check_state(state: str, params: Mapping[str, str]) -> None:
    """Raises InputError where it answers another question (RFC 6749 section 10.12)."""
    given = params.get("state")
    if not isinstance(given, str) or not hmac.compare_digest(
        given.encode("utf-8", "replace"), state.encode("utf-8", "replace")
    ):
        raise InputError(
            "The answer's state is not the one that was sent: somebody else's answer may have been "
            "slipped in. Nothing was kept; begin again with `postkit connect`."
        )


def code_of(title: str, pending: Pending, params: Mapping[str, str]) -> str:
    """The code of an answer that says yes. Raises Refused or InputError."""
    error = params.get("error")
    if error:
        said = params.get("error_description") or error
        told = " ".join(Redactor.redact(said).split())[:200].rstrip(".")
        why = "you or the network declined" if error == "access_denied" else "the network declined"
        raise Refused(
            f"{title}: {why} ({told}); nothing was kept. Connect again.",
            network=pending.network,
            code=error[:100],
        )
    issuer = params.get("iss")
    if issuer and pending.endpoint and _origin(issuer) != _origin(pending.endpoint):
        raise InputError(
            f"{title}: the answer is of another server than {pending.endpoint} (RFC 9207); "
            "nothing was kept."
        )
    code = params.get("code", "")
    if not code or len(code) > LONGEST_CODE or not code.isascii() or not code.isprintable():
        raise InputError(f"{title} answered without a code; begin again with `postkit connect`.")
    Secret(code)
    return code


def _origin(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets that are none: no server's
        return "", ""
    return parts.scheme, parts.netloc.lower()
