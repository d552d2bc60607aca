"""Connecting in the browser, as a person at a terminal is led through it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import click

from ..accounts.oauth.flow import CHOICE, ChoiceNeeded
from ..accounts.oauth.loopback import PATIENCE, PORT, Loopback, Unanswered, path_of
from ..accounts.oauth.terms import OAuth, Scope
from ..accounts.secret import Secret
from ..errors import InputError
from ..network import Account, CanRegister, Identity, Network
from .kit import Kit
from .output import say, shown, wrapped
from .screen import open_page

NOBODY = (
    "Nobody can be asked here whether it is the right account: name the one that is meant, as the "
    "network shows it, with --yes NAME."
)
MOST_PASTED = 16_384
"""Characters of an answer that is pasted."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line. ``yes`` is the name of the account that is meant."""

    name: str
    endpoint: str | None
    ca_bundle: str | None
    app: Mapping[str, str]
    replace: bool
    port: int | None
    browser: bool
    yes: str | None


def connect_in_browser(kit: Kit, network: Network[Any], terms: OAuth, wanted: Wanted) -> Account:
    """Lead a person through it. Raises InputError, Unanswered, Declined or NetworkError."""
    if wanted.yes is None and not wanted.replace and not sys.stdin.isatty():
        raise InputError(NOBODY)
    if wanted.port == 0 and terms.redirects == "exact" and not isinstance(network, CanRegister):
        raise InputError(
            f"--port 0: {network.title} compares the redirect's address whole, so a free port "
            f"would not fit the one that is registered; leave it out for {PORT}, or name one."
        )
    path = path_of(network.name, wanted.endpoint if network.needs_endpoint else None)
    if not wanted.browser:
        port = PORT if wanted.port is None else wanted.port
        redirect_uri = f"http://{terms.host}:{port}{path}"
        return _on_another_machine(kit, network, terms, wanted, redirect_uri)
    port = PORT if wanted.port is None else wanted.port
    with Loopback(port, terms.host, path) as loopback:
        url, state = _begin(kit, network, terms, wanted, loopback.redirect_uri)
        loopback.expect(state)
        opened = sys.stderr.isatty() and open_page(url)
        say(f"\n{'Your browser opens' if opened else 'Open in your browser'}:", err=True)
        # Whole, on a line of its own, so that it can be copied.
        say(f"\n{shown(url)}\n", err=True)
        say(
            f"Waiting for its answer, {PATIENCE / 60:g} minutes at most (Ctrl-C ends) ...", err=True
        )
        try:
            params = loopback.wait()
        except Unanswered:
            kit.forget_app(
                network.name, redirect_uri=loopback.redirect_uri, endpoint=wanted.endpoint
            )
            raise
        return _finish(kit, network, state, params, wanted)


def explain(network: Network[Any], terms: OAuth, redirect_uri: str) -> None:
    """What to register where, and what the network will ask for, on standard error."""
    say(f"Connecting {network.title} in the browser.", err=True)
    if isinstance(network, CanRegister):
        say("\nThe app is registered at the server by itself.", err=True)
    else:
        say("\nIt needs an app of yours, once:", err=True)
        for line in wrapped(terms.register.format(redirect=redirect_uri), "  "):
            say(line, err=True)
    say(f"\n{network.title} will ask you for these permissions:", err=True)
    width = max(len(scope.name) for scope in terms.scopes)
    for scope in terms.scopes:
        say(f"  {scope.name:{width}}  {_why(scope)}", err=True)


def _why(scope: Scope) -> str:
    return f"to {scope.why}" + (" (can be left out)" if scope.optional else "")


def _begin(
    kit: Kit, network: Network[Any], terms: OAuth, wanted: Wanted, redirect_uri: str
) -> tuple[str, str]:
    explain(network, terms, redirect_uri)

    def begun(app: Mapping[str, str]) -> tuple[str, str]:
        return kit.begin_connect(
            network.name,
            redirect_uri=redirect_uri,
            name=wanted.name,
            endpoint=wanted.endpoint,
            ca_bundle=wanted.ca_bundle,
            app=app,
            replace=wanted.replace,
        )

    if (
        wanted.app
        or isinstance(network, CanRegister)
        or kit.has_app(network.name, wanted.endpoint)
        or not sys.stdin.isatty()
    ):
        return begun(wanted.app)
    return begun(_ask_app(network, terms))


def _ask_app(network: Network[Any], terms: OAuth) -> dict[str, str]:
    known = {field.name: field for row in network.credentials for field in row.fields}
    found = {}
    say(err=True)
    for name in terms.app:
        field = known.get(name)
        is_secret = field.secret if field is not None else name != "client_id"
        is_optional = is_secret and not terms.needs_secret
        value = click.prompt(
            f"  {name}" + (" (Enter where the app has none)" if is_optional else ""),
            hide_input=is_secret,
            default="" if is_optional else None,
            show_default=False,
            err=True,
        )
        if value:
            found[name] = Secret(value).reveal() if is_secret else str(value)
    return found


def _on_another_machine(
    kit: Kit, network: Network[Any], terms: OAuth, wanted: Wanted, redirect_uri: str
) -> Account:
    url, state = _begin(kit, network, terms, wanted, redirect_uri)
    say(f"\nOpen in a browser, on any machine:\n\n{shown(url)}\n", err=True)
    say(
        "It ends on a page that cannot be shown. Copy its whole address (it begins with "
        f"{redirect_uri}) and paste it here:",
        err=True,
    )
    text = sys.stdin.readline(MOST_PASTED).strip()
    return _finish(kit, network, state, pasted(text), wanted)


def pasted(text: str) -> dict[str, str]:
    """The query of an address that was pasted, or of a query alone. Raises InputError."""
    query = urlsplit(text).query if "?" in text else text
    try:
        pairs = parse_qsl(query, strict_parsing=True, errors="strict", max_num_fields=20)
    except (ValueError, UnicodeDecodeError):
        pairs = []
    params = dict(pairs)
    if len(params) != len(pairs) or not params.keys() & {"code", "error"}:
        raise InputError(
            "That is no answer of a network: paste the whole address of the page that could not "
            "be shown, from http to its end. Begin again."
        )
    return params


def _finish(
    kit: Kit, network: Network[Any], state: str, params: Mapping[str, str], wanted: Wanted
) -> Account:
    def confirm(identity: Identity) -> bool:
        return is_meant(kit, network, identity, wanted)

    try:
        return kit.finish_connect(state, params, confirm=confirm)
    except ChoiceNeeded as several:
        chosen = _chosen(several, wanted)
        return kit.finish_connect(state, {CHOICE: chosen}, confirm=confirm)


def _chosen(several: ChoiceNeeded, wanted: Wanted) -> str:
    """The id of the account that is meant, of several that the login is good for."""
    named = [each.id for each in several.choices if wanted.yes in (each.id, each.name)]
    if len(named) == 1:
        return named[0]
    if not sys.stdin.isatty():
        raise InputError(f"{several.message} Name it with --yes NAME.")
    for number, choice in enumerate(several.choices, 1):
        say(f"  {number}  {shown(choice.name)}  ({shown(choice.id)})", err=True)
    number = click.prompt("Which", type=click.IntRange(1, len(several.choices)), err=True)
    return several.choices[int(number) - 1].id


def is_meant(kit: Kit, network: Network[Any], identity: Identity, wanted: Wanted) -> bool:
    """Whether this is the account that the person means."""
    same = [
        account.label
        for account in kit.accounts
        if account.network == network.name
        and account.endpoint == wanted.endpoint
        and account.identity is not None
        and account.identity.id == identity.id
    ]
    say(err=True)
    say(
        shown(f"{network.title} says: this is {identity.name} {identity.url or ''}".rstrip()),
        err=True,
    )
    if same:
        say(
            f"It is connected already, as {', '.join(same)}: a post to both would appear twice.",
            err=True,
        )
    if wanted.yes is not None:
        return wanted.yes.removeprefix("@") in (identity.id, identity.name.removeprefix("@"))
    if not sys.stdin.isatty():
        raise InputError(NOBODY)
    return click.confirm("Is this the right account?", err=True)
