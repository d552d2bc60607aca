"""Media on the disk: written once, whole or not at all, and removed when nothing needs them."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postkit.errors import StoreBusy, StoreError
from postkit.store import media as module
from postkit.store.media import MediaFiles

DAY = timedelta(days=1)
Put = Callable[[MediaFiles, bytes], str]


def put(media: MediaFiles, data: bytes) -> str:
    return media.put(data)


def put_file(media: MediaFiles, data: bytes) -> str:
    return media.put_file(io.BytesIO(data))


both = pytest.mark.parametrize("store", [put, put_file])


@pytest.fixture
def media(tmp_path: Path) -> MediaFiles:
    return MediaFiles(tmp_path / "media")


def files(media: MediaFiles) -> list[Path]:
    folder = media.path("00").parent.parent
    return [each for each in folder.rglob("*") if each.is_file() and each.name != "lock"]


def nothing() -> list[str]:
    return []


def at(**later: float) -> datetime:
    return datetime.now(UTC) + timedelta(**later)


class Breaking(io.BytesIO):
    """Breaks off after its first piece."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(b"a" * module.PIECE * 3)
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise self._error
        return super().read(size)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no"), OSError(28, "full")])
def test_what_breaks_off_leaves_nothing_half_written(
    media: MediaFiles, error: BaseException
) -> None:
    with pytest.raises(StoreBusy if isinstance(error, OSError) else type(error)):
        media.put_file(Breaking(error))
    assert files(media) == []


@both
def test_what_is_there_is_not_written_again(media: MediaFiles, store: Put) -> None:
    sha256 = store(media, b"a video")
    before = media.path(sha256).stat().st_ino
    assert store(media, b"a video") == sha256
    assert media.path(sha256).stat().st_ino == before
    assert files(media) == [media.path(sha256)]


@both
@pytest.mark.parametrize("damage", [b"a vid", b"a vidEo", b""])
def test_what_was_damaged_is_written_again(media: MediaFiles, store: Put, damage: bytes) -> None:
    sha256 = store(media, b"a video")
    media.path(sha256).write_bytes(damage)
    assert not media.holds(sha256, len(b"a video"))
    assert media.get(store(media, b"a video")) == b"a video"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("read", [MediaFiles.get, MediaFiles.open])
def test_a_disk_that_fails_for_a_moment_is_no_medium_that_is_lost(
    media: MediaFiles,
    read: Callable[[MediaFiles, str], object],
    number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sha256 = media.put(b"a picture")

    def broken(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", broken)
        patched.setattr(Path, "read_bytes", broken)
        with pytest.raises(StoreBusy, match="cannot be read now"):
            read(media, sha256)
    media.path(sha256).unlink()
    with pytest.raises(StoreError, match="publish again") as caught:
        read(media, sha256)
    assert not isinstance(caught.value, StoreBusy)


# The sweep


def test_only_what_is_old_and_not_named_goes(media: MediaFiles) -> None:
    named, unnamed = media.put(b"named"), media.put(b"unnamed")
    assert media.sweep(nothing, at(hours=23)) == 0
    assert media.sweep(lambda: {named}, at(hours=25)) == 1
    assert files(media) == [media.path(named)]
    assert not media.path(unnamed).exists()


@both
def test_what_is_given_again_is_young_again(media: MediaFiles, store: Put) -> None:
    """Between the file and its rows there is no transaction: the age is all that protects it."""
    sha256 = media.put(b"a picture")
    old = datetime.now(UTC).timestamp() - 2 * DAY.total_seconds()
    os.utime(media.path(sha256), (old, old))
    store(media, b"a picture")
    assert media.sweep(nothing, at()) == 0
    assert media.get(sha256) == b"a picture"


def test_who_comes_while_a_sweep_is_at_it_finds_it_or_writes_it(media: MediaFiles) -> None:
    """Named by nobody when the sweep asked, and counted on before it was removed."""
    sha256 = media.put(b"a picture")

    def asked() -> list[str]:
        os.utime(media.path(sha256), (0, 0))
        media.put(b"a picture")
        return []

    os.utime(media.path(sha256), (0, 0))
    assert media.sweep(asked, at()) == 0
    assert media.get(sha256) == b"a picture"


def draft(media: MediaFiles, pid: int | str, age: timedelta) -> Path:
    media.put(b"makes the folder")
    path = media.path("00").parent.parent / f"incoming.{pid}.0a1b2c3d.part"
    path.write_bytes(b"half")
    then = datetime.now(UTC).timestamp() - age.total_seconds()
    os.utime(path, (then, then))
    return path


@pytest.fixture
def dead() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_drafts_of_the_dead_go_and_those_of_the_living_stay(media: MediaFiles, dead: int) -> None:
    left = draft(media, dead, timedelta(minutes=61))
    just_left = draft(media, dead + 1, timedelta(minutes=59))
    ours = draft(media, os.getpid(), timedelta(hours=23))
    same_id = draft(media, os.getppid(), timedelta(hours=25))
    assert media.sweep(nothing, at()) == 2
    assert [each.exists() for each in (left, just_left, ours, same_id)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_nothing_is_removed_that_another_store_may_name(tmp_path: Path) -> None:
    own, guest = MediaFiles(tmp_path), MediaFiles(tmp_path, is_shared=True)
    sha256 = own.put(b"a picture")
    guest.put(b"a picture")
    assert own.sweep(nothing, at(days=9)) == guest.sweep(nothing, at(days=9)) == 0
    assert own.get(sha256) == b"a picture"


def test_what_is_no_medium_is_left_alone(media: MediaFiles) -> None:
    media.put(b"a picture")
    folder = media.path("00").parent.parent
    others = [folder / "notes.part", folder / "README", folder / "ab" / "x"]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"a person's")
    (folder / ("a" * 64)).write_bytes(b"not where a medium is")
    assert media.sweep(nothing, at(days=9)) == 1
    assert all(path.exists() for path in others)


def test_many_at_once_never_lose_one_that_they_count_on(media: MediaFiles) -> None:
    """Old files, one after the other given again while another thread sweeps without pause."""
    over = threading.Event()

    def sweeping() -> None:
        while not over.is_set():
            media.sweep(nothing, datetime.now(UTC))

    thread = threading.Thread(target=sweeping)
    thread.start()
    try:
        for number in range(300):
            data = b"%d" % (number % 7)
            sha256 = media.put(data)
            assert media.get(sha256) == data
            os.utime(media.path(sha256), (0, 0))
    finally:
        over.set()
        thread.join(10)
