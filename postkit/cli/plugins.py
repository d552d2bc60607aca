"""``postkit plugins``: what is installed, what may run, and why something did not load."""

from __future__ import annotations

from dataclasses import asdict

import click

from ..allowed import VARIABLE, Allowed, forbid, from_environment
from ..errors import InputError, UnknownName
from ..home import Home
from ..installed import OWN, Installed, canonical, installed, leading_to
from ..plugins import Plugins
from ..suggest import did_you_mean
from .consent import enable, introduce
from .output import emit, json_option, say, shown, table
from .subcommands import Subcommands


@click.group("plugins", cls=Subcommands, invoke_without_command=True)
@click.option("--load", is_flag=True, help="Try to load every one of them that is enabled.")
@json_option
@click.pass_context
def command(ctx: click.Context, load: bool, as_json: bool) -> int:
    """List the plugins, enable one or disable it. Nothing is imported that is not enabled."""
    if ctx.invoked_subcommand is not None:
        return 0
    plugins = Plugins()
    records = plugins.records(load=load)
    problem = plugins.allowed.problem
    failed = bool(problem) or any(record.state == "failed" for record in records)
    if as_json:
        emit({"plugins": [asdict(record) for record in records], "problem": problem or None})
        return 1 if failed else 0
    rows = [
        [
            r.name,
            r.group.removeprefix("postkit."),
            r.state.replace("_", " "),
            f"{r.distribution} {r.version}".rstrip(),
            r.reason,
        ]
        for r in records
    ]
    table(["name", "kind", "state", "from", "reason"], rows)
    if problem:
        say(shown(f"error: {problem}"), err=True)
    return 1 if failed else 0


@command.command("enable")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def enable_one(name: str, yes: bool, as_json: bool) -> int:
    """Let the code of NAME run: a distribution, or a network that one brings."""
    found = _meant(name)
    if found.is_own:
        raise InputError(f"{name} is a part of postkit; it is always enabled.")
    if found.key in Allowed.read(Home.resolve()).names:
        if not as_json:
            say(shown(f"{found.name} is enabled already."))
    else:
        if yes and not as_json:
            introduce(found)
        if not enable(found, ask_first=not yes):
            say("Not enabled.", err=True)
            return 1
        if not as_json:
            say(shown(f"Enabled {found}. `postkit plugins --load` shows whether it loads."))
    if as_json:
        emit({"enabled": found.name, "version": found.version})
    return 0


@command.command("disable")
@click.argument("name")
@json_option
def disable_one(name: str, as_json: bool) -> int:
    """Take NAME off the list: its code is not imported any more."""
    home = Home.resolve()
    key = canonical(name)
    if not forbid(home, key):
        # By a network's name, or one that is not on the list.
        found = _meant(name)
        if found.is_own:
            raise InputError(f"{name} is a part of postkit and cannot be disabled.")
        key = found.key
        if not forbid(home, key) and key not in from_environment():
            raise InputError(f"{found.name} is not enabled.")
    if key in from_environment():
        raise InputError(f"{key} is enabled by {VARIABLE}: take it out of that variable.")
    if as_json:
        emit({"disabled": key})
    else:
        say(shown(f"Disabled {key}. A process that runs has it until it ends."))
    return 0


def _meant(name: str) -> Installed:
    """The distribution of that name, else the only one that brings it. Raises InputError."""
    everything = installed()
    strangers = [found for found in everything if not found.is_own]
    meant = [f for f in everything if f.key == canonical(name)] or leading_to(name, everything)
    if len(meant) > 1 and any(found.is_own for found in meant):
        meant = [found for found in meant if found.is_own]
    if not meant:
        names = [found.name for found in strangers]
        raise UnknownName(
            f"There is no plugin {name!r}.{did_you_mean(name, names)} "
            f"Installed beside {OWN}: {', '.join(names) or 'none'}."
        )
    if len(meant) > 1:
        raise InputError(
            f"{name!r} is of several plugins: name one of {', '.join(map(str, meant))}."
        )
    if meant[0].problem:
        raise InputError(meant[0].problem)
    return meant[0]
