"""Videos and GIFs: sent in pieces, gone on with after a crash, begun anew where X lost them."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image
from postkit_x import media

from postkit.errors import NetworkError, Refused
from postkit.network import Attachment, RenderedPart
from postkit.testing.videos import video

if TYPE_CHECKING:
    from conftest import Api, Bench


def attached(data: bytes, mime: str = "video/mp4", kind: Any = "video") -> Attachment:
    digest = hashlib.sha256(data).hexdigest()
    name = "launch." + mime.rpartition("/")[2]
    return Attachment(digest, mime, len(data), 320, 180, "", name, lambda: data, kind=kind)


def paths(bench: Bench) -> list[str]:
    names = [entry.path.rpartition("/")[2] for entry in bench.server.requests("x")]
    return [name for name in names if name in ("initialize", "append", "finalize", "upload")]


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "PIECE", 2048)


def test_a_video_goes_in_pieces_and_is_waited_for(bench: Bench, pieces: None) -> None:
    connection = bench.connect()
    data = video()
    journal: dict[str, Any] = {}
    connection.network.prepare(connection.client, RenderedPart("", (attached(data),)), journal)
    seen = paths(bench)
    assert seen[:1] == ["initialize"]
    assert seen.count("append") == -(-len(data) // 2048)
    assert seen.count("finalize") == 1
    assert seen.count("upload") >= 1, "it did not ask how far X is"
    assert sorted(journal["media_0"]) == ["id", "key", "until"]


def test_pieces_that_have_arrived_are_not_sent_again(bench: Bench, pieces: None) -> None:
    connection = bench.connect()
    part = RenderedPart("", (attached(video()),))
    journal: dict[str, Any] = {}

    class Dying(dict[str, Any]):
        def __setitem__(self, name: str, value: Any) -> None:
            super().__setitem__(name, value)
            if value.get("sent") == 3:
                raise KeyboardInterrupt

    dying = Dying()
    with pytest.raises(KeyboardInterrupt):
        connection.network.prepare(connection.client, part, dying)
    journal.update(dying)
    before = len(paths(bench))
    connection.network.prepare(connection.client, part, journal)
    after = paths(bench)[before:]
    assert "initialize" not in after
    assert after.count("append") == -(-part.media[0].size // 2048) - 3


def test_an_upload_that_x_has_lost_is_begun_once_more(bench: Bench, pieces: None) -> None:
    connection = bench.connect()
    part = RenderedPart("", (attached(video()),))
    journal: dict[str, Any] = {
        "media_0": {"id": "77", "key": "7_77", "until": 9_999_999_999, "sent": 2}
    }
    connection.network.prepare(connection.client, part, journal)
    assert journal["media_0"]["id"] != "77"
    assert paths(bench).count("initialize") == 1


def test_what_cannot_be_processed_is_refused_and_forgotten(bench: Bench) -> None:
    connection = bench.connect()
    part = RenderedPart("", (attached(video(seconds=200)),))
    journal: dict[str, Any] = {}
    with pytest.raises(Refused, match="InvalidMedia: duration"):
        connection.network.prepare(connection.client, part, journal)
    assert journal == {}


def gif(frames: int = 3, size: tuple[int, int] = (60, 40)) -> bytes:
    pictures = [Image.new("RGB", size, (80 * n, 20, 90)) for n in range(frames)]
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:])
    return file.getvalue()


def test_a_gif_goes_the_same_way(bench: Bench) -> None:
    connection = bench.connect()
    part = RenderedPart("", (attached(gif(), "image/gif", "animation"),))
    journal: dict[str, Any] = {}
    connection.network.prepare(connection.client, part, journal)
    assert journal["media_0"]["key"].startswith("16_")


# The emulator


def begin(api: Api, **changed: Any) -> requests.Response:
    body = {"media_type": "video/mp4", "total_bytes": 4, "media_category": "tweet_video"}
    return api("POST", "/2/media/upload/initialize", json={**body, **changed})


def append(api: Api, media_id: str, index: Any, data: bytes) -> requests.Response:
    body = {"media": base64.b64encode(data).decode(), "segment_index": index}
    return api("POST", f"/2/media/upload/{media_id}/append", json=body)


def finalize(api: Api, media_id: str) -> requests.Response:
    return api("POST", f"/2/media/upload/{media_id}/finalize")


def test_pieces_may_come_in_any_order_and_twice(api: Api) -> None:
    data = video()
    media_id = begin(api, total_bytes=len(data)).json()["data"]["id"]
    for index, piece in ((1, data[4000:]), (0, data[:4000]), (1, data[4000:])):
        assert append(api, media_id, index, piece).status_code == 200
    info = finalize(api, media_id).json()["data"]["processing_info"]
    assert info["state"] == "pending"
    early = api.post("Too early", media={"media_ids": [media_id]})
    assert "invalid" in api.refused(early, 400, "invalid-request")
    while info["state"] in ("pending", "in_progress"):
        query = {"command": "STATUS", "media_id": media_id}
        info = api("GET", "/2/media/upload", params=query).json()["data"]["processing_info"]
    assert info["state"] == "succeeded"
    assert api.post("Now", media={"media_ids": [media_id]}).status_code == 201


def test_what_is_not_whole_is_not_finalized(api: Api) -> None:
    media_id = begin(api, total_bytes=10).json()["data"]["id"]
    assert "add up" in api.refused(finalize(api, media_id), 400, "invalid-request")
    append(api, media_id, 1, b"12345")
    assert "add up" in api.refused(finalize(api, media_id), 400, "invalid-request")
    append(api, media_id, 0, b"1234")
    assert "9 bytes of 10" in api.refused(finalize(api, media_id), 400, "invalid-request")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"media_type": "video/avi"}, "must be one of"),
        ({"total_bytes": 512_000_001}, "must be <="),
        ({"media_category": "video"}, "must be one of"),
        ({"size": 4}, "additional properties"),
    ],
)
def test_a_wrong_beginning(api: Api, changed: dict[str, Any], words: str) -> None:
    assert words in api.refused(begin(api, **changed), 400, "invalid-request")


def test_wrong_pieces(api: Api) -> None:
    media_id = begin(api).json()["data"]["id"]
    for index in (1000, -1, "0"):
        api.refused(append(api, media_id, index, b"1234"), 400, "invalid-request")
    api.refused(append(api, "12345", 0, b"1234"), 400, "invalid-request")
    assert append(api, media_id, 0, bytes(8 * 1024 * 1024 + 1)).status_code == 413


def test_a_video_stands_alone(api: Api, picture: Callable[..., bytes]) -> None:
    data = video()
    media_id = begin(api, total_bytes=len(data)).json()["data"]["id"]
    append(api, media_id, 0, data)
    finalize(api, media_id)
    image = api.upload(picture()).json()["data"]["id"]
    query = {"command": "STATUS", "media_id": media_id}
    state = "pending"
    while state != "succeeded":
        found = api("GET", "/2/media/upload", params=query).json()
        state = found["data"]["processing_info"]["state"]
    answer = api.post("Both", media={"media_ids": [media_id, image]})
    assert "stands alone" in api.refused(answer, 400, "invalid-request")


def test_errors_are_next_steps(bench: Bench) -> None:
    connection = bench.connect()
    part = RenderedPart("", (attached(b"no video"),))
    with pytest.raises(NetworkError) as caught:
        connection.ask(lambda: connection.network.prepare(connection.client, part, {}))
    assert isinstance(caught.value, Refused)
