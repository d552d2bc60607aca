"""Small changes of one file that a test should notice: where they are, and what they make of it."""

from __future__ import annotations

import ast
import difflib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ORDER_FUNCTIONS = frozenset(
    {
        *("_send", "_create", "_settle", "_keep", "send", "live", "doubt", "claim", "take_over"),
        *("_move", "create", "_find_out"),
    }
)
ORDER_CALLS = frozenset(
    {
        *("send", "live", "doubt", "claim", "take_over", "_create", "_settle", "create", "_keep"),
        *("add", "gate", "record", "execute", "write", "expired", "absent", "parts", "_give_back"),
    }
)
"""A statement that calls one of these, in one of those functions, commits or sends."""
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
SYMBOLS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
QUIET_CALLS = ("log.", "self._tell(", "warnings.")
"""What only tells somebody is left out: whether a log line is written proves nothing."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file. ``orders``: it touches the order of commit and send."""

    file: str
    line: int
    what: str
    source: str
    orders: bool

    @property
    def name(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"

    def difference(self) -> str:
        before = original(self.file).splitlines()
        lines = difflib.unified_diff(
            before, self.source.splitlines(), self.file, "mutant", "", "", 1
        )
        return "\n".join(line.rstrip("\n") for line in lines)


def original(file: str) -> str:
    return (ROOT / "postkit" / "deliver" / file).read_text("utf-8")


class Maker:
    """Finds the mutants of one file; each is the text with one piece replaced."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.text = original(file)
        self._bytes = self.text.encode()
        self._starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._function = ""

    def all(self) -> list[Mutant]:
        found = {m.source: m for m in self._walk(ast.parse(self.text)) if m.source != self.text}
        return sorted((m for m in found.values() if _compiles(m.source)), key=lambda m: m.line)

    def _place(self, node: ast.AST) -> tuple[int, int]:
        return (
            self._starts[node.lineno - 1] + node.col_offset,  # type: ignore[attr-defined]
            self._starts[node.end_lineno - 1] + node.end_col_offset,  # type: ignore[attr-defined]
        )

    def _of(self, node: ast.AST) -> str:
        start, end = self._place(node)
        return self._bytes[start:end].decode()

    def _made(
        self,
        node: ast.AST,
        new: str,
        what: str,
        *,
        until: ast.AST | None = None,
        order: bool = False,
    ) -> Mutant:
        start, end = self._place(node)
        if until is not None:
            end = self._place(until)[1]
        source = (self._bytes[:start] + new.encode() + self._bytes[end:]).decode()
        line: int = node.lineno  # type: ignore[attr-defined]
        return Mutant(self.file, line, what, source, order and self._function in ORDER_FUNCTIONS)

    def _walk(self, node: ast.AST) -> Iterator[Mutant]:
        before = self._function
        if isinstance(node, ast.FunctionDef) and not before:
            self._function = node.name
        yield from self._here(node)
        for child in ast.iter_child_nodes(node):
            yield from self._walk(child)
        self._function = before

    def _here(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.Compare(ops=[operator], left=left, comparators=[right]):
                for other in COMPARISONS[type(operator)]:
                    word = SYMBOLS[other]
                    new = f"{self._of(left)} {word} {self._of(right)}"
                    yield self._made(node, new, f"{SYMBOLS[type(operator)]} becomes {word}")
            case ast.BoolOp(op=operator, values=values):
                word = "or" if isinstance(operator, ast.And) else "and"
                new = f" {word} ".join(f"({self._of(value)})" for value in values)
                yield self._made(node, f"({new})", f"becomes {word}")
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                if not (isinstance(test, ast.Constant)):
                    yield self._made(test, f"not ({self._of(test)})", "condition negated")
            case ast.Constant(value=bool() as value):
                yield self._made(node, str(not value), f"{value} becomes {not value}")
            case ast.Constant(value=int() as number):
                yield self._made(node, str(number + 1), f"{number} becomes {number + 1}")
            case ast.Return(value=ast.expr() as value):
                if not isinstance(value, ast.Constant):
                    yield self._made(value, "None", "returns None")
            case ast.BinOp(op=ast.Add() | ast.Sub() as operator, left=left, right=right):
                word = "-" if isinstance(operator, ast.Add) else "+"
                new = f"{self._of(left)} {word} {self._of(right)}"
                yield self._made(node, new, f"becomes {word}")
            case ast.Call(keywords=keywords):
                yield from self._without_keyword(node, keywords)
            case ast.Dict(keys=keys) if self.file == "states.py":
                yield from self._rows(node, [key for key in keys if key is not None])
            case _:
                pass
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and not isinstance(node, ast.Module | ast.ClassDef):
                yield from self._block(block)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from self._sql(node)

    def _without_keyword(self, node: ast.Call, keywords: list[ast.keyword]) -> Iterator[Mutant]:
        if self._is_quiet(node):
            return
        for keyword in keywords:
            start, end = self._place(keyword)
            while self._bytes[end : end + 1] in (b" ", b"\n"):
                end += 1
            if self._bytes[end : end + 1] == b",":
                end += 1
            source = (self._bytes[:start] + self._bytes[end:]).decode()
            orders = self._function in ORDER_FUNCTIONS and keyword.arg in ("gate", "bump", "count")
            yield Mutant(self.file, keyword.lineno, f"without {keyword.arg}", source, orders)

    def _rows(self, node: ast.Dict, keys: list[ast.expr]) -> Iterator[Mutant]:
        """Each row of a table without it, and with the value of the next one."""
        for number, (key, value) in enumerate(zip(keys, node.values, strict=True)):
            row = self._of(key)
            start, end = self._place(key)[0], self._place(value)[1]
            source = (self._bytes[:start] + self._bytes[end:].lstrip(b",")).decode()
            yield Mutant(self.file, key.lineno, f"without the row {row}", source, False)
            others = [v for v in node.values if self._of(v) != self._of(value)]
            if others:
                other = self._of(others[number % len(others)])
                yield self._made(value, other, f"{row} leads to {other}")

    def _block(self, block: list[ast.stmt]) -> Iterator[Mutant]:
        for statement in block:
            is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            is_step = isinstance(statement, ast.Assign) and self._is_order(statement)
            if (is_call or is_step) and not self._is_quiet(statement):
                what = f"without {_first_line(self._of(statement))!r}"
                yield self._made(statement, "pass", what, order=self._is_order(statement))
        steps = [statement for statement in block if not self._is_quiet(statement)]
        for first, second in itertools.pairwise(steps):
            # A return that comes too early drops what was before it: only where that is a step.
            ends = isinstance(second, ast.Return) and not self._is_order(first)
            if ends or any(isinstance(s, ast.Raise | ast.FunctionDef) for s in (first, second)):
                continue
            if _is_text(first):
                continue
            start, end = self._place(first)[1], self._place(second)[0]
            between = self._bytes[start:end].decode()
            new = f"{self._of(second)}{between}{self._of(first)}"
            # Within one transaction no order can be seen from outside.
            order = self._is_order(first) and self._is_order(second) and self._function != "_move"
            what = f"{_first_line(self._of(second))!r} comes first"
            yield self._made(first, new, what, until=second, order=order)

    def _is_quiet(self, node: ast.AST) -> bool:
        return self._of(node).startswith(QUIET_CALLS)

    def _is_order(self, node: ast.AST) -> bool:
        for each in ast.walk(node):
            if isinstance(each, ast.Call):
                called = each.func
                name = (
                    called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                )
                if name in ORDER_CALLS:
                    return True
        return False

    def _sql(self, node: ast.Constant) -> Iterator[Mutant]:
        """A query without one of its conditions, or with a comparison the other way."""
        text = self._of(node)
        value = str(node.value)
        if not any(word in value for word in ("SELECT", "UPDATE", " AND ", "WHERE")):
            return
        for old in ("<>", "<=", ">=", " < ", " > "):
            at = text.find(old)
            while at >= 0:
                new = {"<>": "=", "<=": ">", ">=": "<", " < ": " >= ", " > ": " <= "}[old]
                changed = text[:at] + new + text[at + len(old) :]
                yield self._made(node, changed, f"SQL: {old.strip()} becomes {new.strip()}")
                at = text.find(old, at + len(old))
        pieces = text.split("AND ")
        for number in range(1, len(pieces)):
            piece = pieces[number]
            end = _end_of_condition(piece)
            changed = "AND ".join(pieces[:number]) + "AND 1 = 1 " + piece[end:]
            changed = changed if number == len(pieces) - 1 else (
                changed + "AND " + "AND ".join(pieces[number + 1 :])
            )  # fmt: skip
            order = "fence" in piece[:end] or ":state" in piece[:end]
            what = f"SQL: without {piece[:end].strip()!r}"
            yield self._made(node, changed, what, order=order)
        for name in ("ready_at", "not_before", "lease_until", "audit_at"):
            if f"= {name}" in text:
                yield self._made(node, text.replace(f"= {name}", "= NULL", 1), f"SQL: no {name}")
        for word, other in (("min(", "max("), ("max(", "min("), ("NOT EXISTS", "EXISTS")):
            if word in text:
                changed = text.replace(word, other, 1)
                yield self._made(node, changed, f"SQL: {word} becomes {other}")


CLAUSES = (" OR ", " ORDER", " LIMIT", " RETURNING", " THEN")


def _end_of_condition(text: str) -> int:
    """Where a condition ends that begins here: at a bracket that closes, a clause or the text."""
    depth = 0
    for at, letter in enumerate(text):
        if letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
            if depth < 0:
                return at
        elif depth == 0 and (letter in '"\n' or text.startswith(CLAUSES, at)):
            return at
    return len(text)


def _first_line(text: str) -> str:
    return " ".join(text.split())[:60]


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True
