"""What a real PDS does: the facts that the emulator is held to. Literal answers: `facts.md`."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .server_process import Pds
from .xrpc import Session, call, new_tid, post_record, problem

# Valid as far as a PDS looks: it keeps the type from the first bytes and counts the rest.
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# One grapheme cluster of 25 UTF-8 bytes.
FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}\u200d\N{BOY}"


@pytest.fixture(scope="module")
def session(pds: Pds) -> Session:
    return Session.open(pds.url, pds.handle, pds.password)


def test_the_account_is_the_announced_one(pds: Pds, session: Session) -> None:
    assert session.did == pds.did
    assert pds.url.startswith("http://127.0.0.1:")


def test_secrets_stay_out_of_repr(pds: Pds, session: Session) -> None:
    assert pds.password not in repr(pds)
    assert session.token not in repr(session)


def test_a_wrong_password_is_401(pds: Pds) -> None:
    answer = call(
        pds.url,
        "com.atproto.server.createSession",
        json={"identifier": pds.handle, "password": "wrong"},
    )
    assert problem(answer) == (401, "AuthenticationRequired", "Invalid identifier or password")


def test_a_bad_token_is_400(session: Session) -> None:
    bad = Session(session.url, session.did, "garbage")
    answer = bad.put(new_tid(), post_record("no"))
    assert problem(answer) == (400, "InvalidToken", "Token could not be verified")


def test_a_post_is_read_back_as_it_was_written(session: Session) -> None:
    rkey = new_tid()
    link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.com/"}
    record = post_record(
        "é https://example.com/",
        langs=["en"],
        facets=[{"index": {"byteStart": 3, "byteEnd": 23}, "features": [link]}],
    )
    put = session.put(rkey, record)
    assert put.status_code == 200, put.text
    got = session.get(rkey).json()
    assert got == {"uri": put.json()["uri"], "cid": put.json()["cid"], "value": record}
    assert got["uri"] == f"at://{session.did}/app.bsky.feed.post/{rkey}"


def test_what_is_not_there_is_named_so(session: Session) -> None:
    status, error, _ = problem(session.get(new_tid()))
    assert (status, error) == (400, "RecordNotFound")


def test_the_same_put_again_writes_nothing(session: Session) -> None:
    rkey = new_tid()
    first = session.put(rkey, post_record("once")).json()
    again = session.put(rkey, post_record("once"))
    assert again.status_code == 200
    assert again.json()["cid"] == first["cid"]
    assert "commit" in first
    assert "commit" not in again.json()


def test_eight_equal_puts_at_once_write_once(session: Session) -> None:
    rkey = new_tid()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: session.put(rkey, post_record("race")), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["cid"] for answer in answers}) == 1
    assert sum("commit" in answer.json() for answer in answers) == 1


def test_swap_record_null_creates_once(session: Session) -> None:
    rkey = new_tid()
    first = session.put(rkey, post_record("mine"), swapRecord=None)
    same = session.put(rkey, post_record("mine"), swapRecord=None)
    other = session.put(rkey, post_record("other"), swapRecord=None)
    assert (first.status_code, same.status_code) == (200, 200)
    cid = first.json()["cid"]
    assert problem(other) == (400, "InvalidSwap", f"Record was at {cid}")
    assert session.get(rkey).json()["value"]["text"] == "mine"


def test_create_with_a_used_key_is_500(session: Session) -> None:
    rkey = new_tid()
    assert session.create(rkey, post_record("first")).status_code == 200
    again = session.create(rkey, post_record("first"))
    assert problem(again) == (500, "InternalServerError", "Internal Server Error")


@pytest.mark.parametrize(
    "text",
    ["a" * 300, FAMILY * 120],
    ids=["300 graphemes", "3000 bytes"],
)
def test_the_longest_text_is_accepted(session: Session, text: str) -> None:
    answer = session.put(new_tid(), post_record(text))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a" * 301, "grapheme too big (maximum 300, got 301)"),
        (FAMILY * 120 + "a", "string too big (maximum 3000, got 3001)"),
    ],
    ids=["301 graphemes", "3001 bytes"],
)
def test_a_longer_text_is_refused(session: Session, text: str, reason: str) -> None:
    rkey = new_tid()
    assert problem(session.put(rkey, post_record(text))) == (
        400,
        "InvalidRequest",
        f"Invalid app.bsky.feed.post record: {reason} at $.record.text",
    )
    assert session.get(rkey).status_code == 400


@pytest.mark.parametrize(("size", "status"), [(2_000_000, 200), (2_000_001, 400)])
def test_an_image_is_measured_when_a_record_names_it(
    session: Session, size: int, status: int
) -> None:
    upload = session.upload(PNG_SIGNATURE.ljust(size, b"\0"), "image/png")
    assert upload.status_code == 200, upload.text
    blob = upload.json()["blob"]
    assert blob["size"] == size
    images = {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": "A picture"}]}
    answer = session.put(new_tid(), post_record("picture", embed=images))
    assert answer.status_code == status
    if status == 400:
        assert problem(answer)[1:] == (
            "InvalidRequest",
            "Invalid app.bsky.feed.post record: blob too big (maximum 2000000, got 2000001)"
            " at $.record.embed.images[0].image",
        )


def test_an_upload_over_five_mebibytes_is_413(session: Session) -> None:
    answer = session.upload(bytes(5 * 1024 * 1024 + 1), "image/png")
    assert problem(answer) == (413, "PayloadTooLarge", "request entity too large")


def test_the_thirty_first_login_is_429(pds: Pds) -> None:
    # The limit is per name, known or not. A login that fails takes 350 ms, so: side by side.
    name = {"identifier": f"{new_tid()}.test", "password": "wrong"}

    def login(_: int) -> requests.Response:
        return call(pds.url, "com.atproto.server.createSession", json=name)

    with ThreadPoolExecutor(31) as pool:
        answers = list(pool.map(login, range(31)))
    assert Counter(answer.status_code for answer in answers) == {401: 30, 429: 1}
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {"30;w=300"}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert problem(refused) == (429, "RateLimitExceeded", "Rate Limit Exceeded")
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert 0 < int(refused.headers["Retry-After"]) <= 300


def test_each_new_account_is_its_own(pds: Pds, session: Session) -> None:
    other = pds.new_account()
    assert other.did != pds.did
    rkey = new_tid()
    mine = Session.open(other.url, other.handle, other.password)
    assert mine.put(rkey, post_record("elsewhere")).status_code == 200
    assert session.get(rkey).status_code == 400


def test_what_needs_the_rest_of_the_network_is_502(session: Session) -> None:
    answer = requests.get(
        f"{session.url}/xrpc/app.bsky.feed.getPosts",
        params={"uris": f"at://{session.did}/app.bsky.feed.post/{new_tid()}"},
        headers={"Authorization": f"Bearer {session.token}"},
        timeout=30,
    )
    assert problem(answer) == (502, "UpstreamFailure", "Upstream service unreachable")
