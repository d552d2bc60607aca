"""The programs that decode: confined, killed in time, chosen, and asked for nothing else."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postkit.errors import InputError
from postkit.video import engine, engine_ffmpeg, process
from postkit.video.animation import from_animation
from postkit.video.convert import convert, thumbnail
from postkit.video.probe import probe
from postkit.video.process import Bounds, Failed
from postkit.video.recipe import Recipe
from postkit.video.wish import Wish

from .films import Film, make

Films = Callable[[str], Path]
BOUNDS = Bounds(wall=20, cpu=5)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_what_a_program_prints_comes_back() -> None:
    assert process.run(python("print('one'); print('two')"), BOUNDS) == b"one\ntwo\n"
    lines: list[str] = []
    assert process.run(python("print('one'); print('two')"), BOUNDS, lines.append) == b""
    assert lines == ["one", "two"]


@pytest.mark.parametrize(
    ("code", "bounds", "reason"),
    [
        ("import time; time.sleep(60)", Bounds(wall=0.5, cpu=5), "longer than"),
        ("while True: pass", Bounds(wall=20, cpu=1), "more than 1 s of processor time"),
        ("bytearray(900 << 20)", BOUNDS, "it cannot be decoded"),
        ("open(PATH, 'wb').write(bytes(3 << 20))", BOUNDS, "grew too large|cannot be decoded"),
        ("import os; os.abort()", BOUNDS, "ended by signal 6"),
        ("raise SystemExit('no such stream\\x1b[31m')", BOUNDS, "it cannot be decoded"),
    ],
)
def test_a_program_is_stopped(tmp_path: Path, code: str, bounds: Bounds, reason: str) -> None:
    with pytest.raises(Failed, match=reason) as caught:
        process.run(python(code.replace("PATH", repr(str(tmp_path / "big")))), bounds)
    assert "\x1b" not in caught.value.detail
    assert not (tmp_path / "big").exists() or (tmp_path / "big").stat().st_size <= 1 << 20


def test_a_program_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTKIT_KEY", "secret")
    told = json.loads(
        process.run(python("import json, os; print(json.dumps(dict(os.environ)))"), BOUNDS)
    )
    assert "PATH" in told
    assert "secret" not in told.values()


def test_the_current_folder_is_not_imported(
    film: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "av.py").write_text("raise SystemExit('imported from here')")
    (tmp_path / "json.py").write_text("raise SystemExit('imported from here')")
    monkeypatch.chdir(tmp_path)
    assert thumbnail(film("plain"), 0).startswith(b"\xff\xd8")


def test_what_progress_raises_ends_the_work(tmp_path: Path) -> None:
    source = make(tmp_path / "a.mp4", Film(width=640, height=360, frames=240))
    pids: list[int] = []
    before = set(children())

    def stop(done: float) -> None:
        pids.extend(set(children()) - before)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(source, tmp_path / "b.mp4", Wish(), stop)
    assert pids
    assert not set(pids) & set(children())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def children() -> list[int]:
    """The processes that this one started and that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            found.append(int(path.parent.name))
    return found


def test_a_killed_engine_leaves_no_half_file(tmp_path: Path) -> None:
    source = make(tmp_path / "a.mp4", Film(width=640, height=360, frames=240))
    target = tmp_path / "b.mp4"
    target.write_bytes(b"what was there")

    def kill(done: float) -> None:
        for pid in children():
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(InputError, match=r"a\.mp4: it cannot be converted") as caught:
        convert(source, target, Wish(), kill)
    assert len(caught.value.problems) == 1
    assert target.read_bytes() == b"what was there"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_pictures_that_cannot_be_decoded(film: Films, tmp_path: Path) -> None:
    """The tables are right and the pictures noise: no file, one sentence."""
    data = bytearray(film("moov first").read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes((n * 37) % 251 for n in range(len(data) - start))
    source = tmp_path / "a.mp4"
    source.write_bytes(data)
    with pytest.raises(InputError) as caught:
        convert(source, tmp_path / "b.mp4", Wish())
    assert len(caught.value.problems) == 1
    assert "\n" not in caught.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_two_conversions_at_once(film: Films, tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            convert(film("with sound"), tmp_path / f"{number}.mp4", Wish())
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    film("with sound")
    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(list(tmp_path.glob("*.mp4"))) == 3


def without_av(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    real = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> Any:
        return None if name == "av" else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find)
    monkeypatch.setenv("PATH", path)


def test_without_an_engine_it_says_what_to_install(
    film: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = film("with sound")
    webm = make(tmp_path / "a.webm", Film(format="webm", codec="libvpx"))
    gif = tmp_path / "a.gif"
    gif.write_bytes(b"GIF89a" + bytes(20))
    without_av(monkeypatch, str(tmp_path))
    assert probe(source, "a").seconds == pytest.approx(0.5, abs=0.03)
    for work in (
        lambda: probe(webm, "a.webm"),
        lambda: convert(source, tmp_path / "b.mp4", Wish()),
        lambda: thumbnail(source, 0),
        lambda: from_animation(gif, tmp_path / "b.mp4", Wish()),
    ):
        with pytest.raises(InputError, match=r"pip install 'postkit-social\[video\]'"):
            work()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gif", "a.webm"]


STAND_IN = f"""#!{sys.executable}
import json, pathlib, sys, time
told = pathlib.Path(__file__).with_suffix(".json")
told.write_text(json.dumps(sys.argv[1:]))
if "-show_format" in sys.argv:
    print(pathlib.Path(__file__).with_name("answer.json").read_text())
    raise SystemExit
for moment in (100000, 250000, "N/A"):
    print(f"frame=1\\nout_time_us={{moment}}\\nprogress=continue", flush=True)
source = sys.argv[sys.argv.index("-i") + 1]
assert source.startswith("file:") and sys.argv[-1].startswith("file:")
pathlib.Path(sys.argv[-1][5:]).write_bytes(pathlib.Path(source[5:]).read_bytes())
"""


def stand_in(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(STAND_IN)
    path.chmod(0o755)
    return path


def test_ffmpeg_opens_one_file_by_a_named_reader(
    film: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = stand_in(tmp_path / "bin", "ffmpeg")
    without_av(monkeypatch, str(program.parent))
    source, told = film("turned 90"), list[float]()
    clip = convert(source, tmp_path / "b.mp4", Wish(max_width=24, max_fps=12), told.append)
    # What was made still says that it is turned: that is taken out.
    assert (clip.width, clip.rotation) == (64, 0)
    assert told == pytest.approx([0.2, 0.5, 1.0], abs=0.02)
    words = json.loads((program.parent / "ffmpeg.json").read_text())
    before = words[: words.index("-i")]
    assert "-nostdin" in before
    assert before[before.index("-protocol_whitelist") + 1] == "file,pipe"
    assert before[before.index("-f") + 1] == "mov"
    assert "-noautorotate" in before
    assert "transpose=clock,scale=w=24:h=32" in words[words.index("-vf") + 1]
    assert words.count("-i") == 1
    assert words[words.index("-map_metadata") + 1] == "-1"
    assert [words[n + 1] for n, word in enumerate(words) if word == "-map"] == ["0:i:1", "0:i:2"]


def test_a_name_is_no_option_of_ffmpeg(tmp_path: Path) -> None:
    recipe = Recipe("copy", "-i.mp4", "concat:x|y", "mov", 1.0)
    words = engine_ffmpeg.command("/bin/ffmpeg", recipe)
    assert "file:-i.mp4" in words
    assert words[-1] == "file:concat:x|y"


def test_ffmpeg_progress() -> None:
    recipe = Recipe("encode", "a", "b", "mov", 2.0)
    tell = engine_ffmpeg.done
    assert tell("out_time_us=500000", recipe) == 0.25
    assert tell("out_time_us=9000000", recipe) == 1.0
    assert tell("out_time_us=N/A", recipe) is None
    assert tell("out_time_us=-5", recipe) is None
    assert tell("frame=12", recipe) is None


def test_webm_by_ffprobe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = stand_in(tmp_path / "bin", "ffprobe")
    video = {
        "codec_type": "video",
        "codec_name": "vp9",
        "width": 640,
        "height": 360,
        "sample_aspect_ratio": "4:3",
        "pix_fmt": "yuv420p10le",
        "avg_frame_rate": "30000/1001",
        "color_transfer": "smpte2084",
        "tags": {"DURATION": "00:00:02"},
    }
    audio = {"codec_type": "audio", "codec_name": "opus", "channels": 2, "sample_rate": "48000"}
    answer = {"streams": [video, audio], "format": {"duration": "2.5", "tags": {"TITLE": "x"}}}
    (program.parent / "answer.json").write_text(json.dumps(answer))
    webm = make(tmp_path / "a.webm", Film(format="webm", codec="libvpx"))
    without_av(monkeypatch, str(program.parent))
    clip = probe(webm, "a")
    assert (clip.width, clip.height, clip.seconds) == (853, 360, 2.5)
    assert (clip.video_codec, clip.audio_codec, clip.bit_depth) == ("vp9", "opus", 10)
    assert (clip.is_hdr, clip.metadata) == (True, ("title",))
    assert clip.frame_rate == pytest.approx(29.97, abs=0.01)
    (program.parent / "answer.json").write_text(json.dumps({"streams": [audio], "format": {}}))
    with pytest.raises(InputError, match="no video track"):
        probe(webm, "a")
    words = json.loads((program.parent / "ffprobe.json").read_text())
    assert words[words.index("-f") + 1] == "matroska"
    assert words[words.index("-protocol_whitelist") + 1] == "file,pipe"


ENGINES = ["PyAV", *(["ffmpeg"] if shutil.which("ffmpeg") else [])]


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_that_is_here_does_the_same(
    film: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "ffmpeg":
        monkeypatch.setattr(engine, "has_av", lambda: False)
    for which in ("turned 90", "prores", "variable with sound", "hevc 10 bits", "two videos"):
        before = probe(film(which), which)
        made = convert(film(which), tmp_path / "b.mp4", Wish(max_height=32))
        assert (made.height, made.video_codec, made.rotation) == (32, "h264", 0)
        assert made.seconds == pytest.approx(before.seconds, abs=0.1)
        assert (made.audio_codec, made.fast_start) == (before.audio_codec and "aac", True)
        assert thumbnail(film(which), 0.3).startswith(b"\xff\xd8\xff")
    for which in ("turned 90", "hevc", "tagged mov", "fragmented"):
        before = probe(film(which), which)
        made = convert(film(which), tmp_path / "c.mp4", Wish(copy=True))
        assert (made.video_codec, made.rotation) == (before.video_codec, before.rotation)
        assert (made.audio_codec, made.metadata) == (before.audio_codec, ())


def test_time_is_given_by_the_pictures_there_are(film: Films) -> None:
    from dataclasses import replace

    from postkit.video.job import bounds
    from postkit.video.wish import recipe_for

    clip = replace(probe(film("plain"), "a"), width=1920, height=1080, seconds=60.0)
    path = Path("a")
    long = bounds(clip, recipe_for(clip, path, path, Wish()))
    short = bounds(clip, recipe_for(clip, path, path, Wish(copy=True)))
    assert 600 < long.wall < 3600
    assert short.wall < 120


def test_a_late_answer_does_not_wait_for_the_wall(tmp_path: Path) -> None:
    """A program that ended is not waited for, and its timer is taken back."""
    begun = time.monotonic()
    process.run(python("pass"), Bounds(wall=30, cpu=5))
    assert time.monotonic() - begun < 20
    assert not [t for t in threading.enumerate() if isinstance(t, threading.Timer) and t.is_alive()]
