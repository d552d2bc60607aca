"""Reading media: whatever is not a readable file is one sentence."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from postkit.adapt import reader
from postkit.adapt.reader import read_file, read_stream
from postkit.errors import InputError
from postkit.post import Media


def test_a_file_and_a_stream(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert read_file(tmp_path / "a") == b"abc"
    assert Media(tmp_path / "a").read() == b"abc"
    assert read_stream(io.BytesIO(b"abc"), "a") == b"abc"


def test_a_stream_that_gives_little_at_a_time_is_read_whole() -> None:
    class Slow(io.RawIOBase):
        left = 5

        def read(self, size: int = -1, /) -> bytes:
            self.left -= 1
            return b"x" if self.left >= 0 else b""

    assert read_stream(Slow(), "slow") == b"xxxxx"  # type: ignore[arg-type]


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_file(path)
    (problem,) = caught.value.problems
    assert str(path) in problem
    assert ";" in problem
    return problem


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "missing.jpg")
    assert "it is a folder" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "it is a pipe" in refusal(tmp_path / "pipe")  # and does not wait for a writer
    assert "it is a device" in refusal(Path("/dev/zero"))
    (tmp_path / "empty").touch()
    assert "it is empty (0 bytes)" in refusal(tmp_path / "empty")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot be read" in refusal(tmp_path / "loop")
    assert "cannot be read" in refusal(tmp_path / ("n" * 300))


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"abc")

    def refuse(*_args: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert "this user may not read it" in refusal(tmp_path / "a")


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(reader.MAX_BYTES + 1)
    assert "more than 100 MiB" in refusal(tmp_path / "big")
    monkeypatch.setattr(reader, "MAX_BYTES", 4 * 1024**2)
    assert len(read_stream(io.BytesIO(b"x" * reader.MAX_BYTES), "s")) == reader.MAX_BYTES
    with pytest.raises(InputError, match="more than 4 MiB"):
        read_stream(io.BytesIO(b"x" * (reader.MAX_BYTES + 1)), "s")


def test_what_is_too_large_and_no_picture_is_not_asked_to_be_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_BYTES", 1000)
    path = tmp_path / "a.avi"
    path.write_bytes(b"RIFF\0\0\0\0AVI " + bytes(2000))
    with pytest.raises(InputError, match=r"which is not read here; give MP4, MOV or WebM\."):
        reader.read_file(path)


def test_streams_that_cannot_be_read() -> None:
    with pytest.raises(InputError, match=r"s: .*open it in binary mode"):
        read_stream(io.StringIO("text"), "s")  # type: ignore[arg-type]
    closed = io.BytesIO(b"x")
    closed.close()
    with pytest.raises(InputError, match=r"s: .*cannot be read"):
        read_stream(closed, "s")
    with pytest.raises(InputError, match="it is empty"):
        read_stream(io.BytesIO(), "s")
