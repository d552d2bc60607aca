"""The preview in a real Chromium: nothing leaves, nothing runs, everything fits and can be read."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from postkit.preview.browser import Browser
from postkit.preview.screenshot import TALLEST, find_browser

from .conftest import Folder, Proxy

LOST = (0xC0, 0x35, 0x2C)
"""The colour of the sign for what is lost."""
TOO_WIDE = """
Array.from(document.body.querySelectorAll("*"))
  .filter(one => one.getBoundingClientRect().right > innerWidth + 0.5
                 || one.getBoundingClientRect().left < -0.5)
  .map(one => one.outerHTML.slice(0, 90))
"""
FAINT = """
(() => {
  const parts = color => (color.match(/[\\d.]+/g) || []).map(Number);
  const over = ([r, g, b, a = 1], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
  const ground = one => {
    const under = one.parentElement ? ground(one.parentElement) : [255, 255, 255];
    return over(parts(getComputedStyle(one).backgroundColor), under);
  };
  const light = rgb => rgb.map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const seen = Array.from(document.body.querySelectorAll("*:not(svg *)")).filter(one =>
    Array.from(one.childNodes).some(node => node.nodeType === 3 && node.data.trim()));
  const measured = seen.map(one => {
    const back = ground(one);
    const [a, b] = [light(over(parts(getComputedStyle(one).color), back)), light(back)];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), one.outerHTML.slice(0, 90)];
  });
  return {count: measured.length, faint: measured.filter(([ratio]) => ratio < 4.5)};
})()
"""


def value(browser: Browser, session: str, script: str) -> Any:
    answer = browser.ask("Runtime.evaluate", session, expression=script, returnByValue=True)
    assert "exceptionDetails" not in answer, answer
    return answer["result"]["value"]


def requested(browser: Browser) -> list[str]:
    return [
        str(event["params"]["request"]["url"])
        for event in browser.events
        if event["method"] == "Network.requestWillBeSent"
    ]


def test_no_request_leaves_and_no_script_runs(browser: Browser, proxy: Proxy, hard: Path) -> None:
    session = browser.open(hard, 1200, 900)
    loaded = requested(browser)
    assert hard.as_uri() in loaded
    assert {url.partition(",")[0] for url in loaded} - {hard.as_uri()} == {"data:image/jpeg;base64"}
    assert value(browser, session, "typeof window.ran") == "undefined"
    pictures = "Array.from(document.images).map(one => one.naturalWidth)"
    assert min(value(browser, session, pictures)) > 100
    assert proxy.of_the_page() == []


def test_the_proxy_would_see_a_request(browser: Browser, proxy: Proxy, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<img src="http://example.com/a.png">', "utf-8")
    browser.open(page, 1200, 900)
    assert proxy.of_the_page() == [b"GET http://example.com/a.png HTTP/1.1"]


def test_the_browser_of_postkit_finds_nobody_at_all(proxy: Proxy, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<img src="http://example.com/a.png"><img src="http://127.0.0.1/b">', "utf-8")
    with Browser(find_browser(), *proxy.strict) as browser:
        browser.open(page, 1200, 900)
    assert proxy.asked == []


def test_the_policy_stops_what_would_get_onto_the_page(
    browser: Browser, proxy: Proxy, hard: Path
) -> None:
    harm = "<script>window.ran = 3</script><img src='http://example.com/a.png'></body>"
    hard.write_text(hard.read_text("utf-8").replace("</body>", harm), "utf-8")
    session = browser.open(hard, 1200, 900)
    assert value(browser, session, "typeof window.ran") == "undefined"
    assert proxy.of_the_page() == []


@pytest.mark.parametrize("width", [320, 390, 768, 1200, 1720])
def test_nothing_is_wider_than_the_window(browser: Browser, hard: Path, width: int) -> None:
    session = browser.open(hard, width, 900)
    assert value(browser, session, "document.documentElement.scrollWidth") <= width
    assert value(browser, session, TOO_WIDE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_that_wcag_asks_for(
    browser: Browser, hard: Path, scheme: str
) -> None:
    session = browser.open(hard, 1200, 900)
    wanted = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.ask("Emulation.setEmulatedMedia", session, features=wanted)
    ground = value(browser, session, "getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(244, 245, 247)") == (scheme == "light")
    found = value(browser, session, FAINT)
    assert found["count"] > 80
    assert found["faint"] == []


def test_what_happens_is_beside_the_posts_and_below_them_on_a_phone(
    browser: Browser, hard: Path
) -> None:
    boxes = """["reading", "beside"].map(name =>
        document.querySelector("." + name).getBoundingClientRect().toJSON())"""
    session = browser.open(hard, 1200, 900)
    posts, beside = value(browser, session, boxes)
    assert posts["right"] <= beside["left"] + 1
    assert posts["top"] == pytest.approx(beside["top"], abs=1)
    tops = "Array.from(document.querySelectorAll('.address')).map(one => one.offsetTop)"
    first, second, third, *_ = value(browser, session, tops)
    assert first == second < third
    browser.resize(session, 390, 900)
    posts, beside = value(browser, session, boxes)
    assert posts["bottom"] <= beside["top"] + 1


def test_arabic_reads_from_the_right(browser: Browser, hard: Path) -> None:
    session = browser.open(hard, 1200, 900)
    script = """Array.from(document.querySelectorAll("p.text"))
        .map(one => [one.textContent.slice(0, 5), getComputedStyle(one).direction])"""
    directions = value(browser, session, script)
    assert ["مرحبا", "rtl"] in directions
    assert ["avery", "ltr"] in directions


def test_the_picture_shows_all_of_the_page(folder: Folder, browser: Browser) -> None:
    to = "x,mastodon,bluesky,reddit/postkit_demo,facebook"
    folder.preview("launch.md", "--to", to, "--html", "a.html", "--png", "a.png")
    session = browser.open(folder.path / "a.html", 1200, 800)
    [box] = value(
        browser,
        session,
        """[document.querySelector(".fate")].map(one => one.getBoundingClientRect().toJSON())""",
    )
    with Image.open(folder.path / "a.png") as image:
        assert image.size == (1200, value(browser, session, "document.body.scrollHeight"))
        colours = image.convert("RGB").getcolors(1 << 24)
        assert colours is not None
        assert len(colours) > 5000
        changes = image.convert("RGB").crop(
            (int(box["left"]), int(box["top"]), int(box["right"]), int(box["bottom"]))
        )
        shown = changes.getcolors(1 << 20) or []
    assert any(colour == LOST for _, colour in shown)


def test_a_phone_has_its_own_picture(folder: Folder) -> None:
    folder.preview("--text", "Hello", "--to", "x", "--png", "a.png", "--width", "390", "--json")
    data = (folder.path / "a.png").read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        assert image.width == 390
        assert image.height > 500


def test_what_a_picture_leaves_out_is_told(folder: Folder) -> None:
    to = ",".join(f"mastodon:a{number}" for number in range(40))
    given = ("--text", "word " * 90, "--to", to, "--png", "a.png", "--width", "390")
    told = folder.preview(*given)
    with Image.open(folder.path / "a.png") as image:
        assert image.size == (390, TALLEST)
        end = image.convert("RGB").crop((0, TALLEST - 1500, 390, TALLEST)).getcolors(1 << 20)
    assert end is not None
    assert len(end) > 50
    assert re.search(r"a\.png is the page without its last [\d,]+ pixels; --html has them", told)


def test_a_browser_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    from postkit.errors import InputError

    with pytest.raises(InputError, match="made no picture"), Browser("/bin/false") as browser:
        browser.ask("Browser.getVersion")
