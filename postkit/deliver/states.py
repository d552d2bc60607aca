"""The states of a part and of a delivery, as tables. Nothing else changes a state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

PartState = Literal[
    "SCHEDULED",
    "CLAIMED",
    "SENDING",
    "IN_DOUBT",
    "LIVE",
    "FAILED",
    "UNCERTAIN",
    "HELD",
    "MISSED",
    "CANCELLED",
]
Event = Literal[
    "claim",
    "prepared",
    "release",
    "refuse",
    "send",
    "accepted",
    "rejected",
    "unsent",
    "doubt",
    "look",
    "found",
    "absent",
    "expired",
    "ask",
    "is_live",
    "resend",
    "give_up",
    "retry",
    "reopen",
    "hold",
    "free",
    "miss",
    "put_off",
    "shift",
    "reschedule",
    "edit",
    "cancel",
    "deleted",
    "audit",
    "duplicate",
    "wake",
]

TRANSITIONS: Final[dict[tuple[PartState, Event], PartState]] = {
    ("SCHEDULED", "claim"): "CLAIMED",
    ("CLAIMED", "prepared"): "CLAIMED",
    ("CLAIMED", "release"): "SCHEDULED",
    ("CLAIMED", "refuse"): "FAILED",
    ("CLAIMED", "hold"): "HELD",
    ("CLAIMED", "miss"): "MISSED",
    ("CLAIMED", "doubt"): "IN_DOUBT",
    ("CLAIMED", "send"): "SENDING",
    ("SCHEDULED", "expired"): "IN_DOUBT",
    ("SENDING", "accepted"): "LIVE",
    ("SENDING", "rejected"): "FAILED",
    ("SENDING", "unsent"): "SCHEDULED",
    ("SENDING", "doubt"): "IN_DOUBT",
    ("IN_DOUBT", "look"): "IN_DOUBT",
    ("IN_DOUBT", "found"): "LIVE",
    ("IN_DOUBT", "absent"): "SCHEDULED",
    ("IN_DOUBT", "ask"): "UNCERTAIN",
    ("SCHEDULED", "found"): "LIVE",
    ("CLAIMED", "found"): "LIVE",
    ("HELD", "found"): "LIVE",
    ("UNCERTAIN", "found"): "LIVE",
    ("UNCERTAIN", "is_live"): "LIVE",
    ("UNCERTAIN", "resend"): "SCHEDULED",
    ("UNCERTAIN", "give_up"): "FAILED",
    ("FAILED", "retry"): "SCHEDULED",
    ("FAILED", "reopen"): "IN_DOUBT",
    ("FAILED", "found"): "LIVE",
    ("CLAIMED", "cancel"): "CANCELLED",
    ("SCHEDULED", "hold"): "HELD",
    ("HELD", "free"): "SCHEDULED",
    ("SCHEDULED", "miss"): "MISSED",
    ("SCHEDULED", "put_off"): "SCHEDULED",
    ("SCHEDULED", "shift"): "SCHEDULED",
    ("SCHEDULED", "reschedule"): "SCHEDULED",
    ("HELD", "reschedule"): "SCHEDULED",
    ("MISSED", "reschedule"): "SCHEDULED",
    ("SCHEDULED", "edit"): "SCHEDULED",
    ("HELD", "edit"): "HELD",
    ("MISSED", "edit"): "MISSED",
    ("SCHEDULED", "cancel"): "CANCELLED",
    ("HELD", "cancel"): "CANCELLED",
    ("MISSED", "cancel"): "CANCELLED",
    ("LIVE", "deleted"): "CANCELLED",
    ("LIVE", "audit"): "LIVE",
    ("LIVE", "duplicate"): "LIVE",
    ("SCHEDULED", "wake"): "SCHEDULED",
    ("HELD", "wake"): "HELD",
    ("CLAIMED", "wake"): "CLAIMED",
    ("SENDING", "wake"): "SENDING",
    ("IN_DOUBT", "wake"): "IN_DOUBT",
    ("LIVE", "wake"): "LIVE",
}
"""(state, event) -> state. What is not here cannot happen."""

SETTLED: Final = frozenset({"LIVE", "FAILED", "MISSED", "CANCELLED"})

DeliveryState = Literal[
    "planned",
    "scheduled",
    "sending",
    "checking",
    "live",
    "partly_live",
    "failed",
    "uncertain",
    "held",
    "missed",
    "cancelled",
]

EXIT_ORDER: Final = (70, 3, 1, 4, 75)
"""Of several exit statuses, the first in this order is the command's."""

EXIT_STATUS: Final[dict[DeliveryState, int]] = {
    "planned": 0,
    "live": 0,
    "cancelled": 0,
    "scheduled": 0,
    "failed": 1,
    "partly_live": 1,
    "missed": 1,
    "uncertain": 3,
    "held": 4,
    "sending": 75,
    "checking": 75,
}


def delivery_state(parts: Sequence[PartState]) -> DeliveryState:
    """What a delivery shows, from the states of its parts in order."""
    states = set(parts)
    if states == {"LIVE"}:
        return "live"
    if "UNCERTAIN" in states:
        return "uncertain"
    if "IN_DOUBT" in states:
        return "checking"
    if states & {"SENDING", "CLAIMED"}:
        return "sending"
    if "FAILED" in states:
        return "partly_live" if "LIVE" in states else "failed"
    if "MISSED" in states:
        return "partly_live" if "LIVE" in states else "missed"
    if "HELD" in states:
        return "held"
    if "SCHEDULED" in states:
        return "scheduled"
    return "partly_live" if "LIVE" in states else "cancelled"


def worst_exit(statuses: Sequence[int]) -> int:
    return next((status for status in EXIT_ORDER if status in statuses), 0)
