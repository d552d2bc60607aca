"""What reached the network in another form, or not at all, without a line in the report."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from postkit.adapt.breaks import find_breaks
from postkit.adapt.default import adapt
from postkit.adapt.split import cut
from postkit.limits.entities import EntityRules
from postkit.limits.model import Limits, TextLimit
from postkit.network import CannotRender, Change, RenderOptions, Rendition
from postkit.post import Media, Poll, Post

Table = Callable[..., Limits]
Photo = Callable[..., bytes]
FLAG = "🇩🇪"


def rendered(post: Post, limits: Limits, **options: Any) -> Rendition:
    return adapt("here", post, limits, RenderOptions(**options))


def reasons(post: Post, limits: Limits) -> str:
    with pytest.raises(CannotRender) as caught:
        rendered(post, limits)
    return " ".join(caught.value.reasons)


@pytest.mark.parametrize("text", [FLAG * 20_000, FLAG * 20_000 + "\U0001f1e9", "\u0600" + FLAG * 9])
def test_flags_are_cut_in_time_and_between_them(text: str) -> None:
    started = time.perf_counter()
    breaks = find_breaks(text, EntityRules())
    assert time.perf_counter() - started < 3
    start = len(text) - len(text.lstrip("\u0600"))
    assert all((at - start) % 2 == 0 for at in breaks.clusters[:-1])
    assert len(breaks.clusters) == -(-(len(text) - start) // 2)


def test_a_flag_is_never_cut(weighted: TextLimit, rules: EntityRules) -> None:
    parts = cut(FLAG * 400, (weighted,), rules)
    assert [part.replace(FLAG, "") for part in parts] == [""] * 3


@pytest.mark.parametrize(
    "text",
    [
        "see https://example.com/?#launch",
        "see https://example.com/page#launch",
        "see #launchday",
        "x#launch",
        "#launch_2",
    ],
)
def test_a_tag_that_is_written_as_part_of_something_else_is_added(text: str, table: Table) -> None:
    assert rendered(Post(text, tags=["launch"]), table()).parts[0].text == f"{text}\n\n#launch"


@pytest.mark.parametrize("text", ["see #Launch", "＃launch!", "(#LAUNCH)", "#launch-day"])
def test_a_tag_that_readers_find_is_not_added(text: str, table: Table) -> None:
    rendition = rendered(Post(text, tags=["launch"]), table())
    assert rendition.parts[0].text == text
    spelt = re.search("launch", text, re.IGNORECASE)
    told = (
        [] if spelt and spelt[0] == "launch" else [f"#launch stands there as #{spelt and spelt[0]}"]
    )
    assert [change.text for change in rendition.changes] == told


def test_a_tag_that_is_no_hashtag_is_told(table: Table) -> None:
    rendition = rendered(Post("a", tags=["c++", "2024", "word"]), table())
    assert rendition.parts[0].text == "a\n\n#c++ #2024 #word"
    lost = Change("tags", "#c++ #2024 sent as plain text: no hashtag here", 1, (1, 2))
    assert rendition.losses == (lost,)


@pytest.mark.parametrize("text", ["see https://b.com/?u=https://a.com/x", "see https://a.com/x/y"])
def test_a_link_inside_another_is_added(text: str, table: Table) -> None:
    rendition = rendered(Post(text, link="https://a.com/x"), table())
    assert rendition.parts[0].text == f"{text}\n\nhttps://a.com/x"


@pytest.mark.parametrize("text", ["(https://a.com/x).", "https://a.com/x, b", "“https://a.com/x”"])
def test_a_link_that_readers_find_is_not_added(text: str, table: Table) -> None:
    assert rendered(Post(text, link="https://a.com/x"), table()).parts[0].text == text


def test_a_title_that_is_half_a_word_of_the_text_is_lost(table: Table) -> None:
    lost = rendered(Post("Going on", title="Go"), table()).losses
    assert lost == (
        Change("title", "'Go' is not sent: there are no titles here; write it into the text", None),
    )
    assert rendered(Post("Go! On", title="Go"), table()).losses == ()


def test_a_title_of_two_lines_becomes_one_and_says_so(table: Table) -> None:
    rendition = rendered(Post("a", title="One\r\ntwo\n"), table("title and no threads"))
    assert rendition.parts[0].fields["title"] == "One two"
    assert rendition.changes == (Change("title", "its line breaks became spaces", None),)


def test_every_post_of_a_numbered_thread_has_its_number(table: Table, photo: Photo) -> None:
    data = photo()
    pictures = [Media(data, name=f"{n}.jpg") for n in range(9)]
    rendition = rendered(Post("One", media=pictures), table(), numbering=True)
    assert [part.text for part in rendition.parts] == ["One (1/3)", "(2/3)", "(3/3)"]


def test_twelve_parts_are_numbered_within_the_limit(table: Table) -> None:
    limits = table()
    rendition = rendered(Post("wörd " * 56 * 11 + "end"), limits, numbering=True)
    count = len(rendition.parts)
    assert count == 12
    for number, part in enumerate(rendition.parts, 1):
        assert part.text.endswith(f" ({number}/{count})")
        assert limits.text[0].counter.count(part.text) <= 280


@pytest.mark.parametrize("lang", ["english", "de_AT", "x\n", "d", "deutsch-AT", "de-", "de AT"])
@pytest.mark.parametrize("name", ["server", "weighted thread"])
def test_what_is_no_language_is_refused(lang: str, name: str, table: Table) -> None:
    assert f"lang: {lang!r} is no language code; write" in reasons(
        Post("a", lang=lang), table(name)
    )


@pytest.mark.parametrize("lang", ["de", "DE", "de-AT", "zh-Hant-TW", "gsw"])
def test_what_is_a_language_is_sent(lang: str, table: Table) -> None:
    assert rendered(Post("a", lang=lang), table("server")).parts[0].fields["lang"] == lang


def test_tags_alone_are_nothing_to_see(table: Table) -> None:
    limits = table("graphemes and bytes", empty_text=True)
    post = Post(poll=Poll(("a", "b")), tags=["word"])
    assert "nothing is left that can be sent here" in reasons(post, limits)


def test_invisible_signs_are_no_part(table: Table) -> None:
    rendition = rendered(Post(["a", "\u200b\u2060", "b"]), table())
    assert [part.text for part in rendition.parts] == ["a", "b"]
    assert rendition.changes == (Change("thread", "part 2 is empty and is left out", None, (2,)),)
