"""Connecting an account: check what was given, keep it in the vault, ask the network who we are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from ..deliver.clients import Clients
from ..deliver.identity import identify
from ..errors import InputError, NeedsLogin, NetworkError, PostkitError, Refused
from ..ids import new_id
from ..network import Account, CredentialSet, Identity, Network
from ..store.accounts import AccountRows
from ..suggest import did_you_mean
from ..transport import Session
from .draft import Draft
from .place import Place, is_loopback
from .vault import Vault

PATIENCE = 10.0
"""Seconds to wait for an answer while an account is being connected."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
Confirm = Callable[[Identity], bool]
"""Whether this is the account that was meant."""


class Declined(PostkitError):
    """A person said that it is the wrong account; nothing was kept."""

    kind = "declined"


def choose(network: Network[Any], given: Mapping[str, str]) -> CredentialSet:
    """The set of credentials that ``given`` fills. Raises InputError with what is missing."""
    known = {field.name for row in network.credentials for field in row.fields}
    problems = [
        f"{network.name} has no credential {name!r}.{did_you_mean(name, known)} "
        f"It takes: {spelled(network)}."
        for name in given
        if name not in known
    ]
    problems += [f"{name} is empty; give its value." for name, value in given.items() if not value]
    if problems:
        raise InputError(problems)
    fitting = [
        row
        for row in network.credentials
        if all(field.name in given or field.optional for field in row.fields)
        and set(given) <= {field.name for field in row.fields}
    ]
    if not fitting:
        raise InputError(f"{network.name} needs {spelled(network)}; given: {_listed(given)}.")
    return fitting[0]


def check_endpoint(network: Network[Any], endpoint: str | None) -> str | None:
    """The endpoint without its trailing slash. Raises InputError where it is none."""
    if endpoint is None:
        if network.needs_endpoint:
            raise InputError(
                f"{network.name} has many servers; name yours with --endpoint https://SERVER."
            )
        return None
    problem = InputError(f"--endpoint {endpoint!r} is no web address; write https://SERVER.")
    try:
        parts = urlsplit(endpoint)
        fit = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:  # brackets or a port that are none
        raise problem from None
    if not fit or not endpoint.isprintable() or " " in endpoint or "\\" in endpoint:
        raise problem
    if "?" in endpoint or "#" in endpoint or "@" in parts.netloc:
        raise InputError("--endpoint takes scheme, host, port and path alone, and no password.")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise InputError(
            f"--endpoint {endpoint}: http would send the token in the clear; use https."
        )
    return _as_sent(endpoint, problem).rstrip("/")


def _as_sent(endpoint: str, problem: InputError) -> str:
    """The spelling that requests are sent with: a host's name has no capitals there, and no letters
    beyond ASCII. What an account is sent to is compared with it."""
    request = requests.PreparedRequest()
    try:
        request.prepare_url(endpoint, None)
    except (requests.RequestException, UnicodeError):
        raise problem from None
    return request.url or ""


def check_bundle(ca_bundle: str | None) -> str | None:
    """The whole path of the file of certificates. Raises InputError where there is none."""
    if ca_bundle is None:
        return None
    path = Path(ca_bundle).absolute()
    if str(path) != str(path).encode("utf-8", "replace").decode():
        raise InputError(f"--ca-bundle {ca_bundle!r}: its name is no text in UTF-8; rename it.")
    if not path.is_file():
        raise InputError(f"--ca-bundle {ca_bundle}: there is no such file.")
    return str(path)


def connect(
    network: Network[Any],
    name: str,
    given: Mapping[str, str],
    *,
    accounts: AccountRows,
    vault: Vault,
    clients: Clients,
    endpoint: str | None = None,
    ca_bundle: str | None = None,
    replacing: bool = False,
    is_granted: bool = False,
    confirm: Confirm | None = None,
) -> tuple[Account, NetworkError | None]:
    """Add the account, or give new access to one that lost it (if ``replacing``, to any).

    ``is_granted``: the fields are the network's own answer, and no person's. ``confirm`` is asked
    of an account that was not verified before whether it is the right one. The second value says
    why it is unverified, where it is.

    Raises InputError for what cannot be right, Declined where it is the wrong account, and
    Refused or NeedsLogin where the network answers that the access is wrong: then nothing is kept.
    """
    if not is_granted:
        choose(network, given)
    known, place = destination(
        network, name, accounts, vault, endpoint, ca_bundle, replacing=replacing
    )
    endpoint, ca_bundle = place.endpoint, place.ca_bundle
    if known is not None:
        return _again(network, known, given, accounts, vault, clients, confirm)
    account = accounts.configured(
        Account(
            new_id("a"),
            network.name,
            name,
            endpoint,
            ca_bundle,
            tenant=accounts.tenant or "",
            state="unverified",
        )
    )
    # The secret first: an account without one could not be told from a lost one.
    vault.put(account.id, dict(given), account.place)
    try:
        account, problem = verified(network, account, clients)
        _check_meant(network, account.identity, confirm)
        accounts.add(account)
        account = accounts.by_id(account.id)
    except BaseException:
        vault.delete(account.id)
        raise
    return account, problem


def destination(
    network: Network[Any],
    name: str,
    accounts: AccountRows,
    vault: Vault,
    endpoint: str | None,
    ca_bundle: str | None,
    *,
    replacing: bool,
) -> tuple[Account | None, Place]:
    """The account that is connected under that name already, and where the new access is for.

    Raises InputError for what cannot be right, also where the name is taken.
    """
    if not NAME.fullmatch(name):
        raise InputError(
            f"--name {name!r}: an account's name has letters, digits, '.', '_' and '-', at most 64."
        )
    known = next((a for a in accounts.all() if a.label == f"{network.name}:{name}"), None)
    if known is not None and endpoint is None:
        endpoint = known.endpoint
    endpoint = check_endpoint(network, endpoint)
    ca_bundle = check_bundle(ca_bundle)
    if known is None:
        return None, Place(endpoint, ca_bundle)
    if known.state == "ok" and not replacing and known.id in vault.ids():
        raise InputError(
            f"{known.label} is connected already. Choose another --name, or give it new "
            "credentials with --replace."
        )
    known = replace(known, endpoint=endpoint, ca_bundle=ca_bundle or known.ca_bundle)
    return known, known.place


def _again(
    network: Network[Any],
    account: Account,
    given: Mapping[str, str],
    accounts: AccountRows,
    vault: Vault,
    clients: Clients,
    confirm: Confirm | None,
) -> tuple[Account, NetworkError | None]:
    """New access for an account that lost it: its open posts go on where they stopped."""
    # Not in the vault before it is known to work: a worker that runs would send with it.
    draft = Draft(given)
    found, problem = verified(network, account, clients.trying(draft))
    if problem is not None:
        raise problem
    was, now = account.identity, found.identity
    if was is not None and now is not None and was.id != now.id:
        raise InputError(
            f"{account.label} was {was.name}, and this access is {now.name}'s. Connect that "
            "account under another --name."
        )
    if was is None:
        # Nothing tells yet whose account this is to be.
        _check_meant(network, now, confirm)
    # Whoever renews the old access this moment must not write it over the new one; nor may the new
    # one go where the old one was for, so that it carries its place before the account has it.
    with vault.lock(account.id):
        vault.put(account.id, draft.get(account.id), found.place)
        accounts.renew(found)
    clients.drop(account.id)
    return accounts.by_id(account.id), None


def _check_meant(network: Network[Any], identity: Identity | None, confirm: Confirm | None) -> None:
    """Raises Declined where a person says that it is the wrong account."""
    if confirm is not None and identity is not None and not confirm(identity):
        raise Declined(
            f"{identity.name} is not the account that was meant; nothing was kept. Log in at "
            f"{network.title} as the right one, and connect again."
        )


def verified(
    network: Network[Any], account: Account, clients: Clients
) -> tuple[Account, NetworkError | None]:
    """Ask the network who we are. An account that could not be asked for stays unverified."""
    try:
        connection = clients.take(account)
    except (NeedsLogin, Refused):
        raise
    except NetworkError as error:
        return account, error
    # A person waits for this answer: one try, and a short one.
    connection.session.read_timeout = min(connection.session.read_timeout, PATIENCE)
    try:
        identity = identify(connection, patient=False)
        clients.told(connection, identity)
        # Only what was learnt is kept: what is configured is read anew each time.
        settings = emulated_settings(connection.session, network.name)
    except (NeedsLogin, Refused):
        raise
    except NetworkError as error:
        return account, error
    finally:
        connection.close()
    return replace(account, identity=identity, settings=settings, state="ok"), None


def emulated_settings(session: Session, network: str) -> dict[str, Any]:
    """The short quiet window that an emulator declares. Only a loopback address is believed:
    a real server must not be able to shorten our patience."""
    parts = urlsplit(session.base)
    if not is_loopback(parts.hostname or ""):
        return {}
    answer = ask_quietly(session, f"{parts.scheme}://{parts.netloc}/_postkit/")
    if not isinstance(answer, dict) or answer.get("postkit_emulator") is not True:
        return {}
    quiet = answer.get("quiet", {}).get(network)
    return {"quiet": float(quiet), "emulated": True} if quiet is not None else {}


def ask_quietly(session: Session, url: str) -> Any:
    try:
        response = session.get(url)
        return response.json() if response.ok else None
    except (OSError, ValueError):
        return None


def spelled(network: Network[Any]) -> str:
    return ", or ".join(
        " + ".join(f"[{f.name}]" if f.optional else f.name for f in row.fields)
        for row in network.credentials
    )


def _listed(given: Mapping[str, str]) -> str:
    return ", ".join(given) or "nothing"
