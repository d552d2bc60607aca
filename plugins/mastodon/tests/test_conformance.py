"""Mastodon keeps what postkit promises."""

from __future__ import annotations

from postkit.testing.conformance import NetworkConformance


class TestMastodon(NetworkConformance):
    network = "mastodon"
