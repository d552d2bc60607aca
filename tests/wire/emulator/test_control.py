"""The control API, the journal, and what is answered where nothing is emulated."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest
import requests
from PIL import Image

from postkit.emulator.server import EmulatorServer
from postkit.emulator.timeline import LivePost, ShownMedia

Send = Callable[..., requests.Response]


@pytest.fixture
def control(server: EmulatorServer, session: requests.Session) -> Callable[..., requests.Response]:
    def call(method: str, path: str, **more: Any) -> requests.Response:
        return session.request(method, f"{server.url}/_postkit/{path}", timeout=5, **more)

    return call


def test_it_says_what_it_is(control: Send) -> None:
    about = control("GET", "").json()
    assert about["postkit_emulator"] is True
    assert about["networks"] == ["chat", "other"]
    assert about["quiet"] == {"chat": 0.25, "other": 1.0}
    assert isinstance(about["version"], str)


def test_accounts_carry_canaries_in_process_only(server: EmulatorServer, control: Send) -> None:
    chat, other = server.accounts()
    assert (chat.network, chat.endpoint) == ("chat", f"{server.url}/chat")
    assert chat.credentials["access_token"].startswith("pk_canary_chat_access_")
    assert other.credentials["key"].startswith("pk_canary_other_key_")
    assert "pk_canary" not in repr(chat)
    assert "pk_canary" not in control("GET", "accounts").text


def test_posts_hold_all_that_was_published(server: EmulatorServer, control: Send) -> None:
    data = _png()
    stored = server.world.media.add(data, "image/png")
    media = ShownMedia(stored.sha256, "image/png", 3, 2, "A red box")
    server.world.timeline.add(LivePost("chat", "1", "me", text="One", media=(media,), title="T"))
    server.world.timeline.add(
        LivePost("chat", "2", "me", text="Two", parent="1", target="r", tags=("a",))
    )
    one, two = control("GET", "posts").json()["posts"]
    assert (one["tags"], two["tags"]) == ([], ["a"])
    assert (one["network"], one["id"], one["text"], one["title"]) == ("chat", "1", "One", "T")
    assert one["media"] == [
        {
            "sha256": hashlib.sha256(data).hexdigest(),
            "mime": "image/png",
            "width": 3,
            "height": 2,
            "alt": "A red box",
        }
    ]
    assert (two["parent"], two["target"], two["media"]) == ("1", "r", [])
    answer = control("GET", f"media/{stored.sha256}")
    assert answer.content == data
    assert answer.headers["content-type"] == "image/png"
    assert control("GET", "media/none").status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-", 206, (0, 9)),
        ("bytes=3-5", 206, (3, 5)),
        ("bytes=9-400", 206, (9, 9)),
        ("bytes=10-", 200, None),
        ("bytes=5-3", 200, None),
        ("bytes=-3", 200, None),
        ("lines=1-2", 200, None),
    ],
)
def test_players_ask_for_a_part(
    server: EmulatorServer,
    control: Send,
    asked: str,
    status: int,
    part: tuple[int, int] | None,
) -> None:
    data = b"0123456789"
    stored = server.world.media.add(data, "video/mp4")
    answer = control("GET", f"media/{stored.sha256}", headers={"Range": asked})
    assert answer.status_code == status
    if part is None:
        assert answer.content == data
        return
    first, last = part
    assert answer.content == data[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/10"


def test_the_journal_counts_and_redacts(
    server: EmulatorServer, control: Send, send: Send, session: requests.Session
) -> None:
    server.add_fault("chat", "lose_answer")
    with pytest.raises(requests.ConnectionError):
        send()
    send()
    token = server.accounts()[0].credentials["access_token"]
    query = {"access_token": "s3cret", "q": token, "limit": "3"}
    session.get(f"{server.url}/chat/posts", params=query, timeout=5)
    session.get(f"{server.url}/other/x", timeout=5)
    lost, made, read = control("GET", "requests?network=chat").json()["requests"]
    assert (lost["method"], lost["path"], lost["create"]) == ("POST", "/posts", True)
    assert (lost["status"], lost["fault"], lost["bytes"]) == (None, "lose_answer", 17)
    assert (made["status"], made["fault"]) == (201, None)
    assert (read["create"], read["query"]) == (False, "access_token=***&q=***&limit=3")
    assert len(control("GET", "requests").json()["requests"]) == 4


def test_faults_are_listed_and_cleared(control: Send, send: Send) -> None:
    rows = [{"network": "chat", "kind": "hang"}, {"network": "chat", "kind": "late", "times": 3}]
    assert control("POST", "faults", json=rows).status_code == 201
    first, second = control("GET", "faults").json()["faults"]
    assert (first["kind"], first["seconds"], first["left"], first["hits"]) == ("hang", 3600, 1, 0)
    assert (second["kind"], second["left"], second["accepted"]) == ("late", 3, True)
    assert control("DELETE", "faults").json() == {"faults": []}
    assert send().status_code == 201


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"network": "chat", "kind": "explode"}, "Unknown kind 'explode': it is one of lose_"),
        ({"network": "chta", "kind": "hang"}, "Unknown network 'chta': it is one of chat, other."),
        ({"kind": "hang"}, "'network' is missing"),
        ({"network": "chat", "kind": "hang", "when": 1}, "Unknown field 'when'"),
        ({"network": "chat", "kind": "hang", "times": 0}, "'times' is a whole number from 1"),
        ({"network": "chat", "kind": "hang", "times": True}, "'times' is a whole number"),
        ({"network": "chat", "kind": "hang", "accepted": "no"}, "'accepted' is true or false"),
        ({"network": "chat", "kind": "hang", "seconds": -1}, "'seconds' is a number from 0"),
        ({"network": "chat", "kind": "status", "status": 199}, "'status' is a whole number from"),
        ("hang", "A fault is a JSON object"),
    ],
)
def test_a_wrong_fault_gets_a_sentence(control: Send, row: object, sentence: str) -> None:
    answer = control("POST", "faults", json=row)
    assert answer.status_code == 422
    assert sentence in answer.json()["error"]
    assert control("GET", "faults").json() == {"faults": []}


def test_one_wrong_fault_of_a_list_arms_none(control: Send) -> None:
    rows = [{"network": "chat", "kind": "hang"}, {"network": "x", "kind": "y"}]
    answer = control("POST", "faults", json=rows)
    assert answer.status_code == 422
    assert len(answer.json()["problems"]) == 2
    assert answer.json()["problems"][0].startswith("Fault 2: Unknown network 'x'")
    assert control("GET", "faults").json() == {"faults": []}


def test_a_body_that_is_not_json_is_refused(control: Send) -> None:
    assert control("POST", "faults", data="{").json() == {"error": "The body is not JSON."}
    assert control("POST", "faults", data="[" * 100_000).status_code == 422


def test_settings_are_typed_and_reset(server: EmulatorServer, control: Send, send: Send) -> None:
    row = {"network": "chat", "name": "longest", "value": 3}
    assert control("POST", "settings", json=row).json() == {"settings": {"longest": 3}}
    assert send("four").json()["ok"] is False
    for wrong, sentence in (
        ({**row, "network": "caht"}, "There is no network 'caht' here. Did you mean 'chat'?"),
        ({**row, "name": "l"}, "There is no setting 'l'. Known: longest."),
        ({**row, "value": "3"}, "The setting 'longest' is of type int, not '3'."),
        ({"network": "chat"}, "A setting is a JSON object {network, name, value}."),
    ):
        answer = control("POST", "settings", json=wrong)
        assert (answer.status_code, answer.json()["error"]) == (422, sentence)
    assert control("POST", "reset").json() == {"reset": True}
    assert send("four").json()["ok"] is True


def test_reset_forgets_posts_faults_and_journal(control: Send, send: Send) -> None:
    send()
    control("POST", "faults", json={"network": "chat", "kind": "hang"})
    control("POST", "reset")
    assert control("GET", "posts").json() == {"posts": []}
    assert control("GET", "faults").json() == {"faults": []}
    assert control("GET", "requests").json() == {"requests": []}


@pytest.mark.parametrize("path", ["reset", "settings"])
def test_get_changes_nothing(control: Send, path: str, send: Send) -> None:
    send()
    assert control("GET", path).status_code == 404
    assert len(control("GET", "posts").json()["posts"]) == 1


@pytest.mark.parametrize("path", ["", "_postkit/", "_postkit/posts", "chat/posts"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_foreign_host_name_is_turned_away(
    server: EmulatorServer, session: requests.Session, path: str, host: str
) -> None:
    answer = session.get(f"{server.url}/{path}", headers={"Host": host}, timeout=5)
    assert answer.status_code == 421


def test_the_control_api_wants_its_own_port_and_origin(
    server: EmulatorServer, control: Send
) -> None:
    port = server.url.rpartition(":")[2]
    assert control("GET", "", headers={"Host": "127.0.0.1:1"}).status_code == 421
    assert control("GET", "", headers={"Host": f"localhost:{port}"}).status_code == 200
    assert control("POST", "reset", headers={"Origin": server.url}).status_code == 200
    for origin in ("http://evil.example", "http://127.0.0.1:1", "null"):
        assert control("POST", "reset", headers={"Origin": origin}).status_code == 403


def test_what_is_not_emulated_names_itself(
    server: EmulatorServer, session: requests.Session
) -> None:
    answer = session.delete(f"{server.url}/chat/posts/1", timeout=5)
    assert answer.status_code == 501
    assert answer.json()["method"] == "DELETE"
    assert answer.json()["path"] == "/posts/1"
    answer = session.put(f"{server.url}/chat/posts", timeout=5)
    assert answer.status_code == 501
    assert answer.json()["emulated_methods"] == ["GET", "HEAD", "POST"]
    assert session.get(f"{server.url}/other", timeout=5).status_code == 501
    assert [entry.status for entry in server.requests()] == [501, 501, 501]


def test_a_body_that_cannot_be_read_is_refused(
    server: EmulatorServer, session: requests.Session
) -> None:
    for body in (b"{", b"[" * 100_000, b'{"text": "\xff"}'):
        answer = session.post(f"{server.url}/chat/posts", data=body, timeout=5)
        assert answer.status_code == 400
    assert server.posts() == []


def test_a_lone_surrogate_breaks_no_list(server: EmulatorServer, control: Send) -> None:
    server.world.timeline.add(LivePost("chat", "1", "me", text="a\ud800b"))
    assert control("GET", "posts").json()["posts"][0]["text"] == "a\ud800b"


def test_an_emulators_own_bug_is_loud(
    server: EmulatorServer, session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    answer = session.get(f"{server.url}/chat/broken", timeout=5)
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.json()["postkit_emulator"]
    assert "the emulator failed at GET" in caplog.text


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(out, "PNG")
    return out.getvalue()


def test_no_fault_at_all_is_a_mistake(control: Send) -> None:
    answer = control("POST", "faults", json=[])
    assert answer.status_code == 422
    assert "A fault is a JSON object" in answer.json()["error"]
