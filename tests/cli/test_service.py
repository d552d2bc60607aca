"""`postkit worker --install`: the worker as a service of the user's systemd."""

from __future__ import annotations

import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from .program import Program, Result

NAME = "postkit-worker.service"


@pytest.fixture
def user(postkit: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """A user with a home of their own, a key file, and a systemctl that only takes notes."""
    monkeypatch.delenv("POSTKIT_KEY")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    (tmp_path / "user").mkdir()
    systemctl(tmp_path, monkeypatch, 'echo "$@" >> "$(dirname "$0")/log"')
    account = next(a for a in postkit.server.accounts() if a.network == "mastodon")
    given = [f"--credential={key}={value}" for key, value in account.credentials.items()]
    made = postkit("connect", "mastodon", "--endpoint", account.endpoint, *given, "--make-key")
    assert made.status == 0, made.err
    return postkit


def systemctl(folder: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    script = programs / "systemctl"
    script.write_text(f"#!/bin/sh\n{does}\n", "utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")


def unit(folder: Path) -> Path:
    return folder / "user" / ".config" / "systemd" / "user" / NAME


def asked(folder: Path) -> list[str]:
    log = folder / "programs" / "log"
    return log.read_text("utf-8").splitlines() if log.exists() else []


def test_it_writes_the_file_and_starts_the_service(user: Program, tmp_path: Path) -> None:
    result = user("worker", "--install")
    assert result.status == 0, result.err
    assert result.out.splitlines() == [
        f"Wrote {unit(tmp_path)}.",
        "Started the service; it starts again when you log in.",
        "To keep it running while you are logged out: loginctl enable-linger",
    ]
    assert asked(tmp_path) == ["--user daemon-reload", f"--user enable --now {NAME}"]
    text = unit(tmp_path).read_text("utf-8")
    assert f"ExecStart={sys.executable} -P -m postkit worker\n" in text
    assert f"Environment=POSTKIT_HOME={user.home}\n" in text
    assert "POSTKIT_STORE" not in text
    for line in ("Restart=on-failure", "NoNewPrivileges=yes", "WantedBy=default.target"):
        assert f"{line}\n" in text
    key = (user.home / "key").read_text("ascii").strip()
    assert key not in text
    assert "POSTKIT_KEY" not in text


def test_what_it_starts_sends_what_is_due(user: Program, tmp_path: Path) -> None:
    user("worker", "--install")
    assert user("publish", "Later", "--to", "mastodon", "--at", "in 1s").status == 0
    lines = unit(tmp_path).read_text("utf-8").splitlines()
    [start] = [line.partition("=")[2] for line in lines if line.startswith("ExecStart=")]
    [home] = [line.partition("=")[2] for line in lines if line.startswith("Environment=")]
    subprocess.run(
        [*shlex.split(start), "--drain", "--wait", "5"],
        env={home.partition("=")[0]: home.partition("=")[2]},
        cwd=tmp_path,
        check=True,
        timeout=60,
        capture_output=True,
    )
    assert user.texts() == ["Later"]


def test_again_is_the_same_and_a_change_restarts_it(user: Program, tmp_path: Path) -> None:
    user("worker", "--install")
    before = unit(tmp_path).read_text("utf-8")
    result = user("worker", "--install")
    assert result.out.startswith(f"Kept {unit(tmp_path)}.\n")
    assert unit(tmp_path).read_text("utf-8") == before
    assert len(asked(tmp_path)) == 4
    assert user("worker", "--install", "--threads", "4").out.startswith("Wrote ")
    assert "worker --threads 4\n" in unit(tmp_path).read_text("utf-8")
    assert asked(tmp_path)[-1] == f"--user restart {NAME}"


def test_a_home_and_a_store_with_odd_names(
    user: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / 'a b%n"c\\$HOME'
    user.home.rename(odd)
    monkeypatch.setenv("POSTKIT_HOME", str(odd))
    monkeypatch.setenv("POSTKIT_STORE", "other.db")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert user("worker", "--install").status == 0
    text = (tmp_path / "config" / "systemd" / "user" / NAME).read_text("utf-8")
    inside = str(tmp_path) + '/a b%%n\\"c\\\\$HOME'
    assert f'Environment="POSTKIT_HOME={inside}"\n' in text
    # A relative path means another place in a service.
    assert f"Environment=POSTKIT_STORE={tmp_path}/other.db\n" in text


def test_a_key_of_this_shell_is_none_of_the_service(
    user: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = user.home / "key"
    monkeypatch.setenv("POSTKIT_KEY", key.read_text("ascii").strip())
    key.unlink()
    said = user.fails(1, "worker", "--install")
    assert said.startswith("The service was not installed: it does not get POSTKIT_KEY from this")
    assert not unit(tmp_path).exists()
    assert asked(tmp_path) == []
    # The remedy works as it is printed.
    _, _, remedy = said.partition("run this again: ")
    subprocess.run(["/bin/sh", "-c", remedy], check=True)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert user("worker", "--install").status == 0


def test_a_vault_that_cannot_be_opened(user: Program, tmp_path: Path) -> None:
    (user.home / "key").write_text("b" * 43 + "=\n", "ascii")
    said = user.fails(1, "worker", "--install")
    assert "without this terminal it could not start. The vault " in said
    assert "was made with another key" in said
    assert not unit(tmp_path).exists()


def test_where_there_is_no_systemd_it_prints_the_commands(
    user: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    result = user("worker", "--install")
    assert result.status == 0
    assert result.out.splitlines()[1:] == [
        "There is no systemctl here; where the service is to run, give:",
        "  systemctl --user daemon-reload",
        f"  systemctl --user enable --now {NAME}",
    ]
    told = user("worker", "--install", "--json").json
    assert told == {
        "path": str(unit(tmp_path)),
        "running": False,
        "commands": ["systemctl --user daemon-reload", f"systemctl --user enable --now {NAME}"],
    }


def test_a_systemd_that_refuses(
    user: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemctl(tmp_path, monkeypatch, "echo 'Failed to connect to bus: No medium' >&2; exit 1")
    said = user.fails(1, "worker", "--install")
    assert said.startswith("`systemctl --user daemon-reload` failed: Failed to connect to bus: No")


def test_uninstall(user: Program, tmp_path: Path) -> None:
    user("worker", "--install")
    (tmp_path / "programs" / "log").unlink()
    result = user("worker", "--uninstall")
    assert result == Result(0, f"Stopped the service and removed {unit(tmp_path)}.\n", "")
    assert asked(tmp_path) == [f"--user disable --now {NAME}", "--user daemon-reload"]
    assert not unit(tmp_path).exists()
    again = user("worker", "--uninstall")
    assert (again.status, again.out) == (
        0, f"There is no service: {unit(tmp_path)} does not exist.\n",
    )  # fmt: skip
    assert len(asked(tmp_path)) == 2
