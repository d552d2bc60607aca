"""Rate limits of a server, in points, with the headers that tell them.

Numbers: PDS source and measured on PDS 0.5.35, 2026-11-23.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from postkit.emulator.rates import FixedWindow, RateState
from postkit.emulator.world import World

from .answers import problem

Kind = Literal["any", "login", "write", "upload"]
_STATE = "postkit.bluesky.rate"


@dataclass(frozen=True, slots=True)
class Standing:
    """One window after a request: what its answer's headers say."""

    state: RateState
    policy: str


class Limiter:
    """Counts requests. The answer shows the window with the fewest points left."""

    def __init__(self, world: World) -> None:
        self._world = world
        rules: dict[Kind, list[tuple[int, int]]] = {
            "any": [(3000, 300)],
            "login": [(30, 300), (300, 86_400)],
            "write": [(5000, 3600), (35_000, 86_400)],
            "upload": [(1000, 86_400)],
        }
        self._windows = {
            kind: [world.rate_limit(limit, seconds) for limit, seconds in pairs]
            for kind, pairs in rules.items()
        }

    def windows(self, kind: Kind) -> list[FixedWindow]:
        return self._windows[kind]

    def count(
        self, request: Request, kind: Kind = "any", *, key: str = "", points: int = 1
    ) -> None:
        """Raises Refusal (429) where a window is used up; the request then costs as well."""
        client = request.client.host if request.client else ""
        standings = [_take(window, client, 1) for window in self._windows["any"]]
        if kind != "any":
            standings += [_take(window, key, points) for window in self._windows[kind]]
        lowest = min(standings, key=lambda one: (one.state.allowed, one.state.remaining))
        request.scope[_STATE] = lowest
        if not lowest.state.allowed:
            seconds = (lowest.state.reset_at - self._world.clock.now()).total_seconds()
            raise problem(
                429,
                "RateLimitExceeded",
                "Rate Limit Exceeded",
                **{"Retry-After": str(max(1, math.ceil(seconds)))},
            )


def add_headers(request: Request, response: Response) -> None:
    """Answers that were refused before the limiter carry none."""
    standing = request.scope.get(_STATE)
    if isinstance(standing, Standing):
        write_headers(response, standing)


def write_headers(response: Response, standing: Standing) -> None:
    state = standing.state
    response.headers["RateLimit-Limit"] = str(state.limit)
    response.headers["RateLimit-Remaining"] = str(state.remaining)
    response.headers["RateLimit-Reset"] = str(math.ceil(state.reset_at.timestamp()))
    response.headers["RateLimit-Policy"] = standing.policy


def _take(window: FixedWindow, key: str, points: int) -> Standing:
    state = window.take(key)
    for _ in range(points - 1):
        state = window.take(key)
    return Standing(state, f"{window.limit};w={window.seconds}")
