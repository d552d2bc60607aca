"""Literal answers of X, sent by a real server, and the next step after each."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import tweepy
from postkit_x.plugin import X
from postkit_x.problems import opens_at

from postkit.deliver.clients import ask
from postkit.errors import (
    Duplicate,
    InDoubt,
    NeedsLogin,
    NetworkError,
    Refused,
    Throttled,
    Unavailable,
)
from postkit.network import Failure
from postkit.transport import Session

TYPES = "https://api.twitter.com/2/problems/"
NEW_TYPES = "https://api.x.com/2/problems/"
HTML = "<html><body>Over capacity</body></html>"

ANSWERS: list[tuple[str, int, Any, type[NetworkError], str]] = [
    ("problem json", 401, {"title": "Unauthorized", "type": "about:blank"}, NeedsLogin, "Unauth"),
    (
        "duplicate",
        403,
        {"detail": "You are not allowed to create a Tweet with duplicate content."},
        Duplicate,
        "duplicate content",
    ),
    (
        "duplicate, older shape",
        403,
        {"errors": [{"code": 187, "message": "Status is a duplicate."}]},
        Duplicate,
        "Status is a duplicate",
    ),
    (
        "app-only",
        403,
        {"title": "Unsupported Authentication", "type": TYPES + "unsupported-authentication"},
        NeedsLogin,
        "app's token",
    ),
    (
        "read-only token",
        403,
        {"title": "Forbidden", "type": NEW_TYPES + "oauth1-permissions", "detail": "No write"},
        NeedsLogin,
        "Read and write",
    ),
    (
        "client",
        403,
        {"title": "Client Forbidden", "type": TYPES + "client-forbidden"},
        Refused,
        "console",
    ),
    (
        "not summoned",
        403,
        {
            "title": "Forbidden",
            "detail": "Reply to this conversation is not allowed because you have not been "
            "mentioned or otherwise engaged by the author of the post you are replying to.",
        },
        Refused,
        "post of its own",
    ),
    (
        "permission",
        403,
        {"detail": "You are not permitted to perform this action."},
        Refused,
        "not permitted",
    ),
    (
        "cashtags",
        403,
        {"detail": "A post can have a maximum of one cashtag."},
        Refused,
        "one cashtag",
    ),
    (
        "invalid",
        400,
        {
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": TYPES + "invalid-request",
            "errors": [{"parameters": {}, "message": "Your media IDs are invalid."}],
        },
        Refused,
        "Your media IDs are invalid",
    ),
    ("too long", 403, {"errors": [{"code": 186, "message": "Too long."}]}, Refused, "Too long"),
    ("credits", 402, {"title": "Payment Required"}, Refused, "spending cap"),
    (
        "cap as 429",
        429,
        {"title": "UsageCapExceeded", "type": NEW_TYPES + "usage-capped"},
        Refused,
        "spending cap",
    ),
    (
        "rate limit",
        429,
        {"errors": [{"code": 88, "message": "Rate limit exceeded"}]},
        Throttled,
        "Rate limit exceeded",
    ),
    (
        "rate limit, problem",
        429,
        {"title": "Too Many Requests", "type": TYPES + "rate-limit-exceeded"},
        Throttled,
        "Too Many Requests",
    ),
    ("default shape", 400, {"code": 3, "message": "Bad id"}, Refused, "Bad id"),
    ("html 403", 403, HTML, InDoubt, "403"),
    ("html 503", 503, HTML, InDoubt, "503"),
    ("json 503", 503, {"title": "Service Unavailable"}, InDoubt, "503"),
    ("json 500", 500, {"errors": [{"code": 131, "message": "Internal"}]}, InDoubt, "500"),
    ("html 429", 429, HTML, InDoubt, "429"),
    ("no json in a success", 201, HTML, InDoubt, "201"),
    ("errors null", 403, {"errors": None, "title": "Forbidden"}, Refused, "Forbidden"),
    ("a list", 403, [], Refused, "403"),
]


class Canned:
    def __init__(self) -> None:
        canned = self
        self.status, self.body, self.headers = 200, "", {}  # type: tuple[int, Any, dict[str, str]]

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                text = canned.body if isinstance(canned.body, str) else json.dumps(canned.body)
                self.send_response(canned.status)
                for name, value in canned.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def canned() -> Iterator[Canned]:
    canned = Canned()
    thread = threading.Thread(target=canned.server.serve_forever, args=(0.01,))
    thread.start()
    yield canned
    canned.server.shutdown()
    thread.join()
    canned.server.server_close()


def outcome(canned: Canned) -> NetworkError:
    """What tweepy makes of the answer, and what the plugin makes of that."""
    session = Session(X.hosts, canned.url)
    client = tweepy.Client(bearer_token="token", return_type=dict)
    client.session = session
    try:
        client.create_tweet(text="Hi", user_auth=False)
    except Exception as error:  # noqa: BLE001 - tweepy trips over odd bodies with any type
        return X().classify(Failure(error, session.last))
    finally:
        session.close()
    raise AssertionError("tweepy took the answer for a success")


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [row[1:] for row in ANSWERS],
    ids=[row[0] for row in ANSWERS],
)
def test_answers(
    canned: Canned, status: int, body: Any, kind: type[NetworkError], words: str
) -> None:
    canned.status, canned.body = status, body
    error = outcome(canned)
    assert type(error) is kind
    assert words in error.message
    assert error.status == status


def test_codes_and_request_ids(canned: Canned) -> None:
    canned.status = 403
    canned.body = {"errors": [{"code": 187, "message": "Status is a duplicate."}]}
    canned.headers = {"x-transaction-id": "abc"}
    error = outcome(canned)
    assert (error.code, error.request_id) == ("187", "abc")


def test_the_reset_header(canned: Canned) -> None:
    reset = int(time.time()) + 300
    canned.status, canned.body = 429, {"title": "Too Many Requests"}
    canned.headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(reset)}
    assert outcome(canned).retry_at == datetime.fromtimestamp(reset, UTC)
    canned.headers |= {
        "x-user-limit-24hour-remaining": "0",
        "x-user-limit-24hour-reset": str(reset + 3600),
    }
    assert outcome(canned).retry_at == datetime.fromtimestamp(reset + 3600, UTC)
    canned.headers["x-user-limit-24hour-remaining"] = "5"
    assert outcome(canned).retry_at == datetime.fromtimestamp(reset, UTC)
    canned.headers = {"retry-after": "120"}
    retry_at = outcome(canned).retry_at
    assert retry_at is not None
    assert 110 < (retry_at - datetime.now(UTC)).total_seconds() <= 120


@pytest.mark.parametrize("value", ["", "soon", "1e400", "-5", "0"])
def test_a_reset_that_says_nothing(value: str) -> None:
    assert opens_at({"x-rate-limit-reset": value}, datetime.now(UTC)) is None


def test_nobody_listens() -> None:
    session = Session(X.hosts, "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="nothing was sent"):
        ask(X(), session, lambda: session.post("https://api.x.com/2/tweets", json={}))
    session.close()
