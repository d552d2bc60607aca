"""`postkit doctor`: what is wrong, each with what mends it, also where nothing else works."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from postkit.accounts.check import skew_of
from postkit.doctor import clock as clock_area
from postkit.doctor import store as store_area
from postkit.doctor import versions as versions_area
from postkit.doctor.examine import examine
from postkit.doctor.finding import AREAS
from postkit.doctor.networks import _clock
from postkit.doctor.patient import Patient
from postkit.kit import Kit

from .planted import ENABLE, plant, run
from .program import Program
from .test_accounts import grant, move
from .test_connect import answering, endpoint_of, listening
from .test_worker import running, schedule

DAY = 86_400


class Found(NamedTuple):
    severity: str
    area: str
    text: str
    remedy: str


class At:
    """A clock that stands."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits for the doctor")


def doctor(program: Program, *more: str) -> tuple[int, list[Found]]:
    result = program("doctor", "--json", *more)
    answer: dict[str, Any] = result.answer("doctor")
    found = [
        Found(each["severity"], each["area"], each["text"], each["remedy"] or "")
        for each in answer["findings"]
    ]
    assert result.status == any(each.severity == "problem" for each in found)
    assert [area["area"] for area in answer["areas"]] == [*AREAS[: len(answer["areas"])]]
    for each in found:
        [area] = [area for area in answer["areas"] if area["area"] == each.area]
        assert area["state"] in ("problem", "warning")
    return result.status, found


def damage(program: Program, statement: str) -> None:
    with sqlite3.connect(program.home / "postkit.db") as raw:
        raw.execute(statement)
    raw.close()


def test_a_new_installation_is_fine_and_none_is_made(postkit: Program) -> None:
    result = postkit("doctor")
    assert result.status == 0
    assert result.out.rstrip().endswith("Nothing is wrong.")
    assert not postkit.home.exists()


def test_one_that_works_is_fine(mastodon: Program) -> None:
    assert mastodon("publish", "Hi", "--to", "mastodon").status == 0
    before = (mastodon.home / "postkit.db").read_bytes()
    assert doctor(mastodon) == (0, [])
    assert doctor(mastodon, "--online") == (0, [])
    assert (mastodon.home / "postkit.db").read_bytes() == before
    out = mastodon("doctor").out
    for area in AREAS[:-1]:
        assert f"✓ {area}" in out


# What is broken


def test_all_is_broken_at_once(mastodon: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    (mastodon.home / "postkit.db").write_bytes(b"this is a letter" * 100)
    (mastodon.home / "vault").write_bytes(b"so is this")
    mastodon.settle("[groups\nlaunch = 1")
    status, found = doctor(mastodon)
    assert status == 1
    assert [(each.severity, each.area) for each in found] == [
        ("problem", "settings"), ("problem", "store"), ("problem", "vault"),
    ]  # fmt: skip
    assert "line 1" in found[0].text
    assert "restore a backup" in found[1].remedy
    result = mastodon("doctor")
    assert "- accounts  not looked at: the store is broken" in result.out
    assert "✓ plugins" in result.out


def test_a_damaged_page_of_the_store(mastodon: Program) -> None:
    assert mastodon("publish", "Hi", "--to", "mastodon").status == 0
    with sqlite3.connect(mastodon.home / "postkit.db") as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = raw.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'history_delivery'"
        ).fetchone()[0]
        size = raw.execute("PRAGMA page_size").fetchone()[0]
    raw.close()
    with (mastodon.home / "postkit.db").open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    status, found = doctor(mastodon)
    assert status == 1
    assert found[0].area == "store"
    assert "damaged" in found[0].text or "cannot be read" in found[0].text


def test_a_store_of_a_newer_postkit(mastodon: Program) -> None:
    damage(mastodon, "PRAGMA user_version = 99")
    status, [found] = doctor(mastodon)
    assert status == 1
    assert (found.area, found.remedy) == ("store", "update postkit")


@pytest.mark.parametrize(("free", "severity"), [(1_000_000, "problem"), (100_000_000, "warning")])
def test_a_disk_that_is_nearly_full(
    mastodon: Program, monkeypatch: pytest.MonkeyPatch, free: int, severity: str
) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    _, [found] = doctor(mastodon)
    assert (found.severity, found.area) == (severity, "store")
    assert f"{free // 1_000_000} MB are free" in found.text


def test_a_network_file_system(mastodon: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_area, "_file_system", lambda _: "nfs4")
    _, [found] = doctor(mastodon)
    assert "network file system (nfs4)" in found.text


def test_a_log_that_grows(mastodon: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_area, "LARGE_WAL", 0)
    with Kit() as kit:
        kit.pause(["mastodon"])
        assert (mastodon.home / "postkit.db-wal").exists()
        _, found = doctor(mastodon)
    assert any("has grown to" in each.text for each in found)


# The clock


def test_a_clock_that_is_behind_what_was_written(mastodon: Program) -> None:
    assert mastodon("publish", "Hi", "--to", "mastodon").status == 0
    with Patient(clock=At(datetime.now(UTC) - timedelta(days=2))) as kit:
        [found] = clock_area.look(kit).findings
    assert (found.severity, found.area) == ("problem", "clock")
    assert "newest line of the history" in found.text
    assert "timedatectl" in found.remedy
    with Patient(clock=At(datetime(1970, 1, 1, tzinfo=UTC))) as kit:
        [found] = clock_area.look(kit).findings
    assert "1970-01-01 00:00 UTC, which cannot be" in found.text


@pytest.mark.parametrize(
    ("seconds", "severity"), [(30, None), (-90, "warning"), (90, "warning"), (-400, "problem")]
)
def test_a_clock_that_is_not_the_networks(seconds: int, severity: str | None) -> None:
    found = _clock(timedelta(seconds=seconds))
    assert [each.severity for each in found] == ([severity] if severity else [])
    if seconds == -90:
        assert "90 seconds behind" in found[0].text


def test_the_date_of_an_answer() -> None:
    now = datetime(2026, 11, 29, 12, 0, 30, tzinfo=UTC)
    assert skew_of({"Date": "Sun, 29 Nov 2026 12:00:00 GMT"}, now) == timedelta(seconds=30)
    assert skew_of({"date": "Sun, 29 Nov 2026 12:00:00 -0000"}, now) == timedelta(seconds=30)
    assert skew_of({"Date": "yesterday"}, now) is None
    assert skew_of({}, now) is None


def test_a_network_whose_clock_is_another_one(mastodon: Program) -> None:
    body = b'{"id": "1", "acct": "emulated", "url": null}'
    with Kit() as kit:
        identity = kit.account("mastodon:mastodon").identity
    assert identity is not None
    body = body.replace(b'"1"', f'"{identity.id}"'.encode())
    head = "200 OK\r\nContent-Type: application/json\r\nDate: Mon, 02 Nov 2026 00:00:00 GMT"
    with listening(answering(head, body)) as url:
        move(mastodon, url)
        status, found = doctor(mastodon, "--online")
    assert status == 1
    assert any("ahead of that of the networks" in each.text for each in found)


# The vault and the accounts


def test_a_wrong_key(mastodon: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTKIT_KEY", "A" * 43 + "=")
    status, [found] = doctor(mastodon)
    assert (status, found.area) == (1, "vault")
    assert "another key" in found.text


def test_a_vault_that_others_can_read(mastodon: Program) -> None:
    (mastodon.home / "vault").chmod(0o644)
    status, found = doctor(mastodon)
    assert status == 1
    assert any("chmod 600" in each.text for each in found)


def test_accounts_without_access_and_access_without_accounts(mastodon: Program) -> None:
    with Kit() as kit:
        account = kit.account("mastodon:mastodon")
        kit.vault().delete(account.id)
        kit.vault().put("a_stray", {"access_token": "pk_canary_stray"})
        kit.vault().put("app:x", {"client_id": "c"})
    status, found = doctor(mastodon)
    assert status == 1
    assert [(each.severity, each.area) for each in found] == [
        ("problem", "vault"), ("warning", "vault"),
    ]  # fmt: skip
    assert found[0].remedy == "`postkit connect mastodon --name mastodon --replace`"
    assert "a_stray" in found[1].text
    assert "app:x" not in found[1].text


@pytest.mark.parametrize(
    ("fields", "severity", "said"),
    [
        ({"expires_at": 3.5 * DAY}, "warning", "its access ends in 3 days"),
        ({"expires_at": -DAY}, "problem", "its access ended yesterday"),
    ],
)
def test_access_near_its_end(
    mastodon: Program, fields: dict[str, float], severity: str, said: str
) -> None:
    ends = {name: str(int(time.time() + left)) for name, left in fields.items()}
    grant("mastodon:mastodon", **ends)
    _, [found] = doctor(mastodon)
    assert (found.severity, found.area) == (severity, "accounts")
    assert said in found.text
    assert "postkit connect mastodon --name mastodon --replace" in found.remedy


def test_access_that_ends_before_a_post_is_due(mastodon: Program) -> None:
    process = running(mastodon)
    schedule(mastodon, "Late", "in 100h")
    grant("mastodon:mastodon", expires_at=str(int(time.time() + 3.5 * DAY)))
    _, [found] = doctor(mastodon)
    assert found.severity == "problem"
    assert "before a post to it is due" in found.text
    process.terminate()
    process.communicate(timeout=20)


def test_scopes_that_are_missing(postkit: Program) -> None:
    postkit.connect("x")
    grant("x:x", scopes="tweet.read")
    status, [found] = doctor(postkit)
    assert status == 1
    assert "it lacks media.write, offline.access, tweet.write, users.read" in found.text


def test_another_accounts_access(mastodon: Program) -> None:
    other = b'{"id": "77", "acct": "mallory", "url": null}'
    with listening(answering("200 OK\r\nContent-Type: application/json", other)) as url:
        move(mastodon, url)
        status, found = doctor(mastodon, "--online")
    assert status == 1
    assert any("its access is @mallory's" in each.text for each in found)
    assert endpoint_of(mastodon) != url


# Plugins and versions


def test_a_plugin_that_is_gone_or_broken(mastodon: Program) -> None:
    damage(mastodon, "UPDATE account SET network = 'orkut'")
    status, found = doctor(mastodon)
    assert status == 1
    assert ("problem", "plugins") in [(each.severity, each.area) for each in found]


def test_a_plugin_that_is_not_enabled(mastodon: Program, tmp_path: Path) -> None:
    planted = plant(tmp_path)
    result = run(mastodon, planted, "doctor", "--json")
    assert result.status == 0, result.err
    [found] = result.answer("doctor")["findings"]
    assert (found["severity"], found["area"]) == ("warning", "plugins")
    assert found["remedy"].startswith(ENABLE)
    assert planted.ran == [], "to look at it runs none of it"
    damage(mastodon, "UPDATE account SET network = 'chat'")
    result = run(mastodon, planted, "doctor", "--json")
    assert result.status == 1
    assert ENABLE in result.out
    assert "no plugin for it" not in result.out


@pytest.mark.parametrize(
    ("version", "today", "severity"),
    [
        ("v21.0", "2026-11-23", "warning"),
        ("v21.0", "2027-01-22", "problem"),
        ("v21.0", "2026-09-01", None),
        ("v26.0", "2028-01-01", None),
        ("v99.0", "2028-01-01", None),
    ],
)
def test_a_version_near_its_end(
    postkit: Program, version: str, today: str, severity: str | None
) -> None:
    postkit.connect("facebook")
    postkit.settle(f'[networks.facebook]\nversion = "{version}"\n')
    then = datetime.fromisoformat(today).replace(tzinfo=UTC)
    with Patient(clock=At(then)) as kit:
        findings = versions_area.look(kit).findings
    assert [each.severity for each in findings] == ([severity] if severity else [])
    for each in findings:
        assert "2027-01-21" in each.text
        assert 'version = "v26.0"' in each.remedy


# Posts


@pytest.mark.parametrize("worked", [False, True])
def test_posts_that_nobody_sends(mastodon: Program, worked: bool) -> None:
    schedule(mastodon, "Later", "in 2h")
    process = running(mastodon) if worked else None
    _, found = doctor(mastodon)
    if process is not None:
        process.terminate()
        process.communicate(timeout=20)
        assert found == []
        return
    [warning] = found
    assert (warning.severity, warning.area) == ("warning", "posts")
    assert "1 post is scheduled, and no worker runs" in warning.text
    damage(mastodon, "UPDATE part SET due_at = due_at - 8e9, ready_at = ready_at - 8e9")
    status, [problem] = doctor(mastodon)
    assert (status, problem.remedy) == (1, "`postkit worker`")
    assert problem.text == "1 post is overdue, and no worker runs."


@pytest.mark.parametrize(
    ("state", "severity"), [("UNCERTAIN", "problem"), ("HELD", "warning"), ("MISSED", "warning")]
)
def test_posts_that_wait_for_a_person(mastodon: Program, state: str, severity: str) -> None:
    schedule(mastodon, "Later", "in 2h")
    damage(mastodon, f"UPDATE part SET state = '{state}', ready_at = NULL")
    _, [found] = doctor(mastodon)
    assert (found.severity, found.area) == (severity, "posts")
    assert state.lower() in found.text


def test_what_is_paused(mastodon: Program) -> None:
    mastodon("pause", "mastodon")
    status, [found] = doctor(mastodon)
    assert (status, found.remedy) == (0, "`postkit unpause mastodon`")


def test_an_area_that_fails_hides_no_other(
    mastodon: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Kit) -> Any:
        raise RuntimeError("pk_canary_inside")

    looks: dict[Any, Callable[[Kit], Any]] = dict.fromkeys(AREAS, fails)
    monkeypatch.setattr("postkit.doctor.examine.LOOKS", looks)
    with Patient() as kit:
        found = examine(kit).findings
    assert {each.area for each in found} >= {"clock", "plugins", "settings", "vault"}
    assert all("RuntimeError" in each.text for each in found)


def test_the_home_of_the_program_is_named(postkit: Program, tmp_path: Path) -> None:
    assert str(tmp_path / "home" / "postkit.db") in postkit("doctor").out
