"""A post is found again by what the network shows of it: its own, and no other's.

A post that is not recognised costs a needless question; one that is taken for another's is worse.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from postkit.emulator.base import Emulator
from postkit.emulator.server import EmulatorServer
from postkit.errors import PlanRefused
from postkit.kit import Kit
from postkit.network import Outgoing, Receipt
from postkit.plugins import Plugins
from postkit.testing.rig import Rig

NETWORKS = ("x", "facebook", "reddit", "mastodon", "bluesky")
SEED = 20261123
TEXTS = 200
BATCH = 20
"""Fewer than any network lists at a look."""

TOKENS = (
    *(
        "word",
        "Größe",
        "cafe\u0301",
        "caf\xe9",
        "日本語。",
        "สวัสดี",
        "नमस्ते",
        "مرحبا",
        "\u202eabc\u202c",
    ),
    *("https://example.com/a?b=1&c=2", "https://example.com/", "https://EXAMPLE.com/Path_(x)_y"),
    *("http://example.com/#frag", "(https://example.com/x).", "example.org", "see file.py now"),
    *("http://example.com?q=A", "https://example.com/a*b*", "https://example.com/__x__"),
    *("https://example.com/very/long/path/" + "p" * 60, "日本https://example.com/日本"),
    *("@you", "@you@example.social", "@dotted.name@example.social", "me@example.com", "u/me r/you"),
    *("#tag", "#Tag-two", "#日本", "#1", "$TWTR", "x#y", "C# & D#", "##"),
    *("&amp;", "&lt;b&gt;", "<b>bold</b>", "&", "&copy;", "a<b>c", "&#35;", "\\&"),
    *(
        "*em*",
        "__init__",
        "snake_case",
        "~~x~~",
        "`code`",
        "[a](b)",
        "![i](j)",
        "> q",
        "# h",
        "- x",
    ),
    *("1. one", "a|b", "^up", "\\", "---", "===", "    four", "\ttab"),
    *("\n", "\n\n", "\n\n\n\n", " \n", "  ", "   ", "\u00a0", "\u200b", "\u2028", "\u3000"),
    *(
        "👩\u200d🦊",
        "❤",
        "❤\ufe0f",
        "👍🏽",
        "🇩🇪🇫🇷",
        "1\ufe0f\u20e3",
        "o" + "\u0301" * 9,
        "…",
        "“q”",
        "'s",
    ),
)


def nasty(count: int) -> Iterator[str]:
    """Texts of one to eight tokens, each with a mark of its own somewhere."""
    draw = random.Random(SEED)
    for number in range(count):
        words = [draw.choice(TOKENS) for _ in range(draw.randint(1, 8))]
        words.insert(draw.randint(0, len(words)), f"n{number}")
        yield draw.choice((" ", " ", "\n", "")).join(words)


@pytest.fixture(scope="module", params=NETWORKS)
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    name: str = request.param
    (kind,) = [kind for kind in Plugins().emulators() if kind.network == name]
    home: Path = tmp_path_factory.mktemp(name)
    with EmulatorServer([kind]) as server:
        kit = Kit(home=home, key=os.urandom(32))
        mine = server.accounts()[0]
        account, _ = kit.connect(name, mine.credentials, name="emulated", endpoint=mine.endpoint)
        yield Rig(server, kit, account, _address(kind), title="A title", options={})
        kit.close()


def _address(kind: type[Emulator]) -> str:
    return f"{kind.network}:emulated/{kind.sample_target}" if kind.sample_target else kind.network


def _sent(rig: Rig, texts: list[str]) -> list[tuple[str, Outgoing, Receipt]]:
    """Those of ``texts`` that the network takes, as they were sent."""
    sent = []
    with rig.connected() as connection:
        for text in texts:
            try:
                part = rig.part(rig.post(text))
            except (PlanRefused, AssertionError):
                continue
            outgoing = rig.outgoing(part, connection)
            sent.append((part.text, outgoing, rig.create(outgoing, connection)))
    return sent


def _wrong(rig: Rig, sent: list[tuple[str, Outgoing, Receipt]]) -> list[str]:
    wrong = []
    with rig.connected() as connection:
        for text, outgoing, receipt in sent:
            found = [candidate.receipt.id for candidate in rig.find(outgoing, connection)]
            if found != [receipt.id]:
                wrong.append(f"{len(found)} found: {text!r}")
    return wrong


@pytest.mark.timeout(120)
def test_each_text_is_found_once(rig: Rig) -> None:
    texts = list(dict.fromkeys(nasty(TEXTS)))
    wrong, count = [], 0
    for start in range(0, len(texts), BATCH):
        rig.server.reset()
        sent = _sent(rig, texts[start : start + BATCH])
        wrong += _wrong(rig, sent)
        count += len(sent)
    assert not wrong, "\n".join(wrong)
    assert count > 0.9 * TEXTS


TWINS = (
    "Now here",
    "now here",
    "Now here.",
    "see https://example.com/a now",
    "see https://example.com/A now",
    "see https://example.com/a/b now",
    "see https://example.com/a?b now",
    "see example.org/a now",
    "a <b> c",
    "a &lt;b&gt; c",
    "a b c",
    "caf\xe9 one",
    "cafe one",
    "#tag one",
    "tag one",
)


def test_texts_that_differ_a_little_are_not_taken_for_one_another(rig: Rig) -> None:
    rig.server.reset()
    sent = _sent(rig, list(TWINS))
    assert len(sent) == len(TWINS)
    wrong = _wrong(rig, sent)
    assert not wrong, "\n".join(wrong)
