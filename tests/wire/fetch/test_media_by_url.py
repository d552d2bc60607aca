"""Media that are named by a URL, from the post file to the network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from postkit import planner
from postkit.emulator.server import EmulatorServer
from postkit.errors import InputError, PlanRefused
from postkit.fetch.fetched import Fetched
from postkit.fetch.fetcher import MEDIA, Caps, Fetcher
from postkit.kit import Kit
from postkit.post import Media, Post
from postkit.testing.pictures import picture

from .host import Host, page


@pytest.fixture
def kit(tmp_path: Path, postkit_emulator: EmulatorServer, fetcher: Fetcher) -> Iterator[Kit]:
    with Kit(tmp_path / "home", key=os.urandom(32), fetcher=fetcher) as kit:
        for account in postkit_emulator.accounts():
            if account.network == "mastodon":
                kit.connect(
                    account.network, account.credentials, name="a", endpoint=account.endpoint
                )
        yield kit


def test_it_is_fetched_once_and_its_bytes_are_sent(
    kit: Kit, host: Host, postkit_emulator: EmulatorServer, tmp_path: Path
) -> None:
    first, second = picture(1), picture(2)
    host.answers["/cat.png?key=s3cret"] = page(first)
    host.answers["/dog"] = page(second, "Content-Type: text/plain")
    file = tmp_path / "post.md"
    url = f"https://media.example:{host.port}"
    file.write_text(
        f"---\nmedia: [{{url: '{url}/cat.png?key=s3cret', alt: A cat}}]\n---\nHello\n\n"
        f"![A dog]({url}/dog)\n"
    )
    post = Post.from_file(file)
    assert [media.name for media in post.media] == ["cat.png", "dog"]
    assert host.accepted == 0, "Reading a post fetches nothing."
    plan = kit.plan(post, ["mastodon"])
    host.answers["/cat.png?key=s3cret"] = page(picture(3))
    publication = kit.accept(plan)
    host.close()
    report = kit.finish(publication)
    assert report.deliveries[0].state == "live"
    (live,) = postkit_emulator.posts("mastodon")
    shown = [(media.alt, postkit_emulator.world.media.get(media.sha256)) for media in live.media]
    assert [(alt, stored and stored.data) for alt, stored in shown] == [
        ("A cat", first),
        ("A dog", second),
    ]
    assert host.accepted == 2
    assert "s3cret" not in str(report.to_json())


def test_the_place_begins_the_message_and_all_problems_are_told(
    kit: Kit, host: Host, tmp_path: Path
) -> None:
    host.answers["/page"] = page(b"<!doctype html><title>No picture</title>")
    file = tmp_path / "post.md"
    url = f"https://media.example:{host.port}"
    file.write_text(
        f"---\nmedia:\n  - url: {url}/gone\n  - {{url: https://10.0.0.1/a}}\n---\nHello\n\n"
        f"![A page]({url}/page)\n"
    )
    with pytest.raises(InputError) as caught:
        kit.plan(file, ["mastodon"])
    assert list(caught.value.problems) == [
        f"{file}:3: media[1].url: {url}/gone: media.example answers 404; check that it is there "
        "for everyone, or give a file.",
        f"{file}:4: media[2].url: https://10.0.0.1/a: 10.0.0.1 is not on the public internet: "
        "private; give the address of a public host, or a file.",
    ]
    with pytest.raises(PlanRefused, match="page: it is an HTML page, not a picture"):
        kit.publish(Post("Hello", media=[Media.from_url(f"{url}/page")]), ["mastodon"])


def test_a_repeat_of_the_same_name_fetches_nothing(kit: Kit, host: Host) -> None:
    host.answers["/a"] = page(picture(1))
    url = f"https://media.example:{host.port}/a"
    first = kit.publish(Post("Hi", media=[Media.from_url(url)]), ["mastodon"], once="one")
    again = kit.publish(Post("Hi", media=[Media.from_url(url)]), ["mastodon"], once="one")
    assert again.publication == first.publication
    assert host.accepted == 1


def test_copies_share_what_was_fetched(host: Host, fetcher: Fetcher) -> None:
    host.answers["/a"] = page(b"here")
    media = Media.from_url(f"https://media.example:{host.port}/a", "A")
    copy = media.with_alt("B")
    with pytest.raises(InputError, match="it is fetched when a Kit plans the post"):
        copy.read()
    assert media.remote is not None
    media.remote.fetch(fetcher)
    media.remote.fetch(fetcher)
    assert (copy.read(), copy.alt, host.accepted) == (b"here", "B", 1)


def test_a_url_is_no_path() -> None:
    with pytest.raises(InputError, match=r"https://a\.example/b: it is no file; give Media"):
        Media("https://a.example/b?key=1")
    for url in ("http://a.example/b", "https://localhost/b", "file:///etc/passwd", "cat.jpg"):
        with pytest.raises(InputError):
            Media.from_url(url)


class Slow:
    """Takes 100 s for each fetch, on a clock of its own, and notes how long it may take."""

    def __init__(self) -> None:
        self.now = 0.0
        self.allowed: list[float] = []

    def fetch(self, url: str, caps: Caps = MEDIA) -> Fetched:
        self.allowed.append(caps.total)
        self.now += min(caps.total, 100.0)
        return Fetched(url, url, "image/png", "", 1, "", data=picture(len(self.allowed)))


def test_all_of_them_together_have_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    monkeypatch.setattr(planner, "monotonic", lambda: slow.now)
    media = [Media.from_url(f"https://media.example/{n}") for n in range(6)]
    with (
        Kit(tmp_path / "home", key=os.urandom(32), fetcher=slow) as kit,
        pytest.raises(InputError, match="take more than 300 seconds; try again later, or give fi"),
    ):
        kit.plan(Post("Hello", media=media), ["mastodon"])
    assert slow.allowed == [120.0, 120.0, 100.0]


def test_a_post_of_many_urls_is_refused_before_the_first(kit: Kit, host: Host) -> None:
    media = [Media.from_url(f"https://media.example:{host.port}/{n}") for n in range(51)]
    with pytest.raises(InputError, match="media: 51 addresses; at most 50 are fetched"):
        kit.plan(Post("Hello", media=media), ["mastodon"])
    assert host.accepted == 0
