"""What the history keeps of an answer: its beginning, and nothing of a secret."""

from __future__ import annotations

import json

import pytest
import requests

from postkit.accounts.secret import Secret
from postkit.deliver.evidence import LONGEST, READ, evidence
from postkit.transport import Exchange

VALUE = "".join(f"pk{number:05d}canary" for number in range(80))


def kept(body: bytes) -> str:
    exchange = Exchange("POST", "https://board.example/posts")
    exchange.response = requests.Response()
    exchange.response._content = body
    found = evidence(exchange)
    assert found is not None
    return str(found["answer"])


@pytest.mark.parametrize("before", [0, 500, LONGEST * 4 - 700, READ - 1000, READ - 100])
@pytest.mark.parametrize("count", [1, 3, 90])
def test_no_piece_of_a_secret_is_kept_wherever_it_lies(before: int, count: int) -> None:
    secret = Secret(VALUE)
    # In words, where nothing but the value itself tells that it is one.
    body = "." * before + " seen " + " ".join([secret.reveal()] * count)
    answer = kept(body.encode())
    assert "pk0" not in answer
    assert len(answer) <= LONGEST


def test_secrets_shrink_and_what_comes_after_them_is_kept() -> None:
    body = json.dumps([Secret(VALUE).reveal()] * 3 + ["the end"])
    assert kept(body.encode()) == '["***", "***", "***", "the end"]'


def test_a_long_answer_is_kept_from_its_beginning() -> None:
    assert kept(b"word " * READ) == ("word " * LONGEST)[:LONGEST]
    assert kept(b"") == ""
