"""A vault of each kind of key, cut and changed at every byte of its header and of the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from postkit.accounts.key import Key, Origin
from postkit.accounts.keys import find_key
from postkit.accounts.passphrase import Argon2Terms
from postkit.accounts.vault import Vault
from postkit.accounts.vault_file import read_terms
from postkit.errors import VaultError
from postkit.home import Home

FIELDS = {"token": "pk_canary_token"}
SALT = bytes(range(16))
KINDS: dict[Origin, Argon2Terms | None] = {
    "key file": None,
    "keyring": None,
    "passphrase": Argon2Terms(SALT, 1, 1, 8),  # cheap, since it is derived for each byte
}


@pytest.fixture(params=KINDS)
def key(request: pytest.FixtureRequest) -> Key:
    origin: Origin = request.param
    argon = KINDS[origin]
    return Key(bytes(range(32)), origin) if argon is None else Key.of_passphrase("x" * 12, argon)


@pytest.fixture
def vault(home: Home, key: Key) -> Vault:
    vault = Vault(home.vault_path, key)
    vault.put("a_one", FIELDS)
    return vault


def test_what_it_says_of_its_key(vault: Vault, key: Key) -> None:
    terms = read_terms(vault.path)
    assert terms == key.terms
    assert terms is not None
    assert key.fits(terms)
    assert not Key(bytes(32)).fits(terms)
    raw = vault.path.read_text()
    assert key.text() not in raw
    assert key.value.hex() not in raw


def test_cut_at_every_byte(vault: Vault, key: Key) -> None:
    whole = vault.path.read_bytes()
    for length in range(len(whole)):
        vault.path.write_bytes(whole[:length])
        for act in (vault.ids, lambda: read_terms(vault.path), lambda: vault.take("a_one")):
            with pytest.raises(VaultError, match="is damaged; restore it from a backup"):
                act()
        assert vault.path.read_bytes() == whole[:length]
    vault.path.write_bytes(whole)
    assert Vault(vault.path, key).get("a_one") == FIELDS


def test_each_changed_byte_is_noticed(vault: Vault) -> None:
    whole = vault.path.read_bytes()
    tried = 0
    for position in range(len(whole)):
        changed = whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :]
        vault.path.write_bytes(changed)
        try:
            same = json.loads(changed) == json.loads(whole)
        except ValueError:
            same = False
        if same:
            continue  # blank space alone
        tried += 1
        with pytest.raises(VaultError) as caught:
            vault.put("a_two", {"a": "b"})
        assert "\n" not in str(caught.value)
        assert vault.path.read_bytes() == changed
    assert tried > 300


@pytest.mark.parametrize(
    "said",
    [
        None,
        5,
        "mark",
        {},
        {"mark": 5, "kept": "given"},
        {"mark": "a"},
        {"mark": "a", "kept": "somewhere"},
        {"mark": "a", "kept": "given", "more": 1},
        {"mark": "a", "kept": "given", "argon2id": {}},
        {"mark": "a", "kept": "passphrase"},
        {"mark": "a", "kept": "passphrase", "argon2id": None},
        {"mark": "a", "kept": "passphrase", "argon2id": []},
        {"mark": "a", "kept": ["given"]},
    ],
)
def test_odd_words_about_the_key_are_damage(vault: Vault, home: Home, said: Any) -> None:
    content = json.loads(vault.path.read_text())
    vault.path.write_text(json.dumps({**content, "key": said}))
    for act in (vault.ids, lambda: find_key(home, {})):
        with pytest.raises(VaultError, match="is damaged"):
            act()


def test_the_kind_cannot_be_changed_under_the_mac(vault: Vault, key: Key) -> None:
    content = json.loads(vault.path.read_text())
    other = "given" if key.origin == "keyring" else "keyring"
    content["key"] = {"mark": key.mark, "kept": other}
    vault.path.write_text(json.dumps(content))
    with pytest.raises(VaultError, match="is damaged"):
        vault.ids()


def test_a_newer_version_is_left_alone(vault: Vault, home: Home) -> None:
    content = json.loads(vault.path.read_text())
    vault.path.write_text(json.dumps({**content, "version": 2, "key": {"new": "ways"}}))
    before = vault.path.read_bytes()
    for act in (vault.ids, lambda: find_key(home, {}), lambda: vault.put("a", {})):
        with pytest.raises(VaultError, match="written by a newer postkit"):
            act()
    assert vault.path.read_bytes() == before


def test_no_file_no_words(tmp_path: Path) -> None:
    assert read_terms(tmp_path / "vault") is None
