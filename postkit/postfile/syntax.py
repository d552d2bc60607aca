"""What a YAML parser's complaint means for the author."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .problems import printable

if TYPE_CHECKING:
    import yaml

# (words in the complaint, the sentence, whether the place is where the construct began).
# The words are those of PyYAML 6.0.3.
_SENTENCES = (
    ("scanning an alias", "Put text that begins with * in quotes.", False),
    ("scanning an anchor", "Put text that begins with & in quotes.", False),
    ("scanning a tag", "Put text that begins with ! in quotes.", False),
    (
        "undefined tag handle",
        "YAML tags are not allowed; put text that begins with ! in quotes.",
        False,
    ),
    ("a directive", "Put text that begins with % in quotes.", True),
    ("expected '<document start>'", "Only lines of `key: value` may stand here.", False),
    ("expected the node content", "A value is missing, or the ] or } of a list or map.", False),
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
    complaint = f"{error.context or ''}, {error.problem or ''}".strip(", ")
    mark = error.problem_mark or error.context_mark
    for words, remedy, at_begin in _SENTENCES:
        if words in complaint:
            if at_begin and error.context_mark:
                mark = error.context_mark
            index = mark.index if mark else 0
            if "]" in remedy and _hash_in_line(text, index):
                remedy += " What follows # is a comment: put words that begin with # in quotes."
            return index, remedy
    index = mark.index if mark else 0
    if "that cannot start any token" in complaint:
        character = printable(text[index : index + 1])
        return index, f"A value cannot begin with {character}; put it in quotes."
    return index, f"This is not valid YAML: {printable(complaint)[:200]}."


def _hash_in_line(text: str, index: int) -> bool:
    end = text.find("\n", index)
    return "#" in text[text.rfind("\n", 0, index) + 1 : end if end >= 0 else len(text)]
