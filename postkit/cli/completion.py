"""``postkit completion``: the script that teaches a shell our commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ..errors import InputError


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL; for bash: eval "$(postkit completion bash)"."""
    from .main import cli

    found = get_completion_class(shell)
    if found is None:
        raise InputError(f"There is no completion for {shell}.")
    click.echo(found(cli, {}, "postkit", "_POSTKIT_COMPLETE").source())
