"""Wall time: what a clock in a zone shows, and the instant that a local time means.

``whenever`` is imported where it is used (20 ms).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from .errors import InputError
from .zones import unknown_zone

if TYPE_CHECKING:
    import whenever

_WALL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")


class ClockChange(InputError):
    """A local time that a clock change skips or repeats.

    ``readings`` are the two instants that can be meant, the earlier first, as ISO 8601 with offset.
    """

    kind = "clock_change"

    def __init__(self, message: str, readings: tuple[str, str]) -> None:
        super().__init__(message)
        self.readings = readings


def wall(at: datetime, zone: str) -> datetime:
    """What a clock in the zone shows at the instant: aware, with the offset as its tzinfo."""
    import whenever

    try:
        return _stdlib(whenever.Instant(at).to_tz(zone))
    except whenever.TimeZoneNotFoundError:
        raise unknown_zone(zone) from None


def readings(local: str, zone: str) -> tuple[datetime, datetime]:
    """The earlier and the later instant (UTC) that a local time can mean; mostly they are equal."""
    earlier, later = _meanings(local, zone)
    return earlier.astimezone(UTC), later.astimezone(UTC)


def resolve(local: str, zone: str, *, strict: bool = True) -> datetime:
    """The instant (UTC) of ``YYYY-MM-DDTHH:MM[:SS]`` in the zone, by the rules as they are now.

    A time that a clock change skips or repeats raises ClockChange. With ``strict=False``, for a
    post that was accepted before the rules changed, it is the first moment after the gap, or the
    first of the two occurrences. An unknown zone raises UnknownName either way.
    """
    earlier, later = _meanings(local, zone)
    if earlier == later:
        return earlier.astimezone(UTC)
    skipped = earlier.replace(tzinfo=None) != datetime.fromisoformat(local)
    if not strict:
        return _gap_end(earlier, zone) if skipped else earlier.astimezone(UTC)
    spelled = (_iso(earlier), _iso(later))
    why = (
        "does not exist, because clocks go forward then"
        if skipped
        else "comes twice, because clocks go back then"
    )
    raise ClockChange(
        f"{local.replace('T', ' ')} in {zone} {why};"
        f" write {spelled[0]!r} or {spelled[1]!r}, without a zone.",
        spelled,
    )


def _meanings(local: str, zone: str) -> tuple[datetime, datetime]:
    """Both readings as wall times with offset. Equal where the time comes exactly once."""
    import whenever

    try:
        if not _WALL.fullmatch(local):
            raise ValueError
        plain = whenever.PlainDateTime(datetime.fromisoformat(local))
    except ValueError:
        raise InputError(
            f"{local[:40]!r} is no local time; write it as '2027-01-04T09:00'."
        ) from None
    try:
        earlier = plain.assume_tz(zone, disambiguation="earlier")
        return _stdlib(earlier), _stdlib(plain.assume_tz(zone, disambiguation="later"))
    except whenever.TimeZoneNotFoundError:
        raise unknown_zone(zone) from None


def _gap_end(before: datetime, zone: str) -> datetime:
    import whenever

    transition = whenever.Instant(before).to_tz(zone).next_transition()
    if transition is None:  # pragma: no cover - a gap lies before a transition
        raise ValueError(f"no gap after {before}")
    return transition.to_instant().to_stdlib()


def _stdlib(zoned: whenever.ZonedDateTime) -> datetime:
    # Not the library's own conversion: its tzinfo would hold a second copy of the rules.
    offset: timedelta = zoned.offset.to_stdlib()
    return zoned.to_plain().to_stdlib().replace(tzinfo=timezone(offset))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")
