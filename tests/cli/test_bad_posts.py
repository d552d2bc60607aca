"""Posts that cannot be: each one gets one sentence, and nothing is sent."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .program import Program, command, states


@pytest.mark.parametrize(
    "given", [[], ["--text", ""], ["--text", "  \n "], [""], ["-"], ["--title", "Only a title"]]
)
def test_an_empty_post(mastodon: Program, given: list[str]) -> None:
    said = mastodon.fails(2, "publish", *given, "--to", "mastodon", stdin=b"")
    assert said.endswith("The post is empty: give it a text, a picture or a link.")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("form", ["text", "argument", "file", "stdin"])
def test_a_text_of_100000_characters(mastodon: Program, form: str) -> None:
    text = "Some words. " * 8_334
    Path("long.md").write_text(text, "utf-8")
    given = {"text": ["--text", text], "argument": [text], "file": ["long.md"], "stdin": ["-"]}
    said = mastodon.fails(
        1, "publish", *given[form], "--to", "mastodon", stdin=text.encode()
    )  # fmt: skip
    assert "more than 50 posts, the most that a thread has" in said
    assert said.endswith("Nothing was sent.")


def test_a_word_without_end(mastodon: Program) -> None:
    said = mastodon.fails(1, "publish", "--text", "a" * 100_000, "--to", "mastodon")
    assert "mastodon:mastodon: " in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\udcffb", "half of a surrogate pair (U+DCFF)"),
        ("a\ud83db", "half of a surrogate pair (U+D83D)"),
        ("a\x00b", "the control character U+0000"),
        ("a\x1b[2Jb", "the control character U+001B"),
        ("a\x7fb", "the control character U+007F"),
    ],
)
def test_surrogates_and_control_characters(mastodon: Program, text: str, said: str) -> None:
    for flag in ("--text", "--title", "--content-warning"):
        more = [] if flag == "--text" else ["--text", "Hi"]
        found = mastodon.fails(2, "publish", flag, text, *more, "--to", "mastodon")
        assert said in found
        assert "character 2" in found


def test_bytes_of_the_command_line_that_are_no_utf8(mastodon: Program) -> None:
    done = subprocess.run(
        [*command(["publish", "--to", "mastodon", "--json", "--text"]), b"caf\xe9"],
        capture_output=True, env=mastodon.environment(), check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"surrogate" in done.stdout
    assert b"Traceback" not in done.stderr
    assert mastodon.creates() == 0


# Files


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"caf\xe9", "UTF-8"),
        ("Hi".encode("utf-16"), "UTF-8"),
        (b"---\ntitle: [\n---\nHi", ":"),
        (b"---\ntitle: a\ntitle: b\n---\nHi", "twice"),
        (b"---\ntitle: &a x\nlink: *a\n---\nHi", "Aliases are not allowed"),
        (b"---\ntitle: " + b"[" * 100 + b"]" * 100 + b"\n---\nHi", "title"),
        (b"---\ntitle: " + b"{a: " * 100 + b"1" + b"}" * 100 + b"\n---\nHi", "title"),
        (b"---\ntitel: x\n---\nHi", "title"),
        (b"---\ntitle: x\nHi", "---"),
        (b"---\n- a\n---\nHi", ":"),
        (b"---\nto: [nowhere]\n---\nHi", "there is no network 'nowhere'"),
        (b"---\nnetworks: {mastadon: {text: x}}\n---\nHi", "mastodon"),
        (b"Hi\n\n![A cat](gone.jpg)\n", "gone.jpg"),
        (b"Hi\n\n![A cat](/etc/passwd)\n", "absolute path"),
        (b"Hi\n\n![A cat](../../secret.jpg)\n", "leaves the post's folder"),
        (b"Hi\n---\nmore", "2"),
    ],
)
def test_a_file_that_is_broken(mastodon: Program, content: bytes, said: str) -> None:
    Path("post.md").write_bytes(content)
    given = [] if b"to:" in content else ["--to", "mastodon"]
    found = mastodon.fails(2, "publish", "post.md", *given)
    assert said in found
    assert len(found) < 1_000
    assert "yaml" not in found.lower()


def test_every_problem_of_a_file_is_listed_with_its_line(mastodon: Program) -> None:
    Path("post.md").write_text(
        "---\ntitel: x\nlang: en\nlang: de\nmedia: [gone.jpg]\n---\nHi\n\n![x](also-gone.png)\n"
    )
    said = mastodon.fails(2, "publish", "post.md", "--to", "mastodon").splitlines()
    assert len(said) >= 4
    assert all(line.startswith("post.md:") for line in said)


@pytest.mark.parametrize("what", ["folder", "fifo", "socketless", "loop"])
def test_a_post_that_is_no_plain_file(mastodon: Program, what: str) -> None:
    path = Path("post.md")
    if what == "folder":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to("post.md")
    else:
        path.symlink_to("gone.md")
    said = mastodon.fails(2, "publish", "post.md", "--to", "mastodon")
    assert "post.md" in said
    assert len(said.splitlines()) == 1


def test_a_file_that_is_too_long(mastodon: Program) -> None:
    Path("post.md").write_bytes(b"word " * 1_000_000)
    said = mastodon.fails(2, "publish", "post.md", "--to", "mastodon")
    assert "post.md" in said
    again = mastodon.fails(2, "publish", "-", "--to", "mastodon", stdin=b"word " * 1_000_000)
    assert "standard input" in again


def test_a_file_name_that_is_too_long(mastodon: Program) -> None:
    said = mastodon.fails(2, "publish", "a" * 5_000 + ".md", "--to", "mastodon")
    assert "there is no such file" in said


# Where to


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("mastadon", "there is no network 'mastadon'. Did you mean 'mastodon'?"),
        ("mastodon:mastodn", "Did you mean 'mastodon'? Connected: mastodon:mastodon."),
        ("reddit", "no account is connected; run `postkit connect reddit`."),
        ("mastodon/python", "mastodon takes no target; write mastodon:mastodon."),
        ("@lanch", "There is no group @lanch. Did you mean 'launch'?"),
        ("mastodon:", "is no address; write network, network:account or network:account/target."),
        (":mastodon", "is no address"),
        ("/x", "is no address"),
        ("a b", "is no address"),
    ],
)
def test_an_address_that_is_none(mastodon: Program, to: str, said: str) -> None:
    mastodon.settle('[groups]\nlaunch = ["mastodon"]\n')
    assert said in mastodon.fails(2, "publish", "Hi", "--to", to)


def test_a_target_that_is_needed_or_wrong(postkit: Program) -> None:
    postkit.connect("reddit")
    assert "reddit:reddit needs a " in postkit.fails(2, "publish", "Hi", "--to", "reddit")
    said = postkit.fails(2, "publish", "Hi", "--to", "reddit/no such place")
    assert said.startswith("reddit:reddit/no such place: ")


def test_all_wrong_addresses_are_named_at_once(mastodon: Program) -> None:
    to = "mastadon,reddit,mastodon:b,mastodon/c,@nobody"
    said = mastodon.fails(2, "publish", "Hi", "--to", to).splitlines()
    assert len([line for line in said if not line.startswith("  ")]) == 5


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("[groups\n", "postkit.toml: line 1"),
        ("defautl = ['mastodon']\n", "Did you mean 'default'?"),
        (
            "[networks.mastodon]\naccess_token = 'abcdefgh'\n",
            "a secret does not belong in this file",
        ),
        ("[networks.mastodon]\nread_timeout = -1\n", "read_timeout must be seconds above 0"),
        ("[networks.mastodon]\nquiet = 'long'\n", "quiet must be seconds above 0"),
        ("[networks.mastodon]\nread_timout = 1\n", "Did you mean 'read_timeout'?"),
        ("default = 'mastodon'\n", "default"),
        ("[groups]\na = ['@a']\n", "groups.a"),
    ],
)
def test_settings_that_are_wrong(mastodon: Program, settings: str, said: str) -> None:
    mastodon.settle(settings)
    result = mastodon("publish", "Hi", "--to", "mastodon")
    assert result.status == 2, result
    assert said in result.err
    assert "abcdefgh" not in result.err
    assert mastodon.creates() == 0


def test_what_was_refused_is_accepted_once_it_is_right(mastodon: Program) -> None:
    mastodon.fails(2, "publish", "Hi", "--to", "mastadon")
    result = mastodon("publish", "Hi", "--to", "mastodon", "--json")
    assert states(result.report) == {"mastodon": "live"}
