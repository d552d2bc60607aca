"""A picture or a video of a post: its bytes, wherever they are, and its alternative text."""

from __future__ import annotations

import contextlib
import hashlib
import io
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .errors import InputError

if TYPE_CHECKING:
    from .fetch.remote import Remote
    from .rendition import MediaKind

_TURNING = frozenset(["LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"])
"""The classes of the characters that set the direction of those around them (UAX 9)."""


def is_web_address(text: str) -> bool:
    """Whether ``text`` begins as a web address does."""
    return text.lower().startswith(("https://", "http://"))


class Media:
    """One picture or video of a post, with its alternative text.

    ``source`` is a path, the bytes themselves, or a binary stream (read once, when first
    needed). ``alt`` describes the medium for those who cannot see it; ``""`` means that none
    was given. The type is read from the bytes, never from the name. A video that is a file is
    never read whole into memory. For a medium behind a URL see ``from_url``.
    """

    __slots__ = ("_data", "_kind", "_sha256", "_source", "alt", "name", "remote")

    def __init__(
        self,
        source: str | Path | bytes | bytearray | IO[bytes],
        alt: str = "",
        *,
        name: str | None = None,
    ) -> None:
        if not isinstance(alt, str):
            raise InputError(f"alt must be text, not {type(alt).__name__}.")
        self.alt = alt
        self._data: bytes | None = None
        self._kind: MediaKind | None = None
        self._sha256: str | None = None
        self._source: Path | IO[bytes] | None = None
        self.remote: Remote | None = None
        if isinstance(source, bytes | bytearray):
            self._data = bytes(source)
            self.name = name or "media"
        elif isinstance(source, str) and is_web_address(source):
            from .fetch.errors import shown

            raise InputError(f"{shown(source)}: it is no file; give Media.from_url(...).")
        elif isinstance(source, str | Path):
            self._source = Path(source)
            self.name = name or self._source.name
        elif hasattr(source, "read"):
            self._source = source
            self.name = name or Path(str(getattr(source, "name", "media"))).name
        else:
            raise InputError(f"Media takes a path, bytes or a stream, not {type(source).__name__}.")
        self.name = _plain(self.name)

    @classmethod
    def from_url(
        cls, url: str, alt: str = "", *, name: str | None = None, place: str = ""
    ) -> Media:
        """The picture behind an https URL.

        It is fetched once, when a Kit plans the post, and its bytes are kept; no network is
        handed the URL. ``place`` (such as ``launch.md:5``) begins the messages. Raises
        InputError where the URL is one that is never fetched.
        """
        from .fetch.remote import Remote

        remote = Remote(url, place)
        media = cls(b"", alt, name=name or remote.name)
        media._data, media.remote = None, remote
        return media

    @property
    def path(self) -> Path | None:
        return self._source if isinstance(self._source, Path) else None

    def read(self) -> bytes:
        """The bytes. Raises InputError with one sentence where they cannot be read."""
        if self._data is None:
            from .adapt.reader import read_file, read_stream

            if isinstance(self._source, Path):
                self._data = read_file(self._source)
            elif self._source is not None:
                self._data = read_stream(self._source, self.name)
            elif self.remote is not None:
                self._data = self.remote.read()
            else:
                raise InputError(f"{self.name} has no bytes.")
        return self._data

    def open(self) -> IO[bytes]:
        """A file of the bytes, at its beginning; the caller closes it. Raises as ``read`` does."""
        if self._data is None and isinstance(self._source, Path):
            from .adapt.reader import open_file

            return open_file(self._source)
        return io.BytesIO(self.read())

    def head(self, size: int) -> bytes:
        """The first ``size`` bytes. Raises as ``read`` does."""
        with self.open() as file, self._read_errors():
            return file.read(size)

    @contextlib.contextmanager
    def _read_errors(self) -> Iterator[None]:
        """A disk may fail, or a share be gone, long after the file was opened."""
        from .adapt.reader import unreadable

        try:
            yield
        except OSError as error:
            raise unreadable(self.path or self.name, error) from None

    @property
    def kind(self) -> MediaKind:
        """What it is by its bytes: a picture, a picture that moves, or a video. Raises as
        ``read`` does."""
        if self._kind is None:
            from .adapt.kinds import kind_of

            self._kind = kind_of(self)
        return self._kind

    def sha256(self) -> str:
        """The SHA-256 (hex) of the bytes, read once. Raises as ``read`` does."""
        if self._sha256 is None:
            with self.open() as file, self._read_errors():
                self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # typeshed asks for more than it needs
        return self._sha256

    def with_alt(self, alt: str) -> Media:
        """The same medium under another alternative text. Raises as ``read`` does where it is a
        stream, which gives its bytes only once."""
        if self._source is not None and self.path is None:
            self.read()
        other = Media(
            self._source if self._source is not None else self._data or b"", alt, name=self.name
        )
        other._data, other._kind, other.remote = self._data, self._kind, self.remote
        other._sha256 = self._sha256
        return other

    def digest(self) -> str:
        """SHA-256 (hex) of the bytes; of the URL where it comes from one, so that the same post
        is known again without another fetch."""
        if self.remote is not None:
            return hashlib.sha256(self.remote.url.encode()).hexdigest()
        return self.sha256()

    def __repr__(self) -> str:
        return f"Media({self.name!r}, alt={self.alt!r})"


def _plain(name: str) -> str:
    """A file's name is bytes; what networks and lines of a report are told is text in one line
    that is read in one direction: anything else of it becomes ``_``."""
    name = name.encode("utf-8", "replace").decode()
    return "".join("_" if _is_unruly(char) else char for char in name)


def _is_unruly(char: str) -> bool:
    return (
        unicodedata.category(char) in ("Cc", "Zl", "Zp")
        or unicodedata.bidirectional(char) in _TURNING
        or char in "\u061c\u200e\u200f"
    )
