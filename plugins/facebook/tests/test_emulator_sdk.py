"""The emulator as users of facebook-sdk meet it, without the plugin."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import facebook
import pytest
import requests
from PIL import Image
from postkit_facebook.emulator import FacebookEmulator
from postkit_facebook.emulator.owners import PAGE_ID
from requests.adapters import HTTPAdapter

from postkit.emulator.server import EmulatorServer

HOST = "https://graph.facebook.com"


class Rewriting(HTTPAdapter):
    """Sends what was meant for the network to another address."""

    def __init__(self, new: str) -> None:
        self.new = new
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        request.url = str(request.url).replace(HOST, self.new, 1)
        return super().send(request, *args, **more)


@pytest.fixture
def graph(server: EmulatorServer, emulator: FacebookEmulator) -> Iterator[Any]:
    with requests.Session() as session:
        session.mount(HOST, Rewriting(emulator.endpoint(server.url)))
        graph = facebook.GraphAPI(emulator.credentials()["access_token"], session=session)
        graph.version = "v26.0"
        yield graph


def picture() -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (8, 4), "teal").save(out, "PNG")
    out.seek(0)
    return out


def test_the_sdks_own_calls_work(graph: Any, server: EmulatorServer) -> None:
    assert graph.get_object("me")["id"] == PAGE_ID
    assert graph.get_version() == "26.0"
    first = graph.put_object("me", "feed", message="Hello")["id"]
    photo = graph.put_photo(picture(), message="Look")
    assert set(photo) == {"id", "post_id"}
    loose = graph.put_photo(picture(), album_path=f"{PAGE_ID}/photos", published="false")
    rows = json.dumps([{"media_fbid": loose["id"]}])
    third = graph.put_object(PAGE_ID, "feed", message="Two", attached_media=rows)["id"]
    assert [post.text for post in server.posts()] == ["Hello", "Look", "Two"]
    for name in ("feed", "posts", "published_posts"):
        listed = [row["id"] for row in graph.get_all_connections("me", name, limit=1)]
        assert listed == [third, photo["post_id"], first]
    assert graph.get_object(first, fields="message")["message"] == "Hello"
    assert graph.delete_object(first) == {"success": True}


def test_what_is_missing_is_an_error_of_the_sdk(graph: Any) -> None:
    """It looks at no status, so the 501 says it in the body too."""
    post = graph.put_object("me", "feed", message="Hello")["id"]
    calls: list[Callable[[], Any]] = [
        lambda: graph.put_comment(post, "Hi"),
        lambda: graph.put_like(post),
        lambda: graph.get_connections("me", "albums"),
        lambda: graph.get_object(post, fields="shares"),
        lambda: graph.get_object(post, fields="reactions.summary(true).limit(0)"),
        lambda: graph.put_object("me", "feed", message="Later", backdated_time="1"),
    ]
    for call in calls:
        with pytest.raises(facebook.GraphAPIError, match="is not emulated"):
            call()
    with pytest.raises(facebook.GraphAPIError, match="nonexisting field"):
        graph.get_object(post, fields="colour")


@pytest.mark.parametrize("limit", ["²", "٣", "-1", "0", "101", "9" * 5000])
def test_a_limit_is_a_number(graph: Any, limit: str) -> None:
    with pytest.raises(facebook.GraphAPIError, match="limit must be 1 to 100"):
        graph.get_connections("me", "published_posts", limit=limit)


@pytest.mark.parametrize("field", ["\0", "a\r\nb: c", "é"])
def test_an_error_fits_into_its_header(graph: Any, field: str) -> None:
    with pytest.raises(facebook.GraphAPIError):
        graph.get_object("me", fields=field)


def test_a_broken_form_without_a_token_is_refused(
    server: EmulatorServer, emulator: FacebookEmulator
) -> None:
    url = f"{emulator.endpoint(server.url)}/v26.0/{PAGE_ID}/feed"
    for kind, body in (
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: nope\r\n\r\nx\r\n--x--"),
        ("application/json", b"[" * 200_000),
    ):
        answer = requests.post(url, data=body, headers={"Content-Type": kind}, timeout=5)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] in (100, 104)
