"""What the author wants to say: Post, Part, Media, Poll."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from .errors import InputError
from .media import Media, is_web_address

__all__ = [
    "MAX_TEXT",
    "REPLIES",
    "Media",
    "Part",
    "Poll",
    "Post",
    "Settings",
    "is_blank",
    "is_web_address",
]


REPLIES = ("everyone", "followers", "following", "mentioned", "nobody")
"""Who may reply to a post: all who see it; the author's followers; those whom the author follows;
those whom the post mentions; nobody. A network may always let the author and those mentioned in."""

MAX_TEXT = 1_000_000
"""Code points of one text: longer than any network takes, short enough to stay quick."""

_HASH = "#\uff03"
_LINK = re.compile(r"https?://[^\s/?#][^\s]*", re.IGNORECASE)


def is_blank(text: str) -> bool:
    """Whether readers would see nothing: white space and invisible signs alone."""
    return all(char.isspace() or unicodedata.category(char) == "Cf" for char in text)


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
        put(self, "tags", tuple(_word_of(tag) for tag in _words("tags", tags)))
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
            if isinstance(link, str) and not _is_link(link):
                yield (
                    f"{where}: {link!r} is no web address; it must begin with https:// or http://, "
                    "name a host, and have no space."
                )
        for tag in self.tags:
            if not tag or any(c.isspace() for c in tag):
                yield f"tag {tag!r} is empty or contains a space; write each tag as one word."
            elif tag[0] in _HASH:
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


def _word_of(tag: str) -> str:
    return tag[1:] if tag[:1] in tuple(_HASH) else tag


def _is_link(text: str) -> bool:
    """Whether networks and the standard library can take ``text`` apart."""
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname and parts.port != 0)
    except ValueError:  # brackets that are no IPv6 address, a port that is none
        return False
    return named and _LINK.fullmatch(text) is not None


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
