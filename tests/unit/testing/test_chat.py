"""The example of a stranger's plugin passes the whole suite without being installed."""

from __future__ import annotations

from postkit.testing.conformance import NetworkConformance

from . import chat


class TestChat(NetworkConformance):
    network = "chat"
    plugins = (chat,)
