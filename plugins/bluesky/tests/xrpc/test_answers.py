"""Literal answers of servers and of what stands before them, and the next step after each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from postkit_bluesky.plugin import Bluesky

from postkit.accounts.secrets import Secrets
from postkit.accounts.vault import Vault
from postkit.deliver.attempt import create
from postkit.errors import Duplicate, InDoubt, NeedsLogin, NetworkError, Refused, Throttled
from postkit.network import Account, Outgoing, RenderedPart
from postkit.transport import Session

JSON = "application/json; charset=utf-8"
HTML = "text/html"
SCHEMA = "Invalid app.bsky.feed.post record: grapheme too big (maximum 300, got 301) at $.record"


@contextmanager
def answering(status: int, body: str, mime: str, headers: dict[str, str]) -> Iterator[str]:
    """A server on 127.0.0.1 that gives the same answer to every POST; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            for name, value in {"Content-Type": mime, **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            """Nothing: tests print what they need."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def publish(
    folder: Path, status: int, body: str, mime: str = JSON, headers: dict[str, str] | None = None
) -> NetworkError:
    """What the core makes of this answer to the one create request."""
    vault = Vault(folder / "vault", bytes(32))
    vault.put("a_1", {"handle": "x.test", "access_jwt": "pk_canary_token"})
    network = Bluesky()
    with answering(status, body, mime, headers or {}) as url:
        session = Session(network.hosts, url, auth_paths=network.auth_paths)
        account = Account("a_1", "bluesky", "it", url)
        secrets = Secrets(vault, "a_1", "bluesky:it", {"handle"})
        client = network.connect(account, secrets, session)
        prepared = {"author": {"did": "did:plc:x", "handle": "x.test"}, "facets": []}
        outgoing = Outgoing(RenderedPart("x"), prepared, "3lbm222222222", datetime.now(UTC))
        try:
            with pytest.raises(NetworkError) as caught:
                create(network, client, session, outgoing)
        finally:
            session.close()
    return caught.value


def body(error: str, message: str) -> str:
    return f'{{"error":"{error}","message":"{message}"}}'


@pytest.mark.parametrize(
    ("status", "error", "message", "step"),
    [
        (400, "ExpiredToken", "Token has expired", NeedsLogin),
        (400, "ExpiredToken", "Token has been revoked", NeedsLogin),
        (400, "InvalidToken", "Token could not be verified", NeedsLogin),
        (401, "AuthMissing", "Authentication Required", NeedsLogin),
        (401, "AuthenticationRequired", "Invalid identifier or password", NeedsLogin),
        (401, "AccountTakedown", "Account has been taken down", NeedsLogin),
        (400, "InvalidSwap", "Record was at bafyreia", Duplicate),
        (400, "InvalidRequest", SCHEMA, Refused),
        (400, "BlobNotFound", "Could not find blob: bafkreia", Refused),
        (400, "InvalidMimeType", "Wrong mimetype", Refused),
        (403, "AccountNotFound", "Account not found", Refused),
        (413, "PayloadTooLarge", "request entity too large", Refused),
        (429, "RateLimitExceeded", "Rate Limit Exceeded", Throttled),
        (500, "InternalServerError", "Internal Server Error", InDoubt),
        (502, "UpstreamFailure", "Upstream service unreachable", InDoubt),
        (500, "ExpiredToken", "a refusal's name is none with this status", InDoubt),
    ],
)
def test_the_servers_own_words(
    tmp_path: Path, status: int, error: str, message: str, step: type[NetworkError]
) -> None:
    found = publish(tmp_path, status, body(error, message))
    assert type(found) is step
    assert (found.status, found.code) == (status, error)
    if step is not InDoubt:
        assert message in found.message


@pytest.mark.parametrize(
    ("status", "text", "mime"),
    [
        (400, "<html>Bad Request</html>", HTML),
        (401, "<html>Who are you</html>", HTML),
        (403, "<html>Blocked</html>", HTML),
        (404, "<html>Not Found</html>", HTML),
        (502, "<html>Bad Gateway</html>", HTML),
        (200, "<html>Welcome</html>", HTML),
        (200, "{}", JSON),
        (200, '{"uri":"at://did:plc:x/app.bsky.feed.post/3lbm222222222"}', JSON),
        (200, "[]", JSON),
        (200, '{"uri":', JSON),
        (204, "", JSON),
        (302, "", HTML),
    ],
)
def test_whatever_else_is_in_doubt(tmp_path: Path, status: int, text: str, mime: str) -> None:
    headers = {"Location": "https://elsewhere.example/"} if status == 302 else {}
    assert type(publish(tmp_path, status, text, mime, headers)) is InDoubt


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "287"}, 287),
        ({"RateLimit-Reset": "RESET"}, 120),
        ({"RateLimit-Reset": "RESET", "Retry-After": "60"}, 60),
    ],
)
def test_when_the_limit_ends(tmp_path: Path, headers: dict[str, str], seconds: int) -> None:
    now = datetime.now(UTC)
    reset = str(int(now.timestamp()) + 120)
    headers = {name: value.replace("RESET", reset) for name, value in headers.items()}
    text = body("RateLimitExceeded", "Rate Limit Exceeded")
    found = publish(tmp_path, 429, text, headers=headers)
    assert isinstance(found, Throttled)
    assert found.retry_at is not None
    assert abs((found.retry_at - now).total_seconds() - seconds) < 5
