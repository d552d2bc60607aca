"""`postkit doctor` where settings of accounts are wrong, a store is old, or tenants are served."""

from __future__ import annotations

import sqlite3
from importlib import util

import pytest

from postkit.cli.kit import Kit
from postkit.doctor import plugins as plugins_area
from postkit.doctor.patient import Patient
from postkit.store import database

from .program import Program
from .test_accounts import move
from .test_connect import answering, listening
from .test_doctor import damage, doctor


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cap_per_day = 0", "cap_per_day must be a whole number above 0"),
        ("cap_per_dya = 5", "Did you mean 'cap_per_day'?"),
        ('quiet = "long"', "quiet"),
    ],
)
def test_settings_that_stop_an_accounts_posts(mastodon: Program, line: str, said: str) -> None:
    mastodon.settle(f'[accounts."mastodon:mastodon"]\n{line}\n')
    assert mastodon("publish", "Hi", "--to", "mastodon").status != 0
    status, [found] = doctor(mastodon)
    assert (status, found.area, found.severity) == (1, "settings", "problem")
    assert said in found.text
    assert str(mastodon.home / "postkit.toml") in found.remedy


def test_settings_of_an_account_that_there_is_not(mastodon: Program) -> None:
    """As after a rename: its caps would hold for nobody, and nothing else would tell."""
    mastodon.settle('[accounts."mastodon:mastodno"]\ncap_per_day = 3\n')
    status, [found] = doctor(mastodon)
    assert (status, found.area, found.severity) == (0, "settings", "warning")
    assert "mastodon:mastodno" in found.text
    assert "Did you mean 'mastodon:mastodon'?" in found.text


def test_an_older_store_is_left_as_it_is(mastodon: Program) -> None:
    """It changes nothing: bringing a store up to date is a change."""
    older = mastodon.home / "postkit.db"
    older.unlink()
    for name in ("postkit.db-wal", "postkit.db-shm"):
        (mastodon.home / name).unlink(missing_ok=True)
    with sqlite3.connect(older) as raw:
        for statements in database._migrations()[:4]:
            raw.executescript(statements)
        raw.execute("PRAGMA user_version = 4")
    raw.close()
    result = mastodon("doctor")
    assert "has schema 4 of" in result.out
    assert "- accounts  not looked at: the store is of an older postkit" in result.out
    with sqlite3.connect(older) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (4,)
    raw.close()
    assert mastodon("queue").status == 0
    assert not any("schema" in each.text for each in doctor(mastodon)[1])


def test_an_emulator_that_is_not_installed_is_no_fault(
    mastodon: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its extra was not asked for."""

    def broken(kit: Kit) -> list[str]:
        return [each.text for each in plugins_area.look(kit).findings]

    with Patient() as kit:
        records = kit.plugins.records(load=True)
        for record in records:
            if record.group == "postkit.emulators":
                object.__setattr__(record, "state", "failed")
        monkeypatch.setattr(kit.plugins, "records", lambda **_: records)
        assert any("does not load" in text for text in broken(kit))  # type: ignore[arg-type]
        there = util.find_spec
        monkeypatch.setattr(
            util, "find_spec", lambda name, *_: None if name == "starlette" else there(name)
        )
        assert broken(kit) == []  # type: ignore[arg-type]


def test_what_is_a_tenants_has_its_own_remedy(mastodon: Program) -> None:
    with Kit() as kit:
        own = kit.account("mastodon:mastodon")
        fields, tenant = kit.vault().get(own.id), kit.for_tenant("north")
        account, _ = tenant.connect("mastodon", fields, name="shop", endpoint=own.endpoint)
        tenant.schedule("Later", ["mastodon:shop"], at="in 2h")
        kit.vault().delete(account.id)
    status, found = doctor(mastodon)
    assert status == 1
    by_area = {each.area: each for each in found}
    assert by_area["vault"].text == "mastodon:shop of north has no access in the vault."
    assert "postkit connect" not in by_area["vault"].remedy
    assert "kit.for_tenant('north')" in by_area["vault"].remedy
    damage(mastodon, "UPDATE account SET state = 'needs_login' WHERE tenant = 'north'")
    damage(mastodon, "UPDATE part SET state = 'UNCERTAIN', ready_at = NULL")
    by_area = {each.area: each for each in doctor(mastodon)[1]}
    assert by_area["accounts"].severity == "problem"
    assert "mastodon:shop of north" in by_area["accounts"].text
    assert by_area["posts"].text.startswith("1 post is uncertain")
    assert "postkit queue" not in by_area["posts"].remedy
    assert "for_tenant" in by_area["posts"].remedy


def test_what_it_learns_online_is_written_down_as_the_terminals(mastodon: Program) -> None:
    other = b'{"id": "77", "acct": "mallory", "url": null}'
    with listening(answering("200 OK\r\nContent-Type: application/json", other)) as url:
        move(mastodon, url)
        assert doctor(mastodon, "--online")[0] == 1
    lines: list[tuple[object, object]] = []
    with Kit() as kit:
        assert kit.account("mastodon:mastodon").state == "needs_login"
        kit.audit(each=lambda line: lines.append((line.get("event"), line.get("via"))))
    assert ("needs_login", "cli") in lines


def test_a_worker_says_how_much_it_has_to_send_for_tenants_too(mastodon: Program) -> None:
    with Kit() as kit:
        own = kit.account("mastodon:mastodon")
        fields, tenant = kit.vault().get(own.id), kit.for_tenant("north")
        tenant.connect("mastodon", fields, name="shop", endpoint=own.endpoint)
        tenant.schedule("Later", ["mastodon:shop"], at="in 2h")
        due = kit.next_due()
        assert due is not None
        assert due == tenant.next_due()
        assert kit.for_tenant("south").next_due() is None
    assert "1 delivery to send, the next one due" in mastodon("worker", "--drain").err
