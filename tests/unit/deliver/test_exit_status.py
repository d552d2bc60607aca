"""What scripts rely on: the exit status of each state, and which of several counts."""

from __future__ import annotations

from postkit.deliver.states import EXIT_STATUS, worst_exit


def test_each_state_has_its_exit_status() -> None:
    wanted = {
        **dict.fromkeys(("planned", "scheduled", "live", "cancelled"), 0),
        **dict.fromkeys(("failed", "partly_live", "missed"), 1),
        "uncertain": 3,
        "held": 4,
        **dict.fromkeys(("sending", "checking"), 75),
    }
    assert wanted == EXIT_STATUS


def test_a_defect_counts_before_a_question_and_a_question_before_a_no() -> None:
    order = [70, 3, 1, 4, 75, 0]
    for number, worst in enumerate(order):
        assert worst_exit(order[number:][::-1]) == worst
    assert worst_exit([]) == 0
