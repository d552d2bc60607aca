"""The page about the fields of a report shows what postkit says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

from postkit.network import RenderOptions
from postkit.outcomes import Outcome, outcomes_of
from postkit.plugins import Plugins
from postkit.post import Post, Settings

PAGE = (Path(__file__).parents[2] / "docs" / "fields.md").read_text("utf-8")


def test_the_rows_of_the_page_are_the_data() -> None:
    post = Post(
        "We ship today.",
        title="Launch day",
        link="https://example.com/launch",
        tags=["launch", "rocket"],
    )
    network = Plugins().network("bluesky")
    rendition = network.adapt(post, network.limits, RenderOptions())
    [block] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    rows = [row.to_json() for row in outcomes_of(post, Settings(), rendition)]
    assert json.loads(block) == rows


def test_the_page_names_every_outcome() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(get_args(Outcome))
