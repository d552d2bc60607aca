"""What a long queue costs: 100,000 posts scheduled ahead, one worker, a network that does nothing.

Prints one line of JSON: how late a request leaves after its due time (median and 99th percentile
in milliseconds), the worker's memory (MiB), the time to add one post and to show the queue
(milliseconds, medians), and how many of 2,000 posts that are due at once leave in a second.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import postkit
from postkit.accounts.secrets import Secrets
from postkit.clock import SystemClock, micros
from postkit.hookspecs import hookimpl
from postkit.ids import new_id
from postkit.limits.counters import CodePoints
from postkit.limits.entities import EntityRules
from postkit.limits.model import Limits, Source, TextLimit
from postkit.network import (
    Account,
    Credential,
    CredentialSet,
    Identity,
    Network,
    Outgoing,
    Receipt,
    RenderedPart,
)
from postkit.store.publications import Due, NewDelivery
from postkit.transport import Session

ACCOUNTS = 20
SOURCE = Source("made up for this measurement", date(2026, 11, 23))
KEY = b"k" * 32


class Nothing(Network[Session]):
    """Accepts everything at once, without a socket."""

    name = "nothing"
    title = "Nothing"
    hosts = ("https://nothing.invalid",)
    credentials = (CredentialSet("token", (Credential("token", "any"),)),)
    limits = Limits(
        source=SOURCE,
        text=(TextLimit(CodePoints(), 500, SOURCE),),
        rules=EntityRules(),
        threads=True,
        media_count=0,
    )

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Session:
        return session

    def identify(self, client: Session) -> Identity:
        return Identity("1", "nothing")

    def publish(self, client: Session, outgoing: Outgoing) -> Receipt:
        exchange = client.begin("POST", client.base + "/posts")
        exchange.wrote = True
        exchange.status = 200
        return Receipt(uuid.uuid4().hex)


class Plugin:
    @hookimpl
    def postkit_networks(self) -> Iterable[Network[Any]]:
        return [Nothing()]


def opened(home: str) -> postkit.Kit:
    uncapped = f'[networks.{Nothing.name}]\ncap_per_day = "none"\ncap_burst = "none"\n'
    Path(home, "postkit.toml").write_text(uncapped, "utf-8")
    return postkit.Kit(home=home, plugins=[Plugin()], key=KEY)


def fill(kit: postkit.Kit, count: int) -> None:
    """Posts from tomorrow on, a thousand in a transaction."""
    now = SystemClock().now()
    accounts = kit.accounts
    for start in range(0, count, 1000):
        new = []
        for number in range(start, min(start + 1000, count)):
            account = accounts[number % len(accounts)]
            at = now + timedelta(days=1, seconds=number * 60)
            text = f"Post {number} of many, which says what it says in a sentence or two."
            new.append(
                NewDelivery(
                    new_id("d"), account.id, account.label, account.network, None, f"hash {number}",
                    [RenderedPart(text)], [], [], None, Due(at, at + timedelta(hours=6)),
                )
            )  # fmt: skip
        kit._publications.accept(new_id("p"), new, content=f"c {start}", again=True)


def due(kit: postkit.Kit, count: int, first: datetime, spread: float) -> None:
    accounts = kit.accounts
    chance = random.Random(1)
    new = []
    for number in range(count):
        account = accounts[number % len(accounts)]
        at = first + timedelta(seconds=chance.uniform(0, spread))
        new.append(
            NewDelivery(
                new_id("d"), account.id, account.label, account.network, None, f"due {number}",
                [RenderedPart(f"Due {number}.")], [], [], None, Due(at, at + timedelta(hours=6)),
            )
        )  # fmt: skip
    kit._publications.accept(new_id("p"), new, content=f"due {first}", again=True)


def work(home: str) -> None:
    """The worker's own process: drains, then tells its memory."""
    with opened(home) as kit:
        kit.worker().run(drain=True, wait=float(os.environ.get("WAIT", "0")))
    status = Path("/proc/self/status").read_text("ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    sys.stdout.write(str(int(peak.split()[1]) / 1024))


def worked(home: str, wait: float) -> tuple[float, float]:
    """Peak memory (MiB) and seconds of a worker that drains."""
    start = time.monotonic()
    command = [sys.executable, __file__, "--work", home]
    environment = {**os.environ, "WAIT": str(wait)}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(found.stdout), time.monotonic() - start


def lateness(kit: postkit.Kit, since: datetime) -> list[float]:
    rows = kit._database.read(
        "SELECT (h.at - p.due_at) / 1000.0 AS late FROM history h JOIN part p ON p.id = h.part_id "
        "WHERE h.event = 'send' AND h.at > :since",
        {"since": micros(since)},
    )
    return sorted(row["late"] for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--work", metavar="HOME")
    given = parser.parse_args()
    if given.work:
        work(given.work)
        return
    with tempfile.TemporaryDirectory() as home, opened(home) as kit:
        for number in range(ACCOUNTS):
            kit.connect("nothing", {"token": "any"}, name=f"a{number}")
        fill(kit, given.posts)
        figures: dict[str, float] = {"posts": given.posts}

        times = []
        for number in range(30):
            start = time.perf_counter()
            kit.schedule(f"One more, number {number}.", ["nothing:a1"], at="in 2h")
            times.append((time.perf_counter() - start) * 1000)
        figures["add_ms"] = round(statistics.median(times), 2)

        times = []
        for _ in range(5):
            start = time.perf_counter()
            kit.queue()
            kit.queue_length()
            times.append((time.perf_counter() - start) * 1000)
        figures["queue_ms"] = round(statistics.median(times), 1)

        began = SystemClock().now()
        due(kit, 400, began + timedelta(seconds=3), 10)
        figures["worker_mib"] = round(worked(home, 15)[0], 1)
        late = lateness(kit, began)
        figures["started"] = len(late)
        figures["late_ms_median"] = round(statistics.median(late), 1)
        figures["late_ms_p99"] = round(late[int(len(late) * 0.99)], 1)

        began = SystemClock().now()
        due(kit, 2000, began, 0)
        worked(home, 0)
        rows = kit._database.read(
            "SELECT min(at) AS first, max(at) AS last, count(*) AS n FROM history "
            "WHERE at > :since AND event IN ('claim', 'accepted')",
            {"since": micros(began)},
        )[0]
        seconds = (rows["last"] - rows["first"]) / 1e6
        figures["drained"] = rows["n"] // 2
        figures["drain_per_s"] = round(rows["n"] / 2 / seconds, 1)
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
