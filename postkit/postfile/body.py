"""The text of a post file: its parts and their pictures.

The text stays Markdown here, letter by letter; what each network makes of it is `markup/`'s."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ..post import Media, Part
from .images import MAX_IMAGES, Image, images, only_images
from .problems import Problems, quoted

Find = Callable[[str, str, int], Media | None]
"""Finds a picture by file, alternative text and line, or notes a problem."""

_SEPARATOR = re.compile(r" {0,3}---[ \t]*")
_FENCE = re.compile(r" {0,3}(?:(`{3,})[^`]*|(~{3,}).*)")


@dataclass(slots=True)
class _Draft:
    """A part that is being read. `line` is that of its first text, for messages."""

    line: int
    kept: list[str] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    filled: bool = False
    skipping: bool = False

    def part(self) -> Part:
        kept = self.kept
        while kept and _blank(kept[-1]):
            kept.pop()
        return Part("\n".join(kept), tuple(self.media), markdown=True)


class Body:
    """Reads the lines below the front matter.

    `first_filled` says that the first part has pictures already. After `read`, `lines` has the
    file's line of each part.
    """

    def __init__(self, problems: Problems, find: Find, *, first_filled: bool = False) -> None:
        self._problems = problems
        self._find = find
        self._first_filled = first_filled
        self._paragraph: list[str] = []
        self._drafts: list[_Draft] = []
        self._separator = 0
        self._images = 0
        self.lines: list[int] = []

    def read(self, body: list[str], first_line: int) -> list[Part]:
        self._drafts = [_Draft(first_line, filled=self._first_filled)]
        fence: str | None = None
        opened = first_line
        hidden = False
        for index, line in enumerate(body):
            number = first_line + index
            if fence is not None:
                self._keep(line, number)
                hidden = hidden or bool(_SEPARATOR.fullmatch(line)) or "![" in line
                if _closes(line, fence):
                    fence = None
            elif found := _FENCE.fullmatch(line):
                self._flush(number)
                fence, opened, hidden = found[1] or found[2], number, False
                self._keep(line, number)
            elif _SEPARATOR.fullmatch(line):
                self._flush(number)
                self._separate(body, index, number)
            elif _blank(line):
                self._flush(number)
                self._keep(line, number)
            else:
                self._paragraph.append(line)
        last = first_line + len(body)
        self._flush(last)
        if fence is not None and hidden:
            sentence = "The code block that begins here is not closed, and hides --- or a picture."
            self._problems.add(opened, "text", f"{sentence} Close it with {fence}.")
        if len(self._drafts) > 1 and not self._drafts[-1].filled:
            self._empty(self._separator, "below")
        self.lines = [draft.line for draft in self._drafts]
        return [draft.part() for draft in self._drafts]

    def _keep(self, line: str, number: int) -> None:
        draft = self._drafts[-1]
        if _blank(line):
            if not draft.kept or (draft.skipping and _blank(draft.kept[-1])):
                return
        else:
            draft.skipping = False
            if not draft.filled:
                draft.line, draft.filled = number, True
        draft.kept.append(line)

    def _separate(self, body: list[str], index: int, number: int) -> None:
        above = index == 0 or _blank(body[index - 1])
        under = index + 1 == len(body) or _blank(body[index + 1])
        if not (above and under):
            sentence = (
                "--- separates parts only with a blank line above and below it. "
                "Leave blank lines for a new part, or write *** for a rule."
            )
            self._problems.add(number, "text", sentence)
            self._drafts[-1].filled = True
            return
        if not self._drafts[-1].filled:
            self._empty(number, "above")
        self._separator = number
        self._drafts.append(_Draft(number + 1))

    def _empty(self, number: int, where: str) -> None:
        sentence = f"The part {where} this --- is empty; remove the --- or give the part a text."
        self._problems.add(number, "text", sentence)

    def _flush(self, number: int) -> None:
        """Ends the paragraph that was read up to the line `number`."""
        lines, self._paragraph = self._paragraph, []
        if not lines:
            return
        first = number - len(lines)
        paragraph = "\n".join(lines)
        found = self._found(paragraph, first)
        alone = only_images(paragraph, found)
        for image in found:
            self._image(image, first + paragraph.count("\n", 0, image.start), alone)
        draft = self._drafts[-1]
        if alone:
            draft.skipping = True
            if not draft.filled:
                draft.line, draft.filled = first, True
            return
        for offset, line in enumerate(lines):
            self._keep(line, first + offset)

    def _found(self, paragraph: str, line: int) -> list[Image]:
        if self._problems.full or self._images > MAX_IMAGES:
            return []
        found = images(paragraph)
        self._images += len(found)
        if self._images <= MAX_IMAGES:
            return found
        sentence = f"This post has more than {MAX_IMAGES:,} pictures; no network takes as many."
        self._problems.add(line, "text", sentence)
        return []

    def _image(self, image: Image, line: int, alone: bool) -> None:
        if image.file is None:
            sentence = (
                "This cannot be read as a picture; write ![alt](file.jpg), "
                "or ![alt](<file with spaces.jpg>)."
            )
            self._problems.add(line, "text", sentence)
        elif not alone:
            sentence = (
                f"The picture {quoted(image.file)} must stand alone in its paragraph, not "
                "indented; put blank lines around it, or backticks to show it as text."
            )
            self._problems.add(line, "text", sentence)
        elif media := self._find(image.file, image.alt, line):
            self._drafts[-1].media.append(media)


def _closes(line: str, fence: str) -> bool:
    return re.fullmatch(rf" {{0,3}}{fence[0]}{{{len(fence)},}}[ \t]*", line) is not None


def _blank(line: str) -> bool:
    return not line.strip(" \t")
