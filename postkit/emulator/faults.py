"""Faults on demand: what can go wrong with the one request that makes a post live."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, get_args

Kind = Literal[
    "lose_answer",
    "reset",
    "hang",
    "slow",
    "status",
    "truncate",
    "no_id",
    "late",
    "index_lag",
    "rate_limit",
    "expire_token",
]
KINDS: tuple[str, ...] = get_args(Kind)

_SECONDS = {"hang": 3600.0, "slow": 2.0, "late": 0.5, "index_lag": 0.5, "rate_limit": 2.0}


class BadFault(ValueError):
    """A fault that cannot be armed; ``problems`` holds one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Fault:
    """Hits the next ``times`` create requests of ``network``, after letting ``skip`` pass.

    ``accepted`` true: the post is made and the answer spoiled; false: it is not made.
    ``rate_limit`` and ``expire_token`` never make it. ``seconds`` means, for

    - ``hang``: how long no answer comes (3600); it ends early when the client goes,
    - ``slow``: after how long the good answer comes (2),
    - ``late``: after how long the post becomes live (0.5); the answer is lost,
    - ``index_lag``: how long lists hide the post (0.5); the answer is lost,
    - ``rate_limit``: after how long the answer says that the window opens again (2).

    ``status`` is what a ``status`` fault answers (503), as HTML; a 3xx leads to ``/``. The
    others: ``lose_answer`` closes the connection without a byte, ``reset`` breaks it (TCP RST),
    ``truncate`` sends half of the body, ``no_id`` a good status with ``{}``, ``expire_token``
    ends the access token.
    """

    network: str
    kind: str
    times: int = 1
    accepted: bool = True
    seconds: float | None = None
    status: int = 503
    skip: int = 0

    @property
    def duration(self) -> float:
        """``seconds``, or the default of this kind."""
        return _SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    @classmethod
    def from_json(cls, data: object, networks: Collection[str]) -> Fault:
        """Check one JSON object. Raises BadFault with all problems at once."""
        if not isinstance(data, Mapping):
            raise BadFault(["A fault is a JSON object such as {network, kind, times}."])
        problems = _Checks(data, networks).problems()
        if problems:
            raise BadFault(problems)
        return cls(**data)


@dataclass(frozen=True, slots=True)
class _Checks:
    data: Mapping[str, Any]
    networks: Collection[str]
    whole: ClassVar[dict[str, tuple[int, int]]] = {
        "times": (1, 1_000_000),
        "skip": (0, 1_000_000),
        "status": (200, 599),
    }

    def problems(self) -> list[str]:
        known = [item.name for item in fields(Fault)]
        found = [
            f"Unknown field {name!r}: a fault has {', '.join(known)}."
            for name in self.data
            if name not in known
        ]
        found += self._choice("network", sorted(self.networks))
        found += self._choice("kind", KINDS)
        for name, (low, high) in self.whole.items():
            value = self.data.get(name, high)
            if type(value) is not int or not low <= value <= high:
                found.append(f"{name!r} is a whole number from {low} to {high}, not {value!r}.")
        if type(self.data.get("accepted", True)) is not bool:
            found.append(f"'accepted' is true or false, not {self.data['accepted']!r}.")
        seconds = self.data.get("seconds")
        if seconds is not None and (
            type(seconds) not in (int, float) or not 0 <= seconds <= 86_400
        ):
            found.append(f"'seconds' is a number from 0 to 86400, not {seconds!r}.")
        return found

    def _choice(self, name: str, allowed: Collection[str]) -> list[str]:
        value = self.data.get(name)
        if isinstance(value, str) and value in allowed:
            return []
        said = f"unknown {name} {value!r}" if name in self.data else f"{name!r} is missing"
        return [f"{said[:1].upper()}{said[1:]}: it is one of {', '.join(allowed)}."]


@dataclass(slots=True)
class _Armed:
    fault: Fault
    left: int
    skip: int
    hits: int = 0


@dataclass(frozen=True, slots=True)
class Strike:
    """What a create request met: a fault, or none. ``undo`` if the request made no post."""

    fault: Fault | None
    _undo: tuple[Callable[[], None], ...] = field(default=(), repr=False)

    def undo(self) -> None:
        for step in self._undo:
            step()


class Faults:
    """The faults that are armed, in the order in which they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._armed.append(_Armed(fault, fault.times, fault.skip))

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def strike(self, network: str) -> Strike:
        """Count one create request of a network: the first fault that is due hits it."""
        hit: _Armed | None = None
        passed: list[_Armed] = []
        with self._lock:
            for armed in self._armed:
                if armed.fault.network != network or not armed.left:
                    continue
                if armed.skip:
                    armed.skip -= 1
                    passed.append(armed)
                elif hit is None:
                    armed.left -= 1
                    armed.hits += 1
                    hit = armed

        def undo() -> None:
            with self._lock:
                for armed in passed:
                    armed.skip += 1
                if hit is not None:
                    hit.left += 1
                    hit.hits -= 1

        return Strike(hit.fault if hit else None, (undo,))

    def to_json(self) -> list[dict[str, Any]]:
        """What ``GET /_postkit/faults`` shows; ``left`` is how many creates it will still hit."""
        with self._lock:
            return [
                {item.name: getattr(armed.fault, item.name) for item in fields(Fault)}
                | {"seconds": armed.fault.duration, "left": armed.left, "hits": armed.hits}
                for armed in self._armed
            ]
