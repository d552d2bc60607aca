"""The system's keyring. It keeps the key of a vault, and never the entries: see ADR 15."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

from ..errors import VaultError
from .key import Key, KeyTerms
from .secret import OURS, Redactor, Secret

SERVICE: Final = "postkit"
PATIENCE: Final = 30.0
"""Seconds: long enough to type the password that unlocks it."""


class NoKeyring(VaultError):
    """There is no keyring here that hands secrets to the system."""


class KeyringError(VaultError):
    """The keyring does not answer, refuses, or answers with what is not true."""


class Keyring:
    """Keeps keys under the mark that a vault has of its key, so that a vault may be moved, and
    the old key is still there while a new one is being stored.

    A backend may wait for a person, for ever: it is asked in a process of its own, without a
    terminal, for ``patience`` seconds. Every method raises NoKeyring or KeyringError.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience

    def name(self) -> str:
        """What keeps secrets here: ``Secret Service``, ``macOS Keychain``, ..."""
        return str(self._ask("name")["backend"])

    def key(self, terms: KeyTerms) -> Key | None:
        """The key that a vault names; None where the keyring has none of that mark."""
        text = self._ask("get", user=terms.mark)["value"]
        if text is None:
            return None
        key = Key.of_text(text, "keyring")
        if key is None or not key.fits(terms):
            raise KeyringError(
                "The system's keyring holds another key than the one that was put there; unlock "
                "the right keyring, or restore it from a backup."
            )
        return key

    def keep(self, key: Key) -> None:
        """Store a key, and read it back in a process that has not stored it."""
        self._ask("set", user=key.mark, value=key.text())
        kept = self.key(key.terms)
        if kept is None:
            raise KeyringError(
                "The system's keyring did not keep the key that it was given; keep the key in a "
                "file instead: `postkit connect --make-key`, or `postkit vault rekey --to file`."
            )

    def forget(self, mark: str) -> None:
        """Delete the key of that mark."""
        self._ask("delete", user=mark)

    def _ask(self, do: str, **more: str) -> dict[str, Any]:
        if importlib.util.find_spec("keyring") is None:
            raise NoKeyring(
                "The package keyring is not installed: run `pip install 'postkit-social[keyring]'`."
            )
        answer = self._answered({"do": do, "service": SERVICE, "user": "", **more})
        if "error" in answer:
            said = " ".join(f"{answer['error']}: {answer.get('text') or ''}".split())
            raise KeyringError(
                f"The system's keyring refused ({Redactor.redact(said).rstrip('.: ')}); unlock it "
                "and try again."
            )
        if not answer.get("backend"):
            raise NoKeyring(
                "No keyring of the system can be reached from here; run it in the session of "
                "your desktop."
            )
        return answer

    def _answered(self, order: Mapping[str, str]) -> dict[str, Any]:
        Secret(order.get("value", ""))
        try:
            process = subprocess.Popen(  # noqa: S603 - this interpreter, without a shell
                [sys.executable, "-P", "-m", f"{__package__}.keyring_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,  # a backend that asks on the terminal finds none
            )
        except OSError as error:
            raise KeyringError(
                f"The system's keyring cannot be asked: {sys.executable} does not start "
                f"({error.strerror})."
            ) from error
        with process:
            try:
                out, _ = process.communicate(json.dumps(order).encode(), timeout=self._patience)
            except subprocess.TimeoutExpired:
                raise KeyringError(
                    f"The system's keyring did not answer within {self._patience:g} seconds: it "
                    "may wait for you to unlock it; do so and try again."
                ) from None
            finally:
                # With what it has started. Once it was waited for, its number may be another's.
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
        try:
            answer = json.loads(out)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not answer.keys() & {"backend", "error"}:
            raise KeyringError(
                "The system's keyring gave no answer: its backend ended the process that asked; "
                "look at `python -m keyring diagnose`."
            )
        return answer


def _environment() -> dict[str, str]:
    """This process's, with the folders it imports from and without our own secrets."""
    bare = {name: value for name, value in os.environ.items() if name not in OURS}
    return {**bare, "PYTHONPATH": os.pathsep.join(folder for folder in sys.path if folder)}
