"""One network behind the cutter: its emulator, its own SDK, a Kit, and one account."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from postkit.deliver.identity import identify
from postkit.deliver.steps import Progress
from postkit.emulator.base import Emulator
from postkit.emulator.server import EmulatorServer
from postkit.kit import Kit
from postkit.network import CanRefresh
from postkit.plugins import Plugins
from postkit.post import Post
from postkit.report import DeliveryReport

from .checker import Violation, check
from .cutting import Break, Cutter, Seen
from .facts import Accepted, Create, of_emulator, read

KEY = b"k" * 32
PERIOD = 1800
"""Seconds of virtual time from run to run: a multiple of the networks' windows of rates, so that
every run meets them in the same state and the headers that tell of them are of one length."""
PHASE = 60
RENEW = timedelta(minutes=80)
"""Virtual time after which access is renewed: less than any token lives."""
QUIET = 0.05
"""Seconds of virtual time, and so little that it is over before the third look: how often is
looked is then told by the story. A longer window only looks more often."""
WAIT = 60.0
"""Seconds of virtual time in which a post comes to its end."""
FAULTS = {"rate_limit": 1.0, "index_lag": 2 * WAIT}
"""Seconds of virtual time: a refusal ends while the post waits, a lag of lists does not."""


class VirtualClock:
    """The real time, moved on by each sleep; a sleep takes none of it."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._start = datetime.now(UTC)
        self._slept = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return time.monotonic() - self._began + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += max(0.0, seconds)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one post, here and at the emulator.

    ``story`` are the events of its part. ``live`` counts the posts that readers see, ``created``
    the create requests that the emulator answered with success, ``sent`` those that reached the
    cutter. ``seconds`` is the real time that it took.
    """

    story: str
    state: str
    live: int
    created: int
    sent: int
    reasons: tuple[str, ...]
    seen: Seen
    report: DeliveryReport
    seconds: float


class Severed:
    """Publishes one post after the other, each under another break."""

    def __init__(self, kit: Kit, server: EmulatorServer, cutter: Cutter, address: str) -> None:
        self.kit = kit
        self.server = server
        self.cutter = cutter
        self.address = address
        self.label, _, self.target = address.partition("/")
        self.network = self.label.partition(":")[0]
        self._number = 1000
        self._renewed = kit.clock.now()
        self._accounts = {kit.account(self.label).id: self.network}
        self._accepted: list[Accepted] = []
        self._creates: list[Create] = []
        # Ids have as many digits in every run, so that the answer has as many bytes.
        while server.world.number() < 10_000:
            pass
        # What an account is asked once, and what is imported once, is over after the first post.
        assert self.run(None).state == "LIVE"

    def post(self) -> Post:
        """A text that was never sent before, always of the same length."""
        self._number += 1
        return Post(f"Cut at every byte, {self._number}.", title="Cut at every byte")

    def _next_period(self) -> None:
        now = self.kit.clock.now().timestamp()
        self.kit.clock.sleep(PERIOD - (now - PHASE) % PERIOD)

    def _renew(self) -> None:
        connection = self.kit.clients.take(self.kit.account(self.label))
        if isinstance(connection.network, CanRefresh):
            connection.renew()
            # Asked here, since what is cut is to be the create.
            self.kit.clients.told(connection, identify(connection))
        self.kit.clients.give(connection)
        self._renewed = self.kit.clock.now()

    def _keep(self) -> None:
        """What the emulator has seen since its reset, with what came after the end of a run."""
        accepted, creates = of_emulator(self.server, self._accounts)
        self._accepted += accepted
        self._creates += creates

    def violations(self) -> Sequence[Violation]:
        """What the history checker says of all posts until now: to be asked once, in the end."""
        self._keep()
        facts = read(self.kit.home.store_path)
        return check(replace(facts, accepted=self._accepted, creates=self._creates)).violations

    def run(
        self, breaking: Break | None, *, refused: bool = False, fault: str | None = None
    ) -> Outcome:
        """Publish one post while ``breaking`` (or nobody at the door) meets its first create.
        ``fault``: what the emulator does to the same one, see ``FAULTS``."""
        self._keep()
        self.server.reset()
        self._next_period()
        if self.kit.clock.now() - self._renewed > RENEW:
            self._renew()
        if fault is not None:
            self.server.add_fault(self.network, fault, seconds=FAULTS[fault])
        seen = self.cutter.arm(breaking)
        if refused:
            self.cutter.refuse()

        def watch(progress: Progress) -> None:
            if refused and progress.state == "waiting":
                self.cutter.listen()

        began = time.monotonic()
        report = self.kit.publish(self.post(), [self.address], wait=WAIT, watch=watch)
        seconds = time.monotonic() - began
        delivery = report.deliveries[0]
        assert delivery.id is not None
        history = [row for row in self.kit.history(delivery.id) if row.part_id is not None]
        posts = self.server.posts(self.network)
        return Outcome(
            story=" ".join(row.event for row in history),
            state=delivery.parts[0].state,
            live=len(posts),
            created=sum(
                1
                for entry in self.server.requests(self.network)
                if entry.create and entry.status is not None and entry.status < 300
            ),
            sent=self.cutter.creates,
            reasons=tuple(row.reason for row in history),
            seen=seen,
            report=delivery,
            seconds=seconds,
        )


CREATES = {
    "x": b"POST /x/2/tweets ",
    "facebook": b"POST /facebook/v26.0/{page_id}/feed",
    "reddit": b"POST /reddit/api/submit/",
    "mastodon": b"POST /mastodon/api/v1/statuses ",
    "bluesky": b"POST /bluesky/xrpc/com.atproto.repo.putRecord ",
}
"""How the first line of the request begins that makes a post of text."""


@contextmanager
def severed(network: str, **settings: float) -> Iterator[Severed]:
    """A bench for one network. ``settings`` are the account's, such as timeouts in seconds."""
    clock = VirtualClock()
    # What is on no disk is written at once.
    memory = Path("/dev/shm")
    home = Path(tempfile.mkdtemp(prefix="postkit", dir=memory if memory.is_dir() else None))
    rows = {"quiet": QUIET, **settings}
    lines = [f'[accounts."{network}:cut"]', *(f"{name} = {value}" for name, value in rows.items())]
    lines += ['cap_per_day = "none"', 'cap_burst = "none"']  # a post for each byte
    (home / "postkit.toml").write_text("\n".join(lines))
    try:
        with EmulatorServer([_emulator(network)], clock=clock) as server:
            account = server.accounts()[0]
            start = CREATES[network].replace(
                b"{page_id}", account.credentials.get("page_id", "").encode()
            )
            port = int(server.url.rpartition(":")[2])
            with Cutter(port, lambda line: line.startswith(start)) as cutter:
                endpoint = account.endpoint.replace(server.url, cutter.origin)
                with Kit(home=home, key=KEY, clock=clock) as kit:
                    _, problem = kit.connect(
                        network, account.credentials, name="cut", endpoint=endpoint
                    )
                    assert problem is None, problem
                    target = server.emulators[network].sample_target
                    address = f"{network}:cut" + (f"/{target}" if target else "")
                    bench = Severed(kit, server, cutter, address)
                    yield bench
                    violations = bench.violations()
                    assert not violations, "\n".join(map(str, violations))
    finally:
        shutil.rmtree(home)


def _emulator(network: str) -> type[Emulator]:
    return next(kind for kind in Plugins().emulators() if kind.network == network)
