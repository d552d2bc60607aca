"""A worker that is told to stop begins nothing more, also where it is in the middle of a post."""

from __future__ import annotations

from postkit.kit import Kit

from .board import Board, Server, states


def test_a_stop_while_a_post_is_prepared_lets_no_request_go(
    kit: Kit, server: Server, board: Board
) -> None:
    report = kit.schedule("Hello", ["board"], at="in 1s").deliveries[0]
    assert report.id is not None
    worker = kit.worker(threads=1)
    stops: list[None] = []

    def preparing(*_: object) -> None:
        stops.append(None)
        worker.stop()

    board.preparing = preparing
    worker.run(drain=True, wait=5.0)
    assert stops, "It was not even prepared."
    assert states(kit, report.id) == ["SCHEDULED"]
    assert server.creates == 0
    board.preparing = lambda *_: None
    kit.worker(threads=1).run(drain=True, wait=5.0)
    assert states(kit, report.id) == ["LIVE"]
    assert server.creates == 1
