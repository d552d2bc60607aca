"""What the report says was delivered is what the network holds: generated posts, real clients.

Each network gets 40 posts, or 500 with POSTKIT_LOSSLESS=full; others with another POSTKIT_SEED.
"""

from __future__ import annotations

from collections import Counter

import pytest

from .conftest import FULL, POSTS, Published
from .posts import Given

pytestmark = pytest.mark.timeout(1800 if FULL else 120)


def test_the_report_is_what_the_network_holds(published: Published) -> None:
    wrong = [
        f"{line}\n{_told(given)}"
        for given, sent in published.all
        for line in published.mismatches(given, sent)
    ]
    assert not wrong, f"{len(wrong)} at {published.network.name}:\n" + "\n".join(wrong[:20])


def test_the_posts_meet_every_outcome(published: Published) -> None:
    """Posts that are all refused, or that nothing happens to, would prove nothing."""
    states = Counter(sent.report.state for _, sent in published.all)
    rows = Counter(row["outcome"] for _, sent in published.all for row in sent.report.fields)
    print(f"{published.network.name}: {POSTS} posts {dict(states)}, rows {dict(rows)}")  # noqa: T201 - shown by pytest -rP
    assert states["live"] > POSTS * 0.6
    assert min(rows[outcome] for outcome in ("delivered", "adapted", "lost", "refused")) > POSTS / 8


def _told(given: Given) -> str:
    post = given.post
    fields = ("title", "link", "tags", "poll", "content_warning", "lang", "visibility", "replies")
    more = {name: getattr(post, name) for name in fields if getattr(post, name)}
    return f"  {list(post.parts)} {more} own {given.settings} numbering {given.numbering}"
