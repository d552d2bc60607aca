"""What postkit promises of every network, held against this one."""

from __future__ import annotations

from postkit.testing.conformance import NetworkConformance


class TestReddit(NetworkConformance):
    network = "reddit"
