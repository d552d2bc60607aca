"""What the table cannot say: cashtags, the spelling of options, prices, the guarantee."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from postkit_x.plugin import X

from postkit.network import (
    Account,
    Attachment,
    CannotRender,
    RenderedPart,
    RenderOptions,
    Rendition,
)
from postkit.post import Media, Part, Poll, Post, Settings

NETWORK = X()
ACCOUNT = Account("a_1", "x", "me")
Attach = Callable[..., Attachment]


def tiny() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "PNG")
    return stream.getvalue()


def adapt(post: Post, **options: Any) -> Rendition:
    return NETWORK.adapt(post, NETWORK.limits, RenderOptions(options))


def reasons(post: Post, **options: Any) -> str:
    with pytest.raises(CannotRender) as caught:
        adapt(post, **options)
    return "\n".join(caught.value.reasons)


def test_280_stay_one_post_and_281_become_two() -> None:
    words = "word " * 55 + "wordy"
    assert [part.text for part in adapt(Post(words)).parts] == [words]
    assert len(words) == 280
    assert len(adapt(Post(words + "s")).parts) == 2


def test_a_link_is_written_into_the_text() -> None:
    (part,) = adapt(Post("Look", link="https://example.com/launch")).parts
    assert part.text.endswith("https://example.com/launch")


def test_one_cashtag_in_a_post() -> None:
    assert adapt(Post("$AAPL up")).parts[0].text == "$AAPL up"
    assert adapt(Post(["$AAPL up", "$TWTR down"])).parts[1].text == "$TWTR down"
    assert "2 cashtags ($AAPL, $TWTR)" in reasons(Post("$AAPL and $TWTR"))
    assert "Part 2 has 2 cashtags" in reasons(Post(["Hi", "$AAPL and $TWTR"]))


def test_a_text_that_is_there_twice_would_stop_the_thread() -> None:
    assert "Part 3 has the text of part 1" in reasons(Post(["Hi", "Ho", "Hi "]))
    assert "2 parts have the text of part 1" in reasons(Post(["Hi", "Hi", "Hi "]))
    pictured = Part("Hi", (Media(tiny()),))
    assert len(adapt(Post(["Hi", pictured])).parts) == 2


def test_a_poll_needs_a_text() -> None:
    poll = Poll(("Yes", "No"), 60)
    assert adapt(Post("Tea?", poll=poll)).parts[0].fields["poll"]["options"] == ["Yes", "No"]
    assert "X asks for a text" in reasons(Post("", poll=poll))


def test_options_are_checked_before_anything_is_sent() -> None:
    fine = adapt(Post("Hi"), reply_to="https://x.com/a/status/5", community="7").parts[0]
    assert fine.fields["options"]["reply_to"] == "https://x.com/a/status/5"
    assert "x.reply_to='mine'" in reasons(Post("Hi"), reply_to="mine")
    assert "x.community='abc'" in reasons(Post("Hi"), community="abc")
    assert "x.share_with_followers" in reasons(Post("Hi"), share_with_followers=True)
    own = Post("Hi", networks={"x": Settings(options={"reply_to": "mine"})})
    assert "x.reply_to='mine'" in reasons(own)


def test_who_may_reply_is_said_in_one_way() -> None:
    assert adapt(Post("Hi", replies="following")).parts[0].fields == {"replies": "following"}
    assert "replies: 'followers' is not possible here" in reasons(Post("Hi", replies="followers"))
    contradiction = "'everyone' and x.reply_settings=verified contradict each other"
    assert contradiction in reasons(Post("Hi", replies="everyone"), reply_settings="verified")
    own = Settings(options={"reply_settings": "following"})
    told = reasons(Post("Hi", replies="mentioned", networks={"x": own}))
    assert told == (
        "replies: 'mentioned' and x.reply_settings=following contradict each other; leave one out."
    )
    same = adapt(Post("Hi", replies="mentioned"), reply_settings="mentionedUsers")
    assert same.parts[0].fields["replies"] == "mentioned"


def test_all_problems_come_at_once() -> None:
    found = reasons(Post("$A and $B", poll=Poll(("Yes",), 1)), reply_to="mine")
    assert "x.reply_to" in found
    assert "1 options" in found
    assert "1 minutes" in found


def test_four_pictures_in_a_post(picture: Callable[..., bytes]) -> None:
    media = [Media(picture(colour), "alt") for colour in ("red", "blue", "green", "white", "black")]
    assert [len(part.media) for part in adapt(Post("Five", media=media)).parts] == [4, 1]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("Hello", 0.015),
        ("Hello https://example.com", 0.20),
        ("Hello example.com", 0.20),
        ("https://a.example.com https://b.example.com", 0.20),
        ("me@example.com", 0.015),
    ],
)
def test_prices(text: str, amount: float, attached: Attach) -> None:
    cost = NETWORK.cost(RenderedPart(text))
    assert (cost.amount, cost.currency) == (amount, "USD")
    media = (attached("red", "Red"), attached("blue"), attached("green", "Green"))
    assert NETWORK.cost(RenderedPart(text, media)).amount == pytest.approx(amount + 0.010)


def test_only_plain_text_may_be_sent_again(attached: Attach) -> None:
    text = NETWORK.guarantee(RenderedPart("Hello"), ACCOUNT)
    assert text.kind == "duplicate_refusal"
    assert (text.quiet, text.key_ttl, text.resend_when_absent) == (900.0, 86_400.0, True)
    for part in (
        RenderedPart("Hello", (attached(),)),
        RenderedPart("", (attached(),)),
        RenderedPart("Tea?", fields={"poll": {"options": ["a", "b"], "minutes": 5}}),
    ):
        other = NETWORK.guarantee(part, ACCOUNT)
        assert other.kind == "duplicate_refusal"
        assert not other.resend_when_absent


def test_the_sign_that_makes_a_text_invalid_is_named() -> None:
    assert "U+FEFF, which X refuses; remove it." in reasons(Post(["a", "b\ufeffc"]))
