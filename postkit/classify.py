"""The next step after a failed call: from what the wire said, not from what an SDK raised."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from .errors import InDoubt, NeedsLogin, NetworkError, Refused, Throttled, Unavailable
from .logs import logger
from .network import Failure, Network

log = logger("classify")

REQUEST_ID_HEADERS = ("x-request-id", "x-fb-trace-id", "x-transaction-id", "cf-ray")


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the answer's Retry-After allows the next call (RFC 9110, section 10.2.3)."""
    value = {k.lower(): v for k, v in headers.items()}.get("retry-after", "").strip()
    if not value:
        return None
    try:
        if value.isascii() and value.replace(".", "", 1).isdigit():
            return now + timedelta(seconds=float(value))
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def reset_at(headers: Mapping[str, str], name: str) -> datetime | None:
    """The moment in a rate limit's reset header that holds Unix seconds."""
    value = {k.lower(): v for k, v in headers.items()}.get(name.lower(), "")
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def message_of(body: Any) -> str:
    """The sentence in an error body, in the shapes that are usual."""
    if isinstance(body, Mapping):
        for name in ("detail", "message", "error_description", "title"):
            if isinstance(body.get(name), str) and body[name]:
                return str(body[name])
        error = body.get("error")
        if isinstance(error, Mapping):
            return message_of(error)
        if isinstance(error, str):
            return error
        errors = body.get("errors")
        if isinstance(errors, list) and errors:
            return message_of(errors[0])
    return ""


def classified(network: Network[Any], failure: Failure) -> NetworkError:
    """What the plugin makes of a failure, under the network's own name."""
    try:
        error = network.classify(failure)
        if not isinstance(error, NetworkError):
            raise TypeError(f"classify gave {type(error).__name__}")
    except Exception as problem:  # noqa: BLE001
        # A plugin that stumbles over an answer must not hide what the wire said.
        log.error("%s: classify failed (%s)", network.name, type(problem).__name__)
        error = by_status(network.title, failure)
    error.network = network.name
    error.retry_at = moment_told(error.retry_at)
    return error


def moment_told(told: object) -> datetime | None:
    """The time that a plugin names, in UTC where it has no zone; None where it is no time at all:
    a number of seconds, say."""
    if told is None:
        return None
    if not isinstance(told, datetime):
        log.warning("A plugin gave %s for the time of the next try.", type(told).__name__)
        return None
    return told.replace(tzinfo=UTC) if told.utcoffset() is None else told


def by_status(
    network: str,
    failure: Failure,
    *,
    message: str | None = None,
    code: str | None = None,
    retry_at: datetime | None = None,
    reads_body: bool = True,
) -> NetworkError:
    """The table of HTTP statuses. ``network`` is what messages call it.

    Nothing written: Unavailable. 400, 404, 413, 422 and other 4xx with the API's own (JSON)
    body: Refused. 401: NeedsLogin. 429: Throttled. Everything else is in doubt: a timeout, a
    reset, 5xx, a redirect, a 2xx that could not be understood, and a 4xx whose body is not
    JSON, since an intermediary may have sent it.
    """
    exchange = failure.exchange
    if exchange is None or not exchange.wrote:
        reason = _reason(failure.error)
        return Unavailable(
            f"{network} could not be reached ({reason}); nothing was sent.", network=network
        )
    if exchange.status is None:
        reason = _reason(failure.error)
        return InDoubt(f"{network} did not answer ({reason}); it may have acted.", network=network)
    body = exchange.json()
    said = message or message_of(body) or f"HTTP {exchange.status}"
    lower = {k.lower(): v for k, v in exchange.headers.items()}
    about: dict[str, Any] = {
        "network": network,
        "status": exchange.status,
        "code": code,
        "request_id": next((lower[h] for h in REQUEST_ID_HEADERS if h in lower), None),
    }
    status = exchange.status
    if 300 <= status < 400:
        how = f"with a redirect (HTTP {status}), which is not followed"
        return InDoubt(f"{network} answered {how}; it may have acted.", **about)
    if status < 300:
        how = f"HTTP {status}, but not as its API does"
        return InDoubt(f"{network} answered {how}; it may have acted.", **about)
    if status >= 500:
        return InDoubt(f"{network} answered HTTP {status}; it may have acted.", **about)
    if reads_body and not isinstance(body, dict | list):
        return InDoubt(
            f"{network} answered HTTP {status} without an answer of its API; it may come from a "
            "server in between.",
            **about,
        )
    if status == 401:
        return NeedsLogin(f"{network} does not accept the access any more: {said}", **about)
    if status in (408, 425):
        return InDoubt(f"{network} answered HTTP {status}: {said}", **about)
    if status == 429:
        at = retry_at or retry_after(exchange.headers, datetime.now(UTC))
        return Throttled(f"{network} allows no more requests now: {said}", retry_at=at, **about)
    return Refused(f"{network} refused it: {said}", **about)


def _reason(error: BaseException) -> str:
    """The innermost exception's name: short, and free of URLs that may hold a token."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        if inner is None and error.args and isinstance(error.args[0], BaseException):
            inner = error.args[0]
        if not isinstance(inner, BaseException):
            break
        error = inner
    return type(error).__name__
