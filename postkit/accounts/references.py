"""Secrets by reference: ``env:NAME``, ``file:PATH`` and ``cmd:COMMAND``, as the core resolves them.

The secret itself then stands in no list of processes and in no shell's history. Each problem is
one InputError that begins with the reference.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, Final, NoReturn

from ..errors import InputError
from ..hookspecs import hookimpl
from .keyring import OURS
from .secret import Redactor, Secret

MOST_BYTES: Final = 65_536
"""Bytes of what holds one secret: many times the longest token."""
PATIENCE: Final = 60.0
"""Seconds for a command: a password manager may ask for its own password first."""
LONGEST_WORDS: Final = 200
"""Characters of a failed command's own words that are shown."""
_CHUNK: Final = 4096


@hookimpl(tryfirst=True)
def postkit_secret(reference: str) -> str | None:
    """The secret that is referred to; None for text that is no reference of these."""
    scheme, colon, rest = reference.partition(":")
    resolve = _SCHEMES.get(scheme) if colon else None
    return None if resolve is None else Secret(resolve(rest)).reveal()


def _variable(name: str) -> str:
    value = os.environ.get(name, "") if name and "=" not in name and "\0" not in name else ""
    if not value:
        raise InputError(f"env:{name}: the environment variable {name} is not set.")
    return value


def _file(path: str) -> str:
    try:
        with Path(path).expanduser().open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"file:{path}: {path} cannot be read ({reason}).") from error
    text = _line(data)
    if text is None:
        raise InputError(f"file:{path}: {path} holds no secret; it must be one line of text.")
    return text


def _command(command: str) -> str:
    """What a program prints. No shell reads the words, and nothing of ours is in its
    environment."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(f"cmd:{command}: it cannot be split into words ({error}).") from None
    if not words:
        raise InputError("cmd: names no command; write cmd:PROGRAM ARGUMENTS.")
    program = words[0]

    def fail(why: str) -> NoReturn:
        # The words may hold what is secret; the program's name does not.
        raise InputError(f"cmd:{program}: {why}")

    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if name not in OURS},
            process_group=0,
        )
    except (OSError, ValueError) as error:
        fail(f"it cannot be started ({getattr(error, 'strerror', None) or error}).")
    with process:
        try:
            out, words_said = _heard(process, time.monotonic() + PATIENCE)
        except TimeoutError:
            fail(f"it did not end within {PATIENCE:g} seconds.")
        except OverflowError:
            fail(f"it printed more than {MOST_BYTES:,} bytes, which is no secret.")
        finally:
            # Also what it has left running: nobody reads what that would print.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        fail(f"it failed{_status(process.returncode)}{_said(out, words_said)}.")
    text = _line(out)
    if text is None:
        fail("it printed no secret; it must print one line of text.")
    return text


def _heard(process: subprocess.Popen[bytes], end: float) -> tuple[bytes, bytes]:
    """Both outputs to their ends. Raises TimeoutError, or OverflowError for too much."""
    assert process.stdout is not None  # noqa: S101 - pipes, as they were asked for
    assert process.stderr is not None  # noqa: S101
    heard: dict[IO[bytes], bytes] = {process.stdout: b"", process.stderr: b""}
    with selectors.DefaultSelector() as selector:
        for stream in heard:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            if (left := end - time.monotonic()) <= 0:
                raise TimeoutError
            for ready, _ in selector.select(left):
                stream = ready.fileobj
                assert not isinstance(stream, int)  # noqa: S101
                chunk = os.read(ready.fd, _CHUNK)
                if not chunk:
                    selector.unregister(stream)
                elif len(heard[stream]) + len(chunk) <= MOST_BYTES:
                    heard[stream] += chunk
                elif stream is process.stdout:
                    raise OverflowError
    try:
        process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    return heard[process.stdout], heard[process.stderr]


def _status(code: int) -> str:
    return f" (signal {-code})" if code < 0 else f" (exit status {code})"


def _said(out: bytes, words: bytes) -> str:
    """The first line of its complaint, unless that repeats what it printed."""
    lines = [line.strip() for line in words.decode("utf-8", "replace").splitlines()]
    line = next((line for line in lines if line), "")
    secrets = [word for word in out.decode("utf-8", "replace").split() if len(word) > 3]
    if not line or any(secret in line for secret in secrets):
        return ""
    return f": {Redactor.redact(line)[:LONGEST_WORDS].rstrip('.')}"


def _line(data: bytes) -> str | None:
    """One line of printable text, or None."""
    try:
        text = data.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
    return text if text and text.isprintable() and len(data) <= MOST_BYTES else None


_SCHEMES: Final = {"env": _variable, "file": _file, "cmd": _command}
