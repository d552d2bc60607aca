"""What was counted and provably not sent is given back, and nothing that was sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postkit.store.budgets import Budgets, Holder, Need
from postkit.store.database import statements

SECOND = 1_000_000
DAY = 86_400 * SECOND
NOW = 1_800_000_000 * SECOND
ACCOUNT, APP = "account:a_1", "app:toy:1"
SCOPES: dict[Holder, str] = {"account": ACCOUNT, "app": APP}
POSTS = Need("account", "posts/900", 3, 900)
ALL_POSTS = Need("app", "posts/86400", 5, 86_400)
MIGRATIONS = Path(__file__).parents[2] / "postkit" / "store" / "migrations"


def opened() -> sqlite3.Connection:
    """The table in memory, for tests that need neither a disk nor a second process."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    scripts = "".join(path.read_text("utf-8") for path in sorted(MIGRATIONS.glob("*.sql")))
    for statement in statements(scripts):
        if "CREATE TABLE budget" in statement:
            connection.execute(statement)
    return connection


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = opened()
    yield connection
    connection.close()


def take(connection: sqlite3.Connection, now: int, count: int = 1, calls: int = 3) -> int | None:
    return Budgets().take(connection, ACCOUNT, "posts", calls, 900, now, count)


def most_in_a_window(calls: Sequence[tuple[int, int]], seconds: int) -> int:
    """Of (time, count) pairs: the most that any window of that length holds."""
    return max(
        sum(n for t, n in calls if start <= t < start + seconds * SECOND) for start, _ in calls
    )


def test_a_call_that_was_not_sent_is_given_back(connection: sqlite3.Connection) -> None:
    budgets = Budgets()
    for _ in range(3):
        assert budgets.take_all(connection, SCOPES, [POSTS, ALL_POSTS], NOW) is None
    assert budgets.take_all(connection, SCOPES, [POSTS], NOW) is not None
    budgets.refund_all(connection, SCOPES, [POSTS, ALL_POSTS], NOW, NOW + SECOND)
    assert budgets.take_all(connection, SCOPES, [POSTS], NOW + SECOND) is None
    assert budgets.take_all(connection, SCOPES, [POSTS], NOW + SECOND) is not None
    two_left = Need("app", "posts/86400", 5, 86_400, 3)
    assert budgets.take_all(connection, SCOPES, [two_left], NOW + SECOND) is None


def test_what_has_left_its_window_is_not_given_back(connection: sqlite3.Connection) -> None:
    budgets = Budgets()
    assert take(connection, NOW) is None
    later = NOW + 1000 * SECOND
    assert take(connection, later, 3) is None
    budgets.refund(connection, ACCOUNT, "posts", NOW, later)
    assert take(connection, later) is not None
    budgets.refund(connection, ACCOUNT, "uploads", NOW, later)
    budgets.block(connection, APP, "posts", later + SECOND, later)
    budgets.refund(connection, APP, "posts", NOW, later)


def test_nobody_gets_back_more_than_was_counted(connection: sqlite3.Connection) -> None:
    budgets = Budgets()
    assert take(connection, NOW) is None
    for _ in range(3):
        budgets.refund(connection, ACCOUNT, "posts", NOW, NOW, 2)
    assert take(connection, NOW, 3) is None
    assert take(connection, NOW) is not None


@given(
    steps=st.lists(st.tuples(st.integers(0, 400), st.booleans(), st.integers(0, 1200)), max_size=50)
)
def test_a_refund_frees_no_call_that_was_sent(steps: list[tuple[int, bool, int]]) -> None:
    connection, now = opened(), NOW
    sent: list[tuple[int, int]] = [(NOW - DAY, 0)]
    unsent: list[tuple[int, int]] = []
    for passed, is_sent, after in steps:
        now += passed * SECOND
        due = [taken for taken, at in unsent if at <= now]
        unsent = [(taken, at) for taken, at in unsent if at > now]
        for taken in due:
            Budgets().refund(connection, ACCOUNT, "posts", taken, now)
        if take(connection, now) is None:
            if is_sent:
                sent.append((now, 1))
            else:
                unsent.append((now, now + after * SECOND))
    assert most_in_a_window(sent, 900) <= 3
    connection.close()
