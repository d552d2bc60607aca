"""``env:``, ``file:`` and ``cmd:``: what the core resolves, and how it fails."""

from __future__ import annotations

import os
import shlex
import stat
import sys
import time
from pathlib import Path

import pytest

from postkit.accounts import command
from postkit.accounts.references import postkit_secret
from postkit.errors import InputError
from postkit.hookspecs import hookimpl
from postkit.plugins import Plugins

TOKEN = "pk_canary_reference"


def cmd(script: str) -> str:
    return f"cmd:{shlex.join([sys.executable, '-c', script])}"


def fails(reference: str) -> str:
    with pytest.raises(InputError) as caught:
        postkit_secret(reference)
    [said] = caught.value.problems
    assert said.endswith(".")
    assert "\n" not in said
    assert "canary" not in said
    return said


@pytest.mark.parametrize("text", ["abc", "", "-", "ENV:X", "op://vault/item", "keep:me", "env"])
def test_what_is_no_reference_passes(text: str) -> None:
    assert postkit_secret(text) is None


def test_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", TOKEN)
    assert postkit_secret("env:MY_TOKEN") == TOKEN
    for name in ("MY_OTHER", "", "A=B", "A\0B"):
        monkeypatch.delenv("MY_OTHER", raising=False)
        assert "is not set" in fails(f"env:{name}")


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"  {TOKEN}\n")
    assert postkit_secret(f"file:{path}") == TOKEN
    for content in (b"", b"\n", b"a\nb", b"\xff", b"x" * 65_537, b"a\x1b[2J"):
        path.write_bytes(content)
        assert "holds no secret; it must be one line of text" in fails(f"file:{path}")
    assert "cannot be read (No such file or directory)" in fails(f"file:{tmp_path}/none")
    assert "cannot be read (Is a directory)" in fails(f"file:{tmp_path}")
    assert "cannot be read" in fails("file:~nobody_of_this_name/x")
    assert "cannot be read" in fails("file:a\0b")


def test_a_command() -> None:
    assert postkit_secret(cmd(f"print({TOKEN!r})")) == TOKEN


def test_no_shell_reads_it(tmp_path: Path) -> None:
    program = tmp_path / "show me"
    program.write_text('#!/bin/sh\nprintf "%s" "$#:$1"\n')
    program.chmod(stat.S_IRWXU)
    words = f"{shlex.quote(str(program))} '$HOME;touch {tmp_path}/no|`id`'"
    assert postkit_secret(f"cmd:{words}") == f"1:$HOME;touch {tmp_path}/no|`id`"
    assert not (tmp_path / "no").exists()


def test_it_is_given_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POSTKIT_KEY", "POSTKIT_NEW_KEY", "POSTKIT_PASSPHRASE"):
        monkeypatch.setenv(name, "pk_canary_key")
    monkeypatch.setenv("MY_VAULT", "here")
    seen = postkit_secret(cmd("import os, sys; print(dict(os.environ), sys.stdin.read() == '')"))
    assert seen is not None
    assert "canary" not in seen
    assert "'MY_VAULT': 'here'" in seen
    assert seen.endswith("True")


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("import sys; sys.exit(3)", "it failed (exit status 3)."),
        ("import sys; sys.exit('\\nno such entry.\\nmore')", "(exit status 1): no such entry."),
        ("import os; os.abort()", "it failed (signal 6)"),
        ("pass", "it printed no secret; it must print one line of text."),
        ("print('a'); print('b')", "it printed no secret"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "it printed no secret"),
        ("print('\\x1b[2J')", "it printed no secret"),
        ("while True: print('y' * 1000)", "it printed more than 65,536 bytes"),
    ],
)
def test_a_command_that_gives_none(script: str, sentence: str) -> None:
    said = fails(cmd(script))
    assert sentence in said
    assert said.startswith(f"cmd:{sys.executable}: ")


@pytest.mark.parametrize(
    "script",
    [
        f"import sys; print({TOKEN!r}); sys.exit('I said {TOKEN} already')",
        f"import sys; sys.exit('access_token={TOKEN}')",
        f"import sys; print('x'); print({TOKEN!r}); sys.exit({TOKEN!r})",
    ],
    ids=["both", "complaint", "second line"],
)
def test_its_complaint_gives_no_secret_away(script: str) -> None:
    assert "it failed (exit status 1)" in fails(cmd(script))


def test_a_long_complaint_is_cut_and_does_not_block() -> None:
    said = fails(cmd("import sys; sys.stderr.write('z' * 1_000_000); sys.exit(2)"))
    assert len(said) < 400


@pytest.mark.parametrize(
    "script",
    [
        "import time; time.sleep(60)",
        "import os; os.close(1); os.close(2); import time; time.sleep(60)",
    ],
)
def test_a_command_that_does_not_end(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PATIENCE", 0.7)
    number = tmp_path / "pid"
    write = f"import os, pathlib; pathlib.Path({str(number)!r}).write_text(str(os.getpid())); "
    started = time.monotonic()
    assert "it did not end within 0.7 seconds" in fails(cmd(write + script))
    assert time.monotonic() - started < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_words_that_are_no_command() -> None:
    assert "cannot be told apart (No closing quotation)" in fails("cmd:pass 'show pk_canary_a")
    assert "names no command" in fails("cmd:  ")
    assert "cannot be started (No such file or directory)" in fails("cmd:no_such_program_here a")
    assert "cannot be started" in fails("cmd:a\0b")


def test_the_core_comes_first_and_others_have_their_schemes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stranger:
        @staticmethod
        @hookimpl(tryfirst=True)
        def postkit_secret(reference: str) -> str | None:
            return f"<{reference}>" if reference.startswith(("op:", "env:")) else None

    monkeypatch.setenv("MY_TOKEN", TOKEN)
    resolve = Plugins([Stranger()]).manager.hook.postkit_secret
    assert resolve(reference="op:item") == "<op:item>"
    assert resolve(reference="plain") is None
    assert Plugins().manager.hook.postkit_secret(reference="env:MY_TOKEN") == TOKEN
