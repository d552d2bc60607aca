"""Calls of the Page in the last 24 hours, and the two headers that tell of them."""

from __future__ import annotations

import json
import math
from collections import deque
from datetime import datetime, timedelta

from postkit.clock import Clock

DAY = timedelta(hours=24)


class Usage:
    """A rolling window: 4,800 calls for each engaged user in 24 hours."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: deque[datetime] = deque()

    def take(self, limit: int) -> bool:
        """Count a call; False where it was one too many."""
        now = self._clock.now()
        while self._calls and self._calls[0] <= now - DAY:
            self._calls.popleft()
        if len(self._calls) >= limit:
            return False
        self._calls.append(now)
        return True

    def minutes_left(self, limit: int) -> int:
        """Minutes until a call is allowed again."""
        if len(self._calls) < max(1, limit) or not self._calls:
            return 0
        return math.ceil((self._calls[0] + DAY - self._clock.now()).total_seconds() / 60)

    def percent(self, limit: int) -> int:
        return min(100, len(self._calls) * 100 // limit) if limit else 100

    def clear(self) -> None:
        self._calls.clear()


def headers(page_id: str, percent: int, minutes: float) -> dict[str, str]:
    """Percentages of what is allowed, and minutes until access is regained."""
    row = {
        "type": "pages",
        "call_count": percent,
        "total_cputime": 1,
        "total_time": 1,
        "estimated_time_to_regain_access": minutes,
    }
    app = {"call_count": min(percent, 99), "total_time": 1, "total_cputime": 1}
    return {
        "X-Business-Use-Case-Usage": json.dumps({page_id: [row]}),
        "X-App-Usage": json.dumps(app),
    }
