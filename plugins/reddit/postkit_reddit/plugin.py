"""The Reddit network: one submission for a post, found again in the account's own list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from postkit.accounts.secrets import Secrets
from postkit.classify import by_status, retry_after
from postkit.errors import NeedsLogin, NetworkError, Refused
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
    Option,
    Outgoing,
    Receipt,
    RemotePost,
    RenderedPart,
    RenderOptions,
    Rendition,
)
from postkit.post import Post
from postkit.transport import Exchange, Session

from .answers import errors_of, receipt_of, refusal
from .client import Client
from .flair import chosen
from .limits import CAPTION, LIMITS, TEXT_LENGTH, is_subreddit, subreddit_of
from .poster import from_json, poster_of, to_json
from .requirements import problems as broken_rules
from .submission import (
    created_at,
    kind_of,
    options_of,
    proved,
    receipt_of_listed,
    request_of,
    same,
    source_of,
    subreddit_for,
)

PAGE = 25
"""Submissions that a look reads. More than an account can make within the window of doubt."""
QUIET = 900.0
"""Seconds. Text and links are listed at once, pictures and videos up to minutes later."""

_APP = "reddit.com/prefs/apps, as a web or script app; new apps need Reddit's approval"


class Reddit(Network[Client]):
    """Text, link, poll, image, gallery and video posts. The parts of a thread become one text."""

    name = "reddit"
    title = "Reddit"
    hosts = (
        "https://www.reddit.com",
        "https://oauth.reddit.com",
        "https://reddit-uploaded-media.s3-accelerate.amazonaws.com",
        "https://reddit-uploaded-video.s3-accelerate.amazonaws.com",
    )
    auth_paths = ("/api/v1/access_token",)
    credentials = (
        CredentialSet(
            "refresh token",
            (
                Credential("client_id", _APP, secret=False),
                Credential("client_secret", _APP),
                Credential(
                    "refresh_token",
                    "an authorisation with duration=permanent and the scopes identity, read, "
                    "submit, flair, history and edit",
                ),
            ),
        ),
        CredentialSet(
            "script app",
            (
                Credential("client_id", _APP, secret=False),
                Credential("client_secret", _APP),
                Credential("username", "the account's name, without u/", secret=False),
                Credential("password", "the account's password; it works without 2FA only"),
            ),
        ),
    )
    limits = LIMITS
    options: ClassVar[tuple[Option, ...]] = (
        Option("flair", "the post's flair: its text as the subreddit shows it, or its id"),
        Option("nsfw", "mark the post as not safe for work", "bool"),
        Option("spoiler", "mark the post as a spoiler", "bool"),
        Option("sendreplies", "send the replies to the account's inbox (default: yes)", "bool"),
        Option(
            "resubmit",
            "post a link that the subreddit has already (default: yes); with no, Reddit refuses it",
            "bool",
        ),
        Option("captions", "show the alt texts as captions under a gallery's pictures", "bool"),
        Option("markdown", "the text is Markdown already: send it as it is", "bool"),
    )

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        return Client(account, secrets, session)

    def identify(self, client: Client) -> Identity:
        me = client.me()
        name = str(me["name"])
        return Identity(f"t2_{me['id']}", f"u/{name}", f"{client.base}/user/{name}")

    def refresh(self, client: Client) -> None:
        client.renew()

    def problems(self, target: str | None) -> Iterable[str]:
        name = subreddit_of(target)
        if target and not is_subreddit(name):
            yield (
                f"{target!r} is no subreddit: a name has 2 to 21 letters, digits or underscores, "
                "as in python or r/python; a profile is u/NAME."
            )

    def adapt(self, post: Post, limits: Limits, options: RenderOptions) -> Rendition:
        own = post.networks.get(self.name)
        given = {**(own.options if own else {}), **options.values}
        captions = bool(given.get("captions")) and len(post.media) > 1
        shown = limits.changed(alt=CAPTION) if captions else limits
        rendition = super().adapt(post, shown, options)
        if captions and len(rendition.parts[0].media) < 2:
            # What is no picture was left out, and one picture alone has no caption.
            captions = False
            rendition = super().adapt(post, limits, options)
        changes = list(rendition.changes)
        losses = [_with_marks(loss, post, given) for loss in rendition.losses]
        subreddit = subreddit_of(options.target)
        fields = {
            "subreddit": subreddit,
            **({"markup": "markdown"} if given.get("markdown") else {}),
        }
        parts = tuple(part.with_fields(**fields) for part in rendition.parts)
        parts = tuple(_with_poster(part, number, changes) for number, part in enumerate(parts, 1))
        for number, part in enumerate(parts, 1):
            length = len(source_of(part))
            if length > TEXT_LENGTH:
                raise CannotRender(
                    Change(
                        "text",
                        f"text: {length:,} of {TEXT_LENGTH:,} characters with the backslashes that "
                        "keep Reddit from reading it as Markdown; shorten it, or set markdown=yes.",
                    )
                )
            alts = sum(1 for image in part.media if image.alt)
            if captions and alts:
                changes.append(
                    Change("alt", f"{alts} alt texts are shown as captions to everybody", number)
                )
        return replace(rendition, parts=parts, changes=tuple(changes), losses=tuple(losses))

    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        client.authorise()
        subreddit = subreddit_for(part)
        if subreddit:
            broken = broken_rules(client.requirements(subreddit), part, subreddit)
            if broken:
                raise Refused(" ".join(broken), network=self.name, code="post_requirements")
        wanted = options_of(part).get("flair")
        if wanted and "flair" not in journal:
            journal["flair"] = chosen(client.flairs(subreddit), str(wanted), subreddit)
        for number, media in enumerate(part.media):
            if f"media_{number}" not in journal:
                upload = client.upload_video if media.kind == "video" else client.upload
                journal[f"media_{number}"] = upload(media)
        poster = part.fields.get("poster")
        if poster and "poster" not in journal:
            journal["poster"] = client.upload_poster(from_json(poster))
        client.authorise()  # uploads may have taken long, and the create must not begin a login

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        path, form, json = request_of(outgoing)
        answer = client.submit(path, form=form, json=json)
        errors = errors_of(answer)
        if errors:
            raise refusal(errors)
        return receipt_of(answer)

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        # Reddit tells whole seconds.
        earliest = since.replace(microsecond=0)
        return [
            Candidate(
                receipt_of_listed(listed, client.base),
                created_at(listed),
                proof=proved(listed, outgoing),
            )
            for listed in client.submitted(PAGE)
            if created_at(listed) >= earliest and same(listed, outgoing)
        ]

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        # Absence proves nothing, so nothing is sent a second time: there is no key.
        return Guarantee("read_back", quiet=QUIET)

    def classify(self, failure: Failure) -> NetworkError:
        exchange = failure.exchange
        if exchange is None or exchange.status is None or not exchange.wrote:
            return by_status(self.title, failure)
        body = exchange.json()
        errors = errors_of(body)
        if errors and exchange.status < 500:
            return refusal(errors, exchange.status)
        if type(failure.error).__name__ == "TooLargeMediaException":
            return Refused(
                f"Reddit takes no file of that size: {failure.error}",
                network=self.name,
                status=exchange.status,
                code="EntityTooLarge",
            )
        if isinstance(body, dict) and exchange.status == 403 and _lacks_scope(exchange):
            return NeedsLogin(
                "The access lacks a scope that this needs; connect again with the scopes "
                "identity, read, submit, flair, history and edit.",
                network=self.name,
                status=403,
                code="insufficient_scope",
            )
        message = None
        if isinstance(body, dict):
            said = [body.get(key) for key in ("message", "explanation", "reason")]
            message = ", ".join(text for text in said if isinstance(text, str) and text) or None
        return by_status(self.title, failure, message=message, retry_at=_retry_at(exchange))

    def delete(self, client: Client, receipt: Receipt) -> None:
        client.post("api/del/", id=receipt.id)

    def recent(self, client: Client, count: int = 20) -> Sequence[RemotePost]:
        return [
            RemotePost(receipt_of_listed(listed, client.base), _text_of(listed), created_at(listed))
            for listed in client.submitted(count)
        ]


def _with_marks(loss: Change, post: Post, options: Mapping[str, Any]) -> Change:
    """A warning that is lost, with the mark that comes nearest to it."""
    if loss.field != "content_warning":
        return loss
    marks = [mark for mark in ("nsfw", "spoiler") if options.get(mark)]
    nearest = (
        f"the post is marked as {' and '.join(marks)}"
        if marks
        else "--set reddit.spoiler=yes or reddit.nsfw=yes hides the post"
    )
    why = "there are no warnings in free words here"
    return replace(loss, text=f"{post.content_warning!r} is not sent: {why}; {nearest}")


def _with_poster(part: RenderedPart, number: int, changes: list[Change]) -> RenderedPart:
    """A video with the picture that stands for it until it plays, and a line that says so."""
    if kind_of(part) != "video":
        return part
    (video,) = part.media
    poster = poster_of(video)
    changes.append(Change("poster", f"{video.name}: until it plays, {poster.what}", number))
    return part.with_fields(poster=to_json(poster))


def _lacks_scope(exchange: Exchange) -> bool:
    headers = {name.lower(): value for name, value in exchange.headers.items()}
    return "insufficient_scope" in headers.get("www-authenticate", "")


def _retry_at(exchange: Exchange) -> datetime | None:
    now = datetime.now(UTC)
    moment = retry_after(exchange.headers, now)
    if moment is not None:
        return moment
    headers = {name.lower(): value for name, value in exchange.headers.items()}
    try:
        return now + timedelta(seconds=float(headers["x-ratelimit-reset"]))
    except (KeyError, ValueError, OverflowError):
        return None


def _text_of(listed: dict[str, Any]) -> str:
    body = listed.get("selftext") or ("" if listed.get("is_self") else listed.get("url"))
    return "\n\n".join(str(text) for text in (listed.get("title"), body) if text)


@hookimpl
def postkit_networks() -> Iterable[Network[Any]]:
    return [Reddit()]
