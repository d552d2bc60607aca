"""`postkit accounts`: how each is, names, defaults, protection, and what the networks say."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.cli.connect import not_granted
from postkit.cli.kit import Kit
from postkit.testing.suite.access import closed_port

from .program import Program
from .test_connect import answering, endpoint_of, listening
from .test_worker import schedule

DAY = 86_400


def one(program: Program, label: str, *more: str) -> dict[str, Any]:
    rows = program("accounts", "--json", *more).answer("accounts")["accounts"]
    [row] = [row for row in rows if row["account"] == label]
    found: dict[str, Any] = row
    return found


def grant(label: str, **fields: str) -> None:
    """Change what the vault says of the access."""
    with Kit() as kit:
        account = kit.account(label)
        kit.vault().put(account.id, {**kit.vault().get(account.id), **fields})


def two(program: Program) -> Program:
    program.connect("mastodon", name="acme")
    program.connect("mastodon", name="me")
    return program


# How they are


@pytest.mark.parametrize(
    ("seconds", "words", "health"),
    [
        (12.5 * DAY, "in 12 days", "ok"),
        (3.5 * DAY, "in 3 days", "ends soon"),
        (-DAY, "ended yesterday", "ended"),
    ],
)
def test_an_end_that_only_a_person_can_put_off(
    mastodon: Program, seconds: float, words: str, health: str
) -> None:
    grant("mastodon:mastodon", expires_at=str(int(time.time() + seconds)))
    result = mastodon("accounts")
    row = result.out.rstrip("\n").split("\t")
    assert (row[4], row[6]) == (words, health)
    remedy = "postkit connect mastodon --name mastodon --replace"
    assert (remedy in result.err) == (health != "ok")
    told = one(mastodon, "mastodon:mastodon")
    assert told["health"] == health.replace(" ", "_")
    assert told["renewable"] is False
    assert told["ends_at"] == told["expires_at"] is not None


def test_access_that_renews_itself_and_scopes_that_are_missing(postkit: Program) -> None:
    postkit.connect("x")
    soon = str(int(time.time()) + 60)
    grant("x:x", refresh_token="pk_canary_refresh", client_id="c", expires_at=soon,
          scopes="tweet.read users.read offline.access tweet.write media.write")  # fmt: skip
    assert postkit("accounts").out.split("\t")[3:5] == ["all", "renewed by itself"]
    assert one(postkit, "x:x")["health"] == "ok"
    grant("x:x", scopes="tweet.read users.read offline.access")
    result = postkit("accounts")
    assert result.out.split("\t")[3] == "2 of 5 missing"
    assert "it lacks media.write, tweet.write" in result.err
    told = one(postkit, "x:x")
    assert (told["health"], told["missing_scopes"]) == (
        "scopes_missing", ["media.write", "tweet.write"],
    )  # fmt: skip


def test_the_last_success_is_the_newest_post_that_became_live(mastodon: Program) -> None:
    assert one(mastodon, "mastodon:mastodon")["last_success"] is None
    before = datetime.now(UTC)
    assert mastodon("publish", "Hi", "--to", "mastodon").status == 0
    at = datetime.fromisoformat(one(mastodon, "mastodon:mastodon")["last_success"])
    assert before <= at <= datetime.now(UTC)
    mastodon.server.set("mastodon", "max_characters", 2)
    assert mastodon("publish", "Too long", "--to", "mastodon").status == 1
    again = one(mastodon, "mastodon:mastodon")["last_success"]
    assert datetime.fromisoformat(again) == at


def test_an_account_without_access_and_a_vault_that_does_not_open(
    mastodon: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTKIT_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    told = one(mastodon, "mastodon:mastodon")
    assert told["health"] == "unknown"
    assert "another key" in told["remedy"]
    monkeypatch.undo()


# Asking the networks


def test_a_check_that_finds_all_as_it_was(mastodon: Program) -> None:
    result = mastodon("accounts", "--check", "--json")
    assert result.status == 0
    [row] = result.answer("accounts")["accounts"]
    assert row["check"] == {"answer": "ok", "identity": "@emulated", "message": None}


def test_access_that_is_another_persons_is_an_error(mastodon: Program) -> None:
    """Swapped tokens would publish in another's name."""
    with Kit() as kit:
        account = kit.account("mastodon:mastodon")
        assert account.identity is not None
    other = json.dumps({"id": "77", "acct": "mallory", "url": None}).encode()
    with listening(answering("200 OK\r\nContent-Type: application/json", other)) as url:
        move(mastodon, url)
        result = mastodon("accounts", "--check")
    assert result.status == 1
    assert result.out.rstrip().endswith("another account")
    assert "mastodon:mastodon is @emulated, and its access is @mallory's" in result.err


def move(program: Program, url: str) -> None:
    """Let the account be at another server, with its access."""
    import sqlite3

    from postkit.accounts.place import Place

    with Kit() as kit:
        account = kit.account("mastodon:mastodon")
        kit.vault().put(account.id, kit.vault().get(account.id), Place(url, None))
    with sqlite3.connect(program.home / "postkit.db") as raw:
        raw.execute("UPDATE account SET endpoint = ?", (url,))
    raw.close()


def test_who_cannot_be_asked_is_not_reached(mastodon: Program) -> None:
    move(mastodon, f"http://{closed_port()}")
    result = mastodon("accounts", "--check")
    assert result.status == 75, result.out + result.err
    assert result.out.rstrip().endswith("not reached")
    assert one(mastodon, "mastodon:mastodon")["state"] == "ok", "out of reach is no refusal"


def test_who_hangs_keeps_nobody_waiting(mastodon: Program) -> None:
    with listening(lambda _: None) as url:
        move(mastodon, url)
        mastodon.connect("mastodon", name="other")
        heard: list[str] = []
        with Kit() as kit:
            began = time.monotonic()
            found = kit.check_accounts(limit=0.5, heard=lambda each: heard.append(each.answer))
            assert time.monotonic() - began < 5
    answers = {each.account.name: each.answer for each in found}
    assert answers == {"mastodon": "not reached", "other": "ok"}
    assert heard == ["ok", "not reached"]


def test_access_that_the_network_takes_no_more_needs_a_login(mastodon: Program) -> None:
    home = endpoint_of(mastodon)
    said = json.dumps({"error": "The access token is invalid"}).encode()
    with listening(answering("401 Unauthorized\r\nContent-Type: application/json", said)) as url:
        move(mastodon, url)
        assert mastodon("accounts", "--check").status == 1
    told = one(mastodon, "mastodon:mastodon")
    assert (told["state"], told["health"]) == ("needs_login", "needs_login")
    move(mastodon, home)
    assert mastodon("accounts", "--check").status == 0
    assert one(mastodon, "mastodon:mastodon")["state"] == "ok"


def test_a_check_verifies_who_was_not_reached_before(postkit: Program) -> None:
    [given] = [each for each in postkit.server.accounts() if each.network == "mastodon"]
    token = f"--credential=access_token={given.credentials['access_token']}"
    postkit("connect", "mastodon", "--endpoint", f"http://{closed_port()}", token)
    assert one(postkit, "mastodon:mastodon")["health"] == "unverified"
    move(postkit, endpoint_of(postkit))
    assert one(postkit, "mastodon:mastodon", "--check")["health"] == "ok"


# Names


def test_a_new_name_is_everywhere_and_open_posts_go_on(mastodon: Program) -> None:
    name = schedule(mastodon, "Later", "in 2h")
    live = mastodon("publish", "Now", "--to", "mastodon", "--json").report["deliveries"][0]
    mastodon("pause", "mastodon:mastodon")
    result = mastodon("accounts", "rename", "mastodon:mastodon", "shop", "--json")
    assert result.json == {
        "account": "mastodon:shop", "before": "mastodon:mastodon", "mentions": [],
    }  # fmt: skip
    [report] = mastodon("show", name, "--json").report["deliveries"]
    assert (report["address"], report["account"]) == ("mastodon:shop", "mastodon:shop")
    [old] = mastodon("show", live["id"], "--json").report["deliveries"]
    assert old["address"] == "mastodon:mastodon", "what was published keeps its story"
    assert mastodon("pause", "--list").out.startswith("mastodon:shop")
    assert mastodon("unpause", "mastodon:shop").status == 0
    assert mastodon("reschedule", name, "--at", "in 1s").status == 0
    assert mastodon("worker", "--drain", "--wait", "5").status == 0
    assert mastodon.texts() == ["Now", "Later"]


def test_the_lines_of_the_settings_with_the_old_name_are_told(mastodon: Program) -> None:
    mastodon.settle(
        'default = ["mastodon:mastodon"]\n[groups]\nlaunch = ["mastodon:mastodon", "x"]\n'
        'other = ["mastodon:mastodon2"]\n[networks.mastodon]\naccount = "mastodon"\n'
        '[networks.x]\naccount = "mastodon"\n[accounts."mastodon:mastodon"]\nquiet = 5\n'
    )
    result = mastodon("accounts", "rename", "mastodon:mastodon", "mastodon:shop")
    assert result.status == 0, result.err
    path = mastodon.home / "postkit.toml"
    listed = [line.strip() for line in result.err.splitlines()[1:]]
    assert listed == [f"{path}:{number}" for number in (1, 3, 6, 9)]


@pytest.mark.parametrize(
    ("name", "said"),
    [("me", "is connected already"), ("a b", "an account's name has"), ("acme", "has that name")],
)
def test_names_that_cannot_be(postkit: Program, name: str, said: str) -> None:
    two(postkit)
    assert said in postkit.fails(2, "accounts", "rename", "mastodon:acme", name)
    assert {row["name"] for row in postkit("accounts", "--json").json["accounts"]} == {"acme", "me"}


# Defaults


def test_one_of_several_is_what_the_bare_name_means(postkit: Program) -> None:
    two(postkit)
    postkit.fails(2, "publish", "Hi", "--to", "mastodon")
    assert postkit("accounts", "default", "mastodon:me").out == "mastodon means mastodon:me now.\n"
    assert "mastodon:me" in postkit("publish", "Hi", "--to", "mastodon").out
    assert postkit("accounts", "default", "mastodon:acme").status == 0
    assert [row["default"] for row in postkit("accounts", "--json").json["accounts"]] == [
        True, False,
    ]  # fmt: skip
    postkit("accounts", "default", "--none", "mastodon")
    assert "there are 2 accounts" in postkit.fails(2, "publish", "Ho", "--to", "mastodon")


def test_the_settings_count_before_a_default(postkit: Program) -> None:
    two(postkit)
    postkit.settle('[networks.mastodon]\naccount = "acme"\n')
    result = postkit("accounts", "default", "mastodon:me")
    assert "postkit.toml chooses mastodon:acme for mastodon, and that counts" in result.err
    assert "mastodon:acme" in postkit("publish", "Hi", "--to", "mastodon").out


def test_a_default_takes_one_of_two(postkit: Program) -> None:
    assert "or --none NETWORK" in postkit.fails(2, "accounts", "default")
    postkit.fails(2, "accounts", "default", "--none", "nowhere")


# Removal


def test_access_that_another_account_shares_is_not_ended(postkit: Program) -> None:
    two(postkit)
    result = postkit("accounts", "remove", "mastodon:acme")
    assert result.status == 0
    assert "mastodon:me has the same access, so it was not ended" in result.err
    assert postkit("publish", "Hi", "--to", "mastodon").status == 0


def test_a_protected_account_is_removed_by_its_name_and_stays_protected(postkit: Program) -> None:
    two(postkit)
    postkit("accounts", "protect", "mastodon:acme")
    said = postkit.fails(2, "accounts", "remove", "mastodon:acme")
    assert "--yes mastodon:acme" in said
    assert postkit("accounts", "remove", "mastodon:acme", "--yes", "mastodon:acme").status == 0
    postkit.connect("mastodon", name="acme")
    assert one(postkit, "mastodon:acme")["protected"] is True


def test_words_that_complete_to_an_account(
    postkit: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:

    two(postkit)
    result = postkit.process(
        _POSTKIT_COMPLETE="bash_complete",
        COMP_WORDS="postkit accounts remove mastodon:a",
        COMP_CWORD="3",
    )
    assert result.out.split("\n")[0] == "plain,mastodon:acme"
    monkeypatch.setenv("POSTKIT_HOME", str(tmp_path / "nothing"))
    result = postkit.process(
        _POSTKIT_COMPLETE="bash_complete", COMP_WORDS="postkit accounts remove m", COMP_CWORD="3"
    )
    assert (result.out.strip(), (tmp_path / "nothing").exists()) == ("", False)


def test_a_post_beyond_the_end_of_access_is_told(mastodon: Program) -> None:
    grant("mastodon:mastodon", expires_at=str(int(time.time() + 2 * 3600)))
    late = mastodon("publish", "Late", "--to", "mastodon", "--at", "in 5h", "--json").report
    [warning] = [each for each in late["warnings"] if "access" in each]
    assert warning.startswith(
        "mastodon:mastodon: the access of mastodon:mastodon ends before this post is due ("
    )
    assert "postkit connect mastodon --name mastodon --replace" in warning
    early = mastodon("publish", "Early", "--to", "mastodon", "--at", "in 1h", "--json").report
    assert not [each for each in early["warnings"] if "access" in each]
    grant("mastodon:mastodon", expires_at=str(int(time.time() + timedelta(days=9).total_seconds())))
    shown = mastodon("show", late["publication"], "--json").report
    assert not [each for each in shown["warnings"] if "access" in each]


def test_scopes_that_were_not_granted_are_told_when_it_is_connected(postkit: Program) -> None:
    postkit.connect("x")
    grant("x:x", scopes="tweet.read tweet.write users.read offline.access")
    with Kit() as kit:
        assert not_granted(kit, kit.plugins.network("x"), kit.account("x:x")) == [
            "media.write was not granted, which is needed to upload pictures and videos: without "
            "it nothing can be published."
        ]
        grant("x:x", scopes="")
        assert not_granted(kit, kit.plugins.network("x"), kit.account("x:x")) == []
