from __future__ import annotations

import os
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from postkit.config import Config, parse_config, read_config
from postkit.errors import InputError, UnknownName
from postkit.suggest import did_you_mean

WHOLE = """
default = ["one", "@launch"]

[groups]
launch = ["one:acme", "two:acme/Some Board", "one"]

[networks.one]
version = "v26.0"
timeouts = {connect = 5, read = 30.5}
options = {flair = "News", tags = ["a", {b = 1}]}

[accounts."one:acme"]
quiet = 30
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        parse_config(text)
    return caught.value.problems


def test_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "postkit.toml"
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())
    config = read_config(path)
    assert config.groups == {"launch": ("one:acme", "two:acme/Some Board", "one")}
    assert config.group("launch") == config.groups["launch"]
    assert config.default == ("one", "one:acme", "two:acme/Some Board")
    assert config.network("one")["version"] == "v26.0"
    assert config.network("one")["timeouts"] == {"connect": 5, "read": 30.5}
    assert config.network("one")["options"] == {"flair": "News", "tags": ("a", {"b": 1})}
    assert config.account("one:acme") == {"quiet": 30}
    assert config.network("two") == config.account("two:b") == {}


def test_nothing_can_be_changed() -> None:
    config = parse_config(WHOLE)
    with pytest.raises(FrozenInstanceError):
        config.default = ()  # type: ignore[misc]
    for mapping in (config.groups, config.network("one"), config.network("one")["options"]):
        with pytest.raises(TypeError):
            mapping["new"] = 1  # type: ignore[index]


def test_no_file_and_an_empty_file_are_no_settings(tmp_path: Path) -> None:
    assert read_config(tmp_path / "postkit.toml") == Config() == parse_config("")


def test_every_problem_at_once() -> None:
    found = problems(
        """
        group = 1
        default = ["@lunch", "one two"]
        [groups]
        launch = "one"
        mixed = ["one", 5, "one", "@launch", ""]
        empty = []
        "a b" = ["one"]
        [networks]
        one = "v26"
        two.options = 3
        [accounts.acme]
        quiet = 1
        """
    )
    assert found == (
        "postkit.toml: group: not a known setting. Did you mean 'groups'?",
        "postkit.toml: groups.launch: must be a list of addresses, not a text.",
        "postkit.toml: groups.mixed: entry 2 must be an address in quotes, not a number.",
        "postkit.toml: groups.mixed: 'one' occurs twice.",
        "postkit.toml: groups.mixed: '@launch' is a group; a group holds addresses, "
        "list them instead.",
        "postkit.toml: groups.mixed: '' is not an address; write network[:account][/target].",
        "postkit.toml: groups.empty: is empty; name at least one address or remove the group.",
        "postkit.toml: groups.a b: a group's name has letters, digits, '-', '_' and '.' only.",
        "postkit.toml: default: there is no group @lunch. Did you mean 'launch'?",
        "postkit.toml: default: 'one two' is not an address; write network[:account][/target].",
        "postkit.toml: networks.one: must be a table, not a text.",
        "postkit.toml: networks.two.options: must be a table, not a number.",
        'postkit.toml: accounts.acme: not an account; write [accounts."network:name"].',
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [("1", "a number"), ("1.5", "a number"), ("true", "true or false"), ("2026-11-23", "a date")],
)
def test_tables_and_lists_are_asked_for(text: str, kind: str) -> None:
    assert problems(f"groups = {text}")[0].startswith(
        f"postkit.toml: groups: must be a table, not {kind}"
    )
    assert problems(f"default = {text}")[0].startswith(
        f"postkit.toml: default: must be a list of addresses, not {kind}"
    )


def test_an_unknown_setting_far_from_all_lists_them() -> None:
    assert problems("zzz = 1") == (
        "postkit.toml: zzz: not a known setting. Known are: accounts, default, groups, networks.",
    )


def test_secrets_are_refused_and_not_shown() -> None:
    found = problems(
        '[accounts."one:acme"]\naccess_token = "pk_canary_1"\n'
        '[networks.one.options]\nlist = [{password = "pk_canary_2"}]\n'
    )
    assert [problem.split(": ")[1] for problem in found] == [
        "networks.one.options.list.password",
        "accounts.one:acme.access_token",
    ]
    assert all("give it to `postkit connect`" in problem for problem in found)
    assert "canary" not in "".join(found)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a = 1\nb = \n", "postkit.toml: line 2, column 5: "),
        ("a = 1\na = 2\n", "postkit.toml: line 2, "),
        ("a = 1\nb = [1,\n", "postkit.toml: line 2: "),
        ("[accounts.one:acme]\n", "postkit.toml: line 1, column 14: "),
        ("a = " + "[" * 5000, "postkit.toml: "),
    ],
)
def test_syntax_errors_name_the_line(text: str, start: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(start)
    assert ("needs quotes" in problem) == ("accounts" in text)


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "postkit.toml"
    path.write_bytes(b"# fine\n# caf\xe9\n")
    with pytest.raises(InputError, match=r"postkit.toml: line 2: not UTF-8"):
        read_config(path)


def test_no_plain_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no plain file"):
        read_config(tmp_path)
    os.mkfifo(tmp_path / "postkit.toml")
    with pytest.raises(InputError, match="is no plain file"):
        read_config(tmp_path / "postkit.toml")


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "postkit.toml").write_text("")

    def denied(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        read_config(tmp_path / "postkit.toml")


def test_an_unknown_group() -> None:
    config = parse_config(WHOLE)
    with pytest.raises(UnknownName, match=r"no group @Lanch .*Did you mean 'launch'\?"):
        config.group("Lanch")
    with pytest.raises(UnknownName, match=r"Groups: launch\."):
        config.group("zzz")
    with pytest.raises(UnknownName, match=r"in postkit.toml\.$"):
        Config().group("zzz")


def test_did_you_mean() -> None:
    assert did_you_mean("lauch", ["launch", "other"]) == " Did you mean 'launch'?"
    assert did_you_mean("LAUNCH", iter(["Launch"])) == " Did you mean 'Launch'?"
    assert did_you_mean("zzz", ["launch"]) == ""
    assert did_you_mean("zzz", []) == ""
