"""A new key for the vault: of each kind, cut off anywhere, and refused."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from postkit.accounts.key import Key, KeyTerms
from postkit.accounts.keyring import Keyring
from postkit.accounts.keys import find_key, make_key_file, new_key_path
from postkit.accounts.opening import open_vault
from postkit.accounts.place import Place
from postkit.accounts.rekey import Target, new_key, rekey
from postkit.accounts.vault import Vault
from postkit.errors import VaultError
from postkit.home import Home

from .conftest import Ring

WORDS = "pk_canary words for it"
PLACE = Place("https://one.example", None)
FIELDS = {"token": "pk_canary_token"}


@pytest.fixture
def vault(home: Home, ring: Ring) -> Vault:
    """Of a key file, with a place, which the new key must not lose."""
    make_key_file(home)
    vault = open_vault(home)
    vault.put("a_one", FIELDS, PLACE)
    vault.put("pending:1", {})
    return vault


@pytest.mark.parametrize("to", ["file", "keyring", "passphrase"])
def test_everything_is_encrypted_anew(vault: Vault, home: Home, ring: Ring, to: Target) -> None:
    old = find_key(home)
    before = json.loads(vault.path.read_text())
    assert rekey(home, vault, new_key(to, WORDS)) == []
    environ = {"POSTKIT_PASSPHRASE": WORDS} if to == "passphrase" else {}
    again = open_vault(home, environ=environ)
    assert again.access("a_one") == (FIELDS, PLACE)
    assert again.ids() == vault.ids() == ("a_one", "pending:1")
    assert find_key(home, environ).mark != old.mark
    after = json.loads(vault.path.read_text())
    for name in after["entries"]:
        assert after["entries"][name]["data"] != before["entries"][name]["data"]
    with pytest.raises(VaultError, match="was made with another key"):
        Vault(home.vault_path, old).ids()
    # The old key is nowhere, and the new one in one place.
    assert home.key_path.exists() == (to == "file")
    assert not new_key_path(home).exists()
    assert len(ring.held) == (to == "keyring")
    for path in home.path.iterdir():
        assert old.text() not in path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_from_the_keyring_and_back(vault: Vault, home: Home, ring: Ring) -> None:
    rekey(home, vault, new_key("keyring"))
    rekey(home, open_vault(home), new_key("keyring"))
    assert len(ring.held) == 1
    rekey(home, open_vault(home), new_key("file"))
    assert ring.held == {}
    assert open_vault(home).get("a_one") == FIELDS


@pytest.mark.parametrize(
    ("kind", "least"), [("file", 10), ("again", 10), ("keyring", 12), ("passphrase", 8)]
)
def test_killed_anywhere_it_opens(
    tmp_path: Path, ring: Ring, home: Home, kind: str, least: int
) -> None:
    """With the old key up to some moment, with the new one from then on, and never with none."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("rekeying.py")), str(tmp_path), kind],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},  # with the keyring's double
    )
    assert done.returncode == 0, done.stderr
    opened = json.loads(done.stdout)
    assert len(opened) > least
    turn = opened.index("new")
    assert turn > 2
    assert set(opened[:turn]) == {"old"}
    assert set(opened[turn:]) == {"new"}


@pytest.mark.parametrize("mood", ["refuses", "forgets", "lies", "dies"])
def test_a_keyring_that_does_not_keep_it(vault: Vault, home: Home, ring: Ring, mood: str) -> None:
    before = vault.path.read_bytes()
    ring.be(mood)
    with pytest.raises(VaultError, match="system's keyring"):
        rekey(home, vault, new_key("keyring"), Keyring())
    assert vault.path.read_bytes() == before
    assert open_vault(home).get("a_one") == FIELDS


def test_an_old_key_that_cannot_be_removed_is_told(vault: Vault, home: Home, ring: Ring) -> None:
    rekey(home, vault, new_key("keyring"))
    vault = open_vault(home)
    ring.is_a("keyring.backends.fail.Keyring")
    [said] = rekey(home, vault, new_key("file"))
    assert said.startswith("The old key is still in the system's keyring: No keyring")
    assert open_vault(home).get("a_one") == FIELDS


def test_a_key_file_of_another_vault_is_left(vault: Vault, home: Home) -> None:
    given = Key(bytes(32))
    rekey(home, vault, given)
    assert not home.key_path.exists()
    make_key_file(home)
    kept = home.key_path.read_bytes()
    rekey(home, open_vault(home, bytes(32)), Key.new("variable"))
    assert home.key_path.read_bytes() == kept


def test_a_disk_that_is_full_leaves_the_old_key(
    vault: Vault, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = vault.path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(VaultError, match="cannot be written beside"):
            rekey(home, vault, new_key("file"))
        with pytest.raises(VaultError, match="cannot be written"):
            rekey(home, vault, new_key("passphrase", WORDS))
    assert vault.path.read_bytes() == before
    assert open_vault(home).get("a_one") == FIELDS


def test_there_is_nothing_to_rekey(home: Home) -> None:
    make_key_file(home)
    with pytest.raises(VaultError, match="There is no vault at"):
        rekey(home, open_vault(home), new_key("file"))
    assert not home.vault_path.exists()


def test_a_damaged_vault_keeps_its_bytes_and_its_key(vault: Vault, home: Home) -> None:
    vault.path.write_bytes(vault.path.read_bytes()[:-9])
    before, key = vault.path.read_bytes(), home.key_path.read_bytes()
    for to in ("file", "passphrase"):
        with pytest.raises(VaultError, match="is damaged"):
            rekey(home, vault, new_key(to, WORDS))
    assert (vault.path.read_bytes(), home.key_path.read_bytes()) == (before, key)
    assert not new_key_path(home).exists()


def test_whoever_looks_for_the_key_meanwhile_finds_the_new_one(
    vault: Vault, home: Home, ring: Ring
) -> None:
    """Between what the vault says and where that is, another process makes a new key."""
    rekey(home, vault, new_key("keyring"))

    class Overtaken(Keyring):
        def key(self, terms: KeyTerms) -> Key | None:
            rekey(home, open_vault(home), new_key("file"))
            return super().key(terms)

    key = find_key(home, {}, keyring=Overtaken())
    assert Vault(home.vault_path, key).get("a_one") == FIELDS
    assert key.origin == "key file"
