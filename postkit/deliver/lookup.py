"""What a read-back means: a pure decision from what was found and how long we have waited."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ..network import Candidate, Guarantee, Receipt

CLOCK_SKEW = timedelta(seconds=30)
"""A post that claims to be older than our request by more than this is not ours."""
LOOKS = 3
"""Absence counts only when this many looks in a row found nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``live`` (its receipt), ``wait`` (until ``again``), ``absent`` (send again) or ``ask``."""

    kind: Literal["live", "wait", "absent", "ask"]
    reason: str
    receipt: Receipt | None = None
    again: datetime | None = None
    links: tuple[str, ...] = ()


def decide(
    found: Sequence[Candidate],
    *,
    guarantee: Guarantee,
    sending_at: datetime,
    doubt_at: datetime,
    now: datetime,
    looks: int,
    taken: Collection[str],
) -> Verdict:
    """``looks`` counts this look too; ``taken`` are remote ids that settle other parts."""
    if guarantee.kind == "blind":
        return Verdict("ask", "The network gives no way to look.")
    # Pages overlap: one post that is listed twice is one. What proves comes last and stays.
    listed = {c.receipt.id: c for c in sorted(found, key=lambda c: c.proof)}
    mine = [
        c
        for c in listed.values()
        if c.receipt.id not in taken and (c.proof or c.at >= sending_at - CLOCK_SKEW)
    ]
    proved = [c for c in mine if c.proof]
    if len(proved) == 1 or len(mine) == 1:
        one = (proved or mine)[0]
        return Verdict("live", "Found at the network.", receipt=one.receipt)
    if len(mine) > 1:
        links = tuple(c.receipt.url for c in mine if c.receipt.url)
        return Verdict("ask", f"{len(mine)} posts look like it.", links=links)
    quiet = timedelta(seconds=guarantee.quiet)
    over = doubt_at + quiet
    if now < over or looks < LOOKS:
        # What is left is more than the window where the clock went back.
        pause = max(quiet, over - now) / 4
        pause = min(max(pause, timedelta(milliseconds=100)), timedelta(seconds=30))
        again = now + pause if now >= over else min(now + pause, over)
        return Verdict("wait", "Not found yet; it may still appear.", again=again)
    if guarantee.resend_when_absent:
        age = (now - sending_at).total_seconds()
        # An age below zero is a clock that went back: how old the key is cannot be told.
        if guarantee.key_ttl is None or 0 <= age < guarantee.key_ttl:
            return Verdict("absent", "Not there, and a repeat cannot make a second post.")
    return Verdict(
        "ask", "Not found after the quiet window, which does not prove that it is not there."
    )
