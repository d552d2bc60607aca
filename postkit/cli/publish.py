"""``postkit publish``: read a post, plan it, show what will happen, send it once."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..deliver.states import worst_exit
from ..errors import InputError, PlanRefused, StoreError
from ..kit import Kit
from ..network import RenderedPart
from ..plan import Plan, Planned, Wishes
from ..post import Media, Part, Poll, Post
from ..rendition import Attachment
from ..report import Report
from .output import counted, emit, json_option, labelled, print_report, say, shown, where, wrapped
from .progress import ProgressLines
from .waiting import wait_option


@click.command("publish")
@click.argument("post", required=False)
@click.option("--text", help="The text; nothing in it is interpreted.")
@click.option(
    "--to",
    multiple=True,
    metavar="ADDRESS",
    help="Where to: network[:account][/target] or @group; repeat it or separate by commas.",
)
@click.option(
    "--media",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A picture; repeat it for several.",
)
@click.option(
    "--alt", multiple=True, help="What the picture shows; as often as --media, or not at all."
)
@click.option("--title", help="A title, where the network has one.")
@click.option("--link", help="A link.")
@click.option("--tag", multiple=True, help="A tag; repeat it for several.")
@click.option("--lang", help="The language of the text, as in 'en'.")
@click.option("--content-warning", help="What readers are warned of before they see it.")
@click.option("--visibility", help="Who sees it, where the network lets you choose.")
@click.option("--poll", multiple=True, metavar="OPTION", help="A poll's option; repeat it.")
@click.option(
    "--poll-minutes",
    type=click.IntRange(1, 525_600),
    help="How long the poll of --poll is open. [default: 1440]",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NETWORK.OPTION=VALUE",
    help="A network's own option.",
)
@click.option(
    "--dry-run", is_flag=True, help="Show what would be sent, every change and cost; send nothing."
)
@click.option("--emulate", is_flag=True, help="Rehearse on the emulator, in a temporary home.")
@click.option("--partial", is_flag=True, help="Where an address refuses, send the rest.")
@click.option("--strict", is_flag=True, help="Refuse where anything would be lost.")
@click.option(
    "--split/--no-split",
    default=True,
    help="Make a thread of a text that is too long. [default: split]",
)
@click.option("--numbering", is_flag=True, help="Number the posts of a thread that postkit splits.")
@wait_option
@click.option("--once", metavar="NAME", help="Repeatable for scripts: the same name sends once.")
@click.option("--again", is_flag=True, help="Send although the same went there lately.")
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
@json_option
def command(**given: Any) -> int:
    """Publish POST now: a post file, a text, or '-' for a post file on standard input.

    Everything is planned first; if any address refuses, nothing is sent anywhere.
    """
    _check(given)
    to = [part.strip() for name in given["to"] for part in name.split(",") if part.strip()]
    wishes = Wishes(
        split=given["split"],
        numbering=given["numbering"],
        strict=given["strict"],
        again=given["again"],
        options=read_settings(given["settings"]),
    )
    post, source = read_post(given)
    as_json = given["as_json"]
    if given["emulate"]:
        from .rehearse import rehearse

        return rehearse(post, to, wishes, given["wait"], as_json=as_json)
    with Kit() as kit:
        # A name that was used gives its first report, whatever a plan would say today.
        kept = kit.published_once(given["once"], post, to) if given["once"] else None
        unsent = False
        if kept is not None and not given["dry_run"]:
            _say_repeated(kit.report(kept))
        if kept is None or given["dry_run"]:
            plan = kit.plan(post, to or None, wishes=wishes, source=source)
            if given["dry_run"]:
                return _show_plan(plan, as_json)
            if plan.refused and not (given["partial"] and len(plan.refused) < len(plan.deliveries)):
                raise RefusedPlan(plan)
            if not given["yes"] and not as_json and needs_consent(plan):
                _confirm(plan)
            kept = kit.accept(
                plan, partial=given["partial"], once=given["once"], to=to, source=source
            )
            unsent = bool(plan.refused)
            if not as_json:
                count = len(plan.deliveries) - len(plan.refused)
                say(f"{kept}: publishing to {counted(count, 'address')}", err=True)
        try:
            with ProgressLines(quiet=as_json) as progress:
                report = kit.finish(kept, wait=given["wait"], watch=progress)
        except StoreError as error:
            raise Stopped(kept, error) from error
    if as_json:
        emit(report.to_json())
    else:
        print_report(report)
    return worst_exit([report.exit_status, 1 if unsent else 0])


class RefusedPlan(PlanRefused):
    """The plan was refused; ``report`` shows every address of it."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.problems)
        self.hint = NOTHING_SENT
        self.report = planned_report(plan)


class Stopped(StoreError):
    """The store failed when the post was accepted already: ``finish`` goes on with it."""

    exit_status = 75

    def __init__(self, publication: str, error: StoreError) -> None:
        super().__init__(
            f"{error.message} The post is accepted: then run `postkit finish {publication}`."
        )
        self.report = Report(publication, ())


NOTHING_SENT = "Nothing was sent."


def _check(given: dict[str, Any]) -> None:
    """Flags that are empty, as an unset variable of a script leaves them, are no wishes."""
    problems = []
    if given["to"] and not any(name.strip(" ,") for name in given["to"]):
        problems.append("--to is empty; name an address, or leave --to out for the default ones.")
    if given["once"] is not None and not given["once"].strip():
        problems.append("--once is empty; give a name, such as an order's number.")
    if given["poll_minutes"] is not None and not given["poll"]:
        problems.append("--poll-minutes belongs to --poll; give the poll's options with --poll.")
    if problems:
        raise InputError(problems)


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
            source = str(path.resolve())
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
    pictures = [Media(path, alts[number] if alts else "") for number, path in enumerate(media)]
    poll = Poll(tuple(given["poll"]), given["poll_minutes"] or 1440) if given["poll"] else None
    old = base.parts if base is not None else (Part(text or ""),)
    first = Part(old[0].text, (*old[0].media, *pictures))
    return Post(
        (first, *old[1:]),
        title=given["title"] or (base.title if base else None),
        link=given["link"] or (base.link if base else None),
        poll=poll or (base.poll if base else None),
        tags=given["tag"] or (base.tags if base else ()),
        content_warning=given["content_warning"] or (base.content_warning if base else None),
        lang=given["lang"] or (base.lang if base else None),
        visibility=given["visibility"] or (base.visibility if base else None),
        networks=base.networks if base else None,
        to=base.to if base else (),
    ), source


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


def _say_repeated(report: Report) -> None:
    """That a name of --once was used, so that nobody takes an old report for a new post."""
    name = report.publication
    if any(delivery.exit_status == 75 for delivery in report.deliveries):
        say(f"Accepted before ({name}) and not finished; going on with it.", err=True)
    else:
        say(f"Sent before ({name}); nothing was sent now.", err=True)


def needs_consent(plan: Plan) -> bool:
    """Whether a person on a terminal should see the plan first: a split, a loss or a cost."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return any(
        planned.rendition is not None
        and (planned.cost or planned.rendition.losses or planned.rendition.changes)
        for planned in plan.deliveries
    )


def _confirm(plan: Plan) -> None:
    print_plan(plan)
    if not click.confirm("Send this?", default=True):
        say(NOTHING_SENT, err=True)
        raise click.exceptions.Exit(1)


def _show_plan(plan: Plan, as_json: bool) -> int:
    if as_json:
        emit(planned_report(plan).to_json())
    else:
        print_plan(plan)
        for warning in plan.warnings:
            say(f"warning: {warning}", err=True)
        refused = f" {counted(len(plan.refused), 'address')} would refuse." if plan.refused else ""
        say(f"\nA dry run: nothing was sent.{refused}")
    return 1 if plan.refused else 0


def planned_report(plan: Plan) -> Report:
    """The plan's report, with the pictures and the quota of what would be sent."""
    report = plan.report
    deliveries = []
    for planned, delivery in zip(plan.deliveries, report.deliveries, strict=True):
        sources = planned.rendition.parts if planned.rendition else ()
        parts = (
            replace(part, media=tuple(_picture(image) for image in source.media))
            for part, source in zip(delivery.parts, sources, strict=True)
        )
        deliveries.append(replace(delivery, parts=tuple(parts), quota=quota(planned)))
    return replace(report, deliveries=tuple(deliveries))


def _picture(image: Attachment) -> dict[str, Any]:
    names = ("name", "mime", "width", "height", "size", "alt")
    return {name: getattr(image, name) for name in names}


def quota(planned: Planned) -> str | None:
    """The network's first rate in words: ``100 posts of an account in 15 min``."""
    if not planned.quota:
        return None
    rate = planned.network.limits_for(planned.place.account).rates[0]
    return f"{rate.calls:,} {rate.what} in {span(rate.seconds)}"


def span(seconds: int) -> str:
    """A time in its largest whole unit."""
    for unit, size in (("day", 86_400), ("hour", 3600)):
        if seconds and seconds % size == 0:
            return counted(seconds // size, unit)
    return f"{seconds // 60:,} min" if seconds and seconds % 60 == 0 else f"{seconds:,} s"


def print_plan(plan: Plan) -> None:
    """Every part as it would be sent, then options, changes, losses, cost, quota and guarantee."""
    for planned in plan.deliveries:
        click.echo(click.style(shown(planned.address), bold=True))
        if planned.rendition is None:
            for reason in planned.reasons:
                labelled("refused", reason)
            continue
        for number, part in enumerate(planned.rendition.parts, 1):
            _print_part(planned, part, number)
        for name, value in _options(planned.rendition.parts).items():
            labelled("option", f"{name} {value}")
        for change in planned.rendition.changes:
            labelled("changed", where(change.to_json()))
        for loss in planned.rendition.losses:
            labelled("lost", where(loss.to_json()))
        if planned.cost:
            labelled("cost", f"{planned.cost['amount']:.3f} {planned.cost['currency']}")
        words = quota(planned)
        if words:
            labelled("quota", words)
        labelled("in doubt", IN_DOUBT.get(planned.guarantee, planned.guarantee))


IN_DOUBT = {
    "key": "the same request is sent again; its key keeps both from becoming two posts",
    "probe": "the network is asked for this very post",
    "duplicate_refusal": "it is sent again; the network refuses a second one",
    "read_back": "your newest posts are read; if it is not among them, you are asked",
    "blind": "nobody but you can look: you are asked",
}
"""What postkit does where a network's answer is lost, by the kind of guarantee."""


def _options(parts: Sequence[RenderedPart]) -> dict[str, str]:
    """The network's own options that will be sent, by name; each once for the address."""
    found: dict[str, str] = {}
    for part in parts:
        for name, value in (part.fields.get("options") or {}).items():
            if isinstance(value, bool):
                value = "yes" if value else "no"
            elif isinstance(value, list | tuple):
                value = ", ".join(map(str, value))
            found.setdefault(name, str(value))
    return found


def _print_part(planned: Planned, part: RenderedPart, number: int) -> None:
    parts = planned.rendition.parts if planned.rendition else ()
    counts = ", ".join(
        f"{limit.counter.count(part.text):,} of {limit.maximum:,} {limit.counter.unit}"
        for limit in planned.network.limits_for(planned.place.account).text
    )
    say(f"    part {number} of {len(parts)} ({counts})")
    for line in wrapped(shown(part.text), "      | ", "      | "):
        click.echo(line)
    for image in part.media:
        alt = f'"{image.alt}"' if image.alt else "no alt text"
        size = f"{image.width}x{image.height}, {image.size:,} bytes"
        labelled("picture", f"{image.name} ({size}): {alt}", indent=6)
    for field in ("title", "link", "content_warning", "lang", "visibility"):
        if part.fields.get(field):
            labelled(field.replace("_", " "), str(part.fields[field]), indent=6)
    if part.fields.get("tags"):
        labelled("tags", ", ".join(part.fields["tags"]), indent=6)
    poll = part.fields.get("poll")
    if poll:
        labelled("poll", f"{' / '.join(poll['options'])} ({poll['minutes']} minutes)", indent=6)


def shorter(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
