"""Where the pictures of a post file are: in its folder, below it, or behind an https URL."""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote

from ..errors import InputError
from ..post import Media, is_web_address
from .problems import Problems, quoted, suggestion
from .source import kind_of

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|//")


class Folder:
    """Finds media below `path`; None where the post did not come from a file."""

    def __init__(self, path: Path | None, problems: Problems) -> None:
        self._path = path
        self._problems = problems

    def media(
        self, file: str, alt: str, line: int, field: str, *, encoded: bool = False
    ) -> Media | None:
        """The picture, unread, or None with a problem. An https address stands for what is
        behind it.

        `encoded`: a name that does not exist is tried with its percent escapes decoded, as
        Markdown editors write spaces.
        """
        if is_web_address(file):
            return self.remote(file, alt, line, field)
        problem = self._refused(file)
        if problem is None and self._path is not None:
            found, problem = _find(self._path, file, near=not self._problems.full)
            if problem is not None and encoded and "%" in file:
                decoded = unquote(file)
                if self._refused(decoded) is None:
                    again, still = _find(self._path, decoded, near=False)
                    if still is None:
                        file, found, problem = decoded, again, None
            if found is not None:
                return Media(found, alt, name=PurePosixPath(file).name)
        self._problems.add(line, field, problem or "")
        return None

    def remote(self, url: str, alt: str, line: int, field: str) -> Media | None:
        """The picture behind a URL, not fetched yet, or None with a problem."""
        try:
            return Media.from_url(url, alt, place=f"{self._problems.name}:{line}: {field}")
        except InputError as error:
            for problem in error.problems:
                self._problems.add(line, field, problem)
        return None

    def _refused(self, file: str) -> str | None:
        if not file.strip():
            return "The picture's file is missing; name a file below the post's folder."
        if _SCHEME.match(file):
            return (
                f"{quoted(file)} is an address, and no https one; media are files below the "
                "post's folder, or https addresses."
            )
        if file.startswith("~") or Path(file).is_absolute() or PureWindowsPath(file).drive:
            return (
                f"{quoted(file)} is an absolute path; media must be files below the post's folder, "
                "named from there."
            )
        if self._path is None:
            return f"{quoted(file)} has no folder to be in; put the post into a file beside it."
        return None


def _find(folder: Path, file: str, *, near: bool) -> tuple[Path | None, str | None]:
    try:
        root = folder.resolve()
        if not Path(os.path.normpath(root / file)).is_relative_to(root):
            return None, f"{quoted(file)} leaves the post's folder; put a copy of it there."
        path = (root / file).resolve()
        if not path.is_relative_to(root):
            return None, f"{quoted(file)} links out of the post's folder; put a copy of it there."
        kind = kind_of(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        names = _names(folder, file) if near else []
        meant = suggestion(Path(file).name, names)
        return None, f"{quoted(file)} does not exist in the post's folder.{meant}"
    except (OSError, ValueError, RuntimeError) as error:
        # RuntimeError: a loop of links, before Python 3.13.
        reason = getattr(error, "strerror", None) or "its name cannot be a file's name"
        return None, f"{quoted(file)} cannot be used: {reason}."
    if kind is not None:
        return None, f"{quoted(file)} is {kind}; media are regular files."
    return path, None


def _names(folder: Path, file: str) -> list[str]:
    beside = Path(os.path.normpath(folder / file)).parent
    try:
        with os.scandir(beside) as entries:
            return [
                entry.name
                for entry in islice(entries, 1000)
                if not entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
