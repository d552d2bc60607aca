"""Renewing an OAuth 2 token: it lives two hours, and its refresh token works once."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from postkit.accounts.oauth.answer import end_of, token_of
from postkit.errors import NeedsLogin, NetworkError, Throttled, Unavailable
from postkit.network import Failure

from .client import Client
from .problems import classify, problem_of

PATH = "/2/oauth2/token"
HOST = "https://api.x.com"
"""A session with an endpoint rewrites it, like any other of the declared hosts."""


def renew(title: str, client: Client) -> None:
    """Get a new access token and store it with its refresh token before it is used.

    Raises NeedsLogin where only a person can help, else Unavailable or Throttled: the tokens
    are as they were.
    """
    secrets = client.secrets
    label = client.account.label
    if client.user_auth:
        raise NeedsLogin(
            f"{title} does not accept the OAuth 1 tokens of {label}: make new ones with read and "
            f"write access in X's developer console, and {secrets.remedy}.",
            network=title,
        )
    with secrets.refreshing():
        if secrets["access_token"].reveal() != client.api.bearer_token:
            client.use_stored_token()  # somebody else has renewed it meanwhile
            if not client.runs_out():
                return
        if "refresh_token" not in secrets or "client_id" not in secrets:
            raise NeedsLogin(
                f"{title} does not accept the access token of {label}, and without refresh_token "
                f"and client_id there is no new one: {secrets.remedy}, both of them, and with a "
                "user's token (an app's bearer token cannot post).",
                network=title,
            )
        fresh = _ask(title, client)
        secrets.rotate(**fresh)
        client.use_stored_token()


def keep_fresh(title: str, client: Client) -> None:
    """Renew a token that ends soon. Where that fails for now, the old one may still do."""
    if client.runs_out():
        with contextlib.suppress(Unavailable, Throttled):
            renew(title, client)


def _ask(title: str, client: Client) -> dict[str, str]:
    secrets = client.secrets
    form = {
        "grant_type": "refresh_token",
        "refresh_token": secrets["refresh_token"].reveal(),
    }
    client_id = secrets.text("client_id")
    client_secret = secrets.get("client_secret")
    basic = (client_id, client_secret.reveal()) if client_secret is not None else None
    if basic is None:
        form["client_id"] = client_id
    try:
        response = client.session.post(HOST + PATH, data=form, auth=basic)
    except OSError as error:
        raise Unavailable(
            f"{title} could not be asked to renew the access ({type(error).__name__}).",
            network=title,
        ) from error
    answer = _json(response)
    if response.ok and answer.get("access_token"):
        names = [name for name in ("access_token", "refresh_token") if answer.get(name)]
        fresh = {name: token_of(title, answer[name], name) for name in names}
        # Without it, the end of the token before would say of this one that it is over already.
        return {**fresh, "expires_at": end_of(answer, time.time())}
    raise _refusal(title, client, response.status_code, answer)


def _refusal(title: str, client: Client, status: int, answer: dict[str, Any]) -> NetworkError:
    if status in (400, 401, 403) and answer:
        said = problem_of(answer).text
        return NeedsLogin(
            f"{title} does not renew the access of {client.account.label} ({said}); a refresh "
            f"token works once, and its answer may have been lost: {client.secrets.remedy}.",
            network=title,
            status=status,
            code=str(answer.get("error") or "") or None,
        )
    failure = Failure(RuntimeError(f"HTTP {status}"), client.session.last)
    found = classify(title, failure)
    if isinstance(found, Throttled):
        return found
    return Unavailable(
        f"{title} did not renew the access (HTTP {status}); nothing was sent.",
        network=title,
        status=status,
    )


def _json(response: Any) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
