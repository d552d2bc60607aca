"""What can go wrong with one request, and with a process."""

from __future__ import annotations

from typing import Final, Literal

CreateFault = Literal[
    "refused",
    "lost_before",
    "lost_after",
    "answer_late",
    "5xx_before",
    "5xx_after",
    "429",
    "429_retry_after",
    "401",
    "400",
    "no_id_before",
    "no_id_after",
    "redirect",
    "foreign_403",
    "late",
    "too_late",
]
CREATE_FAULTS: Final[tuple[CreateFault, ...]] = (
    "refused",
    "lost_before",
    "lost_after",
    "answer_late",
    "5xx_before",
    "5xx_after",
    "429",
    "429_retry_after",
    "401",
    "400",
    "no_id_before",
    "no_id_after",
    "redirect",
    "foreign_403",
    "late",
    "too_late",
)
ReadFault = Literal["refused", "5xx", "429", "timeout", "401", "stale", "forbidden"]
READ_FAULTS: Final[tuple[ReadFault, ...]] = (
    "refused",
    "5xx",
    "429",
    "timeout",
    "401",
    "stale",
    "forbidden",
)

Action = Literal["kill", "stall", "switch", "busy", "busy_after", "jump"]
"""``busy`` and ``busy_after`` are the store's: it refuses before a commit, or says so after it."""
PointName = Literal[
    "before BEGIN",
    "before COMMIT",
    "after COMMIT",
    "before the socket",
    "request written",
    "answered",
]
POINTS: Final[tuple[PointName, ...]] = (
    "before BEGIN",
    "before COMMIT",
    "after COMMIT",
    "before the socket",
    "request written",
    "answered",
)
