"""PyAV in a process of its own: ``python -m postkit.video.engine_av JSON``.

Takes one task as JSON. ``probe`` prints what a Matroska file is, ``colours`` how its first picture
is coded; the tasks of a Recipe print ``progress 0.25`` lines and write their target. A file's
reader is named, never guessed, and may open no other file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .count import Count
from .recipe import Recipe, encoder_options, filters

if TYPE_CHECKING:
    import av
    from av.container import InputContainer, OutputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_LINES_PER_RUN = 200
_MOST_WAITING = 100
_BT709 = 1  # ITU-T H.273, tables 2 to 4


def open_input(path: str, reader: str) -> InputContainer:
    """The file, by the one reader ``reader`` and no protocol but that of files."""
    import av

    options = {"protocol_whitelist": "file"}
    if reader == "mov":
        options |= {"enable_drefs": "0", "use_absolute_path": "0"}
    return av.open(f"file:{path}", format=reader, options=options)


def probe(path: str, scan: bool) -> dict[str, Any]:
    """What a Matroska file says of itself; ``scan``: its duration by reading every packet."""
    import av

    with open_input(path, "matroska") as container:
        video = next(iter(container.streams.video), None)
        audio = next(iter(container.streams.audio), None)
        seconds = container.duration / 1_000_000 if container.duration else None
        if scan and video is not None:
            ends = [
                float((packet.pts + (packet.duration or 0)) * packet.time_base)
                for packet in container.demux([each for each in (video, audio) if each])
                if packet.pts is not None and packet.time_base is not None
            ]
            seconds = max(ends, default=0.0)
        tags = dict(container.metadata)
        for stream in container.streams:
            tags |= stream.metadata
        if container.chapters():
            tags["chapters"] = ""
        found: dict[str, Any] = {"seconds": seconds, "tags": sorted(tags), "has_video": bool(video)}
        found |= {
            # The picture on the cover is a stream to FFmpeg, but no film.
            "picture_tracks": sum(
                not each.disposition & av.stream.Disposition.attached_pic
                for each in container.streams.video
            ),
            "sound_tracks": len(container.streams.audio),
            "subtitle_tracks": len(container.streams.subtitles),
        }
        if video is not None:
            context = video.codec_context
            shape = video.sample_aspect_ratio or Fraction(1)
            found |= {
                "width": round(context.width * shape),
                "height": context.height,
                "square": shape == 1,
                "codec": context.name,
                "pixels": context.pix_fmt or "",
                "rate": float(video.average_rate) if video.average_rate else None,
                "transfer": int(context.color_trc or 0),
            }
        if audio is not None:
            found |= {
                "audio_codec": audio.codec_context.name,
                "channels": audio.codec_context.channels,
                "sample_rate": audio.codec_context.sample_rate,
            }
        return found


def colours(path: str, reader: str, track: int | None) -> int | None:
    """The transfer characteristics of the first picture (H.273); ``None`` where there is none."""
    with open_input(path, reader) as container:
        video = _stream(container.streams.video, track)
        frame = next(iter(container.decode(video)), None) if video is not None else None
        return None if frame is None else int(frame.color_trc or 0)


def _stream(streams: tuple[Any, ...], wanted: int | None) -> Any:
    """The stream of the track ``wanted``; else the first."""
    return next((each for each in streams if each.id == wanted), next(iter(streams), None))


class _Progress:
    def __init__(self, total: float) -> None:
        self._total = total
        self._told = 0.0

    def at(self, seconds: float) -> None:
        done = min(1.0, seconds / self._total) if self._total > 0 else 0.0
        if done >= self._told + 1 / _LINES_PER_RUN:
            self._told = done
            print(f"progress {done:.4f}", flush=True)  # noqa: T201 - the parent reads it


def copy(recipe: Recipe) -> None:
    import av

    progress = _Progress(recipe.total)
    options = {"movflags": "+faststart"} if recipe.container == "mp4" else {}
    with (
        open_input(recipe.source, recipe.format) as source,
        av.open(recipe.target, "w", format=recipe.container, options=options) as target,
    ):
        video = _stream(source.streams.video, recipe.video_track)
        audio = _stream(source.streams.audio, recipe.audio_track) if recipe.has_audio else None
        pairs = {
            each.index: target.add_stream_from_template(each, opaque=True)
            for each in (video, audio)
            if each is not None
        }
        coded = source.demux([each for each in (video, audio) if each is not None])
        for packet in _with_decoding_times(coded):
            progress.at(float(packet.dts * packet.time_base))
            packet.stream = pairs[packet.stream.index]
            target.mux(packet)


def _with_decoding_times(packets: Iterable[Any]) -> Iterator[Any]:
    """All packets with bytes. Matroska has no decoding times: the first ones are counted back."""
    waiting: list[Any] = []

    def timed() -> list[Any]:
        for index in {each.stream.index for each in waiting}:
            _count_back([each for each in waiting if each.stream.index == index])
        return waiting

    for packet in packets:
        if not packet.size:
            continue
        waiting.append(packet)
        open_ones = {each.stream.index for each in waiting if each.dts is None}
        is_answer = packet.dts is not None and open_ones <= {packet.stream.index}
        if is_answer or len(waiting) > _MOST_WAITING:
            yield from timed()
            waiting = []
    yield from timed()


def _count_back(packets: list[Any]) -> None:
    """Give each packet before the last a decoding time of one picture less than the next."""
    last = packets[-1]
    if last.dts is None:
        last.dts = last.pts or 0
    rate = getattr(last.stream, "average_rate", None)
    step = last.duration or (round(1 / rate / last.time_base) if rate else 1)
    moment = last.dts
    for packet in reversed(packets[:-1]):
        if packet.dts is None:
            moment = min(moment - 1, moment - step)
            packet.dts = moment


class _Pictures:
    """Decoded pictures in, coded ones into the target: through the filters of the recipe."""

    def __init__(self, recipe: Recipe, stream: VideoStream, target: OutputContainer) -> None:
        self._recipe, self._stream, self._target = recipe, stream, target
        self._graph: av.filter.Graph | None = None
        self._shape: tuple[int, int, str] | None = None
        rate = recipe.frame_rate or stream.average_rate or stream.guessed_rate or 30
        self._rate = Fraction(rate).limit_denominator(1001 * 60)
        self.out = target.add_stream("libx264", rate=self._rate, options=encoder_options(recipe))
        self.out.width, self.out.height, self.out.pix_fmt = recipe.width, recipe.height, "yuv420p"
        self.out.codec_context.gop_size = max(1, round(self._rate * 2))
        self.out.codec_context.time_base = Fraction(1, 90_000)
        self.out.codec_context.thread_count = 2
        self._last = -1
        self._set_colours(recipe, stream)

    def _set_colours(self, recipe: Recipe, stream: VideoStream) -> None:
        """Say which colours are meant: those of the source, or BT.709 where they were made so."""
        told, source = self.out.codec_context, stream.codec_context
        if recipe.to_sdr or recipe.format == "apng":
            told.color_primaries = told.color_trc = told.colorspace = _BT709
        else:
            told.color_primaries, told.color_trc = source.color_primaries, source.color_trc
            told.colorspace = source.colorspace

    def put(self, frame: VideoFrame | None) -> None:
        if frame is not None:
            shape = (frame.width, frame.height, frame.format.name)
            if self._graph is None or shape != self._shape:
                self._drain(flush=True)
                self._graph, self._shape = graph(self._recipe, self._stream, frame), shape
            self._graph.push(frame)
            self._drain(flush=False)
        else:
            self._drain(flush=True)
            self._target.mux(self.out.encode(None))

    def _drain(self, *, flush: bool) -> None:
        import av

        if self._graph is None:
            return
        if flush:
            self._graph.push(None)
        while True:
            try:
                made = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            self._encode(made)

    def _encode(self, made: Any) -> None:
        moment = round(made.pts * made.time_base * 90_000)
        if moment <= self._last:
            return
        self._last = moment
        made.pts, made.time_base = moment, Fraction(1, 90_000)
        # The encoder decides where a new group begins, not the source.
        made.pict_type = 0
        self._target.mux(self.out.encode(made))


def graph(recipe: Recipe, stream: VideoStream, frame: VideoFrame) -> av.filter.Graph:
    import av

    built = av.filter.Graph()
    first = built.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or stream.time_base,
    )
    chain = [first]
    for name, options in filters(recipe):
        chain.append(built.add(name, options or None))
    chain.append(built.add("buffersink"))
    for left, right in pairwise(chain):
        left.link_to(right)
    built.configure()
    return built


class _Sound:
    """Decoded sound in, AAC into the target."""

    def __init__(self, recipe: Recipe, target: OutputContainer) -> None:
        import av

        layout = "mono" if recipe.channels == 1 else "stereo"
        self._target = target
        self.out = target.add_stream("aac", rate=recipe.sample_rate, layout=layout)
        self.out.bit_rate = recipe.audio_rate
        self._resampler = av.AudioResampler("fltp", layout, recipe.sample_rate, 1024)

    def put(self, frame: av.AudioFrame | None) -> None:
        for made in self._resampler.resample(frame):
            self._target.mux(self.out.encode(made))
        if frame is None:
            self._target.mux(self.out.encode(None))


def encode(recipe: Recipe) -> None:
    import av

    progress = _Progress(recipe.total)
    stop = recipe.seconds if recipe.seconds is not None else float("inf")
    with (
        open_input(recipe.source, recipe.format) as source,
        av.open(recipe.target, "w", format="mp4", options={"movflags": "+faststart"}) as target,
    ):
        video = _stream(source.streams.video, recipe.video_track)
        audio = _stream(source.streams.audio, recipe.audio_track) if recipe.has_audio else None
        if video is None:
            raise ValueError("no video stream")
        video.thread_type = "AUTO"
        video.codec_context.thread_count = 2
        pictures = _Pictures(recipe, video, target)
        sound = _Sound(recipe, target) if audio is not None else None
        done = set()
        counts = {video.index: Count("pictures", float(video.average_rate or 30))}
        if audio is not None:
            counts[audio.index] = Count("blocks of its sound")
        for packet in source.demux([each for each in (video, audio) if each is not None]):
            if packet.stream.index in done:
                continue
            count = counts[packet.stream.index]
            for frame in _decoded(packet, count, stop):
                moment = float(frame.time or 0.0)
                if moment >= stop:
                    done.add(packet.stream.index)
                    break
                count.comes_out(frame, moment)
                if isinstance(frame, av.VideoFrame):
                    progress.at(moment)
                    pictures.put(frame)
                elif isinstance(frame, av.AudioFrame) and sound is not None:
                    sound.put(frame)
            if len(done) == (1 if audio is None else 2):
                break
        for count in counts.values():
            if reason := count.refusal():
                raise SystemExit(reason)
        pictures.put(None)
        if sound is not None:
            sound.put(None)


def _decoded(packet: Any, count: Count, stop: float) -> list[Any]:
    import av

    count.goes_in(packet, stop)
    try:
        return list(packet.decode())
    except av.error.InvalidDataError:
        # Players show the rest of a film with a broken picture in it; so does ffmpeg.
        count.fails()
        return []


def still(recipe: Recipe) -> None:
    import av

    with open_input(recipe.source, recipe.format) as source:
        video = _stream(source.streams.video, recipe.video_track)
        if video is None:
            raise ValueError("no video stream")
        if recipe.at > 0:
            source.seek(int(recipe.at * 1_000_000), backward=True)
        chosen: VideoFrame | None = None
        for frame in source.decode(video):
            chosen = frame
            if float(frame.time or 0.0) >= recipe.at - 0.001:
                break
        if chosen is None:
            raise ValueError("no picture")
        built = graph(recipe, video, chosen)
        built.push(chosen)
        built.push(None)
        picture: Any = built.pull()
        coder = av.CodecContext.create("mjpeg", "w")
        coder.width, coder.height, coder.pix_fmt = recipe.width, recipe.height, "yuvj420p"
        coder.time_base = Fraction(1, 25)
        coder.options = {"q": "3"}
        picture.pts = 0
        picture.time_base = Fraction(1, 25)
        packets = [*coder.encode(picture), *coder.encode(None)]
    with open(recipe.target, "wb") as file:  # noqa: PTH123 - one line is enough here
        file.write(b"".join(bytes(packet) for packet in packets))


def main() -> None:
    task = json.loads(sys.argv[1])
    if task["task"] == "probe":
        print(json.dumps(probe(task["source"], task["scan"])))  # noqa: T201 - the parent reads it
        return
    if task["task"] == "colours":
        found = colours(task["source"], task["format"], task["video_track"])
        print(json.dumps(found))  # noqa: T201 - the parent reads it
        return
    recipe = Recipe(**task)
    {"copy": copy, "encode": encode, "still": still}[recipe.task](recipe)


if __name__ == "__main__":
    main()
