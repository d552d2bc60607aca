"""The rows of the fields follow what became of the delivery."""

from __future__ import annotations

import pytest

from postkit.errors import PlanRefused
from postkit.kit import Kit
from postkit.network import Guarantee
from postkit.post import Post

from .board import Board, Server


def test_what_the_network_refuses_is_refused_in_every_row(kit: Kit, server: Server) -> None:
    server.script = [(422, '{"error": "no cats"}', {})]
    post = Post("Hello", tags=["a", "b"])
    report = kit.publish(post, ["board"]).deliveries[0]
    assert report.state == "failed"
    assert [(row["field"], row["item"], row["outcome"]) for row in report.fields] == [
        ("text", 1, "refused"),
        ("tags", 1, "refused"),
        ("tags", 2, "refused"),
    ]
    assert report.error is not None
    assert {row["how"] for row in report.fields} == {report.error["message"]}
    assert report.id is not None
    again = kit.finish(report.id, retry=True).deliveries[0]
    assert again.state == "live"
    assert again.fields[0]["outcome"] == "adapted"


def test_what_is_given_up_is_not_called_refused(kit: Kit, server: Server, board: Board) -> None:
    board.promise = Guarantee("blind")
    server.script = ["lose"]
    report = kit.publish("Hello", ["board"], wait=0.1).deliveries[0]
    given_up = kit.resolve(report.id or "", give_up=True).deliveries[0]
    assert (given_up.state, len(server.posts)) == ("failed", 1)
    assert [row["outcome"] for row in given_up.fields] == ["delivered"]


def test_a_repeat_that_is_not_sent_delivers_nothing(kit: Kit, server: Server) -> None:
    kit.publish("Hello", ["board"])
    plan = kit.plan("Hello", ["board"])
    [row] = plan.report.deliveries[0].fields
    assert row["outcome"] == "refused"
    with pytest.raises(PlanRefused):
        kit.publish("Hello", ["board"])
    assert server.creates == 1
