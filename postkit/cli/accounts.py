"""``postkit accounts``: who is connected and how they are, and what is decided about them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from ..accounts.check import Checked
from ..accounts.status import AccountStatus
from .completing import complete_accounts
from .kit import Kit
from .output import emit, json_option, say, shown, table
from .subcommands import Subcommands
from .timing import short
from .yes import ask_for_names, named_option

account_argument = click.argument("account", shell_complete=complete_accounts)


check_option = click.option("--check", is_flag=True, help="Ask each network who it is.")


@click.group("accounts", cls=Subcommands, invoke_without_command=True)
@check_option
@json_option
@click.pass_context
def command(ctx: click.Context, check: bool, as_json: bool) -> int:
    """List the connected accounts and how they are, or change one.

    Exit status with --check: 1 where one is another account or has no access any more, 75 where
    one could not be asked.
    """
    return 0 if ctx.invoked_subcommand is not None else show_accounts(check, as_json)


@command.command("list")
@check_option
@json_option
def list_accounts(check: bool, as_json: bool) -> int:
    """List the connected accounts and how they are."""
    return show_accounts(check, as_json)


def show_accounts(check: bool, as_json: bool) -> int:
    with Kit() as kit:
        total = len(kit.accounts)
        answers: dict[str, Checked] = {}

        def heard(checked: Checked) -> None:
            answers[checked.account.id] = checked
            if sys.stderr.isatty() and not as_json:
                say(f"{len(answers)} of {total}  {checked.account.label}", err=True)

        if check:
            kit.check_accounts(heard=heard)
        statuses = kit.account_statuses()
    if as_json:
        emit({"accounts": [_json(each, answers.get(each.account.id)) for each in statuses]})
    elif not statuses:
        say("No account is connected. Next: postkit connect NETWORK", err=True)
    else:
        _print(statuses, answers)
    return exit_status(list(answers.values()))


def exit_status(answers: Sequence[Checked]) -> int:
    found = {each.answer for each in answers}
    if found - {"ok", "not reached"}:
        return 1
    return 75 if "not reached" in found else 0


def _print(statuses: Sequence[AccountStatus], answers: dict[str, Checked]) -> None:
    headers = ["account", "who", "is", "scopes", "access", "last post", "health"]
    rows = []
    for each in statuses:
        answer = answers.get(each.account.id)
        rows.append(
            [
                each.account.label,
                each.account.identity.name if each.account.identity else "-",
                _kind(each),
                each.scopes,
                each.expiry,
                short(each.last_success, None) if each.last_success else "-",
                answer.answer if answer is not None and answer.answer != "ok" else each.health,
            ]
        )
    table(headers, rows)
    for each in statuses:
        answer = answers.get(each.account.id)
        if answer is not None and answer.message:
            say(shown(answer.message), err=True)
        elif each.remedy:
            say(shown(each.remedy), err=True)


def _kind(status: AccountStatus) -> str:
    if status.account.protected:
        return "protected"
    return "default" if status.account.is_default else "-"


def _json(status: AccountStatus, answer: Checked | None) -> dict[str, Any]:
    account, grant = status.account, status.grant
    body: dict[str, Any] = {
        "account": account.label,
        "network": account.network,
        "name": account.name,
        "state": account.state,
        "endpoint": account.endpoint,
        "identity": account.identity.name if account.identity else None,
        "url": account.identity.url if account.identity else None,
        "protected": account.protected,
        "default": account.is_default,
        "scopes": sorted(grant.scopes) if grant and grant.scopes is not None else None,
        "missing_scopes": list(status.missing),
        "expires_at": _moment(grant.expires_at if grant else None),
        "renewable": grant.is_renewable if grant else None,
        "ends_at": _moment(grant.ends_at if grant else None),
        "last_success": _moment(status.last_success),
        "health": status.health.replace(" ", "_"),
        "remedy": status.remedy or None,
    }
    if answer is not None:
        body["check"] = {
            "answer": answer.answer.replace(" ", "_"),
            "identity": answer.identity.name if answer.identity else None,
            "message": answer.message or None,
        }
    return body


def _moment(at: Any) -> str | None:
    return None if at is None else at.isoformat()


@command.command("rename")
@account_argument
@click.argument("name")
@json_option
def rename(account: str, name: str, as_json: bool) -> None:
    """Call ACCOUNT (network:name) NAME. Its posts go on; their addresses change with it."""
    with Kit() as kit:
        done = kit.rename_account(account, name)
    if as_json:
        emit(
            {
                "account": done.account.label,
                "before": done.before,
                "mentions": list(done.mentions),
            }
        )
        return
    say(f"{done.before} is {done.account.label} now.")
    if done.mentions:
        say(f"postkit.toml still names {done.before}; change it there:", err=True)
    for place in done.mentions:
        say(shown(f"  {place}"), err=True)


@command.command("remove")
@account_argument
@named_option
@json_option
def remove(account: str, confirmed: tuple[str, ...], as_json: bool) -> None:
    """End the access of ACCOUNT (network:name) at its network, and forget it and its secret.

    What was published stays in the history.
    """
    with Kit() as kit:
        found = kit.account(account)
        names = ask_for_names([found], confirmed, "Remove it?", as_json=as_json)
        gone, problem = kit.remove_account(account, confirmed=names)
    if as_json:
        emit({"removed": gone.label, "warnings": [problem.message] if problem else []})
        return
    say(f"Removed {gone.label} and its secret.")
    if problem is not None:
        say(shown(f"The access lives on at the network: {problem.message}"), err=True)


@command.command("protect")
@account_argument
@json_option
def protect(account: str, as_json: bool) -> None:
    """Have all that is done with ACCOUNT confirmed by its name; it is never a default."""
    with Kit() as kit:
        found, mentions = kit.protect_account(account)
    if as_json:
        emit({"account": found.label, "protected": True, "mentions": mentions})
        return
    say(f"{found.label} is protected: a post to it needs --yes {found.label}.")
    if mentions:
        say("postkit.toml chose it as a default, which counts no more; change it there:", err=True)
    for place in mentions:
        say(shown(f"  {place}"), err=True)


@command.command("unprotect")
@account_argument
@named_option
@json_option
def unprotect(account: str, confirmed: tuple[str, ...], as_json: bool) -> None:
    """Ask for the name of ACCOUNT no more."""
    with Kit() as kit:
        found = kit.account(account)
        names = ask_for_names([found], confirmed, "Protect it no more?", as_json=as_json)
        found, _ = kit.protect_account(account, protected=False, confirmed=names)
    if as_json:
        emit({"account": found.label, "protected": False, "mentions": []})
        return
    say(f"{found.label} is not protected any more.")


@command.command("default")
@click.argument("account", required=False, shell_complete=complete_accounts)
@click.option("--none", "network", metavar="NETWORK", help="Choose none of its accounts any more.")
@json_option
def default(account: str | None, network: str | None, as_json: bool) -> None:
    """Let the bare name of its network mean ACCOUNT (network:name).

    Where postkit.toml chooses one (`account` under [networks.NAME]), that one counts.
    """
    if (account is None) == (network is None):
        raise click.UsageError("Give an account, or --none NETWORK.")
    with Kit() as kit:
        label = None
        if account is not None:
            found = kit.set_default_account(account)
            label, network = found.label, found.network
        elif network is not None:
            kit.clear_default_account(network)
        configured = kit.configured_default(str(network))
    warnings = (
        [f"postkit.toml chooses {configured} for {network}, and that counts."]
        if configured is not None and configured != label
        else []
    )
    if as_json:
        emit({"network": network, "default": label, "warnings": warnings})
        return
    say(f"{network} means {label} now." if label else f"No account is {network}'s default now.")
    for warning in warnings:
        say(shown(f"warning: {warning}"), err=True)
