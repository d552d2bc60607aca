"""A small network without a socket: its posts are the truth, its answers come out of a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from postkit.accounts.secrets import Secrets
from postkit.errors import Duplicate, InDoubt, NeedsLogin, Refused, Throttled, Unavailable
from postkit.limits.entities import EntityRules
from postkit.limits.model import Limits, Source
from postkit.network import (
    Account,
    Candidate,
    Guarantee,
    Identity,
    Journal,
    Network,
    Outgoing,
    Receipt,
    RenderedPart,
)
from postkit.transport import Exchange, Session

if TYPE_CHECKING:
    from .member import Member

TOKEN = "pk_canary_of_the_machine"
QUIET = 60.0
GUARANTEES = {
    "read_back": Guarantee("read_back", quiet=QUIET),
    "key": Guarantee("key", quiet=QUIET, key_ttl=3600.0, resend_when_absent=True),
    "probe": Guarantee("probe", quiet=0.0, resend_when_absent=True),
    "duplicate_refusal": Guarantee("duplicate_refusal", quiet=QUIET, resend_when_absent=True),
    "blind": Guarantee("blind"),
}
ANSWERS = (
    *("accept", "lose accepted", "lose refused", "late", "throttle", "refuse"),
    *("away", "login", "no id", "kill before", "kill after"),
)
"""What becomes of one create. ``late``: accepted, listed two quiet windows later, no answer."""


@dataclass(slots=True)
class Post:
    """One post that was accepted. ``part``: whose it truly is."""

    id: str
    part: str
    account: str
    text: str
    key: str
    parent: str | None
    at: datetime
    listed_at: datetime


@dataclass(slots=True)
class Client:
    session: Session
    account: Account
    member: Member


@dataclass(slots=True)
class Remote:
    """What the network has, and what it will do next."""

    now: Callable[[], datetime]
    kinds: dict[str, str] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    script: list[str] = field(default_factory=list)
    requests: list[tuple[str, datetime]] = field(default_factory=list)
    keys: int = 0
    blind_until: datetime | None = None
    """Until then nobody can look anything up."""

    def known(self, account: str, outgoing: Outgoing) -> Post | None:
        """The post that a repeat cannot make a second time."""
        kind = self.kinds[account]
        for post in self.posts:
            if post.account != account:
                continue
            if kind in ("key", "probe") and post.key == outgoing.key:
                return post
            if kind == "duplicate_refusal" and post.text == outgoing.part.text:
                return post
        return None

    def accept(self, account: str, part: str, outgoing: Outgoing, lag: float = 0) -> Post:
        at = self.now()
        if self.kinds[account] == "probe":
            lag = 0  # what is asked for by its id is there at once
        post = Post(
            str(len(self.posts) + 1),
            part,
            account,
            outgoing.part.text,
            outgoing.key,
            outgoing.parent.id if outgoing.parent else None,
            at,
            at + timedelta(seconds=lag),
        )
        self.posts.append(post)
        return post

    def listed(self, account: str) -> list[Post]:
        now = self.now()
        return [p for p in self.posts if p.account == account and p.listed_at <= now]


class Toy(Network[Client]):
    name = "toy"
    title = "Toy"
    hosts = ("https://toy.invalid",)
    credentials = ()
    limits = Limits(
        Source("a test", date(2026, 11, 23)), (), EntityRules(), threads=True, media_count=0
    )

    def __init__(self, remote: Remote) -> None:
        self.remote = remote

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        raise NotImplementedError

    def identify(self, client: Client) -> Identity:
        return Identity(client.account.id, client.account.name)

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        return GUARANTEES[self.remote.kinds[account.id]]

    def new_key(self, part: RenderedPart) -> str:
        self.remote.keys += 1
        return f"key {self.remote.keys}"

    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        client.member.prepares(client)
        journal["token"] = "prepared"

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        part = client.member.announced(client, outgoing)
        exchange = client.session.begin("POST", f"{client.session.base}/posts?token={TOKEN}")
        client.member.leaves(client)
        remote, account = self.remote, client.account.id
        remote.requests.append((account, remote.now()))
        exchange.wrote = True
        step = remote.script.pop(0) if remote.script else "accept"
        known = remote.known(account, outgoing)
        if step == "away":
            exchange.wrote = False
            raise Unavailable(f"No route with {TOKEN}.")
        if step == "throttle":
            exchange.status = 429
            at = remote.now() + timedelta(seconds=30)
            raise Throttled("Too many.", network=self.name, status=429, retry_at=at)
        if step == "login":
            exchange.status = 401
            raise NeedsLogin(f"{TOKEN} has ended.", network=self.name, status=401)
        if step == "kill before":
            client.member.die()
        if step == "lose refused":
            raise Unavailable("No answer.")
        if known is None and step == "refuse":
            exchange.status = 400
            raise Refused(f"Not with {TOKEN}.", network=self.name, status=400)
        if known is not None and remote.kinds[account] == "duplicate_refusal":
            exchange.status = 422
            raise Duplicate("It is there.", network=self.name, status=422)
        lag = 2 * QUIET if step == "late" else 0
        post = known or remote.accept(account, part, outgoing, lag)
        return self._answer(client, exchange, step, post)

    def _answer(self, client: Client, exchange: Exchange, step: str, post: Post) -> Receipt:
        if step == "kill after":
            client.member.die()
        if step == "lose accepted":
            raise InDoubt(f"The answer to {TOKEN} was lost.", network=self.name)
        if step == "late":
            raise TimeoutError(f"{TOKEN} got no answer.")
        exchange.status = 200
        url = None if post.id.endswith("3") else f"https://toy.invalid/{post.id}"
        return Receipt("" if step == "no id" else post.id, url)

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        client.session.begin("GET", f"{client.session.base}/posts")
        remote = self.remote
        if remote.blind_until is not None and remote.now() < remote.blind_until:
            raise Unavailable("No list now.", network=self.name, retry_at=remote.blind_until)
        return [
            Candidate(Receipt(post.id), post.at, proof=post.key == outgoing.key)
            for post in remote.listed(client.account.id)
            if post.text == outgoing.part.text
        ]
