"""This machine's clock, by what was written here before."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

from ..clock import moment
from ..kit import Kit
from .finding import Examined, problem
from .reading import read_only

OLDEST = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this version of postkit: no clock that is right shows it."""
AHEAD = timedelta(minutes=1)
SET = "set the clock, and let the system keep it (`timedatectl set-ntp true`)"


def look(kit: Kit) -> Examined:
    """Raises nothing: a store that cannot be read is told by its own area."""
    now = kit.clock.now()
    if now < OLDEST:
        text = f"The clock shows {now:%Y-%m-%d %H:%M} UTC, which cannot be."
        return Examined("clock", "", (problem("clock", text, SET),))
    last = None
    with contextlib.suppress(Exception), read_only(kit.home.store_path) as connection:
        row = connection.execute("SELECT at FROM history ORDER BY id DESC LIMIT 1").fetchone()
        last = moment(row[0]) if row is not None else None
    if last is not None and last - now > AHEAD:
        text = (
            f"The clock shows {now:%Y-%m-%d %H:%M} UTC, and the newest line of the history was "
            f"written at {last:%Y-%m-%d %H:%M} UTC: one of the two times was wrong, and posts are "
            "sent by this clock."
        )
        return Examined("clock", "", (problem("clock", text, SET),))
    return Examined("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")
