"""The schema of commands: valid itself, shipped, and true of what each command prints."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator, ValidationError

from postkit.network import GuaranteeKind
from postkit.schemas import commands_schema

from .program import Program, answer_validator
from .test_worker import schedule


def test_it_is_a_valid_schema_inside_the_package() -> None:
    schema = commands_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    assert (resources.files("postkit.schemas") / "commands.v1.json").is_file()


def test_it_names_every_class() -> None:
    promise = commands_schema()["$defs"]["promise"]["properties"]
    assert set(promise["class"]["enum"]) == set(get_args(GuaranteeKind))


def test_where_there_is_nothing(postkit: Program) -> None:
    assert postkit("list", "--json").answer("list") == {"publications": []}
    assert postkit("queue", "--json").answer("queue")["total"] == 0
    assert postkit("pause", "--list", "--json").answer("pause-list") == {"paused": []}
    assert postkit("pause", "--all", "--json").answer("pause")["scheduled"] == 0
    assert postkit("unpause", "--all", "--json").answer("unpause")["ended"] == ["everything"]
    assert postkit("guarantees", "--json").answer("guarantees")["broken"] == []


@pytest.fixture
def full(mastodon: Program) -> Program:
    """Something in every state that a person meets."""
    mastodon("publish", "Live", "--to", "mastodon")
    mastodon.server.set("mastodon", "max_characters", 3)
    assert mastodon("publish", "Failed", "--to", "mastodon").status == 1
    mastodon.server.set("mastodon", "max_characters", 500)
    schedule(mastodon, "Held", "in 1s")
    schedule(mastodon, "Later", "in 2h", "--zone", "Asia/Tokyo", "--expires", "never")
    mastodon("pause", "mastodon", "--reason", "a storm")
    assert mastodon("worker", "--drain", "--wait", "3").status == 4
    return mastodon


def test_list_and_queue(full: Program) -> None:
    listed = full("list", "--json").answer("list")
    assert len(listed["publications"]) == 4
    queue = full("queue", "--json").answer("queue")
    assert [each["state"] for each in queue["deliveries"]] == ["held", "scheduled"]
    assert queue["total"] == 2


def test_pause_and_unpause(full: Program) -> None:
    listed = full("pause", "--list", "--json").answer("pause-list")
    assert [(each["address"], each["reason"]) for each in listed["paused"]] == [
        ("mastodon", "a storm")
    ]
    paused = full("pause", "--all", "--json").answer("pause")
    assert paused["scheduled"] == 1
    kept = full("unpause", "mastodon", "--json").answer("unpause")
    assert (kept["ended"], kept["paused"], len(kept["held"])) == (["mastodon"], ["everything"], 1)
    sent = full("unpause", "--all", "--send", "--json").answer("unpause")
    assert (len(sent["sent"]), len(sent["warnings"])) == (1, 1)


def test_release_and_show_are_reports(full: Program) -> None:
    held = full("queue", "--json").json["deliveries"][0]["id"]
    full("unpause", "--all")
    assert full("release", held, "--json").report["deliveries"][0]["state"] == "live"
    for publication in full("list", "--json").json["publications"]:
        shown = full("show", publication["publication"], "--json").report
        assert shown["history"].keys() == {each["id"] for each in shown["deliveries"]}


def test_guarantees(full: Program) -> None:
    promises = full("guarantees", "--json").answer("guarantees")["guarantees"]
    assert {each["account"] for each in promises} >= {None, "mastodon:mastodon"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda queue: queue.pop("worker"),
        lambda queue: queue.update(more=1),
        lambda queue: queue["deliveries"][0].pop("overdue"),
        lambda queue: queue["deliveries"][0].update(state="alive"),
        lambda queue: queue["deliveries"][0].update(expires_at="soon"),
        lambda queue: queue.update(total=-1),
    ],
)
def test_it_refuses_what_is_no_queue(mastodon: Program, spoil: Any) -> None:
    schedule(mastodon, "Later", "in 2h")
    queue = mastodon("queue", "--json").answer("queue")
    spoil(queue)
    with pytest.raises(ValidationError):
        answer_validator("queue").validate(json.loads(json.dumps(queue)))
