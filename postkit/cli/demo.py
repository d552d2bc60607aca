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
from ..fetch.offline import Offline
from ..kit import Kit
from ..plugins import Plugins
from ..post import Post
from ..report import Report
from .output import emit, json_option, print_report, table
from .progress import ProgressLines

NOTHING = "the demo makes no connection beyond this machine"


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

    plugins = Plugins()
    emulators = plugins.emulators()
    if not emulators:
        raise PluginError("No emulator can be loaded; run `pip install 'postkit-social[all]'`.")
    with (
        tempfile.TemporaryDirectory(prefix="postkit-demo-") as folder,
        EmulatorServer(emulators, port=port) as server,
        Kit(
            Path(folder) / "home",
            key=os.urandom(32),
            fetcher=Offline(NOTHING),
            enabled=plugins.allowed.names,
        ) as kit,
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
        # The live page ends with the emulator, so without --keep the posts stay as a file.
        page = f"{server.url}/" if keep else str(_saved(server))
        if as_json:
            emit({**report.to_json(), "page": page})
        else:
            print_report(report)
            click.echo("")
            table(["network", "state", "link", "what was changed"], _rows(report))
            click.echo(f"\nThe posts, as their readers see them: {page}")
        if keep:
            say("Ctrl-C ends the emulator.")
            sys.stdout.flush()
            server.serve_forever()
        else:
            say("The links end with this command; `postkit demo --keep` leaves them open.")
    return report.exit_status


def _saved(server: EmulatorServer) -> Path:
    from ..emulator.snapshot import save

    return save(server, Path(tempfile.mkdtemp(prefix="postkit-")) / "timelines.html")


def _rows(report: Report) -> list[list[str]]:
    rows = []
    for delivery in report.deliveries:
        changed = [f"{len(delivery.parts)} posts"] if len(delivery.parts) > 1 else []
        for count, word in ((len(delivery.changes), "changed"), (len(delivery.losses), "lost")):
            if count:
                changed.append(f"{count} {word}")
        link = delivery.urls[0] if delivery.urls else "-"
        rows.append([delivery.network, delivery.state, link, ", ".join(changed) or "nothing"])
    return rows
