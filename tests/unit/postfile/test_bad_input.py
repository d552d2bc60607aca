"""What cannot be used: each with its place, its field and what to do."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from postkit.errors import InputError
from postkit.postfile import MAX_BYTES, read, read_bytes, read_text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "posts"
    (here / "sub").mkdir(parents=True)
    (here / "cat.jpg").write_bytes(b"cat")
    (tmp_path / "outside.jpg").write_bytes(b"secret")
    (here / "link.jpg").symlink_to("../outside.jpg")
    (here / "away").symlink_to("..")
    (here / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(here / "pipe.jpg")
    return here


def problems(text: str, folder: Path | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_text(text, folder, "p.md")
    return list(caught.value.problems)


FRONT = [
    # (front matter, [(line, field, words of the sentence)])
    ("title: #1", [(2, "title", "quotes")]),
    ("title:", [(2, "title", "no value")]),
    ("title: We are #1", [(2, "title", "comment and would be lost")]),
    ("tags: launch, #news", [(2, "tags", "comment and would be lost")]),
    ("tags: [#launch]", [(2, "tags", "What follows # is a comment")]),
    ("tags: [#launch]\ntitle: x", [(2, "tags", "What follows # is a comment")]),
    ("tags:\n  - #launch", [(3, "tags[1]", "What follows # is a comment")]),
    ("title: a: b", [(2, "title", '": " must be in quotes')]),
    ("lang: en\ntitle: @you", [(3, "title", "cannot begin with @")]),
    ("title: `x`", [(2, "title", "cannot begin with `")]),
    ("title: *bold*", [(2, "title", "begins with * in quotes")]),
    ("title: *bold", [(2, "title", "begins with * in quotes")]),
    ("title: &x y", [(2, "title", "begins with & in quotes")]),
    ("title: !!python/object:os.system x", [(2, "title", "tags are not allowed")]),
    ("title: !important", [(2, "title", "tags are not allowed")]),
    ("title: !a!b c", [(2, "title", "tags are not allowed")]),
    ("media: !!set {a}", [(2, "media", "tags are not allowed"), (2, "media", "a list, not a map")]),
    ("<<: {title: x}", [(2, "front matter", "Merge keys")]),
    ('title: "abc\nlang: en', [(2, "title", "quote that begins here is not closed")]),
    ("to: [a, b\nlang: en", [(2, "to", "lacks its ]")]),
    ("poll: {options: [a, b]\nlang: en", [(2, "poll", "lacks its }")]),
    ("lang: en\n\ttitle: x", [(3, "front matter", "spaces")]),
    ('title: "a\\q"', [(2, "title", "backslash")]),
    ('title: "\\UFFFFFFFF"', [(2, "title", "escape")]),
    ('title: "\\U00110000"', [(2, "title", "escape")]),
    ('title: "\\ud800"', [(2, "title", "surrogate")]),
    ('title: "a\\0b"', [(2, "title", "control character")]),
    ("title\nlang: en", [(3, "lang", "in quotes")]),
    ("lang: en\ntitle", [(3, "front matter", "no `key: value`")]),
    ("title: 'it's'", [(2, "title", "quote a value as a whole")]),
    ("title: x\n...\nfoo: bar", [(4, "foo", "Only lines of `key: value`")]),
    ("title: x\n--- a", [(3, "front matter", "second document")]),
    ("%YAML 1.1", [(2, "front matter", "Only lines of `key: value`")]),
    ("just text", [(2, "front matter", "lines of `key: value`")]),
    ("- a", [(2, "front matter", "lines of `key: value`")]),
    ("? [a]\n: b", [(2, "front matter", "key must be a word")]),
    ("title: {{ x }}", [(2, "title", "key must be a word"), (2, "title", "text, not a map")]),
    ("titel: x", [(2, "titel", "Did you mean 'title'?")]),
    ("qqq: x", [(2, "qqq", "Known are: title, to,")]),
    ("title: x\nlang: en\ntitle: y", [(4, "title", "line 2 has it")]),
    ("content-warning: x\ncontent_warning: y", [(3, "content_warning", "line 2 again")]),
    ("alt: A cat", [(2, "alt", "belongs to its picture")]),
    ("text: x", [(2, "text", "follows the front matter")]),
    (
        "at: 2027-01-01\nzone: Europe/Berln\nexpires: soon",
        [
            (2, "at", "has no time of day; write one"),
            (3, "zone", "Did you mean 'Europe/Berlin'?"),
            (4, "expires", "write it as '6h', '90m' or '2d'"),
        ],
    ),
    ("lang: en\nzone: +02:00", [(3, "zone", "is an offset, not a zone")]),
    ("at: 2020-01-04T09:00+01:00\nzone: UTC", [(2, "at", "says it twice")]),
    ("at: 4.1.2027 9:00", [(2, "at", "'2027-01-04 9:00'")]),
    ("at: [tomorrow]", [(2, "at", "text, not a list")]),
    ("expires: 0h", [(2, "expires", "no time from 1s to 366d")]),
    ("title: [a, b]", [(2, "title", "text, not a list")]),
    ("title: {a: b}", [(2, "title", "text, not a map")]),
    ('lang: " "', [(2, "lang", "blank")]),
    ("to: {a: b}", [(2, "to", "a list, not a map")]),
    ("to: a,, b", [(2, "to", "Between two commas")]),
    ('to: [a, ""]', [(2, "to[2]", "blank")]),
    ("lang: en\ntags: [two words]", [(3, "tag 'two words' is empty or contains a space", "")]),
    ("link: ftp://x", [(2, "link", "https://")]),
    ("poll: [a, b]", [(2, "poll", "a map of `key: value`, not a list")]),
    ("poll: {days: 1}", [(2, "poll", "options are missing")]),
    ("poll: {options: [a]}", [(2, "poll.options", "two options")]),
    ('poll: {options: [a, ""]}', [(2, "poll.options[2]", "blank")]),
    ("poll:\n  options: [a, b]\n  days: x", [(4, "poll.days", "'x' is no whole number")]),
    ("poll: {options: [a, b], days: 0}", [(2, "poll.days", "no whole number")]),
    ("poll: {options: [a, b], days: " + "9" * 9999 + "}", [(2, "poll.days", "no whole number")]),
    ("poll: {options: [a, b], days: 1, hours: 2}", [(2, "poll.hours", "keep one")]),
    ("poll: {options: [a, b], duration: soon}", [(2, "poll.duration", "1d, 12h or 30m")]),
    ("poll: {options: [a, b], multiple: maybe}", [(2, "poll.multiple", "neither yes nor no")]),
    ("poll: {options: [a, b], multipel: yes}", [(2, "poll.multipel", "Did you mean 'multiple'")]),
    ("networks: [a]", [(2, "networks", "a map of `key: value`, not a list")]),
    ("networks: {one: Hello}", [(2, "networks.one", "a map of `key: value`, not text")]),
    ("networks: {one: {flair: N}}", [(2, "networks.one.flair", "stand below options")]),
    ("networks: {one: {titel: N}}", [(2, "networks.one.titel", "Did you mean 'title'")]),
    ("networks: {one: {link: N}}", [(2, "networks.one.link", "https://")]),
    ("networks: {one: {options: {a: {b: c}}}}", [(2, "networks.one.options.a", "not a map")]),
    ("networks: {one: {options: {a: [[b]]}}}", [(2, "networks.one.options.a[1]", "not a list")]),
    ("networks: {one: {}, one: {}}", [(2, "networks.one", "twice")]),
    ("a: " + "[" * 100, [(2, "a", "nested more than 10 deep")]),
    ("a: " + "{a: " * 100 + "1" + "}" * 100, [(2, "a.a.a", "nested more than 10 deep")]),
    ("\n".join(" " * n + "a:" for n in range(100)), [(12, "a.a.a", "nested more than 10 deep")]),
    ("- " * 100, [(2, "front matter", "nested more than 10 deep")]),
    ("to: [" + "a, " * 10_001 + "]", [(2, "to", "more than 10,000 values")]),
    ("title: a\ufffeb", [(2, "front matter", "U+FFFE")]),
    ('title: "a\u2028b"\nlang:', [(3, "lang", "no value")]),
]


@pytest.mark.parametrize(("matter", "wanted"), FRONT, ids=[repr(m[:30]) for m, _ in FRONT])
def test_front_matter(matter: str, wanted: list[tuple[int, str, str]]) -> None:
    found = [p for p in problems(f"---\n{matter}\n---\nText") if "There is no key 'a'" not in p]
    assert len(found) == len(wanted), found
    for problem, (line, field, words) in zip(found, wanted, strict=True):
        assert problem.startswith(f"p.md:{line}: {field}"), problem
        assert words in problem
        assert "\n" not in problem
        assert len(problem) < 400


BODY = [
    # (file, [(line, words)])
    ("a\n---\nb", [(2, "--- separates parts only with a blank line")]),
    ("a\n\n---\nb", [(3, "or write *** for a rule")]),
    ("a\n---\n\nb", [(2, "or write *** for a rule")]),
    ("---\nlang: en\n---\n---\n\nb", [(4, "part above this --- is empty")]),
    ("a\n\n---\n\n---\n\nb", [(5, "part above this --- is empty")]),
    ("a\n\n---\n\n---\n\n---\n\nb", [(5, "is empty"), (7, "is empty")]),
    ("a\n\n---\n", [(3, "part below this --- is empty")]),
    ("\n\n---\nlang: en\n---\na", [(3, "front matter: Front matter begins on the first line")]),
    ("---\nlang: en\n", [(1, "front matter: The front matter that begins here has no end")]),
    ("a\n\n```\nb\n\n---\n\nc", [(3, "code block that begins here is not closed")]),
    ("a ![x](cat.jpg) b", [(1, "'cat.jpg' must stand alone")]),
    ("a\nb\n![x](cat.jpg)", [(3, "must stand alone")]),
    ("- ![x](cat.jpg)", [(1, "must stand alone")]),
    ("a\n\n    ![x](cat.jpg)", [(3, "must stand alone")]),
    ("[![x](cat.jpg)](https://example.com)", [(1, "must stand alone")]),
    ("a `b ![x](cat.jpg)", [(1, "must stand alone")]),
    ("![x](my cat.jpg)", [(1, "file with spaces.jpg")]),
    ("![x](cat.jpg", [(1, "cannot be read as a picture")]),
    ("![x]()", [(1, "file is missing")]),
    ("![x](<>)", [(1, "file is missing")]),
    ("![x](http://example.com/cat.jpg)", [(1, "http is not fetched, only https")]),
    ("---\nmedia: [{url: https://a.example/b, file: b.jpg}]\n---\na", [(2, "not both")]),
    ("---\nmedia:\n  - alt: x\n    url: ftp://a.example/b\n---\na", [(4, "ftp is not fetched")]),
    ("---\nmedia: [{url: cat.jpg}]\n---\na", [(2, "an address without https is not fetched")]),
    ("![x](https://me@example.com/cat.jpg)", [(1, "user name or a password")]),
    ("![x](https://localhost/cat.jpg)", [(1, "inside a machine or a local network")]),
    ("![x](//example.com/cat.jpg)", [(1, "is an address")]),
    ("![x](data:image/png;base64,AA)", [(1, "is an address")]),
    ("![x](file:///etc/passwd)", [(1, "is an address")]),
    ("![x](/etc/passwd)", [(1, "absolute path")]),
    ("![x](C:/cat.jpg)", [(1, "absolute path")]),
    ("![x](~/cat.jpg)", [(1, "absolute path")]),
    ("![x](../outside.jpg)", [(1, "leaves the post's folder")]),
    ("![x](%2e%2e/outside.jpg)", [(1, "does not exist")]),
    ("![x](sub/../../outside.jpg)", [(1, "leaves the post's folder")]),
    ("![x](link.jpg)", [(1, "links out of the post's folder")]),
    ("![x](away/outside.jpg)", [(1, "links out of the post's folder")]),
    ("![x](loop.jpg)", [(1, "cannot be used")]),
    ("![x](sub)", [(1, "is a folder")]),
    ("![x](.)", [(1, "is a folder")]),
    ("![x](pipe.jpg)", [(1, "is a pipe")]),
    ("![x](cat.jpg/dog.jpg)", [(1, "does not exist")]),
    (f"![x]({'a' * 300}.jpg)", [(1, "cannot be used: File name too long")]),
    ("![x](Cat.jpeg)", [(1, "does not exist in the post's folder. Did you mean 'cat.jpg'?")]),
    ("a\nb\x07\n\ud800", [(2, "Character 2 is a control"), (3, "half of a surrogate pair")]),
    ("![x](cat.jpg) " * 1001, [(1, "more than 1,000 pictures")]),
]


@pytest.mark.parametrize(("file", "wanted"), BODY, ids=[repr(f[:30]) for f, _ in BODY])
def test_body(file: str, wanted: list[tuple[int, str]], folder: Path) -> None:
    found = problems(file, folder)
    assert len(found) == len(wanted), found
    for problem, (line, words) in zip(found, wanted, strict=True):
        assert problem.startswith(f"p.md:{line}: "), problem
        assert words in problem


@pytest.mark.parametrize(
    ("entry", "field", "words"),
    [
        ("cat.jpg", "media", "a list, not text"),
        ("{file: cat.jpg}", "media", "a list, not a map"),
        ("[[cat.jpg]]", "media[1]", "a map of `key: value`, not a list"),
        ("[{alt: A cat}]", "media[1]", "file or url is missing"),
        ("[{file: cat.jpg, alt: A cat, black}]", "media[1].black", "comma ends a value"),
        ("[{file: cat.jpg, atl: A cat}]", "media[1].atl", "Did you mean 'alt'?"),
        ("[{file: cat.jpg, alt: [A cat]}]", "media[1].alt", "text, not a list"),
        ("[cat.jpg, {file: ../outside.jpg}]", "media[2].file", "leaves"),
        ("[a%20cat.jpg]", "media[1]", "does not exist"),
        ('["\\0.jpg"]', "media[1]", "cannot be used"),
        ('["\\ud800.jpg"]', "media[1]", "cannot be used"),
    ],
)
def test_media_of_the_front_matter(entry: str, field: str, words: str, folder: Path) -> None:
    (problem,) = problems(f"---\nlang: en\nmedia: {entry}\n---\nText", folder)
    assert problem.startswith(f"p.md:3: {field}: ")
    assert words in problem


def test_every_problem_is_listed_in_the_order_of_the_file(folder: Path) -> None:
    text = '---\ntitle: #1\nlink: x\nat: 9\ntags: ["a b"]\n---\na\n---\nb\n\n![x](dog.png)\n\n\x01'
    found = problems(text, folder)
    assert [p.split(":")[1] for p in found] == ["2", "3", "4", "5", "8", "11", "13"]


@pytest.mark.parametrize("at", ["2020-01-01 9:00", "tomorrow 9:00", "in 2h", "2020-01-01T00:00Z"])
def test_a_time_is_kept_as_it_was_written(at: str) -> None:
    # Whether it is past is judged when the post is planned: another time may be given then.
    post = read_text(f"---\nat: {at}\nexpires: never\n---\nText", None, "p.md")
    assert (post.at, post.zone, post.expires) == (at, None, "never")
    assert read_text("---\nzone: utc\n---\nText", None, "p.md").zone == "utc"


def test_problems_after_a_broken_line_are_listed_too(folder: Path) -> None:
    found = problems("---\nlnk: x\ntitle: a: b\n---\n\n---\n\nb\n---\n", folder)
    assert [p.split(":")[1] for p in found] == ["2", "3", "9"]


def test_more_problems_than_anyone_reads_are_counted() -> None:
    found = problems("---\n" + "".join(f"k{n}: x\n" for n in range(150)) + "---\nText")
    assert len(found) == 101
    assert found[-1] == "p.md: 50 more problems are not listed."


def test_an_empty_post_is_refused_once() -> None:
    assert problems("") == ["p.md: The post is empty: give it a text, a picture or a link."]
    assert len(problems("---\nlang: en\n---\n\n")) == 1
    (problem,) = problems("---\nlink: nowhere\n---\n")
    assert problem.startswith("p.md:2: link: ")


def test_media_need_a_folder() -> None:
    (problem,) = problems("![x](cat.jpg)", None)
    assert "has no folder" in problem


def test_names_of_files_and_keys_cannot_disturb_a_terminal(folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_text('---\n"k\\e[31m": x\n---\n![x](a\u202eb.jpg)', folder, "p\x1b\n.md")
    assert all(line.isprintable() for line in caught.value.problems)


def read_error(path: Path) -> str:
    caught: list[str] = []

    def reading() -> None:
        try:
            read(path)
        except InputError as error:
            caught.extend(error.problems)

    # In a thread of its own: one that blocks must fail this test, not stop the run.
    thread = threading.Thread(target=reading, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    (problem,) = caught
    return problem.removeprefix(str(path))


def test_files_that_are_no_text_files(folder: Path) -> None:
    assert "regular file" in read_error(folder)
    assert "a pipe" in read_error(folder / "pipe.jpg")
    assert "a device" in read_error(Path("/dev/zero"))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(folder / "s"))
        assert "a socket" in read_error(folder / "s")
    assert "cannot be read" in read_error(folder / "loop.jpg")
    assert "cannot be read" in read_error(Path("a\0b.md"))


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "launch.md").write_text("x", encoding="utf-8")
    assert read_error(folder / "lunch.md") == ": There is no such file. Did you mean 'launch.md'?"
    assert read_error(folder / "none" / "p.md") == ": There is no such file."


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"ab\xff", ":1: encoding: Byte 3 of this line (0xFF) is not UTF-8; "),
        (b"a\nb\r\ncaf\xe9", ":3: encoding: Byte 4 of this line (0xE9) is not UTF-8; "),
        (b"\xed\xa0\x80", ":1: encoding: Byte 1 of this line (0xED) is not UTF-8; "),
        ("hé".encode("utf-16"), ":1: encoding: The file is UTF-16; "),
    ],
)
def test_a_file_that_is_not_utf8(data: bytes, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        read_bytes(data, None, "p.md")
    assert caught.value.problems == (
        f"p.md{problem}save {'it' if '16' in problem else 'the file'} as UTF-8.",
    )


def test_the_size_has_a_limit(folder: Path) -> None:
    file = folder / "big.md"
    file.write_bytes(b"\n" * (MAX_BYTES - 1) + b"x")
    assert read(file).text == "x"
    file.write_bytes(b"\n" * MAX_BYTES + b"x")
    assert "1,048,576 bytes" in read_error(file)
    with pytest.raises(InputError, match="1,048,576 bytes"):
        read_text("é" * (MAX_BYTES // 2 + 1), None, "p.md")


def test_a_problem_of_the_poll_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "p.md"
    file.write_text("---\ntitle: a\npoll: {options: [b, b], days: 1}\n---\ntext\n", "utf-8")
    with pytest.raises(InputError) as caught:
        read(file)
    assert caught.value.problems == (f"{file}:3: poll: option 2 is option 1 again; change one.",)
