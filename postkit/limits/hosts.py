"""Top-level domains: which host names are taken for a link."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_LETTERS = re.compile(r"[A-Za-z]+")
_PUNYCODE = re.compile(r"[Xx][Nn]--[-0-9A-Za-z]+")
_GLUE = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@+-")


@cache
def top_level_domains() -> frozenset[str]:
    """The names in ``tlds.txt``, in lower case. The file's head names source and date."""
    lines = Path(__file__).with_name("tlds.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


@cache
def _international() -> tuple[frozenset[str], int]:
    names = frozenset(name for name in top_level_domains() if not name.isascii())
    return names, max(map(len, names))


def tld_end(text: str, start: int) -> int | None:
    """Where the top-level domain that begins at ``start`` ends; None where none begins there.

    Text in another script may follow directly, a letter, digit, ``@``, ``+`` or ``-`` may not.
    """
    letters = _LETTERS.match(text, start)
    if letters is not None:
        end = letters.end()
        if letters.group().lower() in top_level_domains() and text[end : end + 1] not in _GLUE:
            return end
        punycode = _PUNYCODE.match(text, start)
        if punycode is not None:
            return punycode.end()
    names, longest = _international()
    head = text[start : start + longest]
    if not head.isascii():
        for length in range(len(head), 0, -1):
            end = start + length
            if head[:length].lower() in names and text[end : end + 1] not in _GLUE:
                return end
    return None


def is_listed_host(host: str) -> bool:
    """Whether ``host`` has at least two labels and ends in a known top-level domain."""
    _, dot, last = host.rpartition(".")
    return bool(dot) and tld_end(last, 0) == len(last)


def is_encodable(domain: str, length: int, longest: int) -> bool:
    """Whether DNS could hold ``domain`` and its URL has at most ``longest`` code points.

    ``length`` is that of the URL as written; what the domain's ASCII form adds is counted here.
    """
    if length > longest:
        return False
    if domain.isascii():
        return all(0 < len(label) < 64 for label in domain.split("."))
    try:
        encoded = domain.encode("idna")
    except UnicodeError:
        return False
    return length + len(encoded) - len(domain) <= longest
