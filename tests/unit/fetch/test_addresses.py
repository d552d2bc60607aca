"""Which addresses are public; the hostile ones are in tests/wire/fetch."""

from __future__ import annotations

import ipaddress

import pytest

from postkit.fetch.addresses import why_not_public

_PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255
128.0.0.0 168.63.129.15 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0
192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450:4001::1 2400:cb00::1 2620:fe::fe
64:ff9b::5db8:d822
"""
PUBLIC = _PUBLIC.split()


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert why_not_public(address) is None


def test_no_address_that_python_calls_private_is_public() -> None:
    """Against another table: the standard library's, over the edges of all its blocks."""
    edges = [
        ipaddress.ip_address((net << shift) + step)
        for net in range(256)
        for shift in (24,)
        for step in (0, 1, 0xFFFF, 0xFF_FFFF)
    ]
    edges += [ipaddress.ip_address((net << 112) + 1) for net in range(0x10000)]
    for ip in edges:
        if not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_loopback:
            assert why_not_public(str(ip)) is not None, ip
