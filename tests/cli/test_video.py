"""Videos at the command line: what is planned, how far the work is, what is refused."""

from __future__ import annotations

from pathlib import Path

from postkit.testing.videos import video

from .program import Program


def quicktime() -> bytes:
    """The clip in a container that says it is QuickTime's."""
    return video().replace(b"ftypisom", b"ftypqt  ", 1)


def test_a_video_is_planned_as_one(postkit: Program) -> None:
    postkit.connect("x")
    Path("clip.mp4").write_bytes(video())
    given = ("publish", "It flies", "--to", "x", "--media", "clip.mp4", "--alt", "A rocket")
    shown = postkit(*given, "--dry-run")
    size = f"{len(video()):,} bytes"
    assert f"video    clip.mp4 (2.0 s, 320x180, {size}): no alt text" in shown.out
    assert "lost     alt (part 1): clip.mp4: alt text is not sent (A rocket)" in shown.out
    [delivery] = postkit(*given, "--dry-run", "--json").report["deliveries"]
    [medium] = delivery["parts"][0]["media"]
    assert (medium["kind"], medium["mime"], medium["seconds"]) == ("video", "video/mp4", 2.0)
    rows = {(row["field"], row["item"]): row["outcome"] for row in delivery["fields"]}
    assert rows == {("text", 1): "delivered", ("media", 1): "delivered", ("alt", 1): "lost"}


def test_the_work_at_a_video_is_told_and_json_stays_json(postkit: Program) -> None:
    postkit.connect("bluesky")
    Path("clip.mov").write_bytes(quicktime())
    given = ("publish", "It flies", "--to", "bluesky", "--media", "clip.mov")
    shown = postkit(*given)
    assert shown.status == 0
    assert "clip.mov: converting, 100 %\n" in shown.err
    assert "packed anew as MP4 (video/quicktime is not taken)" in shown.out
    [post] = postkit.server.posts("bluesky")
    assert [media.mime for media in post.media] == ["video/mp4"]
    again = postkit(*given, "--again", "--json")
    assert "converting" not in again.err
    assert again.report["deliveries"][0]["state"] == "live"


def test_what_is_too_long_is_cut_only_with_trim(postkit: Program) -> None:
    postkit.connect("x")
    Path("long.mp4").write_bytes(video(seconds=150))
    given = ("publish", "It flies", "--to", "x", "--media", "long.mp4")
    said = postkit.fails(1, *given)
    assert "long.mp4: it cannot be sent here: it plays 150.0 s, at most 140 s" in said
    assert postkit.creates() == 0
    assert postkit(*given, "--trim").status == 0
    [post] = postkit.server.posts("x")
    assert len(post.media) == 1


def test_what_is_too_large_for_a_rehearsal_is_said_before(postkit: Program) -> None:
    # Sparse, but sent whole: the largest of a network that takes it in one request.
    for name, size in (("large.mp4", 103_000_000), ("larger.mp4", 140_000_000)):
        Path(name).write_bytes(video(size=size))
    given = ("publish", "It flies", "--emulate", "--media")
    assert postkit(*given, "large.mp4", "--to", "mastodon").status == 0
    said = postkit.fails(1, *given, "larger.mp4", "--to", "bluesky")
    assert said == (
        "bluesky:emulated: larger.mp4 cannot be rehearsed: it has 140.0 MB, at most 133.2 MB;"
        " `--dry-run` shows what would be sent."
    )


def test_the_preview_counts_a_videos_alt_text_as_a_videos(postkit: Program) -> None:
    postkit.connect("bluesky")
    Path("clip.mp4").write_bytes(video())
    given = ("It flies", "--to", "bluesky", "--media", "clip.mp4", "--alt", "A rocket")
    assert postkit("preview", *given, "--html", "page.html").status == 0
    page = Path("page.html").read_text("utf-8")
    assert "8 of 1,000 graphemes" in page
    assert "8 of 2,000" not in page


def test_a_broken_video_is_one_sentence(postkit: Program) -> None:
    postkit.connect("x")
    Path("half.mp4").write_bytes(video()[:4000])
    said = postkit.fails(1, "publish", "Hi", "--to", "x", "--media", "half.mp4")
    assert "half.mp4: it is truncated" in said
    assert postkit.creates() == 0


def test_an_animation_keeps_its_alt_text_at_x(postkit: Program) -> None:
    from PIL import Image

    postkit.connect("x")
    frames = [Image.new("RGB", (64, 48), (80 * n, 20, 90)) for n in range(3)]
    frames[0].save("spin.gif", save_all=True, append_images=frames[1:], duration=200, loop=0)
    given = ("publish", "It spins", "--to", "x", "--media", "spin.gif", "--alt", "A wheel")
    [delivery] = postkit(*given, "--json").report["deliveries"]
    assert (delivery["state"], delivery["losses"]) == ("live", [])
    [post] = postkit.server.posts("x")
    assert [media.alt for media in post.media] == ["A wheel"]
