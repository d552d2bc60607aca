"""A medium that the disk does not give now is no medium that is lost."""

from __future__ import annotations

import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest

from postkit.kit import Kit
from postkit.network import Journal, RenderedPart
from postkit.post import Post
from postkit.transport import Session

from .board import Board, HandClock, Server, publish, states
from .pictures import PictureBoard, picture, stored


@pytest.fixture
def board() -> Board:
    """Reads the pictures before it sends."""

    def preparing(_: Session, part: RenderedPart, __: Journal) -> None:
        for each in part.media:
            each.read()

    board = PictureBoard()
    board.preparing = preparing
    return board


def test_a_passing_error_puts_the_post_off_and_no_other(
    kit: Kit, server: Server, clock: HandClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Path.read_bytes

    def broken(path: Path) -> bytes:
        if len(path.name) == 64:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return read(path)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", broken)
        report = publish(kit, Post("Hello", media=[picture(tmp_path)]), wait=0)
        assert publish(kit, "Other", wait=5).state == "live"
    assert states(kit, report.id) == ["SCHEDULED"]
    assert "cannot be read now" in report.error["message"]
    clock.offset += timedelta(minutes=5)
    kit.work(wait=0)
    assert states(kit, report.id) == ["LIVE"]
    assert [post["text"] for post in server.posts] == ["Other", "Hello"]


def test_one_that_is_gone_is_a_definite_no(kit: Kit, clock: HandClock, tmp_path: Path) -> None:
    name = kit.accept(kit.plan(Post("Hello", media=[picture(tmp_path)]), ["board"]))
    for path in stored(kit):
        path.unlink()
    kit.work(wait=0)
    assert states(kit, name) == ["FAILED"]
    assert "publish again" in str(kit.report(name).deliveries[0].error)
