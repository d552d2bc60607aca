"""The schema of reports: valid itself, shipped, and true of every state."""

from __future__ import annotations

from importlib import resources
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator, ValidationError

from postkit.deliver.states import DeliveryState, PartState
from postkit.network import GuaranteeKind
from postkit.report import SCHEMA
from postkit.schemas import report_schema

from .program import Program, validator


def test_it_is_a_valid_schema_of_2020_12() -> None:
    schema = report_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def test_it_is_inside_the_package() -> None:
    assert (resources.files("postkit.schemas") / "report.v1.json").is_file()


def test_it_names_every_state_that_there_is() -> None:
    schema = report_schema()
    delivery = schema["$defs"]["delivery"]["properties"]
    part = schema["$defs"]["part"]["properties"]
    assert schema["properties"]["schema"]["const"] == SCHEMA
    assert set(delivery["state"]["enum"]) == set(get_args(DeliveryState))
    assert set(part["state"]["enum"]) == {"PLANNED", *get_args(PartState)}
    assert set(delivery["guarantee"]["enum"]) == {None, "unknown", *get_args(GuaranteeKind)}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda report: report.pop("warnings"),
        lambda report: report.update(more=1),
        lambda report: report["deliveries"][0].update(state="alive"),
        lambda report: report["deliveries"][0]["parts"][0].pop("url"),
        lambda report: report["deliveries"][0].update(at="today"),
        lambda report: report.update(publication="d_1"),
    ],
)
def test_it_refuses_what_is_no_report(mastodon: Program, spoil: Any) -> None:
    report = mastodon("publish", "Hi", "--to", "mastodon", "--json").report
    spoil(report)
    with pytest.raises(ValidationError):
        validator().validate(report)


@pytest.mark.parametrize(
    "given",
    [
        ["publish", "Hi", "--to", "nowhere"],
        ["publish", "gone.md"],
        ["publish", "Hi", "--no-such-flag"],
        ["connect", "mastodon", "--credential", "x=1"],
        ["accounts", "remove", "x:y"],
        ["accounts", "remove"],
        ["networks", "nowhere"],
        ["list", "--count", "no"],
        ["show", "p_0"],
        ["finish", "d_0"],
        ["resolve", "d_0", "--resend"],
        ["delete", "d_0"],
        ["publish", "Hi", "--to", "mastodon", "--at", "soon"],
        ["queue", "--count", "no"],
        ["cancel", "d_0"],
        ["reschedule", "d_0", "--at", "in 2h"],
        ["edit", "d_0", "--text", "Hi"],
        ["worker", "--wait", "5"],
        ["emulate", "--port", "70000"],
        ["nothing"],
    ],
)
def test_errors_are_one_document_too(mastodon: Program, given: list[str]) -> None:
    result = mastodon(*given, "--json")
    assert result.status == 2
    assert result.report["error"]["message"]
    assert result.report["deliveries"] == []
    assert result.errors
