"""What comes after publishing: list, show, delete, finish, resolve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .program import Program, states


def published(program: Program, *arguments: str) -> dict[str, Any]:
    result = program("publish", *arguments, "--json")
    assert result.status == 0, result.err
    return result.report


def report_id(report: dict[str, Any]) -> str:
    return str(report["publication"])


def test_the_list_shows_the_newest_first(postkit: Program) -> None:
    assert "Nothing has been published yet." in postkit("list").err
    postkit.connect("mastodon", "bluesky")
    first = published(postkit, "One", "--to", "mastodon,bluesky")
    second = published(postkit, "Two", "--to", "mastodon")
    rows = [line.split("\t") for line in postkit("list").out.splitlines()]
    assert [row[0] for row in rows] == [second["publication"], *2 * [first["publication"]]]
    assert [row[3] for row in rows] == ["live"] * 3
    assert rows[0][4] == second["deliveries"][0]["parts"][0]["url"]
    assert len(postkit("list", "--count", "1").out.splitlines()) == 1
    listed = postkit("list", "--json").json["publications"]
    assert listed == [second, first]


def test_show_of_what_failed_says_how_to_go_on(mastodon: Program) -> None:
    mastodon.server.set("mastodon", "max_characters", 2)
    result = mastodon("publish", "One", "--to", "mastodon", "--json")
    assert result.status == 1
    [delivery] = result.report["deliveries"]
    assert delivery["error"]["kind"] == "refused"
    assert delivery["error"]["status"] == 422
    assert states(result.report) == {"mastodon": "failed"}
    shown = mastodon("show", result.report["publication"])
    assert shown.status == 1
    assert shown.out.rstrip().endswith("publish again with --to mastodon:mastodon.")
    mastodon.server.set("mastodon", "max_characters", 500)
    assert mastodon("finish", report_id(result.report)).status == 1
    assert mastodon("finish", report_id(result.report), "--retry").status == 0
    assert "nothing that was refused" in mastodon.fails(
        2, "finish", report_id(result.report), "--retry"
    )
    assert mastodon.texts() == ["One"]


def test_a_thread_of_which_a_part_was_refused(mastodon: Program) -> None:
    mastodon.server.set("mastodon", "max_characters", 100)
    Path("a.md").write_text("First.\n\n---\n\n" + "Second. " * 20, "utf-8")
    result = mastodon("publish", "a.md", "--to", "mastodon", "--json")
    assert result.status == 1
    assert mastodon.texts() == ["First."]
    assert states(result.report) == {"mastodon": "partly_live"}
    name = result.report["deliveries"][0]["id"]
    assert f"run `postkit delete {name}`" in mastodon("show", name).out
    assert mastodon("finish", name, "--retry").status == 1
    assert mastodon.texts() == ["First."]
    assert mastodon("delete", name).status in (0, 1)
    assert mastodon.texts() == []
    Path("a.md").write_text("First.\n\n---\n\nSecond.", "utf-8")
    assert mastodon("publish", "a.md", "--to", "mastodon").status == 0
    assert len(mastodon.texts()) == 2


@pytest.mark.parametrize("command", ["show", "finish", "delete"])
@pytest.mark.parametrize("name", ["p_nothing", "d_nothing", "nonsense", "", "p_' OR 1=1"])
def test_an_id_that_is_none(mastodon: Program, command: str, name: str) -> None:
    said = mastodon.fails(2, command, name)
    assert said == f"There is no publication or delivery {name}; `postkit list` shows them."


# Deleting


def test_what_is_live_is_deleted(postkit: Program) -> None:
    postkit.connect("mastodon", "bluesky")
    report = published(postkit, "One", "--to", "mastodon,bluesky")
    result = postkit("delete", report["publication"], "--json")
    assert result.status == 0
    assert states(result.report) == {"mastodon": "cancelled", "bluesky": "cancelled"}
    assert postkit.texts() == []
    said = postkit.fails(2, "delete", report["publication"])
    assert "has nothing live" in said


def test_what_is_gone_already_counts_as_deleted(mastodon: Program) -> None:
    report = published(mastodon, "One", "--to", "mastodon")
    mastodon("delete", report["publication"])
    again = published(mastodon, "One", "--to", "mastodon")
    mastodon.server.world.timeline.clear()
    assert mastodon("delete", again["publication"]).status == 0


def test_what_could_not_be_deleted_is_named(mastodon: Program) -> None:
    report = published(mastodon, "One", "--to", "mastodon")
    mastodon.server.add_fault("mastodon", "expire_token")
    mastodon("publish", "Two", "--to", "mastodon", "--wait", "0")
    result = mastodon("delete", report["publication"], "--json")
    assert result.status == 1
    assert result.report["error"]["kind"] == "not_deleted"
    assert result.errors[0].startswith("error: mastodon:mastodon: ")
    assert mastodon.texts() == ["One"]


# The question


def uncertain(program: Program) -> tuple[str, str]:
    """A delivery whose answer was lost and that the network does not show; with its address."""
    program.server.set("mastodon", "version", "4.2.0 (compatible; Other 1.0)")
    program.server.set("mastodon", "idempotency", False)
    program.connect("mastodon")
    program.server.add_fault("mastodon", "lose_answer", accepted=False)
    result = program("publish", "One", "--to", "mastodon", "--json")
    assert result.status == 3, result
    [delivery] = result.report["deliveries"]
    assert delivery["state"] == "uncertain"
    assert delivery["question"]["links"]
    return delivery["id"], delivery["question"]["links"][0]


def test_a_question_is_asked_with_links_and_answers(postkit: Program) -> None:
    name, link = uncertain(postkit)
    result = postkit("show", name)
    assert result.status == 3
    for words in ("question Is the post live on mastodon:mastodon?", f"look at  {link}",
                  f"answer   postkit resolve {name} --resend"):  # fmt: skip
        assert words in result.out
    assert f"`postkit resolve {name} --is-live URL`" in result.out
    assert postkit("finish", name).status == 3
    assert postkit.creates() == 1
    said = postkit.fails(1, "publish", "One", "--to", "mastodon")
    assert "The same text went there within a day" in said


def test_resend(postkit: Program) -> None:
    name, _ = uncertain(postkit)
    result = postkit("resolve", name, "--resend", "--json")
    assert result.status == 0
    assert states(result.report) == {"mastodon": "live"}
    assert postkit.texts() == ["One"]
    assert postkit.creates() == 2


def test_give_up(postkit: Program) -> None:
    name, _ = uncertain(postkit)
    result = postkit("resolve", name, "--give-up", "--json")
    assert result.status == 1
    assert states(result.report) == {"mastodon": "failed"}
    assert postkit.creates() == 1


def test_it_is_live(postkit: Program) -> None:
    name, _ = uncertain(postkit)
    other = published(postkit, "Another", "--to", "mastodon")["deliveries"][0]["parts"][0]["url"]
    said = postkit.fails(2, "resolve", name, "--is-live", other)
    assert "settles another post already" in said
    said = postkit.fails(2, "resolve", name, "--is-live", "https://example.com/1")
    assert "is not among the newest posts of mastodon:mastodon" in said
    by_hand = by_another_program(postkit, "One")
    result = postkit("resolve", name, "--is-live", by_hand, "--json")
    assert result.status == 0, result.err
    assert result.report["deliveries"][0]["parts"][0]["url"] == by_hand
    assert postkit("delete", name).status == 0


def by_another_program(program: Program, text: str) -> str:
    """Post it past postkit and return its link."""
    import requests

    [account] = [a for a in program.server.accounts() if a.network == "mastodon"]
    answer = requests.post(
        f"{account.endpoint}/api/v1/statuses",
        json={"status": text},
        headers={"Authorization": f"Bearer {account.credentials['access_token']}"},
        timeout=10,
    )
    return str(answer.json()["url"])


@pytest.mark.parametrize(
    "answers", [[], ["--resend", "--give-up"], ["--is-live", "https://a.example", "--resend"]]
)
def test_one_answer_is_given(postkit: Program, answers: list[str]) -> None:
    name, _ = uncertain(postkit)
    said = postkit.fails(2, "resolve", name, *answers)
    assert said == "Give one answer: --is-live URL, --resend or --give-up."


def test_without_a_question_there_is_no_answer(mastodon: Program) -> None:
    report = published(mastodon, "One", "--to", "mastodon")
    said = mastodon.fails(2, "resolve", report["publication"], "--resend")
    assert "asks no question" in said
    assert mastodon.creates() == 1


def test_finishing_what_is_finished_changes_nothing(mastodon: Program) -> None:
    report = published(mastodon, "One", "--to", "mastodon")
    assert mastodon("finish", report["publication"], "--json").report == report
    assert mastodon.creates() == 1


# Giving up


def test_what_waits_can_be_given_up_and_its_account_removed(mastodon: Program) -> None:
    mastodon("connect", "mastodon", "--name", "gone", "--endpoint", "http://127.0.0.1:9",
             "--credential", "access_token=pk_canary_gone_0000")  # fmt: skip
    result = mastodon("publish", "Hello", "--to", "mastodon:gone", "--wait", "0", "--json")
    assert result.status == 75
    name = result.report["deliveries"][0]["id"]
    assert "--give-up" in mastodon("accounts", "remove", "mastodon:gone").err
    assert mastodon("resolve", name, "--give-up").status == 0
    assert states(mastodon("show", name, "--json").report) == {"mastodon": "cancelled"}
    assert mastodon("finish", name).status == 0
    assert mastodon("accounts", "remove", "mastodon:gone").status == 0
    assert mastodon.texts() == []


def test_what_is_in_doubt_can_be_given_up(mastodon: Program) -> None:
    mastodon.server.add_fault("mastodon", "late", seconds=60)
    result = mastodon("publish", "Hello", "--to", "mastodon", "--wait", "0", "--json")
    assert states(result.report) == {"mastodon": "checking"}
    name = result.report["deliveries"][0]["id"]
    assert mastodon("resolve", name, "--give-up").status == 1
    assert mastodon("finish", name).status == 1
    assert mastodon.creates() == 1
