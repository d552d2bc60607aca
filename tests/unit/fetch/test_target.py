"""URLs that are fine, and what is asked for by them; the others are in tests/wire/fetch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postkit.fetch.errors import Forbidden, shown
from postkit.fetch.target import follow, read_target


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://media.example", "https://media.example/"),
        ("HTTPS://Media.Example:443/a", "https://media.example/a"),
        ("https://media.example./a", "https://media.example/a"),
        ("https://media.example:/a", "https://media.example/a"),
        ("https://media.example?a=b", "https://media.example/?a=b"),
        ("https://media.example/a#b", "https://media.example/a"),
        ("https://media.example/a/../b", "https://media.example/a/../b"),
        ("https://media.example/k\u00e4se?x=\u00fc", "https://media.example/k%C3%A4se?x=%C3%BC"),
        ("https://media.example/%2e%2E/100%", "https://media.example/%2e%2E/100%"),
        ("https://b\u00fccher.example/", "https://xn--bcher-kva.example/"),
        ("https://stra\u00dfe.example/", "https://xn--strae-oqa.example/"),
        ("https://\u0430pple.example/", "https://xn--pple-43d.example/"),
        ("https://93.184.216.34/", "https://93.184.216.34/"),
        ("https://[2606:4700:4700:0::1111]/", "https://[2606:4700:4700::1111]/"),
        ("https://a_b.example/", "https://a_b.example/"),
    ],
)
def test_read(url: str, read: str) -> None:
    target = read_target(url)
    assert target.url == read
    assert read_target(target.url) == target, "It is read once more as the same."


def test_a_redirect_is_relative_to_where_it_was() -> None:
    here = read_target("https://media.example/a/b?c")
    for location, url in (
        ("d", "https://media.example/a/d"),
        ("/d", "https://media.example/d"),
        ("?d", "https://media.example/a/b?d"),
        ("//other.example/d", "https://other.example/d"),
        ("https://other.example", "https://other.example/"),
    ):
        assert follow(here, location).url == url


def test_a_message_has_no_secret() -> None:
    assert shown("https://me:pw@media.example/a?sig=1#x") == "https://media.example/a"
    assert shown("https://[bad/a?sig=1") == "https://[bad/a"
    assert shown("data:text/plain,x") == "data:text/plain,x"
    assert len(shown("https://media.example/" + "a" * 500)) == 121


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.booleans())
def test_any_text_is_read_or_refused(text: str, whole: bool) -> None:
    try:
        target = read_target(text if whole else f"https://{text}/a")
    except Forbidden:
        return
    assert read_target(target.url) == target
    assert target.host.isascii()
    assert target.path.isascii()
