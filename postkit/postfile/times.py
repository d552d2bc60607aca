"""When a post is due: what is wrong with it wherever and whenever it is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ..errors import InputError
from ..freshness import parse_freshness
from .problems import Problems


def check_times(
    at: str | None,
    zone: str | None,
    expires: str | None,
    lines: Mapping[str, int],
    problems: Problems,
) -> None:
    """Note what no `Kit.schedule` could read. A time that is past is none of it: another one may
    be given beside the file."""
    if zone is not None:
        from ..zones import check_zone

        try:
            check_zone(zone)
        except InputError as error:
            problems.add(lines["zone"], "zone", error.message)
            zone = None
    if at is not None:
        from ..when import NotNow, parse_when

        try:
            parse_when(at, now=datetime.now(UTC), zone=zone)
        except NotNow:
            pass
        except InputError as error:
            problems.add(lines["at"], "at", error.message)
    if expires is not None:
        try:
            parse_freshness(expires)
        except InputError as error:
            problems.add(lines["expires"], "", error.message)
