"""`postkit completion`: a script that each shell takes, and that knows our commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .program import Program, Result

SHELLS = ("bash", "zsh", "fish")


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_a_script_for_postkit(postkit: Program, shell: str) -> None:
    result = postkit("completion", shell)
    assert (result.status, result.err) == (0, "")
    assert f"_POSTKIT_COMPLETE={shell}_complete" in result.out
    assert {"bash": "-F _postkit_completion postkit", "zsh": "#compdef postkit", "fish":
            "--command postkit"}[shell] in result.out  # fmt: skip
    assert not (postkit.home).exists(), "a script is no use of the store"


def test_another_shell_is_named_with_those_that_there_are(postkit: Program) -> None:
    told = postkit.fails(2, "completion", "tcsh")
    for shell in SHELLS:
        assert shell in told


def bash(postkit: Program, script: str, tmp_path: Path) -> Result:
    """Run by the bash of this machine, with `postkit` on its path."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / "postkit"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m postkit "$@"\n', "utf-8")
    program.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        capture_output=True, text=True, timeout=60, check=False,
        env=postkit.environment(PATH=path),
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("postkit resch", ["reschedule"]),
        ("postkit un", ["unpause"]),
        ("postkit completion ", list(SHELLS)),
        ("postkit queue --js", ["--json"]),
    ],
)
def test_bash_sources_it_and_completes(
    postkit: Program, tmp_path: Path, words: str, offered: list[str]
) -> None:
    """As README and help say: eval "$(postkit completion bash)"."""
    typed = words.split(" ")
    quoted = " ".join(f"'{word}'" for word in typed)
    result = bash(
        postkit,
        'eval "$(postkit completion bash)" || exit 9\n'
        f"COMP_WORDS=({quoted}); COMP_CWORD={len(typed) - 1}\n"
        f"_postkit_completion postkit '{typed[-1]}' '{typed[-2]}'\n"
        'printf "%s\\n" "${COMPREPLY[@]}"',
        tmp_path,
    )
    assert (result.status, result.err) == (0, "")
    assert result.out.split() == offered
