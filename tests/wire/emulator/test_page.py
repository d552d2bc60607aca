"""The page: all that a reader sees, nothing that a script could use."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import requests

from postkit.emulator.server import EmulatorServer
from postkit.emulator.timeline import LivePost, ShownCard, ShownMedia, ShownPoll, TextLink

EVIL = "<script>alert(1)</script>\"'&"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;"


def page(server: EmulatorServer, path: str = "/") -> str:
    answer = requests.get(server.url + path, timeout=5)
    assert answer.status_code == 200
    return answer.text


def test_everything_is_escaped(server: EmulatorServer) -> None:
    server.world.timeline.add(
        LivePost(
            "chat",
            EVIL,
            EVIL,
            author=EVIL,
            text=EVIL,
            media=(ShownMedia(EVIL, "image/png", 1, 1, EVIL), ShownMedia("0", EVIL, 1, 1)),
            title=EVIL,
            link=f"http://example.com/{EVIL}",
            card=ShownCard(EVIL, EVIL, ShownMedia(EVIL, "image/png", 1, 1)),
            target=EVIL,
            content_warning=EVIL,
            language=EVIL,
            visibility=EVIL,
            replies=EVIL,
            poll=ShownPoll((EVIL, EVIL)),
            url=f"https://example.com/{EVIL}",
        )
    )
    text = page(server)
    assert "<script" not in text
    assert "alert(1)</" not in text
    assert text.count(ESCAPED) >= 15
    assert f"<strong dir=auto>{ESCAPED}</strong><span dir=auto>{ESCAPED}</span>" in text
    assert "Chat &lt;Rooms&gt;" in text


def test_dangerous_links_stay_text(server: EmulatorServer) -> None:
    text = "see this and https://example.com/a."
    links = (TextLink(0, 3, "javascript:alert(1)"), TextLink(4, 8, "//evil.example"))
    server.world.timeline.add(LivePost("chat", "1", "me", text=text, links=links))
    server.world.timeline.add(LivePost("chat", "2", "me", link="javascript:alert(2)"))
    server.world.timeline.add(LivePost("chat", "3", "me", text=text))
    shown = page(server)
    assert not re.search(r'href="(javascript|//)', shown)
    link = '<a href="https://example.com/a" rel="noreferrer nofollow">https://example.com/a</a>.'
    assert shown.count(link) == 1


def test_a_reader_sees_alt_text_warning_poll_and_target(server: EmulatorServer) -> None:
    server.world.timeline.add(
        LivePost(
            "chat",
            "1",
            "me",
            text="Body",
            media=(ShownMedia("ab12", "image/png", 40, 20, "A cat"),),
            title="Title",
            target="room",
            content_warning="Spiders",
            poll=ShownPoll(("Yes", "No"), True, datetime(2026, 11, 24, tzinfo=UTC)),
        )
    )
    shown = page(server)
    assert '<img src="/_postkit/media/ab12" alt="A cat" title="A cat"' in shown
    assert "<summary>ALT</summary>" in shown
    assert '<details class="warning"><summary>Spiders</summary>' in shown
    assert "several answers, ends 2026-11-24 00:00 UTC" in shown
    for expected in (">Yes</li>", ">No</li>", ">Title</h3>", '<span class="tag">room</span>'):
        assert expected in shown


def test_a_thread_is_one_list_in_order(server: EmulatorServer) -> None:
    for number, parent in (("1", None), ("2", "1"), ("3", "2"), ("9", "gone")):
        post = LivePost("chat", number, "me", text=f"part {number}.", parent=parent)
        server.world.timeline.add(post)
    shown = page(server)
    threads = re.findall(r"<ol class=\"([^\"]+)\">(.*?)</ol>", shown)
    found = [(kind, re.findall(r"part (\d)\.", body)) for kind, body in threads]
    assert found == [("thread", ["9"]), ("thread joined", ["1", "2", "3"])]


def test_an_empty_network_says_how_to_publish(server: EmulatorServer) -> None:
    shown = page(server)
    assert shown.count("Nothing is published yet.") == 2
    assert "postkit publish --text &quot;Hello&quot; --to chat:emulated<" in shown
    assert "--to other:emulated/room<" in shown


def test_no_script_and_no_external_resource(server: EmulatorServer) -> None:
    answer = requests.get(f"{server.url}/", timeout=5)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "url(" not in answer.text
    assert not re.search(r"(src|href)=\"(https?:)?//", answer.text)
    assert "style=" not in answer.text


def test_a_video_plays_on_the_page(server: EmulatorServer) -> None:
    media = (ShownMedia("00ff", "video/mp4", 320, 180, 'A "rocket"'),)
    server.world.timeline.add(LivePost("chat", "1", "me", media=media))
    answer = requests.get(f"{server.url}/", timeout=5)
    assert "media-src 'self'" in answer.headers["Content-Security-Policy"]
    (shown,) = re.findall(r"<video[^>]*>", answer.text)
    assert 'src="/_postkit/media/00ff"' in shown
    assert 'aria-label="A &quot;rocket&quot;"' in shown
    assert " controls" in shown
    assert "autoplay" not in shown


def test_a_permalink_shows_its_thread(server: EmulatorServer) -> None:
    created = requests.post(f"{server.url}/chat/posts", json={"text": "First"}, timeout=5)
    requests.post(f"{server.url}/chat/posts", json={"text": "Unrelated"}, timeout=5)
    shown = page(server, f"/chat/p/{created.json()['id']}")
    assert "First" in shown
    assert "Unrelated" not in shown


def test_a_lone_surrogate_does_not_break_the_page(server: EmulatorServer) -> None:
    server.world.timeline.add(LivePost("chat", "1", "\ud800", text="a\ud800b"))
    assert "a?b" in page(server)


def test_elsewhere_is_a_404_page(server: EmulatorServer) -> None:
    answer = requests.get(f"{server.url}/%3Cscript%3E", timeout=5)
    assert answer.status_code == 404
    assert "&lt;script&gt;" in answer.text
    assert requests.post(f"{server.url}/", timeout=5).status_code == 404
