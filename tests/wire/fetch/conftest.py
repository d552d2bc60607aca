from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from postkit.fetch.fetcher import Fetcher

from .authority import Authority
from .host import Host

NAME = "media.example"
"""The host of most tests; its certificate is for other.example too."""

MakeFetcher = Callable[..., Fetcher]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def host(authority: Authority) -> Iterator[Host]:
    with Host(authority.context(NAME, "other.example", "127.0.0.1")) as host:
        yield host


@pytest.fixture
def fetcher(authority: Authority, host: Host, tmp_path: Path) -> Fetcher:
    """Reaches ``host`` under every name, since it is allowed to."""
    return Fetcher(
        folder=tmp_path,
        resolve=lambda name: ["127.0.0.1"],
        trust=authority.file,
        allow=["127.0.0.0/8"],
        ports=[443, host.port],
    )
