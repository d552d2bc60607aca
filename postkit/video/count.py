"""Whether as many pictures came out of a decoder as went in: a damaged film loses some silently."""

from __future__ import annotations

from typing import Any

_FORGIVEN = 2
_FORGIVEN_PART = 0.01
_FORGIVEN_SECONDS = 0.5
_VP8_SHOWN = 0x10


class Count:
    """Of one stream of ``what``, in the plural. ``rate`` is of pictures a second; without it the
    packets that cannot be decoded are counted, since those of sound have no one size."""

    def __init__(self, what: str, rate: float | None = None) -> None:
        self._what, self._rate = what, rate
        self._in: list[float] = []
        self._packets = self._failed = 0
        self._out = 0
        self._first: float | None = None

    def goes_in(self, packet: Any, stop: float) -> None:
        """A packet before it is decoded; what is shown from ``stop`` seconds on does not count."""
        if not packet.size or packet.is_discard:
            return
        self._packets += 1
        if self._rate is None or not _is_shown(packet):
            return
        moment = float(packet.pts * packet.time_base) if packet.pts is not None else 0.0
        if moment < stop:
            self._in.append(moment)

    def fails(self) -> None:
        """The packet could not be decoded."""
        self._failed += 1

    def comes_out(self, frame: Any, moment: float) -> None:
        """A picture or a block of sound that is shown at ``moment`` seconds."""
        if self._first is None:
            self._first = moment
        # The two fields of an interlaced picture may have come in two packets.
        self._out += 2 if getattr(frame, "interlaced_frame", False) else 1

    def refusal(self) -> str | None:
        """Why the film is not whole, or ``None``: up to a hundredth is forgiven, which players
        pass over too, and never more than half a second."""
        if self._rate is None:
            lost, of = self._failed, self._packets
            forgiven = max(_FORGIVEN, of * _FORGIVEN_PART)
        else:
            lost, of = self._missing(), len(self._in)
            forgiven = min(of * _FORGIVEN_PART, self._rate * _FORGIVEN_SECONDS)
            forgiven = max(_FORGIVEN, forgiven)
        if lost <= forgiven:
            return None
        return f"it is damaged: {lost} of {of} {self._what} cannot be decoded"

    def _missing(self) -> int:
        first = self._first if self._first is not None else float("inf")
        start = min(self._in, default=0.0)
        # Pictures that lean on some before the cut of a film are shown by no player.
        if first - start <= _FORGIVEN_SECONDS:
            start = first
        return sum(moment >= start - 0.001 for moment in self._in) - self._out


def _is_shown(packet: Any) -> bool:
    """False for the pictures of VP8 that only others lean on (RFC 6386 section 9.1)."""
    if packet.stream.codec_context.name not in ("vp8", "libvpx"):
        return True
    return bool(memoryview(packet)[0] & _VP8_SHOWN)
