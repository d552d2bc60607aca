"""What a video file is, read without decoding it; one sentence where it is none."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError
from .boxes import Damaged, Source
from .clip import Clip
from .movie import FIRST, read_movie

_EBML = b"\x1aE\xdf\xa3"
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<MPD", b"[playlist]")
_PICTURES = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC", b"avif": "AVIF"}


def probe(file: Path | bytes | BinaryIO, name: str) -> Clip:
    """The clip that ``file`` is; ``name`` is for the messages alone, the bytes decide.

    ``file`` is a path, the bytes, or a binary file that can seek. MP4 and MOV are read here;
    WebM and Matroska by PyAV or ffprobe in a confined process. Raises InputError with one
    sentence for everything that is not a whole video.
    """
    with opened(file, name) as source:
        head = source.read(0, min(source.size, 64))
        try:
            if head[4:8] in FIRST and head[8:12] not in _PICTURES:
                return read_movie(source)
        except Damaged as damaged:
            raise InputError(f"{name}: it {damaged}; copy or export it again.") from None
        if head.startswith(_EBML):
            from .matroska import read_matroska

            return read_matroska(file, name, source.size)
        raise InputError(f"{name}: it is {_described(head)}, not a video; give MP4, MOV or WebM.")


@contextmanager
def opened(file: Path | bytes | BinaryIO, name: str) -> Iterator[Source]:
    """``file`` under the reader's budgets. Raises InputError where it is empty or unreadable."""
    try:
        if isinstance(file, Path):
            # Looked at before it is opened: opening a pipe may wait for ever or wake its writer.
            _refuse_other_kinds(file, name)
            with file.open("rb", buffering=0) as opened_file:
                yield _source(opened_file, name)
        elif isinstance(file, bytes):
            yield _source(io.BytesIO(file), name)
        else:
            yield _source(file, name)
    except FileNotFoundError:
        raise InputError(f"{name}: there is no such file; check the name and the folder.") from None
    except PermissionError:
        raise InputError(
            f"{name}: this user may not read it; change its permissions or copy it."
        ) from None
    except OSError as error:
        raise InputError(
            f"{name}: it cannot be read ({error.strerror}); check the path and the disk."
        ) from None


def _source(file: BinaryIO, name: str) -> Source:
    source = Source(file)
    if not source.size:
        raise InputError(f"{name}: it is empty (0 bytes); save or copy it again.")
    return source


def _refuse_other_kinds(path: Path, name: str) -> None:
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - the mode alone is wanted
        raise InputError(f"{name}: it is no regular file; give a file.")


def _described(head: bytes) -> str:
    if head.lstrip().startswith(_PLAYLISTS):
        return "a playlist that names other files"
    if head[4:8] == b"ftyp":
        return f"a {_PICTURES[head[8:12]]} picture"
    from ..adapt.filetype import describe

    return describe(head)
