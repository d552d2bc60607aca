"""Broken, cut and lying files: a right clip or one sentence, soon, in little memory."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postkit.errors import InputError
from postkit.video import boxes, tables
from postkit.video.clip import Clip
from postkit.video.probe import probe

from .films import at, boundaries, with_bytes

Films = Callable[[str], Path]
CUT = ("with sound", "moov first", "fragmented", "tagged mov", "open mdat")


def outcome(data: bytes) -> Clip | str:
    """The clip or the one sentence; whatever else is raised fails the test."""
    try:
        return probe(data, "f.mp4")
    except InputError as error:
        problems = error.problems
    assert len(problems) == 1
    assert problems[0].startswith("f.mp4: it ")
    assert problems[0].endswith(".")
    assert "\n" not in problems[0]
    assert len(problems[0]) < 300
    return problems[0]


@pytest.mark.parametrize("name", CUT)
def test_cut_at_every_box(film: Films, name: str) -> None:
    data = film(name).read_bytes()
    whole = probe(data, name)
    places = sorted({p + step for p in boundaries(data) for step in (-1, 0, 1, 4, 8, 12)})
    assert len(places) > 60
    for place in places:
        if 0 <= place < len(data):
            check_cut(whole, outcome(data[:place]))


@pytest.mark.parametrize("name", CUT)
def test_cut_at_random_places(film: Films, name: str) -> None:
    data = film(name).read_bytes()
    whole = probe(data, name)
    draw = random.Random(20261129)
    for place in (draw.randrange(len(data)) for _ in range(200)):
        check_cut(whole, outcome(data[:place]))


def check_cut(whole: Clip, found: Clip | str) -> None:
    """What is read of a part is the whole's description, or fewer of its fragments."""
    if isinstance(found, str):
        return
    assert (found.width, found.height, found.video_codec) == (
        whole.width,
        whole.height,
        whole.video_codec,
    )
    if whole.is_fragmented:
        assert 0 <= found.seconds <= whole.seconds
    else:
        assert found.seconds == whole.seconds


def test_a_film_whose_pictures_are_cut_is_no_film(film: Films) -> None:
    data = film("moov first").read_bytes()
    for missing in (1, 100, len(data) - at(data, "mdat") - 8):
        answer = outcome(data[:-missing])
        assert answer == (
            f"f.mp4: it is truncated: {missing} bytes of it are missing; copy or export it again."
        )
    data = film("plain").read_bytes()
    assert "(moov)" in str(outcome(data[: at(data, "moov")]))
    cut_short = film("open mdat").read_bytes()
    assert "truncated" in str(outcome(cut_short[: at(cut_short, "mdat") + 9]))


def test_a_recording_that_was_cut_between_fragments_still_plays(film: Films) -> None:
    data = film("long run of boxes").read_bytes()
    second = [p for p in boundaries(data) if data[p + 4 : p + 8] == b"moof"][30]
    found = outcome(data[:second])
    assert isinstance(found, Clip)
    assert found.seconds == pytest.approx(2.5, abs=0.05)


def test_a_fragment_whose_pictures_are_cut_off_is_missed(film: Films) -> None:
    data = film("long run of boxes").read_bytes()
    for place in [p for p in boundaries(data) if data[p + 4 : p + 8] == b"mdat"][::9]:
        assert "its last pictures are missing" in str(outcome(data[:place]))


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_changed_bytes(film: Films, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(CUT))
    changed = bytearray(film(name).read_bytes())
    header = [p for p in boundaries(bytes(changed)) if changed[p + 4 : p + 8] != b"mdat"]
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.sampled_from(header)) + data.draw(st.integers(0, 60))
        new = data.draw(st.sampled_from([b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f", b"\1"]))
        changed[place : place + len(new)] = new
    found = outcome(bytes(changed))
    if isinstance(found, Clip):
        assert found.width > 0
        assert found.height > 0
        assert 0 <= found.seconds < 100 * 86_400 + 1


@pytest.mark.parametrize("size", range(33))
def test_a_file_of_a_few_bytes(size: int) -> None:
    answer = outcome((struct.pack(">I4s", 24, b"ftyp") + b"isom" + bytes(20))[:size])
    assert isinstance(answer, str)
    assert ("0 bytes" in answer) == (size == 0)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


FTYP = box(b"ftyp", b"isom" + bytes(4))


def test_more_boxes_than_any_film_has() -> None:
    many = FTYP + box(b"free", b"") * (boxes.MAX_BOXES + 5)
    assert "more than 200000 boxes" in str(outcome(many))


def test_boxes_in_boxes_do_not_recurse() -> None:
    deep = b""
    for _ in range(3000):
        deep = box(b"moov", deep)
    assert isinstance(outcome(FTYP + deep), str)


@pytest.mark.parametrize("kind", ["stts", "stsz", "stco"])
@pytest.mark.parametrize("count", [0xFFFFFFFF, 1 << 31, 5000])
def test_a_table_that_says_more_than_it_has(film: Films, kind: str, count: int) -> None:
    data = film("plain").read_bytes()
    start = at(data, "moov", "trak", "mdia", "minf", "stbl", kind)
    skip = 16 if kind == "stsz" else 12
    answer = outcome(with_bytes(data, start + skip, struct.pack(">I", count)))
    # What a table of sizes says is only compared: its rows are not needed.
    assert isinstance(answer, Clip if kind == "stsz" else str)


def test_one_row_of_times_that_lasts_for_ever(film: Films) -> None:
    data = film("no b pictures").read_bytes()
    stts = at(data, "moov", "trak", "mdia", "minf", "stbl", "stts")
    answer = outcome(with_bytes(data, stts + 16, struct.pack(">I", 0xFFFFFFFF)))
    assert answer == "f.mp4: it is damaged: a track has times for 4294967295 samples of 12; " + (
        "copy or export it again."
    )


def test_a_table_past_the_cap_is_refused_before_it_is_read() -> None:
    rows = box(b"stts", struct.pack(">II", 0, tables.MAX_ENTRIES + 1) + bytes(8))
    assert isinstance(outcome(FTYP + box(b"moov", rows)), str)


def test_a_film_of_two_hundred_days(film: Films) -> None:
    data = film("plain").read_bytes()
    mdhd = at(data, "moov", "trak", "mdia", "mdhd")
    stts = at(data, "moov", "trak", "mdia", "minf", "stbl", "stts")
    slow = with_bytes(data, mdhd + 20, struct.pack(">I", 1))
    slow = with_bytes(slow, stts + 20, struct.pack(">I", 86_400 * 200))
    elst = at(slow, "moov", "trak", "edts") + 8
    slow = with_bytes(slow, elst + 4, b"free")
    assert "plays for 2400 days" in str(outcome(slow))


def test_sound_alone_pictures_and_other_files() -> None:
    for head, words in (
        (b"\xff\xd8\xff\xe0" + bytes(60), "unknown binary data"),
        (b"%PDF-1.7", "a PDF document"),
        (b"<html><body>404", "an HTML page"),
        (box(b"ftyp", b"heic" + bytes(40)), "a HEIC picture"),
        (box(b"ftyp", b"avif" + bytes(40)), "a AVIF picture"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(60), "a video (video/x-msvideo)"),
    ):
        assert words in str(outcome(head))


def test_a_file_with_sound_alone_has_no_video_track(film: Films) -> None:
    data = film("with sound").read_bytes()
    hdlr = at(data, "moov", "trak", "mdia", "hdlr")
    assert "no video track (sound alone)" in str(outcome(with_bytes(data, hdlr + 16, b"hint")))


def test_an_encrypted_film_is_refused(film: Films) -> None:
    data = film("plain").read_bytes()
    entry = at(data, "moov", "trak", "mdia", "minf", "stbl", "stsd") + 16
    assert "encrypted" in str(outcome(with_bytes(data, entry + 4, b"encv")))


def test_junk_behind_a_whole_film_is_left_alone(film: Films) -> None:
    data = film("with sound").read_bytes()
    for junk in (b"\0" * 7, b"\0" * 64, b"\x01\x02\x03" * 20, b"\xff" * 100):
        found = outcome(data + junk)
        assert isinstance(found, Clip)
        assert "attached data" in found.metadata


def test_no_regular_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe, tmp_path / "nowhere.mp4"):
        with pytest.raises(InputError, match=r"no regular file|no such file"):
            probe(path, path.name)


SPARSE = """
import resource, sys
from pathlib import Path
from postkit.video.probe import probe
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
clip = probe(Path(sys.argv[1]), "f")
usage = resource.getrusage(resource.RUSAGE_SELF)
print(clip.size, clip.seconds, usage.ru_maxrss - before)
"""


def test_a_sparse_file_of_four_gibibytes(film: Films, tmp_path: Path) -> None:
    data = film("plain").read_bytes()
    mdat, moov = at(data, "mdat"), at(data, "moov")
    length = 4 * 1024**3 + 5000
    big = tmp_path / "big.mp4"
    with big.open("wb") as file:
        file.write(data[:mdat])
        file.write(struct.pack(">I4sQ", 1, b"mdat", length))
        file.seek(mdat + length)
        file.write(data[moov:])
    done = subprocess.run(
        [sys.executable, "-c", SPARSE, str(big)], capture_output=True, text=True, check=True
    )
    size, seconds, kibibytes = done.stdout.split()
    assert int(size) > 4 * 1024**3
    assert float(seconds) == 0.5
    assert int(kibibytes) < 8 * 1024
    os.truncate(big, length)
    with pytest.raises(InputError, match="truncated"):
        probe(big, "big")


LISTENING = """
import sys
from pathlib import Path
from postkit.errors import InputError
from postkit.video.probe import probe
from postkit.video.convert import convert, thumbnail
from postkit.video.wish import Wish
import postkit.adapt.filetype
seen = []
sys.addaudithook(lambda event, args: seen.append((event, str(args[0]))) if event in (
    "open", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect") else None)
path = Path(sys.argv[1])
for work in (lambda: probe(path, "f"), lambda: convert(path, path.with_name("t.mp4"), Wish()),
             lambda: thumbnail(path, 0)):
    try:
        work()
    except InputError as error:
        print(error)
    else:
        raise SystemExit("it was taken")
print({(event, what) for event, what in seen if not what.endswith((".py", ".pyc"))})
"""


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:SECRET\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile SECRET\nduration 5\n",
        "\n#EXTM3U\nSECRET\n",
        "<MPD><BaseURL>SECRET</BaseURL></MPD>",
        "[playlist]\nFile1=SECRET\n",
    ],
)
@pytest.mark.parametrize("ending", ["mp4", "webm", "m3u8"])
def test_a_playlist_opens_nothing(tmp_path: Path, text: str, ending: str) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    path = tmp_path / f"film.{ending}"
    path.write_text(text.replace("SECRET", str(secret)))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LISTENING), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert all("it is a playlist that names other files" in line for line in lines[:3])
    assert lines[3] == str({("open", str(path))})


def test_a_reference_to_another_file_is_not_followed(film: Films, tmp_path: Path) -> None:
    """An MP4 can say that its samples are in another file (dref); the reader never looks."""
    from postkit.video.convert import convert
    from postkit.video.wish import Wish

    data = film("mov").read_bytes()
    dref = at(data, "moov", "trak", "mdia", "minf", "dinf") + 8
    # The flag that says "in this file" is taken away.
    path = tmp_path / "f.mov"
    path.write_bytes(with_bytes(data, dref + 8 + 8 + 11, b"\0"))
    clip = probe(path, "f")
    assert clip == probe(film("mov"), "f")
    convert(path, tmp_path / "t.mp4", Wish(copy=True))
