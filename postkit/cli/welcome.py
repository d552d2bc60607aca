"""What ``postkit`` alone says: where things stand, and the next step."""

from __future__ import annotations

import click

from ..home import Home
from .output import say


def welcome() -> None:
    """Look at the home without creating it, and say what to do next."""
    home = Home.resolve()
    click.echo("postkit publishes one post to many social networks, and can be trusted with it.\n")
    if not home.store_path.exists():
        click.echo("No account is connected yet. Next:")
        click.echo("  postkit demo               see it work, without any account")
        click.echo("  postkit networks           what each network allows and needs")
        click.echo("  postkit connect NETWORK    connect your first account")
    else:
        from .kit import Kit

        with Kit() as kit:
            accounts = kit.accounts
            newest = kit.publications(1)
        if not accounts:
            click.echo("No account is connected. Next:")
            click.echo("  postkit networks           what each network allows and needs")
            click.echo("  postkit connect NETWORK    connect an account")
            return
        labels = ", ".join(account.label for account in accounts)
        say(f"Connected: {labels}.")
        for report in newest:
            states = ", ".join(f"{d.address} {d.state}" for d in report.deliveries)
            say(f"Newest publication: {report.publication} ({states}).")
        click.echo("Next:")
        click.echo(f'  postkit publish --text "Hello" --to {accounts[0].label} --dry-run')
        click.echo("  postkit list")
    click.echo("\n`postkit --help` lists all commands.")
