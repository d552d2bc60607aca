"""An MP4 or MOV file as a clip: its boxes are read, its pictures never.

Layout: ISO/IEC 14496-12:2022 sections 4.3 (ftyp), 6 and 8.2 (moov, mvhd), 8.8 (fragments);
checked 2026-11-29.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .boxes import Box, Damaged, Source
from .clip import Clip
from .fragments import Defaults, defaults, read_fragment
from .hidden import hidden
from .sample_entry import pictures, sound
from .track import SUBTITLES, Track, handler_of, matrix, product, read_track, turn

FIRST = frozenset(b"ftyp moov mdat wide free skip pnot styp".split())
"""What an MP4 or MOV file begins with; files of before 2001 have no ftyp."""
MAX_SECONDS = 100 * 86_400.0


@dataclass(slots=True)
class Outline:
    """The boxes of the file in their order, and the tracks that its movie box tells of."""

    boxes: list[Box] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    subtitles: int = 0
    moov: Box | None = None
    timescale: int = 0
    matrix: tuple[float, float, float, float] = (1, 0, 0, 1)
    fast_start: bool = True
    is_fragmented: bool = False


def read_movie(source: Source) -> Clip:
    """Raises Damaged for what cannot be played, or not be followed."""
    outline = read_outline(source)
    video = _meant(outline.tracks, b"vide")
    if video is None:
        kind = "sound alone" if any(t.handler == b"soun" for t in outline.tracks) else "no track"
        raise Damaged(f"has no video track ({kind})")
    audio = _meant(outline.tracks, b"soun")
    seconds = max(track.seconds(outline.timescale) for track in (video, audio) if track is not None)
    if not 0 <= seconds <= MAX_SECONDS:
        raise Damaged(f"says that it plays for {seconds / 86_400:.0f} days")
    entry = source.find(video.table, b"stsd")
    if entry is None:
        raise Damaged("is damaged: a track does not say how it is coded")
    coded = pictures(source, entry)
    width, height = _displayed(coded.width, coded.height, coded.shape, video)
    rotation, mirrored = turn(product(video.matrix, outline.matrix))
    square = width == coded.width or not coded.width
    if rotation in (90, 270):
        width, height = height, width
    entry = source.find(audio.table, b"stsd") if audio else None
    heard = sound(source, entry) if entry else None
    brand = _brand(source, outline.boxes)
    names = dict.fromkeys(each.name for each in hidden(source, outline.boxes) if each.name)
    return Clip(
        mime=_mime(brand),
        brand=brand,
        seconds=seconds,
        width=width,
        height=height,
        size=source.size,
        video_codec=coded.codec,
        rotation=rotation,
        mirrored=mirrored,
        frame_rate=video.samples * video.timescale / video.ticks if video.ticks else None,
        is_variable=video.is_variable,
        profile=coded.profile,
        bit_depth=coded.bit_depth,
        chroma=coded.chroma,
        is_hdr=coded.is_hdr,
        audio_codec=heard.codec if heard else None,
        audio_channels=heard.channels or None if heard else None,
        sample_rate=heard.rate or None if heard else None,
        is_he_aac=heard is not None and heard.is_he_aac,
        square_pixels=square,
        fast_start=outline.fast_start,
        is_fragmented=outline.is_fragmented,
        metadata=tuple(sorted(names)),
        video_track=video.id,
        audio_track=audio.id if audio else None,
        picture_tracks=_count(outline.tracks, b"vide"),
        sound_tracks=_count(outline.tracks, b"soun"),
        subtitle_tracks=outline.subtitles,
    )


def read_outline(source: Source) -> Outline:
    """Raises Damaged where the file ends too early or has no movie box."""
    found = Outline()
    known: dict[int, Defaults] = {}
    by_id: dict[int, Track] = {}
    has_media = False
    for box in _top(source):
        if box.missing and box.kind in (b"moov", b"moof", b"mdat"):
            raise Damaged(f"is truncated: {box.missing} bytes of it are missing")
        if box.missing and not (found.moov and has_media):
            raise Damaged("is truncated or no video")
        found.boxes.append(box)
        if box.kind == b"mdat":
            has_media = True
            found.fast_start = found.fast_start and found.moov is not None
        elif box.kind == b"moov" and found.moov is None:
            source.read_ahead(box.start, box.end)
            found.moov = box
            known = _read_header(source, box, found)
            by_id = {track.id: track for track in found.tracks}
        elif box.kind == b"moof":
            source.read_ahead(box.start, box.end)
            found.is_fragmented = True
            read_fragment(source, box, by_id, known)
    if found.moov is None:
        raise Damaged("is truncated or never finished: it has no table of its pictures (moov)")
    if any(track.last_byte >= source.size for track in found.tracks):
        raise Damaged("is truncated: its last pictures are missing")
    source.read_ahead(found.moov.start, found.moov.end)
    return found


def _top(source: Source) -> Iterable[Box]:
    """The boxes of the file; what follows a whole film and is no box is left alone."""
    kinds: set[bytes] = set()
    try:
        for box in source.boxes(0, source.size):
            if {b"moov", b"mdat"} <= kinds and not box.kind.isalnum():
                return
            kinds.add(box.kind)
            yield box
    except Damaged:
        if not {b"moov", b"mdat"} <= kinds:
            raise


def _read_header(source: Source, moov: Box, found: Outline) -> dict[int, Defaults]:
    known: dict[int, Defaults] = {}
    for box in source.children(moov):
        if box.kind == b"mvhd":
            wide = source.fields(box, "B")[0] == 1
            (found.timescale,) = source.fields(box, "I", 20 if wide else 12)
            found.matrix = matrix(source.fields(box, "9i", 48 if wide else 36))
        elif box.kind == b"trak":
            track = read_track(source, box)
            if track is not None:
                found.tracks.append(track)
            elif handler_of(source, box) in SUBTITLES:
                found.subtitles += 1
        elif box.kind == b"mvex":
            known = defaults(source, box)
            found.is_fragmented = True
        elif box.kind == b"cmov":
            raise Damaged("has a compressed movie box (cmov), which nothing reads today")
    return known


def _meant(tracks: Iterable[Track], handler: bytes) -> Track | None:
    """The track that a player would choose: the first that is enabled and has samples."""
    fitting = [track for track in tracks if track.handler == handler and track.samples]
    enabled = [track for track in fitting if track.is_enabled]
    return next(iter(enabled or fitting), None)


def _count(tracks: Iterable[Track], handler: bytes) -> int:
    return sum(track.handler == handler and track.samples > 0 for track in tracks)


def _displayed(width: int, height: int, shape: float | None, track: Track) -> tuple[int, int]:
    across, down = track.shown
    if not (width and height):
        width, height = round(across), round(down)
        if not (width and height):
            raise Damaged("is damaged: its pictures have no size")
    if shape is None and across and down:
        told = across * height / (down * width)
        # A size that was rounded to whole pixels is no shape of a pixel.
        shape = told if abs(told - 1) > 0.01 else None
    shown = max(1, round(width * shape)) if shape else width
    if shown > 65_535 * 16:
        raise Damaged(f"is damaged: its pictures would be {shown} pixels wide")
    return shown, height


def _brand(source: Source, boxes: Iterable[Box]) -> str:
    ftyp = next((box for box in boxes if box.kind == b"ftyp" and box.length >= 4), None)
    code = source.read(ftyp.body, 4) if ftyp else b"qt  "
    return code.decode("latin-1")


def _mime(brand: str) -> str:
    if brand == "qt  ":
        return "video/quicktime"
    return "video/3gpp" if brand.startswith(("3gp", "3g2")) else "video/mp4"
