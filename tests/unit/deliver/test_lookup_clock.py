from __future__ import annotations

from datetime import UTC, datetime, timedelta

from postkit.deliver.lookup import decide
from postkit.network import Guarantee

NOW = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)


def test_a_clock_that_went_back_makes_nobody_look_ten_times_a_second() -> None:
    verdict = decide(
        [],
        guarantee=Guarantee("probe", quiet=0.0, resend_when_absent=True),
        sending_at=NOW + timedelta(hours=1),
        doubt_at=NOW + timedelta(hours=1),
        now=NOW,
        looks=1,
        taken=(),
    )
    assert verdict.kind == "wait"
    assert verdict.again == NOW + timedelta(seconds=30)
