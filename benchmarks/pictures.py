"""A 12-megapixel photograph for a network that takes 2,048 pixels a side and 1,000,000 bytes.

Against Pillow alone, as a careful script uses it: turned by EXIF, scaled, then qualities from 92
downwards until it fits. Each run is a process of its own, the two in turn; medians of wall seconds,
processor seconds and peak memory (MiB, with helpers), and the size and quality of what came out
(PSNR against the scaled original, in dB). Prints JSON.
"""

from __future__ import annotations

import io
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5
SIDE, BYTES = 2048, 1_000_000


def photograph(target: Path) -> None:
    """4000x3000 pixels with the detail of a photograph: noise in bands from coarse to fine."""
    from PIL import Image

    image = Image.new("RGB", (4000, 3000), (110, 120, 130))
    for scale, weight in ((40, 0.5), (8, 0.35), (2, 0.2), (1, 0.12)):
        size = (4000 // scale, 3000 // scale)
        bands = [Image.effect_noise(size, 90) for _ in range(3)]
        layer = Image.merge("RGB", bands).resize((4000, 3000), Image.Resampling.BICUBIC)
        image = Image.blend(image, layer, weight)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera"
    image.save(target, "JPEG", quality=95, exif=exif)


def by_postkit(source: Path) -> bytes:
    from datetime import date

    from postkit.adapt.images import _SANDBOX, fit
    from postkit.limits.model import ImageLimit, Source

    limit = ImageLimit(
        ("image/jpeg", "image/png"),
        BYTES,
        Source("this benchmark", date(2026, 11, 29)),
        max_width=SIDE,
        max_height=SIDE,
    )
    attachment, _ = fit(source.read_bytes(), source.name, "", limit)
    _SANDBOX.close()
    return attachment.read()


def by_pillow(source: Path) -> bytes:
    from PIL import Image, ImageOps

    image: Image.Image = Image.open(source)
    image = ImageOps.exif_transpose(image)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    for quality in range(92, 20, -2):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality, optimize=True)
        if file.tell() <= BYTES:
            return file.getvalue()
    raise SystemExit("it does not fit")


WAYS = {"postkit": by_postkit, "pillow": by_pillow}


def one(way: str, source: Path, target: Path) -> None:
    """In a process of its own."""
    started = time.perf_counter()
    target.write_bytes(WAYS[way](source))
    seconds = time.perf_counter() - started
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    row = {
        "wall": seconds,
        "cpu": sum(usage.ru_utime + usage.ru_stime for usage in usages),
        "mib": sum(usage.ru_maxrss for usage in usages) / 1024,
    }
    sys.stdout.write(json.dumps(row))


def psnr(made: Path, source: Path) -> float:
    from PIL import Image, ImageChops, ImageOps, ImageStat

    with Image.open(source) as original, Image.open(made) as image:
        wanted = ImageOps.exif_transpose(original).resize(image.size, Image.Resampling.LANCZOS)
        squares = ImageStat.Stat(ImageChops.difference(wanted, image.convert("RGB"))).sum2
        error = sum(squares) / (3 * image.width * image.height)
    return 10 * math.log10(255**2 / error)


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        return one(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    rows: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "photograph.jpg"
        photograph(source)
        for _ in range(RUNS):
            for way in WAYS:
                command = [sys.executable, __file__, "--one", way, str(source)]
                done = subprocess.run(
                    [*command, str(Path(folder) / f"{way}.jpg")],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                rows[way].append(json.loads(done.stdout))
        table: dict[str, dict[str, float]] = {}
        for way, found in rows.items():
            made = Path(folder) / f"{way}.jpg"
            table[way] = {
                name: round(statistics.median(row[name] for row in found), 3) for name in found[0]
            }
            table[way] |= {"bytes": made.stat().st_size, "psnr": round(psnr(made, source), 2)}
    sys.stdout.write(json.dumps(table, indent=2) + "\n")
    return None


if __name__ == "__main__":
    main()
