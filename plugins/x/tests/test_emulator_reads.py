"""Reading as tweepy's users do, without the plugin: shapes, fields, and posts by their ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
import requests
import tweepy
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from conftest import Api

USER = 1000000000000000001


class Rewriting(HTTPAdapter):
    """Sends what was meant for the network to another address."""

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        request.url = str(request.url).replace(self.old, self.new, 1)
        return super().send(request, *args, **more)


@pytest.fixture(params=["OAuth 2", "OAuth 1"])
def me(api: Api, request: pytest.FixtureRequest) -> tuple[tweepy.Client, bool]:
    """A client and its ``user_auth``."""
    if request.param == "OAuth 2":
        client = tweepy.Client(bearer_token=api.token)
    else:
        given = api.emulator.oauth1_credentials()
        client = tweepy.Client(
            consumer_key=given["api_key"],
            consumer_secret=given["api_secret"],
            access_token=given["access_token"],
            access_token_secret=given["access_token_secret"],
        )
    host = "https://api.twitter.com"
    client.session.mount(host, Rewriting(host, api.base))
    return client, request.param == "OAuth 1"


def test_tweepy_finds_what_it_wrote(me: tuple[tweepy.Client, bool]) -> None:
    client, user_auth = me
    more: dict[str, Any] = {"user_auth": user_auth}
    user = client.get_me(user_fields=["created_at"], **more).data
    assert (user.id, user.username, user.created_at.year) == (USER, "emulated", 2026)
    first = client.create_tweet(text="One https://example.com/", **more).data["id"]
    poll = {"poll_options": ["a", "b"], "poll_duration_minutes": 60}
    second = client.create_tweet(text="Two", in_reply_to_tweet_id=first, **poll, **more).data["id"]
    listed = client.get_users_tweets(
        USER,
        tweet_fields=["created_at", "public_metrics", "conversation_id"],
        expansions=["author_id", "attachments.poll_ids"],
        poll_fields=["duration_minutes", "end_datetime"],
        **more,
    )
    assert [str(one.id) for one in listed.data] == [second, first]
    assert listed.data[1].public_metrics["reply_count"] == 1
    assert str(listed.data[0].conversation_id) == first
    assert [user.username for user in listed.includes["users"]] == ["emulated"]
    (shown,) = listed.includes["polls"]
    assert [option["label"] for option in shown.options] == ["a", "b"]
    assert shown.duration_minutes == 60
    started = client.get_users_tweets(USER, exclude=["replies", "retweets"], **more).data
    assert [str(one.id) for one in started] == [first]
    assert str(client.get_tweet(second, **more).data.id) == second
    answer = client.get_tweets([first, "1"], **more)
    assert [str(one.id) for one in answer.data] == [first]
    assert answer.errors[0]["resource_id"] == "1"
    pages = tweepy.Paginator(client.get_users_tweets, USER, max_results=5, **more).flatten(50)
    assert len(list(pages)) == 2
    assert client.delete_tweet(first, **more).data == {"deleted": True}
    assert client.get_tweet(first, **more).errors[0]["title"] == "Not Found Error"


def test_a_read_by_id_sees_what_lists_hide(api: Api) -> None:
    api.server.add_fault("x", "index_lag", seconds=60)
    with pytest.raises(requests.ConnectionError):
        api.post("Hidden")
    (post,) = api.server.posts("x")
    assert api.mine() == {"meta": {"result_count": 0}}
    assert api("GET", f"/2/tweets/{post.id}").json()["data"]["text"] == "Hidden"
    api.server.reset()
    api.server.add_fault("x", "late", seconds=60)
    with pytest.raises(requests.ConnectionError):
        api.post("Late")
    assert api.server.posts("x") == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (f"/2/users/{USER}/tweets", {"tweet.fields": "created_at,non_public_metrics"}),
        (f"/2/users/{USER}/tweets", {"expansions": "referenced_tweets.id"}),
        ("/2/users/me", {"user.fields": "public_metrics"}),
        ("/2/tweets/1", {"media.fields": "variants"}),
    ],
)
def test_what_x_has_and_the_emulator_has_not_is_a_501(
    api: Api, path: str, query: Mapping[str, str]
) -> None:
    answer = api("GET", path, params=query)
    assert answer.status_code == 501
    assert "is not emulated" in answer.json()["postkit_emulator"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/2/users/me", {"user.fields": "colour"}),
        ("/2/users/me", {"max_results": "5"}),
        ("/2/tweets", {}),
        ("/2/tweets", {"ids": ",".join("1" * 101)}),
        ("/2/tweets/abc", {}),
        (f"/2/users/{USER}/tweets", {"max_results": "9" * 5000}),
        (f"/2/users/{USER}/tweets", {"since_id": "9" * 5000}),
        (f"/2/users/{USER}/tweets", {"until_id": "²"}),
        (f"/2/users/{USER}/tweets", {"pagination_token": "-1"}),
        (f"/2/users/{USER}/tweets", {"exclude": "everything"}),
    ],
)
def test_wrong_questions_are_refused(api: Api, path: str, query: Mapping[str, str]) -> None:
    api.refused(api("GET", path, params=query), 400, "invalid-request")


@pytest.mark.parametrize(
    "field", [{"quote_tweet_id": "1"}, {"edit_options": {"previous_post_id": "1"}}]
)
def test_posts_of_another_kind_are_no_plain_posts(api: Api, field: dict[str, Any]) -> None:
    assert api.post("Hi", **field).status_code == 501
    assert api.server.posts("x") == []


def test_a_text_that_is_no_unicode_makes_no_post(api: Api) -> None:
    body = b'{"text": "\\ud800"}'
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    api.refused(api("POST", "/2/tweets", data=body, headers=headers), 400, "invalid-request")
    assert api.server.posts("x") == []


def test_a_time_stamp_of_thousands_of_digits_is_no_signature(api: Api) -> None:
    given = api.emulator.oauth1_credentials()
    fields = {
        "oauth_consumer_key": given["api_key"],
        "oauth_token": given["access_token"],
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "9" * 5000,
        "oauth_nonce": "1",
        "oauth_signature": "x",
    }
    header = "OAuth " + ", ".join(f'{name}="{value}"' for name, value in fields.items())
    assert api("GET", "/2/users/me", headers={"Authorization": header}).status_code == 401
