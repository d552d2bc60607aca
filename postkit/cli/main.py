"""The command line: loads the one command that is asked for, and turns errors into sentences."""

from __future__ import annotations

import functools
import io
import itertools
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

import click

from ..accounts.asking import asking
from ..core_dumps import disable_core_dumps
from ..errors import NotEnabled, PostkitError, WithLines
from .text import understand_text

COMMANDS = {
    "publish": "Publish a post, now or at a time.",
    "preview": "How a post will look at each address: a page.",
    "worker": "Send what is scheduled, when it is due.",
    "queue": "What is not sent yet.",
    "cancel": "Cancel what is not sent yet.",
    "reschedule": "Give what is not sent yet another time.",
    "edit": "Give what is not sent yet other content.",
    "connect": "Connect an account.",
    "accounts": "The accounts and how they are; rename, protect, remove.",
    "doctor": "What is wrong here, and how to mend it.",
    "vault": "Where secrets are kept; a new key, and copies.",
    "networks": "What each network allows, and how to connect it.",
    "plugins": "The plugins that are installed; enable one, or disable it.",
    "list": "The newest publications.",
    "show": "What happened to a publication or a delivery.",
    "finish": "Complete what was interrupted or is still in doubt.",
    "resolve": "Answer the question of an uncertain delivery.",
    "delete": "Delete what is live.",
    "pause": "Stop sending, at once, everywhere.",
    "unpause": "End a pause.",
    "release": "Send what is held.",
    "audit": "Prove that nothing of the history was changed.",
    "guarantees": "What each network lets postkit promise.",
    "emulate": "Run the stand-in for every network on this machine.",
    "demo": "See it work, without any account.",
    "sim": "Prove by simulation that nothing is sent twice or lost.",
    "completion": "Print the completion script of a shell.",
}
INTERRUPTED = 130
INTERRUPTION = (
    "Interrupted. `postkit list` shows what was under way; `postkit finish ID` completes it."
)
GRACE = 3.0
"""Seconds after Ctrl-C in which a request that is on its way may still get its answer."""
EPILOG = (
    "Exit status: 0 done, 1 refused or failed, 2 usage, 3 uncertain, 4 held, 70 defect, 75 not "
    "finished. The variable POSTKIT_HOME names the folder of settings, store and secrets; "
    "POSTKIT_STORE another store; POSTKIT_KEY holds the key of the secrets, or POSTKIT_PASSPHRASE "
    "their passphrase; POSTKIT_PLUGINS the names of plugins to enable, separated by commas; "
    "POSTKIT_BUSY_TIMEOUT the seconds (30) to wait for a store that another process holds."
)


@dataclass(slots=True)
class Asked:
    """What was asked of the program as a whole."""

    debug: bool = False


def _debug(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    asked = ctx.find_object(Asked)
    if value and asked is not None:
        asked.debug = True


def hidden_debug() -> click.Option:
    return click.Option(
        ["--debug"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        hidden=True,
        callback=_debug,
    )


def _understand_debug(command: click.Command) -> None:
    """``--debug`` may stand after a command's name too."""
    if not any(param.name == "debug" for param in command.params):
        command.params.append(hidden_debug())
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        _understand_debug(inner)


class Commands(click.Group):
    """Knows every command's name and summary; imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._add_plugins(ctx)
        return [*COMMANDS, *sorted(super().list_commands(ctx))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module = import_module(f".{cmd_name}", __package__)
            command: click.Command = module.command
            _understand_debug(command)
            understand_text(command)
            return command
        self._add_plugins(ctx)
        added = super().get_command(ctx, cmd_name)
        if added is not None:
            understand_text(added)
        return added

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
                "`postkit --help` lists them.",
            )
        return super().resolve_command(ctx, args)

    def _add_plugins(self, ctx: click.Context) -> None:
        if ctx.meta.setdefault("postkit.plugins_added", False):
            return
        ctx.meta["postkit.plugins_added"] = True
        from ..installed import ALWAYS, installed

        if any(found.names(ALWAYS) for found in installed()):
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
@click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_debug,
    help="Show the traceback of a failure.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Publish one post to many social networks: once, whole, and with an honest report."""
    if ctx.invoked_subcommand is None:
        from .welcome import welcome

        welcome()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The entry point: ends the process with the exit status of what happened."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character must not turn a post that is live into a failure.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    disable_core_dumps()
    given = list(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGINT, functools.partial(_interrupted, given))
    status = run(given)
    if status == INTERRUPTED:
        # Threads may wait for a network. What they do is written down, so they may be cut off.
        sys.stdout.flush()
        sys.stderr.flush()
        _leave(status)
    sys.exit(status)


def _interrupted(arguments: list[str], number: int, frame: FrameType | None) -> None:
    """Ctrl-C: an answer that is on its way may still come, but nobody waits for long."""

    def give_up() -> None:
        _fail(_wants_json(arguments), "interrupted", INTERRUPTION, INTERRUPTED)
        sys.stdout.flush()
        _leave(INTERRUPTED)

    timer = threading.Timer(GRACE, give_up)
    timer.daemon = True
    timer.start()
    signal.default_int_handler(number, frame)


def _leave(status: int) -> NoReturn:
    """End now, without waiting for threads; only the copies of videos are removed."""
    from ..adapt.scratch import SCRATCH

    SCRATCH.clear()
    os._exit(status)


def _wants_json(arguments: list[str]) -> bool:
    return "--json" in itertools.takewhile(lambda argument: argument != "--", arguments)


def run(arguments: list[str]) -> int:
    """Run a command and return its exit status. Prints errors as one sentence each."""
    asked = Asked()
    as_json = _wants_json(arguments)
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    try:
        with asking(_ask_passphrase):
            status = cli.main(
                args=arguments,
                prog_name="postkit",
                standalone_mode=False,
                obj=asked,
                color=False if plain else None,
            )
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        return _fail(as_json, "usage", _sentence(error), 2, hint=_hint(error))
    except click.ClickException as error:
        return _fail(as_json, "usage", error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        return _fail(as_json, "interrupted", INTERRUPTION, INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except PostkitError as error:
        if isinstance(error, NotEnabled) and not as_json:
            from .consent import offer

            if offer(error):
                return run(arguments)
        if asked.debug:
            _traceback()
        hint = getattr(error, "hint", "")
        return _fail(as_json, error.kind, error.message, error.exit_status, error, hint)
    except ModuleNotFoundError as error:
        if asked.debug:
            _traceback()
        return _fail(
            as_json,
            "missing",
            f"This needs the package {error.name}, which is not installed: run "
            "`pip install 'postkit-social[all]'`.",
            1,
        )
    except Exception as error:  # noqa: BLE001 - the last place where a defect becomes a sentence
        if asked.debug:
            _traceback()
        return _fail(
            as_json,
            "internal",
            f"A defect of postkit: {type(error).__name__}: {error}. Run it again with --debug and "
            "report what it prints.",
            70,
        )
    return status if isinstance(status, int) else 0


def _ask_passphrase() -> str | None:
    from .passphrase import ask_for_vault

    return ask_for_vault()


def _fail(
    as_json: bool,
    kind: str,
    message: str,
    status: int,
    error: PostkitError | None = None,
    hint: str = "",
) -> int:
    from .output import emit, say, shown

    problems: tuple[str, ...] = getattr(error, "problems", ()) or (message,)
    for problem in problems:
        words = f"error: {problem}"
        say(words if isinstance(problem, WithLines) else shown(words), err=True)
    if hint and not as_json:
        say(hint, err=True)
    if as_json:
        from ..report import Report

        report = getattr(error, "report", None) or Report(None, ())
        body: dict[str, Any] = report.to_json()
        body["error"] = {
            "kind": kind,
            "message": message,
            "code": getattr(error, "code", None),
            "problems": list(problems),
        }
        emit(body)
    return status


def _sentence(error: click.UsageError) -> str:
    """click's message, with the nearest option where it knows none."""
    message = error.format_message()
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        from ..suggest import did_you_mean

        known = [
            name
            for parameter in error.ctx.command.params
            if isinstance(parameter, click.Option) and not parameter.hidden
            for name in parameter.opts
            if name.startswith("--")
        ]
        near = did_you_mean(error.option_name, known)
        message = f"There is no option {error.option_name}.{near}"
    return message


def _hint(error: click.UsageError) -> str:
    return f"See `{error.ctx.command_path} --help`." if error.ctx is not None else ""


def _traceback() -> None:
    import traceback

    from ..accounts.secret import Redactor

    click.echo(Redactor.redact(traceback.format_exc()), err=True)
