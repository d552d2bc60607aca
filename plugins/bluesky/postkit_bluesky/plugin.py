"""The Bluesky network: a record key chosen before sending makes a repeat the same post."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import requests

from postkit.accounts.secrets import Secrets
from postkit.classify import by_status, message_of, reset_at, retry_after
from postkit.errors import Duplicate, NeedsLogin, NetworkError
from postkit.hookspecs import hookimpl
from postkit.limits.counters import Graphemes
from postkit.limits.model import Limits
from postkit.network import (
    Account,
    Candidate,
    Change,
    Credential,
    CredentialSet,
    Failure,
    Guarantee,
    Identity,
    Journal,
    Json,
    Network,
    Option,
    Outgoing,
    Receipt,
    RemotePost,
    RenderedPart,
    RenderOptions,
    Rendition,
)
from postkit.post import Post, is_blank
from postkit.transport import Session

from . import gate, media
from .access import LOGIN, REFRESH, Access, error_of
from .client import REPO, VIDEO_HOST, Client
from .facets import facets_of
from .limits import LIMITS, MAX_TAG
from .record import (
    COLLECTION,
    author_of,
    key_of,
    moment_of,
    receipt_of,
    record_of,
    request_of,
)
from .tid import new_tid

LABELS = ("sexual", "nudity", "porn", "graphic-media")
"""The self-labels that hide a post behind a warning (moderation labels of @atproto/api)."""
NEEDS_LOGIN = frozenset(
    {
        "ExpiredToken",
        "InvalidToken",
        "AuthMissing",
        "AuthenticationRequired",
        "AuthFactorTokenRequired",
        "AccountTakedown",
        "AccountDeactivated",
    }
)
PAGE = 100


class Bluesky(Network[Client]):
    """Threads are chains of replies; links, mentions and hashtags are facets."""

    name = "bluesky"
    title = "Bluesky"
    hosts: ClassVar[tuple[str, ...]] = ("https://bsky.social", VIDEO_HOST)
    services: ClassVar[tuple[str, ...]] = (VIDEO_HOST,)
    auth_paths = (LOGIN, REFRESH)
    credentials = (
        CredentialSet(
            "app password",
            (
                Credential(
                    "handle", "your handle without @, such as name.bsky.social", secret=False
                ),
                Credential(
                    "app_password",
                    "bsky.app: Settings, Privacy and security, App passwords, Add App Password",
                ),
            ),
        ),
    )
    limits = LIMITS
    options = (
        Option(
            "label",
            "Hide the post behind one of Bluesky's own warnings: sexual (suggestive), nudity "
            "(not sexual), porn (adult), graphic-media (violence, blood).",
            "choice",
            LABELS,
        ),
    )

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        return Client(session, Access(session, secrets, account.identity))

    def identify(self, client: Client) -> Identity:
        me = client.query("com.atproto.server.getSession")
        did, handle = str(me["did"]), str(me["handle"])
        return Identity(did, f"@{handle}", f"{client.web}/profile/{handle}", {"handle": handle})

    def adapt(self, post: Post, limits: Limits, options: RenderOptions) -> Rendition:
        rendition = super().adapt(post, limits, options)
        changes, losses = list(rendition.changes), list(rendition.losses)
        chosen = rendition.parts[0].fields.get("options", {}).get("label")
        labels = [chosen] if chosen else []
        warning = (post.content_warning or "").strip()
        warning = "" if is_blank(warning) else warning
        if warning:
            losses = [loss for loss in losses if loss.field != "content_warning"]
        if warning in LABELS:
            changes.append(Change("content_warning", f"it becomes the label {warning}"))
            labels = list(dict.fromkeys([*labels, warning]))
        elif warning:
            known = ", ".join(LABELS)
            nearest = (
                f"the label {chosen} hides the post"
                if chosen
                else f"--set bluesky.label=WORD hides the post; WORD is one of: {known}"
            )
            losses.append(
                Change(
                    "content_warning",
                    f"{warning!r} is not sent: there are no warnings in free words here; {nearest}",
                )
            )
        long = {n: t for n, t in enumerate(post.tags, 1) if Graphemes().count(t) > MAX_TAG}
        losses += [
            Change("tags", f"#{t} is not sent: a tag has at most {MAX_TAG} characters", None, (n,))
            for n, t in long.items()
        ]
        too_long = [*long.values()]
        parts = tuple(_finished(part, labels, too_long) for part in rendition.parts)
        return replace(rendition, parts=parts, changes=tuple(changes), losses=tuple(losses))

    def new_key(self, part: RenderedPart) -> str:
        return new_tid()

    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        client.access.ensure()
        if "author" not in journal:
            journal["author"] = {"did": client.author.did, "handle": client.author.handle}
        if "facets" not in journal:
            journal["facets"] = facets_of(part.text, client.did_of)
        media.upload_all(client, part, journal)

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        handle = outgoing.prepared["author"]["handle"]
        if gate.is_gated(outgoing.part):
            answer = client.write(f"{REPO}.applyWrites", gate.request_of(outgoing))
            return _gated(receipt_of(answer["results"][0], handle, client.web))
        answer = client.write(f"{REPO}.putRecord", request_of(outgoing))
        return receipt_of(answer, handle, client.web)

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        author = outgoing.prepared["author"]
        try:
            found = client.query(
                f"{REPO}.getRecord", repo=author["did"], collection=COLLECTION, rkey=outgoing.key
            )
        except requests.HTTPError as error:
            if error_of(error.response)[0] == "RecordNotFound":
                return ()
            raise
        # A record under our key that is not ours word for word was changed since: no proof.
        proof = found["value"] == record_of(outgoing)
        at = moment_of(found["value"].get("createdAt"))
        receipt = receipt_of(found, author["handle"], client.web)
        if gate.is_gated(outgoing.part):
            receipt = _gated(receipt)
        return [Candidate(receipt, at, proof)]

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        if gate.is_gated(part):
            # A repeat is answered with an error of the server, and makes no second post.
            return Guarantee("probe", quiet=0.0, resend_when_absent=True)
        return Guarantee("key", quiet=0.0, key_ttl=None, resend_when_absent=True)

    def classify(self, failure: Failure) -> NetworkError:
        exchange = failure.exchange
        body: Json = exchange.json() if exchange is not None else None
        code = body.get("error") if isinstance(body, dict) else None
        if exchange is None or exchange.status is None or not isinstance(code, str):
            return by_status(self.title, failure)
        message = message_of(body) or code
        about: dict[str, Any] = {"network": self.title, "status": exchange.status, "code": code}
        if 400 <= exchange.status < 500:
            if code in NEEDS_LOGIN:
                return NeedsLogin(f"{self.title} does not accept the access: {message}", **about)
            if code == "InvalidSwap":
                return Duplicate(
                    f"{self.title} has another record under this post's key: {message}", **about
                )
        now = datetime.now(UTC)
        retry_at = retry_after(exchange.headers, now) or reset_at(
            exchange.headers, "ratelimit-reset"
        )
        return by_status(self.title, failure, message=message, code=code, retry_at=retry_at)

    def refresh(self, client: Client) -> None:
        client.access.renew()

    def delete(self, client: Client, receipt: Receipt) -> None:
        body = {"repo": author_of(receipt.id), "rkey": key_of(receipt.id)}
        # The post first: without its gate it would be open to all.
        for collection in (
            (COLLECTION, gate.COLLECTION) if receipt.data.get("gate") else (COLLECTION,)
        ):
            client.procedure(f"{REPO}.deleteRecord", {**body, "collection": collection})

    def recent(self, client: Client, count: int = 20) -> Sequence[RemotePost]:
        author = client.author
        listed = client.query(
            f"{REPO}.listRecords", repo=author.did, collection=COLLECTION, limit=min(count, PAGE)
        )
        return [
            RemotePost(
                receipt_of(row, author.handle, client.web),
                str(row["value"].get("text", "")),
                moment_of(row["value"].get("createdAt")),
            )
            for row in listed["records"]
        ]


def _gated(receipt: Receipt) -> Receipt:
    return replace(receipt, data={**receipt.data, "gate": True})


def _finished(part: RenderedPart, labels: list[str], too_long: list[str]) -> RenderedPart:
    if labels:
        part = part.with_fields(labels=labels)
    kept = [tag for tag in part.fields.get("tags") or () if tag not in too_long]
    if kept:
        return part.with_fields(tags=kept)
    return replace(part, fields={n: v for n, v in part.fields.items() if n != "tags"})


@hookimpl
def postkit_networks() -> Iterable[Network[Any]]:
    return [Bluesky()]
