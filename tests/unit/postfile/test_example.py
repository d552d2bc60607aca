"""Post files as an author writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from postkit.errors import InputError
from postkit.post import Media, Poll, Post
from postkit.postfile import read, read_bytes, read_text

LAUNCH = """\
---
title: We ship today
to: [x, "reddit:acme/python"]
media:
  - {file: rocket.jpg, alt: "A rocket on its pad"}
link: https://example.com/launch
tags: [launch]
networks:
  reddit: {options: {flair: News}}
  x: {text: "We ship today: https://example.com/launch"}
---
First part of the thread.

---

Second part.

![The team](team.jpg)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("rocket.jpg", "team.jpg", "a b.jpg", "p(1).jpg"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def shown(media: tuple[Media, ...]) -> list[tuple[str, str]]:
    return [(m.name, m.alt) for m in media]


def front(matter: str, body: str = "Text") -> Post:
    return read_text(f"---\n{matter}\n---\n{body}", None, "post.md")


def test_the_example_of_the_design(folder: Path) -> None:
    file = folder / "launch.md"
    file.write_text(LAUNCH, encoding="utf-8")
    post = Post.from_file(file)
    assert [part.text for part in post.parts] == ["First part of the thread.", "Second part."]
    assert shown(post.parts[0].media) == [("rocket.jpg", "A rocket on its pad")]
    assert shown(post.parts[1].media) == [("team.jpg", "The team")]
    assert post.media[0].path == (folder / "rocket.jpg").resolve()
    assert post.title == "We ship today"
    assert post.to == ("x", "reddit:acme/python")
    assert post.link == "https://example.com/launch"
    assert post.tags == ("launch",)
    assert dict(post.networks["reddit"].options) == {"flair": "News"}
    assert post.networks["x"].text == "We ship today: https://example.com/launch"
    assert post.networks["x"].options == {}


def test_line_ends_and_byte_order_mark_change_nothing(folder: Path) -> None:
    windows = b"\xef\xbb\xbf" + LAUNCH.replace("\n", "\r\n").encode()
    plain = read_bytes(LAUNCH.encode(), folder, "launch.md")
    assert read_bytes(windows, folder, "launch.md").content_hash() == plain.content_hash()


def test_a_file_without_front_matter_is_all_text() -> None:
    post = read_text("\n  \n# Title: *kept* as typed\n\n***\n\n`end`  \n\n", None, "post.md")
    assert post.text == "# Title: *kept* as typed\n\n***\n\n`end`  "
    assert post.title is None


def test_scalars_are_text_until_the_schema_types_them() -> None:
    post = front(
        'lang: no\ntitle: "#1"\nvisibility: 0x1F\nreplies: nobody\ncontent-warning: 2026-01-01'
    )
    assert (post.lang, post.title, post.visibility) == ("no", "#1", "0x1F")
    assert post.replies == "nobody"
    assert post.content_warning == "2026-01-01"


def test_lists_of_words_may_be_one_text() -> None:
    post = front("to: one, two:acme/there\ntags: launch, news")
    assert (post.to, post.tags) == (("one", "two:acme/there"), ("launch", "news"))
    assert front('to: "@launch"\ntags: ["#launch"]').tags == ("launch",)


@pytest.mark.parametrize(
    ("lines", "poll"),
    [
        ("options: [Tea, Coffee]", Poll(("Tea", "Coffee"))),
        ("options: [Tea, No], minutes: 5", Poll(("Tea", "No"), 5)),
        ("options: [Tea, Coffee], hours: 2, multiple: yes", Poll(("Tea", "Coffee"), 120, True)),
        ("options: [Tea, Coffee], days: 3, multiple: False", Poll(("Tea", "Coffee"), 4320)),
        ("options: [Tea, Coffee], duration: 1d", Poll(("Tea", "Coffee"), 1440)),
        ("options: [Tea, Coffee], duration: 1d 2h 3m", Poll(("Tea", "Coffee"), 1563)),
    ],
)
def test_poll(lines: str, poll: Poll) -> None:
    assert front(f"poll: {{{lines}}}").poll == poll


def test_options_stay_text_or_lists_of_text() -> None:
    post = front("networks:\n  one:\n    options: {n: 007, sure: yes, many: [a, 1]}\n    title: T")
    assert dict(post.networks["one"].options) == {"n": "007", "sure": "yes", "many": ["a", "1"]}
    assert post.networks["one"].title == "T"


def test_block_texts_end_without_their_line_break() -> None:
    post = front("title: >\n  folded\n  text\nnetworks:\n  one:\n    text: |\n      a\n\n      b\n")
    assert (post.title, post.networks["one"].text) == ("folded text", "a\n\nb")


def test_a_comment_after_a_value_is_no_part_of_it() -> None:
    assert front("# all of it\ntitle: Hello # said to all\n").title == "Hello"


@pytest.mark.parametrize(
    ("written", "media"),
    [
        ("![Team](team.jpg)", [("team.jpg", "Team")]),
        ("![](team.jpg)", [("team.jpg", "")]),
        ("   ![Team](  team.jpg  )  ", [("team.jpg", "Team")]),
        ('![Team](team.jpg "All of us")', [("team.jpg", "Team")]),
        ("![](team.jpg 'All of us')", [("team.jpg", "All of us")]),
        ("![A \\[small\\] team](team.jpg)", [("team.jpg", "A [small] team")]),
        ("![A [small] team](team.jpg)", [("team.jpg", "A [small] team")]),
        ("![A team\n  at sea](team.jpg)", [("team.jpg", "A team at sea")]),
        ("![AB](<a b.jpg>)", [("a b.jpg", "AB")]),
        ("![AB](a%20b.jpg)", [("a b.jpg", "AB")]),
        ("![P](p(1).jpg)", [("p(1).jpg", "P")]),
        ("![P](p\\(1\\).jpg)", [("p(1).jpg", "P")]),
        ("![1](team.jpg)\n![2](rocket.jpg)", [("team.jpg", "1"), ("rocket.jpg", "2")]),
        ("![1](team.jpg) ![2](./rocket.jpg)", [("team.jpg", "1"), ("rocket.jpg", "2")]),
    ],
)
def test_pictures_of_a_paragraph(folder: Path, written: str, media: list[tuple[str, str]]) -> None:
    post = read_text(f"Before\n\n{written}\n\nAfter", folder, "post.md")
    assert shown(post.media) == media
    assert post.text == "Before\n\nAfter"


def test_pictures_of_the_front_matter_come_first(folder: Path) -> None:
    text = "---\nmedia: [rocket.jpg]\n---\n![2](team.jpg)\n\nOne\n\n---\n\n![3](<a b.jpg>)\n"
    post = read_text(text, folder, "post.md")
    assert [[m.name for m in part.media] for part in post.parts] == [
        ["rocket.jpg", "team.jpg"],
        ["a b.jpg"],
    ]
    assert [part.text for part in post.parts] == ["One", ""]


def test_a_first_part_may_be_its_pictures_alone(folder: Path) -> None:
    post = read_text("---\nmedia: [rocket.jpg]\n---\n\n---\n\nTwo", folder, "post.md")
    assert [(part.text, len(part.media)) for part in post.parts] == [("", 1), ("Two", 0)]


def test_pictures_below_and_links_inside_the_folder(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "in.jpg").write_bytes(b"in")
    (folder / "link.jpg").symlink_to("sub/in.jpg")
    text = "---\nmedia: [sub/in.jpg, sub/../rocket.jpg, link.jpg]\n---\n"
    post = read_text(text, folder, "post.md")
    assert [m.read() for m in post.media] == [b"in", b"rocket.jpg", b"in"]
    assert [m.name for m in post.media] == ["in.jpg", "rocket.jpg", "link.jpg"]


@pytest.mark.parametrize(
    "code",
    [
        "```\n---\n\n---\n![a](b.jpg)\n```",
        "````md\n```\n---\n````",
        "~~~ a ` b\n```\n---\n~~~~",
        "`![a](b.jpg)` and ``![a](b`.jpg)``",
        "```\nnever closed, but hiding nothing",
        "\\![a](b.jpg) and ![a] and ![a][b]",
        "----\n- - -\n***\n    ---",
        "a --- b\n> ---",
    ],
)
def test_code_and_other_marks_stay_as_typed(code: str) -> None:
    post = read_text(f"Before\n\n{code}\n", None, "post.md")
    assert [part.text for part in post.parts] == [f"Before\n\n{code}"]


def test_a_file_is_found_relative_to_the_working_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "p.md").write_text("![R](rocket.jpg)", encoding="utf-8")
    monkeypatch.chdir(folder)
    assert read(Path("p.md")).media[0].read() == b"rocket.jpg"


def test_media_are_not_read_before_they_are_needed(folder: Path) -> None:
    post = read_text("![R](rocket.jpg)", folder, "post.md")
    (folder / "rocket.jpg").unlink()
    with pytest.raises(InputError, match=r"rocket\.jpg"):
        post.media[0].read()
