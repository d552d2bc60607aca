"""X's error bodies, and the next step that each of them asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from postkit.classify import by_status, reset_at
from postkit.errors import Duplicate, NeedsLogin, NetworkError, Refused
from postkit.network import Failure

DUPLICATE_CODE = "187"
WINDOWS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
"""Each has -limit, -remaining and -reset; the last two are seen, but not documented."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What X said, out of any of the shapes that its API answers with."""

    kind: str
    codes: tuple[str, ...]
    messages: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.messages)

    def says(self, words: str) -> bool:
        return words in self.text.lower()


def problem_of(body: Mapping[str, Any]) -> Problem:
    """Problem JSON, the older list of coded errors, ``{code, message}``, and OAuth's pair."""
    rows = [row for row in _rows(body.get("errors")) if isinstance(row, Mapping)]
    # Both hosts occur in these addresses, so that only the last segment is compared.
    kind = str(body.get("type") or "").rstrip("/").rpartition("/")[2]
    codes = [str(row["code"]) for row in (body, *rows) if isinstance(row.get("code"), int | str)]
    messages: list[str] = []
    for row in (body, *rows):
        for name in ("detail", "message", "error_description"):
            said = row.get(name)
            if isinstance(said, str) and said and said not in messages:
                messages.append(said)
    if not messages:
        messages = [str(body[n]) for n in ("title", "error") if isinstance(body.get(n), str)][:1]
    return Problem(kind, tuple(codes), tuple(messages))


def _rows(errors: Any) -> Iterable[Any]:
    return errors if isinstance(errors, list) else ()


def classify(title: str, failure: Failure) -> NetworkError:
    """The next step. Whatever is not an answer of the API itself is left to the core's table."""
    exchange = failure.exchange
    status = exchange.status if exchange is not None else None
    body = exchange.json() if exchange is not None else None
    if exchange is None or status is None or not 400 <= status < 500:
        return by_status(title, failure)
    if not isinstance(body, dict):
        return by_status(title, failure)
    problem = problem_of(body)
    code = problem.codes[0] if problem.codes else problem.kind or None
    usual = by_status(
        title,
        failure,
        message=problem.text or None,
        code=code,
        retry_at=opens_at(exchange.headers, datetime.now(UTC)),
    )
    about: dict[str, Any] = {
        "network": usual.network,
        "status": status,
        "code": code,
        "request_id": usual.request_id,
    }
    for kind, sentence in _special(status, problem):
        return kind(f"{sentence} ({title} says: {problem.text})", **about)
    return usual


def _special(status: int, problem: Problem) -> Iterator[tuple[type[NetworkError], str]]:
    if status == 402 or problem.kind == "usage-capped":
        yield (
            Refused,
            "The credits or the spending cap of the X app are used up: buy credits or raise the "
            "cap in X's developer console, then publish again.",
        )
    if status != 403:
        return
    if DUPLICATE_CODE in problem.codes or problem.says("duplicate content"):
        yield Duplicate, "X refuses the same text twice: change it, or delete the older post."
    if problem.kind == "unsupported-authentication" or problem.says("application-only"):
        yield (
            NeedsLogin,
            "This is an app's token, which cannot post: connect the account with a user's token.",
        )
    if problem.kind == "oauth1-permissions":
        yield (
            NeedsLogin,
            "The token may only read: set the X app to `Read and write`, make a new access token "
            "and connect the account again.",
        )
    if problem.says("reply to this conversation is not allowed"):
        yield (
            Refused,
            "X lets programs reply only to posts whose author mentioned or quoted the account: "
            "publish it as a post of its own.",
        )
    if problem.says("maximum of one cashtag"):
        yield Refused, "X takes one cashtag in a post."
    if problem.kind in ("client-forbidden", "not-authorized-for-resource"):
        yield Refused, "X does not allow this to the app; look at its access in X's console."


def opens_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the windows that are used up open again, in UTC."""
    lower = {name.lower(): value for name, value in headers.items()}
    used_up = [w for w in WINDOWS if lower.get(f"{w}-remaining", "").strip() == "0"]
    moments = [reset_at(lower, f"{window}-reset") for window in used_up or WINDOWS[:1]]
    known = [moment for moment in moments if moment is not None and moment > now]
    return max(known, default=None)
