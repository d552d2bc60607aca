"""Connects that were begun: good once, for a while, for whoever began them."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postkit.accounts.oauth.pending import LIFE, PREFIX, Pending, PendingConnects
from postkit.accounts.oauth.terms import Choice
from postkit.accounts.vault import Vault
from postkit.errors import InputError


class ManualClock:
    """Goes where a test puts it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))

    def advance(self, by: timedelta) -> None:
        self.at += by


PENDING = Pending(
    "board", "shop", "http://127.0.0.1:8712/", None, None, False,
    {"client_id": "app", "client_secret": "pk_canary_secret"}, "pk_canary_verifier",
)  # fmt: skip


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 29, 12, tzinfo=UTC))


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault", b"k" * 32)


def test_taken_once_as_it_was_put(vault: Vault, clock: ManualClock) -> None:
    connects = PendingConnects(vault, clock)
    kept = replace(PENDING, choices=(Choice("1", "Shop", {"access_token": "pk_canary_page"}),))
    state = connects.put(kept)
    assert connects.take(state) == kept
    with pytest.raises(InputError, match="Begin again"):
        connects.take(state)
    assert vault.ids() == ()


def test_states_are_long_and_never_the_same(vault: Vault, clock: ManualClock) -> None:
    connects = PendingConnects(vault, clock)
    states = {connects.put(PENDING) for _ in range(50)}
    assert len(states) == 50
    assert all(len(state) == 43 for state in states), "256 bits in base64"
    assert not [state for state in states if state.encode() in vault.path.read_bytes()]


def test_nothing_of_it_can_be_read_or_shown(vault: Vault, clock: ManualClock) -> None:
    PendingConnects(vault, clock).put(PENDING)
    assert b"pk_canary" not in vault.path.read_bytes()
    assert "pk_canary" not in repr(PENDING)


@pytest.mark.parametrize("state", ["", "unknown", "\udcff", "x" * 100_000])
def test_unknown(vault: Vault, clock: ManualClock, state: str) -> None:
    connects = PendingConnects(vault, clock)
    mine = connects.put(PENDING)
    with pytest.raises(InputError):
        connects.take(state)
    assert connects.take(mine) == PENDING


def test_another_tenants_is_unknown_and_stays_good(vault: Vault, clock: ManualClock) -> None:
    mine = PendingConnects(vault, clock, "one")
    state = mine.put(PENDING)
    errors = []
    for tenant in ("", "two", 'one", "'):
        with pytest.raises(InputError) as caught:
            PendingConnects(vault, clock, tenant).take(state)
        errors.append(caught.value.message)
    with pytest.raises(InputError) as unknown:
        mine.take("unknown")
    assert set(errors) == {unknown.value.message}
    assert mine.take(state) == PENDING


@pytest.mark.parametrize("after", [LIFE + timedelta(seconds=1), -LIFE - timedelta(seconds=1)])
def test_too_old(vault: Vault, clock: ManualClock, after: timedelta) -> None:
    connects = PendingConnects(vault, clock)
    state = connects.put(PENDING)
    clock.advance(after)
    with pytest.raises(InputError):
        connects.take(state)
    assert not [known for known in vault.ids() if known.startswith(PREFIX)]


def test_what_is_too_old_is_swept(vault: Vault, clock: ManualClock) -> None:
    connects = PendingConnects(vault, clock)
    connects.put(PENDING)
    clock.advance(LIFE + timedelta(seconds=1))
    state = connects.put(PENDING)
    assert len(vault.ids()) == 1
    assert connects.take(state) == PENDING


def test_one_that_is_finished_while_another_begins(
    vault: Vault, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    connects = PendingConnects(vault, clock)
    seen, take = vault.ids, connects.take
    finished = connects.put(PENDING)

    def ids(_: Vault) -> tuple[str, ...]:
        before = seen()
        monkeypatch.undo()
        take(finished)
        return before

    monkeypatch.setattr(Vault, "ids", ids)
    assert connects.take(connects.put(PENDING)) == PENDING


def test_one_of_many_gets_it(vault: Vault, clock: ManualClock) -> None:
    state = PendingConnects(vault, clock).put(PENDING)
    got: list[Pending] = []

    def take() -> None:
        with contextlib.suppress(InputError):
            got.append(PendingConnects(Vault(vault.path, b"k" * 32), clock).take(state))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert got == [PENDING]
