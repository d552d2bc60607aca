"""What a token endpoint may answer, and what becomes of it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import requests

from postkit.accounts.oauth.answer import fields_of
from postkit.accounts.oauth.terms import OAuth, Scope
from postkit.accounts.secret import Secret
from postkit.errors import NeedsLogin, NetworkError, Refused, Unavailable

NOW = 1_800_000_000.0
TERMS = OAuth(
    authorize="https://board.example/authorize",
    token="https://api.board.example/token",
    scopes=(Scope("read", "look"), Scope("write", "publish"), Scope("list", "list", optional=True)),
    register="{redirect}",
    source="a test",
    checked=date(2026, 11, 29),
)


def answer(body: object, status: int = 200, kind: str = "application/json") -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers["content-type"] = kind
    response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return response


def fields(body: object, status: int = 200, kind: str = "application/json") -> dict[str, str]:
    return fields_of("Board", TERMS, answer(body, status, kind), NOW)


def test_a_whole_answer() -> None:
    body = {
        "access_token": "pk_canary_a", "refresh_token": "pk_canary_r", "token_type": "Bearer",
        "expires_in": 7200, "scope": "read write list",
    }  # fmt: skip
    assert fields(body) == {
        "access_token": "pk_canary_a",
        "refresh_token": "pk_canary_r",
        "expires_at": str(int(NOW) + 7200),
        "scopes": "read write list",
    }


@pytest.mark.parametrize(
    "life", [None, "soon", True, [], {}, 0, -5, 1e400, float("nan"), 10**18, "9" * 400, "²"]
)
def test_an_end_that_is_none_is_no_end(life: Any) -> None:
    body: dict[str, Any] = {"access_token": "pk_canary_a", "expires_in": life}
    assert fields(body)["expires_at"] == ""
    del body["expires_in"]
    assert fields(body)["expires_at"] == ""


@pytest.mark.parametrize(("life", "seconds"), [("3600", 3600), (59.9, 59), (1, 1)])
def test_ends_that_are_written_in_other_ways(life: Any, seconds: int) -> None:
    body = {"access_token": "pk_canary_a", "expires_in": life}
    assert fields(body)["expires_at"] == str(int(NOW) + seconds)


@pytest.mark.parametrize("scope", [None, "", "  ", 7, ["read"], "*"])
def test_scopes_that_are_not_told_are_those_that_were_asked_for(scope: Any) -> None:
    body = {"access_token": "pk_canary_a", "scope": scope}
    assert fields(body)["scopes"] == "read write list"


@pytest.mark.parametrize("scope", ["read write", "write,read", "read  write read", "write\tread"])
def test_an_optional_scope_may_be_missing(scope: str) -> None:
    body = {"access_token": "pk_canary_a", "scope": scope}
    assert set(fields(body)["scopes"].split()) == {"read", "write"}


def test_fewer_scopes_than_publishing_needs() -> None:
    with pytest.raises(NeedsLogin, match=r"did not grant write \(to publish\)\. Nothing was kept"):
        fields({"access_token": "pk_canary_a", "scope": "read list"})


@pytest.mark.parametrize(
    ("body", "status", "kind", "raised", "said"),
    [
        (b"<!doctype html><p>Hello", 200, "text/html; charset=utf-8", Unavailable, "text/html"),
        (b"", 200, "", Unavailable, "without access"),
        (b"[" * 100_000, 200, "application/json", Unavailable, "without access"),
        ([], 200, "application/json", Unavailable, "without access"),
        ({}, 200, "application/json", Unavailable, "without access"),
        ({"access_token": "pk_canary_a"}, 502, "application/json", Unavailable, "HTTP 502"),
        ({"access_token": None}, 200, "application/json", Unavailable, "cannot be sent"),
        ({"access_token": ""}, 200, "application/json", Unavailable, "cannot be sent"),
        ({"access_token": 5}, 200, "application/json", Unavailable, "cannot be sent"),
        ({"access_token": "a\r\nb: c"}, 200, "application/json", Unavailable, "cannot be sent"),
        ({"access_token": "a" * 9000}, 200, "application/json", Unavailable, "cannot be sent"),
        ({"access_token": "pk_canary_\u00e9"}, 200, "", Unavailable, "cannot be sent"),
        (
            {"access_token": "pk_canary_a", "refresh_token": ["x"]},
            200, "", Unavailable, "refresh_token that cannot be sent",
        ),
        ({"access_token": "pk_canary_a", "token_type": "mac"}, 200, "", Unavailable, "bearer"),
        ({"access_token": "pk_canary_a", "token_type": 1}, 200, "", Unavailable, "bearer"),
        ({"error": "invalid_grant"}, 200, "", Refused, "invalid_grant"),
        (
            {"error": "invalid_grant", "error_description": "The code is too old."},
            400, "", Refused, r"\(The code is too old\)",
        ),
        ({"error": {"message": "Invalid code", "code": 100}}, 400, "", Refused, "Invalid code"),
        ({"message": "Bad Request"}, 400, "", Refused, "Bad Request"),
        (b"<html>", 401, "text/html", Refused, "HTTP 401"),
        (b"", 500, "", Unavailable, "HTTP 500"),
        (b"", 429, "", Unavailable, "HTTP 429"),
    ],
)  # fmt: skip
def test_what_is_no_access(
    body: object, status: int, kind: str, raised: type[NetworkError], said: str
) -> None:
    with pytest.raises(raised, match=said) as caught:
        fields(body, status, kind)
    assert "pk_canary" not in caught.value.message
    assert "\n" not in caught.value.message


def test_an_error_that_repeats_a_secret_is_masked() -> None:
    Secret("pk_canary_code_1")
    said = {"error": "invalid_grant", "error_description": "code: pk_canary_code_1 is not known"}
    with pytest.raises(Refused) as caught:
        fields(said, 400)
    assert "pk_canary" not in caught.value.message
