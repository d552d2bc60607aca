"""The Mastodon network: an idempotency key for an hour, and a read-back for ever."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from postkit.accounts.secrets import Secrets
from postkit.classify import by_status, message_of
from postkit.errors import NetworkError
from postkit.hookspecs import hookimpl
from postkit.limits.model import Limits
from postkit.network import (
    Account,
    Candidate,
    CannotRender,
    Change,
    Credential,
    CredentialSet,
    Failure,
    Guarantee,
    Identity,
    Journal,
    Network,
    Outgoing,
    Receipt,
    RemotePost,
    RenderedPart,
    RenderOptions,
    Rendition,
)
from postkit.post import Post

from . import media
from .client import Client
from .languages import known
from .limits import LIMITS, RULES, limits_of

if TYPE_CHECKING:
    from postkit.transport import Session

KEY_TTL = 50 * 60.0
"""Seconds. The server keeps a key for 3,600; the margin covers clocks and queues."""
PUBLIC_PAGE = 40
"""The most statuses that one request lists."""


class Mastodon(Network[Client]):
    """Threads are chains of replies; media are uploaded first and attached by id."""

    name = "mastodon"
    title = "Mastodon"
    hosts: ClassVar[tuple[str, ...]] = ()
    needs_endpoint = True
    credentials = (
        CredentialSet(
            "token",
            (
                Credential(
                    "access_token",
                    "your server: Preferences, Development, New application with the scopes "
                    "read:accounts, read:statuses, write:statuses and write:media",
                ),
            ),
        ),
    )
    limits = LIMITS

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        return Client(session, secrets["access_token"])

    def identify(self, client: Client) -> Identity:
        me = client.get("/api/v1/accounts/verify_credentials")
        instance = client.get("/api/v2/instance")
        facts = {
            "configuration": instance.get("configuration", {}),
            "version": str(instance.get("version", "")),
        }
        return Identity(str(me["id"]), f"@{me['acct']}", me.get("url"), facts)

    def limits_for(self, account: Account) -> Limits:
        configuration = account.facts.get("configuration")
        return limits_of(configuration) if configuration else self.limits

    def adapt(self, post: Post, limits: Limits, options: RenderOptions) -> Rendition:
        # The server counts the warning together with the text (StatusLengthValidator).
        warning = (post.content_warning or "").strip()
        shorter = []
        for row in limits.text:
            used = row.counter.count(warning)
            if used >= row.maximum:
                raise CannotRender(
                    Change(
                        "content_warning",
                        f"content warning: {used} of {row.maximum} {row.counter.unit} leave no "
                        "room for the text; shorten it.",
                    )
                )
            shorter.append(replace(row, maximum=row.maximum - used))
        rendition = super().adapt(post, limits.changed(text=tuple(shorter)), options)
        first = rendition.parts[0]
        if first.fields.get("poll") and not first.text:
            ask = "poll: a text must stand beside it; give the question as the text."
            raise CannotRender(Change("poll", ask))
        return _with_known_language(rendition)

    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        media.upload_all(client, part, journal)

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        status = client.post(
            "/api/v1/statuses", headers={"Idempotency-Key": outgoing.key}, json=request_of(outgoing)
        )
        return receipt_of(status)

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        listed = client.get(
            f"/api/v1/accounts/{client.account_id}/statuses",
            limit=PUBLIC_PAGE,
            exclude_reblogs="true",
        )
        return [
            Candidate(receipt_of(status), created_at(status))
            for status in listed
            if created_at(status) >= since and same(status, outgoing)
        ]

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        # Servers that only speak the API say so in their version, and some ignore the key.
        if "compatible;" in str(account.facts.get("version", "")):
            return Guarantee("read_back", quiet=120.0)
        return Guarantee("key", quiet=120.0, key_ttl=KEY_TTL, resend_when_absent=True)

    def classify(self, failure: Failure) -> NetworkError:
        exchange = failure.exchange
        retry_at = None
        message = None
        if exchange is not None and exchange.status is not None:
            retry_at = _moment(exchange.headers.get("x-ratelimit-reset", ""))
            message = message_of(exchange.json()) or None
        return by_status(self.title, failure, message=message, retry_at=retry_at)

    def delete(self, client: Client, receipt: Receipt) -> None:
        client.delete(f"/api/v1/statuses/{receipt.id}")

    def recent(self, client: Client, count: int = 20) -> Sequence[RemotePost]:
        listed = client.get(
            f"/api/v1/accounts/{client.account_id}/statuses",
            limit=min(count, PUBLIC_PAGE),
            exclude_reblogs="true",
        )
        return [RemotePost(receipt_of(s), plain(s["content"]), created_at(s)) for s in listed]


def request_of(outgoing: Outgoing) -> dict[str, Any]:
    """The body of POST /api/v1/statuses: the same values give the same bytes."""
    part, fields = outgoing.part, outgoing.part.fields
    body: dict[str, Any] = {"status": part.text}
    if part.media:
        body["media_ids"] = [outgoing.prepared[f"media_{n}"] for n in range(len(part.media))]
    if outgoing.parent is not None:
        body["in_reply_to_id"] = outgoing.parent.id
    if fields.get("content_warning"):
        body["spoiler_text"] = fields["content_warning"]
        body["sensitive"] = True
    if fields.get("lang"):
        body["language"] = fields["lang"]
    if fields.get("visibility"):
        body["visibility"] = fields["visibility"]
    poll = fields.get("poll")
    if poll:
        body["poll"] = {
            "options": list(poll["options"]),
            "expires_in": poll["minutes"] * 60,
            "multiple": poll["multiple"],
        }
    return body


def receipt_of(status: dict[str, Any]) -> Receipt:
    return Receipt(str(status["id"]), status.get("url"))


def created_at(status: dict[str, Any]) -> datetime:
    return _moment(status["created_at"]) or datetime.fromtimestamp(0, UTC)


def same(status: dict[str, Any], outgoing: Outgoing) -> bool:
    """Whether a listed status has the content of ``outgoing``."""
    media = {str(attachment["id"]) for attachment in status.get("media_attachments", ())}
    sent = {str(value) for name, value in outgoing.prepared.items() if name.startswith("media_")}
    parent = outgoing.parent.id if outgoing.parent else None
    return (
        _bare(plain(status["content"])) == _bare(outgoing.part.text)
        and media == sent
        and (status.get("in_reply_to_id") or None) == parent
        and (status.get("spoiler_text") or "")
        == (outgoing.part.fields.get("content_warning") or "")
        and _poll_of(status.get("poll")) == _poll_of(outgoing.part.fields.get("poll"))
    )


def _poll_of(poll: Mapping[str, Any] | None) -> list[str] | None:
    """The options: of a listed poll they are objects, of ours they are texts."""
    if not poll:
        return None
    texts = [o["title"] if isinstance(o, Mapping) else o for o in poll["options"]]
    return [" ".join(str(text).split()) for text in texts]


def plain(content: str) -> str:
    """The text of a status's HTML, as its author wrote it."""
    text = re.sub(r"</p>\s*<p>", "\n\n", content)
    text = re.sub(r"<br\s*/?>", "\n", text)
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def _bare(text: str) -> str:
    # The server's HTML shortens no letters but changes white space and drops a mention's server.
    pieces: list[str] = []
    end = 0
    text = unicodedata.normalize("NFC", text)
    for entity in RULES.detect(text):
        if entity.kind == "mention":
            pieces += text[end : entity.start], entity.local
            end = entity.end
    return " ".join("".join((*pieces, text[end:])).split())


def _with_known_language(rendition: Rendition) -> Rendition:
    """The server keeps a language that it knows: of ``de-AT`` it knows ``de``."""
    lang = str(rendition.parts[0].fields.get("lang") or "")
    kept = known(lang)
    if not lang or lang == kept:
        return rendition
    if kept is None:
        loss = Change("lang", f"{lang} is not sent: Mastodon does not know that language")
        parts = tuple(
            replace(part, fields={k: v for k, v in part.fields.items() if k != "lang"})
            for part in rendition.parts
        )
        return replace(rendition, parts=parts, losses=(*rendition.losses, loss))
    return replace(
        rendition,
        parts=tuple(part.with_fields(lang=kept) for part in rendition.parts),
        changes=(*rendition.changes, Change("lang", f"{lang} is sent as {kept}")),
    )


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@hookimpl
def postkit_networks() -> Iterable[Network[Any]]:
    return [Mastodon()]
