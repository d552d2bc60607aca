"""Bytes that are no text, wherever one is asked for: a sentence, and nothing is changed."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.types import StringParamType

from postkit.cli.main import COMMANDS, cli
from postkit.testing.pictures import picture

from .program import Program

BAD = "a\udcff"
"""As the system hands over the byte 0xff."""
HALF = r"character 2 is half of a surrogate pair (U+DCFF): these bytes are no text in UTF-8."


@pytest.mark.parametrize(
    "given",
    [
        ["show", BAD],
        ["finish", BAD],
        ["cancel", BAD],
        ["edit", BAD, "--text", "x"],
        ["resolve", BAD, "--resend"],
        ["resolve", "d_1", "--is-live", BAD],
        ["reschedule", BAD, "--at", "in 2h"],
        ["reschedule", "d_1", "--at", "in 2h", "--zone", BAD],
        ["release", BAD],
        ["delete", BAD, "--yes"],
        ["pause", BAD],
        ["pause", "mastodon", BAD],
        ["unpause", BAD],
        ["publish", "Hi", "--to", BAD],
        ["publish", "Hi", "--to", "mastodon", "--once", BAD],
        ["publish", "Hi", "--to", "mastodon", "--alt", BAD],
        ["publish", "Hi", "--to", "mastodon", "--set", BAD],
        ["networks", BAD],
        ["accounts", "remove", BAD],
        ["connect", "mastodon", "--name", BAD],
    ],
    ids=" ".join,
)
def test_a_sentence_and_status_2(mastodon: Program, given: list[str]) -> None:
    assert HALF in mastodon.fails(2, *given)


@pytest.mark.parametrize("given", [["--endpoint", "https://a.example"], []])
def test_a_credential(postkit: Program, given: list[str]) -> None:
    said = postkit.fails(2, "connect", "mastodon", *given, "--credential", f"access_token={BAD}")
    assert said == "--credential access_token: its value is no text in UTF-8."


def every_command() -> list[click.Command]:
    with click.Context(cli) as context:
        return [command for name in COMMANDS if (command := cli.get_command(context, name))]


def test_no_command_takes_text_that_nobody_has_looked_at() -> None:
    commands = every_command()
    for command in commands:
        commands += command.commands.values() if isinstance(command, click.Group) else ()
    left = [
        f"{command.name} {param.name}"
        for command in commands
        for param in command.params
        if type(param.type) is StringParamType
    ]
    assert len(commands) > len(COMMANDS)
    assert left == []


# What must work whatever the bytes are


def test_a_reason_keeps_nobody_from_pausing(mastodon: Program) -> None:
    result = mastodon("pause", "--all", "--reason", "f\udcfcr \ud83d heute")
    assert result.status == 0
    assert "paused  everything  (f?r ? heute)" in result.out
    assert mastodon("publish", "Hi", "--to", "mastodon").status == 4
    assert mastodon.creates() == 0


def test_files_are_called_what_they_are_called(mastodon: Program, tmp_path: Path) -> None:
    post = tmp_path / "caf\udce9.md"
    post.write_text("Hello\n")
    report = mastodon("publish", post, "--to", "mastodon", "--json")
    assert report.status == 0, report
    assert mastodon.texts("mastodon") == ["Hello"]
    said = mastodon("publish", post, "--to", "mastodon", "--json")
    assert said.status != 0, "the same file, by its name"


def test_a_picture_is_called_what_it_is_called(mastodon: Program, tmp_path: Path) -> None:
    from PIL import Image

    picture = tmp_path / "p\udcff.png"
    with picture.open("wb") as file:
        Image.new("RGB", (8, 8)).save(file, "PNG")
    given = ["--media", str(picture), "--alt", "A square"]
    result = mastodon("publish", "Hi", *given, "--to", "mastodon", "--json")
    assert result.status == 0, result
    assert mastodon("show", result.report["publication"]).status == 0


FORGED = "a.jpg\n    lost     text: FORGED\n.jpg"
TURNED = "we\u2028ird \u202egpj\u2066.\x1b[31m\u200fjpg"


@pytest.mark.parametrize("name", [FORGED, TURNED])
def test_a_name_forges_no_line_of_a_report(mastodon: Program, name: str) -> None:
    Path(name).write_bytes(picture(1, (64, 48), "JPEG"))
    mastodon.connect("reddit")
    given = ("Hi", "--media", name, "--alt", "A cat", "--title", "T")
    places = ("--to", "mastodon", "--to", "reddit/postkit_test")
    shown = mastodon("publish", *given, *places, "--dry-run")
    planned = mastodon("publish", *given, *places, "--dry-run", "--json").report
    sent = mastodon("publish", *given, *places)
    assert (shown.status, sent.status) == (0, 0), (shown, sent)
    uploaded = planned["deliveries"][0]["parts"][0]["media"][0]["name"]
    for said in (shown.out, sent.out, mastodon("list").out, uploaded):
        assert not set(said) & set("\u2028\u202e\u2066\x1b\u200f")
        assert not [line for line in said.splitlines() if line.strip().startswith("lost     text")]
    assert uploaded in shown.out
    assert "\n" not in uploaded


@pytest.mark.parametrize("name", [FORGED, TURNED])
def test_a_name_of_nothing_forges_no_error(mastodon: Program, name: str) -> None:
    said = mastodon("publish", "Hi", "--media", name, "--to", "mastodon")
    assert said.status == 2
    assert len(said.err.splitlines()) == 1, said.err
    assert not set(said.err) & set("\u2028\u202e\u2066\x1b")
    assert "there is no such file" in said.err


def test_an_alt_text_forges_no_line_either(mastodon: Program) -> None:
    Path("cat.jpg").write_bytes(picture(1, (64, 48), "JPEG"))
    mastodon.connect("reddit")
    alt = "A cat\n    lost     text: FORGED"
    place = "reddit/postkit_test"
    given = ("Hi", "--media", "cat.jpg", "--alt", alt, "--title", "T", "--to", place)
    for more in (("--dry-run",), ()):
        said = mastodon("publish", *given, *more)
        assert said.status == 0, said
        assert r"A cat\n    lost     text: FORGED" in said.out
        assert not [x for x in said.out.splitlines() if x.strip().startswith("lost     text")]
