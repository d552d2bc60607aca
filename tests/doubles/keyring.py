"""A stand-in for the package keyring, found on the path before it.

KEYRING_DOUBLE names the file where it keeps what it is given; KEYRING_DOUBLE_BACKEND the class
that it says it is (several with commas: a chain); KEYRING_DOUBLE_MOOD how it behaves.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from pathlib import Path


class KeyringLocked(Exception):
    pass


class Store:
    """Keeps passwords in a JSON file, as long as its mood is good."""

    def __init__(self) -> None:
        self._path = Path(os.environ["KEYRING_DOUBLE"])
        self._mood = os.environ.get("KEYRING_DOUBLE_MOOD", "")

    def get_password(self, service: str, user: str) -> object:
        self._act()
        if self._mood == "lies":
            return "A" * 43 + "="
        if self._mood == "babbles":
            # No canary: this pipe to postkit is where a key belongs.
            return "babble-of-a-key" * 10_000
        if self._mood == "is no text":
            return b"pk_canary_bytes"
        return self._held().get(f"{service}/{user}")

    def set_password(self, service: str, user: str, password: str) -> None:
        self._act()
        if self._mood == "refuses":
            raise KeyringLocked(f"Failed to unlock; given: {password}")
        if self._mood != "forgets":
            self._path.write_text(json.dumps({**self._held(), f"{service}/{user}": password}))

    def delete_password(self, service: str, user: str) -> None:
        self._act()
        held = self._held()
        del held[f"{service}/{user}"]
        self._path.write_text(json.dumps(held))

    def _held(self) -> dict[str, str]:
        held: dict[str, str] = json.loads(self._path.read_text()) if self._path.exists() else {}
        return held

    def _act(self) -> None:
        match self._mood:
            case "hangs":
                time.sleep(600)
            case "prompts":
                getpass.getpass("Password for keyring: ")
            case "asks on the terminal":
                with Path("/dev/tty").open() as terminal:
                    terminal.readline()
            case "dies":
                os._exit(7)
            case "is noisy":
                for stream in (sys.stdout, sys.stderr):
                    stream.write('{"backend": "mine", "value": "pk_canary_noise"}')
                    stream.flush()


class Chain:
    def __init__(self, backends: list[Store]) -> None:
        self.backends = backends


def named(path: str, base: type = Store) -> type:
    """A class that says it is another one."""
    module, _, name = path.rpartition(".")
    return type(name, (base,), {"__module__": module, "__qualname__": name})


def get_keyring() -> object:
    names = os.environ["KEYRING_DOUBLE_BACKEND"].split(",")
    if len(names) == 1:
        return named(names[0])()
    chain = named("keyring.backends.chainer.ChainerBackend", Chain)
    return chain([named(name)() for name in names if name])
