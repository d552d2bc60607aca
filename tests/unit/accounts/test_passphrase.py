"""A vault that a passphrase opens."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from postkit.accounts.asking import asked, asking
from postkit.accounts.keys import NoKey, find_key
from postkit.accounts.opening import open_vault
from postkit.accounts.passphrase import Argon2Terms
from postkit.accounts.secret import Redactor
from postkit.errors import VaultError
from postkit.home import Home

WORDS = "pk_canary correct horse é"
SALT = bytes(range(16))
ACME = "a_acme"
FIELDS = {"token": "pk_canary_token"}


def environ(words: str = WORDS) -> dict[str, str]:
    return {"POSTKIT_PASSPHRASE": words}


def test_it_is_the_second_recommended_option_of_rfc_9106() -> None:
    """Section 4: t=3, p=4, m=2^16 KiB, a salt of 128 bits, a tag of 256 bits."""
    reference = Argon2id(salt=SALT, length=32, iterations=3, lanes=4, memory_cost=2**16)
    assert Argon2Terms(SALT).key(WORDS) == reference.derive(WORDS.encode())
    assert len({Argon2Terms.new().salt for _ in range(5)}) == 5


def test_the_same_letters_are_the_same_passphrase() -> None:
    terms = Argon2Terms(SALT, 1, 1, 8)
    assert terms.key("e\u0301") == terms.key("\u00e9")
    assert terms.key("\udce9") != terms.key("\u00e9")


@pytest.mark.parametrize(
    "change",
    [
        {"memory": 100 * 2**20},
        {"memory": 2**18 + 1},
        {"memory": 7},
        {"memory": "65536"},
        {"memory": True},
        {"iterations": 9},
        {"iterations": 0},
        {"iterations": 2**40},
        {"lanes": 17},
        {"lanes": 0},
        {"lanes": 1.0},
        {"salt": "AAAA"},
        {"salt": "!" * 24},
        {"salt": None},
        {"more": 1},
    ],
)
def test_a_file_cannot_ask_for_more_than_it_should(home: Home, change: dict[str, Any]) -> None:
    open_vault(home, environ=environ()).put(ACME, FIELDS)
    content = json.loads(home.vault_path.read_text())
    content["key"]["argon2id"].update(change)
    home.vault_path.write_text(json.dumps(content))
    before = home.vault_path.read_bytes()
    started = time.monotonic()
    with pytest.raises(VaultError, match="is damaged; restore it from a backup"):
        open_vault(home, environ=environ())
    assert time.monotonic() - started < 1
    assert home.vault_path.read_bytes() == before


def test_it_opens_with_the_passphrase_alone(home: Home) -> None:
    open_vault(home, environ=environ()).put(ACME, FIELDS)
    raw = home.vault_path.read_text()
    assert "canary" not in raw
    again = open_vault(home, environ=environ())
    assert again.get(ACME) == FIELDS
    assert again.key_origin == "passphrase"
    assert not home.key_path.exists()
    assert "canary" not in Redactor.redact(f"<{WORDS}>")


@pytest.mark.parametrize("words", ["wrong and much too long", "x", WORDS + " ", WORDS.upper()])
def test_a_wrong_passphrase_is_one_sentence(home: Home, words: str) -> None:
    open_vault(home, environ=environ()).put(ACME, FIELDS)
    before = home.vault_path.read_bytes()
    vault = open_vault(home, environ=environ(words))
    for act in (vault.ids, lambda: vault.put("a_two", {}), lambda: vault.take(ACME)):
        with pytest.raises(
            VaultError, match=r"made with another passphrase; give the one"
        ) as caught:
            act()
        assert words not in str(caught.value)
        assert "\n" not in str(caught.value)
    assert home.vault_path.read_bytes() == before


def test_a_new_passphrase_is_not_short(home: Home) -> None:
    with pytest.raises(VaultError, match="too short: take at least 12 characters"):
        open_vault(home, environ=environ("elevenchars"))
    assert not home.vault_path.exists()


def test_without_one_it_says_what_to_set(home: Home) -> None:
    open_vault(home, environ=environ()).put(ACME, FIELDS)
    for given in ({}, environ("")):
        with pytest.raises(VaultError, match="is opened by a passphrase: set POSTKIT_PASSPHRASE"):
            open_vault(home, environ=given)


def test_a_person_is_asked_where_there_is_one(home: Home) -> None:
    with asking(lambda: WORDS), pytest.raises(NoKey):
        find_key(home, {}, ask=asked)  # a new vault is not made by a question
    open_vault(home, environ=environ()).put(ACME, FIELDS)
    with asking(lambda: WORDS):
        assert open_vault(home, environ={}).get(ACME) == FIELDS
    with asking(lambda: None), pytest.raises(VaultError, match="set POSTKIT_PASSPHRASE"):
        open_vault(home, environ={})
    assert asked() is None


def test_two_who_make_the_first_vault_at_once_share_it(home: Home) -> None:
    """Each has a salt of its own; the file's counts."""
    first, second = (open_vault(home, environ=environ()) for _ in range(2))
    first.put(ACME, FIELDS)
    second.put("a_two", {"b": "c"})
    assert first.ids() == (ACME, "a_two")
