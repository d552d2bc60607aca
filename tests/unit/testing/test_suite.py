"""The suite finds mistakes: each broken plugin fails where it is broken, and only there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

BROKEN = {
    "TestForgetful": {
        "test_made_but_the_answer_spoiled[lose_answer]",
        "test_in_doubt_is_never_sent_twice_by_finishing",
        "test_our_own_post_is_found",
    },
    "TestWithoutAlt": {
        "test_bytes_and_alt_texts_arrive_as_planned",
        "test_alt_text_at_the_maximum_arrives",
        "test_a_full_post",
    },
    "TestChatty": {"test_no_secret_comes_out[published]"},
    "TestLogging": {"test_no_secret_comes_out[published]"},
    "TestTelling": {"test_no_secret_comes_out[refused]"},
    "TestWriting": {"test_no_secret_comes_out[published]"},
    "TestCutting": {"test_a_text_past_the_maximum_is_split_or_refused"},
    "TestSilent": {
        "test_a_field_is_delivered_or_reported[title]",
        "test_a_full_post",
        "test_a_text_past_the_maximum_is_split_or_refused",
    },
    "TestUnchained": {"test_a_thread_arrives_whole"},
    "TestGreedy": {"test_nothing_is_found_for_a_post_that_was_never_made"},
    "TestWasteful": {"test_uploads_show_nothing_and_are_not_repeated"},
    "TestHopeful": {"test_one_request_for_one_publish[no_id]"},
    "TestStubborn": {"test_deleting_what_is_gone_is_no_error"},
    "TestPresuming": {
        "test_made_but_the_answer_spoiled[lose_answer]",
        "test_our_own_post_is_found",
    },
    "TestLax": {"test_the_emulator_keeps_to_the_table"},
    "TestOpen": {"test_a_wrong_token_is_refused_and_not_kept"},
    "TestKeyless": {
        "test_a_repeat_does_what_the_guarantee_says",
        "test_made_but_the_answer_spoiled[lose_answer]",
        "test_in_doubt_is_never_sent_twice_by_finishing",
        "test_our_own_post_is_found",
    },
}
"""Of the tests that are run here, those that must fail."""
ALWAYS = {"test_name_and_title", "test_delete"}
"""No plugin here is broken in these."""


@pytest.fixture(scope="module")
def failed(
    tmp_path_factory: pytest.TempPathFactory, planted_secret: Callable[[Path], Path]
) -> dict[str, set[str]]:
    """The tests that failed, by class; each class ran its own ones and the two of ALWAYS."""
    result = planted_secret(tmp_path_factory.mktemp("suite")) / "result.xml"
    suite = HERE / "broken_suite.py"
    names = [
        f"{suite}::{name}::{test}" for name, tests in BROKEN.items() for test in tests | ALWAYS
    ]
    run = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line",
            "--show-capture=no",
            f"--rootdir={ROOT}", f"--confcutdir={HERE}", f"--junitxml={result}",
            f"--basetemp={result.parent / 'tests'}", *names,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )  # fmt: skip
    assert run.returncode == 1, run.stdout + run.stderr
    found: dict[str, set[str]] = {name: set() for name in BROKEN}
    cases = list(ET.parse(result).getroot().iter("testcase"))
    assert len(cases) == len(names), run.stdout
    for case in cases:
        assert case.find("error") is None, f"{case.get('name')} could not run:\n{run.stdout}"
        if case.find("failure") is not None:
            found[case.get("classname", "").rpartition(".")[2]].add(case.get("name", ""))
    return found


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_plugin_fails_where_it_is_broken(failed: dict[str, set[str]], name: str) -> None:
    assert failed[name] == BROKEN[name]
