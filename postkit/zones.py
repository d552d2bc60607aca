"""Time zones: their names, the machine's own, and changes of their rules.

The rules come from the machine (``PYTHONTZPATH``, the system's zone files, then the ``tzdata``
package), read by the ``whenever`` library, which is imported where it is used (20 ms).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from .errors import UnknownName
from .suggest import did_you_mean

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")

_NOT_ZONES = ("posix/", "right/", "localtime", "posixrules", "factory")
"""Files beside the zones: copies, copies that count leap seconds (27 s off), placeholders."""

_OFFSET = re.compile(r"(utc|gmt|z)? ?[+-] ?[0-9]{1,2}(:?[0-9]{2})?", re.IGNORECASE)


def check_zone(name: str) -> str:
    """The zone as the IANA database spells it (upper and lower case count as equal).

    Raises UnknownName with the nearest name.
    """
    import whenever

    if _NAME.fullmatch(name) and not name.lower().startswith(_NOT_ZONES):
        try:
            found = whenever.Instant.from_utc(2000, 1, 1).to_tz(name).tz_id
        except whenever.TimeZoneNotFoundError:
            found = None
        if found is not None:
            return found
    if _OFFSET.fullmatch(name):
        raise UnknownName(
            f"{name!r} is an offset, not a zone; write a zone such as 'Europe/Berlin',"
            " or put the offset behind the time, as in '2027-01-04T09:00+01:00'."
        )
    raise unknown_zone(name)


def unknown_zone(name: str) -> UnknownName:
    """The error for a name that the rules of this machine do not have."""
    shown = name if len(name) <= 40 else name[:39] + "…"
    return UnknownName(f"There is no zone {shown!r}.{_nearest(name)}")


def system_zone() -> str | None:
    """The zone of this machine (``TZ``, then /etc/localtime; UTC where neither is set).

    None where it has rules without an IANA name (``TZ=CET-1CEST``) or ``TZ`` names no zone.
    """
    import whenever

    try:
        whenever.reset_system_tz()  # else the library keeps what it saw first
        return whenever.Instant.from_utc(2000, 1, 1).to_tz(whenever.SYSTEM_TZ).tz_id
    except whenever.TimeZoneNotFoundError:
        return None


def rules_fingerprint(zones: Iterable[str]) -> str:
    """Changes when the rules of one of the zones change, or come or go; 64 hexadecimal digits.

    Reads the zone files each time (names as ``check_zone`` gives them). After a change, call
    ``forget_zones`` before the next ``resolve``.
    """
    import hashlib

    folders = _folders()
    total = hashlib.sha256()
    for zone in sorted(set(zones)):
        rules = hashlib.sha256(_file(zone, folders)).hexdigest()
        total.update(f"{zone} {rules}\n".encode())
    return total.hexdigest()


def forget_zones() -> None:
    """Drop the rules that were read, so that the next look-up reads the files again."""
    import whenever

    whenever.clear_tzcache()


def _folders() -> list[Path]:
    """Where zone files lie, in the order in which the library looks."""
    import importlib.util

    import whenever

    folders = [Path(folder) for folder in whenever.get_tzpath()]
    try:
        package = importlib.util.find_spec("tzdata.zoneinfo")
    except ModuleNotFoundError:
        package = None
    if package is not None:
        folders += [Path(folder) for folder in package.submodule_search_locations or ()]
    return folders


def _file(zone: str, folders: Iterable[Path]) -> bytes:
    if _NAME.fullmatch(zone):
        for folder in folders:
            try:
                return (folder / zone).read_bytes()
            except OSError:
                continue
    return b""


def _nearest(name: str) -> str:
    import whenever

    # Never a name that was not meant: 'Etc/GMT+2' is two hours behind UTC, and 'PST' is not 'EST'.
    known = {zone for zone in whenever.available_timezones() if "/" in zone}
    known = {zone for zone in known if not zone.startswith("Etc/")} | {"UTC"}
    wanted = name.strip().replace(" ", "_")
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(known, reverse=True)}
    if wanted.casefold() in cities:
        return f" Did you mean {cities[wanted.casefold()]!r}?"
    if not known - {"UTC"}:
        return " This machine has no zone files; install the package 'tzdata'."
    return did_you_mean(wanted, known) or " Write a zone such as 'Europe/Berlin' or 'UTC'."
