"""No window holds more calls than the network allows, whoever takes them, whatever the clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postkit.store.budgets import EVERYTHING, SLICES, Budgets, Holder, Need
from postkit.store.database import statements

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
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


def rows(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT * FROM budget ORDER BY scope, bucket").fetchall()


def take(connection: sqlite3.Connection, now: int, count: int = 1, calls: int = 3) -> int | None:
    return Budgets().take(connection, ACCOUNT, "posts", calls, 900, now, count)


def most_in_a_window(calls: Sequence[tuple[int, int]], seconds: int) -> int:
    """Of (time, count) pairs: the most that any window of that length holds."""
    return max(
        sum(n for t, n in calls if start <= t < start + seconds * SECOND) for start, _ in calls
    )


# Windows


def test_all_calls_may_be_made_at_once_and_come_back_within_a_window_and_a_slice(
    connection: sqlite3.Connection,
) -> None:
    assert [take(connection, NOW) for _ in range(3)] == [None] * 3
    free = take(connection, NOW)
    assert free is not None
    assert 900 * SECOND <= free - NOW <= 990 * SECOND
    assert take(connection, free - 1) == free
    assert [take(connection, free) for _ in range(3)] == [None] * 3
    assert take(connection, free) is not None


def test_what_is_named_is_when_that_many_are_free(connection: sqlite3.Connection) -> None:
    for second in (0, 300, 600):
        assert take(connection, NOW + second * SECOND) is None
    at = NOW + 601 * SECOND
    one, two = take(connection, at), take(connection, at, count=2)
    assert one is not None
    assert two is not None
    assert 200 * SECOND < two - one < 400 * SECOND
    assert take(connection, one, count=2) == two
    assert take(connection, two, count=2) is None


steps = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 3), st.integers(0, 400), st.integers(0, 3000)),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=60,
)


@given(calls=st.integers(3, 12), seconds=st.sampled_from([1, 7, 60, 900]), steps=steps)
def test_no_sliding_window_ever_holds_more(
    calls: int, seconds: int, steps: list[tuple[int, int]]
) -> None:
    connection, budgets, now = opened(), Budgets(), NOW + 12_345
    granted: list[tuple[int, int]] = []
    for thousandths, count in steps:
        now += thousandths * seconds * 1000
        free = budgets.take(connection, ACCOUNT, "posts", calls, seconds, now, count)
        if free is None:
            granted.append((now, count))
            continue
        assert now < free <= now + seconds * SECOND * (SLICES + 1) // SLICES
        assert budgets.take(connection, ACCOUNT, "posts", calls, seconds, free - 1, count) == free
        if thousandths % 2:
            now = free
            granted.append((now, count))
            assert budgets.take(connection, ACCOUNT, "posts", calls, seconds, now, count) is None
    assert most_in_a_window(granted, seconds) <= calls
    connection.close()


def test_the_flow_that_can_be_kept_up(connection: sqlite3.Connection) -> None:
    now, made = NOW, 0
    while now < NOW + 90_000 * SECOND:
        made += take(connection, now, calls=100) is None
        now += 5 * SECOND
    assert 100 * 100 * SLICES // (SLICES + 1) <= made <= 100 * 100 + 100


def test_budgets_are_apart_by_tenant_scope_and_bucket(connection: sqlite3.Connection) -> None:
    assert take(connection, NOW, 3) is None
    assert take(connection, NOW) is not None
    assert Budgets("other").take(connection, ACCOUNT, "posts", 3, 900, NOW, 3) is None
    assert Budgets().take(connection, APP, "posts", 3, 900, NOW, 3) is None
    assert Budgets().take(connection, ACCOUNT, "uploads", 3, 900, NOW, 3) is None


def test_what_is_common_is_counted_for_all_tenants(connection: sqlite3.Connection) -> None:
    """A network counts the calls of an app, whoever they were made for."""
    one, two = Budgets("one", common=[APP]), Budgets("two", common=[APP])
    assert one.take(connection, APP, "posts", 3, 900, NOW, 2) is None
    assert two.take(connection, APP, "posts", 3, 900, NOW, 2) is not None
    assert two.take(connection, APP, "posts", 3, 900, NOW, 1) is None
    one.refund(connection, APP, "posts", NOW, NOW, 1)
    assert two.take(connection, APP, "posts", 3, 900, NOW, 1) is None
    one.block(connection, APP, "", NOW + 60 * SECOND, NOW)
    assert two.blocked(connection, APP, NOW) == NOW + 60 * SECOND
    assert one.take(connection, ACCOUNT, "posts", 3, 900, NOW, 3) is None
    assert two.take(connection, ACCOUNT, "posts", 3, 900, NOW, 3) is None


@pytest.mark.parametrize(
    ("calls", "seconds", "count"), [(3, 900, 4), (3, 900, 0), (0, 900, 1), (3, 0, 1), (3, 900, -1)]
)
def test_what_could_never_be_allowed_is_an_error(
    connection: sqlite3.Connection, calls: int, seconds: int, count: int
) -> None:
    with pytest.raises(ValueError, match="can never be allowed"):
        Budgets().take(connection, ACCOUNT, "posts", calls, seconds, NOW, count)
    assert rows(connection) == []


def test_a_limit_that_changes_counts_what_was_made(connection: sqlite3.Connection) -> None:
    assert take(connection, NOW, 8, calls=10) is None
    assert take(connection, NOW, 1, calls=5) is not None
    assert take(connection, NOW, 2, calls=10) is None
    # Another window: what still counted is as young as now, and nothing is free.
    later = NOW + 600 * SECOND
    free = Budgets().take(connection, ACCOUNT, "posts", 10, 60, later)
    assert free is not None
    assert later + 60 * SECOND <= free <= later + 66 * SECOND
    assert Budgets().take(connection, ACCOUNT, "posts", 10, 60, free) is None


def test_what_had_left_its_window_is_not_counted_in_another(
    connection: sqlite3.Connection,
) -> None:
    assert take(connection, NOW, 3) is None
    later = NOW + 1000 * SECOND
    assert Budgets().take(connection, ACCOUNT, "posts", 3, 86_400, later, 3) is None


# The clock


@given(
    calls=st.integers(3, 8),
    steps=st.lists(
        st.tuples(
            st.integers(0, 1200),
            st.integers(1, 3),
            st.sampled_from([0, 0, 0, 1, 80, 500, 3600, 40 * 86_400]),
        ),
        min_size=1,
        max_size=50,
    ),
)
def test_a_clock_that_goes_back_frees_nothing_and_blocks_nobody_for_long(
    calls: int, steps: list[tuple[int, int, int]]
) -> None:
    connection, seconds = opened(), 900
    true, clock = NOW, NOW
    granted: list[tuple[int, int]] = []
    for passed, count, back in steps:
        true += passed * SECOND
        clock += (passed - back) * SECOND
        free = take(connection, clock, count, calls)
        if free is None:
            granted.append((true, count))
        else:
            assert clock < free <= clock + 2 * seconds * SECOND * (SLICES + 1) // SLICES
    assert most_in_a_window(granted, seconds) <= calls
    true, clock = true + 2 * 990 * SECOND, clock + 2 * 990 * SECOND
    assert take(connection, clock, calls, calls) is None
    connection.close()


def test_a_clock_that_is_behind_counts_as_any_other(connection: sqlite3.Connection) -> None:
    assert take(connection, NOW) is None
    behind = NOW - 500 * SECOND
    assert take(connection, behind, 2) is None
    assert take(connection, behind) is not None
    # Whoever has the right clock still finds all three.
    free = take(connection, NOW + 800 * SECOND)
    assert free is not None
    assert NOW + 900 * SECOND <= free <= NOW + 990 * SECOND
    assert take(connection, free, 3) is None


def test_asking_again_after_a_large_step_back_does_not_begin_anew(
    connection: sqlite3.Connection,
) -> None:
    three = Need("account", "posts/900", 3, 900, 3)
    assert Budgets().take_all(connection, SCOPES, [three], NOW) is None
    back = NOW - 30 * DAY
    free = take_posts(connection, back)
    assert free is not None
    assert free <= back + 990 * SECOND
    assert take_posts(connection, back + 800 * SECOND) == free
    assert take_posts(connection, free) is None


def test_a_refusal_that_is_rolled_back_needs_mending(connection: sqlite3.Connection) -> None:
    budgets = Budgets()
    assert budgets.take_all(connection, SCOPES, [POSTS], NOW) is None
    assert take_posts(connection, NOW) is None
    assert take_posts(connection, NOW) is None
    budgets.block(connection, APP, EVERYTHING, NOW + DAY, NOW)
    back = NOW - 30 * DAY
    for passed in (0, 400, 800):
        connection.execute("BEGIN")
        assert budgets.take_all(connection, SCOPES, [POSTS], back + passed * SECOND) is not None
        connection.execute("ROLLBACK")
        budgets.mend(connection, SCOPES, [POSTS], back + passed * SECOND)
    free = take_posts(connection, back + 800 * SECOND)
    assert free is not None
    assert free <= back + 990 * SECOND
    assert budgets.blocked(connection, APP, back + 800 * SECOND) == back + DAY
    assert budgets.take_all(connection, SCOPES, [POSTS], back + DAY) is None


def take_posts(connection: sqlite3.Connection, now: int) -> int | None:
    return Budgets().take_all(connection, {"account": ACCOUNT}, [POSTS], now)


# Several at once


def test_all_or_nothing(connection: sqlite3.Connection) -> None:
    budgets, both = Budgets(), [POSTS, ALL_POSTS]
    assert [budgets.take_all(connection, SCOPES, both, NOW) for _ in range(3)] == [None] * 3
    before = rows(connection)
    connection.execute("BEGIN")
    free = budgets.take_all(connection, SCOPES, both, NOW)
    assert free is not None
    assert free <= NOW + 990 * SECOND
    assert connection.in_transaction
    connection.execute("COMMIT")
    assert rows(connection) == before
    # In either order, and with the later of the two times.
    assert budgets.take_all(connection, SCOPES, both, free) is None
    assert budgets.take_all(connection, SCOPES, both, free) is None
    before = rows(connection)
    day = budgets.take_all(connection, SCOPES, both[::-1], free)
    assert day is not None
    assert NOW + DAY <= day <= NOW + DAY * 11 // 10
    assert budgets.take_all(connection, SCOPES, both, free) == day
    assert rows(connection) == before


def test_of_two_that_are_used_up_the_later_time_is_named(connection: sqlite3.Connection) -> None:
    budgets = Budgets()
    full = [Need("account", "posts/900", 3, 900, 3), Need("app", "posts/86400", 5, 86_400, 5)]
    assert budgets.take_all(connection, SCOPES, full, NOW) is None
    for needs in (full, full[::-1]):
        free = budgets.take_all(connection, SCOPES, needs, NOW)
        assert free is not None
        assert free >= NOW + DAY


def test_an_error_in_the_middle_counts_nothing(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    with pytest.raises(KeyError):
        Budgets().take_all(connection, {"account": ACCOUNT}, [POSTS, ALL_POSTS], NOW)
    connection.execute("COMMIT")
    assert rows(connection) == []


def test_the_callers_rollback_takes_everything_back(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    assert Budgets().take_all(connection, SCOPES, [POSTS, ALL_POSTS], NOW) is None
    connection.execute("ROLLBACK")
    assert rows(connection) == []


def test_two_needs_of_one_budget_are_an_error(connection: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match="add their counts"):
        Budgets().take_all(connection, SCOPES, [POSTS, POSTS], NOW)


# Blocks


@given(untils=st.lists(st.integers(-100, 90_000), min_size=1, max_size=20))
def test_a_block_never_moves_earlier(untils: list[int]) -> None:
    connection, budgets, latest = opened(), Budgets(), 0
    for until in untils:
        budgets.block(connection, ACCOUNT, "posts", NOW + until * SECOND, NOW)
        latest = max(latest, min(until, 86_400))
        blocked = NOW + latest * SECOND if latest > 0 else None
        assert budgets.blocked(connection, ACCOUNT, NOW, "posts") == blocked
        if blocked:
            assert take(connection, NOW) == blocked
            assert take(connection, blocked - 1) == blocked
    assert take(connection, NOW + max(0, latest) * SECOND) is None
    connection.close()


def test_a_block_is_a_day_long_at_most_from_when_it_was_made(
    connection: sqlite3.Connection,
) -> None:
    Budgets().block(connection, ACCOUNT, "posts", NOW + 10 * DAY, NOW)
    assert take(connection, NOW + DAY) is None


def test_a_block_and_a_full_window_hold_each_for_itself(connection: sqlite3.Connection) -> None:
    assert take(connection, NOW, 3) is None
    full = take(connection, NOW)
    assert full is not None
    Budgets().block(connection, ACCOUNT, "posts", NOW + 10 * SECOND, NOW)
    assert take(connection, NOW) == full
    Budgets().block(connection, ACCOUNT, "posts", NOW + HOUR, NOW)
    assert take(connection, NOW) == NOW + HOUR
    assert take(connection, NOW + HOUR, 3) is None


def test_a_block_of_everything_holds_where_nothing_is_declared(
    connection: sqlite3.Connection,
) -> None:
    budgets = Budgets()
    assert budgets.take_all(connection, SCOPES, [], NOW) is None
    budgets.block(connection, APP, EVERYTHING, NOW + 60 * SECOND, NOW)
    assert budgets.take_all(connection, SCOPES, [], NOW) == NOW + 60 * SECOND
    assert budgets.take_all(connection, SCOPES, [POSTS], NOW) == NOW + 60 * SECOND
    assert budgets.take_all(connection, {"account": ACCOUNT}, [POSTS], NOW) is None
    assert budgets.take_all(connection, SCOPES, [POSTS], NOW + 60 * SECOND) is None


@pytest.mark.parametrize("back", [HOUR, 30 * DAY])
def test_a_block_outlives_a_clock_that_goes_back_but_not_for_ever(
    connection: sqlite3.Connection, back: int
) -> None:
    budgets = Budgets()
    budgets.block(connection, ACCOUNT, EVERYTHING, NOW + DAY, NOW)
    budgets.block(connection, ACCOUNT, "posts/900", NOW + DAY, NOW)
    now = NOW - back
    assert budgets.take_all(connection, SCOPES, [POSTS], now) == now + DAY
    assert budgets.take_all(connection, SCOPES, [POSTS], now + HOUR) == now + DAY
    assert budgets.take_all(connection, SCOPES, [POSTS], now + DAY) is None
