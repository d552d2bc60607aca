"""A running PDS: its address, an account on it, and how it starts and ends."""

from __future__ import annotations

import json
import os
import secrets
import selectors
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import requests

from . import install

SCRIPT = Path(__file__).parent / "server" / "serve.mjs"


@dataclass(frozen=True, slots=True)
class Pds:
    """A real PDS on 127.0.0.1 and one account of it.

    `url` has no trailing slash. The account's password also opens a session where an app
    password would.
    """

    url: str
    handle: str
    password: str = field(repr=False)
    did: str

    def new_account(self) -> Pds:
        """The same server with a fresh account: an empty repository and full rate limits.

        The server allows 100 new accounts in five minutes.
        """
        handle = f"b{secrets.token_hex(5)}.test"
        password = secrets.token_urlsafe(18)
        answer = requests.post(
            f"{self.url}/xrpc/com.atproto.server.createAccount",
            json={
                "handle": handle,
                "password": password,
                "email": f"{handle.removesuffix('.test')}@mail.test",
            },
            timeout=30,
        )
        answer.raise_for_status()
        return replace(self, handle=handle, password=password, did=answer.json()["did"])


@contextmanager
def running(folder: Path, *, rate_limits: bool = True, ready: float = 60) -> Iterator[Pds]:
    """Start the PDS installed in `folder` and end it, and nothing else, afterwards.

    `ready` is how long the start may take, in seconds. Raises RuntimeError with what the server
    wrote where it does not answer by then.
    """
    environment = {**os.environ, "POSTKIT_PDS_RATE_LIMITS": "1" if rate_limits else "0"}
    with (
        TemporaryFile() as log,
        subprocess.Popen(
            [install.node(), SCRIPT, folder],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = _first_line(process.stdout, ready)
            if not line:
                log.seek(0)
                said = log.read().decode(errors="replace")
                raise RuntimeError(f"The PDS did not start (it has {ready:g} s):\n{said[-2000:]}")
            yield Pds(**json.loads(line))
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _first_line(stream: IO[bytes], seconds: float) -> bytes:
    deadline = time.monotonic() + seconds
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return b""
            chunk = os.read(stream.fileno(), 4096)
            if not chunk:
                return b""
            line += chunk
    return line
