"""The Facebook Page network: media are uploaded unseen, then one request shows them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from postkit.accounts.secrets import Secrets
from postkit.errors import InDoubt, NetworkError, Unavailable
from postkit.hookspecs import hookimpl
from postkit.limits.model import Limits
from postkit.network import (
    Account,
    Candidate,
    Choice,
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
from postkit.transport import Session

from . import consent, error_codes, videos
from .client import GRAPH, GRAPH_VIDEO, VERSION, Client, media_field
from .limits import LIMITS, VIDEO_TITLE
from .versions import VERSIONS


class Facebook(Network[Client]):
    """A Page's feed. ``version`` (the Graph API's) is a setting of the account."""

    name = "facebook"
    title = "Facebook Page"
    hosts = (GRAPH, GRAPH_VIDEO)
    credentials = (
        CredentialSet(
            "page",
            (
                Credential(
                    "page_id",
                    "the number that GET /me/accounts shows beside the Page's name",
                    secret=False,
                ),
                Credential(
                    "access_token",
                    "the Page's own token from GET /me/accounts?fields=id,name,access_token, "
                    "asked with a long-lived user token that has the permissions "
                    "pages_show_list, pages_read_engagement and pages_manage_posts",
                ),
            ),
        ),
    )
    oauth = consent.OAUTH
    revoke_by_hand = (
        "End it at facebook.com: Settings, Business integrations, where the person who agreed "
        "removes the app."
    )
    limits = LIMITS
    settings = ("version",)
    versions = VERSIONS

    def choices(self, session: Session, fields: Mapping[str, str]) -> Sequence[Choice]:
        return consent.choices(self.title, session, fields)

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        version = self.version_for(account)
        return Client(session, secrets.text("page_id"), secrets["access_token"], version)

    def version_for(self, account: Account) -> str:
        return str(account.settings.get("version") or VERSION)

    def identify(self, client: Client) -> Identity:
        page = client.page()
        facts = {"api_version": client.served_version or ""}
        return Identity(str(page["id"]), str(page.get("name", "")), client.link, facts)

    def adapt(self, post: Post, limits: Limits, options: RenderOptions) -> Rendition:
        if any(media.kind != "image" for media in post.media):
            limits = limits.changed(title=VIDEO_TITLE)
        return super().adapt(post, limits, options)

    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        client.page()
        if shows_video(part):
            videos.upload(client, part.media[0], journal)
            return
        for number, image in enumerate(part.media):
            name = f"photo_{number}"
            if name not in journal:
                journal[name] = client.upload(image)

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        self._assert_page(client)
        if shows_video(outgoing.part):
            client.finish(videos.form_of(outgoing))
            return videos.shown(client, outgoing)
        return receipt_of(client.create(form_of(outgoing)), client.web)

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        if shows_video(outgoing.part):
            return videos.find(client, outgoing)
        photos = set(photos_of(outgoing))
        found = []
        for post in client.published(since):
            at = created_at(post)
            if photos:
                # A photo's id belongs to this attempt alone, so it needs no further likeness.
                if photos & photo_ids(post):
                    found.append(Candidate(receipt_of(post, client.web), at, proof=True))
            elif at >= since and same(post, outgoing):
                found.append(Candidate(receipt_of(post, client.web), at))
        return found

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        return Guarantee("read_back", quiet=900.0)

    def classify(self, failure: Failure) -> NetworkError:
        found = error_codes.classify(self.title, failure)
        found.network = self.name
        return found

    def delete(self, client: Client, receipt: Receipt) -> None:
        client.delete(receipt.id)

    def recent(self, client: Client, count: int = 20) -> Sequence[RemotePost]:
        return [
            RemotePost(receipt_of(post, client.web), str(post.get("message", "")), created_at(post))
            for post in islice(client.published(limit=count), count)
        ]

    def _assert_page(self, client: Client) -> None:
        """A repeat in a new process comes without ``prepare``, maybe with another token."""
        client.session.last = None
        try:
            client.page()
        except NetworkError:
            raise
        except Exception as error:
            found = self.classify(Failure(error, client.session.last))
            if isinstance(found, InDoubt):
                # A read that failed left nothing behind.
                raise Unavailable(
                    f"{self.title} could not be asked about the token; nothing was sent.",
                    network=self.name,
                    status=found.status,
                ) from error
            raise found from error


def shows_video(part: RenderedPart) -> bool:
    return any(media.kind == "video" for media in part.media)


def form_of(outgoing: Outgoing) -> dict[str, str]:
    """The form of POST /{page}/feed: the same values give the same bytes."""
    form: dict[str, str] = {}
    if outgoing.part.text:
        form["message"] = outgoing.part.text
    link = outgoing.part.fields.get("link")
    if link:
        form["link"] = str(link)
    photos = photos_of(outgoing)
    if photos:
        form["attached_media"] = media_field(photos)
    return form


def photos_of(outgoing: Outgoing) -> list[str]:
    """The ids of the uploaded photos, in the order of the pictures."""
    return [str(outgoing.prepared[f"photo_{n}"]) for n in range(len(outgoing.part.media))]


def receipt_of(post: Mapping[str, Any], web: str) -> Receipt:
    """``web``: where readers are, for a post that comes without its permalink."""
    post_id = str(post["id"])
    return Receipt(post_id, post.get("permalink_url") or f"{web}/{post_id}")


def created_at(post: Mapping[str, Any]) -> datetime:
    moment = datetime.fromisoformat(str(post["created_time"]))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def photo_ids(post: Mapping[str, Any]) -> set[str]:
    """The photos of a listed post: one is the attachment itself, several lie below an album."""
    found = set()
    for attachment in _rows(post.get("attachments")):
        for one in (attachment, *_rows(attachment.get("subattachments"))):
            target = one.get("target") or {}
            if target.get("id"):
                found.add(str(target["id"]))
    return found


def same(post: Mapping[str, Any], outgoing: Outgoing) -> bool:
    """Whether a listed post without photos has the content of ``outgoing``."""
    rows = _rows(post.get("attachments"))
    if any(row.get("media_type") in ("photo", "album", "video") for row in rows):
        return False
    if bare(str(post.get("message", ""))) != bare(outgoing.part.text):
        return False
    link = outgoing.part.fields.get("link")
    if not link:
        # The network may make a card of an address in the text, so cards do not count.
        return True
    return bare_link(str(link)) in {bare_link(str(row.get("unshimmed_url", ""))) for row in rows}


def bare(text: str) -> str:
    """A text as it is compared: the network trims lines and normalises letters."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def bare_link(link: str) -> str:
    parts = urlsplit(link)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.netloc.lower().removeprefix('www.')}{parts.path.rstrip('/')}{query}"


def _rows(edge: Any) -> list[Mapping[str, Any]]:
    rows = edge.get("data") if isinstance(edge, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


@hookimpl
def postkit_networks() -> Iterable[Network[Any]]:
    return [Facebook()]
