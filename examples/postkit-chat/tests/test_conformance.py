"""Chat keeps what postkit promises."""

from __future__ import annotations

from postkit.testing.conformance import NetworkConformance


class TestChat(NetworkConformance):
    network = "chat"
