"""What an MP4 or MOV file tells beside its pictures and sound, and where it lies.

Kept is what playing needs, by a list of what is known: whatever else a camera, a telephone or a
program put in is named and can be blanked. Layouts: ISO/IEC 14496-12:2022 sections 8.2.2,
8.10 (udta) and 8.11 (meta); QuickTime File Format ("User Data Atoms", "Metadata"); 3GPP TS
26.244 section 8 (loci and others); checked 2026-11-29.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from .boxes import Box, Damaged, Source

_TOP = frozenset(b"ftyp styp moov moof mdat wide free skip sidx ssix mfra pdin".split())
_MOVIE = frozenset(b"mvhd trak mvex iods free skip".split())
_TRACK = frozenset(b"tkhd tref trgr edts mdia tapt load imap txas free skip".split())
_WRITTEN = frozenset((b"text", b"sbtl", b"subt"))
_PLAYED = frozenset((b"vide", b"soun", b"clcp")) | _WRITTEN
_SPHERICAL = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")

_USER_DATA = {
    **dict.fromkeys((b"\xa9xyz", b"loci"), "place"),
    **dict.fromkeys((b"\xa9day", b"yrrc", b"date"), "date"),
    **dict.fromkeys(
        (b"\xa9mak", b"\xa9mod", b"manu", b"modl", b"CNTH", b"NCDT", b"GPMF", b"smta", b"CAME"),
        "camera",
    ),
    **dict.fromkeys((b"\xa9too", b"\xa9enc", b"\xa9swr", b"\xa9fmt"), "software"),
    **dict.fromkeys((b"\xa9cmt", b"\xa9inf", b"\xa9des", b"dscp", b"desc", b"ldes"), "comment"),
    **dict.fromkeys((b"\xa9nam", b"titl", b"\xa9alb", b"albm", b"name"), "title"),
    **dict.fromkeys((b"\xa9ART", b"\xa9aut", b"auth", b"perf", b"aART", b"\xa9dir"), "author"),
    **dict.fromkeys((b"\xa9cpy", b"cprt"), "copyright"),
    **dict.fromkeys((b"covr", b"thmb"), "thumbnail"),
    b"chpl": "chapters",
    b"XMP_": "XMP",
}
_WORDS = (
    ("location", "place"),
    ("date", "date"),
    ("camera", "camera"),
    ("make", "camera"),
    ("model", "camera"),
    ("software", "software"),
    ("android", "software"),
    ("comment", "comment"),
    ("description", "comment"),
    ("title", "title"),
    ("author", "author"),
    ("artist", "author"),
    ("copyright", "copyright"),
)
_MANY = 1000


@dataclass(frozen=True, slots=True)
class Hidden:
    """Bytes to be blanked: from ``start`` to ``end``; ``name`` is "" where they tell nobody much.

    ``box`` is where a box becomes one that players skip; ``samples`` is the sample table of a
    track whose samples go with it.
    """

    name: str
    start: int
    end: int
    box: Box | None = None
    samples: Box | None = None


def hidden(source: Source, boxes: Sequence[Box]) -> Iterator[Hidden]:
    """All of it, below the boxes of the file. Raises Damaged."""
    for box in boxes:
        if box.missing:
            yield Hidden("attached data", box.start, box.end)
        elif box.kind in (b"free", b"skip"):
            yield Hidden("", box.body, box.end)
        elif box.kind == b"moov":
            source.read_ahead(box.start, box.end)
            yield from _movie(source, box)
        elif box.kind not in _TOP:
            yield from _gone(source, box)
    end = max((box.end for box in boxes), default=0)
    if end < source.size:
        yield Hidden("attached data", end, source.size)


def _movie(source: Source, moov: Box) -> Iterator[Hidden]:
    tracks = [box for box in source.children(moov) if box.kind == b"trak"]
    chapters = {number for track in tracks for number in _chapters(source, track)}
    for box in source.children(moov):
        if box.kind == b"mvhd":
            yield from _times(source, box)
        elif box.kind == b"trak":
            yield from _track(source, box, chapters)
        elif box.kind in (b"free", b"skip"):
            yield Hidden("", box.body, box.end)
        elif box.kind not in _MOVIE:
            yield from _gone(source, box)


def _chapters(source: Source, trak: Box) -> tuple[int, ...]:
    """The ids of the tracks that hold the titles of this one's chapters (QuickTime File Format,
    "Chapter Lists")."""
    tref = source.find(trak, b"tref")
    boxes = () if tref is None else _tolerant(source, tref, 0)
    found = next((box for box in boxes if box.kind == b"chap"), None)
    return () if found is None else source.fields(found, f"{min(found.length // 4, _MANY)}I")


def _track(source: Source, trak: Box, chapters: Container[int]) -> Iterator[Hidden]:
    hdlr = source.find(trak, b"mdia", b"hdlr")
    handler = source.read(hdlr.body + 8, 4) if hdlr is not None and hdlr.length >= 12 else b""
    titles = handler in _WRITTEN and _id(source, trak) in chapters
    if handler not in _PLAYED or titles:
        name = "time code" if handler == b"tmcd" else "chapters" if titles else "timed metadata"
        samples = source.find(trak, b"mdia", b"minf", b"stbl")
        yield Hidden(name, trak.body, trak.end, trak, samples)
        return
    for box in source.children(trak):
        if box.kind == b"tkhd":
            yield from _times(source, box)
        elif box.kind == b"mdia":
            yield from _media(source, box)
        elif box.kind == b"tref":
            if all(child.kind == b"chap" for child in _tolerant(source, box, 0)):
                # The track that it names is gone, or was never there.
                yield Hidden("", box.body, box.end, box)
        elif box.kind in (b"free", b"skip"):
            yield Hidden("", box.body, box.end)
        elif box.kind not in _TRACK and not _starts(source, box, _SPHERICAL):
            yield from _gone(source, box)


def _id(source: Source, trak: Box) -> int | None:
    tkhd = source.find(trak, b"tkhd")
    if tkhd is None:
        return None
    return source.fields(tkhd, "I", 20 if source.fields(tkhd, "B")[0] == 1 else 12)[0]


def _media(source: Source, mdia: Box) -> Iterator[Hidden]:
    for box in source.children(mdia):
        if box.kind == b"mdhd":
            yield from _times(source, box)
        elif box.kind == b"hdlr" and box.length > 24:
            # Its name often names the camera.
            yield Hidden("", box.body + 24, box.end)
        elif box.kind in (b"udta", b"meta", b"uuid"):
            yield from _gone(source, box)


def _times(source: Source, box: Box) -> Iterator[Hidden]:
    width = 16 if source.fields(box, "B")[0] == 1 else 8
    if box.length >= 4 + width and any(source.read(box.body + 4, width)):
        yield Hidden("date", box.body + 4, box.body + 4 + width)


def _gone(source: Source, box: Box) -> Iterator[Hidden]:
    names = dict.fromkeys(_names(source, box))
    for name in names or {"": None}:
        yield Hidden(name, box.body, box.end, box)


def _names(source: Source, box: Box) -> Iterator[str]:
    if box.kind == b"uuid":
        yield "XMP" if _starts(source, box, _XMP) else "application data"
    elif box.kind == b"udta":
        for child in _tolerant(source, box, 0):
            if child.kind == b"meta":
                yield from _names(source, child)
            elif any(child.kind):
                yield _USER_DATA.get(child.kind, "application data")
    elif box.kind == b"meta":
        # QuickTime's has no version before its boxes.
        version = source.read(box.body, min(box.length, 8))[4:] != b"hdlr"
        for child in _tolerant(source, box, 4 if version else 0):
            if child.kind == b"ilst":
                for item in _tolerant(source, child, 0):
                    # Numbers point into the keys; letters are names themselves.
                    if item.kind[0]:
                        yield _USER_DATA.get(item.kind, "application data")
            elif child.kind == b"keys":
                yield from _keys(source, child)
            elif child.kind in (b"xml ", b"bxml", b"idat"):
                yield "application data"
    elif box.kind in (b"pnot", b"PICT"):
        yield "thumbnail"
    elif box.kind == b"prft":
        yield "date"
    else:
        yield "application data"


def _keys(source: Source, keys: Box) -> Iterator[str]:
    for box in _tolerant(source, keys, 8):
        word = source.read(box.body, min(box.length, 256)).decode("latin-1").lower()
        yield next((name for part, name in _WORDS if part in word), "application data")


def _tolerant(source: Source, box: Box, skip: int) -> Iterator[Box]:
    """Children as far as they can be followed: all of the box goes anyway."""
    try:
        for number, child in enumerate(source.children(box, skip)):
            if number >= _MANY:
                return
            yield child
    except Damaged:
        return


def _starts(source: Source, box: Box, start: bytes) -> bool:
    return box.kind == b"uuid" and box.length >= 16 and source.read(box.body, 16) == start
