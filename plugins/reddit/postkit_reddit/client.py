"""One account at Reddit: praw over the core's session, with the access token kept in the vault."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from postkit.accounts.grant import EXPIRES_AT, SCOPES, moment_of
from postkit.accounts.secret import Secret
from postkit.accounts.secrets import Secrets
from postkit.errors import NeedsLogin, PluginError
from postkit.network import Account, Attachment
from postkit.transport import Session

from .agent import user_agent
from .answers import errors_of, refusal
from .form import FileForm

MARGIN = 120.0
"""Seconds of life that a token must have left when the preparation of a post begins."""
_SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
}


class Client:
    """Calls of the API. Raises praw's and prawcore's own exceptions, which the core classifies.

    Each call renews the access first where it must; only ``submit`` never does.
    """

    def __init__(self, account: Account, secrets: Secrets, session: Session) -> None:
        # Imported here: the library takes a third of a second.
        from .requestor import open_reddit

        self._session = session
        self._secrets = secrets
        self._name = account.identity.name.removeprefix("u/") if account.identity else None
        self._requirements: dict[str, Mapping[str, Any]] = {}
        self._token: str | None = None
        self._expires = 0.0
        script = "password" in secrets
        username = secrets.text("username") if script else None
        self._reddit, self._requestor = open_reddit(
            session,
            user_agent(self._name or username),
            {
                "client_id": secrets.text("client_id"),
                "client_secret": secrets["client_secret"].reveal(),
                "refresh_token": None if script else secrets["refresh_token"].reveal(),
                "username": username,
                "password": secrets["password"].reveal() if script else None,
            },
        )
        core: Any = self._reddit._core
        self._authorizer = core.authorizer
        self._authorizer.is_valid = lambda: self._lives(0.0)
        self._adopt()

    @property
    def base(self) -> str:
        """Where permalinks lead."""
        return self._session.base

    # Access

    def _lives(self, margin: float) -> bool:
        return self._token is not None and time.time() + margin < self._expires

    def _take(self, token: str, expires: float) -> None:
        self._token, self._expires = token, expires
        self._authorizer.access_token = token

    def _adopt(self) -> bool:
        """Use the vault's token where it is another one than ours, and alive."""
        token = self._secrets.get("access_token")
        end = self._secrets.text(EXPIRES_AT) if EXPIRES_AT in self._secrets else ""
        until = moment_of(end)
        if token is None or until is None or token.reveal() == self._token:
            return False
        if until.timestamp() < time.time() + MARGIN:
            return False
        self._take(token.reveal(), until.timestamp())
        return True

    def authorise(self) -> None:
        """Have an access token that lasts for the calls to come."""
        if not self._lives(MARGIN):
            self.renew()

    def renew(self) -> None:
        """A new access token: somebody else's from the vault, else one from Reddit.

        Raises NeedsLogin where Reddit does not accept the credentials any more.
        """
        from prawcore import OAuthException, ResponseException

        with self._secrets.refreshing():
            if self._adopt():
                return
            if "refresh_token" in self._secrets:
                # Not the one that this process began with: another may have been given a new one.
                self._authorizer.refresh_token = self._secrets["refresh_token"].reveal()
            self._requestor.renewing = True
            try:
                self._authorizer.refresh()
            except OAuthException as error:
                raise NeedsLogin(
                    f"Reddit does not accept the credentials ({error.error}): "
                    f"{self._secrets.remedy}.",
                    network="reddit",
                ) from error
            except ResponseException as error:
                refused = self._refused(error.response.status_code)
                if refused is None:
                    raise
                raise refused from error
            finally:
                self._requestor.renewing = False
            answer = self._session.last.json() if self._session.last else None
            seconds = answer.get("expires_in") if isinstance(answer, dict) else None
            token = self._authorizer.access_token
            # praw would send with it at once: not before it is stored.
            self._authorizer.access_token = self._token
            if not isinstance(seconds, int | float) or not isinstance(token, str):
                raise PluginError("Reddit's answer to the login has no access_token or expires_in.")
            Secret(token)
            expires = time.time() + float(seconds)
            fields = {"access_token": token, EXPIRES_AT: f"{expires:.0f}"}
            scopes = answer.get("scope") if isinstance(answer, dict) else None
            if isinstance(scopes, str) and scopes != "*":
                fields[SCOPES] = scopes
            renewed = getattr(self._authorizer, "refresh_token", None)
            if renewed and "refresh_token" in self._secrets:
                fields["refresh_token"] = str(renewed)
            self._secrets.rotate(**fields)
            self._take(token, expires)

    def _refused(self, status: int) -> NeedsLogin | None:
        last = self._session.last
        if status not in (400, 401) or last is None or not isinstance(last.json(), dict):
            return None
        return NeedsLogin(
            f"Reddit does not accept the credentials (HTTP {status}): check client_id, "
            "client_secret and the refresh token or password, and "
            f"{self._secrets.remedy}.",
            network="reddit",
            status=status,
        )

    # Calls that may be repeated

    def get(self, path: str, **params: str | int) -> Any:
        self.authorise()
        return self._reddit.request(method="GET", path=path, params=params)

    def post(self, path: str, **form: str | bool) -> Any:
        """Raises the next step for an in-band refusal."""
        self.authorise()
        answer = self._reddit.request(method="POST", path=path, data=dict(form))
        errors = errors_of(answer)
        if errors:
            raise refusal(errors)
        return answer

    def me(self) -> dict[str, Any]:
        """The account's own data."""
        data: dict[str, Any] = self.get("api/v1/me")
        if not data.get("name") or not data.get("id"):
            raise NeedsLogin(
                "Reddit names no user for this access: an application-only token cannot post.",
                network="reddit",
            )
        self._name = str(data["name"])
        self._session.headers["User-Agent"] = str(self._session.headers["User-Agent"]).replace(
            user_agent(None), user_agent(self._name)
        )
        return data

    @property
    def name(self) -> str:
        """The user's name without ``u/``, asked for once."""
        if self._name is None:
            self.me()
        return self._name or ""

    def submitted(self, count: int) -> list[dict[str, Any]]:
        """The account's newest submissions, newest first; at most 100."""
        listing = self.get(f"user/{self.name}/submitted/", sort="new", limit=min(count, 100))
        return [child["data"] for child in listing["data"]["children"] if child["kind"] == "t3"]

    def requirements(self, subreddit: str) -> Mapping[str, Any]:
        """What the subreddit asks of a post; nothing where Reddit does not tell."""
        from prawcore import ResponseException

        if subreddit not in self._requirements:
            try:
                rules = self.get(f"api/v1/{subreddit}/post_requirements")
            except ResponseException as error:
                # 403 and 404 are told better by the answer to the submission itself.
                if error.response.status_code not in (400, 403, 404):
                    raise
                rules = {}
            self._requirements[subreddit] = rules if isinstance(rules, dict) else {}
        return self._requirements[subreddit]

    def flairs(self, subreddit: str) -> list[dict[str, Any]]:
        """The flairs that this account may give to a new post."""
        self.authorise()
        return list(self._reddit.subreddit(subreddit).flair.link_templates.user_selectable())

    def upload(self, image: Attachment) -> dict[str, str]:
        """Upload a picture by praw's lease: its ``asset`` id and the ``url`` for an image post."""
        # praw tells the type from the name's ending.
        return self._picture(image.read(), _named(image.name, image.mime))

    def _picture(self, data: bytes, name: str) -> dict[str, str]:
        from praw.models import PostMedia

        self.authorise()
        media = PostMedia(data, name)
        lease = getattr(media, "_lease_and_post", None)
        if lease is None:
            raise PluginError("This praw cannot upload; install praw 8.0.3.")
        answer, fields, url = lease(media.LEASE_API_PATH, self._reddit)
        return {"asset": str(answer["asset"]["asset_id"]), "url": f"{url}/{fields['key']}"}

    def upload_video(self, video: Attachment) -> dict[str, str]:
        """Upload a video as ``upload`` does a picture, piece by piece: praw reads it whole."""
        from praw.models import PostMedia

        name = _named(video.name, video.mime)
        lease = self.post("api/media/asset.json", filepath=name, mimetype=video.mime)
        try:
            fields = {row["name"]: str(row["value"]) for row in lease["args"]["fields"]}
            url, asset = f"https:{lease['args']['action']}", str(lease["asset"]["asset_id"])
            key = fields["key"]
        except (KeyError, TypeError) as error:
            raise PluginError("Reddit's answer to the upload has no lease.") from error
        with video.open() as file:
            form = FileForm(fields, name, video.mime, file, video.size)
            headers = {"Content-Type": form.content_type}
            answer = self._session.post(url, data=form, headers=headers)
        if not answer.ok:
            PostMedia._raise_upload_error(answer)
        return {"asset": asset, "url": f"{url}/{key}"}

    def upload_poster(self, data: bytes) -> dict[str, str]:
        """Upload the picture that stands for a video."""
        return self._picture(data, "poster.jpg")

    # The one that may not

    def submit(self, path: str, *, form: dict[str, Any] | None, json: dict[str, Any] | None) -> Any:
        """Send one create request. Raises NeedsLogin where the access ran out before it."""
        return self._reddit.request(method="POST", path=path, data=form, json=json)


def _named(name: str, mime: str) -> str:
    """A plain name with the ending that belongs to the type."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    suffix = _SUFFIXES.get(mime, "")
    return plain if plain.endswith(suffix) else plain + suffix
