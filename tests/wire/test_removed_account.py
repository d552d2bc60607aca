"""What belongs to an account that was removed cannot be set going again: nothing would send it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from postkit.errors import InputError
from postkit.kit import Kit

from .board import TOKEN, HandClock, Server, sql, states


def removed(kit: Kit, server: Server, *, again: bool) -> None:
    kit.remove_account("board:board")
    if again:
        # Under the same name: another account, which never sends what was the first one's.
        kit.connect("board", {"token": TOKEN}, endpoint=server.url)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(
    ("state", "go_on"),
    [
        ("MISSED", lambda kit, name: kit.reschedule(name, at="in 10m")),
        ("FAILED", lambda kit, name: kit.finish(name, retry=True)),
    ],
)
def test_it_is_refused(
    kit: Kit,
    server: Server,
    clock: HandClock,
    state: str,
    go_on: Callable[[Kit, str], object],
    again: bool,
) -> None:
    name = kit.schedule("Hello", ["board"], at="in 1h").deliveries[0].id or ""
    if state == "FAILED":
        server.script = [(400, "{}", {})]
        clock.offset += timedelta(hours=1, seconds=1)
    else:
        clock.offset += timedelta(hours=9)
    kit.work(wait=0)
    assert states(kit, name) == [state]
    removed(kit, server, again=again)
    with pytest.raises(InputError, match=r"\(board:board\): its account was removed"):
        go_on(kit, name)
    assert states(kit, name) == [state]


def test_what_is_held_is_not_released(kit: Kit, server: Server) -> None:
    name = kit.schedule("Hello", ["board"], at="in 1h").deliveries[0].id or ""
    sql(kit, "UPDATE part SET state = 'MISSED'")
    removed(kit, server, again=True)
    sql(kit, "UPDATE part SET state = 'HELD', held_reason = 'approval'")
    with pytest.raises(InputError, match="its account was removed"):
        kit.release(name)
    assert states(kit, name) == ["HELD"]
