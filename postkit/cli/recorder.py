"""The flight recorder: each line of a delivery's history in plain words, with its evidence."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import click

from ..deliver.states import Event
from ..report import PartReport
from ..store.rows import HistoryRow
from .output import WIDEST, shown, wrapped


@dataclass(frozen=True, slots=True)
class Said:
    """What an event means. ``more``: its reason adds something to the sentence."""

    sentence: str
    more: bool = True


WORDS: Final[Mapping[Event | Literal["publish"], Said]] = {
    "publish": Said("It was accepted.", more=False),
    "claim": Said("A process took it.", more=False),
    "prepared": Said("An upload, or what else it needs, is done."),
    "release": Said("Given back: nothing was sent."),
    "refuse": Said("It cannot be sent, and nothing was."),
    "send": Said("The request is written down and may leave.", more=False),
    "accepted": Said("The network accepted it.", more=False),
    "rejected": Said("The network refused it for good."),
    "unsent": Said("It was certainly not accepted; it is tried again."),
    "doubt": Said("It may be live or not: this is found out before anything is repeated."),
    "look": Said("Still finding out."),
    "found": Said("It is live."),
    "absent": Said("It is sent again."),
    "expired": Said("Too old to be repeated unseen; it is looked up first.", more=False),
    "ask": Said("Only a person can tell."),
    "is_live": Said("A person found it at the network.", more=False),
    "resend": Said("A person says that it is not live; it is sent again.", more=False),
    "give_up": Said("A person gave it up.", more=False),
    "retry": Said("A person asks for another attempt.", more=False),
    "reopen": Said("A person asks for another attempt; first it is looked for.", more=False),
    "put_off": Said("Put off; nothing was sent."),
    "hold": Said("Held."),
    "free": Said("No longer held."),
    "miss": Said("Missed: it is too late, so it was not sent."),
    "shift": Said("It is due at another instant."),
    "reschedule": Said("Another time."),
    "edit": Said("Other content."),
    "cancel": Said("Cancelled: it will not be sent."),
    "deleted": Said("Deleted at the network.", more=False),
    "audit": Said("The network was asked once more."),
    "duplicate": Said("It may be there twice."),
    "wake": Said("Brought forward: the clock was wrong."),
}
"""The sentence of each event of ``deliver/states.py``, which a test holds against each other, and
of the one that begins a delivery."""
LINES = 4
"""Of an answer on a terminal."""


def print_history(heading: str, rows: Sequence[HistoryRow], parts: Sequence[PartReport]) -> None:
    """Every line of one delivery: time (UTC), part, attempt, state, what happened and why. Where
    a part becomes live, its link and the network's id follow."""
    live = {part.id: part for part in parts if part.remote_id or part.url}
    click.echo(f"\n{shown(heading)}")
    several = len({row.part_id for row in rows if row.part_id is not None}) > 1
    day, by = "", ""
    for row in rows:
        if f"{row.at:%Y-%m-%d}" != day:
            day = f"{row.at:%Y-%m-%d}"
            click.echo(f"  {day} (UTC)")
        if row.actor is not None and f"{row.actor} ({row.via})" != by:
            by = f"{row.actor} ({row.via})"
            click.echo(f"  by {shown(by)}")
        part = f"{(row.part_id or '').rpartition('.')[2]:>2}  " if several else ""
        attempt = f"#{row.attempt}" if row.attempt else ""
        state = (row.after or ("removed" if row.part_id else "")).replace("_", " ").lower()
        start = f"  {row.at:%H:%M:%S.%f}"[:-3] + f"  {part}{attempt:3} {state:9}  "
        for line in wrapped(shown(told(row)), start):
            click.echo(line)
        if row.after == "LIVE" and row.before != "LIVE" and row.part_id in live:
            click.echo(" " * 16 + shown(named(live[row.part_id])))
        for line in evidence_lines(row.detail, 16):
            click.echo(line)


def named(part: PartReport) -> str:
    """``https://...  id 117``: the post at the network."""
    name = f"id {part.remote_id}" if part.remote_id else None
    return "  ".join(each for each in (part.url, name) if each)


def line_json(row: HistoryRow) -> dict[str, Any]:
    """A line for programs, as the schema of reports has it."""
    return {
        "part": row.part_id,
        "at": row.at.isoformat(),
        "event": row.event,
        "before": row.before,
        "after": row.after,
        "attempt": row.attempt,
        "reason": row.reason,
        "detail": dict(row.detail) if row.detail is not None else None,
        "actor": row.actor,
        "via": row.via,
        "content": row.content,
    }


def told(row: HistoryRow) -> str:
    """What happened, and the reason where it says more."""
    said = WORDS.get(row.event)  # type: ignore[call-overload]
    if said is None:
        # Of a plugin, or of a later version that has written to this store.
        return f"{row.event}: {row.reason}"
    reason = row.reason.strip()
    return f"{said.sentence} {reason}" if said.more and reason else said.sentence


def evidence_lines(detail: Mapping[str, Any] | None, indent: int) -> Iterator[str]:
    """The request, and what came back."""
    if not detail:
        return
    start = " " * indent
    seconds = f"{detail.get('seconds') or 0:.3f} s"
    if not detail.get("left"):
        came = f"did not leave ({seconds})"
    elif detail.get("status") is None:
        came = f"left; no whole answer came ({seconds})"
    else:
        came = f"answered {detail['status']} after {seconds}"
    if detail.get("left") and detail.get("bytes") is not None:
        came += f", request of {detail['bytes']:,} bytes"
    if detail.get("request_id"):
        came += f", request id {detail['request_id']}"
    # Not wrapped: an address stays whole, so that it can be copied.
    yield start + shown(str(detail.get("request", "")))
    yield from wrapped(shown(came), start)
    answer = shown(" ".join(str(detail.get("answer") or "").split()))
    if answer:
        yield from _broken(answer, start)


def _broken(text: str, start: str) -> Iterator[str]:
    """An answer is read, not copied: on a terminal its long words are cut, and so is its end."""
    if not sys.stdout.isatty():
        yield start + text
        return
    width = max(min(shutil.get_terminal_size().columns, WIDEST), 40)
    yield from textwrap.wrap(
        text,
        width,
        initial_indent=start,
        subsequent_indent=start,
        break_on_hyphens=False,
        max_lines=LINES,
        placeholder=" ... (--json shows more)",
    )
