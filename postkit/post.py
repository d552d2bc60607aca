"""What the author wants to say: Post, Part, Media, Poll."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

from .errors import InputError

if TYPE_CHECKING:
    from .fetch.remote import Remote
    from .rendition import MediaKind

REPLIES = ("everyone", "followers", "following", "mentioned", "nobody")
"""Who may reply to a post: all who see it; the author's followers; those whom the author follows;
those whom the post mentions; nobody. A network may always let the author and those mentioned in."""

MAX_TEXT = 1_000_000
"""Code points of one text: longer than any network takes, short enough to stay quick."""

_TURNING = frozenset(["LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"])
"""The classes of the characters that set the direction of those around them (UAX 9)."""

_LINK = re.compile(r"https?://[^\s/?#][^\s]*", re.IGNORECASE)


def is_web_address(text: str) -> bool:
    """Whether ``text`` begins as a web address does."""
    return text.lower().startswith(("https://", "http://"))


def is_blank(text: str) -> bool:
    """Whether readers would see nothing: white space and invisible signs alone."""
    return all(char.isspace() or unicodedata.category(char) == "Cf" for char in text)


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


@dataclass(frozen=True, slots=True)
class Poll:
    """A question with options. ``minutes`` is how long it is open."""

    options: tuple[str, ...]
    minutes: int = 1440
    multiple: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", tuple(_words("poll options", self.options)))
        if isinstance(self.minutes, bool) or not isinstance(self.minutes, int):
            raise InputError(f"poll: minutes is {self.minutes!r}; give a whole number.")


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a thread.

    ``markdown``: the text is Markdown, as that of a post file is, and not what readers will see
    to the letter.
    """

    text: str = ""
    media: tuple[Media, ...] = ()
    markdown: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InputError(f"A part's text must be text, not {type(self.text).__name__}.")
        object.__setattr__(self, "media", _media(self.media))


@dataclass(frozen=True, slots=True)
class Settings:
    """What one network gets instead: its own text, title or link, and its options."""

    text: str | None = None
    title: str | None = None
    link: str | None = None
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, init=False)
class Post:
    """A post, or a thread where ``text`` is a sequence of texts or Parts.

    Text is never parsed: it is what readers will see, but for a Part that says it is Markdown.
    ``media`` belongs to the first part. ``replies`` says who may reply (``REPLIES``).
    ``networks`` holds Settings by network name (or by address for one delivery alone).
    ``to`` are the addresses it goes to where none are named. ``at``, ``zone`` and ``expires``
    say when, as ``Kit.schedule`` reads them.
    """

    parts: tuple[Part, ...]
    title: str | None
    link: str | None
    poll: Poll | None
    tags: tuple[str, ...]
    content_warning: str | None
    lang: str | None
    visibility: str | None
    replies: str | None
    networks: Mapping[str, Settings]
    to: tuple[str, ...]
    at: str | None
    zone: str | None
    expires: str | None

    def __init__(
        self,
        text: str | Part | Sequence[str | Part] = "",
        *,
        media: Iterable[Media | str | Path] = (),
        title: str | None = None,
        link: str | None = None,
        poll: Poll | None = None,
        tags: Iterable[str] = (),
        content_warning: str | None = None,
        lang: str | None = None,
        visibility: str | None = None,
        replies: str | None = None,
        networks: Mapping[str, Settings] | None = None,
        to: Iterable[str] = (),
        at: str | None = None,
        zone: str | None = None,
        expires: str | None = None,
    ) -> None:
        if not isinstance(text, str | Part | Iterable):
            raise InputError(f"A post's text must be text, not {type(text).__name__}.")
        given = [text] if isinstance(text, str | Part) else list(text)
        parts = [part if isinstance(part, Part) else Part(part) for part in given] or [Part()]
        own = _media(media)
        if own:
            parts[0] = replace(parts[0], media=own + parts[0].media)
        put = object.__setattr__
        put(self, "parts", tuple(parts))
        put(self, "title", title)
        put(self, "link", link)
        put(self, "poll", poll)
        put(self, "tags", tuple(tag.removeprefix("#") for tag in _words("tags", tags)))
        put(self, "content_warning", content_warning)
        put(self, "lang", lang)
        put(self, "visibility", visibility)
        put(self, "replies", replies)
        wrong = [name for name, s in (networks or {}).items() if not isinstance(s, Settings)]
        if wrong:
            raise InputError([f"networks: {name}: give Settings(...)." for name in wrong])
        put(self, "networks", MappingProxyType(dict(networks or {})))
        put(self, "to", tuple(_words("to", to)))
        put(self, "at", at)
        put(self, "zone", zone)
        put(self, "expires", expires)
        problems = list(self.problems())
        if problems:
            raise InputError(problems)

    @classmethod
    def from_file(cls, path: str | Path) -> Post:
        """Read a post file (Markdown with front matter). Raises InputError with every problem."""
        from .postfile import read

        return read(Path(path))

    @property
    def media(self) -> tuple[Media, ...]:
        """All media, in the order of the parts."""
        return tuple(media for part in self.parts for media in part.media)

    @property
    def text(self) -> str:
        """All parts' texts, joined by a blank line."""
        return "\n\n".join(part.text for part in self.parts if part.text)

    def with_settings(self, networks: Mapping[str, Settings]) -> Post:
        """The same post with these settings for networks in place of its own."""
        return Post(
            self.parts,
            title=self.title,
            link=self.link,
            poll=self.poll,
            tags=self.tags,
            content_warning=self.content_warning,
            lang=self.lang,
            visibility=self.visibility,
            replies=self.replies,
            networks=networks,
            to=self.to,
            at=self.at,
            zone=self.zone,
            expires=self.expires,
        )

    def problems(self) -> Iterable[str]:
        """What no network could send, as sentences."""
        if all(is_blank(p.text) and not p.media for p in self.parts) and not (
            self.link or self.poll or any(s.text for s in self.networks.values())
        ):
            yield "The post is empty: give it a text, a picture or a link."
        texts: list[tuple[str, object]] = [
            (f"part {n}", p.text) for n, p in enumerate(self.parts, 1)
        ]
        texts += [("title", self.title), ("content warning", self.content_warning)]
        texts += [(f"alt text of {m.name}", m.alt) for m in self.media]
        lines: list[tuple[str, object]] = [("link", self.link)]
        for name, settings in self.networks.items():
            texts += [(f"{name}: text", settings.text), (f"{name}: title", settings.title)]
            lines.append((f"{name}: link", settings.link))
        lines += [("poll option", option) for option in (self.poll.options if self.poll else ())]
        lines += [("tag", tag) for tag in self.tags]
        lines += [("lang", self.lang), ("visibility", self.visibility)]
        lines.append(("replies", self.replies))
        lines += [("at", self.at), ("zone", self.zone), ("expires", self.expires)]
        for where, text in (*texts, *lines):
            if text is not None:
                yield from _text_problems(where, text)
        for where, line in lines:
            if isinstance(line, str) and _broken(line):
                yield f"{where}: it has a line break; write it in one line."
        yield from self._odd_words()

    def _odd_words(self) -> Iterable[str]:
        links = [("link", self.link)]
        links += [(f"{name}: link", s.link) for name, s in self.networks.items() if s.link != ""]
        for where, link in links:
            if isinstance(link, str) and not _LINK.fullmatch(link):
                yield (
                    f"{where}: {link!r} is no web address; it must begin with https:// or http://, "
                    "name a host, and have no space."
                )
        for tag in self.tags:
            if not tag or any(c.isspace() for c in tag):
                yield f"tag {tag!r} is empty or contains a space; write each tag as one word."
            elif tag.startswith("#"):
                yield f"tag {tag!r} begins with #; write the word alone."
        if self.poll is not None:
            seen: dict[str, int] = {}
            for number, option in enumerate(self.poll.options, 1):
                first = seen.setdefault(option.strip(), number)
                if first != number:
                    yield f"poll: option {number} is option {first} again; change one."

    def content_hash(self) -> str:
        """SHA-256 (hex) over everything that readers could see; media by ``Media.digest``."""
        digest = hashlib.sha256()
        fields: list[Any] = [
            [
                [p.text, [[m.digest(), m.alt] for m in p.media]] + ["markdown"] * p.markdown
                for p in self.parts
            ],
            self.title,
            self.link,
            [list(self.poll.options), self.poll.minutes, self.poll.multiple] if self.poll else None,
            list(self.tags),
            self.content_warning,
            self.lang,
            self.visibility,
            sorted(
                (name, s.text, s.title, s.link, sorted((k, repr(v)) for k, v in s.options.items()))
                for name, s in self.networks.items()
            ),
        ]
        if self.replies is not None:
            # Only then, so that a post of before the field has the hash it had.
            fields.append(["replies", self.replies])
        digest.update(repr(fields).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


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


def _media(media: Iterable[Media | str | Path]) -> tuple[Media, ...]:
    if isinstance(media, str | Path | Media):
        raise InputError("media takes a list: media=[Media(...)].")
    return tuple(m if isinstance(m, Media) else Media(m) for m in media)


def _words(what: str, given: Iterable[str]) -> tuple[str, ...]:
    """A list of texts. One text alone would be taken for a list of its letters."""
    words = () if isinstance(given, str) else tuple(given)
    if isinstance(given, str) or not all(isinstance(word, str) for word in words):
        raise InputError(f"{what} takes a list of texts, such as ['one', 'two'].")
    return words


def _broken(line: str) -> bool:
    return len(line.strip().splitlines()) > 1


def _text_problems(where: str, text: object) -> Iterable[str]:
    if not isinstance(text, str):
        yield f"{where}: must be text, not {type(text).__name__}."
        return
    if len(text) > MAX_TEXT:
        yield f"{where}: {len(text):,} characters are more than any network takes ({MAX_TEXT:,})."
    for position, char in enumerate(text):
        code = ord(char)
        if 0xD800 <= code <= 0xDFFF:
            yield (
                f"{where}: character {position + 1} is half of a surrogate pair (U+{code:04X}); "
                "the text was cut or decoded wrongly."
            )
            return
        if (code < 32 and char not in "\n\t\r") or code == 127 or 0x80 <= code <= 0x9F:
            yield (
                f"{where}: character {position + 1} is the control character U+{code:04X}; "
                "remove it."
            )
            return
        if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
            yield (
                f"{where}: character {position + 1} (U+{code:04X}) is no character of Unicode; "
                "remove it."
            )
            return
