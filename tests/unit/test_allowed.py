"""The list of plugins that somebody has enabled."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from postkit.allowed import Allowed, allow, forbid, from_environment
from postkit.errors import PluginError
from postkit.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def read(home: Home) -> Allowed:
    return Allowed.read(home, environ={})


def test_nothing_is_allowed_and_nothing_made_before_somebody_enables(home: Home) -> None:
    assert read(home) == Allowed(frozenset())
    assert not forbid(home, "one")
    assert not home.path.exists()


def test_what_is_enabled_stays_enabled_until_it_is_disabled(home: Home) -> None:
    assert allow(home, "Post_Kit.Chat")
    assert not allow(home, "post-kit-chat")
    assert allow(home, "other")
    assert read(home).names == {"post-kit-chat", "other"}
    assert forbid(home, "POST-KIT-CHAT")
    assert not forbid(home, "post-kit-chat")
    assert read(home).names == {"other"}


def test_the_file_is_for_its_owner(home: Home) -> None:
    allow(home, "one")
    path = home.path / "plugins.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_bytes()) == {"enabled": ["one"]}


def test_many_at_once_lose_nothing(home: Home) -> None:
    names = [f"plugin-{number}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: allow(home, name), names))
        assert read(home).names == set(names)
        list(pool.map(lambda name: forbid(home, name), names[::2]))
    assert read(home).names == set(names[1::2])


def test_a_file_cut_at_every_byte_enables_nothing_and_is_not_written_over(home: Home) -> None:
    allow(home, "one")
    path = home.path / "plugins.json"
    whole = path.read_bytes()
    for length in range(len(whole.rstrip())):
        path.write_bytes(whole[:length])
        found = read(home)
        assert not found.names
        assert str(path) in found.problem
        with pytest.raises(PluginError, match="cannot be read"):
            allow(home, "two")
        assert path.read_bytes() == whole[:length]


def test_a_folder_that_cannot_be_written_is_told(home: Home) -> None:
    home.ensure()
    (home.path / "plugins.json.lock").mkdir()
    with pytest.raises(PluginError, match=r"plugins\.json\.lock"):
        allow(home, "one")


@pytest.mark.parametrize("text", ["", ",", " , "])
def test_an_empty_variable_enables_nothing(text: str) -> None:
    assert from_environment({"POSTKIT_PLUGINS": text}) == frozenset()


def test_the_variable_adds_to_the_list(home: Home) -> None:
    allow(home, "one")
    given = {"POSTKIT_PLUGINS": "two, T_hree"}
    assert Allowed.read(home, environ=given).names == {"one", "two", "t-hree"}
