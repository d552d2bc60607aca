"""The content of a post on the command line: a file, a text, and a flag for each field."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..errors import InputError
from ..kit import source_of
from ..plan import Wishes
from ..post import REPLIES, Media, Part, Poll, Post, is_web_address
from .text import AnyBytes

OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--text", help="The text; nothing in it is interpreted."),
    click.option(
        "--media",
        type=AnyBytes(),
        multiple=True,
        metavar="FILE|URL",
        help="A picture or a video; repeat it for several. What an https address names is fetched "
        "once, when the post is planned, also for a dry run.",
    ),
    click.option("--alt", multiple=True, help="What it shows; as often as --media, or not at all."),
    click.option("--title", help="A title, where the network has one."),
    click.option("--link", help="A link."),
    click.option("--tag", multiple=True, help="A tag; repeat it for several."),
    click.option("--lang", help="The language of the text, as in 'en'."),
    click.option("--content-warning", help="What readers are warned of before they see it."),
    click.option("--visibility", help="Who sees it, where the network lets you choose."),
    click.option("--replies", help=f"Who may reply: {', '.join(REPLIES)}."),
    click.option("--poll", multiple=True, metavar="OPTION", help="A poll's option; repeat it."),
    click.option(
        "--poll-minutes",
        type=click.IntRange(1, 525_600),
        help="How long the poll of --poll is open. [default: 1440]",
    ),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NETWORK.OPTION=VALUE",
        help="A network's own option.",
    ),
    click.option("--strict", is_flag=True, help="Refuse where anything would be lost."),
    click.option(
        "--split/--no-split",
        default=True,
        help="Make a thread of a text that is too long. [default: split]",
    ),
    click.option("--trim", is_flag=True, help="Cut off what is too long of a video, at its end."),
    click.option(
        "--card/--no-card",
        default=True,
        help="Build the link's card from its page, where the network leaves that to its clients; "
        "the page is fetched when the post is planned, also for a dry run. [default: card]",
    ),
    click.option(
        "--numbering", is_flag=True, help="Number the posts of a thread that postkit splits."
    ),
)


def content_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """POST, and the flags of what it says and how it may be adapted."""
    for option in reversed(OPTIONS):
        command = option(command)
    return click.argument("post", type=AnyBytes(), required=False)(command)


def read_wishes(given: dict[str, Any]) -> Wishes:
    """How a person wants it adapted. Raises InputError."""
    return Wishes(
        split=given["split"],
        numbering=given["numbering"],
        trim=given["trim"],
        strict=given["strict"],
        again=given.get("again", False),
        card=given["card"],
        options=read_settings(given["settings"]),
    )


def read_post(given: dict[str, Any]) -> tuple[Post, str | None]:
    """The post that file, text and flags make together. Raises InputError with all problems."""
    name, text = given["post"], given["text"]
    if name is not None and text is not None:
        raise InputError("Give a post file or --text, not both.")
    source: str | None = None
    base: Post | None = None
    if name == "-":
        from ..postfile import MAX_BYTES, read_bytes

        data = sys.stdin.buffer.read(MAX_BYTES + 1)
        base = read_bytes(data, Path.cwd(), "standard input")
    elif name is not None:
        path = Path(name)
        if name and os.path.lexists(path):
            base = Post.from_file(path)
            source = source_of(path)
        elif name.endswith((".md", ".txt")) or "/" in name:
            raise InputError(
                f"{name}: there is no such file. If it is meant as a text: "
                f"--text {shorter(name)!r}."
            )
        else:
            text = name
    media, alts = given["media"], given["alt"]
    if alts and len(alts) != len(media):
        raise InputError(
            f"--alt is given {len(alts)} times and --media {len(media)} times; give one --alt for "
            "each --media, in the same order, or none."
        )
    pictures = _pictures(media, alts or [""] * len(media))
    poll = Poll(tuple(given["poll"]), given["poll_minutes"] or 1440) if given["poll"] else None
    old = base.parts if base is not None else (Part(text or ""),)
    first = replace(old[0], media=(*old[0].media, *pictures))
    return Post(
        (first, *old[1:]),
        title=given["title"] or (base.title if base else None),
        link=given["link"] or (base.link if base else None),
        poll=poll or (base.poll if base else None),
        tags=given["tag"] or (base.tags if base else ()),
        content_warning=given["content_warning"] or (base.content_warning if base else None),
        lang=given["lang"] or (base.lang if base else None),
        visibility=given["visibility"] or (base.visibility if base else None),
        replies=given["replies"] or (base.replies if base else None),
        networks=base.networks if base else None,
        to=base.to if base else (),
        at=base.at if base else None,
        zone=base.zone if base else None,
        expires=base.expires if base else None,
    ), source


def _pictures(given: Sequence[str], alts: Sequence[str]) -> list[Media]:
    pictures = []
    problems: list[str] = []
    for media, alt in zip(given, alts, strict=True):
        try:
            is_url = is_web_address(media)
            made = Media.from_url(media, alt, place="--media") if is_url else Media(media, alt)
        except InputError as error:
            problems += [f"--media: {problem}" for problem in error.problems]
        else:
            pictures.append(made)
    if problems:
        raise InputError(problems)
    return pictures


def read_settings(given: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """``network.option=value`` pairs; what is repeated becomes a list."""
    settings: dict[str, dict[str, Any]] = {}
    problems = []
    for text in given:
        left, equals, value = text.partition("=")
        network, dot, option = left.partition(".")
        if not (equals and dot and network and option):
            problems.append(f"--set {text}: write --set network.option=value.")
            continue
        options = settings.setdefault(network, {})
        if option in options:
            old = options[option]
            options[option] = [*(old if isinstance(old, list) else [old]), value]
        else:
            options[option] = value
    if problems:
        raise InputError(problems)
    return settings


def shorter(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
