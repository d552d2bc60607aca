"""The worker as a service of the user's systemd: its file, and what must hold for it to work."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, PostkitError, VaultError
from ..home import Home

NAME = "postkit-worker.service"
CARRIED = ("POSTKIT_HOME", "POSTKIT_STORE", "POSTKIT_BUSY_TIMEOUT")
"""What the service is told of this shell's variables; never the key."""
CHECK_SECONDS = 60
FILE = """\
# Written by `postkit worker --install`; `postkit worker --uninstall` removes it.
[Unit]
Description=postkit worker: sends scheduled posts
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={start}
{environment}Restart=on-failure
RestartSec=10
# What is on its way gets its answer before the end.
TimeoutStopSec=150
UMask=0077
# What a user's manager can enforce without a namespace of its own.
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""
KEY_FILE = (
    "The service was not installed: it does not get POSTKIT_KEY from this shell. Keep the key in "
    "the key file, then run this again: (umask 077; printenv POSTKIT_KEY > {path})"
)


class NotInstalled(PostkitError):
    """The service is not set up, or does not run."""

    kind = "service"


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: lines for people, whether the service runs, and the commands that a person
    has to give."""

    path: Path
    lines: tuple[str, ...]
    running: bool
    commands: tuple[str, ...] = ()


class Service:
    """The file of the service and the manager that runs it."""

    def __init__(self, home: Home, environ: Mapping[str, str] | None = None) -> None:
        self._home = home
        self._environ = dict(os.environ if environ is None else environ)
        folder = self._environ.get("XDG_CONFIG_HOME", "")
        # A relative folder counts as none, as the XDG specification has it.
        root = Path(folder) if Path(folder).is_absolute() else Path.home() / ".config"
        self.path = root / "systemd" / "user" / NAME

    def install(self, arguments: Sequence[str] = ()) -> Done:
        """Write the file, start the service. Raises VaultError where it could not open the vault,
        and NotInstalled where it does not start."""
        self._check()
        text = self._file(arguments)
        before = self.path.read_text("utf-8") if self.path.exists() else None
        if before != text:
            self._write(text)
        lines = [f"{'Kept' if before == text else 'Wrote'} {self.path}."]
        commands = [["daemon-reload"], ["enable", "--now", NAME]]
        if before not in (None, text):
            commands.append(["restart", NAME])
        if not self._has_manager():
            spoken = tuple(f"systemctl --user {' '.join(command)}" for command in commands)
            lines.append("There is no systemctl here; where the service is to run, give:")
            return Done(self.path, tuple(lines), False, spoken)
        for command in commands:
            self._systemctl(command)
        lines.append("Started the service; it starts again when you log in.")
        lines.append("To keep it running while you are logged out: loginctl enable-linger")
        return Done(self.path, tuple(lines), True)

    def uninstall(self) -> Done:
        """Stop the service and remove its file. Raises NotInstalled where that fails."""
        if not self.path.exists():
            return Done(self.path, (f"There is no service: {self.path} does not exist.",), False)
        has_manager = self._has_manager()
        if has_manager:
            self._systemctl(["disable", "--now", NAME])
        self.path.unlink()
        if has_manager:
            self._systemctl(["daemon-reload"])
        return Done(self.path, (f"Stopped the service and removed {self.path}.",), False)

    # Inside

    def _check(self) -> None:
        """Open the vault as the service will: in a new process, without this terminal."""
        names = ("HOME", "PATH", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
        bare = {name: self._environ[name] for name in names if name in self._environ}
        bare.setdefault("HOME", str(Path.home()))
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter, without a shell
                [*_python(), "worker", "--check"],
                env={**bare, **self._carried()},
                cwd=bare["HOME"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=CHECK_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotInstalled(f"The service was not installed: {error}.") from error
        if done.returncode == 0:
            return
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        reason = said[-1 if "Traceback" in said[0] else 0].removeprefix("error: ")
        if self._environ.get("POSTKIT_KEY", "").strip() and not self._home.key_path.exists():
            raise VaultError(KEY_FILE.format(path=shlex.quote(str(self._home.key_path))))
        raise VaultError(
            f"The service was not installed: without this terminal it could not start. {reason}"
        )

    def _carried(self) -> dict[str, str]:
        known = {name: self._environ.get(name, "") for name in CARRIED}
        # A path that is relative means another place in a service.
        if known["POSTKIT_STORE"]:
            known["POSTKIT_STORE"] = str(self._home.store_path)
        # Said in any case: the default depends on variables that a service may not have.
        known["POSTKIT_HOME"] = str(self._home.path)
        return {name: value for name, value in known.items() if value}

    def _file(self, arguments: Sequence[str]) -> str:
        command = [*_python(), "worker", *arguments]
        environment = "".join(
            f"Environment={_quoted(f'{name}={value}')}\n" for name, value in self._carried().items()
        )
        start = " ".join(_quoted(word).replace("$", "$$") for word in command)
        return FILE.format(start=start, environment=environment)

    def _write(self, text: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            beside = self.path.with_suffix(".new")
            beside.write_text(text, "utf-8")
            beside.replace(self.path)
        except OSError as error:
            raise NotInstalled(f"{self.path} cannot be written ({error.strerror}).") from error

    def _has_manager(self) -> bool:
        return shutil.which("systemctl", path=self._environ.get("PATH")) is not None

    def _systemctl(self, arguments: Sequence[str]) -> None:
        command = ["systemctl", "--user", *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - fixed words, without a shell
                command, capture_output=True, text=True, timeout=CHECK_SECONDS, check=False
            )
            problem = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[0]
            failed = done.returncode != 0
        except (OSError, subprocess.TimeoutExpired) as error:
            problem, failed = str(error), True
        if failed:
            raise NotInstalled(
                f"`{' '.join(command)}` failed: {problem.rstrip('.')}. Give it in a session of "
                "your own user, or run `postkit worker` in a terminal."
            )


def _python() -> list[str]:
    # -P: nothing that lies in the service's working folder may stand in for postkit.
    return [sys.executable, "-P", "-m", "postkit"]


def _quoted(word: str) -> str:
    """A word as systemd reads it: quoted where it must be, with its specifiers taken away."""
    if not word.isprintable():
        raise InputError(f"{word!r} cannot stand in a service's file; choose another path.")
    word = word.replace("%", "%%")
    if word and not any(char in " \"'\\;" for char in word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
