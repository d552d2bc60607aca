"""The command line of ffmpeg for a recipe, and how its progress reads.

Options: ffmpeg documentation, "ffmpeg", "Protocol Options" and "mov, mp4, ismv" (7.1);
checked 2026-11-29.
"""

from __future__ import annotations

from .recipe import Recipe, encoder_options, filters


def command(path: str, recipe: Recipe) -> list[str]:
    """Reads one file by its named reader, writes one file; no other can be opened."""
    words = [path, "-nostdin", "-hide_banner", "-v", "error", "-y"]
    if recipe.task == "still" and recipe.at > 0:
        words += ["-ss", f"{recipe.at:.3f}"]
    # Beyond a hundredth of its pictures it is damaged, and not quietly shorter.
    words += ["-max_error_rate", "0.01"]
    # The filters turn the pictures, by what the file's own tables said.
    words += ["-noautorotate", "-protocol_whitelist", "file,pipe", "-f", recipe.format]
    words += ["-threads", "2", "-i", f"file:{recipe.source}"]
    words += ["-map_metadata", "-1", "-map_chapters", "-1"]
    words += ["-map", _map("v", recipe.video_track)]
    if recipe.task == "still":
        words += ["-vf", _chain(recipe), "-frames:v", "1", "-q:v", "3"]
        return [*words, "-f", "mjpeg", f"file:{recipe.target}"]
    if recipe.has_audio:
        words += ["-map", _map("a", recipe.audio_track)]
    if recipe.task == "copy":
        words += ["-c", "copy"]
    else:
        words += ["-vf", _chain(recipe), "-c:v", "libx264", "-threads", "2"]
        # A group of two seconds; the pictures keep their own times unless a rate is asked for.
        words += ["-force_key_frames", "expr:gte(t,n_forced*2)", "-fps_mode", "passthrough"]
        for name, value in encoder_options(recipe).items():
            words += [f"-{name}:v", value]
        if recipe.has_audio:
            words += ["-c:a", "aac", "-b:a", str(recipe.audio_rate)]
            words += ["-ac", str(recipe.channels), "-ar", str(recipe.sample_rate)]
        if recipe.seconds is not None:
            words += ["-t", f"{recipe.seconds:.3f}"]
    if recipe.container == "mp4":
        words += ["-movflags", "+faststart"]
    words += ["-progress", "pipe:1", "-f", recipe.container]
    return [*words, f"file:{recipe.target}"]


def done(line: str, recipe: Recipe) -> float | None:
    """``out_time_us=`` is microseconds of the result; N/A before the first picture."""
    name, _, value = line.partition("=")
    if name != "out_time_us" or not value.isdigit() or recipe.total <= 0:
        return None
    return min(1.0, int(value) / 1_000_000 / recipe.total)


def _map(kind: str, track: int | None) -> str:
    return f"0:{kind}:0" if track is None else f"0:i:{track}"


def _chain(recipe: Recipe) -> str:
    return ",".join(f"{name}={options}" if options else name for name, options in filters(recipe))
