"""What a film tells beside its pictures is named, and gone without a new coding."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from postkit.errors import InputError
from postkit.video.probe import probe
from postkit.video.strip import strip

from .films import PHONE, Film, at, make, with_bytes

Films = Callable[[str], Path]


def packets(path: Path) -> list[tuple[int, Any, Any, str]]:
    """Every coded picture and sound with its times, and the first picture decoded."""
    with av.open(str(path)) as container:
        return [
            (p.stream_index, p.pts, p.dts, hashlib.sha256(bytes(p)).hexdigest())
            for p in container.demux()
            if p.size
        ]


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def grown(data: bytes, extra: bytes) -> bytes:
    """``extra`` boxes at the end of moov, which is the last box of ``data``."""
    moov = at(data, "moov")
    (size,) = struct.unpack_from(">I", data, moov)
    assert moov + size == len(data)
    return with_bytes(data, moov, struct.pack(">I", size + len(extra))) + extra


def keys(*words: bytes) -> bytes:
    """QuickTime metadata as a telephone writes it: keys, and values by their number."""
    named = struct.pack(">II", 0, len(words)) + b"".join(box(b"mdta", w) for w in words)
    values = b"".join(
        struct.pack(">II", 8 + 24, n + 1) + box(b"data", bytes(8) + b"SECRET!!")
        for n in range(len(words))
    )
    hdlr = box(b"hdlr", bytes(8) + b"mdta" + bytes(13))
    return box(b"meta", hdlr + box(b"keys", named) + box(b"ilst", values))


TELEPHONE = keys(
    b"com.apple.quicktime.location.ISO6709",
    b"com.apple.quicktime.make",
    b"com.apple.quicktime.model",
    b"com.apple.quicktime.creationdate",
)
XMP = box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + b"<x:xmpmeta>SECRET")
EXTRAS: dict[str, tuple[bytes, set[str]]] = {
    "telephone": (TELEPHONE, {"place", "camera", "date"}),
    "user data": (
        box(
            b"udta",
            box(b"\xa9xyz", b"\0\x12\x15\xc7+48.1+011.6/SECRET")
            + box(b"\xa9mak", b"SECRET")
            + box(b"loci", bytes(6) + b"SECRET\0\0" + bytes(12) + b"SECRET\0\0")
            + box(b"GPMF", b"SECRET" * 50)
            + bytes(4),
        ),
        {"place", "camera"},
    ),
    "XMP": (XMP, {"XMP"}),
    "unknown": (box(b"abcd", b"SECRET"), {"application data"}),
    "broken": (box(b"udta", b"\xff\xff\xff\xff\xa9xyzSECRET"), set()),
    "old": (box(b"free", b"SECRET" * 30), set()),
}


@pytest.mark.parametrize("name", EXTRAS)
def test_what_a_camera_puts_in_is_named_and_gone(film: Films, tmp_path: Path, name: str) -> None:
    extra, kinds = EXTRAS[name]
    source, target = tmp_path / "a.mp4", tmp_path / "b.mp4"
    source.write_bytes(grown(film("with sound").read_bytes(), extra))
    assert b"SECRET" in source.read_bytes()
    before = probe(source, "a")
    assert set(before.metadata) == kinds | {"software"}
    assert set(strip(source, target)) == kinds | {"software"}
    data = target.read_bytes()
    assert b"SECRET" not in data
    assert len(data) == source.stat().st_size
    assert probe(target, "b").metadata == ()
    assert packets(target) == packets(source) == packets(film("with sound"))


@pytest.mark.parametrize("name", ["tagged", "tagged mov", "fragmented", "moov first", "two videos"])
def test_a_stripped_film_plays_as_before(film: Films, tmp_path: Path, name: str) -> None:
    source, target = film(name), tmp_path / "b"
    before = source.read_bytes()
    strip(source, target)
    assert source.read_bytes() == before
    assert packets(target) == packets(source)
    first, second = probe(source, "a"), probe(target, "b")
    assert first.metadata
    assert second.metadata == ()
    assert (first.seconds, first.width, first.mime) == (second.seconds, second.width, second.mime)


def test_every_date_is_zero(film: Films, tmp_path: Path) -> None:
    path, target = film("tagged"), tmp_path / "b"
    assert set(probe(path, "a").metadata) >= {"date", "comment", "title", "software"}
    with av.open(str(path)) as container:
        assert "creation_time" in container.metadata
    strip(path, target)
    with av.open(str(target)) as container:
        tags = dict(container.metadata) | dict(container.streams.video[0].metadata)
    assert not {"creation_time", "comment", "title", "encoder", "location"} & set(tags)
    for word in (b"at home", b"A title", b"+48.1", b"Lavf", b"VideoHandler"):
        assert word not in target.read_bytes()


@pytest.mark.parametrize("junk", [b"SECRET", b"\0\0SECRET", b"\xff\xffSECRET\xff SECRET"])
def test_a_film_with_boxes_behind_it(film: Films, tmp_path: Path, junk: bytes) -> None:
    source, target = tmp_path / "a.mp4", tmp_path / "b.mp4"
    preview = box(b"pnot", bytes(12)) + box(b"PICT", b"SECRET")
    source.write_bytes(film("with sound").read_bytes() + preview + XMP + junk)
    assert set(strip(source, target)) == {"thumbnail", "XMP", "attached data", "software"}
    assert b"SECRET" not in target.read_bytes()
    assert packets(target) == packets(source)


def test_the_samples_of_a_sensor_are_blanked(film: Films, tmp_path: Path) -> None:
    """The sound becomes a track of positions: its samples lie between those of the pictures."""
    data = film("with sound").read_bytes()
    hdlr = at(data, "moov", "trak", "mdia", "hdlr", skip=0)
    second = data.index(b"soun", hdlr)
    source, target = tmp_path / "a.mp4", tmp_path / "b.mp4"
    source.write_bytes(with_bytes(data, second, b"meta"))
    assert "timed metadata" in probe(source, "a").metadata
    strip(source, target)
    sound = [p for p in _coded(film("with sound"), "audio") if len(set(p)) > 1]
    assert sound
    blanked = target.read_bytes()
    assert all(packet in data for packet in sound)
    assert not any(packet in blanked for packet in sound)
    assert _coded(target, "video") == _coded(film("with sound"), "video")
    assert probe(target, "b").metadata == ()


def _coded(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = container.streams.get(**{kind: 0})
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def test_a_sensor_in_fragments_takes_a_new_file(film: Films, tmp_path: Path) -> None:
    data = film("fragmented").read_bytes()
    source = tmp_path / "a.mp4"
    source.write_bytes(with_bytes(data, data.index(b"soun"), b"meta"))
    with pytest.raises(InputError, match="convert it to a new MP4"):
        strip(source, tmp_path / "b.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(("container", "codec"), [("webm", "libvpx"), ("matroska", "libx264")])
def test_webm_is_packed_anew(tmp_path: Path, container: str, codec: str) -> None:
    film = Film(format=container, codec=codec, audio="libopus", tags=PHONE)
    source, target = make(tmp_path / "a", film), tmp_path / "b"
    before = probe(source, "a")
    assert set(strip(source, target)) == {"place", "date", "comment", "title"}
    after = probe(target, "b")
    assert (after.mime, after.metadata) == (before.mime, ())
    assert after.seconds == pytest.approx(before.seconds, abs=0.01)
    for kind in ("video", "audio"):
        assert _coded(target, kind) == _coded(source, kind)
    for word in (b"at home", b"A title", b"+48.1"):
        assert word in source.read_bytes()
        assert word not in target.read_bytes()


@pytest.mark.parametrize(
    ("container", "codec", "sound"), [("mp4", "libx264", "aac"), ("webm", "libvpx-vp9", "libopus")]
)
def test_the_titles_of_chapters_go_and_are_told(
    tmp_path: Path, container: str, codec: str, sound: str
) -> None:
    plain = make(tmp_path / f"a.{container}", Film(codec=codec, audio=sound, format=container))
    titled, target = tmp_path / f"b.{container}", tmp_path / f"c.{container}"
    with av.open(str(plain)) as source, av.open(str(titled), "w") as made:
        streams = {each.index: made.add_stream_from_template(each) for each in source.streams}
        chapter = {"id": 1, "start": 0, "end": 300, "time_base": Fraction(1, 1000)}
        made.set_chapters([{**chapter, "metadata": {"title": "At home"}}])  # type: ignore[typeddict-item]
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    assert b"At home" in titled.read_bytes()
    assert "chapters" in probe(titled, "b").metadata
    assert "chapters" in strip(titled, target)
    assert b"At home" not in target.read_bytes()
    assert probe(target, "c").metadata == ()
    with av.open(str(target)) as made:
        assert made.chapters() == []
        assert {each.type for each in made.streams} == {"video", "audio"}
    assert [hashed for *_, hashed in packets(target)] == [hashed for *_, hashed in packets(plain)]


def test_a_damaged_film_leaves_no_file(film: Films, tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(film("moov first").read_bytes()[:-50])
    with pytest.raises(InputError, match="truncated"):
        strip(source, tmp_path / "b.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
