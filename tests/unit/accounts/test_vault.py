from __future__ import annotations

import base64
import contextlib
import json
import os
import pickle
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from postkit.accounts.key import Key
from postkit.accounts.place import Place
from postkit.accounts.vault import Vault
from postkit.accounts.vault_file import _mac
from postkit.errors import VaultError

KEY = bytes(range(32))
ACME = "one:acme"
FIELDS = {"access_token": "pk_canary_vault_token", "pk_canary_name": "ü\ud800\n"}


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault", KEY)


def fails(vault: Vault, sentence: str) -> None:
    """Every method refuses with one sentence, and the file keeps its bytes."""
    before = vault.path.read_bytes() if vault.path.is_file() else None
    for act in (
        vault.ids,
        lambda: vault.get(ACME),
        lambda: vault.put(ACME, {"a": "b"}),
        lambda: vault.delete(ACME),
    ):
        with pytest.raises(VaultError, match=sentence) as caught:
            act()
        message = str(caught.value)
        assert message.endswith(".")
        assert "\n" not in message
        assert "canary" not in message
    assert (vault.path.read_bytes() if vault.path.is_file() else None) == before


def rewritten(vault: Vault, **changes: object) -> None:
    content = json.loads(vault.path.read_text())
    vault.path.write_text(json.dumps({**content, **changes}))


def test_keeps_what_was_put(vault: Vault) -> None:
    vault.put(ACME, FIELDS)
    vault.put("two:b/ö c", {})
    again = Vault(vault.path, KEY)
    assert again.get(ACME) == FIELDS
    assert again.get("two:b/ö c") == {}
    assert again.ids() == (ACME, "two:b/ö c")
    vault.put(ACME, {"only": "this"})
    assert again.get(ACME) == {"only": "this"}
    vault.delete("two:b/ö c")
    vault.delete("two:never")
    assert again.ids() == (ACME,)


def test_a_missing_file_is_an_empty_vault(vault: Vault) -> None:
    assert vault.ids() == ()
    vault.delete(ACME)
    assert not vault.path.exists()
    with pytest.raises(VaultError, match="holds no secrets of one:acme; connect the account again"):
        vault.get(ACME)


def test_nothing_secret_is_readable(vault: Vault) -> None:
    vault.put(ACME, FIELDS)
    for file in vault.path.parent.iterdir():
        raw = file.read_bytes()
        assert b"canary" not in raw
        assert base64.b64encode(b"pk_canary")[:-1] not in raw
        assert KEY not in raw
        assert base64.b64encode(KEY) not in raw
        assert KEY.hex().encode() not in raw
    assert repr(vault) == str(vault) == f"Vault({str(vault.path)!r})"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(vault)


def test_the_same_fields_never_look_the_same_twice(vault: Vault) -> None:
    seen = set()
    for _ in range(20):
        vault.put(ACME, FIELDS)
        entry = json.loads(vault.path.read_text())["entries"][ACME]
        seen.add(entry["nonce"])
        seen.add(entry["data"])
        assert len(base64.b64decode(entry["nonce"])) == 12
    assert len(seen) == 40


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_files_are_closed_to_others_whatever_the_umask(vault: Vault, umask: int) -> None:
    former = os.umask(umask)
    try:
        vault.put(ACME, FIELDS)
        vault.put(ACME, FIELDS)
    finally:
        os.umask(former)
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    for file in vault.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0


def test_cut_at_every_byte(vault: Vault) -> None:
    vault.put(ACME, FIELDS)
    whole = vault.path.read_bytes()
    for length in range(len(whole)):
        vault.path.write_bytes(whole[:length])
        with pytest.raises(VaultError, match=r"is damaged; restore it from a backup"):
            vault.ids()
        with pytest.raises(VaultError, match=r"is damaged"):
            vault.put("two:new", {"a": "b"})
        assert vault.path.read_bytes() == whole[:length]
    vault.path.write_bytes(whole)
    assert vault.get(ACME) == FIELDS


def test_each_changed_byte_is_noticed(vault: Vault) -> None:
    vault.put(ACME, FIELDS)
    whole = vault.path.read_bytes()
    for position in range(len(whole)):
        vault.path.write_bytes(
            whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :]
        )
        try:
            content = json.loads(vault.path.read_bytes())
        except ValueError:
            content = None
        if content == json.loads(whole):
            continue  # blank space alone
        with pytest.raises(VaultError):
            vault.put("two:new", {"a": "b"})


def test_wrong_key(vault: Vault) -> None:
    vault.put(ACME, FIELDS)
    fails(Vault(vault.path, bytes(32)), "was made with another key; give the key that made it")
    assert vault.get(ACME) == FIELDS


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length(vault: Vault, length: int) -> None:
    with pytest.raises(VaultError, match=f"has 32 bytes, not {length}"):
        Vault(vault.path, bytes(length))


def test_an_entry_moved_to_another_account(vault: Vault) -> None:
    vault.put(ACME, FIELDS)
    vault.put("two:b", {"access_token": "other"})
    entries = json.loads(vault.path.read_text())["entries"]
    swapped = {ACME: entries["two:b"], "two:b": entries[ACME]}
    rewritten(vault, entries=swapped)
    fails(vault, "is damaged")
    # Even with a right MAC, the entry itself is bound to its account.
    content = json.loads(vault.path.read_text())
    content.pop("mac")
    rewritten(vault, mac=_mac(Key(KEY), content))
    assert vault.ids() == (ACME, "two:b")
    with pytest.raises(VaultError, match="was not written for this account"):
        vault.get(ACME)


def test_a_dropped_entry_is_noticed(vault: Vault) -> None:
    vault.put(ACME, FIELDS)
    rewritten(vault, entries={})
    fails(vault, "is damaged")


def test_a_newer_version_is_left_alone(vault: Vault) -> None:
    vault.put(ACME, FIELDS)
    rewritten(vault, version=2, entries=["unknown"], key=None)
    fails(vault, r"written by a newer postkit \(format 2, this one reads 1\); upgrade postkit")


@pytest.mark.parametrize(
    "change", [{"version": 0}, {"version": "1"}, {"key": 5}, {"mac": "\ud800"}]
)
def test_odd_headers_are_damage(vault: Vault, change: dict[str, object]) -> None:
    vault.put(ACME, FIELDS)
    rewritten(vault, **change)
    fails(vault, "is damaged")


@pytest.mark.parametrize(
    "content",
    [b"hello", b"[]", b"{}", b'{"magic": "other"}', b"[" * 100_000, b"\xff\xfe", b"1" * 9999],
)
def test_not_a_vault(vault: Vault, content: bytes) -> None:
    vault.path.write_bytes(content)
    vault.path.chmod(0o600)
    fails(vault, "is not a vault of postkit")


def test_no_plain_file(vault: Vault) -> None:
    os.mkfifo(vault.path, 0o600)
    fails(vault, "it is no plain file")
    vault.path.unlink()
    vault.path.mkdir(0o700)
    fails(vault, "no plain file")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o610])
def test_open_to_other_users(vault: Vault, mode: int) -> None:
    vault.put(ACME, FIELDS)
    vault.path.chmod(mode)
    fails(vault, rf"open to other users \(mode {mode:o}\); close it with `chmod 600")


@pytest.mark.parametrize("fields", [{"a": 1}, {1: "a"}])
def test_fields_are_text(vault: Vault, fields: dict[str, str]) -> None:
    with pytest.raises(VaultError, match="fields of text"):
        vault.put(ACME, fields)
    assert not vault.path.exists()


def test_a_crash_before_the_replace_leaves_the_old_vault(vault: Vault, tmp_path: Path) -> None:
    vault.put(ACME, FIELDS)
    (tmp_path / "vault.tmp-0011").write_bytes(vault.path.read_bytes()[:50])
    assert vault.get(ACME) == FIELDS
    vault.put("two:b", {"a": "b"})
    assert vault.ids() == (ACME, "two:b")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["vault", "vault.lock"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_changes_nothing(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    vault.put(ACME, FIELDS)
    before = vault.path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        if step == "fsync":
            patched.setattr(os, "fsync", full)
        else:
            patched.setattr(Path, "replace", full)
        with pytest.raises(VaultError, match=r"cannot be written \(No space left on device\)"):
            vault.put(ACME, {"a": "b"})
    assert vault.path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["vault", "vault.lock"]


def test_an_unreadable_file_is_one_sentence(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.put(ACME, FIELDS)
    real = os.open

    def denied(path: Path, *rest: int) -> int:
        if path == vault.path:
            raise PermissionError(13, "Permission denied")
        return real(path, *rest)

    monkeypatch.setattr(os, "open", denied)
    fails(vault, r"cannot be read \(Permission denied\)")


def test_a_link_stays_a_link(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    vault.path.symlink_to(tmp_path / "disk" / "real")
    vault.put(ACME, FIELDS)
    assert vault.path.is_symlink()
    assert Vault(tmp_path / "disk" / "real", KEY).get(ACME) == FIELDS


WRITER = """
import sys
from pathlib import Path
from postkit.accounts.vault import Vault
vault = Vault(Path(sys.argv[1]), bytes(range(32)))
vault.put("warm:up", {})
print("ready", flush=True)
sys.stdin.readline()
for number in range(50):
    vault.put(f"{sys.argv[2]}:{number}", {"token": f"{sys.argv[2]}-{number}"})
"""

COUNTER = """
import sys, time
from pathlib import Path
from postkit.accounts.vault import Vault
vault = Vault(Path(sys.argv[1]), bytes(range(32)))
vault.get("one:acme")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    with vault.lock("one:acme"):
        count = int(vault.get("one:acme")["count"])
        time.sleep(0.001)
        vault.put("one:acme", {"count": str(count + 1)})
"""


def processes(script: str, vault: Vault, *names: str) -> None:
    """Run the script once for each name; all begin their loops at the same moment."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(vault.path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in names
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=60)
    assert [process.returncode for process in running] == [0] * len(names)


def test_two_processes_lose_no_entry(vault: Vault) -> None:
    processes(WRITER, vault, "one", "two")
    expected = {f"{name}:{number}" for name in ("one", "two") for number in range(50)}
    assert set(vault.ids()) == expected | {"warm:up"}
    for account in expected:
        assert vault.get(account) == {"token": account.replace(":", "-")}


def test_renewing_is_single_flight_over_processes(vault: Vault) -> None:
    vault.put(ACME, {"count": "0"})
    processes(COUNTER, vault, "one", "two")
    assert vault.get(ACME) == {"count": "40"}


def test_the_lock_is_per_account_and_ends_with_its_holder(vault: Vault) -> None:
    with vault.lock(ACME):
        with vault.lock("one:ACME"), vault.lock("../etc/\ud800", timeout=1):
            vault.put(ACME, FIELDS)
        with (
            pytest.raises(
                VaultError, match=r"token of one:acme cannot be renewed: another process"
            ),
            vault.lock(ACME, timeout=0.05),
        ):
            pytest.fail("two holders")
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\nfrom pathlib import Path\n"
            "from postkit.accounts.vault import Vault\n"
            "with Vault(Path(sys.argv[1]), bytes(range(32))).lock('one:acme'):\n"
            "    print('held', flush=True)\n    time.sleep(60)\n",
            str(vault.path),
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    with holder, holder.stdout:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(VaultError), vault.lock(ACME, timeout=0.05):
            pytest.fail("two holders")
        holder.kill()
    with vault.lock(ACME, timeout=5):
        pass


def test_threads_wait_for_each_other(vault: Vault) -> None:
    order: list[str] = []

    def second() -> None:
        with vault.lock(ACME):
            order.append("second")

    with vault.lock(ACME):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.05)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_where_access_is_for_stays_with_it(vault: Vault) -> None:
    vault.put(ACME, FIELDS)
    assert vault.access(ACME) == (FIELDS, None)
    place = Place("https://one.example", "/etc/bundle.pem")
    vault.put(ACME, FIELDS, place)
    vault.rotate(ACME, {"token": "renewed"})
    vault.settle(ACME)
    vault.put("two:b", {"a": "b"}, Place())
    again = Vault(vault.path, KEY)
    assert again.access(ACME) == ({"token": "renewed"}, place)
    assert again.access("two:b") == ({"a": "b"}, Place(None, None))
    vault.delete(ACME)
    vault.put(ACME, FIELDS)
    assert vault.access(ACME) == (FIELDS, None)


def test_a_changed_place_is_noticed(vault: Vault) -> None:
    vault.put(ACME, FIELDS, Place("https://one.example"))
    text = vault.path.read_text().replace("one.example", "two.example")
    vault.path.write_text(text)
    fails(vault, "is damaged")


TAKER = """
import sys
from pathlib import Path
from postkit.accounts.vault import Vault
vault = Vault(Path(sys.argv[1]), bytes(range(32)))
vault.get("one:acme")
print("ready", flush=True)
sys.stdin.readline()
for number in range(30):
    if vault.take(f"pending:{number}") is not None:
        vault.put(f"{sys.argv[2]}:{number}", {})
"""


def test_an_entry_is_taken_once(vault: Vault) -> None:
    vault.put(ACME, FIELDS)
    vault.put("two:b", {"a": "b"})
    assert vault.take(ACME) == FIELDS
    assert vault.take(ACME) is None
    assert Vault(vault.path, KEY).ids() == ("two:b",)


def test_of_two_processes_one_takes_an_entry(vault: Vault) -> None:
    vault.put(ACME, FIELDS)
    for number in range(30):
        vault.put(f"pending:{number}", {"verifier": "pk_canary"})
    processes(TAKER, vault, "one", "two")
    taken = [name.partition(":")[2] for name in vault.ids() if name != ACME]
    assert sorted(taken) == sorted(str(number) for number in range(30))


def test_what_cannot_be_decrypted_is_not_taken(vault: Vault) -> None:
    vault.put(ACME, FIELDS)
    content = json.loads(vault.path.read_text())
    content["entries"]["other"] = content["entries"][ACME]
    content.pop("mac")
    rewritten(vault, entries=content["entries"], mac=_mac(Key(KEY), content))
    before = vault.path.read_bytes()
    with pytest.raises(VaultError, match="was not written for this account"):
        vault.take("other")
    assert vault.path.read_bytes() == before


def test_a_vault_that_cannot_be_read_is_not_filled(vault: Vault) -> None:
    vault.path.write_bytes(b'{\n "magic": "postkit-vault",\n "version": 1')
    vault.path.chmod(0o600)
    before = vault.path.read_bytes()
    assert not vault.create()
    acts: list[Callable[[], object]] = [
        lambda: vault.take(ACME),
        vault.contents,
        lambda: vault.fill({ACME: (FIELDS, None)}, lambda known: None),
        lambda: vault.rekey(Key(bytes(32)), lambda terms: contextlib.nullcontext()),
    ]
    for act in acts:
        with pytest.raises(VaultError, match="is damaged"):
            act()
    assert vault.path.read_bytes() == before


def test_a_new_key_of_another_process_is_found(vault: Vault) -> None:
    """A worker that runs for months goes on, and one that cannot find it changes nothing."""
    vault.put(ACME, FIELDS)
    other = Key(bytes(32))
    worker = Vault(vault.path, KEY, again=lambda: other)
    lost = Vault(vault.path, KEY, again=lambda: Key(bytes([7]) * 32))
    assert worker.ids() == (ACME,)
    Vault(vault.path, KEY).rekey(other, lambda terms: contextlib.nullcontext())
    worker.put("two:b", {"a": "b"})
    assert worker.get(ACME) == FIELDS
    fails(lost, "was made with another key")
    assert Vault(vault.path, other).ids() == (ACME, "two:b")


def test_no_new_key_while_a_token_is_renewed(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.put(ACME, FIELDS)
    monkeypatch.setattr("postkit.accounts.vault.REFRESH_TIMEOUT", 0.05)
    with vault.lock(ACME), vault.lock("two:b", timeout=1):
        acts: list[Callable[[], None]] = [
            lambda: vault.rekey(Key(bytes(32)), lambda terms: contextlib.nullcontext()),
            lambda: vault.fill({}, lambda known: None),
        ]
        for act in acts:
            with pytest.raises(VaultError, match="cannot be changed while a token is renewed"):
                act()
        vault.rotate(ACME, {"token": "renewed"})
    vault.rekey(Key(bytes(32)), lambda terms: contextlib.nullcontext())
    assert vault.get(ACME) == {"token": "renewed"}
