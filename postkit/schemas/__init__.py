"""JSON Schemas of what ``--json`` prints."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def report_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of a report, which is also the shape of every error."""
    text = (resources.files(__package__) / "report.v1.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
