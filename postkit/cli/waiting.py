"""``--wait``: how long a command looks for the outcome."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click

from ..desk import WAIT

LONGEST = 86_400.0


class Seconds(click.ParamType[float]):
    """A number of seconds from 0 to a day."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0 <= number <= LONGEST:
            self.fail(f"{value!r} is no number of seconds from 0 to 86400.", param, ctx)
        return number


wait_option: Callable[[Any], Any] = click.option(
    "--wait",
    type=Seconds(),
    default=WAIT,
    show_default=True,
    help="Seconds to look for the outcome; `postkit finish` looks again.",
)
