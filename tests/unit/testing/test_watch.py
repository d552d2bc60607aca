"""The search for secrets at the end of a session of tests: it finds them, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from postkit.testing import canaries
from postkit.testing.canaries import WORD, leaks_in_file

HEAD = """\
import base64, logging, subprocess, sys, tempfile
import pytest
SECRET = 'pk_' + 'canary_' + 'x1'  # this file must not hold the word, or it would be found as well
CHILD = [sys.executable, '-c']
"""
LEAKS = {
    "log.txt": "(tmp_path / 'log.txt').write_text('token ' + SECRET)",
    "name of the file": "(tmp_path / SECRET).mkdir(); (tmp_path / SECRET / 'a').touch()",
    "basic.txt": "(tmp_path / 'basic.txt').write_bytes(base64.b64encode(SECRET.encode() + b'!'))",
    "elsewhere": "open(tempfile.mkstemp('elsewhere')[1], 'w').write(SECRET)",
    "of-a-child": "subprocess.run([*CHILD, 'import sys, tempfile; "
    'open(tempfile.mkstemp("of-a-child")[1], "w").write(sys.argv[1])\', SECRET])',
    "of-the-session": "(tmp_path_factory.mktemp('of-the-session') / 'a').write_text(SECRET)",
    "stdout call": "print(SECRET)",
    "stderr call": "print(SECRET, file=sys.stderr)",
    "log call": "logging.getLogger('x').warning('it is %s', SECRET)",
    "output of a child": "subprocess.run([*CHILD, 'import sys; print(sys.argv[1])', SECRET],"
    " capture_output=True)",
    "failure": "raise ValueError(SECRET)",
}
ANONYMOUS = ("elsewhere", "of-a-child", "of-the-session")
"""Written where no single test's folder is."""

Session = Callable[..., str]


@pytest.fixture
def session(tmp_path: Path, planted_secret: Callable[[Path], Path]) -> Session:
    """Runs a session with a test for each of these bodies; what it printed."""
    planted_secret(tmp_path)

    def run(*bodies: str, words: tuple[str, ...] = (), status: int = 1, above: str = "") -> str:
        (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
        tests = (
            f"{above}\ndef test_{number}(tmp_path, tmp_path_factory, planted_secret):\n    {body}\n"
            for number, body in enumerate(bodies)
        )
        (tmp_path / "test_it.py").write_text(HEAD + "".join(tests), "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "postkit.testing.watch", "-p",
             "no:cacheprovider", "-q", "-rN", "--tb=no", "--show-capture=no",
             f"--basetemp={tmp_path / 'base'}", *words, "test_it.py"],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout
        return done.stdout

    return run


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_secret_is_found_wherever_it_was_left(session: Session, workers: str) -> None:
    told = session(*LEAKS.values(), words=("-n", workers))
    lines = [line for line in told.splitlines() if "holds a secret" in line]
    for number, where in enumerate(LEAKS):
        test = "of no single test" if where in ANONYMOUS else f"test_it.py::test_{number}"
        assert [line for line in lines if where in line and test in line], (where, told)
    assert "log.txt holds a secret, after 'token '. (test_it.py::test_0)" in told
    assert f", {len(set(lines))} hits" in told
    assert WORD.decode() not in told


def test_one_that_was_left_fails_a_session_that_would_pass(session: Session) -> None:
    assert "1 passed" in session(LEAKS["log.txt"])


def test_the_names_of_tests_and_the_junit_report_are_searched(
    session: Session, tmp_path: Path
) -> None:
    above = "@pytest.fixture(params=[0], ids=[SECRET], autouse=True)\ndef named(): pass\n"
    told = session("pass", words=(f"--junitxml={tmp_path / 'result.xml'}",), above=above)
    assert "the name of a test holds a secret" in told
    assert "result.xml holds a secret" in told


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_is_planted_on_purpose_is_left_out(session: Session, workers: str) -> None:
    words = ("-n", workers)
    body = "planted_secret(tmp_path / 'given').write_text(SECRET)"
    folder = "planted_secret(tmp_path); (tmp_path / 'kept').write_text(SECRET)"
    assert ", 0 hits" in session(body, folder, "print('nothing')", words=words, status=0)
    told = session(f"{body}; (tmp_path / 'kept').write_text(SECRET)", words=words)
    assert ", 1 hits" in told


def test_a_secret_is_found_where_a_large_file_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted_secret: Callable[[Path], Path]
) -> None:
    monkeypatch.setattr(canaries, "PIECE", 100)
    file = planted_secret(tmp_path / "large")
    for at in range(60, 140):
        file.write_bytes(b"." * at + WORD + b"." * 200)
        assert leaks_in_file(file), at
    file.write_bytes(b"." * 500)
    assert leaks_in_file(file) == []
