"""The X network: it refuses the same text twice for a while, and it lists our own posts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar

import tweepy

from postkit.accounts.secrets import Secrets
from postkit.errors import NetworkError
from postkit.hookspecs import hookimpl
from postkit.limits.model import Limits
from postkit.network import (
    Account,
    Candidate,
    CannotRender,
    Change,
    Cost,
    Credential,
    CredentialSet,
    Failure,
    Guarantee,
    Identity,
    Journal,
    Network,
    Option,
    Outgoing,
    Receipt,
    RemotePost,
    RenderedPart,
    RenderOptions,
    Rendition,
)
from postkit.post import Post
from postkit.transport import Session

from . import media, readback, renewal
from .client import WEB, Client
from .consent import OAUTH
from .limits import LIMITS, LINK_POST_PRICE, MAX_CASHTAGS, METADATA_PRICE, POST_PRICE, RULES
from .problems import classify
from .request import REPLY_SETTINGS, body_of, post_id

KEY_TTL = 24 * 3600.0
"""Seconds for which the same text is taken to be refused. The real window is not documented."""
QUIET = 900.0
"""Seconds. X declares no longest time from accepting a post to listing it; this is our guess."""
CONSOLE = "console.x.com, your app, Keys and tokens"


class X(Network[Client]):
    """Threads are chains of replies; images are uploaded first and attached by id."""

    name = "x"
    title = "X"
    hosts: ClassVar[tuple[str, ...]] = ("https://api.x.com", "https://api.twitter.com")
    auth_paths: ClassVar[tuple[str, ...]] = (renewal.PATH, "/2/oauth2/revoke")
    # tweepy writes each request with its headers out at DEBUG.
    loggers: ClassVar[tuple[str, ...]] = ("tweepy.client", "tweepy.api")
    credentials = (
        CredentialSet(
            "oauth2",
            (
                Credential(
                    "access_token",
                    "an OAuth 2 user token with the scopes tweet.read tweet.write users.read "
                    "media.write offline.access (not the app's bearer token, which cannot post)",
                ),
                Credential(
                    "refresh_token",
                    "comes with the access token; without it the access ends after two hours",
                    optional=True,
                ),
                Credential("client_id", f"{CONSOLE}: OAuth 2.0", secret=False, optional=True),
                Credential(
                    "client_secret",
                    f"{CONSOLE}: OAuth 2.0, for confidential clients",
                    optional=True,
                ),
            ),
        ),
        CredentialSet(
            "oauth1",
            (
                Credential("api_key", f"{CONSOLE}: Consumer Keys"),
                Credential("api_secret", f"{CONSOLE}: Consumer Keys"),
                Credential("access_token", f"{CONSOLE}: Access Token, with read and write access"),
                Credential("access_token_secret", f"{CONSOLE}: Access Token Secret"),
            ),
        ),
    )
    oauth = OAUTH
    limits = LIMITS
    options = (
        Option("reply_to", "the post to answer: its id or its address; only the first part does"),
        Option(
            "reply_settings",
            "who may reply, in X's own words; those of --replies do without it",
            "choice",
            ("following", "mentionedUsers", "subscribers", "verified"),
        ),
        Option("made_with_ai", "label the post as made with AI", "bool"),
        Option("paid_partnership", "label the post as a paid partnership", "bool"),
        Option("community", "the id of the community to post in"),
        Option("share_with_followers", "show a community's post to your followers as well", "bool"),
    )

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        client = Client(account, secrets, session)
        renewal.keep_fresh(self.title, client)
        return client

    def identify(self, client: Client) -> Identity:
        user_id, username = client.ask_me()
        return Identity(user_id, f"@{username}", f"{client.web}/{username}", {"username": username})

    def adapt(self, post: Post, limits: Limits, options: RenderOptions) -> Rendition:
        own = post.networks.get(self.name)
        given = {**(own.options if own else {}), **options.values}
        reasons = [Change("options", text) for text in _misspelt(given)]
        reasons += [Change("replies", text) for text in _in_two_ways(post, given)]
        try:
            rendition = super().adapt(post, limits, options)
        except CannotRender as cannot:
            raise CannotRender([*reasons, *cannot.problems]) from None
        # twitter-text calls a text with it invalid.
        if any("\ufeff" in part.text for part in rendition.parts):
            sign = "text: it has the invisible sign U+FEFF, which X refuses; remove it."
            reasons.append(Change("text", sign))
        reasons += [Change("text", text) for text in _too_many_cashtags(rendition)]
        reasons += [Change("text", text) for text in _repeated(rendition)]
        first = rendition.parts[0]
        if first.fields.get("poll") and not first.text.strip():
            ask = "poll: X asks for a text beside it; give the question as the text."
            reasons.append(Change("poll", ask))
        if reasons:
            raise CannotRender(reasons)
        return rendition

    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        renewal.keep_fresh(self.title, client)
        _ = client.me  # the permalink needs it, and nothing is asked for while publishing
        media.upload_all(client, part, journal)

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        answer = client.call("POST", "/2/tweets", body_of(outgoing))
        data = answer.get("data") or {}
        return _receipt(client, str(data.get("id") or ""))

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        return [
            Candidate(
                _receipt(client, str(post["id"])),
                readback.created_at(post),
                # An upload's key is ours alone, and no other post was given it.
                proof=bool(outgoing.part.media),
            )
            for post in readback.listed(client, since=since)
            if readback.same(post, outgoing)
        ]

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        # That X refuses a repeat is known of plain text only, not of pictures or polls.
        plain = bool(part.text.strip()) and not part.media and not part.fields.get("poll")
        return Guarantee(
            "duplicate_refusal",
            quiet=QUIET,
            key_ttl=KEY_TTL if plain else None,
            resend_when_absent=plain,
        )

    def cost(self, part: RenderedPart) -> Cost:
        """The price list's; a reply to somebody who called the account costs 0.010 instead."""
        post = LINK_POST_PRICE if RULES.urls_in(part.text) else POST_PRICE
        alts = sum(METADATA_PRICE for image in part.media if image.alt)
        return Cost(round(post + alts, 4), "USD")

    def classify(self, failure: Failure) -> NetworkError:
        return classify(self.title, failure)

    def refresh(self, client: Client) -> None:
        renewal.renew(self.title, client)

    def delete(self, client: Client, receipt: Receipt) -> None:
        try:
            client.api.delete_tweet(receipt.id, user_auth=client.user_auth)
        except tweepy.NotFound:
            return

    def recent(self, client: Client, count: int = 20) -> Sequence[RemotePost]:
        return [
            RemotePost(
                _receipt(client, str(post["id"])), readback.plain(post), readback.created_at(post)
            )
            for post in islice(readback.listed(client, count=count), count)
        ]


def _receipt(client: Client, id_: str) -> Receipt:
    return Receipt(id_, client.permalink(id_) if id_ else None)


def _misspelt(options: Mapping[str, Any]) -> Iterator[str]:
    reply_to = options.get("reply_to")
    if reply_to is not None and post_id(str(reply_to)) is None:
        yield (
            f"x.reply_to={reply_to!r} is neither a post's id nor its address; "
            f"write digits or {WEB}/NAME/status/ID."
        )
    community = options.get("community")
    if community is not None and not str(community).isdecimal():
        yield f"x.community={community!r} is no id of a community; it has digits alone."
    if options.get("share_with_followers") and community is None:
        yield "x.share_with_followers is for posts in a community; set x.community as well."


def _in_two_ways(post: Post, options: Mapping[str, Any]) -> Iterator[str]:
    setting = options.get("reply_settings")
    if post.replies and setting and setting != REPLY_SETTINGS.get(post.replies):
        yield (
            f"replies: {post.replies!r} and x.reply_settings={setting} contradict each other; "
            "leave one out."
        )


def _too_many_cashtags(rendition: Rendition) -> Iterator[str]:
    for number, part in enumerate(rendition.parts, 1):
        tags = [e.text for e in RULES.detect(part.text) if e.kind == "cashtag"]
        if len(tags) > MAX_CASHTAGS:
            where = f"Part {number} has" if len(rendition.parts) > 1 else "It has"
            yield (
                f"{where} {len(tags)} cashtags ({', '.join(tags)}); X takes {MAX_CASHTAGS} in a "
                "post: drop the others, or put each in a part of its own."
            )


def _repeated(rendition: Rendition) -> Iterator[str]:
    """Parts that X would refuse in the middle of the thread."""
    alike: dict[str, list[int]] = {}
    for number, part in enumerate(rendition.parts, 1):
        if not (part.media or part.fields.get("poll")):
            text = unicodedata.normalize("NFC", part.text).strip()
            alike.setdefault(text, []).append(number)
    for first, *others in alike.values():
        if others:
            which = f"Part {others[0]} has" if len(others) == 1 else f"{len(others)} parts have"
            yield (
                f"{which} the text of part {first}, which X refuses; change it, or number the parts"
                " (--numbering)."
            )


@hookimpl
def postkit_networks() -> Iterable[Network[Any]]:
    return [X()]
