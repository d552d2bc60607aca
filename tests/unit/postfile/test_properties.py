"""What holds for any text."""

from __future__ import annotations

import contextlib
import re
import unicodedata
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from postkit.errors import InputError
from postkit.postfile import read_bytes, read_text

MARKS = st.sampled_from(
    [
        *"-`~![]()<>{}#&*:|>%@'\",?\\ \t\n",
        "---",
        "\n---\n",
        "\n\n---\n\n",
        "```\n",
        "![",
        "](",
        "\r\n",
        *("title: ", "to: ", "media:\n  - ", "poll: {", "options: ", "networks: ", "at: ", "<<: "),
        *("\u2028", "\x85", "\x00", "\ufeff", "\ud800", '"\\U00110000"', "!!python/none ", "é"),
    ]
)
MIXED = st.lists(MARKS | st.text(max_size=3), max_size=40).map("".join)
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.just("\n"))


@given(MIXED)
def test_any_text_is_a_post_or_a_list_of_problems(text: str) -> None:
    with contextlib.suppress(InputError):
        read_text(text, Path("/nonexistent"), "p.md")


@given(MIXED)
@example('title: "\\UFFFFFFFF"')
@example("title: \ud800")
def test_any_front_matter_is_read_or_refused_with_its_line(matter: str) -> None:
    try:
        read_text(f"---\n{matter}\n---\nText", None, "p.md")
    except InputError as error:
        for problem in error.problems:
            assert re.match(r"p\.md:\d+: ", problem), problem
            assert "\n" not in problem


@given(st.binary())
def test_any_bytes_are_a_post_or_a_list_of_problems(data: bytes) -> None:
    with contextlib.suppress(InputError):
        read_bytes(data, None, "p.md")


def ordinary(text: str) -> bool:
    """No mark that has a meaning here, no blank line at the ends, and something to see."""
    seen = any(unicodedata.category(character)[0] in "LNPS" for character in text)
    special = re.search(r"^ {0,3}---[ \t]*$|!\[|\ufeff", text, re.MULTILINE)
    lines = text.split("\n")
    return seen and not special and bool(lines[0].strip() and lines[-1].strip(" \t"))


@given(PLAIN.filter(ordinary))
@example("# *a* _b_ [c](https://example.com) <d> &amp; \\* | e |\n\n\n> f\n    g\n1. h")
def test_ordinary_text_survives_to_the_byte(text: str) -> None:
    assert [part.text for part in read_text(text, None, "p.md").parts] == [text]
    assert read_bytes(text.encode(), None, "p.md").parts[0].text.encode() == text.encode()


@given(
    st.lists(PLAIN.filter(ordinary).filter(lambda t: "```" not in t and "~~~" not in t), min_size=1)
)
def test_parts_come_back_as_they_were_joined(texts: list[str]) -> None:
    post = read_text("\n\n---\n\n".join(texts) + "\n", None, "p.md")
    assert [part.text for part in post.parts] == texts
