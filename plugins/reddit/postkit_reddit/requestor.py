"""praw over the core's session: no retries, no sleeping, no login in the middle of a call.

Importing this module imports praw, which takes a third of a second.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import praw
import prawcore
from prawcore.sessions import RetryStrategy

from postkit.errors import NeedsLogin, PluginError, PostkitError, Throttled
from postkit.transport import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

TOKEN_PATH = "/api/v1/access_token"  # noqa: S105 - a path, no token


class Requestor(prawcore.Requestor):
    """Lets a token request through only while ``renewing`` is set."""

    renewing = False

    def request(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> requests.Response:
        if str(args[1]).endswith(TOKEN_PATH) and not self.renewing:
            raise NeedsLogin(
                "The access to Reddit ran out before anything was sent.", network="reddit"
            )
        try:
            return super().request(*args, timeout=timeout, **kwargs)
        except prawcore.RequestException as error:
            if isinstance(error.original_exception, PostkitError):
                raise error.original_exception from None
            raise


class NoRetries(RetryStrategy):
    """One request for one call. The library's own strategy also sleeps when it may not retry."""

    def _sleep_seconds(self) -> float | None:
        return None

    def consume_available_retry(self) -> NoRetries:
        return self

    def should_retry_on_failure(self) -> bool:
        return False


class Window:
    """Reddit's rate limit window as its headers tell it: a full one raises instead of sleeping."""

    def __init__(self) -> None:
        self.remaining: float | None = None
        self.reset_at: datetime | None = None

    def delay(self) -> None:
        """Called before each request. Raises Throttled while no call is left."""
        if self.remaining is None or self.remaining >= 1 or self.reset_at is None:
            return
        if self.reset_at > datetime.now(UTC):
            raise Throttled(
                "Reddit allows no more requests in this window.",
                network="reddit",
                retry_at=self.reset_at,
            )

    def update(self, *, response_headers: Mapping[str, str]) -> None:
        """Called after each request. What cannot be read is ignored: the request was sent."""
        try:
            remaining = float(response_headers["x-ratelimit-remaining"])
            seconds = float(response_headers["x-ratelimit-reset"])
            reset_at = datetime.now(UTC) + timedelta(seconds=seconds)
        except (KeyError, ValueError, OverflowError):
            return
        self.remaining, self.reset_at = remaining, reset_at


def open_reddit(
    session: Session, user_agent: str, credentials: Mapping[str, str | None]
) -> tuple[praw.Reddit, Requestor]:
    """A Reddit over ``session``. Sends nothing. Raises PluginError for a praw that is unlike
    the one this is made for."""
    settings: dict[str, Any] = {
        # Everything by name: a praw.ini in the current folder must not redirect our secrets.
        "oauth_url": "https://oauth.reddit.com",
        "reddit_url": "https://www.reddit.com",
        "short_url": "https://redd.it",
        "redirect_uri": None,
        "check_for_updates": False,
        "check_for_async": False,
        "ratelimit_seconds": 0,
        "timeout": 16,
        "window_size": 600,
        "comment_kind": "t1",
        "redditor_kind": "t2",
        "submission_kind": "t3",
        "message_kind": "t4",
        "subreddit_kind": "t5",
        "trophy_kind": "t6",
    }
    reddit = praw.Reddit(
        "DEFAULT",
        user_agent=user_agent,
        requestor_class=Requestor,
        requestor_kwargs={"session": session},
        **settings,
        **credentials,
    )
    core: Any = getattr(reddit, "_core", None)
    requestor = getattr(core, "requestor", None)
    missing = [
        name
        for name in ("_retry_strategy_class", "rate_limiter", "authorizer")
        if not hasattr(core, name)
    ]
    missing += [name for name in ("delay", "update") if not hasattr(core.rate_limiter, name)]
    if missing or not isinstance(requestor, Requestor):
        raise PluginError(
            f"praw {praw.__version__} with prawcore {prawcore.__version__} cannot be used: "
            f"{', '.join(missing) or 'the requestor'} changed. Install praw 8.0.3 and "
            "prawcore 4.0.0."
        )
    window = Window()
    core._retry_strategy_class = NoRetries
    core.rate_limiter.delay = window.delay
    core.rate_limiter.update = window.update
    return reddit, requestor
