from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import whenever

from postkit.errors import UnknownName
from postkit.walltime import ClockChange, resolve
from postkit.when import parse_when
from postkit.zones import check_zone, forget_zones, rules_fingerprint, system_zone

MADE_UP = "Made/Up"


def tzif(rules: str) -> bytes:
    """A zone file whose only content is a POSIX rule (RFC 8536, section 3)."""
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    block = b"TZif2" + bytes(15) + counts + struct.pack(">lbb", 0, 0, 0) + b"AAA\0"
    return block + block + f"\n{rules}\n".encode()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


Write = Callable[[str], None]


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes the rules of a made-up zone, alone on the search path."""
    path = tmp_path / "zoneinfo" / MADE_UP
    path.parent.mkdir(parents=True)

    def write(rules: str) -> None:
        fresh = path.with_name("fresh")  # as a package manager does: never half a file
        fresh.write_bytes(tzif(rules))
        fresh.replace(path)

    with monkeypatch.context() as patch:
        patch.setenv("PYTHONTZPATH", str(tmp_path / "zoneinfo"))
        whenever.reset_tzpath()
        forget_zones()
        yield write
    whenever.reset_tzpath()
    forget_zones()


def test_new_rules_are_seen_after_the_old_are_forgotten(made_up: Write) -> None:
    made_up("AAA-2")
    before = rules_fingerprint([MADE_UP])
    assert resolve("2027-01-04T09:00", MADE_UP) == utc("2027-01-04T07:00")
    made_up("AAA-3")
    assert rules_fingerprint([MADE_UP]) != before
    forget_zones()
    assert resolve("2027-01-04T09:00", MADE_UP) == utc("2027-01-04T06:00")
    made_up("AAA-2")
    assert rules_fingerprint([MADE_UP]) == before


def test_new_rules_that_skip_or_repeat_an_accepted_time_do_not_lose_it(made_up: Write) -> None:
    made_up("AAA-2")
    spring = parse_when("2027-03-28 02:30", now=utc("2026-11-23T08:00"), zone=MADE_UP)
    autumn = parse_when("2027-10-31 02:30", now=utc("2026-11-23T08:00"), zone=MADE_UP)
    assert (spring.at, autumn.at) == (utc("2027-03-28T00:30"), utc("2027-10-31T00:30"))
    made_up("AAA-2BBB,M3.5.0/2,M10.5.0/3")  # summer time from now on
    forget_zones()
    for when, then in ((spring, "2027-03-28T00:00"), (autumn, "2027-10-30T23:30")):
        assert when.local
        with pytest.raises(ClockChange):
            resolve(when.local, MADE_UP)
        assert resolve(when.local, MADE_UP, strict=False) == utc(then)


def test_the_fingerprint_is_of_the_rules_of_the_zones(made_up: Write, tmp_path: Path) -> None:
    made_up("AAA-2")
    other = tmp_path / "zoneinfo" / "Made" / "Other"
    alone, both = rules_fingerprint([MADE_UP]), rules_fingerprint([MADE_UP, "Made/Other"])
    assert rules_fingerprint(["Made/Other", MADE_UP, MADE_UP]) == both
    other.write_bytes(tzif("AAA-2"))
    assert rules_fingerprint([MADE_UP]) == alone
    come = rules_fingerprint([MADE_UP, "Made/Other"])
    assert come != both
    other.unlink()
    assert rules_fingerprint([MADE_UP, "Made/Other"]) == both
    other.write_bytes(tzif("AAA-2"))
    assert rules_fingerprint([MADE_UP]) != rules_fingerprint(["Made/Other"])
    assert rules_fingerprint([]) != rules_fingerprint([MADE_UP])
    assert rules_fingerprint(["../../etc/passwd"]) == rules_fingerprint(["../../etc/passwd"])


def test_swapped_rules_have_another_fingerprint(made_up: Write, tmp_path: Path) -> None:
    made_up("AAA-2")
    other = tmp_path / "zoneinfo" / "Made" / "Other"
    other.write_bytes(tzif("AAA-3"))
    before = rules_fingerprint([MADE_UP, "Made/Other"])
    made_up("AAA-3")
    other.write_bytes(tzif("AAA-2"))
    assert rules_fingerprint([MADE_UP, "Made/Other"]) != before


def test_a_zone_that_goes_away(made_up: Write, tmp_path: Path) -> None:
    made_up("AAA-2")
    when = parse_when("2027-01-04 09:00", now=utc("2026-11-23T08:00"), zone="made/up")
    assert when.zone == MADE_UP
    assert when.spoken() == "Mon 2027-01-04 09:00 Made/Up (07:00 UTC)"
    (tmp_path / "zoneinfo" / MADE_UP).unlink()
    forget_zones()
    with pytest.raises(UnknownName):
        resolve("2027-01-04T09:00", MADE_UP, strict=False)
    assert when.spoken() == "Mon 2027-01-04 07:00 UTC"


def fresh_process(program: str, packages: Path) -> str:
    """What the program prints where the system has no zone files: a process finds them once."""
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={
            "PYTHONPATH": os.pathsep.join([str(packages), *sys.path]),
            "PYTHONTZPATH": str(packages / "none"),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout


def package_of_rules(tmp_path: Path) -> Path:
    """A package that hides the real one; it has no zones."""
    package = tmp_path / "tzdata" / "zoneinfo"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    return package


def test_the_package_of_rules_is_read_where_the_system_has_none(tmp_path: Path) -> None:
    package = package_of_rules(tmp_path)
    (package / "Packed").write_bytes(tzif("AAA-4"))
    (tmp_path / "update").write_bytes(tzif("AAA-5"))
    program = f"""if True:
        from pathlib import Path
        from postkit.walltime import resolve
        from postkit.zones import forget_zones, rules_fingerprint
        print(rules_fingerprint(["Packed"]) == rules_fingerprint(["Absent"]))
        before = rules_fingerprint(["Packed"])
        print(resolve("2027-01-04T09:00", "Packed"))
        Path({str(tmp_path / "update")!r}).replace({str(package / "Packed")!r})
        print(rules_fingerprint(["Packed"]) == before)
        forget_zones()
        print(resolve("2027-01-04T09:00", "Packed"))
    """
    assert fresh_process(program, tmp_path).splitlines() == [
        "False",
        "2027-01-04 05:00:00+00:00",
        "False",
        "2027-01-04 04:00:00+00:00",
    ]


def test_a_machine_without_zone_files(tmp_path: Path) -> None:
    package_of_rules(tmp_path)
    program = """if True:
        from datetime import UTC, datetime
        from postkit.errors import InputError
        from postkit.when import parse_when
        from postkit.zones import check_zone
        now = datetime(2026, 11, 23, 8, tzinfo=UTC)
        print(parse_when("in 2h", now=now, zone=None).spoken())
        print(parse_when("2027-01-04T09:00+01:00", now=now, zone=None).spoken())
        try:
            check_zone("Europe/Berlin")
        except InputError as error:
            print(error)
    """
    assert fresh_process(program, tmp_path).splitlines() == [
        "Mon 2026-11-23 10:00 UTC",
        "Mon 2027-01-04 08:00 UTC",
        "There is no zone 'Europe/Berlin'."
        " This machine has no zone files; install the package 'tzdata'.",
    ]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("AMERICA/NEW_YORK", "America/New_York"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("utc", "UTC"),
        ("Etc/GMT+5", "Etc/GMT+5"),
    ],
)
def test_a_zone_that_there_is(given: str, name: str) -> None:
    assert check_zone(given) == name


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("Europe/Berln", "There is no zone 'Europe/Berln'. Did you mean 'Europe/Berlin'?"),
        ("berlin", "Did you mean 'Europe/Berlin'?"),
        ("New York", "Did you mean 'America/New_York'?"),
        ("PST", "There is no zone 'PST'. Write a zone such as 'Europe/Berlin' or 'UTC'."),
        ("", "There is no zone ''. Write a zone such as"),
        ("GMT+2", "is an offset, not a zone"),
        ("+02:00", "put the offset behind the time, as in '2027-01-04T09:00+01:00'."),
        # Not the offset of that name, which has the opposite sign.
        ("Etc/GMT+99", "There is no zone 'Etc/GMT+99'. Write a zone such as"),
        ("right/Europe/Berlin", "There is no zone"),
        ("posix/Europe/Berlin", "There is no zone"),
        ("localtime", "There is no zone"),
        ("../Europe/Berlin", "There is no zone"),
        ("/etc/localtime", "There is no zone"),
        ("Europe/", "There is no zone"),
        ("zone.tab", "There is no zone"),
        ("Europe/Berlin\n", "There is no zone"),
        ("Európe/Berlin", "Did you mean 'Europe/Berlin'?"),
        ("a" * 5000, "There is no zone 'aaa"),
    ],
    ids=lambda value: value[:30],
)
def test_a_zone_that_there_is_not(given: str, sentence: str) -> None:
    with pytest.raises(UnknownName) as caught:
        check_zone(given)
    assert sentence in caught.value.message
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Europe/Berlin", "Europe/Berlin"),
        ("america/new_york", "America/New_York"),
        ("", "UTC"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", None),
        ("Nowhere/Else", None),
    ],
)
def test_the_zone_of_the_machine(
    variable: str, name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", variable)
    assert system_zone() == name
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert system_zone() == "Asia/Tokyo"
