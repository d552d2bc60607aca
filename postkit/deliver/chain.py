"""Reads the history back and proves it: each line against its hash, each against the one before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ..clock import micros, moment
from ..store.database import Database
from .history import COLUMNS, EVERYTHING, line_hash

SCHEMA: Final = "postkit-history/1"
PAGE = 2000
"""Lines that are read at a time: nobody else can use the store meanwhile."""
READ = """
SELECT chain.lines AS chain_lines, chain.hash AS chain_hash, line.* FROM (SELECT 1)
LEFT JOIN chain ON chain.tenant = :tenant AND chain.account_id = :account
LEFT JOIN (SELECT * FROM history WHERE account_id = :account AND tenant = :tenant AND id > :after
  ORDER BY id LIMIT :count) AS line
ORDER BY line.id
"""
"""A page, and the end of the chain as it was at that moment: others may append meanwhile."""
NAMES = """
SELECT account_id FROM chain WHERE tenant = :tenant
UNION SELECT DISTINCT account_id FROM history WHERE tenant = :tenant ORDER BY account_id
"""
Line = Mapping[str, Any]
"""The columns of a line, by their names."""
Each = Callable[[dict[str, Any]], None]
"""Is given one line as JSON."""
Watch = Callable[[int, int], None]
"""How many lines are read, of how many."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first line that is not what was written, counted from 1; ``at`` is the time that it
    names, None where it names none."""

    line: int
    at: datetime | None
    what: str

    def to_json(self) -> dict[str, Any]:
        at = self.at.isoformat() if self.at is not None else None
        return {"line": self.line, "at": at, "what": self.what}


@dataclass(frozen=True, slots=True)
class Chain:
    """One account's history: how many lines it has, and the hash of its newest (``""``: none).
    ``account`` is its label; ``account_id`` is empty for what is about no single account."""

    account: str
    account_id: str
    lines: int
    hash: str
    broken: Broken | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "account": self.account,
            "account_id": self.account_id,
            "lines": self.lines,
            "hash": self.hash,
            "broken": self.broken.to_json() if self.broken else None,
        }


class Chains:
    """The histories of one tenant."""

    def __init__(self, database: Database, tenant: str = "") -> None:
        self._database = database
        self._tenant = tenant

    def names(self) -> list[str]:
        """The account_ids that have a history, EVERYTHING among them."""
        found = self._database.read(NAMES, {"tenant": self._tenant})
        return [str(row["account_id"]) for row in found]

    def others(self) -> int:
        """How many other tenants have a history: theirs are not in this one's."""
        found = self._database.read(
            "SELECT count(DISTINCT tenant) AS number FROM chain WHERE tenant <> :tenant",
            {"tenant": self._tenant},
        )
        return int(found[0]["number"])

    def length(self, account_id: str) -> int:
        """How many lines there are said to be."""
        found = self._database.read(
            "SELECT lines FROM chain WHERE tenant = :tenant AND account_id = :account",
            {"tenant": self._tenant, "account": account_id},
        )
        return int(found[0]["lines"]) if found else 0

    def read(
        self,
        account_id: str,
        label: str,
        *,
        since: datetime | None = None,
        each: Each | None = None,
        read: Callable[[int], None] | None = None,
    ) -> Chain:
        """Prove the whole chain. ``each`` is given its lines from ``since`` on, what is broken
        included; ``read`` hears how many lines were read."""
        proof = _Proof()
        first = micros(since) if since is not None else None
        for page, last in self._pages(account_id):
            for row in page:
                proof.take(row)
                if each is not None and (first is None or not _is_before(row["at"], first)):
                    each(as_json(row, label, proof.lines))
            if last is not None:
                proof.end(*last)
            if read is not None:
                read(len(page))
        return Chain(label, account_id, proof.lines, proof.previous, proof.broken)

    def _pages(
        self, account_id: str
    ) -> Iterator[tuple[list[Line], tuple[int | None, str | None] | None]]:
        """Pages of lines; with the last one, what the store keeps of the chain's end."""
        after = 0
        while True:
            found = self._database.read(
                READ,
                {
                    "tenant": self._tenant,
                    "account": account_id,
                    "after": after,
                    "count": PAGE,
                },
            )
            names = found[0].keys()
            # Once for all look-ups: a row's own goes through the names before it.
            page: list[Line] = [
                dict(zip(names, row, strict=True)) for row in found if row["id"] is not None
            ]
            if len(page) < PAGE:
                yield page, (found[0]["chain_lines"], found[0]["chain_hash"])
                return
            yield page, None
            after = page[-1]["id"]


class _Proof:
    """What is proved of a chain so far."""

    def __init__(self) -> None:
        self.lines = 0
        self.previous = ""
        self.broken: Broken | None = None
        self._form = 1

    def take(self, row: Line) -> None:
        self.lines += 1
        what = self._wrong(row)
        if what is not None and self.broken is None:
            self.broken = Broken(self.lines, _time(row["at"]), what)
        self.previous = str(row["hash"])

    def _wrong(self, row: Line) -> str | None:
        if row["previous"] != self.previous:
            return (
                "It does not follow the line before it: a line was removed, added, moved or "
                "changed here."
            )
        form = row["form"]
        if form not in COLUMNS or form < self._form:
            return f"It is of the form {form!r}, which this postkit would not have written here."
        self._form = form
        try:
            is_true = line_hash(row) == row["hash"]
        except (TypeError, ValueError):  # bytes, where there was text
            is_true = False
        return None if is_true else "It was changed after it was written."

    def end(self, lines: int | None, hash_: str | None) -> None:
        """The store keeps how many lines there are, and the hash of the newest."""
        if self.broken is not None or (lines or 0, hash_ or "") == (self.lines, self.previous):
            return
        if isinstance(lines, int) and lines > self.lines:
            what = f"{lines - self.lines} of {lines} lines are missing at the end."
        else:
            what = "The end of the chain that the store keeps is another one."
        self.broken = Broken(self.lines + 1, None, what)


def as_json(row: Line, label: str, number: int) -> dict[str, Any]:
    """A line for programs: all that its hash is made of, and the hash, so that it can be proved
    without the store."""
    columns = {name: _plain(row[name]) for name in (*COLUMNS[max(COLUMNS)], "hash")}
    at = _time(row["at"])
    time = at.isoformat() if at is not None else None
    return {"schema": SCHEMA, "account": label, "line": number, "time": time, **columns}


def end_json(chain: Chain) -> dict[str, Any]:
    """The line after the last one of an account: what to keep elsewhere, so that a history that
    was written anew from its beginning does not pass for this one."""
    return {"schema": SCHEMA, "end": chain.to_json()}


def lines_text(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False)


def label_of(account_id: str, labels: Mapping[str, str]) -> str:
    """How a person knows it."""
    return "everything" if account_id == EVERYTHING else labels.get(account_id, account_id)


def _plain(value: Any) -> Any:
    return value if not isinstance(value, bytes) else value.decode("utf-8", "backslashreplace")


def _is_before(at: Any, first: int) -> bool:
    return isinstance(at, int) and at < first


def _time(at: Any) -> datetime | None:
    try:
        return moment(at)
    except (TypeError, ValueError, OverflowError):
        return None
