from __future__ import annotations

import base64
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from postkit.accounts.keys import MAKE_ONE, NoKey, find_key, make_key_file
from postkit.accounts.secret import Redactor
from postkit.errors import VaultError
from postkit.home import Home

KEY = bytes([255, 254, *range(30)])
TEXT = base64.b64encode(KEY).decode()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").ensure()


@pytest.mark.parametrize("text", [TEXT, f"  {TEXT}\n", base64.urlsafe_b64encode(KEY).decode()])
def test_from_the_environment(home: Home, text: str) -> None:
    make_key_file(home)
    assert find_key(home, {"POSTKIT_KEY": text}).value == KEY


@pytest.mark.parametrize(
    "text", ["canary", "canary!" * 7, base64.b64encode(bytes(31)).decode(), TEXT[:-1], KEY.hex()]
)
def test_a_wrong_variable_is_one_sentence_and_not_shown(home: Home, text: str) -> None:
    make_key_file(home)
    with pytest.raises(VaultError, match="POSTKIT_KEY is not 32 bytes in base64") as caught:
        find_key(home, {"POSTKIT_KEY": text})
    assert text not in str(caught.value)
    assert MAKE_ONE in str(caught.value)


def test_the_one_liner_makes_a_key(home: Home) -> None:
    command = shlex.split(MAKE_ONE)
    made = subprocess.run(
        [sys.executable, *command[1:]], capture_output=True, text=True, check=True
    ).stdout
    assert len(find_key(home, {"POSTKIT_KEY": made}).value) == 32


def test_from_the_key_file(home: Home) -> None:
    key = make_key_file(home).value
    assert len(key) == 32
    assert find_key(home, {}).value == find_key(home, {"POSTKIT_KEY": ""}).value == key
    assert stat.S_IMODE(home.key_path.stat().st_mode) == 0o600
    assert Redactor.redact(f"<{home.key_path.read_text().strip()}>") == "<***>"


def test_key_files_differ_and_are_never_replaced(home: Home, tmp_path: Path) -> None:
    key = make_key_file(home).value
    with pytest.raises(VaultError, match="already; it is kept"):
        make_key_file(home)
    assert find_key(home, {}).value == key
    assert make_key_file(Home(tmp_path / "new")).value != key


def test_no_key_says_how_to_make_one(home: Home) -> None:
    with pytest.raises(NoKey) as caught:
        find_key(home, {})
    for remedy in ("postkit connect", "--make-key", "POSTKIT_KEY", MAKE_ONE):
        assert remedy in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"no_key_at_all", b"\xff" * 44, b"A" * 4000])
def test_a_damaged_key_file(home: Home, content: bytes) -> None:
    make_key_file(home)
    home.key_path.write_bytes(content)
    with pytest.raises(
        VaultError, match=r"key file .* is not 32 bytes in base64; restore"
    ) as caught:
        find_key(home, {})
    assert "no_key_at_all" not in str(caught.value)
    assert home.key_path.read_bytes() == content


def test_a_key_file_open_to_others(home: Home) -> None:
    make_key_file(home)
    home.key_path.chmod(0o644)
    with pytest.raises(VaultError, match=r"open to other users \(mode 644\); close it with"):
        find_key(home, {})


def test_a_key_file_that_cannot_be_written_leaves_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(VaultError, match=r"cannot be written \(No space left on device\)"):
            make_key_file(home)
    assert not home.key_path.exists()
