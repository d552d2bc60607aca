"""What a command prints, as a secret: run without a shell, and not for ever."""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import time
from typing import Final, NoReturn

from ..errors import InputError
from .secret import OURS, Redactor

PATIENCE: Final = 60.0
"""Seconds for a command: a password manager may ask for its own password first."""
LONGEST_WORDS: Final = 200
"""Characters of a failed command's own words that are shown."""
_CHUNK: Final = 4096


def output_of(command: str, most: int) -> bytes:
    """What a program prints, at most so many bytes. No shell reads the words, and no secret of
    ours is in its environment. Raises InputError, without the words, which may hold a secret."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(f"cmd: its words cannot be told apart ({error}).") from None
    if not words:
        raise InputError("cmd: names no command; write cmd:PROGRAM ARGUMENTS.")
    program = words[0]

    def fail(why: str) -> NoReturn:
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
            out, words_said = _heard(process, time.monotonic() + PATIENCE, most)
        except TimeoutError:
            fail(f"it did not end within {PATIENCE:g} seconds.")
        except OverflowError:
            fail(f"it printed more than {most:,} bytes, which is no secret.")
        finally:
            # With what it has started. Once it was waited for, its number may be another's.
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        fail(f"it failed{_status(process.returncode)}{_said(out, words_said)}.")
    return out


def _heard(process: subprocess.Popen[bytes], end: float, most: int) -> tuple[bytes, bytes]:
    """Both outputs to their ends. Raises TimeoutError, or OverflowError for too much."""
    assert process.stdout is not None  # noqa: S101 - pipes, as they were asked for
    assert process.stderr is not None  # noqa: S101
    out, words = process.stdout.fileno(), process.stderr.fileno()
    heard = {out: b"", words: b""}
    with selectors.DefaultSelector() as selector:
        for stream in heard:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            if (left := end - time.monotonic()) <= 0:
                raise TimeoutError
            for ready, _ in selector.select(left):
                chunk = os.read(ready.fd, _CHUNK)
                if not chunk:
                    selector.unregister(ready.fd)
                elif len(heard[ready.fd]) + len(chunk) <= most:
                    heard[ready.fd] += chunk
                elif ready.fd == out:
                    raise OverflowError
    try:
        process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    return heard[out], heard[words]


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
