"""The lexicons of a post and of a thread's gate: what a server refuses, in its own words.

Only the first problem is named; fields in the lexicon's order, bytes before graphemes. Unknown
fields and unknown embeds pass. Numbers and words: PDS 0.5.35, measured on 2026-11-23, those of
gates on 2026-11-29.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from postkit.limits.counters import Graphemes

from .answers import COLLECTION, invalid, not_emulated
from .gates import GATES

MAX_BYTES = 3000
MAX_GRAPHEMES = 300
MAX_IMAGES = 4
MAX_IMAGE = 2_000_000
MAX_CARD_IMAGE = 1_000_000
MAX_VIDEO = 300_000_000
MAX_VIDEO_ALT_BYTES = 10_000
MAX_VIDEO_ALT = 1000
MAX_LANGUAGES = 3
MAX_TAGS = 8
MAX_TAG_BYTES = 640
MAX_TAG_GRAPHEMES = 64
MAX_LABELS = 10
MAX_RULES = 5
LABELS = "com.atproto.label.defs#selfLabels"
BEYOND = frozenset(f"app.bsky.embed.{name}" for name in ("gallery", "record", "recordWithMedia"))
"""Embeds that a server knows and checks, and that are not emulated."""

_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,20})?(?:Z|[+-]\d\d:\d\d)")
_LANGUAGE = re.compile(r"(?:i|x|[A-Za-z]{2,8})(?:-[A-Za-z0-9]{1,8})*")
_URI = re.compile(r"\w+:(?://)?[^\s/]\S*")
_DID = re.compile(r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]")
_AT_URI = re.compile(r"at://[a-zA-Z0-9._:%-]{3,}/[a-zA-Z0-9.-]+/[a-zA-Z0-9._~:-]+")

Record = dict[str, Any]
ROOT = ""


class Flaw(Exception):
    """What is wrong with a record, and where in it."""

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(reason)
        self.reason, self.path = reason, path


def check_post(record: Record) -> None:
    """Raises Flaw with the first problem, or Refusal for what is no post at all."""
    kind = record.get("$type", COLLECTION)
    if kind != COLLECTION:
        raise invalid(f"Invalid $type: expected {COLLECTION}, got {kind}")
    _check_text(record)
    for number, facet in enumerate(_rows(record, "facets", ROOT)):
        _check_facet(facet, f"{ROOT}.facets[{number}]")
    if "reply" in record:
        for name in ("root", "parent"):
            _check_reference(_key(record["reply"], name, f"{ROOT}.reply"), f"{ROOT}.reply.{name}")
    embed = _typed(record["embed"], f"{ROOT}.embed") if "embed" in record else {}
    kind = str(embed.get("$type", ""))
    if kind in BEYOND:
        raise not_emulated(f"The embed {kind}")
    if kind == "app.bsky.embed.images":
        _check_images(embed)
    elif kind == "app.bsky.embed.video":
        _check_video(embed)
    elif kind == "app.bsky.embed.external":
        _check_card(embed)
    _check_languages(record)
    _check_labels(record)
    _check_tags(record)
    created_at = _key(record, "createdAt", ROOT)
    if not _is_datetime(created_at):
        raise Flaw(f'Invalid datetime (got "{created_at}")', f"{ROOT}.createdAt")


def check_gate(record: Record) -> None:
    """Raises as ``check_post``. Rules of an unknown kind pass."""
    kind = record.get("$type", GATES)
    if kind != GATES:
        raise invalid(f"Invalid $type: expected {GATES}, got {kind}")
    post = _key(record, "post", ROOT)
    if not _AT_URI.fullmatch(str(post)):
        raise Flaw(f'Invalid at-uri (got "{post}")', f"{ROOT}.post")
    rules = _rows(record, "allow", ROOT)
    _check_count(rules, MAX_RULES, f"{ROOT}.allow")
    for number, rule in enumerate(rules):
        here = f"{ROOT}.allow[{number}]"
        kind = str(_typed(rule, here)["$type"])
        if kind == f"{GATES}#listRule":
            uri = _key(rule, "list", here)
            if not _AT_URI.fullmatch(str(uri)):
                raise Flaw(f'Invalid at-uri (got "{uri}")', f"{here}.list")
    if "hiddenReplies" in record:
        raise not_emulated("A gate that hides replies")
    created_at = _key(record, "createdAt", ROOT)
    if not _is_datetime(created_at):
        raise Flaw(f'Invalid datetime (got "{created_at}")', f"{ROOT}.createdAt")


def blobs_of(record: Record) -> list[Record]:
    """The blobs that a checked record names."""
    embed = record.get("embed", {})
    if embed.get("$type") == "app.bsky.embed.images":
        return [image["image"] for image in embed["images"]]
    if embed.get("$type") == "app.bsky.embed.video":
        return [embed["video"]]
    card = embed.get("external", {}) if embed.get("$type") == "app.bsky.embed.external" else {}
    return [card["thumb"]] if "thumb" in card else []


def check_numbers(value: Any, path: str) -> None:
    """The data model knows no fractions. Raises Refusal."""
    if isinstance(value, float):
        raise invalid(
            "Expected one of null, boolean, integer, string, cid, bytes, array or object value "
            f"type (got {value}) at {path}"
        )
    if isinstance(value, dict):
        for name, inner in value.items():
            check_numbers(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            check_numbers(inner, f"{path}[{number}]")


def _check_text(record: Record) -> None:
    text = _key(record, "text", ROOT)
    _check_length(text, MAX_BYTES, MAX_GRAPHEMES, f"{ROOT}.text")


def _check_facet(facet: Record, path: str) -> None:
    index = _table(_key(facet, "index", path), f"{path}.index")
    for name in ("byteStart", "byteEnd"):
        _check_least(_key(index, name, f"{path}.index"), 0, f"{path}.index.{name}")
    for number, one in enumerate(_rows(facet, "features", path, needed=True)):
        here = f"{path}.features[{number}]"
        feature = _typed(one, here)
        kind = str(feature.get("$type", "")).partition("#")[2]
        if kind == "link":
            _check_uri(_key(feature, "uri", here), f"{here}.uri")
        elif kind == "tag":
            tag = _key(feature, "tag", here)
            _check_length(tag, MAX_TAG_BYTES, MAX_TAG_GRAPHEMES, f"{here}.tag")
        elif kind == "mention":
            did = _key(feature, "did", here)
            if not _DID.fullmatch(str(did)):
                raise Flaw(f'Invalid DID (got "{did}")', f"{here}.did")


def _check_reference(reference: Record, path: str) -> None:
    uri = _key(reference, "uri", path)
    if not _AT_URI.fullmatch(str(uri)):
        raise Flaw(f'Invalid at-uri (got "{uri}")', f"{path}.uri")
    _key(reference, "cid", path)


def _check_images(embed: Record) -> None:
    path = f"{ROOT}.embed.images"
    images = _rows(embed, "images", f"{ROOT}.embed", needed=True)
    _check_count(images, MAX_IMAGES, path)
    for number, image in enumerate(images):
        here = f"{path}[{number}]"
        _check_blob(_key(image, "image", here), MAX_IMAGE, f"{here}.image")
        _text(_key(image, "alt", here), f"{here}.alt")
        _check_ratio(image, here)


def _check_ratio(shown: Record, path: str) -> None:
    if "aspectRatio" in shown:
        for name in ("width", "height"):
            size = _key(shown["aspectRatio"], name, f"{path}.aspectRatio")
            _check_least(size, 1, f"{path}.aspectRatio.{name}")


def _check_video(embed: Record) -> None:
    # The words for a video are those that were measured for pictures; not measured themselves.
    path = f"{ROOT}.embed"
    _check_blob(_key(embed, "video", path), MAX_VIDEO, f"{path}.video", "video/mp4")
    if _rows(embed, "captions", path):
        raise not_emulated("A video with captions")
    if "alt" in embed:
        _check_length(embed["alt"], MAX_VIDEO_ALT_BYTES, MAX_VIDEO_ALT, f"{path}.alt")
    _check_ratio(embed, path)


def _check_card(embed: Record) -> None:
    path = f"{ROOT}.embed.external"
    card = _key(embed, "external", f"{ROOT}.embed")
    _check_uri(_key(card, "uri", path), f"{path}.uri")
    for name in ("title", "description"):
        _text(_key(card, name, path), f"{path}.{name}")
    if "thumb" in card:
        _check_blob(card["thumb"], MAX_CARD_IMAGE, f"{path}.thumb")


def _check_blob(blob: Any, maximum: int, path: str, accepted: str = "image/*") -> None:
    ref = blob.get("ref") if isinstance(blob, dict) and blob.get("$type") == "blob" else None
    if not isinstance(ref, dict) or not isinstance(ref.get("$link"), str):
        raise _expected("blob", blob, path)
    mime, size = str(blob.get("mimeType", "")), blob.get("size", 0)
    if type(size) is not int:
        raise _expected("blob", blob, path)
    if not mime.startswith(accepted.rstrip("*")):
        raise Flaw(f'Expected "{accepted}" (got "{mime}")', f"{path}.mimeType")
    if size > maximum:
        raise Flaw(f"blob too big (maximum {maximum}, got {size})", path)


def _check_languages(record: Record) -> None:
    languages = _rows(record, "langs", ROOT)
    _check_count(languages, MAX_LANGUAGES, f"{ROOT}.langs")
    for number, language in enumerate(languages):
        if not _LANGUAGE.fullmatch(str(language)):
            raise Flaw(f'Invalid language (got "{language}")', f"{ROOT}.langs[{number}]")


def _check_labels(record: Record) -> None:
    if "labels" not in record:
        return
    labels = _typed(record["labels"], f"{ROOT}.labels")
    if labels["$type"] != LABELS:
        return
    rows = _rows(labels, "values", f"{ROOT}.labels", needed=True)
    _check_count(rows, MAX_LABELS, f"{ROOT}.labels.values")
    for number, label in enumerate(rows):
        here = f"{ROOT}.labels.values[{number}]"
        _text(_key(label, "val", here), f"{here}.val")


def _check_tags(record: Record) -> None:
    tags = _rows(record, "tags", ROOT)
    _check_count(tags, MAX_TAGS, f"{ROOT}.tags")
    for number, tag in enumerate(tags):
        _check_length(tag, MAX_TAG_BYTES, MAX_TAG_GRAPHEMES, f"{ROOT}.tags[{number}]")


def _check_length(given: Any, most_bytes: int, most_graphemes: int, path: str) -> None:
    text = _text(given, path)
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > most_bytes:
        raise Flaw(f"string too big (maximum {most_bytes}, got {size})", path)
    count = Graphemes().count(text)
    if count > most_graphemes:
        raise Flaw(f"grapheme too big (maximum {most_graphemes}, got {count})", path)


def _check_count(items: list[Any], most: int, path: str) -> None:
    if len(items) > most:
        raise Flaw(f"array too big (maximum {most}, got {len(items)})", path)


def _check_least(value: Any, least: int, path: str) -> None:
    if type(value) is not int:
        raise _expected("integer", value, path)
    if value < least:
        raise Flaw(f"integer too small (minimum {least}, got {value})", path)


def _check_uri(uri: Any, path: str) -> None:
    if not _URI.fullmatch(str(uri)):
        raise Flaw(f'Invalid uri (got "{uri}")', path)


def _is_datetime(value: Any) -> bool:
    if not isinstance(value, str) or not _DATETIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        return False
    return True


def _key(value: Any, name: str, path: str) -> Any:
    if name not in _table(value, path):
        raise Flaw(f'Missing required key "{name}"', path)
    return value[name]


def _table(value: Any, path: str) -> Record:
    if not isinstance(value, dict):
        raise _expected("object", value, path)
    return value


def _typed(value: Any, path: str) -> Record:
    """One of several kinds of objects, told by its ``$type``."""
    if not isinstance(value, dict) or "$type" not in value:
        raise _expected('an object which includes the "$type" property', value, path)
    _text(value["$type"], f"{path}.$type")
    return value


def _rows(value: Any, name: str, path: str, *, needed: bool = False) -> list[Any]:
    rows = _key(value, name, path) if needed else _table(value, path).get(name, [])
    if not isinstance(rows, list):
        raise _expected("array", rows, f"{path}.{name}")
    return rows


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _expected("string", value, path)
    return value


def _expected(kind: str, value: Any, path: str) -> Flaw:
    said = json.dumps(value)
    if isinstance(value, dict):
        said = f"{{{', '.join(f'{json.dumps(name)}: ...' for name in value)}}}"
    return Flaw(f"Expected {kind} value type (got {said})", path)
