"""What a network says about its OAuth 2: data, with source and date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

Redirects = Literal["exact", "any_port"]


@dataclass(frozen=True, slots=True)
class Scope:
    """A permission. ``why`` is what postkit does with it, to end "to ...".

    ``optional``: publishing works without it.
    """

    name: str
    why: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class OAuth:
    """The authorisation code grant of one network (RFC 6749 section 4.1, PKCE of RFC 7636).

    ``authorize``, ``token`` and ``revoke`` (RFC 7009; None: there is none) are whole addresses,
    or paths below the endpoint where each user has a server of their own. ``token`` and
    ``revoke`` must be on the network's declared hosts.

    ``register`` tells what to register where; ``{redirect}`` stands for the redirect's address.
    ``app`` names the credentials that belong to the app and not to its user; they are kept for
    the next account. ``needs_secret``: an app without a client_secret is none here.

    ``proof``: a client_secret goes into the ``basic`` header or into the ``form``.
    ``redirects``: whether the network compares the redirect's address whole (``exact``) or
    leaves the port of a loopback address free (RFC 8252 section 7.3).
    ``host`` is how a loopback address is spelt where the network takes one spelling alone.
    ``parameters`` are added to the address of the consent page; ``headers`` are sent along to
    ``token`` and ``revoke``, where a network lets in only who names itself.
    """

    authorize: str
    token: str
    scopes: tuple[Scope, ...]
    register: str
    source: str
    checked: date
    revoke: str | None = None
    app: tuple[str, ...] = ("client_id", "client_secret")
    needs_secret: bool = False
    proof: Literal["basic", "form"] = "basic"
    redirects: Redirects = "exact"
    host: Literal["127.0.0.1", "localhost"] = "127.0.0.1"
    pkce: bool = True
    separator: str = " "
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def required(self) -> frozenset[str]:
        """The names of the scopes without which nothing can be published."""
        return frozenset(scope.name for scope in self.scopes if not scope.optional)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the accounts that a person's access is good for (a page, a channel). ``fields`` is
    what the vault keeps of it."""

    id: str
    name: str
    fields: Mapping[str, str] = field(repr=False)


def placed(address: str, endpoint: str | None) -> str:
    """Where ``address`` is for an account: below its endpoint, where it has one."""
    if endpoint is None:
        return address
    parts = urlsplit(address)
    return endpoint.rstrip("/") + parts.path
