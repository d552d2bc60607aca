"""Link cards, from the page to the network that leaves them to its clients."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from postkit.cards.card import make_card
from postkit.emulator.server import EmulatorServer
from postkit.errors import InputError
from postkit.fetch.fetched import Fetched
from postkit.fetch.fetcher import MEDIA, Caps, Fetcher
from postkit.kit import Kit
from postkit.plan import Plan, Wishes
from postkit.post import Media, Post
from postkit.testing.pictures import picture

from .host import Host, moved, page

HEAD = (
    b"<!doctype html><meta property=og:title content='We ship'>"
    b"<meta property=og:description content='A rocket'>"
    b"<meta property=og:image content='cover.png'>"
)
MakeKit = Callable[..., Kit]


@pytest.fixture
def make_kit(tmp_path: Path, postkit_emulator: EmulatorServer) -> Iterator[MakeKit]:
    made: list[Kit] = []

    def make(**given: Any) -> Kit:
        kit = Kit(tmp_path / f"home{len(made)}", key=os.urandom(32), **given)
        made.append(kit)
        for account in postkit_emulator.accounts():
            if account.network in ("bluesky", "mastodon"):
                kit.connect(
                    account.network, account.credentials, name="a", endpoint=account.endpoint
                )
        return kit

    yield make
    for kit in made:
        kit.close()


def link(host: Host, path: str = "/launch/") -> str:
    return f"https://media.example:{host.port}{path}"


def lines(plan: Plan) -> list[str]:
    rendition = plan.deliveries[0].rendition
    assert rendition is not None, plan.problems
    return [change.text for change in rendition.changes if change.text.startswith("link card")]


def test_a_page_becomes_a_card_with_its_picture(host: Host, fetcher: Fetcher) -> None:
    host.answers["/launch"] = moved("/launch/")
    host.answers["/launch/"] = page(HEAD)
    host.answers["/launch/cover.png"] = page(picture(1))
    card = make_card(link(host, "/launch"), fetcher)
    assert (card.url, card.title, card.description) == (
        link(host, "/launch"),
        "We ship",
        "A rocket",
    )
    assert card.image is not None
    assert (card.image.name, card.image.read()) == ("cover.png", picture(1))
    assert card.notes == ()


@pytest.mark.parametrize(
    ("answer", "title", "note"),
    [
        (page(b"", status="404 Not Found"), "media.example", "title: media.example answers 404"),
        (page(b"<p>Hi"), "media.example", "title: media.example gives none"),
        (page(picture(1)), "media.example", "title: media.example gives no web page"),
        (page(HEAD), "We ship", "picture: media.example answers 404"),
        (
            page(HEAD.replace(b"cover.png", b"http://media.example/a")),
            "We ship",
            "picture: http is not fetched, only https",
        ),
        (
            page(HEAD.replace(b"cover.png", b"https://10.0.0.1/a")),
            "We ship",
            "picture: 10.0.0.1 is not on the public internet: private",
        ),
        (
            page(HEAD.replace(b"cover.png", b"https://[::1/a")),
            "We ship",
            "picture: its address cannot be read",
        ),
        (
            page(HEAD, "Content-Encoding: gzip"),
            "media.example",
            "title: media.example answers in a packed form",
        ),
        (moved("https://127.0.0.9/"), "media.example", "title: it redirects: port"),
    ],
    ids=["404", "bare", "picture", "no image", "http", "private", "odd", "gzip", "redirect"],
)
def test_what_is_missing_is_told_and_never_an_error(
    host: Host, fetcher: Fetcher, answer: bytes, title: str, note: str
) -> None:
    host.answers["/launch/"] = answer
    if "redirect" in note:
        host.answers["/launch/"] = moved("https://127.0.0.9:9/")
    card = make_card(link(host), fetcher)
    assert card.title == title
    assert [one.startswith(f"link card without {note}") for one in card.notes] == [True], card
    assert (card.image is None) == (len(card.notes) == 1)


def test_the_network_gets_the_card_that_was_planned(
    make_kit: MakeKit, host: Host, fetcher: Fetcher, postkit_emulator: EmulatorServer
) -> None:
    host.answers["/launch/"] = page(HEAD)
    host.answers["/launch/cover.png"] = page(picture(1, (1200, 630)))
    kit = make_kit(fetcher=fetcher)
    plan = kit.plan(Post("Look", link=link(host)), ["bluesky", "mastodon"])
    assert host.accepted == 2, "One page and one picture, for the one network that needs them."
    publication = kit.accept(plan)
    host.answers["/launch/"] = page(HEAD.replace(b"We ship", b"Changed"))
    host.close()
    report = kit.finish(publication)
    assert [delivery.state for delivery in report.deliveries] == ["live", "live"]
    (live,) = postkit_emulator.posts("bluesky")
    embed = live.extra["record"]["embed"]
    assert embed["$type"] == "app.bsky.embed.external"
    thumb = embed["external"].pop("thumb")
    assert embed["external"] == {"uri": link(host), "title": "We ship", "description": "A rocket"}
    assert thumb["mimeType"] == "image/png"
    assert live.media == ()
    assert live.card is not None
    assert live.card.image is not None
    assert (live.card.title, live.card.image.width) == ("We ship", 1200)
    (other,) = postkit_emulator.posts("mastodon")
    assert (other.card, other.media) == (None, ())


def test_without_an_answer_the_post_goes_out_all_the_same(
    make_kit: MakeKit, host: Host, fetcher: Fetcher, postkit_emulator: EmulatorServer
) -> None:
    kit = make_kit(fetcher=fetcher)
    host.close()
    plan = kit.plan(Post("Look", link=link(host)), ["bluesky"])
    assert lines(plan) == ["link card without title: media.example did not answer"]
    report = kit.finish(kit.accept(plan))
    assert report.deliveries[0].state == "live"
    (live,) = postkit_emulator.posts("bluesky")
    assert live.card is not None
    assert (live.card.title, live.link) == ("media.example", link(host))


class _Never:
    def fetch(self, url: str, caps: Caps = MEDIA) -> Fetched:
        raise AssertionError(f"{url} was fetched")


def test_a_card_can_be_turned_off(make_kit: MakeKit) -> None:
    kit = make_kit(fetcher=_Never())
    post = Post("Look", link="https://example.com/launch")
    for plan in (
        kit.plan(post, ["bluesky"], wishes=Wishes(card=False)),
        kit.plan(post, ["mastodon"]),
        kit.plan(Post("Look at https://example.com/launch"), ["bluesky"]),
        kit.plan(Post("Look", link="https://example.com", media=[Media(picture(1))]), ["bluesky"]),
    ):
        rendition = plan.deliveries[0].rendition
        assert rendition is not None
        assert "card" not in rendition.parts[0].fields
        assert lines(plan) == []


@pytest.mark.parametrize("table", ["networks.bluesky", 'accounts."bluesky:a"'])
def test_the_settings_turn_it_off(make_kit: MakeKit, tmp_path: Path, table: str) -> None:
    (tmp_path / "home0").mkdir()
    (tmp_path / "home0" / "postkit.toml").write_text(f"[{table}]\ncard = false\n")
    kit = make_kit(fetcher=_Never())
    plan = kit.plan(Post("Look", link="https://example.com/launch"), ["bluesky"])
    assert plan.problems == []
    assert lines(plan) == []


def test_a_setting_that_is_neither_is_told(make_kit: MakeKit, tmp_path: Path) -> None:
    (tmp_path / "home0").mkdir()
    (tmp_path / "home0" / "postkit.toml").write_text("[networks.bluesky]\ncard = 'no'\n")
    with pytest.raises(InputError, match="card is true or false"):
        make_kit(fetcher=_Never()).plan(Post("Hi"), ["bluesky"])


def test_at_the_emulator_a_card_has_the_host_name_alone(
    make_kit: MakeKit, postkit_emulator: EmulatorServer
) -> None:
    kit = make_kit()
    plan = kit.plan(Post("Look", link="https://example.com/launch"), ["bluesky"])
    (line,) = lines(plan)
    assert line == "link card without title: no page is fetched for an account on this machine"
    assert kit.finish(kit.accept(plan)).deliveries[0].state == "live"
    (live,) = postkit_emulator.posts("bluesky")
    assert live.card is not None
    assert (live.card.title, live.card.image) == ("example.com", None)
