"""The generated posts of each network, published once for all tests."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import pytest

from postkit.emulator.timeline import LivePost
from postkit.limits.model import Limits
from postkit.network import Network
from postkit.plugins import Plugins

from .bench import Bench, Sent
from .judge import mismatches
from .posts import Given, post_for

FULL = os.environ.get("POSTKIT_LOSSLESS") == "full"
POSTS = 500 if FULL else 40
SEED = os.environ.get("POSTKIT_SEED", "20261129")


@dataclass
class Published:
    """What one network was given, and what it holds."""

    network: Network[Any]
    limits: Limits
    bare: LivePost
    all: list[tuple[Given, Sent]] = field(default_factory=list)

    def mismatches(self, given: Given, sent: Sent) -> list[str]:
        return mismatches(self.network, self.limits, given, sent, self.bare)


# A network's tests run in one process, so that its posts are published once.
NETWORKS = [
    pytest.param(name, marks=pytest.mark.xdist_group(f"lossless {name}"))
    for name in Plugins().network_names()
]


@pytest.fixture(scope="session", params=NETWORKS)
def published(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    bench = Bench(request.param, tmp_path_factory.mktemp("lossless") / "home")
    try:
        done = Published(bench.network, bench.limits, bench.bare())
        for number in range(POSTS):
            given = post_for(bench.network, bench.limits, SEED, number)
            done.all.append((given, bench.send(given.post, numbering=given.numbering)))
    finally:
        bench.close()
    return done
