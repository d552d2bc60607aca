"""Secrets that do not show themselves, and what removes them from text that leaves the process."""

from __future__ import annotations

import base64
import functools
import hmac
import html
import json
import logging
import re
import threading
import traceback
from collections.abc import Iterator
from typing import Final, NoReturn, final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
OURS: Final = ("POSTKIT_KEY", "POSTKIT_NEW_KEY", "POSTKIT_PASSPHRASE")
"""Variables with secrets of postkit's own, which no other program is given."""
SHORTEST: Final = 6
"""Characters. A shorter secret is not searched for: it would blank out ordinary words."""
FEW: Final = 1_000
"""Beginnings of secrets that are looked for one by one."""
REMEMBERED: Final = 10_000
"""Secrets. A worker that renews tokens for months must not grow without end."""


class _Known:
    """The secret values that this process has made or revealed, in every form they travel in.

    Values are kept after their `Secret` is gone, because an SDK may still hold the text; the ones
    that were not made or revealed for the longest time are forgotten first.
    """

    def __init__(self) -> None:
        self._guard = threading.RLock()
        self._forms: dict[str, frozenset[str]] = {}
        # Looked up by their first characters, so that a line costs the same for any number.
        self._by_start: dict[str, dict[str, int]] = {}

    def add(self, value: str) -> None:
        if len(value) < SHORTEST:
            return
        with self._guard:
            forms = self._forms.pop(value, None)
            if forms is None:
                forms = frozenset(_forms_of(value))
                for form in forms:
                    owners = self._by_start.setdefault(form[:SHORTEST], {})
                    owners[form] = owners.get(form, 0) + 1
            self._forms[value] = forms
            while len(self._forms) > REMEMBERED:
                self._forget(next(iter(self._forms)))

    def _forget(self, value: str) -> None:
        for form in self._forms.pop(value):
            owners = self._by_start[form[:SHORTEST]]
            owners[form] -= 1
            if not owners[form]:
                del owners[form]
            if not owners:
                del self._by_start[form[:SHORTEST]]

    def mask(self, text: str) -> str:
        """Replace each known form; forms that overlap become one mask."""
        pieces: list[str] = []
        kept = end = 0
        # Without the guard: a signal's handler and a forked child must be able to log.
        starts = tuple(self._by_start)
        # Most lines hold no secret, and few are known: then one fast look for each is enough.
        if len(starts) <= FEW and not any(start in text for start in starts):
            return text
        for at in range(len(text) - SHORTEST + 1):
            for form in tuple(self._by_start.get(text[at : at + SHORTEST], ())):
                if at + len(form) > end and text.startswith(form, at):
                    if at >= end:
                        pieces += (text[kept:at], MASK)
                    kept = end = at + len(form)
        return "".join(pieces) + text[kept:]


_known = _Known()


@final
class Secret:
    """A token, password or key that does not show itself in logs, errors or a debugger's view.

    It is no dataclass on purpose: `dataclasses.asdict` walks into dataclasses and would write the
    value out. Making one also makes the process's `Redactor` know the value.
    """

    __slots__ = ("_value",)
    _value: str

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"A secret is text, not {type(value).__name__}.")
        object.__setattr__(self, "_value", value)
        _known.add(value)

    def reveal(self) -> str:
        """The value itself, for the one place that sends or encrypts it."""
        _known.add(self._value)
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_bytes_of(self._value), _bytes_of(other._value))

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("A secret cannot be changed; make a new one.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("A secret cannot be changed; make a new one.")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A secret cannot be pickled; pass the account's name instead.")


def _bytes_of(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _forms_of(value: str) -> Iterator[str]:
    """The value as it is, and as URLs, JSON, HTML, Python's repr and base64 write it."""
    yield value
    raw = _bytes_of(value)
    # The last set is what HTTP clients leave alone when they tidy a whole URL.
    for safe in ("", "/", "!#$&'()*+,/:;=?@[]~"):
        quoted = quote(raw, safe=safe)
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    yield quote_plus(raw)
    for ascii_only in (True, False):
        escaped = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
        yield json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]
    yield repr(value)[1:-1]
    yield repr(raw)[2:-1]
    yield html.escape(value)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        # In the middle of other text ("user:password") the value starts at any of three offsets;
        # only the digits that depend on nothing but the value can be searched for.
        for offset, first in ((0, 0), (1, 2), (2, 3)):
            last = 8 * (offset + len(raw)) // 6
            yield encode(bytes(offset) + raw).decode()[first:last]


_NAMES = (
    "token", "secret", "pass", "jwt", "key", "signature", "proof", "verifier", "assertion", "code",
)  # fmt: skip
_NAME = (
    r"(?:(?<![A-Za-z0-9])(?:[a-z]{1,16}[_-]){0,3}"
    r"(?:access|refresh|id|client|app|api|auth|session|bearer)?"
    r"(?:token|secret|password|passwd|passphrase|jwt|api_?key|private_?key|signature|proof|"
    r"verifier|assertion)(?:[_-]secret)?|(?<=[?&])code)"
)
_OPEN = r"b?(?P<quote>(?P<nested>\\)?\\{0,8}[\"'])"
# Up to the same quote. JSON inside JSON escapes a quote of the value once more.
_INSIDE = r"(?:(?!(?P=quote))(?:(?(nested)\\{2,8}(?P=quote)|(?!))|\\.|[^\\]))+"
_HEADER = r"(?<![a-z])(?:proxy-)?(?:authorization|(?:set-)?cookie)"
_PROSE = r"(?!(?:tokens?|auth\w*|scheme|realm|credentials?)\b)"
_CHARACTER = r"[\w.~+/-]"

# Each keeps what `keep` matched and masks the rest. They are the second net, for secrets that this
# process never made: an answer that carries a new token, an error text of an SDK. Before them is
# what a text must hold, in lower case, for one of them to match: most lines hold nothing of it.
_PATTERNS: Final = (
    # Headers, in a mapping's repr or JSON, and as lines.
    (
        ("authorization", "cookie"),
        (
            rf"(?P<keep>{_HEADER}\\*[\"']\s*[:,]\s*{_OPEN}){_INSIDE}",
            rf"(?P<keep>{_HEADER}\s*:[ \t]*)[^\s\"'][^\r\n]*",
        ),
    ),
    (
        ("bearer", "basic"),
        (
            rf"(?P<keep>\b(?-i:Bearer|BEARER)\s+){_PROSE}{_CHARACTER}++=*+(?![\"=])",
            rf"(?P<keep>\bbearer\s+){_PROSE}{_CHARACTER}{{16,}}+=*+",
            rf"(?P<keep>\b(?-i:Basic)\s+){_PROSE}(?=(?-i:[a-z+/]*[A-Z0-9])){_CHARACTER}{{8,}}+=*+",
        ),
    ),
    (
        _NAMES,
        (
            # JSON and mappings: "name": "value", "name": ["value"], "name": 1234.
            rf"(?P<keep>{_NAME}\\*[\"']\s*:\s*[\[(]?\s*{_OPEN}){_INSIDE}",
            rf"(?P<keep>{_NAME}\\*[\"']\s*:\s*)\d+",
            # Queries, forms and keyword arguments.
            rf"(?P<keep>{_NAME}(?:=|%3D){_OPEN}){_INSIDE}",
            rf"(?P<keep>{_NAME}(?:=|%3D))(?![\"'\\]|b[\"'])(?:(?!%26)[^&\s\"'<>\\])+",
            # A line "name: value". One word only, and none of plain letters: prose stays readable.
            rf"(?P<keep>{_NAME}:[ \t]+)(?=\S*\d|\S{{16}})[^\s\"'{{}}\[\],]++"
            r"(?=[ \t]*(?:[,}\r\n]|\Z))",
        ),
    ),
    (("://",), (r"(?P<keep>://[^/\s:@\"']{0,200}:)[^/\s@\"']++(?=@)",)),
)


@functools.cache
def _patterns() -> tuple[tuple[tuple[str, ...], tuple[re.Pattern[str], ...]], ...]:
    # Compiled at first use: this module is imported by every command.
    return tuple(
        (words, tuple(re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in patterns))
        for words, patterns in _PATTERNS
    )


def _masked(found: re.Match[str]) -> str:
    return str(found["keep"]) + MASK


class Redactor:
    """Removes secrets from text: the values this process knows, and what looks like one."""

    @staticmethod
    def redact(text: str) -> str:
        """`text` with `***` for each secret. Redacting twice changes nothing more."""
        text = _known.mask(text)
        # Beyond ASCII, letters match others that `lower` does not make of them.
        lower = text.lower() if text.isascii() else None
        for words, patterns in _patterns():
            if lower is None or any(word in lower for word in words):
                for pattern in patterns:
                    text = pattern.sub(_masked, text)
        return text


class RedactingFilter(logging.Filter):
    """Redacts a log record's message, traceback and extra fields.

    Add it to handlers, not to loggers: a logger's filters do not see its children's records.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if not super().filter(record):
            return False
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - logging itself would print the arguments to standard error
            message = f"{record.msg} {record.args!r}"
        record.msg, record.args = Redactor.redact(message), ()
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        # A formatter falls back to exc_text; the exception itself would be printed unredacted.
        record.exc_info = None
        for field, value in vars(record).items():
            if field not in ("msg", "args"):
                setattr(record, field, _cleaned(value))
        return True


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return Redactor.redact(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_cleaned(item) for item in value]
    return value
