"""Mastodon keeps what postkit promises, on its own servers and on those that speak its API."""

from __future__ import annotations

from typing import ClassVar

from postkit.testing.conformance import NetworkConformance
from postkit.testing.suite.faults import FaultConformance
from postkit.testing.suite.lookups import LookupConformance
from postkit.testing.suite.threads import ThreadConformance


class TestMastodon(NetworkConformance):
    network = "mastodon"


class TestCompatibleServer(FaultConformance, LookupConformance, ThreadConformance):
    """A server that ignores the Idempotency-Key: what is absent is asked, never sent again."""

    network = "mastodon"
    settings: ClassVar[dict[str, object]] = {
        "version": "2.7.2 (compatible; Pleroma 2.7.0)",
        "idempotency": False,
    }
