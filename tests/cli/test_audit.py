"""`postkit audit`: proves the history, exports it, and names the first line that is not true."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from postkit.cli.kit import Kit
from postkit.deliver.actor import this_user
from postkit.schemas import commands_schema, history_schema, report_schema

from .program import Program


@cache
def validator() -> Draft202012Validator:
    known = Registry().with_resources(
        [
            (schema["$id"], Resource.from_contents(schema))
            for schema in (commands_schema(), report_schema())
        ]
    )
    Draft202012Validator.check_schema(history_schema())
    return Draft202012Validator(history_schema(), registry=known)


def tamper(program: Program) -> None:
    with closing(sqlite3.connect(program.home / "postkit.db")) as raw:
        raw.execute("DROP TRIGGER history_unchanged")
        raw.execute("UPDATE history SET reason = 'Nothing.' WHERE event = 'send'")
        raw.commit()


def test_who_did_what_and_that_it_is_whole(mastodon: Program) -> None:
    mastodon("publish", "Hello", "--to", "mastodon")
    mastodon("pause", "mastodon", "--reason", "a storm")
    mastodon("unpause", "mastodon")
    result = mastodon("audit")
    assert result.status == 0
    assert "whole" in result.out
    answer = mastodon("audit", "--json").answer("audit")
    assert answer["whole"]
    lines = [json.loads(line) for line in mastodon("audit", "--json-lines", "-").out.splitlines()]
    for line in lines:
        validator().validate(line)
    told = [(line["event"], line["actor"], line["via"]) for line in lines if "event" in line]
    me = this_user()
    assert ("connect", me, "cli") in told
    assert ("publish", me, "cli") in told
    assert ("pause", me, "cli") in told
    assert ("unpause", me, "cli") in told
    assert lines[-1]["end"] in answer["chains"]
    sent = {line["content"] for line in lines if line.get("part_id")}
    assert len(sent) == 1, "what was claimed, sent and live is the same"


def test_a_worker_is_named(mastodon: Program) -> None:
    mastodon("publish", "Hello", "--to", "mastodon", "--at", "in 1s")
    assert mastodon("worker", "--drain", "--wait", "3").status == 0
    lines = [json.loads(line) for line in mastodon("audit", "--json-lines", "-").out.splitlines()]
    by = {line["event"]: (line["actor"], line["via"]) for line in lines if "event" in line}
    assert by["publish"] == (this_user(), "cli")
    assert by["accepted"] == (f"worker:{this_user()}", "worker")


def test_a_line_that_was_changed(mastodon: Program) -> None:
    mastodon("publish", "Hello", "--to", "mastodon")
    tamper(mastodon)
    result = mastodon("audit")
    assert result.status == 1
    assert "broken" in result.out
    [error] = result.errors
    assert error.startswith("error: mastodon:")
    assert " UTC): It was changed after it was written." in error
    answer = mastodon("audit", "--json").answer("audit")
    assert not answer["whole"]


def test_a_file_is_whole_and_its_owner_s(mastodon: Program, tmp_path: Path) -> None:
    mastodon("publish", "Hello", "--to", "mastodon")
    target = tmp_path / "history.jsonl"
    target.write_text("of before", "utf-8")
    assert mastodon("audit", "--json-lines", str(target)).status == 0
    lines = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    assert lines[-1]["end"]["lines"] == len(lines) - 1
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob(".*part")] == []
    mastodon("audit", "--json-lines", str(target), "--since", "2999-01-01")
    assert len(target.read_text("utf-8").splitlines()) == 1, "the end alone"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--since", "2026-01-01"], "--json-lines"),
        (["--json", "--json-lines", "-"], "--json-lines -"),
        (["--json-lines", "-", "--since", "soon"], "no time"),
        (["--json-lines", "/nowhere/at/all"], "cannot be written"),
        (["mastodon:nobody"], "There is no history of"),
    ],
)
def test_what_is_wrong_is_said(mastodon: Program, arguments: list[str], says: str) -> None:
    result = mastodon("audit", *arguments)
    assert result.status in (1, 2)
    [error] = result.errors
    assert says in error


def test_before_the_first_post_there_is_nothing(postkit: Program) -> None:
    result = postkit("audit")
    assert (result.status, result.out) == (0, "")
    assert not (postkit.home / "postkit.db").exists()


def test_what_is_a_tenants_is_proved_apart_and_that_is_told(mastodon: Program) -> None:
    with Kit() as kit:
        own = kit.account("mastodon:mastodon")
        fields, tenant = kit.vault().get(own.id), kit.for_tenant("north")
        tenant.connect("mastodon", fields, name="shop", endpoint=own.endpoint)
        assert (kit.audited_apart(), tenant.audited_apart()) == (1, 0)
    result = mastodon("audit")
    assert result.status == 0
    assert "1 tenant has a history apart from this" in result.err
    assert "shop" not in result.out
