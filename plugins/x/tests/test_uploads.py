"""Pictures: uploaded once, described once, and kept in the journal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from postkit.network import Attachment, RenderedPart

if TYPE_CHECKING:
    from conftest import Bench

Attach = Callable[..., Attachment]


def test_uploads_that_are_known_are_not_repeated(bench: Bench, attached: Attach) -> None:
    connection = bench.connect()
    part = RenderedPart("Hi", (attached("red", "Red"), attached("blue", "Blue")))
    journal: dict[str, Any] = {}
    connection.network.prepare(connection.client, part, journal)
    connection.network.prepare(connection.client, part, json.loads(json.dumps(journal)))
    assert bench.asked("POST", "/2/media/upload") == 2
    assert bench.asked("POST", "/2/media/metadata") == 2
    del journal["alt_1"]
    connection.network.prepare(connection.client, part, journal)
    assert bench.asked("POST", "/2/media/upload") == 2
    assert bench.asked("POST", "/2/media/metadata") == 3


def test_each_id_is_kept_before_the_next_request(bench: Bench, attached: Attach) -> None:
    connection = bench.connect()
    kept: list[tuple[str, int]] = []

    class Journal(dict[str, Any]):
        def __setitem__(self, name: str, value: Any) -> None:
            kept.append((name, len(bench.server.requests("x"))))
            super().__setitem__(name, value)

    part = RenderedPart("Hi", (attached("red", "Red"), attached("blue", "Blue")))
    connection.client.ask_me()
    connection.network.prepare(connection.client, part, Journal())
    assert [name for name, _ in kept] == ["media_0", "alt_0", "media_1", "alt_1"]
    assert [count - kept[0][1] for _, count in kept] == [0, 1, 2, 3]


def test_uploads_that_ended_are_made_again(bench: Bench, attached: Attach) -> None:
    connection = bench.connect()
    part = RenderedPart("Hi", (attached("red", "Red"),))
    journal: dict[str, Any] = {}
    connection.network.prepare(connection.client, part, journal)
    first = journal["media_0"]["id"]
    journal["media_0"]["until"] = 0
    connection.network.prepare(connection.client, part, journal)
    assert journal["media_0"]["id"] != first
    assert journal["alt_0"] == journal["media_0"]["id"]
