"""`postkit publish`: every flag, every way to say where to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from postkit.testing.pictures import picture

from .program import Program, states

POST = "---\nto: [mastodon]\ntags: [launch]\n---\nFrom a file.\n"


def test_a_text_goes_to_an_address_and_its_link_is_printed(mastodon: Program) -> None:
    result = mastodon("publish", "--text", "Hello", "--to", "mastodon")
    assert result.status == 0
    [post] = mastodon.server.posts("mastodon")
    assert post.text == "Hello"
    lines = result.out.splitlines()
    assert lines[0] == "✓ mastodon:mastodon  live"
    assert lines[1].strip() == post.url
    assert "publishing to 1 address\n" in result.err


def test_an_argument_that_is_no_file_is_a_text(mastodon: Program) -> None:
    assert mastodon("publish", "Hello there", "--to", "mastodon").status == 0
    assert mastodon.texts() == ["Hello there"]


def test_an_argument_that_exists_is_a_file(mastodon: Program) -> None:
    Path("launch").write_text(POST, "utf-8")
    assert mastodon("publish", "launch").status == 0
    assert mastodon.texts() == ["From a file.\n\n#launch"]


@pytest.mark.parametrize("name", ["lanch.md", "notes.txt", "posts/launch"])
def test_an_argument_that_looks_like_a_file_must_exist(mastodon: Program, name: str) -> None:
    said = mastodon.fails(2, "publish", name, "--to", "mastodon")
    assert said == f"{name}: there is no such file. If it is meant as a text: --text '{name}'."
    assert mastodon("publish", "--text", name, "--to", "mastodon").status == 0
    assert mastodon.texts() == [name]


def test_a_dash_reads_a_post_file_from_standard_input(mastodon: Program) -> None:
    assert mastodon("publish", "-", stdin=POST.encode()).status == 0
    assert mastodon.texts() == ["From a file.\n\n#launch"]


def test_file_and_text_together_are_refused(mastodon: Program) -> None:
    said = mastodon.fails(2, "publish", "Hello", "--text", "Hello", "--to", "mastodon")
    assert said == "Give a post file or --text, not both."


def test_text_that_looks_like_a_flag_is_text(mastodon: Program) -> None:
    assert mastodon("publish", "--to", "mastodon", "--text", "--debug").status == 0
    assert mastodon("publish", "--to", "mastodon", "--", "--json").status == 0
    assert mastodon.texts() == ["--debug", "--json"]


def test_every_field_has_a_flag(mastodon: Program) -> None:
    Path("cat.jpg").write_bytes(picture(1, (64, 48), "JPEG"))
    Path("dog.jpg").write_bytes(picture(2, (48, 64), "JPEG"))
    given = "--link https://example.com/a --tag one --tag #two --lang de --visibility unlisted"
    result = mastodon(
        "publish", "--text", "Hallo", "--to", "mastodon", *given.split(), "--title", "T",
        "--content-warning", "cats", "--media", "cat.jpg", "--alt", "A cat",
        "--media", "dog.jpg", "--alt", "A dog", "--json",
    )  # fmt: skip
    assert result.status == 0, result.err
    [post] = mastodon.server.posts("mastodon")
    assert post.text == "Hallo\n\nhttps://example.com/a\n\n#one #two"
    assert [image.alt for image in post.media] == ["A cat", "A dog"]
    [delivery] = result.report["deliveries"]
    assert [loss["field"] for loss in delivery["losses"]] == ["title"]
    shown = mastodon(
        "publish", "--text", "Hallo 2", "--to", "mastodon", *given.split(), "--dry-run"
    )
    assert "lang     de" in shown.out
    assert "unlisted" in shown.out


def test_who_may_reply_is_refused_where_everyone_could(mastodon: Program) -> None:
    given = ["publish", "--text", "Hallo", "--to", "mastodon", "--replies"]
    refused = mastodon(*given, "nobody")
    assert refused.status == 1
    assert "replies: 'nobody' is not possible here" in refused.err
    assert mastodon.creates() == 0
    assert mastodon(*given, "everyone").status == 0
    assert mastodon.creates() == 1


def test_a_poll(mastodon: Program) -> None:
    given = ["publish", "--text", "Which?", "--to", "mastodon", "--poll", "Tea", "--poll", "Coffee"]
    shown = mastodon(*given, "--poll-minutes", "60", "--dry-run")
    assert "Tea / Coffee (60 minutes)" in shown.out
    assert mastodon(*given).status == 0
    assert mastodon.creates() == 1


def test_poll_minutes_without_a_poll_are_not_dropped_silently(mastodon: Program) -> None:
    said = mastodon.fails(2, "publish", "Hi", "--to", "mastodon", "--poll-minutes", "60")
    assert said == "--poll-minutes belongs to --poll; give the poll's options with --poll."


def test_a_rehearsal_is_no_dry_run(mastodon: Program) -> None:
    said = mastodon.fails(2, "publish", "Hi", "--to", "mastodon", "--emulate", "--dry-run")
    assert said == "--emulate sends to the emulator, and --dry-run sends nothing; give one."


# Where to


def test_commas_repetition_and_groups(postkit: Program) -> None:
    postkit.connect("mastodon", "bluesky", "x")
    postkit.settle('[groups]\nlaunch = ["mastodon", "x"]\n')
    result = postkit("publish", "Hi", "--to", "bluesky,@launch", "--to", "x", "--json")
    assert result.status == 0, result.err
    assert states(result.report) == {"bluesky": "live", "mastodon": "live", "x": "live"}
    assert postkit.creates() == 3


def test_default_addresses_come_from_the_settings(postkit: Program) -> None:
    postkit.connect("mastodon", "bluesky")
    postkit.settle('default = ["mastodon"]\n')
    assert postkit("publish", "Hi").status == 0
    assert (postkit.creates("mastodon"), postkit.creates("bluesky")) == (1, 0)
    assert postkit("publish", "Hi", "--to", "bluesky").status == 0
    assert (postkit.creates("mastodon"), postkit.creates("bluesky")) == (1, 1)


@pytest.mark.parametrize("empty", ["", ",", "  "])
def test_an_empty_address_is_not_the_default(mastodon: Program, empty: str) -> None:
    mastodon.settle('default = ["mastodon"]\n')
    said = mastodon.fails(2, "publish", "Hi", "--to", empty)
    assert said == "--to is empty; name an address, or leave --to out for the default ones."


def test_nobody_to_publish_to(mastodon: Program) -> None:
    assert "name addresses with --to" in mastodon.fails(2, "publish", "Hi")


def test_the_file_names_its_addresses_and_the_flag_wins(postkit: Program) -> None:
    postkit.connect("mastodon", "bluesky")
    Path("a.md").write_text(POST, "utf-8")
    assert postkit("publish", "a.md", "--to", "bluesky").status == 0
    assert (postkit.creates("mastodon"), postkit.creates("bluesky")) == (0, 1)


# Before anything is sent


def test_a_dry_run_shows_all_and_sends_nothing(postkit: Program) -> None:
    postkit.connect("mastodon", "x")
    Path("cat.jpg").write_bytes(picture(1, (64, 48), "JPEG"))
    long = "One sentence of a long text. " * 15
    before = len(postkit.server.requests())
    result = postkit(
        "publish", "--text", long, "--to", "mastodon,x", "--media", "cat.jpg", "--title", "T",
        "--dry-run",
    )  # fmt: skip
    assert result.status == 0
    assert len(postkit.server.requests()) == before
    for wanted in (
        "of 280 weighted characters)", "of 500 graphemes)", "part 1 of 2", "| One sentence",
        "cat.jpg (64x48", "no alt text", "as given 1 file\n",
        "lost     title:", "cost     0.", "USD", "quota    ",
        "in doubt the same request is sent again", "A dry run: nothing was sent.",
    ):  # fmt: skip
        assert wanted in result.out
    assert "Nothing has been published" in postkit("list").err


def test_a_dry_run_that_refuses(postkit: Program) -> None:
    postkit.connect("mastodon", "facebook")
    result = postkit("publish", "--text", "a " * 20_000, "--to", "mastodon,facebook", "--dry-run")
    assert result.status == 1
    assert "refused  " in result.out
    assert "nothing was sent. 1 address would refuse." in result.out


def test_a_plan_that_one_refuses_stops_all(postkit: Program) -> None:
    postkit.connect("mastodon", "facebook", "bluesky")
    given = ["publish", "--text", "word " * 14_000, "--to", "mastodon,facebook", "--no-split"]
    said = postkit.fails(1, *given).splitlines()
    assert said[0].startswith("mastodon:mastodon: ")
    assert said[1].startswith("facebook:facebook: ")
    assert said[-1] == "Nothing was sent."
    result = postkit(*given, "--json")
    assert states(result.report) == {"mastodon": "failed", "facebook": "failed"}
    assert result.report["error"]["kind"] == "plan_refused"
    assert postkit.creates() == 0


def test_partial_sends_the_rest_and_says_so(postkit: Program) -> None:
    postkit.connect("mastodon", "facebook")
    given = ["publish", "--text", "word " * 180, "--to", "mastodon,facebook", "--no-split"]
    result = postkit(*given, "--partial")
    assert result.status == 1
    assert (postkit.creates("mastodon"), postkit.creates("facebook")) == (0, 1)
    assert "warning: Not sent: mastodon:mastodon: " in result.err
    assert "✓ facebook:facebook  live" in result.out


def test_partial_with_nothing_to_send_is_a_refusal(mastodon: Program) -> None:
    given = ["publish", "--text", "word " * 180, "--to", "mastodon", "--no-split", "--partial"]
    assert "Nothing was sent." in mastodon.fails(1, *given)


def test_strict_refuses_a_loss(mastodon: Program) -> None:
    given = ["publish", "Hi", "--title", "A title", "--to", "mastodon"]
    assert "A title" in mastodon.fails(1, *given, "--strict")
    assert mastodon(*given).status == 0


def test_a_long_text_becomes_a_thread_with_or_without_numbers(mastodon: Program) -> None:
    given = ["publish", "--text", "Some words. " * 70, "--to", "mastodon"]
    result = mastodon(*given, "--numbering", "--json")
    [delivery] = result.report["deliveries"]
    assert len(delivery["parts"]) == 2
    first, second = mastodon.server.posts("mastodon")
    assert "1/2" in first.text
    assert "2/2" in second.text
    assert second.parent == first.id


# Options


def test_options_are_typed_and_reach_the_network(postkit: Program) -> None:
    postkit.connect("reddit")
    result = postkit(
        "publish", "--text", "Body", "--title", "T", "--to", "reddit/postkit_demo",
        "--set", "reddit.nsfw=yes", "--set", "reddit.flair=a=b", "--dry-run",
    )  # fmt: skip
    assert result.status == 0, result.err
    bad = ["--set", "reddit.nsfw=perhaps", "--set", "reddit.flare=News", "--set", "x.y=1"]
    said = postkit.fails(2, "publish", "B", "--title", "T", "--to", "reddit/postkit_demo", *bad)
    assert "'perhaps' is neither yes nor no" in said
    assert "no option 'flare'. Did you mean 'flair'?" in said
    assert "no address of this post goes to 'x'" in said


@pytest.mark.parametrize("given", ["flair=News", "reddit.=x", ".a=b", "reddit.flair", "="])
def test_a_setting_that_is_none(mastodon: Program, given: str) -> None:
    said = mastodon.fails(2, "publish", "Hi", "--to", "mastodon", "--set", given)
    assert said == f"--set {given}: write --set network.option=value."


def test_an_option_given_twice_is_a_list_where_one_is_taken(postkit: Program) -> None:
    postkit.connect("reddit")
    twice = ["--set", "reddit.flair=A", "--set", "reddit.flair=B"]
    said = postkit.fails(2, "publish", "B", "--title", "T", "--to", "reddit/postkit_demo", *twice)
    assert said.endswith("option flair: takes one value, not 2.")


# The same again


def test_the_same_text_within_a_day_is_refused(mastodon: Program) -> None:
    assert mastodon("publish", "Hi", "--to", "mastodon").status == 0
    said = mastodon.fails(1, "publish", "Hi", "--to", "mastodon")
    assert "The same text went there within a day" in said
    assert "postkit delete d_" in said
    assert "--again" in said
    assert mastodon("publish", "Hi", "--to", "mastodon", "--again").status == 0
    assert mastodon.texts() == ["Hi", "Hi"]


def test_the_same_file_within_a_week_is_refused(mastodon: Program) -> None:
    Path("a.md").write_text(POST, "utf-8")
    assert mastodon("publish", "a.md").status == 0
    Path("a.md").write_text(POST + "\nAnd more.\n", "utf-8")
    said = mastodon.fails(1, "publish", "a.md")
    assert "The same file went there within a week" in said
    assert mastodon("publish", "a.md", "--again").status == 0


def test_once_gives_the_first_report_again(mastodon: Program) -> None:
    given = ["publish", "Hi", "--to", "mastodon", "--once", "order-4711", "--json"]
    first, second = mastodon(*given), mastodon(*given)
    assert (first.status, second.status) == (0, 0)
    assert first.report == second.report
    assert mastodon.creates() == 1
    said = mastodon.fails(2, "publish", "Ho", "--to", "mastodon", "--once", "order-4711")
    assert said.startswith("--once order-4711 was used for other content (p_")


def test_once_with_an_empty_name_is_refused(mastodon: Program) -> None:
    said = mastodon.fails(2, "publish", "Hi", "--to", "mastodon", "--once", "")
    assert said == "--once is empty; give a name, such as an order's number."


# Waiting


def test_without_time_to_wait_it_is_finished_later(mastodon: Program) -> None:
    mastodon.server.add_fault("mastodon", "lose_answer", accepted=False)
    result = mastodon("publish", "Hi", "--to", "mastodon", "--wait", "0", "--json")
    assert result.status == 75
    assert states(result.report) == {"mastodon": "checking"}
    name = result.report["publication"]
    assert "postkit finish" in mastodon("show", name).out
    done = mastodon("finish", name, "--json")
    assert done.status == 0
    assert states(done.report) == {"mastodon": "live"}
    assert mastodon.texts() == ["Hi"]


@pytest.mark.parametrize("wait", ["nan", "inf", "-1", "soon", "1e9"])
def test_a_wait_that_is_no_time(mastodon: Program, wait: str) -> None:
    said = mastodon.fails(2, "publish", "Hi", "--to", "mastodon", "--wait", wait)
    assert f"'{wait}' is no number of seconds from 0 to 86400." in said


# The rehearsal


def test_a_rehearsal_leaves_nothing_in_the_home(postkit: Program) -> None:
    result = postkit("publish", "Hi", "--to", "mastodon,x", "--emulate")
    assert result.status == 0, result.err
    assert "nothing was published" in result.out
    assert not postkit.home.exists()
    assert postkit.creates() == 0


def test_a_rehearsal_uses_the_names_of_the_own_accounts(postkit: Program) -> None:
    postkit.connect("mastodon", name="acme")
    before = sorted(path.name for path in postkit.home.rglob("*"))
    result = postkit("publish", "Hi", "--to", "mastodon", "--emulate", "--json")
    [delivery] = result.report["deliveries"]
    assert delivery["address"] == "mastodon:acme"
    assert sorted(path.name for path in postkit.home.rglob("*")) == before
    assert "Nothing has been published" in postkit("list").err


def test_one_reason_of_several_addresses_is_one_sentence(postkit: Program) -> None:
    postkit.connect("mastodon", "bluesky")
    Path("cat.jpg").write_bytes(b"no picture at all")
    said = postkit.fails(1, "publish", "Hi", "--to", "mastodon,bluesky", "--media", "cat.jpg")
    first, last = said.splitlines()
    assert first.startswith("mastodon:mastodon, bluesky:bluesky: cat.jpg")
    assert last == "Nothing was sent."


def test_a_link_card_is_shown_before_it_is_sent(postkit: Program) -> None:
    postkit.connect("bluesky")
    given = ["publish", "--text", "Look", "--link", "https://example.com/a", "--to", "bluesky"]
    shown = postkit(*given, "--dry-run").out
    assert re.search(r"^ +card +example\.com$", shown, re.MULTILINE)
    assert "link card without title: no page is fetched" in " ".join(shown.split())
    (part,) = postkit(*given, "--dry-run", "--json").report["deliveries"][0]["parts"]
    assert part["card"] == {
        "url": "https://example.com/a",
        "title": "example.com",
        "description": "",
        "image": None,
    }
    assert part["media"] == []
    without = postkit(*given, "--dry-run", "--no-card")
    assert "card" not in without.out
    assert postkit(*given).status == 0
    (live,) = postkit.server.posts("bluesky")
    assert live.card is not None


def test_a_rehearsal_of_a_link_says_what_it_did_not_fetch(postkit: Program) -> None:
    given = ["publish", "--text", "Look", "--link", "https://example.com/a", "--to", "bluesky"]
    said = postkit(*given, "--emulate").out
    assert "link card without title: a rehearsal makes no connection beyond this machine" in said
