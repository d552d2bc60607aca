"""How long a publication to ten networks takes where each answers after 100 ms.

Runs ten toy networks against a loopback server, prints one line of JSON with the wall times in
milliseconds: the first publish, then the median of the warm ones.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from datetime import date
from typing import Any

import postkit
from postkit.accounts.secrets import Secrets
from postkit.hookspecs import hookimpl
from postkit.limits.counters import CodePoints
from postkit.limits.entities import EntityRules
from postkit.limits.model import Limits, Source, TextLimit
from postkit.network import Account, Credential, CredentialSet, Identity, Network, Outgoing, Receipt
from postkit.transport import Session

COUNT, DELAY, RUNS = 10, 0.1, 15
SOURCE = Source("made up for this measurement", date(2026, 11, 23))


class Toy(Network[Session]):
    title = "Toy"
    hosts = ()
    needs_endpoint = True
    credentials = (CredentialSet("token", (Credential("token", "any"),)),)
    limits = Limits(
        source=SOURCE,
        text=(TextLimit(CodePoints(), 500, SOURCE),),
        rules=EntityRules(),
        threads=True,
        media_count=0,
    )

    def __init__(self, number: int) -> None:
        self.name = f"toy{number}"  # type: ignore[misc]

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Session:
        return session

    def identify(self, client: Session) -> Identity:
        return Identity("1", "toy")

    def publish(self, client: Session, outgoing: Outgoing) -> Receipt:
        answer = client.post(client.base + "/posts", json={"text": outgoing.part.text}).json()
        return Receipt(answer["id"])


class Toys:
    @hookimpl
    def postkit_networks(self) -> Iterable[Network[Any]]:
        return [Toy(number) for number in range(COUNT)]


class SlowServer:
    """Answers every request after DELAY seconds, any number side by side."""

    def __init__(self) -> None:
        self._numbers = iter(range(10**9))
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self.port = 0

        async def serve() -> None:
            server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            started.set()

        def run() -> None:
            self._loop.create_task(serve())
            self._loop.run_forever()

        threading.Thread(target=run, daemon=True).start()
        started.wait()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = 0
                for line in head.split(b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                await reader.readexactly(length)
                await asyncio.sleep(DELAY)
                body = json.dumps({"id": str(next(self._numbers))}).encode()
                writer.write(
                    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def main() -> None:
    server = SlowServer()
    times = []
    with (
        tempfile.TemporaryDirectory() as home,
        postkit.Kit(home, key=os.urandom(32), plugins=[Toys()]) as kit,
    ):
        for number in range(COUNT):
            endpoint = f"http://127.0.0.1:{server.port}"
            kit.connect(f"toy{number}", {"token": "t" * 20}, endpoint=endpoint)
        to = [f"toy{number}" for number in range(COUNT)]
        for run in range(RUNS + 1):
            started = time.perf_counter()
            report = kit.publish(f"Hello number {run}", to)
            times.append((time.perf_counter() - started) * 1000)
            assert report.ok, report
    warm = times[1:]
    row = {
        "networks": COUNT,
        "answer_ms": DELAY * 1000,
        "first_ms": round(times[0], 1),
        "warm_median_ms": round(statistics.median(warm), 1),
        "warm_min_ms": round(min(warm), 1),
        "warm_max_ms": round(max(warm), 1),
        "runs": RUNS,
    }
    sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
