"""`postkit guarantees` says what the plugins declare, and so does docs/reliability.md."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from postkit.guarantees import SAYS, promises, repeats, spoken, what_remains
from postkit.network import Guarantee
from postkit.plugins import Plugins

from .program import Program

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
NETWORKS = ["bluesky", "facebook", "mastodon", "reddit", "x"]


def test_it_needs_no_account_and_no_home(postkit: Program) -> None:
    result = postkit("guarantees")
    assert result.status == 0
    rows = [line.split("\t") for line in result.out.splitlines()]
    assert sorted({row[0] for row in rows}) == NETWORKS
    assert all(len(row) == 7 for row in rows)
    assert ["mastodon", "poll", "key", "120", "3000", "yes"] in [row[:6] for row in rows]
    assert not postkit.home.exists()


def test_a_kind_of_post_that_a_network_lacks_is_left_out(postkit: Program) -> None:
    found = postkit("guarantees", "--json").json["guarantees"]
    kinds = {name: [row["post"] for row in found if row["network"] == name] for name in NETWORKS}
    assert kinds["mastodon"] == ["text", "pictures", "video", "animation", "poll"]
    assert kinds["bluesky"] == ["text", "pictures", "video"]
    assert kinds["x"] == ["text", "pictures", "video", "animation", "poll"]


def test_the_fields_for_programs(postkit: Program) -> None:
    [row, *_] = postkit("guarantees", "x", "--json").json["guarantees"]
    assert row == {
        "network": "x", "account": None, "post": "text", "class": "duplicate_refusal",
        "quiet": 900.0, "key_ttl": 86400.0, "repeats": True,
        "uncertain": what_remains(Guarantee("duplicate_refusal", 900.0, 86400.0, True)),
    }  # fmt: skip


def test_an_account_has_its_own_window(postkit: Program) -> None:
    postkit.connect("mastodon", "x")
    postkit.settle('[accounts."mastodon:mastodon"]\nquiet = 7.5\n')
    found = postkit("guarantees", "mastodon", "--json").json["guarantees"]
    assert [(row["account"], row["quiet"]) for row in found if row["post"] == "text"] == [
        (None, 120.0),
        ("mastodon:mastodon", 7.5),
    ]
    only = postkit("guarantees", "mastodon:mastodon").out
    assert {line.split("\t")[0] for line in only.splitlines()} == {"mastodon:mastodon"}
    everything = postkit("guarantees", "--json").json["guarantees"]
    assert {row["account"] for row in everything} == {None, "mastodon:mastodon", "x:x"}


def test_an_account_whose_server_is_another_kind_has_another_class(postkit: Program) -> None:
    postkit.server.set("mastodon", "version", "4.2.0 (compatible; Other 1.0)")
    postkit.connect("mastodon")
    found = postkit("guarantees", "mastodon", "--json").json["guarantees"]
    classes = {row["account"]: row["class"] for row in found}
    assert classes == {None: "key", "mastodon:mastodon": "read_back"}


@pytest.mark.parametrize("given", ["mastodn", "mastodon:nobody", "@nobody"])
def test_what_is_not_there_is_a_sentence(postkit: Program, given: str) -> None:
    assert "There is no" in postkit.fails(2, "guarantees", given)


def test_who_is_named_alone_is_imported_alone() -> None:
    program = (
        "import sys; from postkit.cli.main import run; run(['guarantees', 'mastodon']);"
        "assert 'postkit_mastodon' in sys.modules;"
        "assert not {'tweepy', 'praw', 'facebook', 'postkit_x'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_plugin_that_does_not_load_stands_beside_the_others(
    postkit: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    from postkit.errors import PluginError
    from postkit.network import Network

    load = Plugins.network

    def failing(self: Plugins, name: str) -> Network[object]:
        if name == "x":
            raise PluginError("x needs the package tweepy, which is not installed.")
        return load(self, name)

    monkeypatch.setattr(Plugins, "network", failing)
    result = postkit("guarantees")
    assert result.status == 0
    assert {line.split("\t")[0] for line in result.out.splitlines()} == set(NETWORKS) - {"x"}
    assert result.err == "warning: x: x needs the package tweepy, which is not installed.\n"
    assert postkit("guarantees", "--json").json["broken"][0]["network"] == "x"
    assert "tweepy" in postkit.fails(1, "guarantees", "x")


# The sentences


@pytest.mark.parametrize(
    ("guarantee", "words"),
    [
        (Guarantee("blind"), "Every answer that is lost"),
        (Guarantee("blind", resend_when_absent=True), "Every answer that is lost"),
        (Guarantee("read_back"), "not listed after the quiet window is a question"),
        (Guarantee("duplicate_refusal"), "not listed after the quiet window is a question"),
        (Guarantee("read_back", resend_when_absent=True), "would be there twice"),
        (Guarantee("key", key_ttl=3000, resend_when_absent=True), "within 50 minutes"),
        (Guarantee("duplicate_refusal", 1, 86400, True), "still not listed is a question"),
        (Guarantee("duplicate_refusal", 1, 86400, True), "within 24 hours"),
        (Guarantee("key", resend_when_absent=True), "Nothing, unless"),
        (Guarantee("probe", resend_when_absent=True), "Nothing, unless"),
    ],
)
def test_what_can_remain_uncertain(guarantee: Guarantee, words: str) -> None:
    sentence = what_remains(guarantee)
    assert words in sentence
    assert sentence.endswith(".")
    assert sentence.count(". ") == 0
    assert repeats(guarantee) == (guarantee.resend_when_absent and guarantee.kind != "blind")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (90, "90 seconds"), (60, "1 minute"), (900, "15 minutes"),
     (3600, "1 hour"), (86400, "24 hours"), (0.2, "0.2 seconds")],
)  # fmt: skip
def test_times_as_people_say_them(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


# The page


def test_the_table_of_the_page_is_the_data() -> None:
    plugins = Plugins()
    wanted: list[list[str]] = []
    for name in plugins.network_names():
        network = plugins.network(name)
        alike: dict[Guarantee, list[str]] = {}
        for promise in promises(network):
            alike.setdefault(promise.guarantee, []).append(promise.kind)
        for guarantee, kinds in alike.items():
            wanted.append(
                [
                    network.title,
                    ", ".join(kinds),
                    SAYS[guarantee.kind],
                    spoken(guarantee.quiet) if guarantee.quiet else "none",
                    spoken(guarantee.key_ttl) if guarantee.key_ttl else "-",
                    "yes" if repeats(guarantee) else "no",
                    what_remains(guarantee),
                ]
            )
    found = table("guarantees")
    assert found == wanted


def test_the_page_explains_every_class() -> None:
    assert [row[0] for row in table("classes")] == list(SAYS.values())


def table(name: str) -> list[list[str]]:
    """The rows of the table behind a marker of the page."""
    _, _, rest = PAGE.read_text("utf-8").partition(f"<!-- {name} -->\n")
    assert rest, f"{PAGE.name} has no table {name}"
    rows = []
    for line in rest.splitlines():
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows[2:]
