"""Where the front matter ends and the text begins."""

from __future__ import annotations

from dataclasses import dataclass

from .nodes import Node
from .problems import Problems
from .tree import Builder


@dataclass(frozen=True, slots=True)
class Split:
    """A file in two: the root of its front matter and the lines of its text.

    `first_line` is the file's line of `body[0]`. `broken` says that the front matter could not
    be read to its end.
    """

    root: Node | None
    body: list[str]
    first_line: int
    broken: bool = False


def split(text: str, problems: Problems) -> Split:
    lines = text.split("\n")
    top = next((n for n, line in enumerate(lines) if line.strip(" \t")), 0)
    if not is_marker(lines[top]):
        return Split(None, lines, 1)
    if top:
        sentence = "Front matter begins on the first line; remove the blank lines above it."
        problems.add(top + 1, "front matter", sentence)
    end = next((n for n in range(top + 1, len(lines)) if is_marker(lines[n])), None)
    if end is None:
        sentence = "The front matter that begins here has no end; close it with a line of ---."
        problems.add(top + 1, "front matter", sentence)
        return Split(None, [], top + 2, broken=True)
    builder = Builder("\n".join(lines[top + 1 : end]), top + 2, problems)
    root = builder.build()
    return Split(root, lines[end + 1 :], end + 2, builder.broken)


def is_marker(line: str) -> bool:
    return line.rstrip(" \t") == "---"
