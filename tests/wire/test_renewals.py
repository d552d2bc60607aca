"""Access is renewed before it ends, by one of all workers; what only a person can renew is told."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.accounts.grant import Grant
from postkit.accounts.place import Place
from postkit.deliver.disconnect import disconnect
from postkit.deliver.renewals import Renewals
from postkit.emulator.server import EmulatorServer
from postkit.hookspecs import hookimpl
from postkit.kit import Kit
from postkit.plugins import Plugins
from postkit.transport import Session

from .board import KEY, Board, HandClock, kit_of, serving

NETWORK, LABEL = "x", "x:x"
TOKEN = "/2/oauth2/token"
HOUR = 3600.0


class Told:
    """An observer of accounts that need a login."""

    def __init__(self) -> None:
        self.logins: list[tuple[str, str]] = []
        self.of_tenants: list[tuple[str, str, str]] = []

    @hookimpl
    def postkit_account_needs_login(self, account: str, reason: str, tenant: str) -> None:
        self.logins.append((account, reason))
        self.of_tenants.append((account, reason, tenant))


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(Plugins().emulators()) as server:
        yield server


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def kit(tmp_path: Path, server: EmulatorServer, told: Told) -> Iterator[Kit]:
    with Kit(home=tmp_path, key=KEY, plugins=[told], clock=HandClock()) as kit:
        [given] = [each for each in server.accounts() if each.network == NETWORK]
        kit.connect(NETWORK, given.credentials, endpoint=given.endpoint)
        yield kit


def renewals(kit: Kit) -> Renewals:
    return kit._renewals(kit._ledger())


def fields(kit: Kit) -> dict[str, str]:
    return kit.vault().get(kit.account(LABEL).id)


def change(kit: Kit, *, without: str = "", **new: str) -> None:
    kept = {name: value for name, value in fields(kit).items() if name != without}
    kit.vault().put(kit.account(LABEL).id, {**kept, **new})


def ahead(seconds: float) -> str:
    return str(int(time.time() + seconds))


def asked(server: EmulatorServer) -> int:
    return sum(entry.path.endswith(TOKEN) for entry in server.requests(NETWORK))


def later(kit: Kit, seconds: float) -> None:
    kit.clock.sleep(seconds)


# Before the end


def test_it_is_renewed_ten_minutes_before_its_end(kit: Kit, server: EmulatorServer) -> None:
    change(kit, expires_at=ahead(2 * HOUR))
    before = fields(kit)
    looks = renewals(kit)
    looks.look()
    later(kit, 2 * HOUR - 11 * 60)
    looks.look()
    assert asked(server) == 0
    later(kit, 90)
    looks.look()
    assert asked(server) == 1
    after = fields(kit)
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"], "the rotated one is kept"
    looks.look()
    assert asked(server) == 1
    assert kit.publish("Hi", [LABEL]).deliveries[0].state == "live"


def test_short_access_is_renewed_in_its_last_quarter(kit: Kit, server: EmulatorServer) -> None:
    change(kit, expires_at=ahead(400))
    looks = renewals(kit)
    looks.look()
    later(kit, 290)
    looks.look()
    assert asked(server) == 0
    later(kit, 20)
    looks.look()
    assert asked(server) == 1


def test_access_of_which_no_end_is_known_is_left_alone(kit: Kit, server: EmulatorServer) -> None:
    looks = renewals(kit)
    for _ in range(3):
        looks.look()
        later(kit, 30 * 86_400)
    assert asked(server) == 0


def test_what_renews_it_is_used_weekly_where_that_has_an_end(
    kit: Kit, server: EmulatorServer
) -> None:
    change(kit, expires_at=ahead(90 * 86_400), refresh_expires_at=ahead(90 * 86_400))
    looks = renewals(kit)
    later(kit, 6.9 * 86_400)
    looks.look()
    assert asked(server) == 0
    later(kit, 0.2 * 86_400)
    looks.look()
    assert asked(server) == 1
    change(kit, expires_at=ahead(90 * 86_400))
    later(kit, 6 * 86_400)
    looks.look()
    assert asked(server) == 1


def test_a_worker_looks_once_a_minute(kit: Kit, server: EmulatorServer) -> None:
    change(kit, expires_at=ahead(-5))
    kit.work(wait=0)
    assert asked(server) == 1
    looks = renewals(kit)
    looks.run()
    change(kit, expires_at=ahead(-5))
    looks.run()
    assert asked(server) == 1
    later(kit, 61)
    looks.run()
    assert asked(server) == 2


SCRIPT = """
import sys, time
from datetime import timedelta
from pathlib import Path
from typing import Any
from postkit.clock import SystemClock
from postkit.kit import Kit

class Clock(SystemClock):
    ahead = timedelta()

    def now(self):
        return super().now() + self.ahead

home, gate, name, connected = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]
with Kit(home=home, key=b"k" * 32, clock=Clock()) as kit:
    look = kit._renewals(kit._ledger()).look
    account = kit.account("x:x")
    if connected:
        look()
        kit.clients.give(kit.clients.take(account))
        Clock.ahead = timedelta(minutes=59)
    print("ready", flush=True)
    while not gate.exists():
        time.sleep(0.001)
    look()
    Clock.ahead = timedelta()
    assert kit.account("x:x").state == "ok"
    assert kit.publish(f"From {name}", ["x:x"]).deliveries[0].state == "live"
"""


@pytest.mark.parametrize("connected", ["", "connected"], ids=["new", "connected"])
def test_two_processes_at_once_ask_once(
    kit: Kit, server: EmulatorServer, tmp_path: Path, connected: str
) -> None:
    """A refresh token works once: the second of two would end the access of both."""
    # Where they are connected before, the client of each is older than what the other renews.
    change(kit, expires_at=ahead(HOUR if connected else -5))
    gate = tmp_path / "gate"
    crew = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path), str(gate), name, connected],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for name in ("one", "two")
    ]  # fmt: skip
    for process in crew:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    gate.touch()
    for process in crew:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert asked(server) == 1
    assert sorted(post.text for post in server.posts(NETWORK)) == ["From one", "From two"]


# Where it fails


def test_a_refusal_asks_a_person_at_once_and_once(
    kit: Kit, server: EmulatorServer, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    change(kit, expires_at=ahead(-5), refresh_token="pk_canary_gone")
    looks, others = renewals(kit), renewals(kit)
    with caplog.at_level(logging.DEBUG, "postkit"):
        for each in (looks, others, looks):
            each.look()
    assert kit.account(LABEL).state == "needs_login"
    kit._outbox.flush()
    [(account, reason)] = told.logins
    assert account == LABEL
    assert "connect x --name x --replace" in reason
    assert asked(server) == 1
    assert "does not renew the access of x:x" in caplog.text
    assert "pk_canary" not in caplog.text + reason


def test_who_is_out_of_reach_takes_no_access_away(
    kit: Kit, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    import sqlite3

    account = kit.account(LABEL)
    nowhere = "http://127.0.0.1:9"
    kit.vault().put(account.id, {**fields(kit), "expires_at": ahead(-5)}, Place(nowhere, None))
    with sqlite3.connect(kit.home.store_path) as raw:
        raw.execute("UPDATE account SET endpoint = ?", (nowhere,))
    raw.close()
    looks = renewals(kit)
    with caplog.at_level(logging.WARNING, "postkit"):
        looks.look()
        looks.look()
        later(kit, 61)
        looks.look()
    assert kit.account(LABEL).state == "ok"
    assert caplog.text.count("its access could not be renewed") == 1, "said once"
    kit._outbox.flush()
    assert told.logins == []


@pytest.mark.parametrize("left", [-5.0, 300.0], ids=["at connect", "at refresh"])
def test_access_that_was_replaced_meanwhile_is_not_refused(
    kit: Kit, server: EmulatorServer, monkeypatch: pytest.MonkeyPatch, left: float
) -> None:
    good = fields(kit)
    change(kit, expires_at=ahead(HOUR), refresh_token="pk_canary_gone")
    looks = renewals(kit)
    looks.look()
    if left < 0:
        change(kit, expires_at=ahead(left))
    else:
        later(kit, HOUR - left)

    def replaced_first(*given: Any) -> bool:
        kit.vault().put(kit.account(LABEL).id, good)
        return disconnect(*given)

    monkeypatch.setattr("postkit.deliver.renewals.disconnect", replaced_first)
    looks.look()
    assert kit.account(LABEL).state == "ok"


class Forgetful(Board):
    """Renews access, and keeps nothing of it."""

    def __init__(self) -> None:
        super().__init__()
        self.renewed = 0

    def refresh(self, client: Session) -> None:
        self.renewed += 1

    def grant(self, fields: Mapping[str, str]) -> Grant:
        return Grant(expires_at=datetime(2026, 1, 1, tzinfo=UTC), is_renewable=True)


def test_an_end_that_stays_as_it_was_is_not_renewed_at_each_look(tmp_path: Path) -> None:
    board = Forgetful()
    with serving() as server, kit_of(tmp_path, server, board, HandClock()) as kit:
        looks = renewals(kit)
        for _ in range(5):
            looks.look()
            later(kit, 60)
        assert board.renewed == 1
        later(kit, 30 * 60)
        looks.look()
        assert board.renewed == 2


# What only a person can renew


def test_an_end_is_told_a_week_before_and_once(
    kit: Kit, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    change(kit, without="refresh_token", expires_at=ahead(8 * 86_400))
    looks, others = renewals(kit), renewals(kit)
    with caplog.at_level(logging.WARNING, "postkit"):
        looks.look()
        kit._outbox.flush()
        assert told.logins == []
        later(kit, 2 * 86_400)
        for each in (looks, others, looks):
            each.look()
        kit._outbox.flush()
    [(account, reason)] = told.logins
    assert account == LABEL
    assert reason.startswith("The access of x:x ends in 5 days (")
    assert caplog.text.count("ends in 5 days") == 1
    assert kit.account(LABEL).state == "ok", "until then it is good"
    change(kit, expires_at=ahead(5 * 86_400))
    looks.look()
    kit._outbox.flush()
    assert len(told.logins) == 2, "new access has an end of its own"


def test_an_end_of_what_renews_it_is_told_too(kit: Kit, told: Told) -> None:
    change(kit, expires_at=ahead(30 * 86_400), refresh_expires_at=ahead(5.5 * 86_400))
    renewals(kit).look()
    kit._outbox.flush()
    [(_, reason)] = told.logins
    assert "ends in 5 days" in reason


def test_what_a_grant_says() -> None:
    end = datetime(2027, 1, 1, tzinfo=UTC)
    assert Grant(expires_at=end).ends_at == end
    assert Grant(expires_at=end, is_renewable=True).ends_at is None
    later = end + timedelta(days=60)
    assert Grant(expires_at=end, is_renewable=True, renew_until=later).ends_at == later


def test_a_worker_looks_after_the_access_of_all_tenants(
    kit: Kit, server: EmulatorServer, told: Told
) -> None:
    [given] = [each for each in server.accounts() if each.network == NETWORK]
    beta = kit.for_tenant("beta")
    mine, _ = beta.connect(NETWORK, given.credentials, endpoint=given.endpoint, name="mine")
    held = kit.vault().get(mine.id)
    kit.vault().put(mine.id, {**held, "expires_at": ahead(-5)})
    kit.work(wait=0)
    assert asked(server) == 1
    assert kit.vault().get(mine.id)["access_token"] != held["access_token"]
    kit.vault().put(mine.id, {**kit.vault().get(mine.id), "refresh_token": "pk_canary_gone",
                              "expires_at": ahead(-5)})  # fmt: skip
    renewals(kit).look()
    renewals(kit).look()
    assert [account.state for account in beta.accounts] == ["needs_login"]
    assert kit.account(LABEL).state == "ok"
    kit._outbox.flush()
    assert [(account, tenant) for account, _, tenant in told.of_tenants] == [("x:mine", "beta")]


def test_a_tenants_worker_looks_after_its_own(kit: Kit, server: EmulatorServer) -> None:
    change(kit, expires_at=ahead(-5))
    kit.for_tenant("beta").work(wait=0)
    assert asked(server) == 0
