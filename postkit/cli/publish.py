"""``postkit publish``: read a post, plan it, show what will happen, send it once."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click

from ..adapt.workshop import watched
from ..deliver.states import worst_exit
from ..errors import InputError, PlanRefused, StoreError
from ..plan import Plan
from ..post import Post
from ..report import Report
from ..store.publications import Due
from .completing import complete_accounts
from .content import content_options, read_post, read_wishes
from .kit import Kit
from .output import counted, emit, json_option, print_report, say, shown
from .plan import planned_report, print_plan
from .progress import MediaLines, ProgressLines
from .timing import empty_times, scheduled_for, spoken, time_options
from .waiting import wait_option
from .yes import Confirmed, ask_for_names, yes_options


@click.command("publish", cls=Confirmed)
@click.option(
    "--to",
    multiple=True,
    metavar="ADDRESS",
    shell_complete=complete_accounts,
    help="Where to: network[:account][/target] or @group; repeat it or separate by commas.",
)
@content_options
@time_options()
@click.option(
    "--dry-run", is_flag=True, help="Show what would be sent, every change and cost; send nothing."
)
@click.option("--emulate", is_flag=True, help="Rehearse on the emulator, in a temporary home.")
@click.option("--partial", is_flag=True, help="Where an address refuses, send the rest.")
@wait_option
@click.option("--once", metavar="NAME", help="Repeatable for scripts: the same name sends once.")
@click.option("--again", is_flag=True, help="Send although the same went there lately.")
@yes_options
@json_option
def command(**given: Any) -> int:
    """Publish POST, now or --at a time: a post file, a text, or '-' for a post file on standard
    input.

    Everything is planned first; if any address refuses, nothing is sent anywhere. What is
    scheduled is sent by `postkit worker`.
    """
    _check(given)
    to = [part.strip() for name in given["to"] for part in name.split(",") if part.strip()]
    wishes = read_wishes(given)
    post, source = read_post(given)
    as_json = given["as_json"]
    times = {name: given[name] for name in ("at", "zone", "expires")}
    if given["emulate"]:
        from .rehearse import rehearse

        with Kit() as kit:
            due = kit.due(post, **times)
        if due is not None and is_timed(given, post):
            say(f"A rehearsal sends at once, not on {spoken(due.at, due.zone)}.", err=True)
        partial = given["partial"]
        return rehearse(post, to, wishes, given["wait"], partial=partial, as_json=as_json)
    with Kit() as kit:
        # A name that was used gives its first report, whatever a plan would say today.
        kept = kit.published_once(given["once"], post, to) if given["once"] else None
        later: Due | None = None
        unsent = 0
        if kept is not None and not given["dry_run"]:
            _say_repeated(kit.report(kept))
        if kept is None or given["dry_run"]:
            due = kit.due(post, **times)
            later = due if is_timed(given, post) else None
            with watched(MediaLines(quiet=as_json)):
                plan = kit.plan(post, to or None, wishes=wishes, source=source, due=due)
            if given["dry_run"]:
                return _show_plan(plan, later, as_json)
            if plan.refused and not (given["partial"] and len(plan.refused) < len(plan.deliveries)):
                raise RefusedPlan(plan)
            if not given["yes"] and not as_json and needs_consent(plan):
                _confirm(plan, later)
            kept = kit.accept(
                plan,
                partial=given["partial"],
                once=given["once"],
                to=to,
                source=source,
                due=due,
                confirmed=_named(plan, given),
            )
            unsent = 1 if plan.refused else 0
            count = counted(len(plan.deliveries) - len(plan.refused), "address")
            if later is not None:
                when = scheduled_for(later.at, later.expires_at, later.zone)
                say(f"{kept}: scheduled for {when}, {count}", err=True)
            elif not as_json:
                say(f"{kept}: publishing to {count}", err=True)
        try:
            report = kit.report(kept)
            # What is scheduled is a worker's: this command has done its work.
            status = 0
            if later is None and not is_to_come(report, kit.clock.now()):
                with ProgressLines(quiet=as_json) as progress:
                    report = kit.finish(kept, wait=given["wait"], watch=progress)
                status = report.exit_status
        except StoreError as error:
            raise Stopped(kept, error) from error
    if as_json:
        emit(report.to_json())
    else:
        print_report(report)
    return worst_exit([status, unsent])


def is_timed(given: dict[str, Any], post: Post) -> bool:
    """Whether a time was given, by flag or file."""
    return given["at"] is not None or post.at is not None


def is_to_come(report: Report, now: datetime) -> bool:
    """Whether all of it is scheduled for a time to come."""
    return all(d.state == "scheduled" and d.at and d.at > now for d in report.deliveries)


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
    if given["emulate"] and given["dry_run"]:
        problems.append("--emulate sends to the emulator, and --dry-run sends nothing; give one.")
    problems += empty_times(given)
    if problems:
        raise InputError(problems)


def _say_repeated(report: Report) -> None:
    """That a name of --once was used, so that nobody takes an old report for a new post."""
    name = report.publication
    if any(delivery.exit_status == 75 for delivery in report.deliveries):
        say(f"Accepted before ({name}) and not finished; going on with it.", err=True)
    else:
        scheduled = any(delivery.state == "scheduled" for delivery in report.deliveries)
        done = "Scheduled" if scheduled else "Sent"
        say(f"{done} before ({name}); nothing was sent now.", err=True)


def needs_consent(plan: Plan) -> bool:
    """Whether a person on a terminal should see the plan first: a split, a loss, a cost, or a
    protected account."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return any(
        planned.rendition is not None
        and (
            planned.cost
            or planned.rendition.losses
            or planned.rendition.changes
            or planned.place.account.protected
        )
        for planned in plan.deliveries
    )


def _named(plan: Plan, given: dict[str, Any]) -> tuple[str, ...]:
    accounts = [each.place.account for each in plan.deliveries if each.rendition is not None]
    # A bare --yes says that nobody shall be asked, and so names no account.
    quiet = given["as_json"] or given["yes"]
    return ask_for_names(accounts, given["confirmed"], "Send it?", as_json=quiet)


def _confirm(plan: Plan, due: Due | None) -> None:
    print_plan(plan)
    if any(p.place.account.protected for p in plan.deliveries if p.rendition is not None):
        return  # to type its name is the answer
    question = f"Send this on {spoken(due.at, due.zone)}?" if due is not None else "Send this?"
    if not click.confirm(question, default=True):
        say(NOTHING_SENT, err=True)
        raise click.exceptions.Exit(1)


def _show_plan(plan: Plan, due: Due | None, as_json: bool) -> int:
    if as_json:
        emit(planned_report(plan, due).to_json())
    else:
        print_plan(plan)
        for warning in plan.warnings:
            say(shown(f"warning: {warning}"), err=True)
        refused = f" {counted(len(plan.refused), 'address')} would refuse." if plan.refused else ""
        when = ""
        if due is not None:
            when = f" It would be due {scheduled_for(due.at, due.expires_at, due.zone)}."
        say(f"\nA dry run: nothing was sent.{refused}{when}")
    return 1 if plan.refused else 0
