"""A video of the feed: in pieces, gone on with after a crash, shown by exactly one request."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from postkit_facebook import videos
from postkit_facebook.client import Client
from postkit_facebook.emulator import FacebookEmulator
from postkit_facebook.emulator.owners import PAGE_ID
from postkit_facebook.limits import LIMITS
from postkit_facebook.plugin import Facebook

from postkit.deliver.attempt import create
from postkit.deliver.clients import Connection
from postkit.emulator.server import EmulatorServer
from postkit.errors import InDoubt, Refused, Throttled, Unavailable
from postkit.network import (
    Attachment,
    Candidate,
    CannotRender,
    Outgoing,
    Receipt,
    RenderedPart,
    RenderOptions,
)
from postkit.post import Media, Post
from postkit.testing.videos import video

Json = dict[str, Any]
Upload = Callable[..., Outgoing]
Phases = list[tuple[str, str]]
PIECE = 4000


def film(data: bytes | None = None) -> Attachment:
    content = video() if data is None else data
    digest = hashlib.sha256(content).hexdigest()
    return Attachment(
        digest, "video/mp4", len(content), 320, 180, "", "launch.mp4", lambda: content,
        kind="video", seconds=2.0,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def small_pieces(server: EmulatorServer) -> None:
    server.set("facebook", "piece", PIECE)


@pytest.fixture
def phases(monkeypatch: pytest.MonkeyPatch) -> Phases:
    """What the client asks for: the phase, and where a piece begins."""
    seen: Phases = []
    ask = Client.videos

    def noted(client: Client, form: Mapping[str, str], piece: bytes | None = None) -> Json:
        seen.append((form["upload_phase"], form.get("start_offset", "")))
        return ask(client, form, piece)

    monkeypatch.setattr(Client, "videos", noted)
    return seen


@pytest.fixture
def upload(connection: Connection) -> Upload:
    def make(text: str = "We ship", data: bytes | None = None, **fields: Any) -> Outgoing:
        part = RenderedPart(text, (film(data),), fields)
        journal: Json = {}
        connection.ask(lambda: connection.network.prepare(connection.client, part, journal))
        return Outgoing(part, journal, "key", datetime.now(UTC))

    return make


def send(connection: Connection, outgoing: Outgoing) -> Receipt:
    return create(connection.network, connection.client, connection.session, outgoing)


def find(connection: Connection, outgoing: Outgoing) -> list[Candidate]:
    since = datetime.now(UTC) - timedelta(seconds=60)
    return list(connection.ask(lambda: connection.network.find(connection.client, outgoing, since)))


def found(connection: Connection, outgoing: Outgoing) -> Candidate:
    for _ in range(50):
        try:
            (candidate,) = find(connection, outgoing)
            return candidate
        except Unavailable:
            time.sleep(0.1)
    raise AssertionError("It never came to its end.")


def creates(server: EmulatorServer) -> int:
    return sum(entry.create for entry in server.requests("facebook"))


def test_pieces_show_nothing_and_the_finish_shows_all(
    connection: Connection, upload: Upload, phases: Phases, server: EmulatorServer
) -> None:
    data = video()
    offsets = [str(start) for start in range(0, len(data), PIECE)]
    outgoing = upload("We ship", data, title="Launch")
    assert phases == [("start", ""), *(("transfer", offset) for offset in offsets)]
    assert outgoing.prepared["video"]["start"] == outgoing.prepared["video"]["end"] == len(data)
    assert (server.posts("facebook"), creates(server)) == ([], 0)
    receipt = send(connection, outgoing)
    assert phases[-1] == ("finish", "")
    assert creates(server) == 1
    (live,) = server.posts("facebook")
    assert (receipt.id, receipt.url) == (live.id, live.url)
    assert receipt.data == {"video": outgoing.prepared["video"]["id"]}
    assert (live.text, live.title) == ("We ship", "Launch")
    assert [media.sha256 for media in live.media] == [hashlib.sha256(data).hexdigest()]
    (listed,) = connection.network.recent(connection.client)  # type: ignore[attr-defined] # the protocol CanList, not the base class
    assert (listed.receipt.id, listed.text) == (live.id, "We ship")


class Dying(Json):
    """A journal whose process dies right after its n-th line."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.left = lines

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("lines", [1, 2, 3, 4])
def test_it_goes_on_after_each_line_of_the_journal(
    connection: Connection, phases: Phases, server: EmulatorServer, lines: int
) -> None:
    part = RenderedPart("We ship", (film(),))
    dying = Dying(lines)
    with pytest.raises(KeyboardInterrupt):
        connection.network.prepare(connection.client, part, dying)
    before = len(phases)
    journal = dict(dying)
    connection.network.prepare(connection.client, part, journal)
    size = part.media[0].size
    rest = [str(start) for start in range((lines - 1) * PIECE, size, PIECE)]
    assert phases[before:] == [("transfer", offset) for offset in rest]
    send(connection, Outgoing(part, journal, "key", datetime.now(UTC)))
    assert len(server.posts("facebook")) == 1


def test_a_piece_that_arrived_unnoticed_is_not_sent_again(
    connection: Connection, upload: Upload, phases: Phases
) -> None:
    dying = Dying(1)
    part = RenderedPart("", (film(),))
    with pytest.raises(KeyboardInterrupt):
        connection.network.prepare(connection.client, part, dying)
    journal = dict(dying)
    row = journal["video"]
    form = {"upload_phase": "transfer", "upload_session_id": row["session"], "start_offset": "0"}
    connection.client.videos(form, part.media[0].read()[:PIECE])
    before = len(phases)
    connection.network.prepare(connection.client, part, journal)
    assert phases[before:] == [("transfer", "0"), ("transfer", "4000"), ("transfer", "8000")]


@pytest.mark.parametrize(
    "row",
    [
        {"session": "77", "start": 0, "end": PIECE, "until": 9_999_999_999},
        {"session": "77", "start": 9, "end": 9, "until": int(time.time()) + 60},
    ],
)
def test_an_upload_that_is_gone_is_begun_once_more(
    connection: Connection, phases: Phases, row: Json
) -> None:
    journal: Json = {"video": {"id": "77", **row}}
    connection.network.prepare(connection.client, RenderedPart("", (film(),)), journal)
    assert [phase for phase, _ in phases].count("start") == 1
    assert journal["video"]["id"] != "77"


def test_what_cannot_be_processed_is_refused_and_forgotten(
    connection: Connection, upload: Upload, phases: Phases, server: EmulatorServer
) -> None:
    outgoing = upload("", video(seconds=4 * 3600 + 2))
    with pytest.raises(Refused, match=r"could not process launch\.mp4: it is longer than 4 hours"):
        send(connection, outgoing)
    assert server.posts("facebook") == []
    with pytest.raises(Refused, match="longer than 4 hours"):
        find(connection, outgoing)
    journal = dict(outgoing.prepared)
    connection.network.prepare(connection.client, outgoing.part, journal)
    assert journal["video"]["id"] != outgoing.prepared["video"]["id"]


def test_what_is_refused_at_once_leaves_nothing_in_the_journal(connection: Connection) -> None:
    journal: Json = {}
    part = RenderedPart("", (film(b"x" * 999),))
    with pytest.raises(Refused, match="too small"):
        connection.ask(lambda: connection.network.prepare(connection.client, part, journal))
    assert journal == {}


def test_a_refused_piece_leaves_nothing_in_the_journal(connection: Connection) -> None:
    journal: Json = {}
    whole = film()
    part = RenderedPart("", (replace(whole, size=whole.size + 9),))
    with pytest.raises(Refused, match="select the video"):
        connection.ask(lambda: connection.network.prepare(connection.client, part, journal))
    assert journal == {}


@pytest.mark.timeout(30)
def test_a_network_that_asks_for_the_same_piece_for_ever_gets_no_more(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = Client.videos

    def never_content(client: Client, form: Mapping[str, str], piece: bytes | None = None) -> Json:
        if form["upload_phase"] != "transfer":
            return ask(client, form, piece)
        asked.append(form["start_offset"])
        # There and back again.
        start = PIECE if form["start_offset"] == "0" else 0
        return {"start_offset": str(start), "end_offset": str(start + PIECE)}

    monkeypatch.setattr(Client, "videos", never_content)
    journal: Json = {}
    part = RenderedPart("We ship", (film(),))
    with pytest.raises(Unavailable, match="again and again"):
        connection.network.prepare(connection.client, part, journal)
    assert len(asked) == videos.TRIES + 2


@pytest.mark.parametrize("kind", ["lose_answer", "reset", "truncate", "status"])
def test_a_lost_answer_of_the_finish_is_found_and_not_doubled(
    connection: Connection, upload: Upload, server: EmulatorServer, kind: str
) -> None:
    outgoing = upload()
    server.add_fault("facebook", kind)
    with pytest.raises(InDoubt):
        send(connection, outgoing)
    candidate = found(connection, outgoing)
    (live,) = server.posts("facebook")
    assert (candidate.receipt.id, candidate.receipt.url) == (live.id, live.url)
    assert candidate.proof
    assert creates(server) == 1


def test_a_finish_that_never_arrived_finds_nothing(
    connection: Connection, upload: Upload, server: EmulatorServer
) -> None:
    outgoing = upload()
    server.add_fault("facebook", "lose_answer", accepted=False)
    with pytest.raises(InDoubt):
        send(connection, outgoing)
    assert find(connection, outgoing) == []
    assert server.posts("facebook") == []


def test_processing_that_takes_long_leaves_doubt_and_not_absence(
    connection: Connection,
    upload: Upload,
    monkeypatch: pytest.MonkeyPatch,
    server: EmulatorServer,
) -> None:
    monkeypatch.setattr("postkit_facebook.emulator.videos.PROCESSING", timedelta(seconds=2))
    monkeypatch.setattr(videos, "AGAIN", 300.0)
    outgoing = upload()
    with pytest.raises(InDoubt, match="still at work"):
        send(connection, outgoing)
    with pytest.raises(Unavailable, match="still at work"):
        find(connection, outgoing)
    assert found(connection, outgoing).receipt.id == server.posts("facebook")[0].id


def test_a_rate_limit_of_the_finish_sends_nothing(
    connection: Connection, upload: Upload, server: EmulatorServer
) -> None:
    outgoing = upload()
    server.add_fault("facebook", "rate_limit", seconds=60)
    with pytest.raises(Throttled):
        send(connection, outgoing)
    assert server.posts("facebook") == []


# The rendition


def adapted(post: Post) -> Any:
    return Facebook().adapt(post, LIMITS, RenderOptions())


def test_the_table() -> None:
    limit = LIMITS.video
    assert limit is not None
    assert (limit.max_bytes, limit.max_seconds) == (2_000_000_000, 14_400)
    assert limit.mime_types == ("video/mp4", "video/quicktime")
    assert (limit.count, limit.beside_images) == (1, False)
    assert not limit.source.verified


def test_a_video_has_a_title_and_no_alt_text() -> None:
    post = Post("We ship", title="Launch", media=[Media(video(), alt="A rocket", name="a.mp4")])
    rendition = adapted(post)
    (part,) = rendition.parts
    assert part.fields == {"title": "Launch"}
    assert [(loss.field, loss.text) for loss in rendition.losses] == [
        ("alt", "a.mp4: alt text is not sent (A rocket)")
    ]
    with pytest.raises(CannotRender, match="title"):
        adapted(Post("x", title="x" * 256, media=[Media(video(), name="a.mp4")]))


def test_a_video_stands_alone(picture: Callable[..., bytes]) -> None:
    with pytest.raises(CannotRender, match="a video stands alone"):
        adapted(Post("x", media=[Media(video(), name="a.mp4"), Media(picture(), name="a.png")]))


# The emulator


@pytest.fixture
def ask(server: EmulatorServer, emulator: FacebookEmulator) -> Callable[..., requests.Response]:
    token = emulator.credentials()["access_token"]

    def send_form(piece: bytes | None = None, **form: str) -> requests.Response:
        return requests.post(
            f"{emulator.endpoint(server.url)}/v26.0/{PAGE_ID}/videos",
            data=form,
            files=None if piece is None else {"video_file_chunk": ("piece", piece)},
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )

    return send_form


Ask = Callable[..., requests.Response]


def refused(answer: requests.Response) -> tuple[int, int, int | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("error_subcode")


def test_the_phases_answer_with_offsets(ask: Ask) -> None:
    begun = ask(upload_phase="start", file_size="6000").json()
    assert set(begun) == {"upload_session_id", "video_id", "start_offset", "end_offset"}
    assert (begun["start_offset"], begun["end_offset"]) == ("0", "4000")
    session = {"upload_session_id": begun["upload_session_id"]}
    answer = ask(b"x" * 4000, upload_phase="transfer", start_offset="0", **session)
    assert answer.json() == {"start_offset": "4000", "end_offset": "6000"}
    wrong = ask(b"x" * 4000, upload_phase="transfer", start_offset="0", **session)
    assert refused(wrong) == (400, 6000, 1363037)
    offsets = {"start_offset": "4000", "end_offset": "6000"}
    assert wrong.json()["error"]["error_data"] == offsets
    assert refused(ask(upload_phase="finish", **session)) == (400, 6000, 1363033)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"file_size": "2000000001"}, (400, 6000, 1363023)),
        ({"file_size": "999"}, (400, 6000, 1363022)),
        ({"file_size": "many"}, (400, 100, None)),
        ({"upload_phase": "transfer", "upload_session_id": "7"}, (400, 100, None)),
        ({"upload_phase": "finish", "upload_session_id": "7"}, (400, 100, None)),
    ],
)
def test_a_wrong_phase_is_refused(ask: Ask, form: dict[str, str], error: Any) -> None:
    assert refused(ask(**{"upload_phase": "start", **form})) == error


@pytest.mark.parametrize(
    "form", [{"source": "x"}, {"upload_phase": "cancel"}, {"upload_phase": "start", "thumb": "x"}]
)
def test_other_ways_are_not_emulated_and_say_so(ask: Ask, form: dict[str, str]) -> None:
    assert ask(**form).status_code == 501


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"no video at all" * 100, ""),
        (b"GIF89a" + bytes(2000), ""),
        (video(seconds=14_402), "longer than 4 hours"),
    ],
)
def test_what_is_no_video_fails_while_it_is_processed(
    ask: Ask, client: Client, server: EmulatorServer, data: bytes, why: str
) -> None:
    server.set("facebook", "piece", len(data))
    begun = ask(upload_phase="start", file_size=str(len(data))).json()
    session = {"upload_session_id": begun["upload_session_id"]}
    ask(data, upload_phase="transfer", start_offset="0", **session)
    assert ask(upload_phase="finish", **session).json() == {"success": True}
    status = client.video(begun["video_id"])["status"]
    assert status["processing_phase"] == {"status": "in_progress"}
    while status["video_status"] == "processing":
        time.sleep(0.05)
        status = client.video(begun["video_id"])["status"]
    assert status["video_status"] == "error"
    assert why in status["processing_phase"]["errors"][0]["message"]
    assert server.posts("facebook") == []
