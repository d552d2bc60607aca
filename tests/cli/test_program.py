"""The program as a whole: help, versions, colours, completion, defects."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from postkit.cli.main import COMMANDS

from .program import Program, Result


def test_alone_it_says_what_to_do_next(postkit: Program) -> None:
    first = postkit()
    assert first.status == 0
    for words in ("No account is connected yet. Next:", "postkit demo", "postkit connect NETWORK"):
        assert words in first.out
    assert not postkit.home.exists()
    postkit.connect("mastodon")
    second = postkit()
    assert "Connected: mastodon:mastodon." in second.out
    assert 'postkit publish --text "Hello" --to mastodon:mastodon --dry-run' in second.out
    postkit("publish", "Hi", "--to", "mastodon")
    assert "(mastodon:mastodon live)" in postkit().out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(postkit: Program, command: str) -> None:
    result = postkit(command, "--help")
    assert result.status == 0
    assert result.out.startswith(f"Usage: postkit {command}")
    assert all(len(line) <= 80 for line in result.out.splitlines())


def test_the_help_lists_every_command_and_the_exit_statuses(postkit: Program) -> None:
    result = postkit("--help")
    for name, summary in COMMANDS.items():
        assert f"  {name}" in result.out
        assert summary in result.out
    for status in ("0 done", "2 usage", "3 uncertain", "4 held", "70 defect", "75 not"):
        assert status in " ".join(result.out.split())


def test_the_version(postkit: Program) -> None:
    assert postkit.process("--version").out == f"postkit {version('postkit-social')}\n"


def test_help_loads_nothing_heavy(postkit: Program) -> None:
    code = (
        "import sys; sys.argv = ['postkit', '--help']\n"
        "from postkit.cli.main import run\n"
        "run(['--help'])\n"
        "heavy = 'requests PIL starlette uvicorn sqlite3 rich cryptography tenacity regex tweepy'\n"
        "print([name for name in heavy.split() if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["publsh"], "There is no command 'publsh'. Did you mean 'publish'?"),
        (["accounts", "lst"], "There is no command 'accounts lst'. Did you mean 'list'?"),
        (["publish", "--dryrun"], "There is no option --dryrun. Did you mean '--dry-run'?"),
        (["show"], "Missing argument 'ID'."),
        (["publish", "a", "b"], "Got unexpected extra argument (b)"),
        (["list", "--count", "0"], "0 is not in the range 1<=x<=1000"),
        (["completion", "tcsh"], "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
    ],
)
def test_usage(postkit: Program, given: list[str], said: str) -> None:
    assert said in postkit.fails(2, *given)


def test_json_of_a_wrong_usage_is_json(postkit: Program) -> None:
    result = postkit("publish", "--dryrun", "--json")
    assert result.status == 2
    assert result.report["error"]["kind"] == "usage"


# Output


@pytest.mark.parametrize("given", [["networks"], ["networks", "mastodon"], ["--help"], ["accounts"],
                                   ["plugins", "--load"], []])  # fmt: skip
def test_a_pipe_gets_no_escape_codes(mastodon: Program, given: list[str]) -> None:
    result = mastodon.process(*given, FORCE_COLOR="", TERM="xterm-256color")
    assert result.status == 0, result.err
    assert "\x1b" not in result.out + result.err


def terminal(program: Program, *arguments: str, **variables: str) -> str:
    """What a terminal of 80 columns is sent."""
    import fcntl
    import pty
    import struct
    import termios

    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "postkit", *arguments],
        stdin=subprocess.DEVNULL, stdout=side, stderr=side, close_fds=True,
        env=program.environment(TERM="xterm-256color", COLUMNS="", **variables),
    )  # fmt: skip
    os.close(side)
    sent = b""
    while True:
        try:
            piece = os.read(main, 65_536)
        except OSError:
            break
        if not piece:
            break
        sent += piece
    os.close(main)
    process.wait()
    return sent.decode()


def test_a_terminal_gets_colours_and_whole_links(mastodon: Program) -> None:
    sent = terminal(mastodon, "publish", "Hi", "--to", "mastodon", "--title", "A title " * 12)
    [post] = mastodon.server.posts("mastodon")
    assert f"    {post.url}\r\n" in sent
    assert "\x1b[32m✓" in sent
    block = sent[sent.index("✓") :].splitlines()
    assert all(len(line) <= 80 for line in block[1:] if "http" not in line)
    assert any(line.startswith(" " * 13) for line in block)


def test_no_color(mastodon: Program) -> None:
    sent = terminal(mastodon, "accounts", NO_COLOR="1")
    assert "mastodon:mastodon" in sent
    assert "\x1b" not in sent
    assert "\x1b[1m" in terminal(mastodon, "accounts")


def test_a_terminal_that_knows_ascii_only(mastodon: Program) -> None:
    result = mastodon.process(
        "publish", "Grüße 🚀", "--to", "mastodon", PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )
    assert result.status == 0, result.err
    assert mastodon.texts() == ["Grüße 🚀"]
    told = mastodon.process("list", "--json", PYTHONIOENCODING="ascii")
    assert told.json["publications"][0]["deliveries"][0]["state"] == "live"


def test_a_reader_that_goes_away(mastodon: Program) -> None:
    process = mastodon.start("networks", "mastodon")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.wait(20)


# Completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(postkit: Program, shell: str) -> None:
    script = postkit("completion", shell)
    assert script.status == 0
    assert "_POSTKIT_COMPLETE" in script.out
    found = completed(postkit, shell, "postkit pu", "1")
    assert "publish" in found.out
    assert "resolve" not in found.out
    assert "--dry-run" in completed(postkit, shell, "postkit publish --dry", "2").out


def completed(program: Program, shell: str, words: str, place: str) -> Result:
    """What the shell is offered for the last of these words."""
    return program.process(
        _POSTKIT_COMPLETE=f"{shell}_complete",
        COMP_WORDS=words,
        COMP_CWORD=words.split()[-1] if shell == "fish" else place,
    )


# Defects


def test_a_traceback_is_shown_with_debug_alone(mastodon: Program) -> None:
    for given in (["show", "p_1"], ["accounts", "remove", "mastodon:no"]):
        quiet = mastodon.process(*given)
        assert "Traceback" not in quiet.err
        for loud in (["--debug", *given], [*given, "--debug"]):
            result = mastodon.process(*loud)
            assert result.status == quiet.status == 2
            assert "Traceback (most recent call last)" in result.err
            assert result.err.endswith(quiet.err)


def test_a_defect_ends_with_70_and_one_sentence(
    mastodon: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    import postkit.kit

    def broken(_self: object, _name: str) -> None:
        raise ZeroDivisionError("a token=abc123456789 in it")

    monkeypatch.setattr(postkit.kit.Kit, "report", broken)
    result = mastodon("show", "p_1", "--json")
    assert result.status == 70
    assert result.report["error"]["kind"] == "internal"
    assert result.errors == [
        "error: A defect of postkit: ZeroDivisionError: a token=*** in it. Run it again with "
        "--debug and report what it prints."
    ]
    assert "Traceback" in mastodon("show", "p_1", "--debug").err


# What is installed


def test_networks_and_plugins(postkit: Program) -> None:
    names = [line.split("\t")[0] for line in postkit("networks").out.splitlines()]
    assert {"x", "facebook", "reddit", "mastodon", "bluesky"} <= set(names)
    one = postkit("networks", "reddit")
    for words in ("title", "flair (text)", "--credential", "client_id", "(checked 2"):
        assert words in one.out
    assert {row["name"] for row in postkit("networks", "--json").json["networks"]} == set(names)
    facts = postkit("networks", "mastodon", "--json").json
    assert {"name", "title", "limits", "credentials", "options"} == set(facts)
    assert "Did you mean 'reddit'?" in postkit.fails(2, "networks", "redit")
    plugins = postkit("plugins", "--load", "--json").json["plugins"]
    assert {plugin["state"] for plugin in plugins} == {"loaded"}


def test_a_plugin_that_does_not_load_breaks_one_network(postkit: Program, tmp_path: Path) -> None:
    package = tmp_path / "site"
    dist = package / "broken_plugin-1.0.dist-info"
    dist.mkdir(parents=True)
    (package / "broken_plugin.py").write_text("import no_such_sdk\n", "utf-8")
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1.0\n")
    (dist / "entry_points.txt").write_text("[postkit.networks]\nbroken = broken_plugin\n")
    path = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])
    enabled = postkit.process("plugins", "enable", "broken", "--yes", PYTHONPATH=path)
    assert enabled.status == 0, enabled
    listed = postkit.process("plugins", "--load", "--json", PYTHONPATH=path)
    assert listed.status == 1
    rows = {(row["group"], row["name"]): row for row in listed.json["plugins"]}
    row = rows["postkit.networks", "broken"]
    assert row["state"] == "failed"
    wanted = "broken needs the package no_such_sdk, which is not installed: run `pip install"
    assert row["reason"].startswith(wanted)
    assert rows["postkit.networks", "mastodon"]["state"] == "loaded"
    said = postkit.process("connect", "broken", PYTHONPATH=path)
    assert said.status == 1
    assert wanted in said.err
    assert postkit.process("networks", PYTHONPATH=path).status == 0


def test_a_traceback_holds_no_secret(mastodon: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    import postkit.kit
    from postkit.accounts.secret import Secret

    secret = Secret("pk_canary_of_a_traceback")

    def broken(_self: object, _name: str) -> None:
        try:
            raise KeyError(secret.reveal())
        except KeyError as inner:
            raise ZeroDivisionError(f"no {secret.reveal()}") from inner

    monkeypatch.setattr(postkit.kit.Kit, "report", broken)
    result = mastodon("show", "p_1", "--debug")
    assert "Traceback (most recent call last)" in result.err
    assert "KeyError: '***'" in result.err
    assert "ZeroDivisionError: no ***" in result.err
    assert secret.reveal() not in result.out + result.err
