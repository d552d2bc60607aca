"""What postkit logs in somebody else's program."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import postkit
from postkit.accounts.secret import Secret
from postkit.logs import logger

TOKEN = "pk_canary_in_a_log_line"


@pytest.fixture
def program() -> Iterator[io.StringIO]:
    """A program that logs all there is, with a traceback of each failure."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def test_no_line_and_no_traceback_holds_a_secret(program: io.StringIO) -> None:
    log = logger("somewhere")
    log.warning("The network says: %s", Secret(TOKEN).reveal())
    try:
        raise ValueError(f"an answer with {TOKEN}")
    except ValueError:
        log.exception("a defect of a plugin")
    said = program.getvalue()
    assert "postkit.somewhere: The network says: ***" in said
    assert "ValueError: an answer with ***" in said
    assert "canary" not in said.replace(__file__, "")


def test_every_logger_is_made_so() -> None:
    folder = Path(postkit.__file__).parent
    others = [
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if 'getLogger("postkit.' in path.read_text() or "getLogger(__name__" in path.read_text()
    ]
    assert others == []
