from __future__ import annotations

import json

import pytest

from postkit.cli.main import run


def test_prints_a_row_for_each_class(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sim", "--schedules", "10", "--class", "probe", "--class", "blind"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == ["probe", "blind"]
    assert [row[1] for row in rows] == ["10", "10"]
    assert all(row[3:7] == ["0"] * 4 for row in rows)


def test_replays_one_seed_with_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sim", "--class", "key", "--seed", "3"]) == 0
    first = capsys.readouterr().out
    assert "is SENDING" in first
    assert "every promise was kept" in first
    assert run(["sim", "--class", "key", "--seed", "3", "--json"]) == 0
    replay = json.loads(capsys.readouterr().out)["replays"][0]
    assert replay["trace_hash"] in first
    assert replay["violations"] == []


def test_a_broken_promise_is_told_with_its_seed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postkit.deliver.ledger.not_paused", lambda *_: None)
    assert run(["sim", "--schedules", "150", "--class", "probe"]) == 1
    said = capsys.readouterr().err
    assert "is paused" in said
    assert "postkit sim --class probe --seed " in said


def test_a_class_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sim", "--class", "certain"]) == 2
    assert "duplicate_refusal" in capsys.readouterr().err
