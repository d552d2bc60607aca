"""Copies of the vault: written once, opened by a passphrase, taken whole or not at all."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from postkit.accounts.passphrase import Argon2Terms
from postkit.accounts.place import Place
from postkit.accounts.transfer import export_vault, import_vault
from postkit.accounts.vault import Vault
from postkit.errors import InputError, VaultError

WORDS = "pk_canary words for it"
FIELDS = {"token": "pk_canary_token", "odd": "ü\ud800\n"}
PLACE = Place("https://one.example", "/etc/bundle.pem")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path / "one" / "vault", bytes(32))
    vault.put("a_one", FIELDS, PLACE)
    vault.put("app:x", {"client_secret": "pk_canary_app"})
    vault.put("pending:1", {"verifier": "pk_canary_pending"})
    return vault


@pytest.fixture
def other(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "two" / "vault", bytes(range(32)))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the copy goes; cheap terms, since it is opened for each of its bytes."""
    cheap = classmethod(lambda cls: Argon2Terms(bytes(range(16)), 1, 1, 8))
    monkeypatch.setattr(Argon2Terms, "new", cheap)
    return tmp_path / "copy"


def test_there_and_back(vault: Vault, other: Vault, file: Path) -> None:
    assert export_vault(vault, file, WORDS) == ("a_one", "app:x")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    done = import_vault(other, file, WORDS)
    assert (done.added, done.replaced, done.same) == (("a_one", "app:x"), (), ())
    assert other.access("a_one") == (FIELDS, PLACE)
    assert other.access("app:x") == ({"client_secret": "pk_canary_app"}, None)
    assert import_vault(other, file, WORDS).same == ("a_one", "app:x")


def test_nothing_is_readable_in_it(vault: Vault, file: Path) -> None:
    export_vault(vault, file, WORDS)
    raw = file.read_text()
    for word in ("canary", "a_one", "app:x", "one.example"):
        assert word not in raw


def test_a_file_that_is_there_is_kept(vault: Vault, file: Path) -> None:
    file.write_text("mine")
    with pytest.raises(VaultError, match="is there already; name another file"):
        export_vault(vault, file, WORDS)
    assert file.read_text() == "mine"
    with pytest.raises(VaultError, match=r"cannot be written \(No such file or directory\)"):
        export_vault(vault, file.with_name("none") / "copy", WORDS)
    with pytest.raises(VaultError, match="too short"):
        export_vault(vault, file.with_name("new"), "short")
    assert not file.with_name("new").exists()


def test_entries_are_never_overwritten_by_silence(vault: Vault, other: Vault, file: Path) -> None:
    export_vault(vault, file, WORDS)
    other.put("a_one", {"token": "newer"}, PLACE)
    other.put("app:x", {"client_secret": "pk_canary_app"})
    before = other.path.read_bytes()
    with pytest.raises(InputError) as caught:
        import_vault(other, file, WORDS)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith("a_one is in the vault with other content than in")
    assert "canary" not in str(caught.value)
    assert other.path.read_bytes() == before
    done = import_vault(other, file, WORDS, replace=True)
    assert (done.added, done.replaced, done.same) == ((), ("a_one",), ("app:x",))
    assert other.access("a_one") == (FIELDS, PLACE)


def test_another_place_is_other_content(vault: Vault, other: Vault, file: Path) -> None:
    export_vault(vault, file, WORDS)
    other.put("a_one", FIELDS, Place("https://two.example"))
    with pytest.raises(InputError, match="a_one is in the vault with other content"):
        import_vault(other, file, WORDS)


def refuses(vault: Vault, file: Path, sentence: str, words: str = WORDS) -> None:
    with pytest.raises(VaultError, match=sentence) as caught:
        import_vault(vault, file, words)
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert "canary" not in said
    assert not vault.path.exists()


def test_another_passphrase(vault: Vault, other: Vault, file: Path) -> None:
    export_vault(vault, file, WORDS)
    for words in ("", "x", WORDS + "."):
        refuses(other, file, "has another passphrase, or is damaged; nothing was imported", words)


def test_cut_and_changed_at_every_byte(vault: Vault, other: Vault, file: Path) -> None:
    export_vault(vault, file, WORDS)
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        refuses(other, file, "is not a whole file of `postkit vault export`")
    tried = 0
    for position in range(len(whole)):
        changed = whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :]
        file.write_bytes(changed)
        try:
            same = json.loads(changed) == json.loads(whole)
        except ValueError:
            same = False
        if not same:
            tried += 1
            refuses(other, file, r"is not a whole file|or is damaged|newer postkit")
    assert tried > 300


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"version": 2, "data": None}, r"newer postkit \(format 2, this one reads 1\)"),
        ({"version": "1"}, "or is damaged"),
        ({"argon2id": {"memory": 100 * 2**20}}, "or is damaged"),
        ({"argon2id": None}, "or is damaged"),
        ({"nonce": "AAAA"}, "or is damaged"),
        ({"nonce": None}, "or is damaged"),
        ({"data": ""}, "or is damaged"),
        ({"data": "AAAA"}, "or is damaged"),
        ({"more": 1}, "or is damaged"),
        ({"magic": "postkit-vault"}, "not a whole file"),
    ],
)
def test_hostile_heads(
    vault: Vault, other: Vault, file: Path, change: dict[str, Any], sentence: str
) -> None:
    export_vault(vault, file, WORDS)
    content = json.loads(file.read_text())
    if isinstance(change.get("argon2id"), dict):
        change = {"argon2id": {**content["argon2id"], **change["argon2id"]}}
    file.write_text(json.dumps({**content, **change}))
    started = time.monotonic()
    refuses(other, file, sentence)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 100_000, b"\xff\xfe", b"{}"])
def test_other_files(other: Vault, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    refuses(other, file, "is not a whole file of")


def test_no_file(other: Vault, file: Path) -> None:
    refuses(other, file, "There is no file")
    file.mkdir()
    refuses(other, file, "no plain file")


def test_no_vault_that_cannot_be_read_is_filled(vault: Vault, other: Vault, file: Path) -> None:
    export_vault(vault, file, WORDS)
    other.put("a_two", {})
    other.path.write_bytes(other.path.read_bytes()[:-1])
    before = other.path.read_bytes()
    with pytest.raises(VaultError, match="is damaged"):
        import_vault(other, file, WORDS, replace=True)
    assert other.path.read_bytes() == before
