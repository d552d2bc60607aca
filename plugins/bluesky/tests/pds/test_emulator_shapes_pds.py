"""Records of the wrong shape, and swaps: the emulator beside a real PDS."""

from __future__ import annotations

from typing import Any

import pytest

from .test_emulator_pds import IMAGES, LINK, facet, image, seen, sessions
from .xrpc import Session, new_tid, post_record

__all__ = ["sessions"]

TAG = "app.bsky.richtext.facet#tag"
LABELS = "com.atproto.label.defs#selfLabels"
CARD = "app.bsky.embed.external"
SHOWN = {"uri": "https://example.com", "title": "", "description": ""}

RECORDS: dict[str, dict[str, Any]] = {
    "text is a number": post_record("x") | {"text": 5},
    "text is null": post_record("x") | {"text": None},
    "languages are a number": post_record("x", langs=5),
    "languages are null": post_record("x", langs=None),
    "tags are a word": post_record("x", tags="a"),
    "a tag is a number": post_record("x", tags=[5]),
    "labels are a list": post_record("x", labels=[]),
    "facets are a number": post_record("x", facets=5),
    "facets are null": post_record("x", facets=None),
    "features are a number": post_record(
        "x", facets=[{"index": {"byteStart": 0, "byteEnd": 1}, "features": 5}]
    ),
    "a feature is a word": post_record(
        "x", facets=[{"index": {"byteStart": 0, "byteEnd": 1}, "features": ["a"]}]
    ),
    "an index is a word": post_record(
        "x", facets=[{"index": {"byteStart": "0", "byteEnd": 1}, "features": [LINK]}]
    ),
    "a hashtag is a number": post_record("x", facets=facet({"$type": TAG, "tag": 5})),
    "the embed is a word": post_record("x", embed="a"),
    "images are a number": post_record("x", embed={"$type": IMAGES, "images": 5}),
    "a title is a number": post_record(
        "x", embed={"$type": CARD, "external": {**SHOWN, "title": 5}}
    ),
    "labels without a type": post_record("x", labels={"values": [{"val": "nudity"}]}),
    "labels of another type": post_record("x", labels={"$type": "com.example.labels"}),
    "a label without a value": post_record("x", labels={"$type": LABELS, "values": [{}]}),
    "a label of a number": post_record("x", labels={"$type": LABELS, "values": [{"val": 5}]}),
    "label values are null": post_record("x", labels={"$type": LABELS, "values": None}),
    "a feature without a type": post_record("x", facets=facet({"uri": "https://a.b"})),
    "a facet is a word": post_record("x", facets=["a"]),
    "an index is a list": post_record("x", facets=[{"index": [], "features": []}]),
    "the embed has no type": post_record("x", embed={"images": []}),
    "the embed is null": post_record("x", embed=None),
    "the embed's type is a number": post_record("x", embed={"$type": 5}),
    "a card is a word": post_record("x", embed={"$type": CARD, "external": "a"}),
    "the reply is a word": post_record("x", reply="a"),
    "a parent is a word": post_record("x", reply={"root": "a", "parent": "a"}),
    "an image is a word": post_record("x", embed={"$type": IMAGES, "images": ["a"]}),
    "a picture is a word": post_record(
        "x", embed={"$type": IMAGES, "images": [{"image": "a", "alt": ""}]}
    ),
    "half of a surrogate pair": post_record("a\ud800b"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_of_another_shape(sessions: tuple[Session, Session], name: str) -> None:
    key = new_tid()
    real, mine = (seen(s.put(key, RECORDS[name], swapRecord=None), s) for s in sessions)
    assert mine == real


@pytest.mark.parametrize(
    "more",
    [
        {"alt": None},
        {"alt": 5},
        {"aspectRatio": {"width": "1", "height": 1}},
        {"aspectRatio": {"width": 1}},
        {"aspectRatio": 5},
    ],
    ids=str,
)
def test_an_image_of_another_shape(sessions: tuple[Session, Session], more: dict[str, Any]) -> None:
    key = new_tid()
    data = b"\x89PNG\r\n\x1a\n"
    real, mine = (
        seen(s.put(key, post_record("x", embed=image(s, data, **more))), s) for s in sessions
    )
    assert mine == real


def test_without_validation_all_is_written(sessions: tuple[Session, Session]) -> None:
    key = new_tid()
    record = post_record("x", langs=5, facets="a", embed="b")
    real, mine = (seen(s.put(key, record, validate=False), s) for s in sessions)
    assert mine == real


def test_a_swap_of_commits(sessions: tuple[Session, Session]) -> None:
    unknown = "bafyreid27zk7lbis4zw5fz4podbvbs4rrhpkgo5z2g3l2vr3nfzgngwgi4"

    keys = [new_tid() for _ in range(3)]

    def answers(session: Session) -> list[Any]:
        head = session.put(keys[0], post_record("x")).json()["commit"]["cid"]
        bad = session.put(keys[1], post_record("y"), swapCommit=unknown)
        good = session.put(keys[2], post_record("y"), swapCommit=head)
        return [seen(one, session) for one in (bad, good)]

    real, mine = map(answers, sessions)
    assert mine == real
