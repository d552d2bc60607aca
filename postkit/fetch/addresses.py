"""Which IP addresses belong to the public internet, and why the others do not.

Rows from the IANA special-purpose address registries for IPv4 and IPv6, as of 2026-11-29, beside
the multicast and reserved blocks of RFC 5771, RFC 1112 and RFC 4291. The table is our own, since
`ipaddress.is_global` differs between Python 3.11 and 3.13.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network

_V4 = tuple(
    (IPv4Network(block), what)
    for block, what in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a carrier's customers"),
        ("127.0.0.0/8", "this machine"),
        ("168.63.129.16/32", "a cloud's own service"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "for documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_V6 = tuple(
    (IPv6Network(block), what)
    for block, what in (
        ("::/128", "unspecified"),
        ("::1/128", "this machine"),
        ("::ffff:0:0/96", "an IPv4 address in disguise"),
        ("::/96", "an IPv4 address in disguise"),
        ("64:ff9b:1::/48", "a local translation of IPv4"),
        ("100::/64", "a black hole"),
        ("2001::/32", "a Teredo tunnel"),
        ("2001::/23", "reserved for protocols"),
        ("2001:db8::/32", "for documentation"),
        ("2002::/16", "a 6to4 tunnel"),
        ("3fff::/20", "for documentation"),
        ("5f00::/16", "for segment routing"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_V6 = IPv6Network("2000::/3")


def why_not_public(address: str) -> str | None:
    """What ``address`` is instead of public, in words; ``None`` for a public one."""
    try:
        ip = ip_address(address)
    except ValueError:
        return "no IP address"
    if isinstance(ip, IPv4Address):
        return _of_v4(ip)
    if ip.scope_id is not None:
        return "link-local"
    if ip in _NAT64:
        # In a network without IPv4 every IPv4 host has such an address: the one inside decides.
        return _of_v4(IPv4Address(int(ip) & 0xFFFF_FFFF))
    return _of_v6(ip)


def networks(blocks: Iterable[str]) -> tuple[Network, ...]:
    """``blocks`` such as ``127.0.0.0/8``. Raises ValueError."""
    return tuple(ip_network(block) for block in blocks)


def is_within(address: str, blocks: Iterable[Network]) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return any(ip in block for block in blocks)


def _of_v4(ip: IPv4Address) -> str | None:
    return next((what for block, what in _V4 if ip in block), None)


def _of_v6(ip: IPv6Address) -> str | None:
    special = next((what for block, what in _V6 if ip in block), None)
    return special or (None if ip in _GLOBAL_V6 else "reserved")
