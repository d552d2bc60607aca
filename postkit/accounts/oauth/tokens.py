"""Asking a token endpoint: a code for access, and access for its end."""

from __future__ import annotations

import time
from collections.abc import Mapping

import requests

from ...errors import Unavailable
from ...transport import Session
from .answer import fields_of
from .terms import OAuth, placed


def exchanged(
    title: str,
    terms: OAuth,
    session: Session,
    app: Mapping[str, str],
    *,
    code: str,
    redirect_uri: str,
    verifier: str,
) -> dict[str, str]:
    """What the code is good for, as ``fields_of`` tells it. Sent once: a code works once.

    Raises Refused, NeedsLogin or Unavailable.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if terms.pkce:
        form["code_verifier"] = verifier
    try:
        response = asked(terms, session, app, terms.token, form)
    except OSError as error:
        raise Unavailable(
            f"{title} could not be asked for access ({type(error).__name__}); connect again.",
            network=title,
        ) from error
    return fields_of(title, terms, response, time.time())


def revoked(
    title: str, terms: OAuth, session: Session, app: Mapping[str, str], token: str, hint: str
) -> None:
    """End the access at the network (RFC 7009). ``hint`` is refresh_token or access_token.

    Raises Unavailable where it could not be asked or did not say yes.
    """
    if terms.revoke is None:
        raise Unavailable(f"{title} has no way to end the access from here.", network=title)
    form = {"token": token, "token_type_hint": hint}
    try:
        response = asked(terms, session, app, terms.revoke, form)
    except OSError as error:
        raise Unavailable(
            f"{title} could not be asked to end the access ({type(error).__name__}).",
            network=title,
        ) from error
    if not response.ok:
        raise Unavailable(
            f"{title} did not end the access (HTTP {response.status_code}).",
            network=title,
            status=response.status_code,
        )


def asked(
    terms: OAuth,
    session: Session,
    app: Mapping[str, str],
    address: str,
    form: Mapping[str, str],
) -> requests.Response:
    """Send ``form`` with the app's proof of itself (RFC 6749 section 2.3.1). Raises OSError."""
    client_id, secret = app.get("client_id", ""), app.get("client_secret", "")
    sent, auth = dict(form), None
    if secret and terms.proof == "basic":
        auth = (client_id, secret)
    else:
        sent["client_id"] = client_id
        if secret:
            sent["client_secret"] = secret
    return session.post(
        placed(address, session.endpoint), data=sent, auth=auth, headers=dict(terms.headers)
    )
