"""The command line: loads the one command that is asked for, and turns errors into sentences."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from ..errors import InputError, PostkitError

COMMANDS = {
    "publish": "Publish a post now.",
    "connect": "Connect an account.",
    "accounts": "List accounts, or remove one.",
    "networks": "What each network allows, and how to connect it.",
    "plugins": "The plugins that are installed, and what failed to load.",
    "list": "The newest publications.",
    "show": "What happened to a publication or a delivery.",
    "finish": "Complete what was interrupted or is still in doubt.",
    "resolve": "Answer the question of an uncertain delivery.",
    "delete": "Delete what is live.",
    "emulate": "Run the stand-in for every network on this machine.",
    "demo": "See it work, without any account.",
    "completion": "Print the completion script of a shell.",
}
EPILOG = "Exit status: 0 done, 1 refused or failed, 2 usage, 3 uncertain, 4 held, 70 defect, 75 not finished."


class Commands(click.Group):
    """Knows every command's name and summary; imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._add_plugins(ctx)
        return [*COMMANDS, *sorted(super().list_commands(ctx))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module = import_module(f".{cmd_name}", __package__)
            command: click.Command = module.command
            return command
        self._add_plugins(ctx)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self._add_plugins(ctx)
        rows = list(COMMANDS.items())
        rows += [(name, c.get_short_help_str()) for name, c in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            from ..suggest import did_you_mean

            raise click.UsageError(
                f"There is no command {name!r}.{did_you_mean(name, COMMANDS)} "
                "`postkit --help` lists them."
            )
        return super().resolve_command(ctx, args)

    def _add_plugins(self, ctx: click.Context) -> None:
        if ctx.meta.setdefault("postkit.plugins_added", False):
            return
        ctx.meta["postkit.plugins_added"] = True
        from importlib.metadata import entry_points

        if entry_points(group="postkit.plugins"):
            from ..plugins import Plugins

            Plugins().manager.hook.postkit_add_commands.call_historic(kwargs={"cli": self})


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import version

        click.echo(f"postkit {version('postkit-social')}")
        ctx.exit()


@click.group(
    cls=Commands,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--debug", is_flag=True, help="Show the traceback of a failure.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version.",
)
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Publish one post to many social networks: once, whole, and with an honest report."""
    if ctx.invoked_subcommand is None:
        from .welcome import welcome

        welcome()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The entry point: ends the process with the exit status of what happened."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(given))


def run(arguments: list[str]) -> int:
    """Run a command and return its exit status. Prints errors as one sentence each."""
    from ..accounts.secret import Redactor

    debug = "--debug" in arguments
    if debug:
        arguments = [argument for argument in arguments if argument != "--debug"]
    as_json = "--json" in arguments
    try:
        status = cli.main(args=arguments, prog_name="postkit", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        _fail(as_json, "usage", error.format_message(), 2, hint=_hint(error))
        return 2
    except click.ClickException as error:
        _fail(as_json, "usage", error.format_message(), 2)
        return 2
    except (click.Abort, KeyboardInterrupt):
        _fail(as_json, "interrupted", "Interrupted. What was under way is in `postkit list`.", 130)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except PostkitError as error:
        if debug:
            _traceback()
        _fail(as_json, error.kind, Redactor.redact(error.message), error.exit_status, error)
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - the last place where a defect becomes a sentence
        if debug:
            _traceback()
        text = Redactor.redact(f"{type(error).__name__}: {error}")
        _fail(
            as_json,
            "internal",
            f"A defect of postkit: {text}. Run it again with --debug and report what it prints.",
            70,
        )
        return 70
    return status if isinstance(status, int) else 0


def _fail(
    as_json: bool,
    kind: str,
    message: str,
    status: int,
    error: PostkitError | None = None,
    hint: str = "",
) -> None:
    problems: tuple[str, ...] = getattr(error, "problems", ()) or (message,)
    for problem in problems:
        for line in problem.splitlines() or [""]:
            click.echo(f"error: {_redacted(line)}", err=True)
    if hint and not as_json:
        click.echo(hint, err=True)
    if as_json:
        from ..report import SCHEMA

        body: dict[str, Any] = {
            "schema": SCHEMA,
            "publication": None,
            "deliveries": [],
            "warnings": [],
            "error": {"kind": kind, "message": message, "code": getattr(error, "code", None)},
        }
        if isinstance(error, InputError):
            body["error"]["problems"] = list(error.problems)
        click.echo(json.dumps(body, ensure_ascii=False))
    _ = status


def _redacted(text: str) -> str:
    from ..accounts.secret import Redactor

    return Redactor.redact(text)


def _hint(error: click.UsageError) -> str:
    return f"See `{error.ctx.command_path} --help`." if error.ctx is not None else ""


def _traceback() -> None:
    import traceback

    click.echo(_redacted(traceback.format_exc()), err=True)
