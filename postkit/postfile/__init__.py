"""A post as a file: Markdown with front matter.

Everything that is wrong with a file is one InputError, each problem as
`file:line: field: sentence`.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..post import Media, Post
from .body import Body
from .fields import Fields, read_fields
from .folder import Folder
from .frontmatter import split
from .problems import Problems
from .source import MAX_BYTES, clean, decode, load

__all__ = ["MAX_BYTES", "read", "read_bytes", "read_text"]


def read(path: Path) -> Post:
    """The post of a file, with media from below the file's folder. Raises InputError."""
    problems = Problems(str(path))
    data = load(path, problems)
    if data is None:
        raise problems.error()
    return read_bytes(data, path.parent, str(path))


def read_bytes(data: bytes, folder: Path | None, name: str) -> Post:
    """The same for the file's bytes: UTF-8, up to MAX_BYTES. Raises InputError."""
    problems = Problems(name)
    text = decode(data, problems)
    if text is None:
        raise problems.error()
    return _read(text, folder, problems)


def read_text(text: str, folder: Path | None, name: str) -> Post:
    """The same for the file's text. `folder` is where its media are, or None for a text that has
    no folder; `name` stands for the file in messages. Raises InputError."""
    problems = Problems(name)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        problems.add(None, "", f"The text has more than {MAX_BYTES:,} bytes; a post is shorter.")
        raise problems.error()
    return _read(text, folder, problems)


def _read(text: str, folder: Path | None, problems: Problems) -> Post:
    found = split(clean(text, problems), problems)
    place = Folder(folder, problems)
    fields = read_fields(found.root, place, problems)

    def find(file: str, alt: str, line: int) -> Media | None:
        return place.media(file, alt, line, "text", encoded=True)

    body = Body(problems, find, first_filled=found.broken or "media" in fields.lines)
    parts = body.read(found.body, found.first_line)
    lines = _lines(fields, body.lines)
    try:
        post = Post(
            # What was left out because of a problem must not make the post look empty.
            "-" if problems and not any(part.text for part in parts) else parts,
            media=fields.media,
            title=fields.title,
            link=fields.link,
            poll=fields.poll,
            tags=fields.tags,
            content_warning=fields.content_warning,
            lang=fields.lang,
            visibility=fields.visibility,
            replies=fields.replies,
            networks=fields.networks,
            to=fields.to,
            at=fields.at,
            zone=fields.zone,
            expires=fields.expires,
        )
    except InputError as error:
        for problem in error.problems:
            near = (line for start, line in lines.items() if problem.startswith(start))
            problems.add(next(near, None), "", problem)
        raise problems.error() from None
    if problems:
        raise problems.error()
    return post


def _lines(fields: Fields, parts: list[int]) -> dict[str, int]:
    """The line that a problem of Post is about, by the words that the problem begins with."""
    lines = {f"part {number}:": line for number, line in enumerate(parts, 1)}
    for start, key in (
        ("title:", "title"),
        ("link:", "link"),
        ("content warning:", "content_warning"),
        ("poll", "poll"),
        ("lang:", "lang"),
        ("visibility:", "visibility"),
        ("replies:", "replies"),
        ("tag", "tags"),
        ("alt text", "media"),
    ):
        if key in fields.lines:
            lines[start] = fields.lines[key]
    if "networks" in fields.lines:
        lines |= {f"{name}: ": fields.lines["networks"] for name in fields.networks}
    return lines
