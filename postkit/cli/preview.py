"""``postkit preview``: how a post will look at each address, as a page."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..adapt.workshop import watched
from ..errors import InputError
from .content import content_options, read_post, read_wishes
from .kit import Kit
from .output import counted, emit, json_option, say, shown
from .progress import MediaLines
from .screen import open_page
from .text import AnyBytes
from .timing import empty_times, spoken, time_options

if TYPE_CHECKING:
    from ..preview.screenshot import Screenshot

NARROWEST, WIDEST = 240, 4000
"""CSS pixels: of a watch, and of four screens."""


@click.command("preview")
@click.option(
    "--to",
    multiple=True,
    metavar="ADDRESS",
    help="Where to: network[:account][/target] or @group; repeat it or separate by commas.",
)
@click.option(
    "--html", type=AnyBytes(), metavar="FILE", help="Write the page there; '-' is standard output."
)
@click.option(
    "--png",
    type=AnyBytes(),
    metavar="FILE",
    help="Write a picture of it; takes Chromium or Chrome.",
)
@click.option(
    "--width",
    type=click.IntRange(NARROWEST, WIDEST),
    default=1200,
    help="Pixels of the picture; 390 is a phone. [default: 1200]",
)
@content_options
@time_options()
@json_option
def command(**given: Any) -> int:
    """Show POST as its readers will see it, with every change, loss and cost beside it.

    Opens a page in the browser, or writes one. Nothing is sent, no network is asked, and no
    account needs to be connected.
    """
    to = [part.strip() for name in given["to"] for part in name.split(",") if part.strip()]
    html, png, as_json = given["html"], given["png"], given["as_json"]
    _check(given)
    wishes = read_wishes({**given, "again": True})
    post, source = read_post(given)
    with Kit() as kit:
        due = kit.due(post, **{name: given[name] for name in ("at", "zone", "expires")})
        with watched(MediaLines(quiet=as_json)):
            plan = kit.plan(
                post, to or None, wishes=wishes, source=source, due=due, unconnected=True
            )
        from ..preview.page import page

        is_timed = due is not None and (given["at"] is not None or post.at is not None)
        data = page(plan, spoken(due.at, due.zone) if due is not None and is_timed else None)
    status = 1 if plan.refused else 0
    warnings = list(plan.warnings)
    written: dict[str, str | None] = {"html": None, "png": None}
    if html == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    elif html is not None:
        written["html"] = _write(Path(html), data)
    elif png is None:
        written["html"] = str(private(data))
    if png is not None:
        shot = _screenshot(data, given["width"])
        written["png"] = _write(Path(png), shot.data)
        if shot.left_out:
            warnings.append(
                f"{png} is the page without its last {shot.left_out:,} pixels; --html has them."
            )
    if as_json:
        refused = [planned.address for planned in plan.refused]
        emit({**written, "refused": refused, "warnings": warnings})
        return status
    to_standard_output = html == "-"
    for warning in warnings:
        say(shown(f"warning: {warning}"), err=True)
    for problem in plan.problems:
        say(shown(f"refused: {problem}"), err=True)
    if html is None and png is None and sys.stdout.isatty():
        open_page(Path(str(written["html"])).as_uri())
    for path in filter(None, written.values()):
        say(path, err=to_standard_output)
    if plan.refused and not to_standard_output:
        say(f"{counted(len(plan.refused), 'address')} would refuse.", err=True)
    return status


def private(data: bytes) -> Path:
    """The page in a fresh folder, where its owner alone may read it: it is not public yet."""
    from ..accounts.private_file import create_private

    path = Path(tempfile.mkdtemp(prefix="postkit-preview-")) / "preview.html"
    create_private(path, data)
    return path


def _check(given: dict[str, Any]) -> None:
    problems = [
        f"--{name} is empty; name a file, or leave it out."
        for name in ("html", "png")
        if given[name] is not None and not given[name].strip()
    ]
    if given["to"] and not any(name.strip(" ,") for name in given["to"]):
        problems.append("--to is empty; name an address, or leave --to out for the default ones.")
    if given["html"] == "-" and given["as_json"]:
        problems.append("--html - and --json both want standard output; name a file for the page.")
    if given["png"] == "-":
        problems.append("--png takes the name of a file, not standard output.")
    if given["poll_minutes"] is not None and not given["poll"]:
        problems.append("--poll-minutes belongs to --poll; give the poll's options with --poll.")
    problems += empty_times(given)
    if problems:
        raise InputError(problems)
    if given["png"] is not None:
        from ..preview.screenshot import find_browser

        # Before any work, and before a page is written that would look like all of it.
        find_browser()


def _write(path: Path, data: bytes) -> str:
    try:
        path.write_bytes(data)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such name is possible"
        raise InputError(f"{path}: it cannot be written ({why}); name another file.") from None
    return str(path)


def _screenshot(data: bytes, width: int) -> Screenshot:
    from ..preview.screenshot import screenshot

    with tempfile.TemporaryDirectory(prefix="postkit-") as folder:
        file = Path(folder) / "preview.html"
        file.write_bytes(data)
        return screenshot(file, width)
