"""What the report says was delivered is what the network holds: generated posts, real clients.

Each network gets 40 posts; all 500 with POSTKIT_LOSSLESS=full, other ones with POSTKIT_SEED.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from postkit.plugins import Plugins
from postkit.post import Post

from .bench import Bench
from .judge import mismatches
from .posts import Given, post_for

FULL = os.environ.get("POSTKIT_LOSSLESS") == "full"
POSTS = 500 if FULL else 40
SEED = os.environ.get("POSTKIT_SEED", "20261129")


@pytest.fixture(params=Plugins().network_names())
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(request.param, tmp_path / "home")
    yield bench
    bench.close()


@pytest.mark.timeout(1800 if FULL else 120)
def test_the_report_is_what_the_network_holds(bench: Bench) -> None:
    bare = bench.send(Post("x", title="x" if bench.limits.title_required else None)).live[0]
    bare = replace(bare, title=None)
    rows: Counter[str] = Counter()
    states: Counter[str] = Counter()
    wrong: list[str] = []
    for number in range(POSTS):
        given = post_for(bench.network, bench.limits, SEED, number)
        sent = bench.send(given.post, numbering=given.numbering)
        report = sent.delivery or sent.plan
        states[report.state] += 1
        rows.update(str(row["outcome"]) for row in report.fields)
        found = mismatches(bench, given, sent, bare)
        wrong += [f"post {number}: {line}\n{_told(given)}" for line in found]
    name = bench.network.name
    print(f"\n{name}: {POSTS} posts, {dict(states)}; rows {dict(rows)}")  # noqa: T201 - shown by -s
    assert not wrong, f"{len(wrong)} at {name}:\n" + "\n".join(wrong[:20])
    # Posts that are all refused, or that nothing happens to, would prove nothing.
    assert states["live"] > POSTS * 0.6, states
    assert min(rows[outcome] for outcome in ("delivered", "adapted", "lost", "refused")) > POSTS / 4


def _told(given: Given) -> str:
    post = given.post
    fields = ("title", "link", "tags", "poll", "content_warning", "lang", "visibility")
    more = {name: getattr(post, name) for name in fields if getattr(post, name)}
    return f"  {list(post.parts)} {more} own {given.settings} numbering {given.numbering}"
