"""What a track's samples are: the first entry of its sample description (stsd).

Layouts: ISO/IEC 14496-12:2022 sections 8.5.2, 12.1.3 (pictures) and 12.2.3 (sound); ISO/IEC
14496-15:2022 (avcC, hvcC); the AV1 and VP9 bindings for ISOBMFF (av1C, vpcC); ISO/IEC 14496-1
section 7.2.6 (esds) and 14496-3 section 1.6.2.1 (AudioSpecificConfig); QuickTime File Format
("Sound Sample Description", versions 1 and 2); checked 2026-11-29.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from . import codecs
from .boxes import Box, Damaged, Source

_PICTURE_FIELDS = 78
_SOUND_FIELDS = {0: 28, 1: 44, 2: 64}
_H264_PROFILES = {66: "Baseline", 77: "Main", 88: "Extended", 100: "High", 110: "High 10"}
_H264_PROFILES |= {122: "High 4:2:2", 244: "High 4:4:4 Predictive"}
_HEVC_PROFILES = {1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Range Extensions"}
_CHROMA = ("4:0:0", "4:2:0", "4:2:2", "4:4:4")
_PRORES = {b"ap4h": "4:4:4", b"ap4x": "4:4:4"}
_HDR_TRANSFERS = (16, 18)  # SMPTE ST 2084 (PQ) and ARIB STD-B67 (HLG), ITU-T H.273 table 3
_HIGH_EFFICIENCY = (5, 29)  # spectral band replication, with parametric stereo; 14496-3 table 1.17
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


@dataclass(slots=True)
class Pictures:
    """Size in pixels as stored, ``shape`` the width of a pixel over its height."""

    codec: str
    width: int
    height: int
    shape: float | None = None
    profile: str | None = None
    bit_depth: int | None = None
    chroma: str | None = None
    is_hdr: bool = False
    name_at: int = 0


@dataclass(slots=True)
class Sound:
    """Channels and samples per second; 0 where the file does not say."""

    codec: str
    channels: int
    rate: int
    is_he_aac: bool = False


def _first(source: Source, stsd: Box) -> Box:
    entry = next(source.children(stsd, 8), None)
    if entry is None:
        raise Damaged("is damaged: a track does not say how it is coded")
    if entry.kind in codecs.ENCRYPTED:
        raise Damaged("is encrypted (copy protection), so no network can play it")
    return entry


def pictures(source: Source, stsd: Box) -> Pictures:
    """The entry of a video track. Raises Damaged."""
    entry = _first(source, stsd)
    width, height = source.fields(entry, "HH", 24)
    found = Pictures(codecs.name(entry.kind, codecs.VIDEO), width, height)
    found.name_at = entry.body + 42
    if found.codec == "prores":
        found.chroma, found.bit_depth = _PRORES.get(entry.kind, "4:2:2"), 10
    for box in source.children(entry, _PICTURE_FIELDS):
        if box.kind == b"pasp":
            across, down = source.fields(box, "II")
            if across and down:
                found.shape = across / down
        elif box.kind == b"colr" and box.length >= 10:
            kind = source.read(box.body, 4)
            if kind in (b"nclx", b"nclc"):
                found.is_hdr = source.fields(box, "H", 6)[0] in _HDR_TRANSFERS
        elif box.kind in _CONFIGURATIONS:
            _CONFIGURATIONS[box.kind](found, source.read(box.body, min(box.length, 4096)))
        elif box.kind == b"esds":
            kind_of, _ = _object(source.read(box.body, min(box.length, 4096)))
            found.codec = codecs.OBJECT_TYPES.get(kind_of, found.codec)
    return found


def _avc(found: Pictures, data: bytes) -> None:
    if len(data) < 6:
        return
    found.profile = _H264_PROFILES.get(data[1])
    found.bit_depth, found.chroma = 8, "4:2:0"
    if data[1] not in (100, 110, 122, 244):
        return
    if data[1] != 100:
        # Unless the fields behind the parameter sets say better.
        found.bit_depth, found.chroma = 10, _CHROMA[{110: 1, 122: 2, 244: 3}[data[1]]]
    at = 5
    for mask in (0x1F, 0xFF):
        if at >= len(data):
            return
        count = data[at] & mask
        at += 1
        for _ in range(count):
            if at + 2 > len(data):
                return
            at += 2 + struct.unpack_from(">H", data, at)[0]
    if at + 2 <= len(data):
        found.chroma, found.bit_depth = _CHROMA[data[at] & 3], 8 + (data[at + 1] & 7)


def _hevc(found: Pictures, data: bytes) -> None:
    if len(data) >= 18:
        found.profile = _HEVC_PROFILES.get(data[1] & 0x1F)
        found.chroma, found.bit_depth = _CHROMA[data[16] & 3], 8 + (data[17] & 7)


def _av1(found: Pictures, data: bytes) -> None:
    if len(data) >= 3:
        found.profile = {0: "Main", 1: "High", 2: "Professional"}.get(data[1] >> 5)
        flags = data[2]
        found.bit_depth = 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
        grey, across, down = flags & 0x10, flags & 0x08, flags & 0x04
        found.chroma = "4:0:0" if grey else ("4:2:0" if down else "4:2:2") if across else "4:4:4"


def _vp9(found: Pictures, data: bytes) -> None:
    if len(data) >= 7:
        found.profile = f"Profile {data[4]}"
        found.bit_depth = data[6] >> 4
        found.chroma = {0: "4:2:0", 1: "4:2:0", 2: "4:2:2", 3: "4:4:4"}.get(data[6] >> 1 & 7)


_CONFIGURATIONS = {b"avcC": _avc, b"hvcC": _hevc, b"av1C": _av1, b"vpcC": _vp9}


def sound(source: Source, stsd: Box) -> Sound:
    """The entry of a sound track. Raises Damaged."""
    entry = _first(source, stsd)
    version, channels = source.fields(entry, "H6xH", 8)
    (rate,) = source.fields(entry, "I", 24)
    found = Sound(codecs.name(entry.kind, codecs.AUDIO), channels, rate >> 16)
    if version == 2:
        body = source.read(entry.body, 44) if entry.length >= 44 else b""
        if not body:
            raise Damaged(f"is damaged: the box at byte {entry.start} is too short")
        exact, found.channels = struct.unpack_from(">dI", body, 32)
        found.rate = int(exact) if 0 < exact < 1e7 else 0
    skip = _SOUND_FIELDS.get(version, 28)
    # Writers of ISO files use version 1 too, without the fields that QuickTime adds to it.
    for at in (skip, 28):
        try:
            described = _descriptor(source, entry, at)
        except Damaged:
            continue
        if described is not None:
            _specific(found, source.read(described.body, min(described.length, 4096)))
            break
    return found


def _descriptor(source: Source, entry: Box, skip: int) -> Box | None:
    for box in source.children(entry, skip):
        if box.kind == b"esds":
            return box
        if box.kind == b"wave":
            return source.find(box, b"esds")
    return None


def _specific(found: Sound, esds: bytes) -> None:
    kind, config = _object(esds)
    found.codec = codecs.OBJECT_TYPES.get(kind, found.codec)
    if found.codec != "aac" or len(config) < 2:
        return
    bits = int.from_bytes(config[:8].ljust(8, b"\0"), "big")
    left = 64

    def take(width: int) -> int:
        nonlocal left
        left -= width
        return bits >> left & ((1 << width) - 1)

    kind = take(5)
    if kind == 31:
        take(6)
    found.is_he_aac = kind in _HIGH_EFFICIENCY
    index = take(4)
    rate = take(24) if index == 15 else _RATES[index] if index < len(_RATES) else 0
    channels = take(4)
    found.rate = rate or found.rate
    found.channels = {0: found.channels, 7: 8}.get(channels, channels)


def _object(esds: bytes) -> tuple[int, bytes]:
    """The object type and the configuration of an elementary stream; (0, b"") where cut."""
    at, kind = 4, 0
    while at + 2 <= len(esds):
        tag = esds[at]
        at += 1
        length = 0
        for _ in range(4):
            if at >= len(esds):
                return kind, b""
            byte = esds[at]
            at += 1
            length = length << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        if tag == 0x03 and at + 3 <= len(esds):
            flags = esds[at + 2]
            at += 3 + (2 if flags & 0x80 else 0) + (2 if flags & 0x20 else 0)
        elif tag == 0x04 and at < len(esds):
            kind = esds[at]
            at += 13
        elif tag == 0x05:
            return kind, esds[at : at + length]
        else:
            at += length
    return kind, b""
