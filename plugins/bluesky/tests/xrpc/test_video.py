"""Videos: through the service, waited for, handed on to the server, embedded with their shape."""

from __future__ import annotations

import hashlib
import io
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from postkit_bluesky import media
from postkit_bluesky.limits import LIMITS
from postkit_bluesky.plugin import Bluesky
from postkit_bluesky.record import moment_of

from postkit import Post, processing
from postkit.accounts.vault import Vault
from postkit.deliver.clients import Clients
from postkit.emulator.server import EmulatorServer
from postkit.errors import NetworkError, Refused, Throttled, Unavailable
from postkit.network import Account, Attachment, CannotRender, RenderedPart, RenderOptions
from postkit.plugins import Plugins
from postkit.post import Media
from postkit.testing.videos import video

from .caller import KEY, Caller, blob, images, post, problem, refused
from .desk import DID, Desk, count, png, record

UPLOAD = "app.bsky.video.uploadVideo"
STATUS = "app.bsky.video.getJobStatus"
QUOTA = "app.bsky.video.getUploadLimits"
GRANT = "com.atproto.server.getServiceAuth"
SERVICE = "did:web:video.bsky.app"
MP4 = {"Content-Type": "video/mp4"}


def attached(data: bytes, alt: str = "A rocket", size: tuple[int, int] = (320, 180)) -> Attachment:
    digest = hashlib.sha256(data).hexdigest()
    return Attachment(
        digest, "video/mp4", len(data), *size, alt, "launch.mp4", lambda: data, kind="video"
    )


def part(data: bytes, **more: Any) -> RenderedPart:
    return RenderedPart("Lift-off", (attached(data, **more),))


def methods(server: EmulatorServer) -> list[str]:
    names = [entry.path.rpartition(".")[2] for entry in server.requests()]
    kept = ("getServiceAuth", "getUploadLimits", "uploadVideo", "getJobStatus", "putRecord")
    return [name for name in names if name in kept]


def prepare(desk: Desk, sent: RenderedPart, journal: Any) -> None:
    desk.connection.ask(lambda: desk.network.prepare(desk.client, sent, journal))


def test_a_video_goes_through_the_service(desk: Desk, server: EmulatorServer) -> None:
    data = video()
    outgoing = desk.outgoing(part(data))
    seen = methods(server)
    assert seen[:4] == ["getServiceAuth", "getUploadLimits", "getServiceAuth", "uploadVideo"]
    assert set(seen[4:]) == {"getJobStatus"}
    receipt = desk.send(outgoing)
    found = outgoing.prepared["blob_0"]["blob"]
    assert record(server)["embed"] == {
        "$type": "app.bsky.embed.video",
        "video": found,
        "alt": "A rocket",
        "aspectRatio": {"width": 16, "height": 9},
    }
    assert (found["mimeType"], found["size"]) == ("video/mp4", len(data))
    (shown,) = server.posts()[0].media
    assert (shown.sha256, shown.alt, shown.width) == (
        hashlib.sha256(data).hexdigest(),
        "A rocket",
        320,
    )
    (candidate,) = desk.network.find(desk.client, outgoing, outgoing.created_at)
    assert candidate.proof
    assert candidate.receipt.id == receipt.id


def test_a_repeat_is_the_same_post(desk: Desk, server: EmulatorServer) -> None:
    outgoing = desk.outgoing(part(video()))
    assert desk.send(outgoing).id == desk.send(outgoing).id
    assert len(server.posts()) == 1


class Counting(io.BytesIO):
    """A file that knows how much was asked of it at once."""

    most = 0

    def read(self, size: int | None = -1) -> bytes:
        self.most = max(self.most, len(self.getvalue()) if size in (None, -1) else size or 0)
        return super().read(size)


def test_the_file_is_never_in_memory_as_a_whole(desk: Desk, server: EmulatorServer) -> None:
    data = video(size=1_000_000)
    file = Counting(data)

    def load() -> bytes:
        raise AssertionError("All bytes were read at once.")

    streamed = replace(attached(data), load=load, stream=lambda: file)
    desk.send(desk.outgoing(RenderedPart("Large", (streamed,))))
    assert 0 < file.most <= 65_536
    assert file.closed
    assert server.posts()[0].media[0].sha256 == hashlib.sha256(data).hexdigest()


class Dying(dict[str, Any]):
    """A journal of a process that ends right after its n-th row."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self.rows -= 1
        if self.rows == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_it_goes_on_after_any_row(desk: Desk, server: EmulatorServer, rows: int) -> None:
    sent, dying = part(video()), Dying(rows)
    with pytest.raises(KeyboardInterrupt):
        desk.network.prepare(desk.client, sent, dying)
    journal = dict(dying)
    prepare(desk, sent, journal)
    assert count(server, UPLOAD) == 1
    assert sorted(journal["blob_0"]) == ["at", "blob"]


def test_a_crash_before_the_row_is_no_second_job(desk: Desk, server: EmulatorServer) -> None:
    """The service has the bytes already and says so (409)."""
    sent, first, second = part(video()), dict[str, Any](), dict[str, Any]()
    prepare(desk, sent, first)
    prepare(desk, sent, second)
    statuses = [e.status for e in server.requests() if e.path.endswith(UPLOAD)]
    assert statuses == [200, 409]
    assert second["blob_0"]["blob"] == first["blob_0"]["blob"]


def test_an_old_blob_is_asked_for_again(desk: Desk, server: EmulatorServer) -> None:
    sent, journal = part(video()), dict[str, Any]()
    outgoing = desk.outgoing(sent, journal=journal)
    server.set("bluesky", "blob_life", 0.0)
    time.sleep(0.01)
    with pytest.raises(NetworkError, match="Could not find blob"):
        desk.send(outgoing)
    server.set("bluesky", "blob_life", 900.0)
    at = moment_of(journal["blob_0"]["at"]) - media.BLOB_AGE - timedelta(seconds=1)
    journal["blob_0"] = {**journal["blob_0"], "at": at.isoformat()}
    desk.send(desk.outgoing(sent, journal=journal))
    assert len(server.posts()) == 1


def test_a_job_that_the_service_has_lost(desk: Desk, server: EmulatorServer) -> None:
    sent, journal = part(video()), dict[str, Any]()
    journal["blob_0"] = {"job": "unknown", "at": "2026-11-29T00:00:00+00:00"}
    with pytest.raises(Unavailable, match=r"has lost launch\.mp4"):
        desk.network.prepare(desk.client, sent, journal)
    assert "blob_0" not in journal
    prepare(desk, sent, journal)
    assert "blob" in journal["blob_0"]


def test_a_long_work_is_put_off(
    desk: Desk, server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "PATIENCE", 0.0)
    server.set("bluesky", "processing", 60.0)
    journal: dict[str, Any] = {}
    with pytest.raises(Unavailable, match="still at work") as caught:
        prepare(desk, part(video()), journal)
    assert caught.value.retry_at is not None
    assert sorted(journal["blob_0"]) == ["at", "job"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (video(seconds=182), "longer than 180 seconds"),
        (b"no video", "launch.mp4"),
        (video().replace(b"isom", b"qt  ", 1), "container is not supported"),
        (video().replace(b"avc1\0", b"hvc1\0"), "video codec is not supported"),
    ],
)
def test_what_cannot_be_processed_is_refused_and_forgotten(
    desk: Desk, data: bytes, why: str
) -> None:
    journal: dict[str, Any] = {}
    with pytest.raises(Refused, match=why) as caught:
        prepare(desk, part(data), journal)
    assert caught.value.code == "validation_failure"
    assert "blob_0" not in journal


def test_a_video_that_could_not_be_handed_on_is_tried_later(
    desk: Desk, server: EmulatorServer
) -> None:
    server.set("bluesky", "video_failure", "pds_upload_failure")
    journal: dict[str, Any] = {}
    with pytest.raises(Unavailable, match="could not hand") as caught:
        prepare(desk, part(video()), journal)
    assert caught.value.retry_at is not None
    server.set("bluesky", "video_failure", "")
    prepare(desk, part(video()), journal)
    assert "blob" in journal["blob_0"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("daily_videos", 0, "no more videos"), ("daily_bytes", 100, "no more bytes .100 are left")],
)
def test_the_day_s_videos_are_used_up(
    desk: Desk, server: EmulatorServer, name: str, value: int, words: str
) -> None:
    server.set("bluesky", name, value)
    with pytest.raises(Throttled, match=words) as caught:
        prepare(desk, part(video()), {})
    assert caught.value.retry_at is not None
    assert count(server, UPLOAD) == 0


def test_an_account_that_may_upload_none(desk: Desk, server: EmulatorServer) -> None:
    server.set("bluesky", "video_refusal", "Confirm your email address first")
    with pytest.raises(Refused, match="Confirm your email"):
        prepare(desk, part(video()), {})
    assert count(server, UPLOAD) == 0


@pytest.mark.parametrize(
    ("endpoint", "video_host"),
    [
        (None, "https://video.bsky.app"),
        ("https://pds.example", "https://video.bsky.app"),
        ("http://127.0.0.1:2583/bluesky", "http://127.0.0.1:2583/bluesky"),
    ],
)
def test_the_service_serves_every_server(
    tmp_path: Path, endpoint: str | None, video_host: str
) -> None:
    vault = Vault(tmp_path / "vault", bytes(32))
    vault.put("a_1", {"handle": "me.example", "app_password": "x" * 16})
    clients = Clients(Plugins(), lambda: vault)
    session = clients.take(Account("a_1", "bluesky", "me", endpoint)).session
    assert session.rewrite("https://video.bsky.app/xrpc/a") == f"{video_host}/xrpc/a"
    assert session.base == (endpoint or "https://bsky.social")
    clients.close()


@pytest.mark.parametrize("wraps", [True, False])
def test_a_status_is_read_with_and_without_its_wrapper(wraps: bool) -> None:
    inner = {"jobId": "1", "state": "JOB_STATE_CREATED"}
    assert media._status({"jobStatus": inner} if wraps else inner) == inner


@pytest.mark.parametrize(
    ("url", "did"),
    [
        ("https://morel.us-east.host.bsky.network", "did:web:morel.us-east.host.bsky.network"),
        ("http://127.0.0.1:2583/bluesky", "did:web:127.0.0.1%3A2583"),
    ],
)
def test_a_server_by_its_did(url: str, did: str) -> None:
    assert media._did_of(url) == did


def test_a_video_s_alt_text_has_its_own_limit() -> None:
    told = Post("x", media=[Media(video(), "a" * 1001, name="launch.mp4")])
    with pytest.raises(CannotRender, match="1,001 of 1,000 graphemes"):
        Bluesky().adapt(told, LIMITS, RenderOptions())
    fits = Post("x", media=[Media(video(), "a" * 1000, name="launch.mp4")])
    assert len(Bluesky().adapt(fits, LIMITS, RenderOptions()).parts[0].media[0].alt) == 1000


def test_a_picture_stands_apart(desk: Desk, server: EmulatorServer) -> None:
    media_ = [Media(video(), "A", name="a.mp4"), Media(png(), "B", name="b.png")]
    rendition = Bluesky().adapt(Post("x", media=media_), LIMITS, RenderOptions())
    assert [[m.kind for m in one.media] for one in rendition.parts] == [["video"], ["image"]]


# The emulator


@pytest.fixture
def aud(server: EmulatorServer) -> str:
    port = server.url.rpartition(":")[2]
    return f"did:web:127.0.0.1%3A{port}"


def grant(caller: Caller, **params: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {caller.access}"}
    url = f"{caller.url}/xrpc/{GRANT}"
    return requests.get(url, params=params, headers=headers, timeout=10)


def leave(caller: Caller, aud: str, lxm: str = "com.atproto.repo.uploadBlob") -> str:
    return str(grant(caller, aud=aud, lxm=lxm).json()["token"])


def send(caller: Caller, token: str, data: bytes, **changed: Any) -> requests.Response:
    params = {"did": DID, "name": "a.mp4", **changed.pop("params", {})}
    headers = {**MP4, **changed.pop("headers", {})}
    return caller.call(UPLOAD, data=data, token=token, params=params, headers=headers)


def test_leave_is_for_one_service_one_method_and_a_while(caller: Caller, aud: str) -> None:
    now = int(time.time())
    for params, words in (
        ({"exp": now - 5}, "in past"),
        ({"exp": now + 3700, "lxm": "a.b.c"}, "more than an hour"),
        ({"exp": now + 90}, "method-less token"),
    ):
        status, error, message = problem(grant(caller, aud=aud, **params))
        assert (status, error) == (400, "BadExpiration")
        assert words in message
    assert problem(grant(caller))[:2] == (400, "InvalidRequest")
    assert grant(caller, aud=aud, exp=now + 1800, lxm="a.b.c").status_code == 200
    nobody = Caller(caller.url)
    assert grant(nobody, aud=aud).status_code == 401


def test_the_service_wants_leave_for_the_very_method(caller: Caller, aud: str) -> None:
    for token, error in (
        ("", "AuthMissing"),
        (caller.access, "BadJwt"),
        (leave(caller, "did:web:localhost"), "BadJwtAudience"),
        (leave(caller, aud, QUOTA), "BadJwtLexiconMethod"),
    ):
        assert problem(send(caller, token, video()))[:2] == (401, error)
    token = leave(caller, SERVICE, QUOTA)
    headers = {"Authorization": f"Bearer {token}"}
    limits = requests.get(f"{caller.url}/xrpc/{QUOTA}", headers=headers, timeout=10).json()
    assert limits["canUpload"] is True
    assert limits["remainingDailyVideos"] == 25


def test_a_job_ends_with_a_blob_that_a_record_may_name(
    caller: Caller, server: EmulatorServer, aud: str
) -> None:
    data = video()
    job = send(caller, leave(caller, aud), data).json()["jobStatus"]
    assert sorted(job) == ["did", "jobId", "progress", "state"]
    while job["state"] != "JOB_STATE_COMPLETED":
        time.sleep(0.05)
        job = caller.ask(STATUS, jobId=job["jobId"]).json()["jobStatus"]
    embed = {"$type": "app.bsky.embed.video", "video": job["blob"]}
    assert caller.put(KEY, post(embed=embed)).status_code == 200
    again = send(caller, leave(caller, aud), data)
    assert again.status_code == 409
    assert again.json()["error"] == "already_exists"
    assert again.json()["blob"] == job["blob"]
    assert caller.ask(STATUS, jobId="other").status_code == 400


def test_wrong_uploads(caller: Caller, server: EmulatorServer, aud: str) -> None:
    token = leave(caller, aud)
    data = video()
    assert send(caller, token, data, params={"did": "did:plc:other"}).status_code == 401
    assert send(caller, token, data, headers={"Content-Type": "video/webm"}).status_code == 400
    server.set("bluesky", "video_bytes", len(data) - 1)
    assert send(caller, token, data).status_code == 413
    server.set("bluesky", "video_bytes", len(data))
    server.set("bluesky", "daily_videos", 0)
    assert problem(send(caller, token, data))[:2] == (400, "limit_exceeded")


def test_a_video_embed_is_checked(caller: Caller, server: EmulatorServer) -> None:
    def put(**embed: Any) -> tuple[int, str, str]:
        whole = {"$type": "app.bsky.embed.video", **embed}
        return problem(caller.put(KEY, post(embed=whole)))

    found = blob(caller, video(), "video/mp4")
    assert put() == refused('Missing required key "video" at $.record.embed')
    large = {**found, "size": 300_000_001}
    assert "blob too big (maximum 300000000" in put(video=large)[2]
    picture = blob(caller, png())
    assert 'Expected "video/mp4" (got "image/png")' in put(video=picture)[2]
    assert "grapheme too big (maximum 1000, got 1001)" in put(video=found, alt="a" * 1001)[2]
    ratio = {"width": 0, "height": 9}
    assert "integer too small" in put(video=found, aspectRatio=ratio)[2]
    captions = {"captions": [{"lang": "en"}]}
    embed = {"$type": "app.bsky.embed.video", "video": found, **captions}
    assert caller.put(KEY, post(embed=embed)).status_code == 501
    as_picture = images({"image": found, "alt": ""})
    assert 'Expected "image/*"' in problem(caller.put(KEY, post(embed=as_picture)))[2]
    plain = {"$type": "app.bsky.embed.video", "video": found}
    assert caller.put(KEY, post(embed=plain)).status_code == 200
    assert server.posts()[0].media[0].mime == "video/mp4"
