"""``postkit accounts``: who is connected; ``remove`` forgets one."""

from __future__ import annotations

import click

from .kit import Kit
from .output import emit, json_option, say, shown, table
from .subcommands import Subcommands


@click.group("accounts", cls=Subcommands, invoke_without_command=True)
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the connected accounts, or remove one."""
    if ctx.invoked_subcommand is None:
        show_accounts(as_json)


@command.command("list")
@json_option
def list_accounts(as_json: bool) -> None:
    """List the connected accounts."""
    show_accounts(as_json)


def show_accounts(as_json: bool) -> None:
    with Kit() as kit:
        accounts = kit.accounts
    if as_json:
        emit(
            {
                "accounts": [
                    {
                        "account": account.label,
                        "network": account.network,
                        "name": account.name,
                        "state": account.state,
                        "endpoint": account.endpoint,
                        "identity": account.identity.name if account.identity else None,
                        "url": account.identity.url if account.identity else None,
                    }
                    for account in accounts
                ]
            }
        )
        return
    if not accounts:
        say("No account is connected. Next: postkit connect NETWORK", err=True)
        return
    rows = [
        [
            account.label,
            account.identity.name if account.identity else "-",
            account.state.replace("_", " "),
            account.endpoint or "-",
        ]
        for account in accounts
    ]
    table(["account", "who", "state", "endpoint"], rows)


@command.command("remove")
@click.argument("account")
@json_option
def remove(account: str, as_json: bool) -> None:
    """Forget ACCOUNT (network:name) and its secret. What was published stays in the history."""
    with Kit() as kit:
        gone, problem = kit.remove_account(account)
    if as_json:
        emit({"removed": gone.label, "warnings": [problem.message] if problem else []})
        return
    say(f"Removed {gone.label} and its secret.")
    if problem is not None:
        say(shown(f"The access lives on at the network: {problem.message}"), err=True)
