"""A command with commands of its own, such as ``postkit accounts remove``."""

from __future__ import annotations

import click

from ..suggest import did_you_mean


class Subcommands(click.Group):
    """Names the nearest of its commands where it is given none of them."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(
                f"There is no command '{self.name} {args[0]}'."
                f"{did_you_mean(args[0], self.commands)}",
                ctx,
            )
        return super().resolve_command(ctx, args)
