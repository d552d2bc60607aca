"""A URL taken apart in one way only: what two parsers could read differently is refused."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, urljoin, urlsplit

from .errors import Forbidden

LONGEST = 4096
"""Code points of a URL."""

_ODD = re.compile(r"[\x00-\x20\x7f-\xa0\\<>\"{}|^`\u200b-\u200f\u2028-\u202f\ufeff\ud800-\udfff]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL = ("localhost", "local", "internal", "intranet", "home.arpa", "onion")
_KEPT = "/?%:@!$&'()*+,;=-._~[]"
_REMEDY = "give the https address of a host on the internet"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect and what to ask for. ``host`` is in ASCII, without a dot at its end;
    ``is_address``: it is an IP address (IPv6 without brackets)."""

    host: str
    port: int
    path: str
    is_address: bool

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == 443 else f":{self.port}"
        return f"https://{host}{port}{self.path}"


def read_target(url: str, ports: Collection[int] | None = (443,)) -> Target:
    """Take ``url`` apart; ``ports`` are those that it may name (``None``: any).

    Raises Forbidden; nothing is resolved, nothing connected.
    """
    if len(url) > LONGEST:
        raise _no(url, f"an address of more than {LONGEST:,} characters is not read")
    if _ODD.search(url):
        raise _no(url, "it holds a space, a backslash or another sign that no address has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _no(url, "it cannot be read as an address") from None
    if parts.scheme != "https":
        raise _no(url, f"{parts.scheme or 'an address without https'} is not fetched, only https")
    if "@" in parts.netloc:
        raise _no(url, "an address with a user name or a password is not fetched")
    if not parts.hostname or "%" in parts.netloc:
        raise _no(url, "it names no host")
    host, is_address = _host(url, parts.netloc, parts.hostname)
    port = 443 if port is None else port
    if ports is not None and port not in ports:
        raise _no(url, f"port {port} is not fetched from, only {_listed(ports)}")
    path = quote(parts.path or "/", safe=_KEPT)
    if parts.query:
        path += f"?{quote(parts.query, safe=_KEPT)}"
    return Target(host, port, path, is_address)


def follow(target: Target, location: str, ports: Collection[int] = (443,)) -> Target:
    """Where a redirect leads. Raises Forbidden as ``read_target`` does."""
    if _ODD.search(location):
        raise _no(target.url, "it redirects to what is no address")
    try:
        return read_target(urljoin(target.url, location), ports)
    except Forbidden as error:
        raise Forbidden(target.url, f"it redirects: {error.reason}", error.remedy) from None
    except ValueError:
        raise _no(target.url, "it redirects to what is no address") from None


def _host(url: str, netloc: str, name: str) -> tuple[str, bool]:
    if netloc.startswith("["):
        try:
            return str(IPv6Address(name)), True
        except ValueError:
            raise _no(url, "it names no host") from None
    if not name.isascii():
        import idna

        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise _no(url, "its host cannot be a name on the internet") from None
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # Resolvers take 2130706433, 0x7f.1 and 0177.0.0.1 for 127.0.0.1; we take one spelling.
        try:
            return str(IPv4Address(name)), True
        except ValueError:
            raise _no(url, "its host is a number and no plain IPv4 address") from None
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _no(url, "its host cannot be a name on the internet")
    if len(labels) < 2 or name.endswith(tuple(f".{end}" for end in _LOCAL)):
        raise _no(url, f"{name} is a name inside a machine or a local network")
    return name, False


def _listed(ports: Collection[int]) -> str:
    return " or ".join(str(port) for port in sorted(ports))


def _no(url: str, reason: str) -> Forbidden:
    return Forbidden(url, reason, _REMEDY)
