"""One real PDS for all tests of this folder, which need Node and `install.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import install, server_process
from .proxy import LosingProxy
from .server_process import Pds


@pytest.fixture(scope="session")
def pds() -> Iterator[Pds]:
    """A real PDS on 127.0.0.1 with one account, ended with the test run."""
    folder = install.installation(install.default_cache())
    if not folder.is_dir():
        pytest.exit(f"The PDS is not installed: python {install.__file__}", returncode=3)
    with server_process.running(folder) as server:
        yield server


@pytest.fixture
def losing_proxy(pds: Pds) -> Iterator[LosingProxy]:
    """A proxy before the PDS that can lose answers, with an empty journal."""
    with LosingProxy(pds.url) as proxy:
        yield proxy
