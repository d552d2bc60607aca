"""The calls of the Graph API that a Page needs, with facebook-sdk as the transport."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from postkit.accounts.place import is_loopback
from postkit.accounts.secret import Secret
from postkit.errors import InputError, NeedsLogin, Refused
from postkit.network import Attachment, Failure
from postkit.transport import Session

from . import error_codes

with warnings.catch_warnings():
    # The SDK of 2018 has a regular expression in a plain string; where its bytecode is not
    # kept, Python says so to the user at each start.
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", SyntaxWarning)
    import facebook

VERSION = "v26.0"
"""The newest version of the Graph API (checked 2026-11-23)."""
GRAPH = "https://graph.facebook.com"
GRAPH_VIDEO = "https://graph-video.facebook.com"
"""Where videos are published (developers.facebook.com/docs/graph-api/video-uploads, checked
2026-11-29)."""
WEB = "https://www.facebook.com"
LISTED = 100
"""The most posts that one request lists."""
PAGES = 5
"""Requests of one look: a window of minutes does not hold more posts."""
POST_FIELDS = (
    "id,message,created_time,permalink_url,"
    "attachments{media_type,target{id},unshimmed_url,subattachments{target{id}}}"
)
VIDEO_FIELDS = "id,status,permalink_url,post_id,created_time"
WRONG_OFFSET = 1363037
"""The subcode of a piece that begins elsewhere than the network waits for; it says where."""


class UnexpectedAnswerError(Exception):
    """The network answered without what was asked for; the SDK did not mind."""


class _Header(AuthBase):
    """Sends the token in a header: the SDK would write it into the URL of reads."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class Client:
    """One Page. Raises what requests and the SDK raise; ``classify`` reads the wire instead."""

    def __init__(
        self, session: Session, page_id: str, token: Secret, version: str = VERSION
    ) -> None:
        problems = []
        if not re.fullmatch(r"[0-9]{1,32}", page_id):
            problems.append(
                f"page_id {page_id!r} is not the number of a Page; find it in the Page's "
                "settings, or ask GET /me/accounts?fields=id,name."
            )
        if not re.fullmatch(r"v[0-9]{1,3}\.[0-9]", version):
            problems.append(
                f"postkit.toml: facebook: version = {version!r} is no Graph API version; "
                f'write it as "{VERSION}".'
            )
        if problems:
            raise InputError(problems)
        self.session = session
        self.page_id = page_id
        session.auth = _Header(token)
        # Without a token of its own the SDK adds none, neither to a URL nor to a form.
        self._graph = facebook.GraphAPI(session=session)
        # Its constructor knows versions up to 3.1 only; every call reads the attribute.
        self._graph.version = version
        self._page: dict[str, Any] | None = None

    def page(self) -> dict[str, Any]:
        """The Page that the token acts for, asked once.

        Raises NeedsLogin for any other kind of token: with a user's or an app's token the
        network ignores ``published=false`` and shows an upload at once.
        """
        if self._page is None:
            # Only a Page has a category, so a user's id in place of the Page's does not pass.
            try:
                me = self._call(self._graph.get_object, "me", fields="id,name,category,link")
            except facebook.GraphAPIError:
                if "nonexisting field" in self._said():
                    raise NeedsLogin(
                        "This access_token belongs to a person, not to the Page; connect with "
                        f"the Page's own token, which GET /{self.page_id}?fields=access_token "
                        "gives.",
                        network="facebook",
                    ) from None
                raise
            if str(me.get("id")) != self.page_id:
                raise NeedsLogin(
                    f"This access_token belongs to {me.get('name')} ({me.get('id')}), not to "
                    f"the Page {self.page_id}; connect with that Page's own token.",
                    network="facebook",
                )
            self._page = me
        return self._page

    @property
    def link(self) -> str:
        """Where readers find the Page: what the network says, else its address by number."""
        return str(self.page().get("link") or f"{self.web}/{self.page_id}")

    @property
    def web(self) -> str:
        """Where readers are. A local stand-in shows its posts itself: with its ids, the real
        site would lead to a stranger's."""
        base = self.session.base
        return base if is_loopback(urlsplit(base).hostname or "") else WEB

    @property
    def served_version(self) -> str | None:
        """The version that answered the last call; an expired one is replaced silently."""
        last = self.session.last
        return last.headers.get("facebook-api-version") if last is not None else None

    def upload(self, image: Attachment) -> str:
        """Upload a photo that nobody sees yet; its id."""
        more = {"alt_text_custom": image.alt} if image.alt else {}
        answer = self._call(
            self._graph.put_photo,
            (image.name, image.read(), image.mime),
            album_path=f"{self.page_id}/photos",
            published="false",
            **more,
        )
        return self.text_of(answer, "id")

    def create(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Make the post live; its id and permalink."""
        # put_object would send `fields` in the form and insists on a token of its own.
        answer = self._call(
            self._graph.request,
            f"{self._graph.version}/{self.page_id}/feed",
            args={"fields": "id,permalink_url"},
            post_args=dict(form),
            method="POST",
        )
        self.text_of(answer, "id")
        return answer

    def videos(self, form: Mapping[str, str], piece: bytes | None = None) -> dict[str, Any]:
        """One phase of an upload: POST /{page}/videos on the host for videos."""
        kind = "application/octet-stream"
        files = None if piece is None else {"video_file_chunk": ("piece", piece, kind)}

        def post() -> Any:
            # The SDK knows one host alone, and none of the phases.
            url = f"{GRAPH_VIDEO}/{self._graph.version}/{self.page_id}/videos"
            answer = self.session.post(url, data=dict(form), files=files).json()
            if isinstance(answer, dict) and answer.get("error"):
                raise facebook.GraphAPIError(answer)
            return answer

        return self._call(post)

    def finish(self, form: Mapping[str, str]) -> None:
        """Make an uploaded video live. The answer tells no id: the video had one before."""
        if self.videos(form).get("success") is not True:
            raise UnexpectedAnswerError("The network did not say that the video is taken.")

    def video(self, video_id: str) -> dict[str, Any]:
        """What becomes of a video; nothing where there is none."""
        try:
            return self._call(self._graph.get_object, video_id, fields=VIDEO_FIELDS)
        except facebook.GraphAPIError:
            if self.is_missing():
                return {}
            raise

    def refused(self) -> bool:
        """Whether the last answer is a definite no."""
        last = self.session.last
        if last is None or last.status is None:
            return False
        failure = Failure(UnexpectedAnswerError(""), last)
        return isinstance(error_codes.classify("", failure), Refused)

    def corrected_offsets(self) -> Mapping[str, Any] | None:
        """Where to go on, as the refusal of a piece with a wrong offset tells it."""
        error = self._error()
        data = error.get("error_data")
        if error.get("error_subcode") != WRONG_OFFSET:
            return None
        try:
            data = json.loads(data) if isinstance(data, str) else data
        except ValueError:
            return None
        known = isinstance(data, dict) and {"start_offset", "end_offset"} <= data.keys()
        return data if known else None

    def published(self, since: datetime | None = None, limit: int = LISTED) -> Iterator[Any]:
        """The Page's own posts, newest first."""
        args: dict[str, Any] = {"fields": POST_FIELDS, "limit": min(limit, LISTED)}
        if since is not None:
            args["since"] = int(since.timestamp())
        for _ in range(PAGES):
            answer = self._call(
                self._graph.get_connections, self.page_id, "published_posts", **args
            )
            rows = answer.get("data")
            if not isinstance(rows, list):
                raise UnexpectedAnswerError("The list of posts has no data.")
            yield from rows
            paging = answer.get("paging") or {}
            after = (paging.get("cursors") or {}).get("after")
            # `next` is a whole URL with the token in it, so only the cursor is used.
            if not paging.get("next") or not after:
                return
            args["after"] = after

    def exists(self, post_id: str) -> bool:
        try:
            self._call(self._graph.get_object, post_id, fields="id")
        except facebook.GraphAPIError:
            if self.is_missing():
                return False
            raise
        return True

    def delete(self, post_id: str) -> None:
        """Delete a post; one that is gone already is fine."""
        try:
            answer = self._call(self._graph.delete_object, post_id)
        except facebook.GraphAPIError:
            # The same code says "gone" and "you may not"; a look tells which.
            if self.is_missing() and not self.exists(post_id):
                return
            raise
        if answer.get("success") is not True:
            raise UnexpectedAnswerError("The network did not say that the post is deleted.")

    def is_missing(self) -> bool:
        """Whether the last answer says that there is no such object."""
        error = self._error()
        return error.get("code") == 100 and error.get("error_subcode") == 33

    def _call(self, method: Callable[..., Any], /, *args: Any, **more: Any) -> dict[str, Any]:
        answer = method(*args, **more)
        last = self.session.last
        if last is None or last.status is None or last.status >= 300:
            # The SDK looks at no status: an empty body of a 502 comes back as {}.
            raise UnexpectedAnswerError("The answer is an error that the SDK does not see.")
        if not isinstance(answer, dict):
            raise UnexpectedAnswerError(f"The answer is {type(answer).__name__}, no object.")
        return answer

    def text_of(self, answer: Mapping[str, Any], name: str) -> str:
        """A field that an answer must have."""
        if not answer.get(name):
            raise UnexpectedAnswerError(f"The network answered without {name}.")
        return str(answer[name])

    def _error(self) -> Mapping[str, Any]:
        last = self.session.last
        body = last.json() if last is not None else None
        error = body.get("error") if isinstance(body, dict) else None
        return error if isinstance(error, dict) else {}

    def _said(self) -> str:
        return str(self._error().get("message", ""))


def media_field(photo_ids: list[str]) -> str:
    """The ``attached_media`` of a feed post: the SDK does not serialise nested values."""
    return json.dumps([{"media_fbid": photo} for photo in photo_ids], separators=(",", ":"))
