"""The emulator as users of praw meet it, without the plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import praw
import prawcore
import pytest
import requests
from postkit_reddit.emulator import RedditEmulator
from requests.adapters import HTTPAdapter

from postkit.emulator.server import EmulatorServer


class Rewriting(HTTPAdapter):
    """Sends what was meant for any of the network's hosts to another address."""

    def __init__(self, new: str) -> None:
        self.new = new
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        path = str(request.url).split("/", 3)[3]
        request.url = f"{self.new}/{path}"
        return super().send(request, *args, **more)


@pytest.fixture(params=["refresh token", "password"])
def reddit(
    server: EmulatorServer, emulator: RedditEmulator, request: pytest.FixtureRequest
) -> Iterator[Any]:
    by_token = request.param == "refresh token"
    given: dict[str, Any] = dict(
        emulator.credentials() if by_token else emulator.script_credentials()
    )
    with requests.Session() as session:
        session.mount("https://", Rewriting(emulator.endpoint(server.url)))
        yield praw.Reddit(
            check_for_updates=False,
            user_agent="linux:emulator-test:1 (by /u/nobody)",
            requestor_kwargs={"session": session},
            **given,
        )


def test_praw_makes_a_poll(reddit: Any) -> None:
    poll = {"options": ["Tea", "Coffee"], "duration": 3}
    made = reddit.subreddit("test").submit("Which?", selftext="Well?", poll=poll)
    assert [str(option) for option in made.poll_data.options] == ["Tea", "Coffee"]
    # The end is told in milliseconds, the beginning in whole seconds.
    open_for = made.poll_data.voting_end_timestamp / 1000 - made.created_utc
    assert 0 <= open_for - 3 * 86_400 < 1
    assert made.selftext == f"Well?\n\n[View Poll](https://www.reddit.com/poll/{made.id})"


def test_praw_finds_what_it_wrote(reddit: Any) -> None:
    me = reddit.user.me()
    text = reddit.subreddit("test").submit("T & <x>", selftext="body & soul")
    link = reddit.subreddit("Other").submit("Link", url="https://example.com/")
    assert (text.title, text.selftext, text.is_self, text.score) == (
        "T & <x>",
        "body & soul",
        True,
        1,
    )
    assert text.selftext_html == '<div class="md"><p>body &amp; soul</p></div>'
    assert (str(text.author), str(text.subreddit)) == (me.name, "test")
    assert list(me.submissions.new(limit=5)) == [link, text]
    assert list(reddit.redditor(me.name).submissions.top(limit=1)) == [link]
    assert list(reddit.subreddit("TEST").new(limit=5)) == [text]
    assert list(reddit.subreddit("other").hot(limit=5)) == [link]
    assert list(reddit.info(fullnames=[link.fullname, "t3_zzz"])) == [link]
    assert reddit.subreddit("test").subscribers == 1
    assert reddit.redditor(me.name).link_karma == 1
    assert list(text.comments) == []
    text.delete()
    with pytest.raises(prawcore.NotFound):
        _ = reddit.submission(text.id).title


def test_what_is_missing_is_an_error_of_praw(reddit: Any) -> None:
    post = reddit.subreddit("test").submit("T", selftext="x")
    calls: list[Callable[[], Any]] = [lambda: post.reply("Hi"), lambda: post.edit("Hi")]
    for call in calls:
        with pytest.raises(prawcore.ResponseException, match="501"):
            call()


def test_a_closed_community_lists_nothing(reddit: Any) -> None:
    with pytest.raises(prawcore.NotFound):
        list(reddit.subreddit("nosuchplace").new())
    with pytest.raises(prawcore.Forbidden):
        list(reddit.subreddit("privateplace").new())
