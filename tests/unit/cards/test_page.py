"""What a page says of itself, whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postkit.cards.page import MAX_DESCRIPTION, MAX_TITLE, Page, read_page


def page(head: str) -> Page:
    return read_page(f"<!doctype html><html><head>{head}</head><body>Hi</body></html>".encode())


def test_open_graph_comes_before_twitter_and_both_before_html() -> None:
    html = "<title>Of HTML</title><meta name=description content='By HTML'>"
    twitter = (
        "<meta name=twitter:title content='Of Twitter'>"
        "<meta name=twitter:description content='By Twitter'>"
        "<meta name=twitter:image content=/t.png>"
    )
    graph = (
        "<meta property='og:title' content='Of Graph'>"
        "<meta property='og:description' content='By Graph'>"
        "<meta property='og:image' content='/g.png'>"
    )
    assert page(html) == Page("Of HTML", "By HTML", "")
    assert page(html + twitter) == Page("Of Twitter", "By Twitter", "/t.png")
    assert page(html + twitter + graph) == Page("Of Graph", "By Graph", "/g.png")
    assert page(graph + twitter + html) == Page("Of Graph", "By Graph", "/g.png")
    safe = "<meta property=og:image:secure_url content=/s.png>"
    assert page(graph + safe).image == "/s.png"


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("<title>\n  A &amp; B\n\t&#8212; C </title>", "A & B — C"),
        ("<TITLE lang=en>A</TITLE>", "A"),
        ("<title>First</title><title>Second</title>", "First"),
        ("<meta property=og:title content=' '><title>A</title>", "A"),
        ("<meta property=og:title content=One><meta property=og:title content=Two>", "One"),
        ("<META CONTENT='A' PROPERTY='OG:Title'>", "A"),
        ("<meta name=title content=No>", ""),
        ("<script>'<title>No</title>'</script><title>A</title>", "A"),
        ("<!-- <title>No</title> --><title>A</title>", "A"),
        ("<title>A\u202egnp.exe\u2066\u0000\u200e</title>", "Agnp.exe"),
        ("<title>👩‍👩‍👧</title>", "👩‍👩‍👧"),
        ("<title>\u200b \u2060</title>", ""),
        ("</head><title>Too late</title>", ""),
        ("<body><title>Too late</title>", ""),
        ("", ""),
    ],
)
def test_a_title(head: str, title: str) -> None:
    assert page(head).title == title


@pytest.mark.parametrize(
    ("data", "declared"),
    [
        ("<title>Käse</title>".encode(), ""),
        ("<title>Käse</title>".encode("cp1252"), ""),
        ("<title>Käse</title>".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ("<title>Käse</title>".encode(), 'text/html; charset="utf-8"'),
        ("\ufeff<title>Käse</title>".encode(), "text/html; charset=iso-8859-1"),
        ("\ufeff<title>Käse</title>".encode("utf-16-le"), ""),
        ("\ufeff<title>Käse</title>".encode("utf-16-be"), ""),
        ("<meta charset=koi8-r><title>Käse</title>".replace("ä", "ж").encode("koi8-r"), ""),
        (
            "<meta http-equiv=x content='text/html;charset=shift_jis'><title>チ</title>".encode(
                "shift_jis"
            ),
            "",
        ),
        ("<title>Käse</title>".encode(), "text/html; charset=unicode_escape"),
        ("<title>Käse</title>".encode(), "text/html; charset=zlib"),
        ("<title>Käse</title>".encode(), "text/html; charset=utf-7"),
        ("<title>Käse</title>".encode(), "text/html; charset=iso-8859-99"),
        ("<title>Käse</title>…".encode()[:-1], ""),
    ],
)
def test_its_letters(data: bytes, declared: str) -> None:
    assert read_page(data, declared).title in ("Käse", "Kжse", "チ")


def test_what_is_long_is_cut() -> None:
    found = page(
        f"<title>{'a' * 9000}</title><meta name=description content='{'b ' * 9000}'>"
        f"<meta property=og:image content='https://a.example/{'c' * 9000}'>"
    )
    assert (len(found.title), found.title[-2:]) == (MAX_TITLE, "a…")
    assert len(found.description) <= MAX_DESCRIPTION
    assert len(found.image) == 4096


@pytest.mark.parametrize(
    "piece",
    ["<!--", "<![", "<a ", "</", "<?", "&#", "<", '<a b="', "<title>", "<script>", "<a\x00", "<p>"],
)
def test_a_page_of_nothing_but_beginnings_is_read_to_its_end(piece: str) -> None:
    data = (piece * 512_000)[:512_000].encode()
    assert len(read_page(data).title) <= MAX_TITLE
    assert page(f"<title>A</title>{piece * 10}").title == "A"


@given(st.binary(max_size=300), st.text(max_size=30))
def test_any_bytes_are_read(data: bytes, declared: str) -> None:
    found = read_page(b"<meta property=og:title content='" + data, declared)
    assert "\n" not in found.title + found.description
