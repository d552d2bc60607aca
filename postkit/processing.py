"""Wait for a network that is still at work on what was uploaded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from .errors import Unavailable

PATIENCE = 20.0
"""Seconds of waiting in one go. A longer one is a matter of coming back: the post is put off, its
upload is in the journal, and whoever waits is free for other posts."""
LEAST = 0.05
MOST = 300.0


def growing_pauses() -> Iterator[float]:
    """Seconds between looks, for a network that names none: half a second, then twice as long
    each time, up to 8."""
    seconds = 0.5
    while True:
        yield seconds
        seconds = min(2 * seconds, 8.0)


def wait_until_processed(title: str, ask: Callable[[], float | None]) -> None:
    """Call ``ask`` until it returns None; a number is how many seconds the network wants to be
    left alone. ``title`` is the network's, for people.

    For use in ``prepare``. Raises Unavailable with the time of the next look where it takes longer
    than PATIENCE; what ``ask`` raises passes, so let it raise Refused where processing has failed.
    """
    until = time.monotonic() + PATIENCE
    while (seconds := ask()) is not None:
        seconds = min(max(float(seconds), LEAST), MOST)
        if time.monotonic() + seconds > until:
            raise Unavailable(
                f"{title} is still at work on the video; it is asked again in {seconds:.0f} s.",
                retry_at=datetime.now(UTC) + timedelta(seconds=seconds),
            )
        time.sleep(seconds)
