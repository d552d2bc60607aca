"""From "connect this network" to its consent page, and from the answer to access."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from ...errors import InputError, PluginError, Refused
from ...network import CanChoose, CanRegister, Network
from ...transport import Session
from ..grant import LEARNT
from ..place import Place, is_loopback
from ..secret import Secret
from .apps import Apps
from .pending import Pending, PendingConnects
from .query import check_query, check_state, code_of
from .terms import Choice, OAuth, placed
from .tokens import exchanged

UNKNOWN_APP = frozenset({"invalid_client", "unauthorized_client"})
"""The errors that speak of the app, and not of the code (RFC 6749 section 5.2)."""
CHOICE = "choice"
"""The parameter that answers ``ChoiceNeeded``."""


class ChoiceNeeded(InputError):
    """The access is good for several accounts; finish with the ``id`` of one of ``choices``."""

    kind = "choice_needed"

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        self.choices = tuple(choices)
        named = ", ".join(f"{each.name} ({each.id})" for each in choices)
        super().__init__(
            f"This {title} login is good for several: {named}. Choose one; nothing is kept yet."
        )


class Flow:
    """``session`` gives one to a network's hosts, or to the server of a place."""

    def __init__(
        self,
        pending: PendingConnects,
        apps: Apps,
        session: Callable[[Network[Any], Place], Session],
    ) -> None:
        self._pending = pending
        self._apps = apps
        self._session = session

    def begin(
        self,
        network: Network[Any],
        redirect_uri: str,
        *,
        name: str,
        place: Place,
        app: Mapping[str, str],
        replacing: bool,
    ) -> tuple[str, str]:
        """The address of the consent page, and the state that its answer must carry.

        Raises InputError with what is missing, and NetworkError where the app cannot be
        registered.
        """
        terms = terms_of(network)
        check_redirect(redirect_uri)
        app = self._app(network, terms, redirect_uri, place, app)
        _hide(app)
        verifier = secrets.token_urlsafe(64)  # 86 of the 128 characters that RFC 7636 allows
        Secret(verifier)
        state = self._pending.put(
            Pending(
                network.name,
                name,
                redirect_uri,
                place.endpoint,
                place.ca_bundle,
                replacing,
                app,
                verifier,
            )
        )
        return _page(terms, place.endpoint, app["client_id"], redirect_uri, state, verifier), state

    def answered(
        self, state: str, params: Mapping[str, str], network_of: Callable[[str], Network[Any]]
    ) -> tuple[Pending, dict[str, str]]:
        """What was begun under ``state``, and the fields that the vault is to keep.

        ``params`` is the query that the network sent the browser back with. Raises InputError
        (ChoiceNeeded where there are several accounts), Refused, NeedsLogin or Unavailable: then
        nothing is kept, and it must be begun again (but for a choice).
        """
        check_query(params)
        chosen = params.get(CHOICE)
        if chosen is None:
            check_state(state, params)
        pending = self._pending.take(state)
        _hide(pending.app)
        network = network_of(pending.network)
        if pending.choices:
            return pending, self._chosen(pending, state, network.title, chosen)
        terms = terms_of(network)
        code = code_of(network.title, pending, params)
        with self._session(network, Place(pending.endpoint, pending.ca_bundle)) as session:
            try:
                fields = exchanged(
                    network.title,
                    terms,
                    session,
                    pending.app,
                    code=code,
                    redirect_uri=pending.redirect_uri,
                    verifier=pending.verifier,
                )
            except Refused as no:
                if no.code in UNKNOWN_APP:
                    self.forget(network, pending.redirect_uri, pending.endpoint)
                raise
            fields = {**pending.app, **fields}
            choices = _choices(network, session, fields)
        if not isinstance(network, CanRegister):
            self._apps.put(network.name, pending.endpoint, pending.app)
        if choices is None:
            return pending, fields
        waiting = replace(pending, choices=choices)
        if len(choices) > 1:
            self._pending.put(waiting, state)
            raise ChoiceNeeded(network.title, choices)
        return waiting, dict(choices[0].fields)

    def forget(self, network: Network[Any], redirect_uri: str, endpoint: str | None) -> None:
        """The app of a server that does not know it any more: the next one is registered anew."""
        if isinstance(network, CanRegister):
            self._apps.delete(network.name, endpoint, redirect_uri)

    def _chosen(
        self, pending: Pending, state: str, title: str, chosen: str | None
    ) -> dict[str, str]:
        for choice in pending.choices:
            if choice.id == chosen:
                return dict(choice.fields)
        self._pending.put(pending, state)
        raise ChoiceNeeded(title, pending.choices)

    def _app(
        self,
        network: Network[Any],
        terms: OAuth,
        redirect_uri: str,
        place: Place,
        given: Mapping[str, str],
    ) -> dict[str, str]:
        unknown = [name for name in given if name not in terms.app]
        if unknown:
            raise InputError(
                f"An app of {network.title} has {' and '.join(terms.app)}, no {unknown[0]!r}."
            )
        if isinstance(network, CanRegister) and not given:
            app = self._apps.get(network.name, place.endpoint, redirect_uri)
            if not app:
                with self._session(network, place) as session:
                    app = _registered(network, session, redirect_uri)
                _check_app(network.title, app)
                self._apps.put(network.name, place.endpoint, app, redirect_uri)
        else:
            app = dict(given) or self._apps.get(network.name, place.endpoint)
        _check_app(network.title, app)
        missing = [name for name in terms.app if not app.get(name)]
        if not terms.needs_secret:
            missing = [name for name in missing if name == "client_id"]
        if missing:
            how = terms.register.format(redirect=redirect_uri)
            raise InputError(
                f"{network.title} needs an app's {' and '.join(missing)}, as --credential "
                f"KEY=VALUE. {how}"
            )
        return app


def _check_app(title: str, app: Mapping[str, str]) -> None:
    """Raises InputError for what no app has: its credentials are of visible ASCII characters and
    blanks (RFC 6749 appendix A)."""
    for name, value in app.items():
        if not value.isascii() or not value.isprintable():
            raise InputError(
                f"{name} of the app at {title} holds a character that it cannot have: copy it "
                "again, without what stands around it."
            )


def _hide(app: Mapping[str, str]) -> None:
    """From here on the redactor knows the app's secret: a server may repeat it in its no."""
    for name, value in app.items():
        if name not in LEARNT:
            Secret(value)


def terms_of(network: Network[Any]) -> OAuth:
    """Raises InputError where the network is not connected in the browser."""
    if network.oauth is None:
        raise InputError(
            f"{network.title} is not connected in the browser; "
            f"`postkit networks {network.name}` tells what it needs."
        )
    return network.oauth


def check_redirect(redirect_uri: str) -> None:
    """Raises InputError for what the answer must not be sent to."""
    try:
        parts = urlsplit(redirect_uri)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    fit = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not host or not fit or parts.fragment or parts.username or not redirect_uri.isprintable():
        raise InputError(
            f"redirect_uri {redirect_uri!r}: the answer carries a code, so it must be https, or "
            "http on this machine (http://127.0.0.1:PORT/), without a fragment."
        )


def _page(
    terms: OAuth,
    endpoint: str | None,
    client_id: str,
    redirect_uri: str,
    state: str,
    verifier: str,
) -> str:
    query = {
        **terms.parameters,
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": terms.separator.join(scope.name for scope in terms.scopes),
        "state": state,
    }
    if terms.pkce:
        digest = hashlib.sha256(verifier.encode()).digest()
        query["code_challenge"] = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        query["code_challenge_method"] = "S256"
    return f"{placed(terms.authorize, endpoint)}?{urlencode(query)}"


def _registered(network: Any, session: Session, redirect_uri: str) -> dict[str, str]:
    from ...deliver.clients import ask

    app = ask(network, session, lambda: network.register(session, redirect_uri))
    if not isinstance(app, Mapping) or not app.get("client_id"):
        raise PluginError(f"The plugin {network.name} registered an app without a client_id.")
    return dict(app)


def _choices(
    network: Network[Any], session: Session, fields: Mapping[str, str]
) -> Sequence[Choice] | None:
    """None where the access is one account's."""
    if not isinstance(network, CanChoose):
        return None
    from ...deliver.clients import ask

    found = ask(network, session, lambda: network.choices(session, fields))
    if not found:
        raise Refused(
            f"{network.title}: this login is good for no account that can publish. Choose one on "
            "the consent page, or ask for a role on it.",
            network=network.name,
        )
    return tuple(found)
