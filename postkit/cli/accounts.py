"""``postkit accounts``: who is connected; ``remove`` forgets one."""

from __future__ import annotations

import click

from ..suggest import did_you_mean
from .kit import Kit
from .output import emit, json_option, say, table


class AccountCommands(click.Group):
    """``list`` and ``remove``, with the nearest word for anything else."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(
                f"There is no command 'accounts {args[0]}'.{did_you_mean(args[0], self.commands)}",
                ctx,
            )
        return super().resolve_command(ctx, args)


@click.group("accounts", cls=AccountCommands, invoke_without_command=True)
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
        gone = kit.remove_account(account)
    if as_json:
        emit({"removed": gone.label})
    else:
        say(f"Removed {gone.label} and its secret.")
