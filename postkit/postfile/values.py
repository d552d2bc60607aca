"""Typed values out of nodes: what is no text, list or number becomes a problem, then None."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from .nodes import Bad, Empty, Entry, List, Map, Node, Text
from .problems import Problems, printable, quoted, suggestion

_NAMES = {Text: "text", List: "a list", Map: "a map"}


def text(node: Node, field: str, problems: Problems) -> str | None:
    if isinstance(node, Text):
        return node.value
    _wrong(node, field, "text", problems)
    return None


def word(node: Node, field: str, problems: Problems) -> str | None:
    """A text that must not be blank, without the blanks around it."""
    value = text(node, field, problems)
    if value is None or value.strip():
        return value and value.strip()
    problems.add(node.line, field, "This is blank; give it a value or remove it.")
    return None


def words(node: Node, field: str, problems: Problems) -> list[str]:
    """A list of words, or one text with commas between them."""
    if isinstance(node, Text):
        parts = [part.strip() for part in node.value.split(",")]
        if not all(parts):
            problems.add(node.line, field, "Between two commas stands nothing; remove one.")
        return [part for part in parts if part]
    return [item for item in (word(*of, problems) for of in items(node, field, problems)) if item]


def items(node: Node, field: str, problems: Problems) -> Iterator[tuple[Node, str]]:
    """The members of a list, each with the name of its place: `media[2]` is the second."""
    if isinstance(node, List):
        for number, item in enumerate(node.items, 1):
            yield item, f"{field}[{number}]"
    else:
        _wrong(node, field, "a list", problems)


def entries(node: Node, field: str, problems: Problems) -> list[Entry]:
    if isinstance(node, Map):
        return node.entries
    _wrong(node, field, "a map of `key: value`", problems)
    return []


def known(
    node: Node,
    field: str,
    keys: Iterable[str],
    problems: Problems,
    remedies: Mapping[str, str] | None = None,
    other: str = "",
) -> dict[str, Entry]:
    """The entries of a map by key. Unknown keys are problems.

    `remedies` says what to do about some of them, `other` about those that are near no key.
    """
    found: dict[str, Entry] = {}
    keys = tuple(keys)
    for entry in entries(node, field, problems):
        key = entry.key.replace("-", "_") if "-" in entry.key else entry.key
        if key not in keys:
            where = below(field, entry.key)
            problems.add(entry.line, where, _unknown(entry, node, keys, remedies or {}, other))
        elif key in found:
            words_ = (
                f"{quoted(entry.key)} is {quoted(found[key].key)} of line {found[key].line} again."
            )
            problems.add(entry.line, below(field, key), words_)
        else:
            found[key] = entry
    return found


def _unknown(
    entry: Entry, node: Node, keys: Iterable[str], remedies: Mapping[str, str], other: str
) -> str:
    if entry.key in remedies:
        return remedies[entry.key]
    sentence = f"There is no key {quoted(entry.key)}."
    if isinstance(entry.value, Empty) and isinstance(node, Map) and node.flow:
        return f"{sentence} A comma ends a value here: put text that contains one in quotes."
    near = suggestion(entry.key, keys)
    return sentence + (near or f" {other or 'Known are: ' + ', '.join(keys) + '.'}")


def flag(node: Node, field: str, problems: Problems) -> bool:
    value = text(node, field, problems)
    if value is None:
        return False
    if value.lower() not in ("yes", "no", "true", "false"):
        problems.add(node.line, field, f"{quoted(value)} is neither yes nor no.")
    return value.lower() in ("yes", "true")


def whole(node: Node, field: str, problems: Problems) -> int | None:
    """A number from 1 to 999,999."""
    value = text(node, field, problems)
    if value is None:
        return None
    if not re.fullmatch("0*[1-9][0-9]{0,5}", value) or len(value) > 20:
        problems.add(node.line, field, f"{quoted(value)} is no whole number from 1 to 999999.")
        return None
    return int(value)


def web_address(node: Node, field: str, problems: Problems) -> str | None:
    value = word(node, field, problems)
    if value is not None and not value.startswith(("https://", "http://")):
        words_ = f"{quoted(value)} is no web address; it must begin with https:// or http://."
        problems.add(node.line, field, words_)
        return None
    return value


def below(field: str, key: str) -> str:
    """The name of a key's place: `poll.options`."""
    key = printable(key[:40])
    return f"{field}.{key}" if field else key


def _wrong(node: Node, field: str, wanted: str, problems: Problems) -> None:
    if isinstance(node, Bad):
        return
    if not isinstance(node, Empty):
        sentence = f"This must be {wanted}, not {_NAMES[type(node)]}."
        if isinstance(node, Map) and node.flow and wanted == "text":
            sentence += " Put text that begins with { in quotes."
        elif isinstance(node, List) and wanted == "text":
            sentence += " Put text that begins with [ or - in quotes."
    elif node.comment:
        sentence = 'What follows # is a comment, so this has no value; put it in quotes: "#...".'
    else:
        sentence = "This has no value; give it one or remove it."
    problems.add(node.line, field, sentence)
