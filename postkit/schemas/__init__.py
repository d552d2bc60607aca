"""JSON Schemas of what ``--json`` prints."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def report_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of a report, which is also the shape of every error."""
    return _read("report.v1.json")


def commands_schema() -> dict[str, Any]:
    """The schema of what ``list``, ``queue``, ``pause``, ``unpause``, ``guarantees`` and ``audit``
    print: a definition each. It refers to the schema of reports by its id."""
    return _read("commands.v1.json")


def history_schema() -> dict[str, Any]:
    """The schema of each line of ``postkit audit --json-lines``. It refers to that of commands."""
    return _read("history.v1.json")


def _read(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((resources.files(__package__) / name).read_text("utf-8"))
    return schema
