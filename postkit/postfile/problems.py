"""Everything that is wrong with one post file, each as `file:line: field: sentence`."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import InputError
from ..suggest import did_you_mean

MAX_LISTED = 100
"""Problems that are listed; what comes after is only counted."""


class Problems:
    """Collects problems so that the author sees all of them at once, in the file's order."""

    def __init__(self, name: str) -> None:
        self.name = printable(name)
        self._found: list[tuple[int, str]] = []
        self._more = 0

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def full(self) -> bool:
        """True where looking for more would not be shown any more."""
        return len(self._found) >= MAX_LISTED

    def add(self, line: int | None, field: str, sentence: str) -> None:
        """Note one problem. `line` counts from 1; None means the file as a whole."""
        if self.full:
            self._more += 1
            return
        place = self.name if line is None else f"{self.name}:{line}"
        what = f"{field}: {sentence}" if field else sentence
        self._found.append((line or 0, f"{place}: {what}"))

    def error(self) -> InputError:
        listed = [text for _, text in sorted(self._found, key=lambda found: found[0])]
        if self._more:
            listed.append(f"{self.name}: {self._more} more problems are not listed.")
        return InputError(listed)


def printable(text: str) -> str:
    """The text without characters that could disturb a terminal or a log."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def quoted(text: str, limit: int = 60) -> str:
    """The text in quotes for a sentence, cut after `limit` code points."""
    return f"'{printable(text[:limit])}{'…' if len(text) > limit else ''}'"


def suggestion(word: str, choices: Iterable[str]) -> str:
    """`did_you_mean`, but not for words so long that comparing them takes time."""
    return did_you_mean(word, choices) if len(word) <= 100 else ""
