"""Plugins are code: what others publish is not imported before somebody has enabled it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from .planted import ENABLE, Planted, plant, rows, run
from .program import Program

LOOKS: list[list[str]] = [
    [],
    ["--help"],
    ["--version"],
    ["plugins"],
    ["plugins", "--load", "--json"],
    ["networks"],
    ["networks", "chat"],
    ["accounts"],
    ["connect", "chat", "--credential", "token=env:HOME"],
    ["publish", "Hi", "--to", "chat"],
    ["publish", "Hi", "--to", "chat", "--emulate"],
    ["publish", "Hi", "--to", "mastodon", "--emulate"],
    ["preview", "--text", "Hi", "--to", "chat", "--json"],
    ["guarantees"],
    ["emulate", "--help"],
    ["demo", "--json"],
    ["queue"],
    ["list"],
    ["completion", "bash"],
    ["shout"],
]


@pytest.mark.parametrize("arguments", LOOKS, ids=" ".join)
def test_no_command_imports_what_is_not_enabled(
    postkit: Program, planted: Planted, arguments: list[str]
) -> None:
    run(postkit, planted, *arguments)
    assert planted.ran == []


@pytest.mark.parametrize(
    ("arguments", "modules"),
    [
        (["--help"], ["quill_chat.hooks"]),
        (["networks", "mastodon"], ["quill_chat.hooks"]),
        (["networks", "chat"], ["quill_chat.hooks", "quill_chat.plugin"]),
        (["shout"], ["quill_chat.hooks"]),
        (["publish", "Hi", "--to", "chat", "--emulate"],
         ["quill_chat.emulator", "quill_chat.hooks", "quill_chat.plugin"]),
    ],
    ids=lambda words: " ".join(words),
)  # fmt: skip
def test_what_is_enabled_is_imported_where_it_is_needed(
    postkit: Program, planted: Planted, arguments: list[str], modules: list[str]
) -> None:
    assert run(postkit, planted, "plugins", "enable", "quill-chat", "--yes").status == 0
    assert planted.ran == []
    result = run(postkit, planted, *arguments)
    assert result.status == 0, result
    assert planted.ran == modules
    if arguments == ["shout"]:
        assert result.out == "HELLO\n"


def test_what_is_disabled_is_not_imported_any_more(postkit: Program, planted: Planted) -> None:
    assert run(postkit, planted, "plugins", "enable", "chat", "--yes", "--json").json == {
        "enabled": "quill-chat",
        "version": "1.2.3",
    }
    assert run(postkit, planted, "networks", "chat").status == 0
    assert planted.ran
    assert run(postkit, planted, "plugins", "disable", "chat").out.startswith(
        "Disabled quill-chat."
    )
    refused = run(postkit, planted, "networks", "chat")
    assert refused.status == 1
    assert refused.errors == [
        "error: The network 'chat' is of the plugin quill-chat 1.2.3, which is not enabled: "
        f"run {ENABLE}."
    ]
    assert planted.ran == []
    twice = run(postkit, planted, "plugins", "disable", "chat")
    assert (twice.status, twice.errors) == (2, ["error: quill-chat is not enabled."])


def test_it_is_listed_with_the_command_that_enables_it(postkit: Program, planted: Planted) -> None:
    result = run(postkit, planted, "plugins", "--json")
    assert result.status == 0
    listed = rows(result)
    for key in (("networks", "chat"), ("emulators", "chat"), ("plugins", "shout")):
        row = listed["quill-chat", *key]
        assert (row["state"], row["reason"]) == ("not_enabled", f"Its code runs after {ENABLE}.")
    assert listed["postkit-social", "networks", "mastodon"]["state"] == "available"
    assert "chat\tnetworks\tnot enabled\tquill-chat 1.2.3" in run(postkit, planted, "plugins").out
    table = {
        row["name"]: row["error"]
        for row in run(postkit, planted, "networks", "--json").json["networks"]
    }
    assert ENABLE in table["chat"]
    assert table["mastodon"] is None
    assert planted.ran == []


def test_a_variable_enables_in_a_container(postkit: Program, planted: Planted) -> None:
    more = {"POSTKIT_PLUGINS": " other , Quill_Chat"}
    assert run(postkit, planted, "networks", "chat", **more).status == 0
    assert planted.ran == ["quill_chat.hooks", "quill_chat.plugin"]
    result = run(postkit, planted, "publish", "Hi", "--to", "chat", "--emulate", **more)
    assert result.status == 0, result
    said = run(postkit, planted, "plugins", "disable", "quill-chat", **more)
    assert (said.status, said.errors) == (
        2,
        ["error: quill-chat is enabled by POSTKIT_PLUGINS: take it out of that variable."],
    )
    # The name of a network is anybody's to claim: it enables nothing here.
    planted.mark.unlink()
    assert run(postkit, planted, "networks", "chat", POSTKIT_PLUGINS="chat").status == 1
    assert planted.ran == []


def test_an_editable_install_is_enabled_like_any_other(postkit: Program, planted: Planted) -> None:
    origin = {"url": "file:///home/quill/chat", "dir_info": {"editable": True}}
    (planted.info / "direct_url.json").write_text(json.dumps(origin), "utf-8")
    assert run(postkit, planted, "networks", "chat").status == 1
    assert planted.ran == []
    said = run(postkit, planted, "plugins", "enable", "quill-chat", "--yes").err
    assert "its code is in file:///home/quill/chat, and may change at any time" in said
    assert run(postkit, planted, "networks", "chat").status == 0


# What is said before


def test_who_it_is_of_and_that_python_is_no_sandbox(postkit: Program, planted: Planted) -> None:
    said = run(postkit, planted, "plugins", "enable", "quill-chat", "--yes").err
    for words in (
        "quill-chat 1.2.3 says of itself",
        "author: Quill and Sons",
        "maintainer: mail@quill.example",
        "homepage: https://quill.example/chat",
        "networks: chat",
        "emulators: chat",
        "hooks, at every command: shout",
        "Python is no sandbox",
        "the secrets of all accounts",
    ):
        assert words in said
    assert planted.ran == []


def test_without_a_terminal_nobody_is_asked(postkit: Program, planted: Planted) -> None:
    refused = run(postkit, planted, "plugins", "enable", "chat")
    assert refused.status == 2
    [said] = refused.errors
    assert "`postkit plugins enable quill-chat --yes`" in said
    assert not postkit.home.exists()


def on_a_terminal(
    postkit: Program, planted: Planted, answer: str, *arguments: str
) -> tuple[int, str]:
    """Exit status and what was shown, where a person answers the first question."""
    main, side = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "postkit", *arguments],
        stdin=side, stdout=side, stderr=side, close_fds=True,
        env=postkit.environment(PYTHONPATH=planted.path, TERM="dumb", POSTKIT_PLUGINS=""),
    ) as process:  # fmt: skip
        os.close(side)
        shown = b""
        while True:
            try:
                piece = os.read(main, 65_536)
            except OSError:  # the program has ended
                break
            shown += piece
            if answer and b"Enable quill-chat?" in shown:
                os.write(main, answer.encode())
                answer = ""
        os.close(main)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def test_a_terminal_is_asked(postkit: Program, planted: Planted) -> None:
    command = ("plugins", "enable", "chat")
    status, shown = on_a_terminal(postkit, planted, "n\n", *command)
    assert status == 1
    assert "Python is no sandbox" in shown
    assert "Not enabled." in shown
    assert run(postkit, planted, "networks", "chat").status == 1
    status, shown = on_a_terminal(postkit, planted, "y\n", *command)
    assert (status, planted.ran) == (0, [])
    assert "Enabled quill-chat 1.2.3." in shown
    assert run(postkit, planted, "networks", "chat").status == 0


@pytest.mark.parametrize(
    "command",
    [["networks", "chat"], ["publish", "Hi", "--to", "chat", "--emulate"]],
    ids=lambda words: words[0],
)
def test_naming_a_network_asks_once(postkit: Program, planted: Planted, command: list[str]) -> None:
    status, shown = on_a_terminal(postkit, planted, "n\n", *command)
    assert (status, planted.ran) == (1, [])
    assert ENABLE in shown
    status, shown = on_a_terminal(postkit, planted, "y\n", *command)
    assert status == 0, shown
    assert planted.ran
    status, shown = on_a_terminal(postkit, planted, "", *command)
    assert status == 0
    assert "Enable quill-chat?" not in shown


def test_a_connected_account_of_a_disabled_plugin_says_what_to_do(
    postkit: Program, planted: Planted
) -> None:
    run(postkit, planted, "plugins", "enable", "chat", "--yes")
    given = ("connect", "chat", "--credential", "access_token=pk_canary_of_chat", "--endpoint")
    connected = run(postkit, planted, *given, "http://127.0.0.1:9")
    assert connected.status == 0, connected
    run(postkit, planted, "plugins", "disable", "chat")
    planted.mark.unlink()
    refused = run(postkit, planted, "publish", "Hi", "--to", "chat")
    assert refused.status == 1
    assert ENABLE in "".join(refused.errors)
    status, shown = on_a_terminal(
        postkit, planted, "y\n", "publish", "Hi", "--to", "chat", "--dry-run"
    )
    assert status == 0, shown


def test_words_of_a_publisher_are_not_obeyed_by_a_terminal(
    postkit: Program, planted: Planted
) -> None:
    text = (planted.info / "METADATA").read_text("utf-8")
    evil = text.replace("Quill and Sons", "\x1b[2J\u202egood" + "x" * 10_000)
    (planted.info / "METADATA").write_text(evil, "utf-8")
    said = run(postkit, planted, "plugins", "enable", "chat", "--yes")
    assert said.status == 0
    assert not {"\x1b", "\u202e"} & set(said.out + said.err)
    assert len(said.err) < 2_000


# Names


def test_two_that_are_not_enabled_are_both_named(
    postkit: Program, planted: Planted, tmp_path: Path
) -> None:
    other = plant(tmp_path, "rival-chat")
    refused = run(postkit, planted, "networks", "chat")
    assert "quill-chat 1.2.3 or rival-chat 1.2.3" in refused.err
    several = run(postkit, planted, "plugins", "enable", "chat", "--yes")
    assert several.status == 2
    assert "name one of quill-chat 1.2.3, rival-chat 1.2.3" in several.err
    assert planted.ran == other.ran == []
    assert run(postkit, planted, "plugins", "enable", "rival-chat", "--yes").status == 0
    assert run(postkit, planted, "networks", "chat").status == 0
    assert (planted.ran, other.ran) == ([], ["rival_chat.hooks", "rival_chat.plugin"])
    run(postkit, planted, "plugins", "enable", "quill-chat", "--yes")
    both = run(postkit, planted, "networks", "chat")
    assert both.status == 1
    assert "Two plugins are named 'chat'" in both.err
    assert planted.ran == other.ran == []


def test_a_stranger_takes_no_network_of_postkit(postkit: Program, tmp_path: Path) -> None:
    planted = plant(tmp_path, "quill-chat", "mastodon", hooks=False)
    assert run(postkit, planted, "networks", "mastodon").status == 0
    assert run(postkit, planted, "publish", "Hi", "--to", "mastodon", "--emulate").status == 0
    own = run(postkit, planted, "plugins", "enable", "mastodon", "--yes")
    assert (own.status, own.errors) == (
        2,
        ["error: mastodon is a part of postkit; it is always enabled."],
    )
    assert planted.ran == []


@pytest.mark.parametrize("spelling", ["Quill.Chat", "quill_chat", "QUILL-CHAT"])
def test_a_name_in_any_spelling(postkit: Program, planted: Planted, spelling: str) -> None:
    assert run(postkit, planted, "plugins", "enable", spelling, "--yes").status == 0
    again = run(postkit, planted, "plugins", "enable", spelling)
    assert again.out == "quill-chat is enabled already.\n"
    assert run(postkit, planted, "networks", "chat").status == 0


def test_names_that_are_nobodys(postkit: Program, planted: Planted) -> None:
    for command in ("enable", "disable"):
        said = run(postkit, planted, "plugins", command, "quil-chat")
        assert said.status == 2
        assert "Did you mean 'quill-chat'?" in said.err
    assert "Did you mean 'enable'?" in run(postkit, planted, "plugins", "enabel", "x").err
    assert run(postkit, planted, "plugins", "disable", "postkit-social").status == 2
