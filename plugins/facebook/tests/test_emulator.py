"""The emulator against the documentation (checked 2026-11-23), over the wire."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from PIL import Image
from postkit_facebook.emulator import FacebookEmulator
from postkit_facebook.emulator.owners import PAGE_ID, USER_ID

from postkit.emulator.server import EmulatorServer

Call = Callable[..., requests.Response]
JsonObject = dict[str, Any]
Picture = Callable[..., bytes]


@pytest.fixture
def call(server: EmulatorServer, emulator: FacebookEmulator) -> Call:
    def send(
        method: str, path: str, *, token: str | None = None, version: str = "v26.0", **more: Any
    ) -> requests.Response:
        used = emulator.credentials()["access_token"] if token is None else token
        headers = {"Authorization": f"Bearer {used}"} if used else {}
        url = f"{emulator.endpoint(server.url)}/{version}/{path}"
        return requests.request(method, url, headers=headers, timeout=10, **more)

    return send


def post(call: Call, **form: str) -> JsonObject:
    answer = call("POST", f"{PAGE_ID}/feed", data=form)
    assert answer.status_code == 200, answer.text
    body: JsonObject = answer.json()
    return body


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 4), "teal").save(out, "PNG")
    return out.getvalue()


def upload(call: Call, data: bytes | None = None, **form: str) -> requests.Response:
    return call(
        "POST", f"{PAGE_ID}/photos",
        files={"source": ("a.png", png() if data is None else data, "image/png")},
        data={"published": "false", **form},
    )  # fmt: skip


def refused(answer: requests.Response) -> tuple[int, int, int | None]:
    body = answer.json()["error"]
    assert body["message"]
    assert body["type"] == "OAuthException"
    assert body["fbtrace_id"]
    return answer.status_code, body["code"], body.get("error_subcode")


def test_me_tells_what_kind_of_token_it_is(call: Call, emulator: FacebookEmulator) -> None:
    assert call("GET", "me").json() == {"id": PAGE_ID, "name": "Emulated Page"}
    user = emulator.user_credentials()["access_token"]
    assert call("GET", "me", token=user).json()["id"] == USER_ID
    answer = call("GET", "me?fields=id,category", token=user)
    assert refused(answer) == (400, 100, None)
    assert "nonexisting field (category)" in answer.json()["error"]["message"]
    app = emulator.app_credentials()["access_token"]
    assert refused(call("GET", "me", token=app)) == (400, 2500, None)


def test_a_token_is_taken_from_header_query_and_form(
    server: EmulatorServer, emulator: FacebookEmulator
) -> None:
    token = emulator.credentials()["access_token"]
    root = f"{emulator.endpoint(server.url)}/v26.0"
    oauth = {"Authorization": f"OAuth {token}"}
    assert requests.get(f"{root}/me", headers=oauth, timeout=5).ok
    assert requests.get(f"{root}/me?access_token={token}", timeout=5).ok
    form = {"message": "hello", "access_token": token}
    assert requests.post(f"{root}/{PAGE_ID}/feed", data=form, timeout=5).ok


def test_a_wrong_a_missing_and_an_expired_token(call: Call, emulator: FacebookEmulator) -> None:
    assert refused(call("GET", "me", token="wrong")) == (400, 190, None)
    assert refused(call("GET", "me", token="")) == (400, 104, None)
    old = emulator.credentials()["access_token"]
    emulator.expire_tokens()
    answer = call("GET", "me", token=old)
    assert refused(answer) == (400, 190, 463)
    assert answer.headers["www-authenticate"].startswith('OAuth "Facebook Platform"')
    assert call("GET", "me").ok
    emulator.reset()
    assert call("GET", "me", token=old).ok


@pytest.mark.parametrize("version", ["v22.0", "v23.0", "v24.0", "v25.0", "v26.0"])
def test_the_version_that_served_is_told(call: Call, version: str) -> None:
    assert call("GET", "me", version=version).headers["facebook-api-version"] == version


@pytest.mark.parametrize("version", ["v2.8", "v21.0", "v27.0"])
def test_other_versions_are_refused(call: Call, version: str) -> None:
    assert refused(call("GET", "me", version=version)) == (400, 2635, None)


def test_every_answer_tells_the_usage(call: Call) -> None:
    for answer in (call("GET", "me"), call("GET", "1_2"), call("GET", "me", token="wrong")):
        (row,) = json.loads(answer.headers["x-business-use-case-usage"])[PAGE_ID]
        assert row["type"] == "pages"
        assert row["estimated_time_to_regain_access"] == 0
        assert {"call_count", "total_cputime", "total_time"} <= set(row)
        app = json.loads(answer.headers["x-app-usage"])
        assert set(app) == {"call_count", "total_time", "total_cputime"}


def test_a_page_has_so_many_calls_in_24_hours(call: Call, server: EmulatorServer) -> None:
    server.set("facebook", "calls", 2)
    assert call("GET", "me").ok
    half = json.loads(call("GET", "me").headers["x-business-use-case-usage"])[PAGE_ID][0]
    assert half["call_count"] == 100
    answer = call("GET", "me")
    assert refused(answer) == (400, 80001, None)
    row = json.loads(answer.headers["x-business-use-case-usage"])[PAGE_ID][0]
    assert 1430 < row["estimated_time_to_regain_access"] <= 1440


def test_a_post_answers_its_id_and_the_fields_that_were_asked_for(call: Call) -> None:
    plain = post(call, message="one")
    assert re.fullmatch(rf"{PAGE_ID}_\d+", plain["id"])
    assert set(plain) == {"id"}
    answer = call(
        "POST", f"{PAGE_ID}/feed", params={"fields": "id,permalink_url"}, data={"message": "two"}
    )
    body = answer.json()
    assert set(body) == {"id", "permalink_url"}
    page = requests.get(body["permalink_url"], timeout=5)
    assert page.ok
    assert "two" in page.text


def test_the_same_text_twice_in_a_row_is_a_duplicate(call: Call, server: EmulatorServer) -> None:
    post(call, message="again")
    again = {"message": "again"}
    assert refused(call("POST", f"{PAGE_ID}/feed", data=again)) == (400, 506, None)
    post(call, message="between")
    post(call, message="again")
    assert [p.text for p in server.posts("facebook")] == ["again", "between", "again"]


def test_an_unpublished_photo_is_seen_by_nobody_until_a_post_shows_it(
    call: Call, server: EmulatorServer
) -> None:
    photo = upload(call, alt_text_custom="A teal rectangle.").json()
    assert set(photo) == {"id"}
    assert server.posts("facebook") == []
    made = post(call, message="look", attached_media=json.dumps([{"media_fbid": photo["id"]}]))
    (live,) = server.posts("facebook")
    assert live.id == made["id"]
    assert [(m.id, m.alt, m.mime) for m in live.media] == [
        (photo["id"], "A teal rectangle.", "image/png")
    ]
    shown = call("GET", f"{photo['id']}?fields=alt_text_custom").json()
    assert shown == {"id": photo["id"], "alt_text_custom": "A teal rectangle."}


def test_a_photo_is_shown_once_and_must_exist(call: Call) -> None:
    photo = upload(call).json()["id"]
    post(call, **{"attached_media[0]": json.dumps({"media_fbid": photo})})
    for wanted in (photo, "999"):
        form = {"attached_media": json.dumps([{"media_fbid": wanted}])}
        assert refused(call("POST", f"{PAGE_ID}/feed", data=form)) == (400, 100, None)
    bad = {"attached_media": "not json"}
    assert refused(call("POST", f"{PAGE_ID}/feed", data=bad)) == (400, 100, None)


def test_eleven_photos_are_too_many(call: Call, server: EmulatorServer) -> None:
    photos = [{"media_fbid": upload(call).json()["id"]} for _ in range(11)]
    too_many = {"attached_media": json.dumps(photos)}
    assert refused(call("POST", f"{PAGE_ID}/feed", data=too_many)) == (400, 100, None)
    post(call, attached_media=json.dumps(photos[:10]))
    assert [len(live.media) for live in server.posts("facebook")] == [10]


def test_with_a_users_token_an_unpublished_photo_is_live_at_once(
    picture: Picture, call: Call, server: EmulatorServer, emulator: FacebookEmulator
) -> None:
    answer = call(
        "POST", f"{PAGE_ID}/photos", token=emulator.user_credentials()["access_token"],
        files={"source": ("a.png", picture(), "image/png")}, data={"published": "false"},
    )  # fmt: skip
    assert "post_id" in answer.json()
    assert len(server.posts("facebook")) == 1


def test_photos_of_a_wrong_type_or_size_are_refused(picture: Picture, call: Call) -> None:
    assert refused(upload(call, picture(kind="WEBP"))) == (400, 100, 1366046)
    noise = random.Random(1).randbytes(4_000_000)
    assert refused(upload(call, picture(kind="GIF") + noise)) == (400, 100, 1366046)
    assert refused(upload(call, b"no picture")) == (400, 100, 2069019)
    cut = picture(kind="JPEG")
    assert refused(upload(call, cut[: len(cut) // 2])) == (400, 100, 2069019)
    missing = call("POST", f"{PAGE_ID}/photos", data={"published": "false"})
    assert refused(missing) == (400, 324, None)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF"])
def test_five_types_of_photos_are_taken(picture: Picture, call: Call, kind: str) -> None:
    assert upload(call, picture(kind=kind)).json()["id"].isdigit()


def test_the_longest_message_is_63206_utf16_units(call: Call) -> None:
    post(call, message="\N{GRINNING FACE}" * 31_603)
    form = {"message": "\N{GRINNING FACE}" * 31_603 + "x"}
    answer = call("POST", f"{PAGE_ID}/feed", data=form)
    assert refused(answer) == (400, 100, None)
    assert "Name parameter too long" in answer.json()["error"]["message"]


def test_a_post_needs_content_and_a_link_must_be_one(call: Call) -> None:
    assert refused(call("POST", f"{PAGE_ID}/feed", data={"message": " "})) == (400, 100, None)
    link = {"link": "ftp://example.com/"}
    assert refused(call("POST", f"{PAGE_ID}/feed", data=link)) == (400, 100, 2061006)
    post(call, link="https://example.com/")
    photo = json.dumps([{"media_fbid": upload(call).json()["id"]}])
    both = {"link": "https://example.com/", "attached_media": photo}
    assert refused(call("POST", f"{PAGE_ID}/feed", data=both)) == (400, 100, None)


def test_missing_permissions_are_named(call: Call, server: EmulatorServer) -> None:
    server.set("facebook", "permissions", ["pages_read_engagement"])
    answer = call("POST", f"{PAGE_ID}/feed", data={"message": "x"})
    assert refused(answer) == (403, 200, None)
    assert "pages_manage_posts" in answer.json()["error"]["message"]
    assert refused(upload(call)) == (403, 200, None)
    assert refused(call("DELETE", "1_2")) == (403, 200, None)
    server.set("facebook", "permissions", ["pages_manage_posts"])
    assert refused(call("GET", f"{PAGE_ID}/published_posts")) == (403, 10, None)


def test_published_posts_are_newest_first_by_fields_limit_and_since(call: Call) -> None:
    for text in ("one", "two", "three"):
        post(call, message=text)
    fields = "message,created_time,attachments{media_type}"
    first = call("GET", f"{PAGE_ID}/published_posts?limit=2&fields={fields}").json()
    assert [row["message"] for row in first["data"]] == ["three", "two"]
    assert set(first["data"][0]) == {"id", "message", "created_time"}
    stamp = first["data"][0]["created_time"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", stamp)
    assert "access_token=" in first["paging"]["next"]
    after = first["paging"]["cursors"]["after"]
    rest = call("GET", f"{PAGE_ID}/published_posts?limit=2&after={after}").json()
    assert [row["message"] for row in rest["data"]] == ["one"]
    assert "next" not in rest["paging"]
    later = int((datetime.now(UTC) + timedelta(seconds=60)).timestamp())
    assert call("GET", f"{PAGE_ID}/published_posts?since={later}").json()["data"] == []
    earlier = int((datetime.now(UTC) - timedelta(seconds=60)).timestamp())
    found = call("GET", f"{PAGE_ID}/published_posts?since={earlier}").json()["data"]
    assert len(found) == 3
    for bad in ("limit=101", "limit=0", "since=soon", "after=x", "fields=nothing"):
        answer = call("GET", f"{PAGE_ID}/published_posts?{bad}")
        assert refused(answer) == (400, 100, None), bad


def test_attachments_show_photo_album_and_link(call: Call) -> None:
    fields = "attachments{media_type,target{id},unshimmed_url,subattachments{target{id}}}"

    def attachment(made: JsonObject) -> JsonObject:
        body = call("GET", f"{made['id']}?fields={fields}").json()
        (row,) = body["attachments"]["data"]
        found: JsonObject = row
        return found

    ids = [upload(call).json()["id"] for _ in range(3)]
    one = attachment(post(call, attached_media=json.dumps([{"media_fbid": ids[0]}])))
    assert (one["media_type"], one["target"]["id"]) == ("photo", ids[0])
    both = [{"media_fbid": ids[1]}, {"media_fbid": ids[2]}]
    album = attachment(post(call, attached_media=json.dumps(both)))
    assert album["media_type"] == "album"
    below = [row["target"]["id"] for row in album["subattachments"]["data"]]
    assert below == ids[1:]
    card = attachment(post(call, link="https://example.com/a"))
    assert card == {
        "media_type": "link", "target": {}, "unshimmed_url": "https://example.com/a"
    }  # fmt: skip


def test_a_post_is_read_and_deleted(call: Call, server: EmulatorServer) -> None:
    made = post(call, message="short-lived")["id"]
    assert call("GET", made).json()["message"] == "short-lived"
    server.set("facebook", "deletable", False)
    assert refused(call("DELETE", made)) == (400, 3, None)
    server.set("facebook", "deletable", True)
    assert call("DELETE", made).json() == {"success": True}
    assert refused(call("GET", made)) == (400, 100, 33)
    assert refused(call("DELETE", made)) == (400, 100, 33)
    assert refused(call("GET", "1%0d%0aX-Evil:%20%22yes")) == (400, 100, 33)


def test_a_gateways_502_is_html(call: Call, server: EmulatorServer) -> None:
    server.add_fault("facebook", "status", status=502)
    answer = call("POST", f"{PAGE_ID}/feed", data={"message": "x"})
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")


def test_faults_answer_in_the_networks_own_shape(
    call: Call, server: EmulatorServer, emulator: FacebookEmulator
) -> None:
    server.add_fault("facebook", "rate_limit", seconds=90)
    answer = call("POST", f"{PAGE_ID}/feed", data={"message": "x"})
    assert refused(answer) == (400, 80001, None)
    (row,) = json.loads(answer.headers["x-business-use-case-usage"])[PAGE_ID]
    assert row["estimated_time_to_regain_access"] == 2
    server.add_fault("facebook", "expire_token")
    old = emulator.credentials()["access_token"]
    answer = call("POST", f"{PAGE_ID}/feed", data={"message": "x"})
    assert refused(answer) == (400, 190, 463)
    assert refused(call("GET", "me", token=old)) == (400, 190, 463)
    assert server.posts("facebook") == []


def test_what_is_not_emulated_says_so(call: Call) -> None:
    hidden = {"message": "x", "published": "false"}
    assert call("POST", f"{PAGE_ID}/feed", data=hidden).status_code == 501
    assert call("POST", f"{PAGE_ID}/videos").status_code == 501
    by_url = call("POST", f"{PAGE_ID}/photos", data={"url": "https://example.com/a.png"})
    assert by_url.status_code == 501


def test_only_creates_are_marked_in_the_journal(call: Call, server: EmulatorServer) -> None:
    call("GET", "me")
    photo = upload(call).json()["id"]
    post(call, attached_media=json.dumps([{"media_fbid": photo}]))
    marked = [(entry.method, entry.path) for entry in server.requests("facebook") if entry.create]
    assert marked == [("POST", f"/v26.0/{PAGE_ID}/feed")]
