"""The keys of the front matter, and what each becomes in a Post."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ..post import Media, Poll, Settings
from . import values
from .duration import minutes
from .folder import Folder
from .nodes import Entry, List, Map, Node, Text
from .problems import Problems
from .times import check_times

KEYS = (
    "title",
    "to",
    "media",
    "link",
    "tags",
    "poll",
    "content_warning",
    "lang",
    "visibility",
    "replies",
    "networks",
    "at",
    "zone",
    "expires",
)
_REMEDIES = {
    **dict.fromkeys(("text", "body"), "The text of a post is what follows the front matter."),
    "alt": 'Alternative text belongs to its picture: media: [{file: cat.jpg, alt: "A cat"}].',
}
_POLL_KEYS = ("options", "minutes", "hours", "days", "duration", "multiple")
_SETTINGS_KEYS = ("text", "title", "link", "options")
_OPTIONS = "A network's own options stand below options: {options: {key: value}}."


@dataclass(slots=True)
class Fields:
    """What the front matter says; `lines` has the line of each key."""

    title: str | None = None
    to: list[str] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    link: str | None = None
    tags: list[str] = field(default_factory=list)
    poll: Poll | None = None
    content_warning: str | None = None
    lang: str | None = None
    visibility: str | None = None
    replies: str | None = None
    networks: dict[str, Settings] = field(default_factory=dict)
    at: str | None = None
    zone: str | None = None
    expires: str | None = None
    lines: dict[str, int] = field(default_factory=dict)


def read_fields(root: Node | None, folder: Folder, problems: Problems) -> Fields:
    """Every key of the front matter; what is wrong is left out and noted."""
    fields = Fields()
    if root is None:
        return fields
    if not isinstance(root, Map):
        sentence = (
            "Between the first two --- stand lines of `key: value`; "
            "a post without them begins with its text."
        )
        problems.add(root.line, "front matter", sentence)
        return fields
    found = values.known(root, "", KEYS, problems, _REMEDIES)
    fields.lines = {key: entry.line for key, entry in found.items()}
    for key, entry in found.items():
        node = entry.value
        if key == "media":
            fields.media = _media(node, folder, problems)
        elif key == "poll":
            fields.poll = _poll(node, problems)
        elif key == "networks":
            fields.networks = _networks(node, problems)
        elif key in ("to", "tags"):
            setattr(fields, key, values.words(node, key, problems))
        elif key == "link":
            fields.link = values.web_address(node, key, problems)
        elif key in ("lang", "visibility", "replies", "at", "zone", "expires"):
            setattr(fields, key, values.word(node, key, problems))
        else:
            setattr(fields, key, values.text(node, key, problems))
    check_times(fields.at, fields.zone, fields.expires, fields.lines, problems)
    return fields


def _media(node: Node, folder: Folder, problems: Problems) -> list[Media]:
    found: list[Media | None] = []
    for item, where in values.items(node, "media", problems):
        if isinstance(item, Text):
            found.append(folder.media(item.value, "", item.line, where))
            continue
        keys = values.known(item, where, ("file", "url", "alt"), problems)
        alt = values.text(keys["alt"].value, f"{where}.alt", problems) if "alt" in keys else ""
        if "file" in keys and "url" in keys:
            problems.add(keys["url"].line, where, "Give file or url, not both.")
        elif "url" in keys:
            url = values.word(keys["url"].value, f"{where}.url", problems)
            if url is not None:
                found.append(folder.remote(url, alt or "", keys["url"].line, f"{where}.url"))
        elif "file" in keys:
            file = values.word(keys["file"].value, f"{where}.file", problems)
            if file is not None:
                found.append(folder.media(file, alt or "", keys["file"].line, f"{where}.file"))
        elif isinstance(item, Map):
            sentence = "The picture's file or url is missing: {file: cat.jpg, alt: ...}."
            problems.add(item.line, where, sentence)
    return [media for media in found if media is not None]


def _poll(node: Node, problems: Problems) -> Poll | None:
    keys = values.known(node, "poll", _POLL_KEYS, problems)
    options: list[str] = []
    if "options" in keys:
        for item, where in values.items(keys["options"].value, "poll.options", problems):
            options += [option] if (option := values.word(item, where, problems)) else []
        listed = keys["options"].value
        if isinstance(listed, List) and len(listed.items) < 2:
            problems.add(listed.line, "poll.options", "A poll needs two options or more.")
    elif isinstance(node, Map):
        sentence = "The options are missing: {options: [Tea, Coffee], days: 1}."
        problems.add(node.line, "poll", sentence)
    open_for = minutes(keys, problems)
    multiple = "multiple" in keys and values.flag(keys["multiple"].value, "poll.multiple", problems)
    if len(options) < 2:
        return None
    return Poll(tuple(options), multiple=multiple, **({"minutes": open_for} if open_for else {}))


def _networks(node: Node, problems: Problems) -> dict[str, Settings]:
    entries = values.entries(node, "networks", problems)
    return {entry.key: _settings(entry, problems) for entry in entries}


def _settings(entry: Entry, problems: Problems) -> Settings:
    where = values.below("networks", entry.key)
    keys = values.known(entry.value, where, _SETTINGS_KEYS, problems, other=_OPTIONS)
    options: dict[str, Any] = {}
    if "options" in keys:
        for option in values.entries(keys["options"].value, f"{where}.options", problems):
            place = values.below(f"{where}.options", option.key)
            options[option.key] = _option(option.value, place, problems)
    read = {
        key: values.text(keys[key].value, f"{where}.{key}", problems)
        for key in ("text", "title")
        if key in keys
    }
    link = None
    if "link" in keys:
        link = values.web_address(keys["link"].value, f"{where}.link", problems)
    return Settings(read.get("text"), read.get("title"), link, MappingProxyType(options))


def _option(node: Node, where: str, problems: Problems) -> str | list[str] | None:
    """Options stay text or lists of texts; the option's declaration types them later."""
    if isinstance(node, List):
        places = values.items(node, where, problems)
        read = [values.text(item, place, problems) for item, place in places]
        return [value for value in read if value is not None]
    return values.text(node, where, problems)
