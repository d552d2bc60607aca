"""``postkit connect``: what a network needs, asked for or given, checked and kept."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from ..accounts.connect import check_endpoint, choose, spelled
from ..accounts.grant import LEARNT
from ..accounts.keys import NoKey, find_key, make_key_file
from ..accounts.oauth.flow import terms_of
from ..accounts.oauth.loopback import PORT
from ..accounts.oauth.terms import OAuth
from ..accounts.secret import Secret
from ..errors import InputError
from ..network import Account, CredentialSet, Network
from .kit import Kit
from .login import Wanted, connect_in_browser
from .output import emit, json_option, say, shown
from .text import AnyBytes


@click.command("connect")
@click.argument("network")
@click.option("--name", help="What you call the account. [default: the network's name]")
@click.option("--endpoint", metavar="URL", help="Another server in place of the network's own.")
@click.option(
    "--ca-bundle", type=click.Path(), help="Certificates that the server is checked against."
)
@click.option(
    "--credential",
    "credentials",
    type=AnyBytes(),
    multiple=True,
    metavar="KEY=VALUE",
    help="A credential: KEY=VALUE, KEY=env:VARIABLE, KEY=file:PATH, KEY=cmd:COMMAND, or KEY=- for "
    "a line of standard input. Repeat it for several.",
)
@click.option(
    "--make-key", is_flag=True, help="Make a key file for the vault where there is no key."
)
@click.option("--replace", is_flag=True, help="Give an account that is connected new credentials.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="N",
    help="The port of 127.0.0.1 that the browser comes back to; 0 takes a free one. "
    f"[default: {PORT}]",
)
@click.option(
    "--no-browser",
    is_flag=True,
    help="Print the address of the consent page, and take the pasted answer.",
)
@click.option(
    "--yes",
    metavar="NAME",
    help="The account that is meant, as the network shows it: nobody is asked.",
)
@json_option
def command(
    network: str,
    name: str | None,
    endpoint: str | None,
    ca_bundle: str | None,
    credentials: tuple[str, ...],
    make_key: bool,
    replace: bool,
    port: int | None,
    no_browser: bool,
    yes: str | None,
    as_json: bool,
) -> int:
    """Connect an account of NETWORK: in the browser, or with credentials that you bring.

    Secrets are kept encrypted, never in plain text.
    """
    with Kit() as kit:
        plugin = kit.plugins.network(network)
        given = read_credentials(kit, plugin, credentials)
        _ensure_key(kit, make_key, as_json)
        if endpoint is None:
            endpoint = _known_endpoint(kit, network, network if name is None else name)
        if not given:
            endpoint = _ask_endpoint(plugin, endpoint)
        way = _way(plugin, given, is_led=no_browser or port is not None or yes is not None)
        if isinstance(way, OAuth):
            wanted = Wanted(
                network if name is None else name,
                check_endpoint(plugin, endpoint),
                ca_bundle,
                given,
                replace,
                port,
                not no_browser,
                yes,
            )
            account, problem = connect_in_browser(kit, plugin, way, wanted), None
        else:
            given = given or _ask(way)
            if sys.stderr.isatty():
                say(f"Asking {endpoint or plugin.title} who this is ...", err=True)
            account, problem = kit.connect(
                network,
                given,
                name=name,
                endpoint=endpoint,
                ca_bundle=ca_bundle,
                replace=replace,
            )
        warnings = [*([problem.message] if problem else []), *not_granted(kit, plugin, account)]
    who = account.identity
    if as_json:
        emit(
            {
                "account": account.label,
                "network": account.network,
                "name": account.name,
                "endpoint": account.endpoint,
                "state": account.state,
                "identity": {"id": who.id, "name": who.name, "url": who.url} if who else None,
                "warnings": warnings,
            }
        )
        return 0
    for warning in warnings if who is not None else ():
        say(shown(f"warning: {warning}"), err=True)
    if who is not None:
        say(shown(f"Connected {account.label}: {who.name} {who.url or ''}".rstrip()))
        say(f'Next: postkit publish --text "Hello" --to {account.label} --dry-run')
    else:
        say(shown(f"Kept {account.label}, unverified: {problem.message if problem else ''}"))
        say(
            "It is checked with the first post. To check it now, or to give other credentials, "
            "connect it again under the same name."
        )
    return 0


def not_granted(kit: Kit, network: Network[Any], account: Account) -> list[str]:
    """A sentence for each scope that was asked for and is not known to be granted."""
    terms = network.oauth
    [status] = [each for each in kit.account_statuses() if each.account.id == account.id]
    granted = status.grant.scopes if status.grant is not None else None
    if terms is None or granted is None:
        return []
    return [
        f"{scope.name} was not granted, which is needed to {scope.why}"
        + ("." if scope.optional else ": without it nothing can be published.")
        for scope in terms.scopes
        if scope.name not in granted
    ]


def read_credentials(kit: Kit, network: Network[Any], pairs: tuple[str, ...]) -> dict[str, str]:
    """``KEY=VALUE`` pairs. A value may be a reference: then no secret is in a list of processes."""
    fields = [field for row in network.credentials for field in row.fields]
    public = {field.name for field in fields if not field.secret} | LEARNT
    found: dict[str, str] = {}
    problems = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            problems.append(
                "--credential takes KEY=VALUE, KEY=env:VARIABLE, KEY=file:PATH, KEY=cmd:COMMAND or "
                "KEY=-."
            )
            continue
        if key in found:
            problems.append(f"--credential {key} is given twice.")
            continue
        try:
            value = _value(kit, key, value)
            if not value.isascii() and value != value.encode("utf-8", "replace").decode():
                problems.append(f"--credential {key}: its value is no text in UTF-8.")
                continue
            # What is no secret (a handle, a page's id) must stay readable in links.
            found[key] = value if key in public else Secret(value).reveal()
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return found


def _value(kit: Kit, key: str, value: str) -> str:
    if value == "-":
        text = sys.stdin.readline().rstrip("\r\n")
        if not text:
            raise InputError(f"--credential {key}=-: standard input is empty.")
        return text
    try:
        resolved: str | None = kit.plugins.manager.hook.postkit_secret(reference=value)
    except InputError as error:
        raise InputError(f"--credential {key}={problem}" for problem in error.problems) from error
    return value if resolved is None else resolved


def _ensure_key(kit: Kit, make_key: bool, as_json: bool) -> None:
    """Open the vault. A new one gets a key file where that is wished, else the system's keyring
    keeps its key, else a person is asked whether to make a key file."""
    if make_key and not kit.home.vault_path.exists():
        try:
            find_key(kit.home)
        except NoKey:
            _make_key_file(kit)
    try:
        kit.vault()
    except NoKey:
        if not (
            sys.stdin.isatty()
            and not as_json
            and click.confirm(f"There is no key for the vault. Make one at {kit.home.key_path}?")
        ):
            raise
        _make_key_file(kit)


def _make_key_file(kit: Kit) -> None:
    make_key_file(kit.home)
    say(
        f"Made the vault's key: {kit.home.key_path}. Keep a copy: without it the secrets are lost.",
        err=True,
    )


def _known_endpoint(kit: Kit, network: str, name: str) -> str | None:
    """Where the account of that name is, if there is one and it has a server of its own."""
    label = f"{network}:{name}"
    return next((each.endpoint for each in kit.accounts if each.label == label), None)


def _ask_endpoint(network: Network[Any], endpoint: str | None) -> str | None:
    if endpoint is None and network.needs_endpoint and sys.stdin.isatty():
        endpoint = click.prompt(f"Your {network.title} server, as https://SERVER")
    return check_endpoint(network, endpoint)


def _way(network: Network[Any], given: Mapping[str, str], *, is_led: bool) -> OAuth | CredentialSet:
    """How to connect: in the browser, or by which credentials.

    Asked for on a terminal where there are several ways; what is given decides before that.
    Raises InputError.
    """
    terms = network.oauth
    if given:
        if terms is not None and set(given) <= set(terms.app):
            return terms
        if is_led:
            raise InputError(
                "--port, --no-browser and --yes belong to connecting in the browser, which takes "
                + (
                    f"--credential for {' and '.join(terms.app)} alone."
                    if terms is not None
                    else f"no {network.title}."
                )
            )
        return choose(network, given)
    if terms is not None and (is_led or not network.credentials):
        return terms
    if is_led:
        return terms_of(network)  # which says that there is none
    if not sys.stdin.isatty():
        led = " or --no-browser --yes NAME" if terms is not None else ""
        raise InputError(
            f"{network.name} needs {spelled(network)}, each as --credential KEY=VALUE{led}. "
            f"`postkit networks {network.name}` tells where to get them."
        )
    ways: list[OAuth | CredentialSet] = [*([terms] if terms is not None else [])]
    ways += network.credentials
    if len(ways) == 1:
        return ways[0]
    for number, way in enumerate(ways, 1):
        what = (
            "in the browser (OAuth 2)"
            if isinstance(way, OAuth)
            else f"{way.name}: {', '.join(field.name for field in way.fields)}"
        )
        click.echo(f"  {number}  {what}", err=True)
    choice = click.prompt("Which", type=click.IntRange(1, len(ways)), default=1, err=True)
    return ways[int(choice) - 1]


def _ask(row: CredentialSet) -> dict[str, str]:
    """Ask for each field on a terminal."""
    found: dict[str, str] = {}
    for field in row.fields:
        click.echo(f"{field.name}: {field.how}")
        value = click.prompt(
            f"  {field.name}" + (" (optional)" if field.optional else ""),
            hide_input=field.secret,
            default="" if field.optional else None,
            show_default=False,
        )
        if value:
            found[field.name] = Secret(value).reveal() if field.secret else str(value)
    return found
