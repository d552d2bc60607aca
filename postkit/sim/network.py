"""A network plugin over a simulated wire: what a plugin does, with faults out of the schedule."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import requests
from requests.structures import CaseInsensitiveDict

from ..classify import by_status
from ..clock import micros
from ..errors import Duplicate, NetworkError
from ..limits.entities import EntityRules
from ..limits.model import Limits, Rate, Source
from ..network import (
    Account,
    Candidate,
    CredentialSet,
    Failure,
    Guarantee,
    Identity,
    Journal,
    Network,
    Outgoing,
    Receipt,
    RenderedPart,
)
from ..transport import Exchange, RedirectRefused, Session
from .clock import EPOCH, EPOCH_MICROS
from .remote import Content, Post

if TYPE_CHECKING:
    from ..accounts.secrets import Secrets
    from .process import Process
    from .world import World

HOST = "https://simulated.invalid"
_SOURCE = Source("no network: a simulation", date(2026, 11, 23), verified=False)


class SimSession(Session):
    """The real rules of one create request, without sockets."""

    def __init__(self) -> None:
        self.hosts = (HOST,)
        self.services = ()
        self.endpoint = None
        self.auth_paths = ("/token",)
        self.calls = 0
        self.last = None
        self.created = None
        self._scope = None

    def close(self) -> None:
        pass

    def answer(
        self,
        exchange: Exchange,
        status: int,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """The JSON of the answer, or what an SDK raises for it. ``body`` None: no JSON at all."""
        content = b"<html></html>" if body is None else json.dumps(body).encode()
        response = _Answer(status, content, headers or {})
        exchange.wrote = True
        exchange.status = status
        exchange.headers = response.headers
        exchange.response = response
        if 300 <= status < 400:
            raise RedirectRefused("It redirects.", response=response)
        if status >= 400:
            raise requests.HTTPError(f"HTTP {status}", response=response)
        return body


class _Answer(requests.Response):
    """What an SDK reads of an answer, without the jars and locks of a real one."""

    def __init__(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.status_code = status
        self._content = content
        self.headers = CaseInsensitiveDict(headers)
        self.encoding = "utf-8"
        self.reason = ""
        self.url = HOST


@dataclass(slots=True)
class Client:
    """Of one account, in one process."""

    session: SimSession
    account: Account
    process: Process


class SimNetwork(Network[Client]):
    """Sends, and asks nothing: a blind one."""

    name = "simulated"
    title = "The network"
    hosts = (HOST,)
    credentials: ClassVar[tuple[CredentialSet, ...]] = ()

    limits = Limits(_SOURCE, (), EntityRules(), threads=True, media_count=4)

    def __init__(self, world: World) -> None:
        self._world = world
        rate = world.schedule.rate
        rates = (Rate("posts", rate[0], rate[1], _SOURCE),) if rate is not None else ()
        self._limits = self.limits.changed(rates=rates)

    def limits_for(self, account: Account) -> Limits:  # noqa: ARG002 - the interface decides
        return self._limits

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        raise NotImplementedError

    def identify(self, client: Client) -> Identity:
        return Identity(client.account.id, client.account.name)

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:  # noqa: ARG002
        kind = self._world.schedule.kind
        return kind.pictured if part.fields["pictures"] else kind.plain

    def new_key(self, part: RenderedPart) -> str:  # noqa: ARG002 - the interface decides
        return self._world.new_key()

    def classify(self, failure: Failure) -> NetworkError:
        exchange = failure.exchange
        retry_at = None
        if exchange is not None and exchange.status is not None:
            body = exchange.json()
            if isinstance(body, dict) and body.get("code") == 187:
                return Duplicate("It is live already.", network=self.name, status=403)
            wait = exchange.headers.get("retry-after")
            if wait is not None:
                # By the machine's clock, as the core does with the real one.
                wall = self._world.time.wall() - EPOCH_MICROS
                retry_at = EPOCH + timedelta(microseconds=wall, seconds=float(wait))
        return by_status(self.title, failure, retry_at=retry_at)

    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        for number in range(part.fields["pictures"]):
            if f"media_{number}" in journal:
                self._ask(client, "GET", "/media")  # is it still there?
            else:
                self._ask(client, "POST", "/media")
                journal[f"media_{number}"] = self._world.new_key()

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        exchange = client.session.begin("POST", f"{HOST}/posts")
        client.process.point("before the socket")
        body = self._world.wire.create(client, exchange, outgoing, content_of(outgoing))
        return receipt_of(str(body.get("id", "")))

    def _ask(self, client: Client, method: str, path: str) -> None:
        exchange = client.session.begin(method, f"{HOST}{path}")
        self._world.wire.read(client, exchange)


class Finding(SimNetwork):
    """It lists an account's posts, or shows the one under our key."""

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        world = self._world
        exchange = client.session.begin("GET", f"{HOST}/posts")
        stale = world.wire.read(client, exchange)
        now = world.time.now - stale
        kind = world.schedule.kind
        if kind.proves:
            post = world.remote.keyed(client.account.id, outgoing.key, now)
            return [_candidate(post, proof=True)] if post is not None else []
        wanted = content_of(outgoing)
        # Pictures are told apart by ids of our own uploads in some networks.
        proof = kind.kind == "duplicate_refusal" and wanted[1] is not None
        listed = world.remote.listed(client.account.id, micros(since) - EPOCH_MICROS, now)
        return [_candidate(post, proof) for post in listed if post.content == wanted]


def _renew(network: SimNetwork, client: Client) -> None:
    world = network._world
    exchange = client.session.begin("POST", f"{HOST}/token")
    world.wire.renew(client, exchange)


class Renewing(SimNetwork):
    """Access can be renewed."""

    def refresh(self, client: Client) -> None:
        _renew(self, client)


class FindingAndRenewing(Finding):
    def refresh(self, client: Client) -> None:
        _renew(self, client)


def network_of(world: World) -> SimNetwork:
    """The network of a schedule."""
    if world.schedule.kind.kind == "blind":
        return Renewing(world) if world.schedule.renews else SimNetwork(world)
    return FindingAndRenewing(world) if world.schedule.renews else Finding(world)


def content_of(outgoing: Outgoing) -> Content:
    picture = outgoing.prepared.get("media_0")
    return outgoing.part.text, picture, outgoing.parent.id if outgoing.parent else None


def receipt_of(post_id: str) -> Receipt:
    return Receipt(post_id, f"{HOST}/posts/{post_id}" if post_id else None)


def _candidate(post: Post, proof: bool) -> Candidate:
    return Candidate(receipt_of(post.id), EPOCH + timedelta(microseconds=post.at), proof)
