"""Asking each network who we are, side by side, none of them for longer than a person waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

from ..clock import Clock
from ..deliver.clients import Clients, Connection
from ..deliver.identity import Stranger, identify
from ..errors import NeedsLogin, NetworkError, PostkitError, Refused
from ..network import Account, Identity

LIMIT = 20.0
"""Seconds for one account, whatever its network and its plugin do."""
PATIENCE = 10.0
"""Seconds to wait for one answer."""
AT_ONCE = 16
Answer = Literal["ok", "another account", "needs login", "refused", "not reached", "failed"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a network said of an account. ``skew`` is how far our clock is ahead of its own, by
    the Date of its answer (to the second); None where it told none."""

    account: Account
    answer: Answer
    message: str = ""
    identity: Identity | None = None
    skew: timedelta | None = None


Heard = Callable[[Checked], object]
Took = tuple[Checked, NetworkError | None]


def check(
    accounts: Sequence[Account],
    clients: Clients,
    clock: Clock,
    *,
    heard: Heard = lambda _: None,
    limit: float = LIMIT,
) -> list[Took]:
    """Ask for each account, in threads; ``heard`` is called with each answer as it comes. In the
    order of ``accounts``, each with the error that it was, if so.

    Whoever has not answered after ``limit`` seconds was not reached; its thread is left to itself.
    """
    found: dict[str, Took] = {}
    changed = threading.Condition()
    waiting = list(reversed(accounts))
    begun: dict[str, float] = {}

    def work() -> None:
        while True:
            with changed:
                if not waiting:
                    return
                account = waiting.pop()
                begun[account.id] = time.monotonic()
            took = ask(account, clients, clock)
            with changed:
                found.setdefault(account.id, took)
                changed.notify_all()

    told: set[str] = set()
    threads = 0
    while len(told) < len(accounts):
        with changed:
            # One that hangs is replaced, so that it keeps nobody waiting.
            hanging = [name for name, at in begun.items() if name not in found
                       and time.monotonic() - at > limit]  # fmt: skip
            for name in hanging:
                account = next(each for each in accounts if each.id == name)
                sentence = f"{account.label}: no answer within {limit:g} seconds."
                found[name] = Checked(account, "not reached", sentence), None
                threads -= 1
            for _ in range(min(AT_ONCE - threads, len(waiting))):
                threading.Thread(target=work, name="postkit-check", daemon=True).start()
                threads += 1
            news = [found[name][0] for name in found if name not in told]
            if not news:
                changed.wait(0.05)
        for checked in news:
            told.add(checked.account.id)
            heard(checked)
    return [found[account.id] for account in accounts]


def ask(account: Account, clients: Clients, clock: Clock) -> Took:
    """Who the network says this account is, against who it was when it was connected."""
    try:
        connection = clients.take(account)
    except PostkitError as error:
        return _failed(account, error)
    before = connection.session.read_timeout
    connection.session.read_timeout = min(before, PATIENCE)
    try:
        checked = _asked(account, connection, clock)
        if checked.answer != "another account":
            return checked, None
        stranger = Stranger(checked.message, network=account.network)
        stranger.access = connection.access
        return checked, stranger
    except PostkitError as error:
        if isinstance(error, NeedsLogin):
            error.access = connection.access
        return _failed(account, error)
    finally:
        connection.session.read_timeout = before
        clients.give(connection)


def _asked(account: Account, connection: Connection, clock: Clock) -> Checked:
    found = identify(connection, patient=False)
    last = connection.session.last
    skew = skew_of(last.headers, clock.now()) if last is not None else None
    was = account.identity
    if was is not None and was.id != found.id:
        message = (
            f"{account.label} is {was.name}, and its access is {found.name}'s: nothing should be "
            f"sent with it. Run `postkit connect {account.network} --name {account.name} "
            f"--replace` as {was.name}."
        )
        return Checked(account, "another account", message, found, skew)
    return Checked(account, "ok", "", found, skew)


def _failed(account: Account, error: PostkitError) -> Took:
    message = f"{account.label}: {error.message}"
    if isinstance(error, NeedsLogin):
        return Checked(account, "needs login", message), error
    if isinstance(error, Refused):
        return Checked(account, "refused", message), error
    if isinstance(error, NetworkError):
        return Checked(account, "not reached", message), error
    return Checked(account, "failed", message), None


def skew_of(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How far ``now`` is ahead of the answer's Date (RFC 9110 section 6.6.1); None without one."""
    text = next((value for name, value in headers.items() if name.lower() == "date"), "")
    try:
        told = parsedate_to_datetime(text)
    except ValueError:
        return None
    return now - (told if told.tzinfo is not None else told.replace(tzinfo=UTC))
