"""``postkit vault``: status, a new key, copies; and a vault whose key the keyring keeps."""

from __future__ import annotations

import base64
import json
import os
import pty
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from postkit import Kit
from postkit.cli.main import main

from .program import Program, command, wait_for
from .test_connect import endpoint_of, token_of
from .test_worker import schedule

WORDS = "pk_canary words for it"
OTHER = base64.b64encode(b"o" * 32).decode()
DOUBLES = Path(__file__).parents[1] / "doubles"


@pytest.fixture
def ring(postkit: Program, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No key is given, and the system's keyring works."""
    monkeypatch.syspath_prepend(str(DOUBLES))
    monkeypatch.delenv("POSTKIT_KEY")
    monkeypatch.setenv("KEYRING_DOUBLE", str(postkit.home.with_name("ring.json")))
    monkeypatch.setenv("KEYRING_DOUBLE_BACKEND", "keyring.backends.SecretService.Keyring")
    return postkit.home.with_name("ring.json")


def connect(postkit: Program, *more: str) -> None:
    given = ["--endpoint", endpoint_of(postkit), f"--credential=access_token={token_of(postkit)}"]
    result = postkit("connect", "mastodon", *given, *more)
    assert result.status == 0, result.err


def publishes(postkit: Program) -> bool:
    return postkit("publish", f"Hi {time.monotonic()}", "--to", "mastodon").status == 0


# Status


def test_where_there_is_none(postkit: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = postkit("vault", "--json").answer("vault")
    assert answer == {
        "path": str(postkit.home / "vault"),
        "exists": False,
        "mode": None,
        "key": "the variable POSTKIT_KEY",
        "entries": None,
        "problem": None,
    }
    monkeypatch.delenv("POSTKIT_KEY")
    result = postkit("vault")
    assert result.status == 1
    assert "not there yet" in result.out
    assert "There is no key to encrypt secrets with; run `postkit connect`" in result.out
    assert not postkit.home.exists()


def test_what_is_there(mastodon: Program) -> None:
    answer = mastodon("vault", "status", "--json").answer("vault")
    assert (answer["exists"], answer["mode"], answer["entries"]) == (True, "600", 1)
    result = mastodon("vault")
    assert result.status == 0
    assert result.out.splitlines() == [
        f"vault    {mastodon.home / 'vault'}",
        "mode     600",
        "key      the variable POSTKIT_KEY",
        "entries  1",
    ]


def test_json_belongs_to_the_inner_command(mastodon: Program) -> None:
    before = (mastodon.home / "vault").read_bytes()
    result = mastodon("vault", "--json", "rekey", "--to", "file")
    assert (result.status, result.errors) == (2, ["error: Give --json after rekey."])
    assert (mastodon.home / "vault").read_bytes() == before


def test_what_is_wrong(mastodon: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    (mastodon.home / "vault").chmod(0o644)
    result = mastodon("vault", "--json")
    assert result.status == 1
    assert "is open to other users (mode 644)" in result.answer("vault")["problem"]
    assert result.answer("vault")["mode"] == "644"
    (mastodon.home / "vault").chmod(0o600)
    monkeypatch.setenv("POSTKIT_KEY", OTHER)
    answer = mastodon("vault", "--json").answer("vault")
    assert "was made with another key" in answer["problem"]
    assert answer["entries"] is None


def test_each_key_by_its_name(mastodon: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    key = os.environ["POSTKIT_KEY"]
    monkeypatch.delenv("POSTKIT_KEY")
    folder = mastodon.home.with_name("credentials")
    folder.mkdir()
    (folder / "postkit-key").write_text(key + "\n")
    (folder / "postkit-key").chmod(0o440)  # as systemd gives it to a service of another user
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    named = mastodon("vault", "--json").answer("vault")["key"]
    assert named == "the credential postkit-key, of CREDENTIALS_DIRECTORY"
    assert publishes(mastodon)
    (folder / "postkit-key").write_text("pk_canary no key")
    said = mastodon.fails(1, "publish", "Ho", "--to", "mastodon")
    assert said.startswith(f"The credential {folder}/postkit-key is not 32 bytes in base64")
    assert "canary" not in said
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    (mastodon.home / "key").write_text(key)
    (mastodon.home / "key").chmod(0o600)
    named = mastodon("vault", "--json").answer("vault")["key"]
    assert named == f"the key file {mastodon.home / 'key'}"


# The keyring


def test_with_a_keyring_connect_asks_for_no_key(postkit: Program, ring: Path) -> None:
    before = postkit("vault", "--json").answer("vault")
    assert before["key"] == "the system's keyring (Secret Service), once an account is connected"
    assert not ring.exists()
    connect(postkit)
    assert publishes(postkit)
    assert not (postkit.home / "key").exists()
    answer = postkit("vault", "--json").answer("vault")
    assert answer["key"] == "the system's keyring (Secret Service)"
    assert answer["entries"] == 1
    assert len(json.loads(ring.read_text())) == 1


def test_a_key_file_that_is_wished_for_comes_first(postkit: Program, ring: Path) -> None:
    connect(postkit, "--make-key")
    assert (postkit.home / "key").exists()
    assert not ring.exists()
    assert publishes(postkit)


def test_a_keyring_that_lies_costs_no_post(
    postkit: Program, ring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(postkit)
    before = (postkit.home / "vault").read_bytes()
    monkeypatch.setenv("KEYRING_DOUBLE_MOOD", "lies")
    said = postkit.fails(1, "publish", "Ho", "--to", "mastodon")
    assert "The system's keyring holds another key" in said
    assert (postkit.home / "vault").read_bytes() == before
    monkeypatch.delenv("KEYRING_DOUBLE_MOOD")
    assert publishes(postkit)


# A passphrase


def test_a_passphrase_in_the_environment(postkit: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POSTKIT_KEY")
    monkeypatch.setenv("POSTKIT_PASSPHRASE", WORDS)
    connect(postkit)
    assert publishes(postkit)
    assert not (postkit.home / "key").exists()
    monkeypatch.setenv("POSTKIT_PASSPHRASE", WORDS.upper())
    said = postkit.fails(1, "publish", "Ho", "--to", "mastodon")
    assert "was made with another passphrase; give the one that made it" in said
    monkeypatch.delenv("POSTKIT_PASSPHRASE")
    said = postkit.fails(1, "publish", "Ho", "--to", "mastodon")
    assert "is opened by a passphrase: set POSTKIT_PASSPHRASE" in said


def typed(postkit: Program, lines: list[str], *arguments: str) -> tuple[int, str]:
    """Run the real program at a terminal, and type each line when it asks."""
    own, theirs = pty.openpty()
    process = subprocess.Popen(
        command(arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=postkit.environment(TERM="dumb"),
        start_new_session=True,
    )
    os.close(theirs)
    said, asked = b"", 0
    try:
        while True:
            try:
                chunk = os.read(own, 4096)
            except OSError:  # the terminal's other end is closed
                break
            said += chunk
            if not chunk:
                break
            while said.count(b": ") > asked and asked < len(lines):
                os.write(own, lines[asked].encode() + b"\n")
                asked += 1
        return process.wait(30), said.decode()
    finally:
        os.close(own)
        if process.poll() is None:
            process.kill()
            process.wait()


def test_a_passphrase_at_the_terminal(mastodon: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    status, said = typed(mastodon, [WORDS, WORDS], "vault", "rekey", "--to", "passphrase")
    assert status == 0, said
    assert "canary" not in said
    assert "Unset POSTKIT_KEY now" in said
    monkeypatch.delenv("POSTKIT_KEY")
    status, said = typed(mastodon, [WORDS], "vault")
    assert status == 0, said
    assert "Passphrase of the vault" in said
    assert "a passphrase (Argon2id)" in said
    assert "canary" not in said


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [([WORDS, WORDS + "x"], "The two passphrases differ"), (["short"], "too short")],
)
def test_a_mistyped_one_changes_nothing(mastodon: Program, lines: list[str], sentence: str) -> None:
    before = (mastodon.home / "vault").read_bytes()
    status, said = typed(mastodon, lines, "vault", "rekey", "--to", "passphrase")
    assert status != 0
    assert sentence in said
    assert (mastodon.home / "vault").read_bytes() == before


# A new key


def test_each_place_of_a_new_key(
    mastodon: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "words").write_text(WORDS)
    monkeypatch.setenv("POSTKIT_NEW_KEY", OTHER)
    answer = mastodon("vault", "rekey", "--json").answer("vault-rekey")
    assert answer == {
        "entries": 1,
        "to": "given",
        "next": "Set POSTKIT_KEY, or the credential, to the key of POSTKIT_NEW_KEY now.",
        "warnings": [],
    }
    assert "was made with another key" in mastodon.fails(1, "publish", "a", "--to", "mastodon")
    monkeypatch.setenv("POSTKIT_KEY", OTHER)
    monkeypatch.delenv("POSTKIT_NEW_KEY")
    assert publishes(mastodon)
    result = mastodon("vault", "rekey", "--to", "file")
    assert result.out.splitlines()[1] == "Unset POSTKIT_KEY now: it holds the old key."
    monkeypatch.delenv("POSTKIT_KEY")
    assert publishes(mastodon)
    old = (mastodon.home / "key").read_bytes()
    result = mastodon("vault", "rekey")
    assert f"Encrypted 1 entry anew; the key is in {mastodon.home / 'key'}." in result.out
    assert (mastodon.home / "key").read_bytes() != old
    assert publishes(mastodon)
    assert mastodon("vault", "rekey", "--passphrase", "file:words").status == 0
    assert not (mastodon.home / "key").exists()
    monkeypatch.setenv("POSTKIT_PASSPHRASE", WORDS)
    assert publishes(mastodon)


def test_a_worker_that_runs_goes_on_with_a_new_key(
    mastodon: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mastodon("vault", "rekey", "--to", "file").status == 0
    monkeypatch.delenv("POSTKIT_KEY")
    worker = mastodon.start("worker")
    assert worker.stderr is not None
    assert "to send" in worker.stderr.readline()  # it has opened the vault
    assert mastodon("vault", "rekey").status == 0
    schedule(mastodon, "Later", "in 1s")
    wait_for(lambda: "Later" in mastodon.texts())


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ([], 2, "The key is given from outside: set POSTKIT_NEW_KEY"),
        (["--to", "given"], 2, "takes the new key from POSTKIT_NEW_KEY, which is not set"),
        (["--to", "keyring"], 1, "No keyring of the system can be reached from here"),
        (["--to", "passphrase"], 2, "A passphrase is needed: give --passphrase env:NAME"),
        (["--to", "file", "--passphrase", "-"], 2, "--passphrase belongs to --to passphrase"),
        (["--passphrase", "pk_canary as it is"], 2, "--passphrase takes env:NAME"),
        (["--passphrase", "env:NOT_SET"], 2, "env:NOT_SET: the environment variable NOT_SET"),
        (["--passphrase", "cmd:false"], 2, "cmd:false: it failed (exit status 1)"),
        (["--passphrase", "-"], 1, "The passphrase is too short"),
    ],
)
def test_a_new_key_that_is_none(
    mastodon: Program, arguments: list[str], status: int, sentence: str
) -> None:
    before = (mastodon.home / "vault").read_bytes()
    said = mastodon.fails(status, "vault", "rekey", *arguments, stdin=b"short\n")
    assert sentence in said
    assert "canary" not in said
    assert (mastodon.home / "vault").read_bytes() == before
    assert not (mastodon.home / "key.new").exists()


@pytest.mark.parametrize("text", ["short", "!!!", "A" * 43 + "é"])
def test_a_new_key_in_the_environment_that_is_none(
    mastodon: Program, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("POSTKIT_NEW_KEY", text)
    said = mastodon.fails(1, "vault", "rekey")
    assert said.startswith("POSTKIT_NEW_KEY is not 32 bytes in base64")
    assert publishes(mastodon)


# Copies


def test_a_copy_and_back(mastodon: Program, tmp_path: Path) -> None:
    words = ["--passphrase", "-"]
    stdin = f"{WORDS}\n".encode()
    done = mastodon("vault", "export", "copy", *words, "--json", stdin=stdin)
    [name] = done.answer("vault-export")["entries"]
    said = mastodon.fails(1, "vault", "export", "copy", *words, stdin=stdin)
    assert said == "copy is there already; name another file."
    same = mastodon("vault", "import", "copy", *words, "--json", stdin=stdin)
    assert same.answer("vault-import") == {"added": [], "replaced": [], "same": [name]}
    wrong = mastodon.fails(1, "vault", "import", "copy", *words, stdin=b"another one entirely\n")
    assert "has another passphrase, or is damaged; nothing was imported" in wrong
    (mastodon.home / "vault").unlink()
    said = mastodon.fails(1, "publish", "Ho", "--to", "mastodon")
    assert "holds no secrets of" in said
    result = mastodon("vault", "import", "copy", *words, stdin=stdin)
    assert result.out == "Imported 1 entry; replaced 0; 0 were here already.\n"
    assert publishes(mastodon)


def test_an_import_says_which_entries_differ(mastodon: Program) -> None:
    words, stdin = ["--passphrase", "-"], f"{WORDS}\n".encode()
    with Kit(mastodon.home) as kit:
        [name] = kit.vault().ids()
        held = kit.vault().get(name)
    assert mastodon("vault", "export", "copy", *words, stdin=stdin).status == 0
    with Kit(mastodon.home) as kit:
        kit.vault().put(name, {"access_token": "pk_canary_other"})
    said = mastodon.fails(2, "vault", "import", "copy", *words, stdin=stdin)
    assert said.startswith(
        f"{name} is in the vault with other content than in copy; give --replace"
    )
    done = mastodon("vault", "import", "copy", "--replace", *words, "--json", stdin=stdin)
    assert done.answer("vault-import") == {"added": [], "replaced": [name], "same": []}
    with Kit(mastodon.home) as kit:
        assert kit.vault().get(name) == held


# Core dumps


@pytest.fixture
def _dumping() -> Iterator[None]:
    """Processes that are started here may dump as much core as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


@pytest.mark.usefixtures("_dumping")
def test_a_worker_that_is_killed_leaves_no_core(mastodon: Program) -> None:
    worker = mastodon.start("worker")
    assert worker.stderr is not None
    assert "to send" in worker.stderr.readline()
    limits = Path(f"/proc/{worker.pid}/limits")
    if limits.exists():
        [line] = [row for row in limits.read_text().splitlines() if row.startswith("Max core")]
        assert line.split()[4:6] == ["0", "0"]
    worker.send_signal(signal.SIGABRT)
    assert worker.wait(20) == -signal.SIGABRT
    assert not list(Path.cwd().glob("core*"))


def test_the_command_line_disables_them_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a command runs, which may open the vault."""
    order: list[str] = []

    def running(arguments: list[str]) -> int:
        order.append("run")
        return 0

    monkeypatch.setattr("postkit.cli.main.disable_core_dumps", lambda: order.append("disable"))
    monkeypatch.setattr("postkit.cli.main.run", running)
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit):
            main(["--version"])
    finally:
        signal.signal(signal.SIGINT, before)
    assert order == ["disable", "run"]
