"""One network on the bench: its emulator, a Kit in a temporary home, and one account."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postkit.deliver.attempt import create
from postkit.deliver.clients import Connection
from postkit.deliver.doubt import LOOK_BACK
from postkit.errors import InDoubt, PlanRefused
from postkit.network import (
    Account,
    Candidate,
    Guarantee,
    Network,
    Outgoing,
    Receipt,
    RenderedPart,
)
from postkit.plan import Planned, Wishes
from postkit.post import Part, Post
from postkit.report import DeliveryReport

if TYPE_CHECKING:
    from postkit.emulator.journal import Entry
    from postkit.emulator.server import EmulatorServer
    from postkit.emulator.timeline import LivePost
    from postkit.kit import Kit
    from postkit.limits.model import Limits

WAIT = 30.0
"""Seconds that a publish may take; all windows of an emulator are far shorter."""
PROCESSING = 3.0
"""Seconds that an emulator may be at work on a video."""
TEXT = "A post of the conformance suite."
SAFE = ("GET", "HEAD", "OPTIONS")


class Rig:
    """What a conformance test works with. ``live`` and ``creates`` are the emulator's own truth."""

    def __init__(
        self,
        server: EmulatorServer,
        kit: Kit,
        account: Account,
        address: str,
        *,
        title: str,
        options: Mapping[str, Any],
    ) -> None:
        self.server = server
        self.kit = kit
        self.account = account
        self.address = address
        self.network: Network[Any] = kit.plugins.network(account.network)
        self.reports: list[DeliveryReport] = []
        self._title = title
        self._options = options
        self._late = 0.0

    @property
    def limits(self) -> Limits:
        return self.network.limits_for(self.account)

    @property
    def target(self) -> str | None:
        return self.address.partition("/")[2] or None

    # Posts in, reports out

    def post(
        self, text: str | list[str | Part] = "A post of the conformance suite.", **fields: Any
    ) -> Post:
        """A post with what the network cannot do without."""
        if self.limits.title_required:
            fields.setdefault("title", self._title)
        return Post(text, **fields)

    def plan(self, post: Post, *, split: bool = True, strict: bool = False) -> Planned:
        """The plan for the one address; ``rendition`` is None where it refuses."""
        return self.kit.plan(post, [self.address], wishes=self._wishes(split, strict)).deliveries[0]

    def publish(self, post: Post, *, wait: float = WAIT, again: bool = False) -> DeliveryReport:
        """Publish and look for at most ``wait`` seconds. Raises PlanRefused."""
        report = self.kit.publish(post, [self.address], wait=wait, wishes=self._wishes(again=again))
        return self.kept(report.deliveries[0])

    def publish_or_refuse(self, post: Post) -> DeliveryReport | None:
        """The report, or None where the plan refused it and nothing was sent."""
        before = len(self.creates())
        try:
            return self.publish(post)
        except PlanRefused:
            sent = len(self.creates()) - before
        assert not sent, "The plan was refused after something had been sent."
        return None

    def finish(self, report: DeliveryReport, *, wait: float = WAIT) -> DeliveryReport:
        return self.kept(self.kit.finish(name_of(report), wait=wait).deliveries[0])

    def kept(self, report: DeliveryReport) -> DeliveryReport:
        self.reports.append(report)
        return report

    def _wishes(self, split: bool = True, strict: bool = False, again: bool = False) -> Wishes:
        options = {self.network.name: self._options} if self._options else {}
        return Wishes(split=split, strict=strict, again=again, options=options)

    # One request by hand, past planning and delivery

    @contextlib.contextmanager
    def connected(self) -> Iterator[Connection]:
        connection = self.kit.clients.take(self.account)
        try:
            yield connection
        finally:
            self.kit.clients.give(connection)

    def part(self, post: Post) -> RenderedPart:
        """The first part of the rendition. Fails where the post is refused."""
        wishes = self._wishes(again=True)
        planned = self.kit.plan(post, [self.address], wishes=wishes).deliveries[0]
        assert planned.rendition is not None, (
            f"{self.address} refuses an ordinary post: {' '.join(planned.reasons)}"
        )
        return planned.rendition.parts[0]

    def outgoing(self, part: RenderedPart, connection: Connection) -> Outgoing:
        """The request for ``part``, prepared as the courier would."""
        journal: dict[str, Any] = {}
        connection.ask(lambda: self.network.prepare(connection.client, part, journal))
        return Outgoing(
            part, journal, self.network.new_key(part), self.kit.clock.now(), self.target
        )

    def create(self, outgoing: Outgoing, connection: Connection) -> Receipt:
        """Send it as the core does: one create request, held against the wire."""
        return create(self.network, connection.client, connection.session, outgoing)

    def sent(self, outgoing: Outgoing, connection: Connection) -> Receipt:
        """``create``, and a look for a network whose answer carries no id by design; more of
        them while it is at work on a video."""
        try:
            return self.create(outgoing, connection)
        except InDoubt:
            until = time.monotonic() + PROCESSING
            while not (found := self.find(outgoing, connection)) and time.monotonic() < until:
                time.sleep(0.1)
            if len(found) != 1:
                raise
            return found[0].receipt

    def find(self, outgoing: Outgoing, connection: Connection) -> list[Candidate]:
        since = outgoing.created_at - LOOK_BACK
        return list(connection.ask(lambda: self.network.find(connection.client, outgoing, since)))

    def send_raw(self, part: RenderedPart) -> Receipt:
        """Upload and create without adapting: what the emulator itself says to ``part``."""
        with self.connected() as connection:
            return self.sent(self.outgoing(part, connection), connection)

    def guarantee(self, part: RenderedPart | None = None) -> Guarantee:
        return self.network.guarantee(part or self.part(self.post()), self.account)

    # The emulator's side

    def live(self) -> list[LivePost]:
        """Every live post, oldest first, after a fault that holds one back has run out."""
        time.sleep(max(0.0, self._late - time.monotonic()))
        return self.server.posts(self.network.name)

    def requests(self) -> list[Entry]:
        return self.server.requests(self.network.name)

    def creates(self) -> list[Entry]:
        """The requests that could have made a post."""
        return [entry for entry in self.requests() if entry.create]

    def writes(self) -> list[Entry]:
        """The requests that are no reads and renew no access."""
        return [
            entry
            for entry in self.requests()
            if entry.method not in SAFE and not entry.path.endswith(self.network.auth_paths)
        ]

    def fault(self, kind: str, **settings: Any) -> None:
        fault = self.server.add_fault(self.network.name, kind, **settings)
        if kind == "late":
            # Counted from now, although it begins with the request: a test asks much later.
            self._late = time.monotonic() + 2 * fault.duration + 1.0

    def now(self) -> datetime:
        return self.kit.clock.now()


def name_of(report: DeliveryReport) -> str:
    assert report.id is not None, "A delivery that was accepted has an id."
    return report.id


def story(rig: Rig, report: DeliveryReport) -> str:
    """What a failed assertion shows: report, history, and the requests that were seen."""
    lines = [f"report: state {report.state}, error {report.error}, question {report.question}"]
    if report.id is not None:
        lines += [
            f"  {row.event}: {row.before} -> {row.after}: {row.reason}"
            for row in rig.kit.history(report.id)
        ]
    lines.append("requests at the emulator:")
    lines += [
        f"  {e.method} {e.path} -> {e.status}{' create' if e.create else ''} {e.fault or ''}"
        for e in rig.requests()
    ]
    lines.append(f"live posts: {[(post.id, post.text[:60]) for post in rig.live()]}")
    return "\n".join(lines)
