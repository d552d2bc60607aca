"""What a YAML parser's complaint means for the author."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .problems import printable

if TYPE_CHECKING:
    import yaml

# (words in the complaint, the sentence, whether the place is where the construct began).
# The words are those of PyYAML 6.0.3.
_SENTENCES = (
    ("mapping values are not allowed", 'Text that contains ": " must be in quotes.', False),
    ("'\\t' that cannot start", "Indent with spaces; YAML allows no tab here.", False),
    ("found a tab", "Indent with spaces; YAML allows no tab here.", False),
    ("found unexpected end of stream", "The quote that begins here is not closed.", True),
    ("unexpected document separator", "The quote that begins here is not closed.", True),
    ("could not find expected ':'", "This line is no `key: value`.", True),
    ("expected ',' or ']'", "The list that begins here with [ lacks its ] or a comma.", True),
    ("expected ',' or '}'", "The map that begins here with { lacks its } or a comma.", True),
    (
        "expected <block end>",
        "The indentation or the quotes do not fit: give each key its own line, "
        "and quote a value as a whole.",
        False,
    ),
    (
        "unknown escape character",
        r'Write \\ for a backslash in "...", or use single quotes.',
        False,
    ),
    ("sequence entries are not allowed", "Begin a list on its own line below the key.", False),
)


def sentence(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    """Where it is, as an index into the front matter, and what to do."""
    complaint = str(error.problem or "")
    mark = error.problem_mark or error.context_mark
    for words, remedy, at_begin in _SENTENCES:
        if words in complaint:
            if at_begin and error.context_mark:
                mark = error.context_mark
            index = mark.index if mark else 0
            if "begins here with" in remedy and _hash_in_line(text, index):
                remedy += " What follows # is a comment: put words that begin with # in quotes."
            return index, remedy
    index = mark.index if mark else 0
    if "that cannot start any token" in complaint:
        character = printable(text[index : index + 1])
        return index, f"A value cannot begin with {character}; put it in quotes."
    context = f"{error.context}, " if error.context else ""
    return index, f"This is not valid YAML: {printable(context + complaint)[:200]}."


def _hash_in_line(text: str, index: int) -> bool:
    return "#" in text[index:].split("\n", 1)[0]
