"""Where a secret came out: every secret of an emulator holds the word ``pk_canary_``."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

WORD = b"pk_canary_"


def _spellings() -> tuple[bytes, ...]:
    # Base64 of a word has three forms, by what stands before it. The letters at the edges also
    # hold bits of the neighbours, so they are left out.
    encoded = [
        base64.b64encode(bytes(shift) + WORD)[-(-8 * shift // 6) : 8 * (shift + len(WORD)) // 6]
        for shift in range(3)
    ]
    return (WORD, WORD.hex().encode(), *encoded)


SPELLINGS = _spellings()
"""The word as it is, in hexadecimal, and in base64 (as in a Basic header or a JWT)."""
PIECE = 16 * 1024 * 1024
"""Bytes of a file that are read at once."""
LONGEST = max(map(len, SPELLINGS)) - 1


def leaks(place: str, content: str | bytes) -> list[str]:
    """One sentence for each spelling of the word in ``content``; no secret is repeated."""
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    found = []
    for spelling in SPELLINGS:
        at = data.find(spelling)
        if at >= 0:
            before = data[max(0, at - 60) : at].decode("utf-8", "replace")
            found.append(f"{place} holds a secret, after {before!r}.")
    return found


def leaks_in_file(path: Path) -> list[str]:
    """The same for the content of one file, of any size."""
    found: dict[str, None] = {}
    before = b""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found |= dict.fromkeys(leaks(f"the file {path}", before + piece))
            # What is cut in two here is whole in the next piece.
            before = piece[-LONGEST:]
    return list(found)


def leaks_in_files(folder: Path) -> list[str]:
    """The same for every file below ``folder``: names and contents."""
    found: list[str] = []
    for path in _files(folder):
        name = str(path.relative_to(folder))
        found += leaks(f"the name of the file {name}", name)
        found += leaks(f"the file {name}", path.read_bytes())
    return found


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
