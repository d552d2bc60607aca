"""What a person changes of a publication is changed for all of its addresses, or for none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from postkit.deliver.changes import Changes
from postkit.errors import PlanRefused, PostkitError
from postkit.kit import Kit
from postkit.post import Post

from .board import TOKEN, Board, Server, kit_of, sql, states

Change = Callable[[Kit, str], object]


@pytest.fixture
def pair(kit: Kit, server: Server) -> Kit:
    """Two accounts."""
    kit.connect("board", {"token": TOKEN}, endpoint=server.url, name="two")
    return kit


def scheduled(kit: Kit, text: str = "Old", at: str = "in 1h") -> tuple[str, list[str]]:
    """A publication and its two deliveries."""
    report = kit.schedule(text, ["board:board", "board:two"], at=at)
    assert report.publication is not None
    return report.publication, [delivery.id or "" for delivery in report.deliveries]


def edit(kit: Kit, name: str) -> object:
    return kit.edit(name, Post("New"))


def reschedule(kit: Kit, name: str) -> object:
    return kit.reschedule(name, at="in 3h")


either = pytest.mark.parametrize("change", [edit, reschedule])


def facts(kit: Kit, names: list[str]) -> list[object]:
    """Everything of each that a change could touch."""
    reports = [kit.report(name).deliveries[0] for name in names]
    return [
        (report.at, report.state, [part.text for part in report.parts], len(kit.history(name)))
        for name, report in zip(names, reports, strict=True)
    ]


@either
def test_a_store_that_refuses_the_second_leaves_the_first_as_it_was(
    pair: Kit, change: Change
) -> None:
    name, deliveries = scheduled(pair)
    before = facts(pair, deliveries)
    sql(
        pair,
        "CREATE TRIGGER full BEFORE UPDATE ON part "
        f"WHEN NEW.delivery_id = '{deliveries[1]}' "
        "BEGIN SELECT raise(FAIL, 'database or disk is full'); END",
    )
    with pytest.raises(PostkitError, match="full"):
        change(pair, name)
    assert facts(pair, deliveries) == before


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, change: Change, happens: Callable[[], object]
) -> None:
    """What happens between the looks at the deliveries and their change."""
    which = change.__name__
    real = getattr(Changes, which)

    def changed(self: Changes, *given: Any, **more: Any) -> None:
        happens()
        real(self, *given, **more)

    monkeypatch.setattr(Changes, which, changed)


@either
def test_the_second_one_leaves_meanwhile(
    pair: Kit, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, deliveries = scheduled(pair)
    before = facts(pair, deliveries)
    claim = f"UPDATE part SET state = 'CLAIMED', owner = 'x' WHERE delivery_id = '{deliveries[1]}'"
    meanwhile(monkeypatch, change, lambda: sql(pair, claim))
    with pytest.raises(PostkitError, match="is CLAIMED"):
        change(pair, name)
    assert facts(pair, deliveries)[0] == before[0]
    assert states(pair, deliveries[1]) == ["CLAIMED"]


@either
def test_the_same_text_is_published_meanwhile(
    pair: Kit, server: Server, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another program: two of them must not both find that nobody else did it."""
    name, deliveries = scheduled(pair, at="in 30h")
    before = facts(pair, deliveries)
    text = "New" if change is edit else "Old"

    def other() -> None:
        with kit_of(pair.home.path, server, Board(), pair.clock) as program:
            program.schedule(text, ["board:two"], at="in 20h" if change is edit else "in 1s")

    meanwhile(monkeypatch, change, other)
    with pytest.raises(PlanRefused, match=r"board:two: The same text") as caught:
        change(pair, name)
    assert "board:board" not in str(caught.value)
    assert facts(pair, deliveries) == before


def test_all_of_it_is_changed(pair: Kit) -> None:
    name, deliveries = scheduled(pair)
    pair.edit(name, Post("New"))
    pair.reschedule(name, at="in 3h")
    assert all(
        [part.text for part in pair.report(each).deliveries[0].parts] == ["New"]
        for each in deliveries
    )
    assert len({pair.report(each).deliveries[0].at for each in deliveries}) == 1
