"""``postkit edit``: other content for what is not sent yet."""

from __future__ import annotations

from typing import Any

import click

from ..errors import InputError
from ..post import Post
from .content import content_options, read_post, read_wishes
from .kit import Kit
from .output import emit, json_option, print_report, say
from .yes import ask_for_names, named_option

CONTENT = ("post", "text", "title", "link", "media", "poll", "tag")


@click.command("edit")
@click.argument("name", metavar="ID")
@content_options
@named_option
@json_option
def command(name: str, confirmed: tuple[str, ...], as_json: bool, **given: Any) -> int:
    """Give a publication (p_...) or a delivery (d_...) that is not sent the content of POST.

    POST and the flags are the whole new content; nothing of the old one is kept. Time and
    addresses stay as they are.
    """
    if not any(given[field] for field in CONTENT):
        raise InputError("What shall it say? Give a post file or --text, with all that belongs.")
    post, _ = read_post(given)
    with Kit() as kit:
        names = ask_for_names(kit.accounts_of(name), confirmed, "Change it?", as_json=as_json)
        report = kit.edit(name, post, wishes=read_wishes(given), confirmed=names)
    if _has_time(post):
        say(f"The time stays; `postkit reschedule {name} --at WHEN` changes it.", err=True)
    if as_json:
        emit(report.to_json())
    else:
        print_report(report)
    return report.exit_status


def _has_time(post: Post) -> bool:
    return any(value is not None for value in (post.at, post.zone, post.expires))
