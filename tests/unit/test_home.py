from __future__ import annotations

import stat
from pathlib import Path

import platformdirs
import pytest

from postkit.errors import InputError, PostkitError
from postkit.home import Home


def test_names_its_files(tmp_path: Path) -> None:
    home = Home.resolve(environ={"POSTKIT_HOME": str(tmp_path)})
    assert {
        home.config_path: "postkit.toml",
        home.store_path: "postkit.db",
        home.media_path: "media",
        home.vault_path: "vault",
        home.key_path: "key",
    } == {tmp_path / name: name for name in ("postkit.toml", "postkit.db", "media", "vault", "key")}


def test_the_platforms_folder_without_a_variable() -> None:
    expected = platformdirs.user_data_path("postkit", appauthor=False)
    assert Home.resolve(environ={}).path == expected
    assert Home.resolve(environ={"POSTKIT_HOME": ""}).path == expected


def test_an_argument_wins_and_paths_become_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    environ = {"POSTKIT_HOME": "~/posts", "POSTKIT_STORE": "other.db"}
    assert Home.resolve(environ=environ) == Home(tmp_path / "me/posts", tmp_path / "other.db")
    assert Home.resolve("here", environ).path == tmp_path / "here"
    assert Home.resolve(environ=environ).store_path == tmp_path / "other.db"


def test_the_process_environment_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTKIT_HOME", str(tmp_path / "env"))
    monkeypatch.delenv("POSTKIT_STORE", raising=False)
    assert Home.resolve() == Home(tmp_path / "env")


def test_a_store_elsewhere_is_refused_without_its_password() -> None:
    with pytest.raises(InputError, match="POSTKIT_STORE: a store at postgresql://") as caught:
        Home.resolve(environ={"POSTKIT_STORE": "postgresql://me:pk_canary@h/db"})
    assert "canary" not in str(caught.value)


def test_ensure_creates_a_closed_folder_and_keeps_an_old_one(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "b")
    assert home.ensure() is home
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    home.path.chmod(0o755)
    home.ensure()
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o755


@pytest.mark.parametrize("below", ["file", "file/home"])
def test_a_file_in_the_way_is_one_sentence(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PostkitError, match=r"cannot be created .* name another folder"):
        Home(tmp_path / below).ensure()
