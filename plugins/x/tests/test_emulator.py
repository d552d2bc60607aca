"""The emulator against the documentation, in plain requests."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image

from postkit.emulator.timeline import LivePost

if TYPE_CHECKING:
    from conftest import Api


def test_created_posts_are_201_with_id_and_text(api: Api) -> None:
    answer = api.post("Fish & <chips>")
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert data["text"] == "Fish &amp; &lt;chips&gt;"
    assert data["edit_history_post_ids"] == [data["id"]]
    made = ((int(data["id"]) >> 22) + 1_288_834_974_657) / 1000
    assert abs(made - time.time()) < 5
    assert answer.headers["x-rate-limit-limit"] == "100"
    assert answer.headers["x-rate-limit-remaining"] == "99"
    assert 0 < int(answer.headers["x-rate-limit-reset"]) - time.time() <= 900


def test_links_go_through_the_shortener(api: Api) -> None:
    data = api.post("See https://Example.com/a?b=1&c=2 and file.py").json()["data"]
    assert "example" not in data["text"].lower()
    assert data["text"].count("https://t.co/") == 2
    (listed,) = api.mine(**{"tweet.fields": "entities,created_at"})["data"]
    urls = listed["entities"]["urls"]
    assert [url["expanded_url"] for url in urls] == [
        "https://example.com/a?b=1&c=2",
        "http://file.py",
    ]
    for url in urls:
        assert listed["text"][url["start"] : url["end"]] == url["url"]


def test_fields_come_only_when_asked_for(api: Api) -> None:
    api.post()
    (bare,) = api.mine()["data"]
    assert set(bare) == {"id", "text", "edit_history_post_ids", "edit_history_tweet_ids"}
    (more,) = api.mine(**{"tweet.fields": "created_at,conversation_id,reply_settings"})["data"]
    assert more["created_at"].endswith("Z")
    assert more["conversation_id"] == more["id"]
    assert more["reply_settings"] == "everyone"


def test_lists_are_newest_first_in_pages(api: Api) -> None:
    ids = [api.post(f"Number {n}").json()["data"]["id"] for n in range(7)]
    first = api.mine(max_results=5)
    assert [post["id"] for post in first["data"]] == ids[:1:-1]
    assert first["meta"]["result_count"] == 5
    rest = api.mine(max_results=5, pagination_token=first["meta"]["next_token"])
    assert [post["id"] for post in rest["data"]] == ids[1::-1]
    assert "next_token" not in rest["meta"]
    assert [p["id"] for p in api.mine(since_id=ids[4])["data"]] == [ids[6], ids[5]]
    later = f"{datetime.now(UTC) + timedelta(seconds=5):%Y-%m-%dT%H:%M:%SZ}"
    assert api.mine(start_time=later) == {"meta": {"result_count": 0}}
    assert len(api.mine(end_time=later)["data"]) == 7


@pytest.mark.parametrize(
    "query",
    [
        {"max_results": "4"},
        {"max_results": "101"},
        {"start_time": "2026-11-23"},
        {"tweet.fields": "colour"},
        {"colour": "red"},
    ],
)
def test_lists_refuse_what_is_not_documented(api: Api, query: dict[str, str]) -> None:
    user = api("GET", "/2/users/me").json()["data"]["id"]
    answer = api("GET", f"/2/users/{user}/tweets", params=query)
    api.refused(answer, 400, "invalid-request")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "  "},
        {"text": 5},
        [],
        {"text": "Hi", "colour": "red"},
        {"text": "Hi", "made_with_ai": "yes"},
        {"text": "Hi", "reply_settings": "everyone"},
        {"text": "Hi", "reply": {}},
        {"text": "Hi", "reply": {"in_reply_to_tweet_id": "x1"}},
        {"text": "Hi", "media": {"media_ids": []}},
        {"text": "Hi", "media": {"media_ids": ["1", "2", "3", "4", "5"]}},
        {"text": "Hi", "media": {"media_ids": ["123"]}},
        {"text": "Hi", "poll": {"options": ["a"], "duration_minutes": 5}},
        {"text": "Hi", "poll": {"options": ["a"] * 5, "duration_minutes": 5}},
        {"text": "Hi", "poll": {"options": ["a", "b" * 26], "duration_minutes": 5}},
        {"text": "Hi", "poll": {"options": ["a", "b"], "duration_minutes": 4}},
        {"text": "Hi", "poll": {"options": ["a", "b"], "duration_minutes": 10_081}},
        {"text": "Hi", "poll": {"options": ["a", "b"]}},
    ],
)
def test_bodies_are_held_to_the_schema(api: Api, body: Any) -> None:
    api.refused(api("POST", "/2/tweets", json=body), 400, "invalid-request")
    assert api.server.posts("x") == []


def test_a_broken_body_is_refused(api: Api) -> None:
    api.refused(api("POST", "/2/tweets", data=b"{"), 400, "invalid-request")


def test_280_weighted_characters(api: Api) -> None:
    assert api.post("日" * 140).status_code == 201
    said = api.refused(api.post("日" * 140 + "a"), 403)
    assert "shorter" in said
    assert api.post("https://example.com/" + "a" * 300).status_code == 201


def test_the_same_text_is_refused_while_it_is_live(api: Api) -> None:
    first = api.post("Once only").json()["data"]["id"]
    said = api.refused(api.post(" Once only "), 403)
    assert said == "You are not allowed to create a Tweet with duplicate content."
    assert api("DELETE", f"/2/tweets/{first}").json() == {"data": {"deleted": True}}
    assert api.post("Once only").status_code == 201


def test_a_text_on_its_way_is_refused_again_and_becomes_live(api: Api) -> None:
    api.server.add_fault("x", "late", seconds=600)
    with pytest.raises(requests.ConnectionError):
        api.post("Late")
    assert api.post("Another").status_code == 201
    assert [post.text for post in api.server.posts("x")] == ["Another"]
    api.refused(api.post("Late"), 403)
    assert [post.text for post in api.server.posts("x")] == ["Another", "Late"]


def test_the_same_text_is_taken_again_after_a_day(api: Api) -> None:
    timeline = api.server.world.timeline
    now = datetime.now(UTC)
    for number, hours in ((1, 23), (2, 25)):
        at = now - timedelta(hours=hours)
        timeline.add(LivePost("x", str(number), "emulated", f"{hours} hours", created_at=at))
    api.refused(api.post("23 hours"), 403)
    assert api.post("25 hours").status_code == 201


def test_one_cashtag(api: Api) -> None:
    assert api.post("$AAPL is up").status_code == 201
    assert "maximum of one cashtag" in api.refused(api.post("$AAPL and $TWTR"), 403)


def test_replies(api: Api) -> None:
    root = api.post("Root").json()["data"]["id"]
    reply = api.post("Reply", reply={"in_reply_to_tweet_id": root}).json()["data"]["id"]
    fields = {"tweet.fields": "referenced_tweets,conversation_id"}
    listed = {post["id"]: post for post in api.mine(**fields)["data"]}
    assert listed[reply]["referenced_tweets"] == [{"type": "replied_to", "id": root}]
    assert listed[reply]["conversation_id"] == root
    assert "deleted or not visible" in api.refused(
        api.post("Lost", reply={"in_reply_to_tweet_id": "42"}), 403
    )


def test_replies_to_strangers_need_a_summons(api: Api) -> None:
    timeline = api.server.world.timeline
    timeline.add(LivePost("x", "77", "stranger", "Nice weather"))
    timeline.add(LivePost("x", "78", "stranger", "What do you think, @emulated?"))
    said = api.refused(api.post("Yes", reply={"in_reply_to_tweet_id": "77"}), 403)
    assert said.startswith("Reply to this conversation is not allowed")
    assert api.post("Yes", reply={"in_reply_to_tweet_id": "78"}).status_code == 201


def test_polls(api: Api, picture: Callable[..., bytes]) -> None:
    poll = {"options": ["Yes", "No"], "duration_minutes": 60}
    assert api.post("Tea?", poll=poll).status_code == 201
    (post,) = api.server.posts("x")
    assert post.poll is not None
    assert post.poll.options == ("Yes", "No")
    media_id = api.upload(picture()).json()["data"]["id"]
    answer = api.post("Both", poll=poll, media={"media_ids": [media_id]})
    api.refused(answer, 400, "invalid-request")


def test_images_and_their_alternative_texts(api: Api, picture: Callable[..., bytes]) -> None:
    data = picture(size=(30, 20))
    uploaded = api.upload(data)
    assert uploaded.status_code == 200
    row = uploaded.json()["data"]
    assert row["image"] == {"h": 20, "w": 30, "image_type": "image/png"}
    assert row["size"] == len(data)
    assert row["expires_after_secs"] == 86_400
    form = api(
        "POST",
        "/2/media/upload",
        data={"media_category": "tweet_image"},
        files={"media": ("b.jpg", picture("blue", "JPEG"), "image/jpeg")},
    )
    other = form.json()["data"]
    metadata = {"id": row["id"], "metadata": {"alt_text": {"text": "Red & square"}}}
    answer = api("POST", "/2/media/metadata", json=metadata)
    assert answer.json()["data"] == {
        "id": row["id"],
        "associated_metadata": {"alt_text": {"text": "Red & square"}},
    }
    made = api.post("Two", media={"media_ids": [row["id"], other["id"]]})
    assert made.json()["data"]["text"].startswith("Two https://t.co/")
    (post,) = api.server.posts("x")
    assert [(shown.mime, shown.alt) for shown in post.media] == [
        ("image/png", "Red & square"),
        ("image/jpeg", ""),
    ]
    listed = api.mine(
        expansions="attachments.media_keys",
        **{"tweet.fields": "attachments,entities", "media.fields": "alt_text"},
    )
    keys = [row["media_key"], other["media_key"]]
    assert listed["data"][0]["attachments"]["media_keys"] == keys
    assert listed["includes"]["media"] == [
        {"media_key": keys[0], "type": "photo", "alt_text": "Red & square"},
        {"media_key": keys[1], "type": "photo"},
    ]
    last = listed["data"][0]["entities"]["urls"][-1]
    assert last["expanded_url"].endswith("/photo/2")


def test_the_same_text_with_pictures_is_not_known_to_be_refused(
    api: Api, picture: Callable[..., bytes]
) -> None:
    media = {"media_ids": [api.upload(picture()).json()["data"]["id"]]}
    assert api.post("Look", media=media).status_code == 201
    assert api.post("Look", media=media).status_code == 201


def noise(kind: str, size: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise(size, 100).save(stream, kind)
    return stream.getvalue()


def test_media_is_checked(api: Api, picture: Callable[..., bytes]) -> None:
    assert "no image" in api.refused(api.upload(b"not an image"), 400, "invalid-request")
    assert "no image" in api.refused(api.upload(picture()[:40]), 400, "invalid-request")
    assert "image/bmp" in api.refused(api.upload(picture("red", "BMP")), 400, "invalid-request")
    large = noise("PNG", (2400, 2400))
    assert len(large) > 5_000_000
    assert "bytes" in api.refused(api.upload(large), 400, "invalid-request")
    api.refused(api.upload(picture(), "poster"), 400, "invalid-request")
    body = {"media": "*", "media_category": "tweet_image"}
    api.refused(api("POST", "/2/media/upload", json=body), 400, "invalid-request")
    api.refused(api("POST", "/2/media/upload", json={"media": "aGk="}), 400, "invalid-request")


def test_metadata_is_checked(api: Api, picture: Callable[..., bytes]) -> None:
    media_id = api.upload(picture()).json()["data"]["id"]

    def describe(media_id: str, text: str) -> requests.Response:
        body = {"id": media_id, "metadata": {"alt_text": {"text": text}}}
        return api("POST", "/2/media/metadata", json=body)

    assert describe(media_id, "x" * 1000).status_code == 200
    api.refused(describe(media_id, "x" * 1001), 400, "invalid-request")
    api.refused(describe("9", "x"), 400, "invalid-request")


def test_gifs_stand_alone(api: Api, picture: Callable[..., bytes]) -> None:
    gif = api.upload(picture("red", "GIF"), "tweet_gif").json()["data"]
    assert gif["media_key"] != f"3_{gif['id']}"
    image = api.upload(picture()).json()["data"]
    both = {"media_ids": [gif["id"], image["id"]]}
    api.refused(api.post("Both", media=both), 400, "invalid-request")
    assert api.post("One", media={"media_ids": [gif["id"]]}).status_code == 201
    large = picture("red", "GIF", size=(1281, 8))
    api.refused(api.upload(large, "tweet_gif"), 400, "invalid-request")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/2/tweets/search/recent"),
    ],
)
def test_what_is_not_emulated_says_so(api: Api, method: str, path: str) -> None:
    answer = api(method, path)
    assert answer.status_code == 501
    assert "not emulated" in answer.json()["postkit_emulator"]


def test_videos_are_not_emulated_yet(api: Api) -> None:
    assert api.upload(b"moving", "tweet_video").status_code == 501


def test_delete(api: Api) -> None:
    api.server.world.timeline.add(LivePost("x", "77", "stranger", "Not yours"))
    api.refused(api("DELETE", "/2/tweets/77"), 403)
    api.refused(api("DELETE", "/2/tweets/78"), 404, "resource-not-found")


def test_rate_limits_are_enforced_with_their_headers(api: Api) -> None:
    for _ in range(75):
        answer = api("GET", "/2/users/me")
    assert answer.headers["x-rate-limit-remaining"] == "0"
    over = api("GET", "/2/users/me")
    api.refused(over, 429, "rate-limit-exceeded")
    assert int(over.headers["x-rate-limit-reset"]) > time.time()
    assert api.post().status_code == 201
    api.server.reset()
    assert api("GET", "/2/users/me").status_code == 200


def test_credits(api: Api) -> None:
    api.server.set("x", "credits", False)
    api.refused(api.post(), 402, "usage-capped")
    assert api.server.posts("x") == []
    api.server.reset()
    assert api.post().status_code == 201


def test_permalinks_are_pages(api: Api) -> None:
    post_id = api.post("Readable").json()["data"]["id"]
    page = requests.get(f"{api.base}/emulated/status/{post_id}", timeout=10)
    assert page.status_code == 200
    assert "Readable" in page.text
