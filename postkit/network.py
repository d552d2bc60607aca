"""What a network plugin is: one class, and the values that pass between it and the core."""

from __future__ import annotations

import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    Protocol,
    TypeVar,
    runtime_checkable,
)

from .accounts.oauth.terms import Choice, OAuth, Scope
from .accounts.place import Place
from .errors import NetworkError
from .rendition import (
    Attachment,
    CannotRender,
    Change,
    Json,
    MediaKind,
    MediaSource,
    RenderedPart,
    RenderOptions,
    Rendition,
)

if TYPE_CHECKING:
    from .accounts.grant import Grant
    from .accounts.secrets import Secrets
    from .limits.model import Limits
    from .post import Post
    from .transport import Exchange, Session

__all__ = [
    "NAME",
    "Account",
    "ApiVersion",
    "Attachment",
    "CanChoose",
    "CanDelete",
    "CanList",
    "CanRefresh",
    "CanRegister",
    "CanRevoke",
    "Candidate",
    "CannotRender",
    "Change",
    "Choice",
    "Client",
    "Cost",
    "Credential",
    "CredentialSet",
    "Failure",
    "Guarantee",
    "GuaranteeKind",
    "Identity",
    "Journal",
    "Json",
    "MediaKind",
    "MediaSource",
    "Network",
    "OAuth",
    "Option",
    "Outgoing",
    "Receipt",
    "RemotePost",
    "RenderOptions",
    "RenderedPart",
    "Rendition",
    "Scope",
]

Client = TypeVar("Client")


@dataclass(frozen=True, slots=True)
class Credential:
    """One field that a person must supply; ``how`` says where to get it."""

    name: str
    how: str
    secret: bool = True
    optional: bool = False


@dataclass(frozen=True, slots=True)
class CredentialSet:
    """One way to prove who we are: all its fields together. A network may have several."""

    name: str
    fields: tuple[Credential, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """A setting of one network alone, given as ``network.name=value``."""

    name: str
    help: str
    type: Literal["text", "bool", "int", "choice", "list"] = "text"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a network says we are. ``facts`` is what else was read at connect (server limits)."""

    id: str
    name: str
    url: str | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """One identity at one network. ``endpoint`` replaces the network's own hosts where set."""

    id: str
    network: str
    name: str
    endpoint: str | None = None
    ca_bundle: str | None = None
    identity: Identity | None = None
    settings: Mapping[str, Json] = field(default_factory=dict)
    tenant: str = ""
    state: Literal["ok", "unverified", "needs_login"] = "ok"
    protected: bool = False
    """Each post to it is confirmed by its name, and no bare network means it."""
    is_default: bool = False
    """Among several of the network, the one that its bare name means."""

    @property
    def label(self) -> str:
        return f"{self.network}:{self.name}"

    @property
    def place(self) -> Place:
        """Where its access is for."""
        return Place(self.endpoint, self.ca_bundle)

    @property
    def facts(self) -> Mapping[str, Json]:
        return self.identity.facts if self.identity else {}


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a part is live. ``id`` is the network's, as text and never empty; ``url`` is
    where people read it; ``data`` is what else a reply needs, as JSON."""

    id: str
    url: str | None = None
    data: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        return {"id": self.id, "url": self.url, "data": dict(self.data)}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Everything that the one create request is made of, stored before it is sent.

    A repeat is given the same values, so what it sends is the same to the byte.
    ``prepared`` is the journal that ``prepare`` filled, ``key`` what ``new_key`` gave.
    ``parent`` and ``root`` are the receipts of the part before and of the first one; None for a
    part that answers none.
    """

    part: RenderedPart
    prepared: Mapping[str, Json]
    key: str
    created_at: datetime
    target: str | None = None
    parent: Receipt | None = None
    root: Receipt | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "part": self.part.to_json(),
            "prepared": dict(self.prepared),
            "key": self.key,
            "created_at": self.created_at.isoformat(),
            "target": self.target,
            "parent": self.parent.to_json() if self.parent else None,
            "root": self.root.to_json() if self.root else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json], source: MediaSource) -> Outgoing:
        return cls(
            part=RenderedPart.from_json(data["part"], source),
            prepared=data["prepared"],
            key=data["key"],
            created_at=datetime.fromisoformat(data["created_at"]),
            target=data["target"],
            parent=Receipt(**data["parent"]) if data["parent"] else None,
            root=Receipt(**data["root"]) if data["root"] else None,
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A remote post that may be the one we asked for; ``at`` is the network's creation time.

    ``proof`` is True where it is ours without a doubt (found by our own key or media id).
    """

    receipt: Receipt
    at: datetime
    proof: bool = False


@dataclass(frozen=True, slots=True)
class RemotePost:
    """One of the account's own posts, as the network lists it."""

    receipt: Receipt
    text: str
    at: datetime


GuaranteeKind = Literal["key", "probe", "duplicate_refusal", "read_back", "blind"]


@dataclass(frozen=True, slots=True)
class Guarantee:
    """How we find out what happened to a request whose answer was lost.

    ``kind``: ``probe`` (we choose the id and ask for it), ``key``
    (the network answers a repeat under our key with the first post), ``duplicate_refusal`` (it
    refuses the same content twice), ``read_back`` (``find`` sees our own posts), ``blind``
    (nothing can be known: a person is asked). All but ``blind`` need an own ``find``, which is
    asked before anything is repeated.

    ``quiet``: seconds after which a post that is not listed was not accepted.
    ``key_ttl``: seconds for which the network honours our key (None: for ever).
    ``resend_when_absent``: absence after the window proves that nothing is live, or a repeat
    cannot make a second post; else a person is asked.
    """

    kind: GuaranteeKind
    quiet: float = 900.0
    key_ttl: float | None = None
    resend_when_absent: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """What sending one part costs."""

    amount: float
    currency: str


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """A version of a network's API. ``ends``: after that day it is gone (None: no end is
    announced)."""

    name: str
    ends: date | None
    source: str
    checked: date


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong in a call: the exception, and what the wire said (None: nothing was sent)."""

    error: Exception
    exchange: Exchange | None


Journal = MutableMapping[str, Json]
"""What ``prepare`` has got so far (upload ids): every assignment is durable when it returns."""


class Network(ABC, Generic[Client]):
    """A network. ``name``, ``title``, ``hosts``, ``credentials``, ``limits``, ``connect``,
    ``identify`` and ``publish`` are an author's work; the rest has honest defaults.

    An instance holds no state of an account: that lives in ``client``, which is made for one
    account and used by one thread at a time.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]
    """Origins (``https://api.example.com``) that the client may talk to. An account's endpoint
    takes the place of all of them; a network whose server the user names has none."""
    services: ClassVar[tuple[str, ...]] = ()
    """Those of ``hosts`` that serve every account, whatever server it is on: an endpoint takes
    their place only where it is on this machine."""
    credentials: ClassVar[tuple[CredentialSet, ...]]
    oauth: ClassVar[OAuth | None] = None
    """How an account is connected in the browser. The fields that this leaves in the vault (the
    app's, ``access_token``, ``refresh_token``, ``expires_at``, ``scopes``) must be enough for
    ``connect``. None: a person brings the credentials."""
    revoke_by_hand: ClassVar[str] = ""
    """How a person ends access that postkit could not end, as a whole sentence; it is told when an
    account is removed. Of a network with ``CanRevoke`` always: there something is left to do."""
    limits: ClassVar[Limits]
    options: ClassVar[tuple[Option, ...]] = ()
    auth_paths: ClassVar[tuple[str, ...]] = ()
    """Paths of token endpoints: requests to them create no post and are exempt from the rule
    of one create request."""
    loggers: ClassVar[tuple[str, ...]] = ()
    """Loggers of the SDK that write requests or headers out: the core redacts their records."""
    settings: ClassVar[tuple[str, ...]] = ()
    """Settings of its own that an account may have in postkit.toml, beside the core's."""
    versions: ClassVar[tuple[ApiVersion, ...]] = ()
    """The versions of the API that requests can name, and their ends."""
    needs_endpoint: ClassVar[bool] = False
    """True where each user has a server of their own choice (``--endpoint`` is required)."""

    @abstractmethod
    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        """A client for ``account``, over ``session``. Sends nothing that can be avoided.

        ``session`` is a ``requests.Session`` with timeouts and a guard on the hosts; begin each
        URL with ``session.base``, or hand the session to an SDK, whose URLs are led to the
        account's endpoint. ``secrets[NAME]`` is a field of ``credentials``: call its ``reveal()``
        only where the header is made. ``secrets.text(NAME)`` reads one that is no secret.
        """

    @abstractmethod
    def identify(self, client: Client) -> Identity:
        """Ask the network who we are. Raises NeedsLogin for a token of the wrong kind.

        Here and below let what the client library raises pass: the core reads the wire, and
        ``classify`` makes the next step of it.
        """

    @abstractmethod
    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        """Send exactly one create request. Anything but a receipt is an exception.

        One request that is neither a read (GET, HEAD, OPTIONS) nor one to ``auth_paths`` may
        leave; the next one is stopped before its socket.
        """

    def adapt(self, post: Post, limits: Limits, options: RenderOptions) -> Rendition:
        """What the address will get, by the table. Pure. Raises CannotRender."""
        from .adapt.default import adapt

        return adapt(self.name, post, limits, options)

    def limits_for(self, account: Account) -> Limits:
        """The limits of this account or server, from what was read at connect. Pure."""
        return self.limits

    def new_key(self, part: RenderedPart) -> str:
        """The key that makes a repeat recognisable, chosen and stored before sending."""
        return str(uuid.uuid4())

    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        """Uploads and the like: repeatable and invisible. What the journal has is not redone.

        Write each id down as soon as it is known (``journal["media_0"] = id``); ``publish`` finds
        it in ``outgoing.prepared``. Delete an id that is of no use any more before its upload is
        made anew: the deletion takes a call from the declared limit of uploads. Default: nothing
        to prepare.
        """

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        """Posts made since ``since`` with this content. Default: none can be found.

        Compare what a reader could tell apart: text (as the network shows it), media, parent.
        The core drops what is older than the request or belongs to another part; two that
        remain are a question to a person, so a candidate too many costs as much as one too few.
        """
        return ()

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        """How a lost answer is settled. Pure. Default: it cannot be, and a person is asked."""
        return Guarantee("blind")

    def cost(self, part: RenderedPart) -> Cost | None:
        """What sending ``part`` costs. Pure. Default: nothing is known of it."""
        return None

    def grant(self, fields: Mapping[str, str]) -> Grant:
        """What the access in the vault may do, and how long. Pure. Default: by the usual names of
        its fields (``scopes``, ``expires_at``, ``refresh_token``, ``refresh_expires_at``)."""
        from .accounts.grant import grant_of

        is_renewable = isinstance(self, CanRefresh) and bool(fields.get("refresh_token"))
        return grant_of(fields, is_renewable=is_renewable)

    def classify(self, failure: Failure) -> NetworkError:
        """The next step after ``failure``. Default: a table of HTTP statuses."""
        from .classify import by_status

        return by_status(self.title, failure)

    def version_for(self, account: Account) -> str | None:
        """The version of the API that the account's requests name. Pure. Default: they name
        none."""
        return None

    def problems(self, target: str | None) -> Iterable[str]:
        """What is wrong with a target's spelling; nothing by default."""
        return ()


@runtime_checkable
class CanRefresh(Protocol):
    """The network's access can be renewed without a person."""

    def refresh(self, client: Any) -> None:
        """Get new access and store it before it is used. Raises NeedsLogin where a person must
        connect again, and Unavailable where the network could not be asked."""


@runtime_checkable
class CanRegister(Protocol):
    """The network's servers take an app without a person (``oauth`` is needed as well)."""

    def register(self, session: Session, redirect_uri: str) -> Mapping[str, str]:
        """Register an app that is answered at ``redirect_uri``; its credentials, by the names of
        ``oauth.app``."""


@runtime_checkable
class CanChoose(Protocol):
    """A person's access is good for several accounts, or must be exchanged (with ``oauth``)."""

    def choices(self, session: Session, fields: Mapping[str, str]) -> Sequence[Choice]:
        """The accounts that the access in ``fields`` (and the app's, by their names) is good for,
        each with the fields that the vault is to keep. Asked once, right after the consent."""


@runtime_checkable
class CanRevoke(Protocol):
    """The network ends access in a way of its own; ``oauth.revoke`` needs no code."""

    def revoke(self, client: Any) -> None:
        """End the account's access at the network, as far as it can be ended from here (what is
        left to do says ``revoke_by_hand``)."""


@runtime_checkable
class CanDelete(Protocol):
    """The network lets us delete."""

    def delete(self, client: Any, receipt: Receipt) -> None:
        """Delete a part. Gone already counts as deleted: raise what the network answers, and
        the core takes its 404 or 410 for a yes."""


@runtime_checkable
class CanList(Protocol):
    """The network lists our own posts."""

    def recent(self, client: Any, count: int = 20) -> Sequence[RemotePost]:
        """Our newest posts, newest first."""


NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
"""What a network's name looks like."""
