"""``postkit emulate``: the stand-in for every network, until Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import signal
from typing import TYPE_CHECKING

import click

from ..errors import InputError, PluginError
from ..plugins import Plugins
from .kit import Kit
from .output import json_option

if TYPE_CHECKING:
    from ..emulator.server import EmulatorServer


@click.command("emulate")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Where to listen. [default: a free port]",
)
@click.option(
    "--connect", is_flag=True, help="Connect the account NETWORK:emulated of each network."
)
@json_option
def command(port: int, connect: bool, as_json: bool) -> None:
    """Serve every network on 127.0.0.1. What is published there stays in memory."""
    from ..emulator.server import EmulatorServer

    emulators = Plugins().emulators()
    if not emulators:
        raise PluginError("No emulator can be loaded; run `pip install 'postkit-social[all]'`.")
    try:
        server = EmulatorServer(emulators, port=port)
    except OSError as error:
        raise InputError(
            f"Port {port} cannot be used ({error.strerror}); choose another."
        ) from error
    # SIGTERM ends it as Ctrl-C does, so that a script can stop it cleanly.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A signal at any moment is the way to end it, and no failure.
    with server, contextlib.suppress(KeyboardInterrupt):
        if connect:
            connect_all(server)
        if as_json:
            emit_accounts(server)
        else:
            click.echo(f"The emulator answers at {server.url}")
            for account in server.accounts():
                click.echo(f"  {account.network:12} {account.endpoint}")
            click.echo("Look at the posts there in a browser. Ctrl-C ends it.")
        server.serve_forever()


def connect_all(server: EmulatorServer) -> None:
    """Add the account NETWORK:emulated for each network, in place of one of that name."""
    from ..accounts.keys import NoKey, make_key_file

    with Kit() as kit:
        try:
            kit.vault()
        except NoKey:
            if kit.home.vault_path.exists():
                raise
            kit.home.ensure()
            make_key_file(kit.home)
            click.echo(f"Made a key for the vault: {kit.home.key_path}", err=True)
        for account in server.accounts():
            # Posts to an emulator that ended may be open still: the account stays the same one.
            _, problem = kit.connect(
                account.network,
                account.credentials,
                name="emulated",
                endpoint=account.endpoint,
                replace=True,
            )
            if problem is not None:
                raise problem


def emit_accounts(server: EmulatorServer) -> None:
    """One line of JSON. The emulator's secrets open nothing, so they are shown."""
    rows = [account.to_json() for account in server.accounts()]
    click.echo(json.dumps({"url": server.url, "accounts": rows}))
