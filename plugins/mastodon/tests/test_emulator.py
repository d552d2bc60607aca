"""The emulator against the documentation (checked 2026-11-23), over the wire."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from PIL import Image
from postkit_mastodon.emulator import MastodonEmulator

from postkit.emulator.server import EmulatorServer

Call = Callable[..., requests.Response]


class MovableClock:
    """The real time, plus what a test adds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += seconds


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def server(clock: MovableClock) -> Iterator[EmulatorServer]:
    with EmulatorServer([MastodonEmulator], clock=clock) as running:
        yield running


@pytest.fixture
def call(server: EmulatorServer) -> Iterator[Call]:
    account = server.accounts()[0]
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {account.credentials['access_token']}"

        def send(method: str, path: str, **more: Any) -> requests.Response:
            return session.request(method, account.endpoint + path, timeout=10, **more)

        yield send


@pytest.fixture
def post(call: Call) -> Call:
    def send(status: str = "", *, key: str | None = None, **fields: Any) -> requests.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return call("POST", "/api/v1/statuses", json={"status": status, **fields}, headers=headers)

    return send


def image(kind: str = "PNG", size: tuple[int, int] = (8, 4)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind)
    return out.getvalue()


def upload(call: Call, data: bytes, mime: str = "image/png", **fields: str) -> requests.Response:
    return call("POST", "/api/v2/media", files={"file": ("a", data, mime)}, data=fields)


def error_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_the_instance_states_its_limits_without_a_token(server: EmulatorServer) -> None:
    answer = requests.get(f"{server.accounts()[0].endpoint}/api/v2/instance", timeout=5)
    configuration = answer.json()["configuration"]
    assert configuration["statuses"] == {
        "max_characters": 500,
        "max_media_attachments": 4,
        "characters_reserved_per_url": 23,
    }
    assert configuration["media_attachments"] == {
        "description_limit": 1500,
        "supported_mime_types": [
            "image/jpeg",
            "image/png",
            "image/gif",
            "image/webp",
            "video/webm",
            "video/mp4",
            "video/quicktime",
            "video/ogg",
        ],
        "image_size_limit": 16777216,
        "image_matrix_limit": 33177600,
        "video_size_limit": 103809024,
        "video_matrix_limit": 8294400,
        "video_frame_rate_limit": 120,
    }
    assert configuration["polls"] == {
        "max_options": 4,
        "max_characters_per_option": 50,
        "min_expiration": 300,
        "max_expiration": 2629746,
    }
    assert answer.json()["api_versions"] == {"mastodon": 7}


def test_a_language_that_is_unknown_is_the_accounts_own(post: Call) -> None:
    given = ("zh-TW", "zh-Hant-TW", "de_AT", "tlh", "DE")
    kept = [post(f"Hello {lang}", language=lang).json()["language"] for lang in given]
    assert kept == ["zh-TW", "zh", "de", "en", "en"]


def test_a_status_has_the_documented_shape(call: Call, post: Call, server: EmulatorServer) -> None:
    status = post("Hello <b> & #News", language="de", visibility="unlisted").json()
    assert re.fullmatch(r"\d{18}", status["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", status["created_at"])
    root = server.accounts()[0].endpoint
    assert status["url"] == f"{root}/@emulated/{status['id']}"
    assert status["content"] == (
        f'<p>Hello &lt;b&gt; &amp; <a href="{root}/tags/news" class="mention hashtag" rel="tag">'
        "#<span>News</span></a></p>"
    )
    assert (status["language"], status["visibility"]) == ("de", "unlisted")
    assert status["tags"] == [{"name": "news", "url": f"{root}/tags/news"}]
    assert status["in_reply_to_id"] is status["poll"] is None
    assert status["media_attachments"] == []
    assert status["account"]["acct"] == "emulated"
    read = call("GET", f"/api/v1/statuses/{status['id']}").json()
    assert read == status
    source = call("GET", f"/api/v1/statuses/{status['id']}/source").json()
    assert source == {"id": status["id"], "text": "Hello <b> & #News", "spoiler_text": ""}


def test_content_has_paragraphs_breaks_and_links(post: Call) -> None:
    address = "https://example.com/a/rather/long/path?q=1&r=2"
    content = post(f"One\ntwo\n\nThree {address}").json()["content"]
    assert content == (
        "<p>One<br />two</p><p>Three "
        '<a href="https://example.com/a/rather/long/path?q=1&amp;r=2" target="_blank" '
        'rel="nofollow noopener" translate="no"><span class="invisible">https://</span>'
        '<span class="ellipsis">example.com/a/rather/long/path</span>'
        '<span class="invisible">?q=1&amp;r=2</span></a></p>'
    )


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("a" * 500, ""),
        ("a" * 400, "b" * 100),
        ("\u4e2d" * 500, ""),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467" * 500, ""),
        ("e\u0301" * 500, ""),
        ("a" * 476 + " https://example.com/" + "p" * 300, ""),
        ("a" * 494 + " @user@a.very.long.example.com", ""),
    ],
)
def test_500_graphemes_pass_and_501_do_not(post: Call, text: str, warning: str) -> None:
    assert post(text, spoiler_text=warning).status_code == 200
    refused = post(f"a{text}", spoiler_text=warning)
    assert error_of(refused) == (422, "Validation failed: Text character limit of 500 exceeded")


def test_a_form_does_what_json_does(call: Call) -> None:
    media = upload(call, image()).json()["id"]
    form = {"status": "Form", "media_ids[]": [media], "sensitive": "true", "spoiler_text": "cw"}
    status = call("POST", "/api/v1/statuses", data=form).json()
    assert [one["id"] for one in status["media_attachments"]] == [media]
    assert (status["sensitive"], status["spoiler_text"]) == (True, "cw")
    form = {"status": "Q", "poll[options][]": ["a", "b"], "poll[expires_in]": "300"}
    poll = call("POST", "/api/v1/statuses", data=form).json()["poll"]
    assert [option["title"] for option in poll["options"]] == ["a", "b"]
    assert poll["multiple"] is False


def test_a_key_repeated_within_the_hour_gives_the_same_status(
    post: Call, server: EmulatorServer, clock: MovableClock
) -> None:
    first = post("Once", key="k1").json()
    clock.sleep(3590)
    assert post("Once", key="k1").json() == first
    assert post("Once", key="k2").json()["id"] != first["id"]
    assert len(server.posts()) == 2
    clock.sleep(20)
    assert post("Once", key="k1").json()["id"] != first["id"]


def test_a_server_may_ignore_the_key(post: Call, server: EmulatorServer) -> None:
    server.set("mastodon", "idempotency", False)
    assert post("Once", key="k").json()["id"] != post("Once", key="k").json()["id"]


def test_a_repeat_overtakes_a_late_original(post: Call, server: EmulatorServer) -> None:
    server.add_fault("mastodon", "late", seconds=600)
    with pytest.raises(requests.ConnectionError):
        post("Late", key="k")
    assert server.posts() == []
    assert post("Late", key="k").status_code == 200
    assert [one.text for one in server.posts()] == ["Late"]


def test_a_thread_is_a_chain_of_replies(call: Call, post: Call) -> None:
    one = post("One").json()["id"]
    two = post("Two", in_reply_to_id=one).json()
    three = post("Three", in_reply_to_id=two["id"]).json()["id"]
    assert two["in_reply_to_id"] == one
    context = call("GET", f"/api/v1/statuses/{two['id']}/context").json()
    assert [status["id"] for status in context["ancestors"]] == [one]
    assert [status["id"] for status in context["descendants"]] == [three]
    assert error_of(post("Lost", in_reply_to_id="1"))[0] == 404


def test_lists_page_and_filter(call: Call, post: Call) -> None:
    me = call("GET", "/api/v1/accounts/verify_credentials").json()
    ids = [post(str(n)).json()["id"] for n in range(25)]
    path = f"/api/v1/accounts/{me['id']}/statuses"

    def listed(**query: Any) -> list[str]:
        return [status["id"] for status in call("GET", path, params=query).json()]

    assert listed(exclude_reblogs="true") == ids[:4:-1]
    assert listed(limit=40) == listed(limit=400) == ids[::-1]
    assert listed(since_id=ids[21]) == [ids[24], ids[23], ids[22]]
    assert listed(max_id=ids[2]) == [ids[1], ids[0]]
    assert listed(min_id=ids[2], limit=2) == [ids[4], ids[3]]
    assert listed(only_media="true") == []
    assert call("GET", "/api/v1/accounts/1/statuses").status_code == 404


def test_delete_returns_the_source_and_removes(call: Call, post: Call) -> None:
    number = post("Gone soon").json()["id"]
    reply = post("Reply", in_reply_to_id=number).json()["id"]
    deleted = call("DELETE", f"/api/v1/statuses/{number}")
    assert deleted.json()["text"] == "Gone soon"
    assert error_of(call("GET", f"/api/v1/statuses/{number}")) == (404, "Record not found")
    assert error_of(call("DELETE", f"/api/v1/statuses/{number}")) == (404, "Record not found")
    assert call("GET", f"/api/v1/statuses/{reply}").json()["in_reply_to_id"] is None


def test_media_are_uploaded_changed_and_attached_once(
    call: Call, post: Call, server: EmulatorServer
) -> None:
    data = image("JPEG")
    answer = upload(call, data, "image/jpeg", description="A box", focus="0.5,-1")
    assert answer.status_code == 200
    media = answer.json()
    assert (media["type"], media["description"]) == ("image", "A box")
    assert media["meta"]["original"]["size"] == "8x4"
    assert requests.get(media["url"], timeout=5).content == data
    path = f"/api/v1/media/{media['id']}"
    assert call("PUT", path, json={"description": "A teal box"}).json()["id"] == media["id"]
    assert call("GET", path).json()["description"] == "A teal box"
    assert post("", media_ids=[media["id"]]).status_code == 200
    assert call("GET", path).status_code == 404
    assert server.posts()[0].media[0].alt == "A teal box"
    refused = error_of(post("Twice", media_ids=[media["id"]]))
    assert refused == (
        422,
        f"Media {media['id']} not found or already attached to another post",
    )


def test_media_are_checked(call: Call) -> None:
    invalid = "Validation failed: File content type is invalid, File is invalid"
    assert error_of(upload(call, b"no image")) == (422, invalid)
    half = image("JPEG", (400, 400))
    assert error_of(upload(call, half[: len(half) // 2])) == (422, invalid)
    assert error_of(upload(call, image("BMP"))) == (422, invalid)
    assert error_of(upload(call, image() + b"\0" * 16_777_216))[0] == 422
    assert error_of(upload(call, image(size=(5761, 5760))))[0] == 422
    assert upload(call, image(size=(5760, 5760))).status_code == 200
    assert upload(call, image(), description="d" * 1500).status_code == 200
    assert error_of(upload(call, image(), description="d" * 1501))[0] == 422
    assert error_of(upload(call, image(), focus="2,0"))[0] == 422
    assert error_of(call("POST", "/api/v2/media", data={"description": "x"}))[0] == 422
    assert error_of(upload(call, b"0", "video/mp4")) == (422, invalid)
    assert upload(call, b"0", "audio/mpeg").status_code == 501


def test_four_images_and_no_more(call: Call, post: Call) -> None:
    ids = [upload(call, image()).json()["id"] for _ in range(5)]
    assert error_of(post("Five", media_ids=ids)) == (422, "Cannot attach more than 4 files")
    assert post("Four", media_ids=ids[:4]).status_code == 200


def test_polls_have_limits_and_exclude_media(call: Call, post: Call) -> None:
    def poll(options: list[str], expires_in: int = 300) -> requests.Response:
        return post("Q", poll={"options": options, "expires_in": expires_in, "multiple": True})

    made = poll(["a" * 50, "b", "c", "d"], 2_629_746).json()["poll"]
    assert (made["multiple"], len(made["options"])) == (True, 4)
    for refused in (
        poll(["a"]),
        poll(["a", "b", "c", "d", "e"]),
        poll(["a" * 51, "b"]),
        poll(["a", "a"]),
        poll(["a", "b"], 299),
        poll(["a", "b"], 2_629_747),
    ):
        assert refused.status_code == 422
        assert refused.json()["error"].startswith("Validation failed: ")
    media = upload(call, image()).json()["id"]
    both = post("Q", media_ids=[media], poll={"options": ["a", "b"], "expires_in": 300})
    assert both.status_code == 422


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_status_is_refused(post: Call, text: str) -> None:
    assert error_of(post(text)) == (422, "Validation failed: Text can't be blank")


def test_odd_requests(call: Call, post: Call) -> None:
    assert post("x", visibility="friends").status_code == 422
    assert post("x", media_ids=["1"]).status_code == 422
    assert post("x", scheduled_at="2027-01-01T00:00:00Z").status_code == 501
    assert post("x", language="klingon!").json()["language"] == "en"
    assert post("", spoiler_text="only a warning").json()["spoiler_text"] == ""
    path = "/api/v1/statuses"
    json_type = {"Content-Type": "application/json"}
    assert call("POST", path, data="{", headers=json_type).status_code == 400
    assert post("a\ud800").status_code == 400
    broken = {"Content-Type": "multipart/form-data"}
    assert call("POST", path, data="x", headers=broken).status_code == 400
    assert call("POST", path, json=["x"]).status_code == 400
    assert call("POST", path, json={"status": "x", "poll": 1}).status_code == 400
    assert call("GET", "/api/v1/timelines/home").status_code == 501


def test_a_wrong_token_is_401(server: EmulatorServer, call: Call, post: Call) -> None:
    path = "/api/v1/accounts/verify_credentials"
    url = server.accounts()[0].endpoint + path
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = requests.get(url, headers=headers, timeout=5)
        assert error_of(answer) == (401, "The access token is invalid")
        assert "X-RateLimit-Limit" in answer.headers
    server.add_fault("mastodon", "expire_token")
    assert error_of(post("x")) == (401, "The access token is invalid")
    assert call("GET", path).status_code == 401
    token = server.accounts()[0].credentials["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(url, headers=headers, timeout=5).status_code == 200
    server.reset()
    assert call("GET", path).status_code == 200


def test_300_requests_in_5_minutes(call: Call, clock: MovableClock) -> None:
    clock.sleep(300 - clock.now().timestamp() % 300)  # the start of a window
    path = "/api/v1/accounts/verify_credentials"
    answers = [call("GET", path) for _ in range(301)]
    assert [answer.status_code for answer in answers] == [200] * 300 + [429]
    first, last = answers[0].headers, answers[-1].headers
    assert (first["X-RateLimit-Limit"], first["X-RateLimit-Remaining"]) == ("300", "299")
    assert last["X-RateLimit-Remaining"] == "0"
    reset = last["X-RateLimit-Reset"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", reset)
    assert 0 < (datetime.fromisoformat(reset) - clock.now()).total_seconds() <= 300
    assert answers[-1].json() == {"error": "Too many requests"}
    assert "Retry-After" not in last
    clock.sleep(300)
    assert call("GET", path).status_code == 200


def test_uploads_and_deletions_have_limits_of_their_own(call: Call) -> None:
    deleted = [call("DELETE", "/api/v1/statuses/1") for _ in range(31)]
    assert [answer.status_code for answer in deleted] == [404] * 30 + [429]
    assert deleted[0].headers["X-RateLimit-Limit"] == "30"
    uploads = [upload(call, b"") for _ in range(31)]
    assert [answer.status_code for answer in uploads] == [422] * 30 + [429]


def test_a_throttled_create_has_the_networks_shape(
    post: Call, server: EmulatorServer, clock: MovableClock
) -> None:
    server.add_fault("mastodon", "rate_limit", seconds=90)
    answer = post("x")
    assert error_of(answer) == (429, "Too many requests")
    wait = datetime.fromisoformat(answer.headers["X-RateLimit-Reset"]) - clock.now()
    assert 85 < wait.total_seconds() <= 90
    assert server.posts() == []


def test_settings_change_what_the_server_says_and_does(
    call: Call, post: Call, server: EmulatorServer
) -> None:
    server.set("mastodon", "max_characters", 11)
    server.set("mastodon", "version", "2.7.2 (compatible; Other 1.0)")
    instance = call("GET", "/api/v2/instance").json()
    assert instance["version"] == "2.7.2 (compatible; Other 1.0)"
    assert instance["configuration"]["statuses"]["max_characters"] == 11
    assert post("a" * 11).status_code == 200
    assert error_of(post("a" * 12)) == (
        422,
        "Validation failed: Text character limit of 11 exceeded",
    )
