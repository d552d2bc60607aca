"""New access is stored before it is used, and asked for by one alone, whatever the clocks say."""

from __future__ import annotations

import importlib
import time
from contextlib import AbstractContextManager
from datetime import timedelta
from types import SimpleNamespace

import pytest

from postkit.accounts.file_lock import locked
from postkit.accounts.vault import Vault
from postkit.testing.canaries import leaks

from .crew import LINE, THREADS, Crew
from .expiring import ALL, CASES, PATIENT, WORDS, Desk, Open, desks, emulated, refuse

__all__ = ["desks", "emulated"]


# The vault


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postkit.accounts.vault.WRITE_TIMEOUT", 0.1)


def closed(desk: Desk) -> AbstractContextManager[None]:
    """While it is held, nobody can write the vault."""
    path = desk.kit.home.vault_path
    return locked(path.with_name(f"{path.name}.lock"), 5, "A test")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", ALL)
def test_a_vault_that_cannot_be_written_spends_no_token(open_desk: Open, name: str) -> None:
    desk = open_desk(name)
    desk.accept()
    desk.expire_before(2)
    with closed(desk):
        report = desk.go()
    assert report.state == "scheduled", desk.story()
    assert desk.refreshes() == 0, desk.story()
    assert desk.state == "ok", desk.story()
    desk.clock.sleep(600)
    desk.go(PATIENT)
    desk.is_whole()
    assert desk.refreshes() == 1, desk.story()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", ALL)
def test_new_access_is_not_used_before_it_is_durable(open_desk: Open, name: str) -> None:
    """The vault is shut while the network answers: the token is kept for the next try."""
    desk = open_desk(name)
    desk.accept()
    desk.expire_before(2)
    shut = closed(desk)
    desk.emulator.during = shut.__enter__
    for _ in range(2):
        report = desk.go()
        assert report.state == "scheduled", desk.story()
        assert (desk.texts(), desk.refreshes()) == (["one"], 1), desk.story()
        assert desk.state == "ok", desk.story()
        desk.clock.sleep(600)
    desk.emulator.during = lambda: None
    shut.__exit__(None, None, None)
    desk.clock.sleep(600)
    desk.go(PATIENT)
    desk.is_whole()
    assert desk.refreshes() == 1, desk.story()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", ALL)
def test_new_access_that_died_with_its_process(open_desk: Open, name: str) -> None:
    """As a lost answer: what the vault still holds counts."""
    desk = open_desk(name)
    desk.accept()
    desk.expire_before(2)
    shut = closed(desk)
    desk.emulator.during = shut.__enter__
    desk.go()
    desk.emulator.during = lambda: None
    shut.__exit__(None, None, None)
    desk.kit.close()
    desk.kit = desk.opened()
    desk.clock.sleep(600)
    desk.go(PATIENT)
    if CASES[name].burns:
        assert desk.state == "needs_login", desk.story()
        assert desk.states() == ["LIVE"] + ["SCHEDULED"] * 4, desk.story()
        desk.connect()
        desk.go(PATIENT)
    desk.is_whole()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", ALL)
def test_kept_access_does_not_replace_newer_one(open_desk: Open, name: str) -> None:
    desk = open_desk(name)
    desk.accept()
    desk.expire_before(2, 4)
    shut = closed(desk)
    desk.emulator.during = shut.__enter__
    desk.go()
    desk.emulator.during = lambda: None
    shut.__exit__(None, None, None)
    desk.emulator.expire_tokens()
    refuse(desk.emulator)
    desk.connect()
    connected = desk.refreshes()
    desk.clock.sleep(600)
    desk.go(PATIENT)
    desk.is_whole()
    assert desk.refreshes() == connected + 1, desk.story()


# Several at once


def test_processes_and_threads_renew_once(open_desk: Open) -> None:
    crew = Crew(4)
    try:
        for name in ALL:
            desk = open_desk(name)
            known = crew.say("open", str(desk.home), desk.case.label)
            desk.emulator.expire_tokens()
            # Each of these sixteen holds the access that has ended, and has to find that out.
            assert crew.say("ask") == known, desk.story()
            late = [entry for entry in desk.requests() if entry.status in (400, 401)]
            assert len(late) >= THREADS * len(crew.processes), desk.story()
            assert desk.refreshes() == 1, desk.story()
            desk.emulator.expire_tokens()
            answers = crew.say("publish", desk.case.address)
            assert answers == ['["live", "live", "live", "live"]\n'] * 4, (name, answers)
            lines = [LINE.format(thread=t, process=p) for t in range(THREADS) for p in range(4)]
            assert sorted(desk.texts()) == sorted(lines), desk.story()
            assert desk.refreshes() == 2, desk.story()
            assert desk.state == "ok"
    finally:
        written = crew.close()
    assert leaks("what a process wrote", written) == []


@pytest.mark.parametrize("name", ALL)
def test_another_process_that_hangs_disconnects_nobody(
    open_desk: Open, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    desk = open_desk(name)
    desk.accept()
    desk.expire_before(2)
    monkeypatch.setattr(Vault.lock, "__defaults__", (0.1,))
    account = desk.kit.account(desk.case.label)
    with desk.kit.vault().lock(account.id):
        report = desk.go()
    assert (desk.state, desk.refreshes()) == ("ok", 0), desk.story()
    assert report.state == "scheduled", desk.story()
    assert report.error is not None
    assert report.error["kind"] == "unavailable", desk.story()
    desk.go(PATIENT)
    desk.is_whole()
    assert desk.refreshes() == 1, desk.story()


@pytest.mark.parametrize("name", ALL)
def test_a_process_that_slept_through_two_renewals(open_desk: Open, name: str) -> None:
    """It holds the token before last, and the last one has ended too."""
    desk = open_desk(name)
    desk.accept()
    other = desk.opened()
    account = other.account(desk.case.label)
    sleeper = other.clients.take(account)
    other.clients.give(sleeper)
    desk.emulator.expire_tokens()
    connection = desk.kit.clients.take(account)
    connection.renew()
    desk.kit.clients.give(connection)
    desk.emulator.expire_tokens()
    desk.go(PATIENT, kit=other)
    desk.is_whole()
    assert desk.refreshes() == 2, desk.story()
    other.close()


# Clocks


@pytest.mark.parametrize(
    ("then", "now"), [(1, 0), (-1, 0), (0, 1), (0, -1), (-1, 1), (1, -1)], ids=str
)
@pytest.mark.parametrize("name", [name for name in ALL if CASES[name].clocks])
def test_a_wall_clock_that_is_wrong_by_an_hour(
    open_desk: Open, monkeypatch: pytest.MonkeyPatch, name: str, then: int, now: int
) -> None:
    """The end of a token is worked out by one clock and looked at by another."""

    def wrong_by(hours: int) -> None:
        shown = SimpleNamespace(time=lambda: time.time() + hours * 3600, monotonic=time.monotonic)
        for module in CASES[name].clocks:
            monkeypatch.setattr(importlib.import_module(module), "time", shown)
        desk.clock.wrong = timedelta(hours=hours)

    desk = open_desk(name)
    # A line of history has the time of the clock that is wrong.
    desk.spared = frozenset({"unannounced"})
    wrong_by(then)
    desk.emulator.expire_tokens()
    desk.accept(WORDS[:2])
    desk.go(PATIENT)
    assert desk.refreshes() == 1, desk.story()
    wrong_by(now)
    desk.kit.clients.close()
    desk.accept(WORDS[2:4])
    desk.go(PATIENT)
    assert desk.refreshes() <= 2, desk.story()
    renewed = desk.refreshes()
    desk.emulator.expire_tokens()
    desk.accept(WORDS[4:])
    desk.go(PATIENT)
    assert desk.refreshes() == renewed + 1, desk.story()
    assert desk.texts() == list(WORDS), desk.story()
    assert desk.state == "ok"
