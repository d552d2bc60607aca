"""``postkit demo``: one post, every network, no account: the emulator stands in for all."""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import resources
from pathlib import Path

import click

from ..emulator.server import EmulatorServer
from ..errors import PluginError
from ..kit import Kit
from ..plugins import Plugins
from ..post import Post
from .output import emit, json_option, print_report
from .progress import ProgressLines


@click.command("demo")
@click.option(
    "--keep", is_flag=True, help="Leave the emulator running until Ctrl-C, to look at the posts."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Where the emulator listens. [default: a free port]",
)
@json_option
def command(keep: bool, port: int, as_json: bool) -> int:
    """Publish the demo post to every network through its real client, on this machine."""

    def say(text: str) -> None:
        if not as_json:
            click.echo(text, err=True)

    emulators = Plugins().emulators()
    if not emulators:
        raise PluginError("No emulator can be loaded; run `pip install 'postkit-social[all]'`.")
    with (
        tempfile.TemporaryDirectory(prefix="postkit-demo-") as folder,
        EmulatorServer(emulators, port=port) as server,
        Kit(Path(folder) / "home", key=os.urandom(32)) as kit,
        resources.as_file(resources.files("postkit.demo")) as files,
    ):
        say(f"The emulator answers at {server.url}; this home is temporary.")
        for account in server.accounts():
            connected, problem = kit.connect(
                account.network, account.credentials, name="demo", endpoint=account.endpoint
            )
            if problem is not None:
                raise problem
            name = connected.identity.name if connected.identity else ""
            say(f"Connected {connected.label} as {name}")
        post = Post.from_file(files / "launch.md")
        publication = kit.accept(kit.plan(post))
        say("Publishing launch.md:")
        with ProgressLines(quiet=as_json) as progress:
            report = kit.finish(publication, watch=progress)
        if as_json:
            emit({**report.to_json(), "page": server.url})
        else:
            print_report(report)
            click.echo(f"\nThe posts, as their readers see them: {server.url}/")
        if keep:
            say("Ctrl-C ends the emulator.")
            sys.stdout.flush()
            server.serve_forever()
        elif not as_json:
            click.echo("(it ends with this command; `postkit demo --keep` leaves it running)")
    return report.exit_status
