"""What a worker prints: a line for each change of a state."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from ..clock import Clock
from ..deliver.states import worst_exit
from ..kit import Kit
from ..report import DeliveryReport
from ..store.publications import Due
from .output import MARKS, emit, say, shown

if TYPE_CHECKING:
    from ..deliver.steps import Progress


class StateLines:
    """Call it with Progress values, from any thread."""

    def __init__(self, clock: Clock, *, as_json: bool) -> None:
        self._clock = clock
        self._as_json = as_json
        self._lock = threading.Lock()
        self._last: dict[str, tuple[int, str]] = {}
        self._tenants: dict[str, str] = {}

    def start(self, home: str, scheduled: int, due: Due | None) -> None:
        """The first line of JSON."""
        next_due = due.at.isoformat() if due is not None else None
        self._emit({"event": "started", "home": home, "scheduled": scheduled, "next": next_due})

    def __call__(self, progress: Progress) -> None:
        with self._lock:
            now = (progress.part, progress.state)
            # A second copy is news although its state is the same.
            if self._last.get(progress.delivery_id) == now and progress.state != "copy":
                return
            self._last[progress.delivery_id] = now
            self._tenants[progress.delivery_id] = progress.tenant
            if self._as_json:
                self._emit(
                    {
                        "event": "state",
                        "delivery": progress.delivery_id,
                        "address": progress.address,
                        **({"tenant": progress.tenant} if progress.tenant else {}),
                        "part": progress.part,
                        "parts": progress.parts or None,
                        "state": progress.state,
                        "url": progress.text if progress.state == "live" else None,
                        "reason": (_text(progress) or None) if progress.state != "live" else None,
                    }
                )
            else:
                click.echo(self._line(progress))
            sys.stdout.flush()

    def end(self, kit: Kit) -> int:
        """The last line of a drain, and its exit status: of all that it worked at, and of what is
        due and was left."""
        reports = [self._report(kit, name) for name in sorted(self._last)]
        first = kit.queue(1)
        left = [each for each in first if each.exit_status == 75 and each.id not in self._last]
        states = Counter(each.state for each in reports)
        status = worst_exit([each.exit_status for each in (*reports, *left)])
        if self._as_json:
            self._emit({"event": "ended", "states": dict(states), "status": status})
            return status
        counts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in states.items())
        more = " Something is due that could not be sent; see `postkit queue`." if left else ""
        say(f"Nothing more to do now: {counts or 'nothing was due'}.{more}", err=True)
        return status

    def _report(self, kit: Kit, name: str) -> DeliveryReport:
        tenant = self._tenants[name]
        return (kit.for_tenant(tenant) if tenant else kit).report(name).deliveries[0]

    def _line(self, progress: Progress) -> str:
        text = shown(_text(progress))
        part = f" {progress.part}/{progress.parts}" if progress.parts > 1 else ""
        name, state = shown(progress.delivery_id), shown(progress.state)
        where = progress.address + (f" of {progress.tenant}" if progress.tenant else "")
        now = self._clock.now().astimezone()
        if not sys.stdout.isatty():
            at = now.isoformat(timespec="seconds")
            fields = [at, shown(where), name + part, state, text or "-"]
            return "\t".join(field.replace("\t", " ").replace("\n", " ") for field in fields)
        other = ("!", "red") if progress.state == "copy" else ("…", "yellow")
        mark, colour = MARKS.get(progress.state, other)
        address = click.style(shown(where), bold=True)
        line = f"{now:%H:%M:%S} {click.style(mark, fg=colour)} {address}  {name}{part}  "
        return line + click.style(state, fg=colour) + (f"\n           {text}" if text else "")

    def _emit(self, fields: dict[str, Any]) -> None:
        emit({"at": self._clock.now().isoformat(), **fields})
        sys.stdout.flush()


def _text(progress: Progress) -> str:
    if progress.state != "copy":
        return progress.text
    return f"It may be there twice: {progress.text} (`postkit show {progress.delivery_id}`)"
