"""Answers to the create request, literal on the wire, and the next step that each one is."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from postkit_facebook.error_codes import regained_at
from postkit_facebook.plugin import Facebook

from postkit.accounts.secrets import Secrets
from postkit.deliver.attempt import create
from postkit.errors import Duplicate, InDoubt, NeedsLogin, NetworkError, Refused, Throttled
from postkit.network import Account, Outgoing, RenderedPart
from postkit.transport import Session

ME = b'{"id": "42", "name": "A Page", "category": "Software"}'


@dataclass(slots=True)
class Canned:
    """What the next create request is answered; ``created`` counts the requests."""

    secrets: Secrets
    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    created: int = 0


@pytest.fixture
def canned(secrets_of: Callable[[Mapping[str, str]], Secrets]) -> Iterator[Canned]:
    answer = Canned(secrets_of({"page_id": "42", "access_token": "canary-token"}))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, {"Content-Type": "application/json"}, ME)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer.created += 1
            self._send(answer.status, answer.headers, answer.body)

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        answer.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield answer
        server.shutdown()
        thread.join()


def outcome(canned: Canned) -> NetworkError:
    """The next step after the canned answer, as the core sees it."""
    network = Facebook()
    account = Account("a_1", "facebook", "page", f"http://127.0.0.1:{canned.port}")
    outgoing = Outgoing(RenderedPart("hello"), {}, "key", datetime.now(UTC))
    with Session(network.hosts, account.endpoint, connect_timeout=2, read_timeout=2) as session:
        client = network.connect(account, canned.secrets, session)
        with pytest.raises(NetworkError) as caught:
            create(network, client, session, outgoing)
    assert canned.created == 1
    assert "canary-token" not in str(caught.value)
    assert caught.value.network == "facebook"
    return caught.value


def error(code: int, subcode: int | None = None, *, transient: bool = False) -> bytes:
    body: dict[str, Any] = {
        "message": f"(#{code}) What the network says",
        "type": "OAuthException",
        "code": code,
        "is_transient": transient,
        "fbtrace_id": "AbCdEf",
    }
    if subcode is not None:
        body["error_subcode"] = subcode
    return json.dumps({"error": body}).encode()


TABLE: list[tuple[int, int, int | None, type[NetworkError]]] = [
    *((400, 190, subcode, NeedsLogin) for subcode in (None, 458, 459, 460, 463, 464, 467, 492)),
    (400, 102, None, NeedsLogin),
    (401, 0, None, NeedsLogin),
    (400, 2500, None, NeedsLogin),
    *((403, code, None, Refused) for code in (10, 200, 230, 299)),
    (400, 3, None, Refused),
    (400, 1, 2853006, Refused),
    (400, 368, 1404078, Refused),
    (400, 100, 1404078, Refused),
    (400, 100, 4854002, Refused),
    *((400, code, None, Throttled) for code in (4, 17, 32, 341, 613, 80000, 80001, 80014)),
    (400, 368, None, Throttled),
    (400, 368, 1390008, Throttled),
    (400, 506, None, Duplicate),
    (400, 100, 1366051, Duplicate),
    *((400, 100, code, Refused) for code in (1346003, 1404102, 1609008, 1609005, 2061006, 1349125)),
    (400, 100, 1366046, Refused),
    (400, 100, 2069019, Refused),
    (400, 352, None, Refused),
    *((400, 6000, code, Refused) for code in (None, 1363020, 1363022, 1363023, 1363031, 1363037)),
    *((400, 6000, code, Refused) for code in (1363005, 1363042)),
    *((400, 6000, code, InDoubt) for code in (1363019, 1363030, 1363033)),
    (400, 79999, None, Refused),
    (400, 80015, None, Refused),
    (400, 300, None, Refused),
    (400, 1, None, InDoubt),
    (400, 2, None, InDoubt),
    (400, 100, 1363047, InDoubt),
    (400, 100, 1609010, InDoubt),
    (500, 1, None, InDoubt),
    (500, 506, None, InDoubt),
    (503, 2, None, InDoubt),
    (200, 100, None, InDoubt),
]


@pytest.mark.parametrize(("status", "code", "subcode", "kind"), TABLE)
def test_error_objects(
    canned: Canned, status: int, code: int, subcode: int | None, kind: type[NetworkError]
) -> None:
    canned.status, canned.body = status, error(code, subcode)
    canned.headers = {"Content-Type": "application/json; charset=UTF-8"}
    found = outcome(canned)
    assert type(found) is kind, found.message
    if 400 <= status < 500:
        assert found.code == (f"{code}/{subcode}" if subcode else str(code))
        assert found.status == status
        assert found.request_id == "AbCdEf"


def test_a_transient_refusal_is_in_doubt_but_a_transient_rate_limit_is_one(canned: Canned) -> None:
    canned.status = 400
    canned.headers = {"Content-Type": "application/json"}
    canned.body = error(100, transient=True)
    assert type(outcome(canned)) is InDoubt
    canned.created, canned.body = 0, error(4, transient=True)
    assert type(outcome(canned)) is Throttled


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        # The SDK raises nothing for the first five and returns {}.
        (502, {"Content-Type": "application/json"}, b"{}"),
        (500, {"Content-Type": "application/json"}, b"{}"),
        (429, {"Content-Type": "application/json"}, b"{}"),
        (403, {"Content-Type": "application/json"}, b"{}"),
        (200, {"Content-Type": "application/json"}, b"{}"),
        (200, {"Content-Type": "application/json"}, b'{"success": true}'),
        (200, {"Content-Type": "application/json"}, b'{"id": ""}'),
        (200, {"Content-Type": "application/json"}, b'["id"]'),
        (200, {"Content-Type": "application/json"}, b"null"),
        (200, {"Content-Type": "application/json"}, b'{"id": "42_1"'),
        (201, {"Content-Type": "text/html"}, b"<html></html>"),
        (200, {}, b'{"id": "42_1"}'),
        (502, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>"),
        (400, {"Content-Type": "text/html"}, b"<html>Bad Request</html>"),
        (403, {}, b""),
        (302, {"Location": "https://example.com/"}, b""),
        (200, {"Content-Type": "image/png"}, b"\x89PNG"),
    ],
)
def test_anything_but_an_error_object_or_an_id_is_in_doubt(
    canned: Canned, status: int, headers: dict[str, str], body: bytes
) -> None:
    canned.status, canned.headers, canned.body = status, headers, body
    assert type(outcome(canned)) is InDoubt


def test_a_rate_answer_without_a_time_still_gets_a_pause(canned: Canned) -> None:
    canned.status, canned.body = 400, error(32)
    canned.headers = {"Content-Type": "application/json"}
    before = datetime.now(UTC)
    found = outcome(canned)
    assert found.retry_at is not None
    assert timedelta(minutes=10) <= found.retry_at - before < timedelta(minutes=11)
    canned.created, canned.body = 0, error(368)
    found = outcome(canned)
    assert found.retry_at is not None
    assert timedelta(hours=1) <= found.retry_at - before < timedelta(minutes=61)


def test_the_sentence_for_people_is_shown_where_there_is_one(canned: Canned) -> None:
    canned.status = 400
    canned.headers = {"Content-Type": "application/json"}
    said = {"message": "Invalid parameter", "code": 100, "error_subcode": 1366046,
            "error_user_msg": "Photos should be smaller than 4 MB"}  # fmt: skip
    canned.body = json.dumps({"error": said}).encode()
    message = "Facebook Page refused it: Photos should be smaller than 4 MB."
    assert outcome(canned).message == message


@pytest.mark.parametrize(
    ("value", "minutes"),
    [
        ('{"42": [{"type": "pages", "estimated_time_to_regain_access": 28}]}', 28),
        ('{"1": [{"estimated_time_to_regain_access": 3}], "2": [{"type": "pages"},'
         ' {"estimated_time_to_regain_access": 7}]}', 7),
        ('{"42": [{"estimated_time_to_regain_access": 1e300}]}', 60 * 24 * 31),
        ('{"42": [{"estimated_time_to_regain_access": 0}]}', None),
        ('{"42": [{"estimated_time_to_regain_access": NaN}]}', None),
        ('{"42": [{"estimated_time_to_regain_access": "soon"}]}', None),
        ('{"42": "soon"}', None),
        ("[]", None),
        ("soon", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_usage_header_names_the_time_in_minutes(value: str, minutes: float | None) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    found = regained_at({"X-Business-Use-Case-Usage": value}, now)
    assert found == (now + timedelta(minutes=minutes) if minutes else None)
