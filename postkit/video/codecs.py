"""Names of codecs, by the four letters or the object type that a file calls them.

Sources: the MP4 registration authority's lists of sample entries and object types (mp4ra.org),
QuickTime File Format ("Video Media", "Sound Media"); checked 2026-11-29.
"""

from __future__ import annotations

VIDEO = {
    **dict.fromkeys((b"avc1", b"avc2", b"avc3", b"avc4", b"dva1", b"dvav"), "h264"),
    **dict.fromkeys((b"hvc1", b"hev1", b"dvh1", b"dvhe"), "hevc"),
    **dict.fromkeys((b"vvc1", b"vvi1"), "vvc"),
    **dict.fromkeys((b"av01", b"dav1"), "av1"),
    **dict.fromkeys((b"apch", b"apcn", b"apcs", b"apco", b"ap4h", b"ap4x"), "prores"),
    **dict.fromkeys((b"jpeg", b"mjpa", b"mjpb", b"mjpg", b"MJPG"), "mjpeg"),
    **dict.fromkeys((b"s263", b"h263", b"H263"), "h263"),
    **dict.fromkeys((b"dvc ", b"dvcp", b"dvpp", b"dv5n", b"dv5p", b"dvh5", b"dvh6"), "dvvideo"),
    b"vp08": "vp8",
    b"vp09": "vp9",
    b"png ": "png",
    b"rle ": "qtrle",
    b"mp4v": "mpeg4",
    b"raw ": "rawvideo",
}
AUDIO = {
    **dict.fromkeys(
        (b"sowt", b"twos", b"in24", b"in32", b"lpcm", b"raw ", b"fl32", b"fl64", b"ipcm", b"fpcm"),
        "pcm",
    ),
    **dict.fromkeys((b"ac-3", b"sac3"), "ac3"),
    **dict.fromkeys((b".mp3", b"ms\0\x55"), "mp3"),
    b"NONE": "pcm",
    b"mp4a": "aac",
    b"ec-3": "eac3",
    b"ac-4": "ac4",
    b"Opus": "opus",
    b"fLaC": "flac",
    b"alac": "alac",
    b"samr": "amr_nb",
    b"sawb": "amr_wb",
    b"ulaw": "pcm_mulaw",
    b"alaw": "pcm_alaw",
}
OBJECT_TYPES = {
    0x20: "mpeg4",
    0x21: "h264",
    0x23: "hevc",
    **dict.fromkeys(range(0x60, 0x66), "mpeg2video"),
    0x6A: "mpeg1video",
    0x6C: "mjpeg",
    0x6D: "png",
    0xB1: "vp9",
    **dict.fromkeys((0x40, 0x66, 0x67, 0x68), "aac"),
    **dict.fromkeys((0x69, 0x6B), "mp3"),
    0xA5: "ac3",
    0xA6: "eac3",
    0xAD: "opus",
    0xDD: "vorbis",
}
ENCRYPTED = frozenset((b"encv", b"enca", b"drmi", b"drms"))


def name(kind: bytes, known: dict[bytes, str]) -> str:
    """The usual name; an unknown one is spelled as the file does, in printable letters."""
    if kind in known:
        return known[kind]
    return "".join(c for c in kind.decode("latin-1").lower() if c.isascii() and c.isalnum()) or "?"
