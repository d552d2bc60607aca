"""`postkit preview`: what the page says, what it must not load, and how the command ends."""

from __future__ import annotations

import base64
import io
import os
import re
import stat
import struct
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from .program import Program, command, wait_for

EVIL = "<script>alert(1)</script>\"'&</style></title><img src=x onerror=alert(2)>"
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "article"),
    *("div", "p", "span", "b", "i", "em", "strong", "bdi", "a", "h1", "h2", "h3"),
    *("ol", "ul", "li", "dl", "dt", "dd", "details", "summary", "figure", "figcaption", "img"),
    *("svg", "circle", "path", "text"),
}
LOADS = {"src", "srcset", "href", "poster", "data", "action", "formaction", "background", "ping"}


class Page(HTMLParser):
    """The elements of a page, and its text without the style sheet."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self._style = False
        self.style = ""
        self.feed(html)
        self.words = re.sub(r"\s+", " ", self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._style = tag == "style"
        self.words += " " if tag in ("p", "li", "dt", "dd", "div", "h2", "h3") else ""

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._style:
            self.style += data
        else:
            self.words += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        return [
            found
            for name, found in self.elements
            if name == tag and attributes.items() <= found.items()
        ]


def previewed(postkit: Program, *arguments: str | Path, status: int = 0) -> Page:
    """The page, which loads nothing and runs nothing, whatever was given."""
    result = postkit("preview", *arguments, "--html", "-")
    assert result.status == status, result
    page = Page(result.out)
    [policy] = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"] == POLICY
    for tag, attributes in page.elements:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base", "form"), tag
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in LOADS:
                assert value.startswith(("data:image/", "#")), (tag, name, value)
            assert "url(" not in value or name in ("alt", "title", "aria-label")
    assert "url(" not in page.style
    assert "@import" not in page.style
    return page


def picture(path: Path, width: int = 60, height: int = 40, *, noise: bool = False) -> Path:
    data = os.urandom(width * height * 3) if noise else b"\x10\x80\xf0" * (width * height)
    Image.frombytes("RGB", (width, height), data).save(path)
    return path


def test_it_needs_no_account_and_leaves_nothing(postkit: Program) -> None:
    page = previewed(postkit, "--text", "Hello", "--to", "x,mastodon:shop,facebook")
    assert page.words.count("not connected: the network's usual limits") == 3
    assert "Your account" in page.words
    assert "mastodon:shop" in page.words
    assert not postkit.home.exists()
    assert postkit.server.requests() == []


def test_a_connected_account_is_shown_by_its_name(mastodon: Program) -> None:
    before = len(mastodon.server.requests())
    page = previewed(mastodon, "--text", "Hello", "--to", "mastodon,mastodon:other")
    assert len(mastodon.server.requests()) == before
    assert "@emulated" in page.words
    assert page.words.count("not connected: the network's usual limits") == 1
    assert "mastodon:other is not connected. Connected: mastodon:mastodon." in page.words


def test_each_part_has_its_text_its_counters_and_its_place_in_the_thread(postkit: Program) -> None:
    (postkit.home.parent / "a.md").write_text("First part\n\n---\n\n" + "n" * 260, "utf-8")
    page = previewed(postkit, "a.md", "--to", "x,bluesky")
    assert "1 of 2" in page.words
    assert "First part" in page.words
    assert "part 1 10 of 280 weighted characters" in page.words
    assert "part 2 260 of 280 weighted characters near the limit" in page.words
    assert "part 1 10 of 300 graphemes" in page.words
    assert "part 1 10 of 3,000 bytes" in page.words
    assert len(page.all("ol", **{"class": "thread joined"})) == 2
    assert len(page.all("article")) == 4
    assert len(page.all("li", **{"class": "near"})) == 1


def test_every_field_is_told_with_a_word_and_a_reason(postkit: Program) -> None:
    file = picture(postkit.home.parent / "a.png")
    page = previewed(
        postkit,
        *("--text", "Hello", "--title", "A title", "--link", "https://example.com/a"),
        *("--media", file, "--alt", "A blue field", "--tag", "blue", "--lang", "en"),
        *("--to", "x,reddit/python,facebook"),
    )
    assert "title lost 'A title' is not sent: there are no titles here" in page.words
    assert "alt text lost a.png: alt text is not sent (A blue field)" in page.words
    assert "medium, alt text delivered" in page.words
    assert "text adapted https://example.com/a is added to the text" in page.words
    assert "link adapted https://example.com/a is added to the text" in page.words
    assert "x loses: title, language" in page.words
    assert "reddit/python loses: alt text, tag, language" in page.words
    assert "0.205 USD" in page.words
    assert "100 posts of an account in 15 min" in page.words
    assert "read back. If an answer is lost, your newest posts are read" in page.words
    shown = page.all("img", alt="A blue field")
    assert len(shown) == 2
    assert len(page.all("img", alt="")) == 1
    assert page.words.count("no alt text") == 1
    assert page.words.count("alt text A blue field 12 of") == 2


def test_what_a_network_links_stands_out_and_leads_nowhere(postkit: Program) -> None:
    text = "See https://example.com/a and @ann about #cats"
    page = previewed(postkit, "--text", text, "--to", "mastodon")
    marks = [a["class"] for a in page.all("span") if "link" in a.get("class", "").split()]
    assert marks == ["url link", "mention link", "hashtag link"]
    assert page.all("a") == []


def test_markdown_is_drawn_where_readers_see_it_so(postkit: Program, tmp_path: Path) -> None:
    file = tmp_path / "post.md"
    file.write_text(
        "# Now *out*\n\n3\\. `a|b` \\*\n\n- one\n- two\n\n|a|b|\n|-|-:|\n|1|2|\n\n> ~~no~~\n\n"
        "```\nx = <b>\n```\n\n***\n\n[here](https://example.com/a) <b>"
    )
    page = previewed(postkit, file, "--title", "T", "--to", "reddit/python")
    assert "Now out 3. a|b * one two" in page.words
    assert "x = <b> here <b>" in page.words
    tags = [tag for tag, _ in page.elements]
    for tag in ("h4", "em", "ul", "table", "th", "td", "blockquote", "s", "pre", "hr"):
        assert tag in tags, tag
    assert page.all("span", title="https://example.com/a")
    assert page.all("td", **{"class": "right"})
    file.write_text(f"[a](<https://e.com/{EVIL}>) *{EVIL}*\n\n    {EVIL}\n\n- {EVIL}")
    evil = previewed(postkit, file, "--title", "T", "--to", "reddit/python")
    assert {tag for tag, _ in evil.elements} <= {*ELEMENTS, "pre", "code"}
    raw = previewed(
        postkit, *("--text", "*a*", "--title", "T", "--to", "reddit/python"),
        *("--set", "reddit.markdown=yes"),
    )  # fmt: skip
    assert "em" in [tag for tag, _ in raw.elements]
    plain = previewed(postkit, "--text", "*a* \\b", "--title", "T", "--to", "reddit/python")
    assert "*a* \\b" in plain.words


def test_poll_warning_language_and_visibility_are_drawn(postkit: Program) -> None:
    page = previewed(
        postkit,
        *("--text", "سلام", "--lang", "ar", "--content-warning", "Spiders"),
        *("--visibility", "unlisted", "--poll", "Yes", "--poll", "No", "--poll-minutes", "120"),
        *("--to", "mastodon"),
    )
    assert page.all("p", lang="ar", dir="auto")
    assert page.all("details", **{"class": "warning"})
    assert "Spiders" in page.words
    assert "Readers see this closed." in page.words
    assert "unlisted" in page.words
    assert "Yes No Poll, one answer, open for 2 hours" in page.words


def test_who_may_reply_is_drawn_at_the_first_part(postkit: Program) -> None:
    words = " ".join(str(number) for number in range(120))
    long = "--text", words, "--replies", "following"
    page = previewed(postkit, *long, "--to", "x,bluesky")
    assert page.words.count("replies: following") == 2
    postkit.connect("x")
    shown = postkit("publish", *long, "--to", "x", "--dry-run")
    assert shown.out.count("replies  following") == 1


def test_an_address_that_refuses_shows_its_reasons_and_no_card(postkit: Program) -> None:
    page = previewed(
        postkit, "--text", "n" * 400, "--no-split", "--to", "x,mastodon", "--strict", status=1
    )
    reason = "text: 400 of 280 weighted characters and it must not be split; shorten it."
    assert f"Refused: nothing can be sent here {reason}" in page.words
    assert f"x refuses: {reason}" in page.words
    assert f"text refused {reason}" in page.words
    assert len(page.all("article")) == 1


def test_everything_is_escaped(postkit: Program) -> None:
    file = picture(postkit.home.parent / "<b>'\"&\n.png")
    page = previewed(
        postkit,
        *("--text", EVIL, "--title", EVIL, "--alt", EVIL, "--media", file, "--tag", EVIL[:8]),
        *("--content-warning", EVIL, "--link", "https://example.com/<b>"),
        *("--to", "mastodon,reddit/python,x:<i>,facebook,bluesky"),
    )
    assert page.words.count("<script>alert(1)</script>") >= 6
    assert {tag for tag, _ in page.elements} <= ELEMENTS
    asked = previewed(postkit, "--text", "?", "--poll", EVIL[:20], "--poll", "b", "--to", "x")
    assert "<script>alert(1)</s" in asked.words


def test_names_and_controls_of_direction_stay_in_their_place(postkit: Program) -> None:
    page = previewed(postkit, "--text", "\u202egnp.exe", "--to", "x:\u202eevil")
    assert "<bdi>\u202eevil</bdi>" in page.html
    # Its heading, and the line on it in the summary.
    assert page.html.count("x:\u202eevil") == page.html.count("<bdi>x:\u202eevil</bdi>") >= 1
    assert '<p class="text" dir="auto">\u202egnp.exe</p>' in page.html


def test_a_large_picture_is_shown_smaller_and_says_so(postkit: Program) -> None:
    file = picture(postkit.home.parent / "big.png", 1600, 1000, noise=True)
    page = previewed(postkit, "--media", file, "--text", "Big", "--to", "facebook")
    [shown] = page.all("img")
    assert len(shown["src"]) * 3 / 4 <= 200_100
    assert re.search(r"big\.\w+: 1600x1000, [\d.]+ MB; shown here at \d+x\d+", shown["title"])


def test_a_film_is_a_frame_with_its_facts(postkit: Program) -> None:
    film = Path(__file__).parents[2] / "postkit" / "demo" / "launch.mp4"
    page = previewed(postkit, "--media", film, "--text", "A film", "--to", "x")
    assert "2.0 s, 320x180, 9 kB, h264, aac" in page.words
    assert page.all("img")[0]["src"].startswith("data:image/jpeg;base64,")
    assert page.all("video") == []


def test_a_time_is_told(postkit: Program) -> None:
    page = previewed(
        postkit,
        *("--text", "Later", "--at", "2030-01-04 09:00", "--zone", "Europe/Berlin", "--to", "x"),
    )
    assert "Due Fri 2030-01-04 09:00 Europe/Berlin (08:00 UTC)" in page.words
    assert "Due" not in previewed(postkit, "--text", "Now", "--to", "x").words


def test_without_a_file_it_is_private_and_its_path_is_printed(postkit: Program) -> None:
    result = postkit("preview", "Hello", "--to", "x")
    assert result.status == 0
    path = Path(result.out.strip())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "Hello" in path.read_text("utf-8")
    path.unlink()
    path.parent.rmdir()


@pytest.mark.parametrize("screen", [":0", ""])
def test_it_opens_where_somebody_sits_at_a_screen(postkit: Program, screen: str) -> None:
    seen = postkit.home.parent / "seen"
    opener = postkit.home.parent / "opener"
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}.new && mv {seen}.new {seen}\n', "utf-8")
    opener.chmod(0o700)
    master, slave = os.openpty()
    variables = {"BROWSER": f"{opener} %s", "DISPLAY": screen, "WAYLAND_DISPLAY": ""}
    variables["TMPDIR"] = str(postkit.home.parent)
    try:
        subprocess.run(
            command(["preview", "Hello", "--to", "x"]),
            stdin=subprocess.DEVNULL,
            stdout=slave,
            env=postkit.environment(**variables),
            timeout=60,
            check=True,
        )
        path = os.read(master, 4096).decode().strip()
    finally:
        os.close(slave)
        os.close(master)
    if screen:
        wait_for(seen.exists)
        assert seen.read_text("utf-8") == Path(path).as_uri()
    assert seen.exists() == bool(screen)


def test_json_names_the_files_and_what_refuses(postkit: Program) -> None:
    result = postkit("preview", "n" * 600, "--no-split", "--to", "x", "--html", "a.html", "--json")
    assert result.status == 1
    assert result.json == {"html": "a.html", "png": None, "refused": ["x:x"], "warnings": []}
    assert "<!doctype html>" in Path("a.html").read_text("utf-8")
    assert result.err == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--html", "-", "--json"], "both want standard output"),
        (["--html", ""], "--html is empty"),
        (["--png", "-"], "not standard output"),
        (["--html", "no/such/folder.html"], "it cannot be written (No such file or directory)"),
        (["--at", ""], "--at is empty"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(
    postkit: Program, arguments: list[str], sentence: str
) -> None:
    result = postkit("preview", "Hello", "--to", "x", *arguments)
    assert result.status == 2
    assert sentence in result.err


def test_without_a_browser_it_says_what_to_install(
    postkit: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    message = postkit.fails(2, "preview", "Hello", "--to", "x", "--png", "a.png")
    assert "install one (on Debian: `apt install chromium`)" in message


def test_a_network_that_does_not_exist_is_no_stranger(postkit: Program) -> None:
    message = postkit.fails(2, "preview", "Hello", "--to", "mastodom")
    assert "there is no network 'mastodom'" in message


def test_such_a_plan_cannot_be_sent(postkit: Program) -> None:
    from postkit.errors import InputError
    from postkit.kit import Kit

    with Kit() as kit:
        plan = kit.plan("Hello", ["mastodon"], unconnected=True)
        with pytest.raises(InputError, match="no account is connected"):
            kit.accept(plan)


def test_what_was_sent_lately_can_still_be_looked_at(mastodon: Program) -> None:
    assert mastodon("publish", "Hello", "--to", "mastodon").status == 0
    assert "Hello" in previewed(mastodon, "--text", "Hello", "--to", "mastodon").words


def test_a_transparent_picture_keeps_what_shines_through(postkit: Program) -> None:
    file = postkit.home.parent / "a.png"
    data = io.BytesIO()
    Image.frombytes("RGBA", (500, 500), os.urandom(1_000_000)).save(data, "PNG")
    file.write_bytes(data.getvalue())
    [shown] = previewed(postkit, "--media", file, "--text", "a", "--to", "facebook").all("img")
    assert shown["src"].startswith("data:image/webp;")


def test_a_deep_picture_is_shown_as_it_is(postkit: Program) -> None:
    """A darker half and a lighter one of 16 bits, with noise that keeps it large."""
    file = postkit.home.parent / "deep.png"
    half = 400 * 200
    dark = [40 * 257 + number % 97 for number in range(half)]
    light = [200 * 257 + number * 31 % 251 for number in range(half)]
    noise = os.urandom(half * 2)
    values = [value + noise[number] for number, value in enumerate([*dark, *light])]
    data = struct.pack(f"<{len(values)}H", *values)
    Image.frombytes("I;16", (400, 400), data).save(file)
    assert file.stat().st_size > 200_000
    [shown] = previewed(postkit, "--media", file, "--text", "a", "--to", "facebook").all("img")
    with Image.open(io.BytesIO(base64.b64decode(shown["src"].partition(",")[2]))) as seen:
        grey = seen.convert("L")
        assert grey.getpixel((200, 100)) == pytest.approx(40, abs=4)
        assert grey.getpixel((200, 300)) == pytest.approx(200, abs=4)


def test_a_large_moving_picture_is_shown_still(postkit: Program) -> None:
    file = postkit.home.parent / "big.gif"
    frames = [Image.effect_noise((700, 500), spread) for spread in (50, 80)]
    frames[0].save(file, save_all=True, append_images=frames[1:], duration=100)
    [shown] = previewed(postkit, "--media", file, "--text", "a", "--to", "x").all("img")
    assert "as a still picture" in shown["title"]
