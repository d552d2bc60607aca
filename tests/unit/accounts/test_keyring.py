"""The system's keyring: real or none, and one that hangs, prompts, lies or refuses."""

from __future__ import annotations

import importlib
import json
import os
import time
from pathlib import Path

import pytest

from postkit.accounts.key import Key
from postkit.accounts.keyring import KeyringError, NoKeyring
from postkit.accounts.keyring_child import CHAIN, REAL
from postkit.accounts.keys import NoKey, find_key, make_key_file
from postkit.accounts.opening import open_vault
from postkit.accounts.vault import Vault
from postkit.errors import VaultError
from postkit.home import Home

from .conftest import Ring

ACME = "a_acme"
FIELDS = {"token": "pk_canary_ring"}
FAIL = "keyring.backends.fail.Keyring"
UNREAL = [
    FAIL,
    "keyring.backends.null.Keyring",
    "keyrings.alt.file.PlaintextKeyring",
    "keyrings.alt.file.EncryptedKeyring",
    "keyring.backends.SecretService.keyring",
    "my.own.Keyring",
]


@pytest.mark.parametrize("path", [*REAL, CHAIN, FAIL, UNREAL[1]])
def test_the_names_are_those_of_the_package(path: str) -> None:
    """Also where their system is another one: the modules import anywhere."""
    module, _, name = path.rpartition(".")
    assert isinstance(getattr(importlib.import_module(module), name), type)


def test_a_new_vault_has_its_key_in_the_keyring(ring: Ring, home: Home) -> None:
    vault = open_vault(home, keyring=ring.keyring())
    vault.put(ACME, FIELDS)
    assert len(ring.held) == 1
    content = json.loads(home.vault_path.read_text())
    assert content["key"]["kept"] == "keyring"
    assert set(ring.held) == {f"postkit/{content['key']['mark']}"}
    assert not home.key_path.exists()
    again = open_vault(home, keyring=ring.keyring())
    assert again.get(ACME) == FIELDS
    assert again.key_origin == "keyring"
    assert len(ring.held) == 1
    # The keyring has the key alone, and the vault does not.
    assert "canary" not in ring.path.read_text()
    assert next(iter(ring.held.values())) not in home.vault_path.read_text()


@pytest.mark.parametrize("path", REAL)
def test_each_real_keyring_by_name(ring: Ring, path: str) -> None:
    ring.is_a(path)
    assert ring.keyring().name() == REAL[path]


@pytest.mark.parametrize("path", UNREAL)
def test_what_is_no_keyring_of_the_system_gets_nothing(ring: Ring, home: Home, path: str) -> None:
    ring.is_a(path)
    with pytest.raises(NoKey, match="There is no key to encrypt secrets with; run"):
        open_vault(home, keyring=ring.keyring())
    assert ring.held == {}
    assert not home.vault_path.exists()


def test_of_a_chain_the_first_real_one_counts(ring: Ring) -> None:
    ring.is_a("keyrings.alt.file.PlaintextKeyring", "keyring.backends.macOS.Keyring")
    assert ring.keyring().name() == "macOS Keychain"
    ring.is_a("keyrings.alt.file.PlaintextKeyring", FAIL)
    with pytest.raises(NoKeyring, match="No keyring of the system can be reached from here"):
        ring.keyring().name()


def test_an_existing_vault_stays_where_it_is(ring: Ring, home: Home) -> None:
    key = make_key_file(home)
    Vault(home.vault_path, key).put(ACME, FIELDS)
    vault = open_vault(home, keyring=ring.keyring())
    vault.put("a_two", {})
    assert vault.key_origin == "key file"
    assert ring.held == {}
    home.key_path.unlink()
    with pytest.raises(VaultError, match=r"key of .* is missing: put back"):
        open_vault(home, keyring=ring.keyring())
    assert ring.held == {}


def test_a_key_that_is_given_comes_before_the_keyring(ring: Ring, home: Home) -> None:
    given = Key(bytes(32))
    vault = open_vault(home, environ={"POSTKIT_KEY": given.text()}, keyring=ring.keyring())
    vault.put(ACME, FIELDS)
    assert ring.held == {}
    assert open_vault(home, bytes(32)).get(ACME) == FIELDS


def test_a_key_beside_a_keyring_opens_and_keeps_what_the_vault_says(ring: Ring, home: Home) -> None:
    """A copy of the key in POSTKIT_KEY does for a machine without a keyring."""
    open_vault(home, keyring=ring.keyring()).put(ACME, FIELDS)
    [text] = ring.held.values()
    vault = open_vault(home, environ={"POSTKIT_KEY": text}, keyring=ring.keyring())
    vault.put("a_two", {})
    assert open_vault(home, keyring=ring.keyring()).ids() == (ACME, "a_two")
    other = Key.new("variable")
    vault = open_vault(home, environ={"POSTKIT_KEY": other.text()}, keyring=ring.keyring())
    with pytest.raises(VaultError, match="the system's keyring has it, so take POSTKIT_KEY away"):
        vault.ids()


@pytest.mark.parametrize(
    ("mood", "sentence"),
    [
        ("hangs", "did not answer within 0.8 seconds: it may wait for you to unlock it"),
        ("prompts", "refused (EOFError); unlock it and try again"),
        ("asks on the terminal", "refused (OSError"),
        ("refuses", "refused (KeyringLocked: Failed to unlock; given: ***); unlock it"),
        ("dies", "gave no answer: its backend ended the process"),
        ("forgets", "did not keep the key that it was given"),
        ("lies", "holds another key than the one that was put there"),
        ("babbles", "holds another key than the one that was put there"),
        ("is no text", "did not keep the key that it was given"),
    ],
)
def test_a_keyring_that_does_not_keep_a_key(
    ring: Ring, home: Home, mood: str, sentence: str
) -> None:
    """One sentence, in bounded time, and no vault whose key is nowhere."""
    ring.be(mood)
    started = time.monotonic()
    with pytest.raises(VaultError) as caught:
        open_vault(home, keyring=ring.keyring(0.8 if mood == "hangs" else 20))
    said = str(caught.value)
    assert sentence in said
    assert said.endswith(".")
    assert "\n" not in said
    assert "canary" not in said
    assert "babble" not in said
    assert time.monotonic() - started < 15
    assert not home.vault_path.exists()


@pytest.mark.parametrize(
    ("mood", "sentence"),
    [
        ("hangs", "did not answer within"),
        ("prompts", "refused"),
        ("dies", "gave no answer"),
        ("lies", "holds another key"),
        ("babbles", "holds another key"),
        ("is no text", "does not hold the key of"),
    ],
)
def test_a_keyring_that_does_not_give_the_key(
    ring: Ring, home: Home, mood: str, sentence: str
) -> None:
    open_vault(home, keyring=ring.keyring()).put(ACME, FIELDS)
    before = home.vault_path.read_bytes()
    ring.be(mood)
    with pytest.raises(VaultError, match=sentence) as caught:
        open_vault(home, keyring=ring.keyring(0.8 if mood == "hangs" else 20))
    assert "canary" not in str(caught.value)
    assert "babble" not in str(caught.value)
    assert home.vault_path.read_bytes() == before
    ring.be("")
    assert open_vault(home, keyring=ring.keyring()).get(ACME) == FIELDS


def test_what_a_backend_prints_is_no_answer(ring: Ring, home: Home) -> None:
    ring.be("is noisy")
    open_vault(home, keyring=ring.keyring()).put(ACME, FIELDS)
    assert open_vault(home, keyring=ring.keyring()).get(ACME) == FIELDS


def test_the_key_is_gone_or_the_keyring_is(
    ring: Ring, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_vault(home, keyring=ring.keyring()).put(ACME, FIELDS)
    before = home.vault_path.read_bytes()
    kept = ring.path.read_text()
    ring.path.write_text("{}")
    with pytest.raises(VaultError, match=r"does not hold the key of .*; unlock the one that does"):
        open_vault(home, keyring=ring.keyring())
    ring.path.write_text(kept)
    ring.is_a(FAIL)
    with pytest.raises(VaultError, match=r"is in the system's keyring\. No keyring of the system"):
        open_vault(home, keyring=ring.keyring())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(VaultError, match=r"run `pip install 'postkit-social\[keyring\]'`"):
        open_vault(home, keyring=ring.keyring())
    assert home.vault_path.read_bytes() == before


def test_no_package_no_keyring(ring: Ring, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NoKey):
        open_vault(home, keyring=ring.keyring())


def test_the_process_that_asks_is_ended_and_told_no_secret(ring: Ring, tmp_path: Path) -> None:
    ring.be("hangs")
    ring.monkeypatch.setenv("POSTKIT_KEY", "pk_canary_key")
    ring.monkeypatch.setenv("POSTKIT_PASSPHRASE", "pk_canary_words")
    seen = tmp_path / "seen"
    # The interpreter of the child writes its number and its environment down when it starts.
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import os, pathlib\n"
        f"pathlib.Path({str(seen)!r}).write_text(str(os.getpid()) + ' ' + repr(dict(os.environ)))\n"
    )
    ring.monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(KeyringError, match="did not answer"):
        ring.keyring(1.0).key(Key(bytes(32)).terms)
    number, _, environment = seen.read_text().partition(" ")
    assert "canary" not in environment
    assert "KEYRING_DOUBLE" in environment
    with pytest.raises(ProcessLookupError):
        os.kill(int(number), 0)


def test_of_two_who_make_the_first_vault_one_key_wins(ring: Ring, home: Home) -> None:
    class Slow(type(ring.keyring())):  # type: ignore[misc]
        def keep(self, key: Key) -> None:
            super().keep(key)
            if not home.vault_path.exists():
                open_vault(home, keyring=ring.keyring()).put(ACME, FIELDS)

    assert open_vault(home, keyring=Slow(20)).get(ACME) == FIELDS
    assert len(ring.held) == 1
    assert find_key(home, {}, keyring=ring.keyring()).origin == "keyring"
