"""``publish --emulate``: the whole way through the real clients, on this machine alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from ..adapt.filetype import in_bytes
from ..address import Address, expand
from ..config import Config
from ..deliver.states import worst_exit
from ..emulator.server import EmulatorServer
from ..errors import InputError, PlanRefused, PluginError
from ..fetch.offline import Offline
from ..kit import Kit
from ..plan import Plan, Wishes
from ..post import Post
from .output import emit, print_report
from .progress import ProgressLines

NOTHING = "a rehearsal makes no connection beyond this machine"


def rehearse(
    post: Post, to: Sequence[str], wishes: Wishes, wait: float, *, partial: bool, as_json: bool
) -> int:
    """Publish to the emulator, in a home of its own; nothing of it stays. ``partial``: also where
    some of the addresses refuse."""
    with Kit() as own:
        config = own.config
        names = expand(to or post.to or config.default, config.groups)
        if not names:
            raise InputError("Nobody to rehearse for: name addresses with --to.")
        known = own.accounts if own.home.store_path.exists() else []
        emulators = own.plugins.emulators()
        enabled = own.plugins.allowed.names
    only = {account.network: account.name for account in known}
    addresses = [Address.parse(name) for name in names]
    with (
        tempfile.TemporaryDirectory(prefix="postkit-") as folder,
        EmulatorServer(emulators) as server,
        Kit(
            Path(folder) / "home",
            key=os.urandom(32),
            fetcher=Offline(NOTHING),
            enabled=enabled,
        ) as kit,
    ):
        kit.config = Config()
        offered = {account.network: account for account in server.accounts()}
        places = []
        for address in addresses:
            if address.network not in offered:
                kit.plugins.network(address.network)
                raise PluginError(f"{address.network} has no emulator, so it cannot be rehearsed.")
            name = address.account or only.get(address.network, "emulated")
            account = offered[address.network]
            if f"{address.network}:{name}" not in {a.label for a in kit.accounts}:
                kit.connect(
                    address.network, account.credentials, name=name, endpoint=account.endpoint
                )
            places.append(str(Address(address.network, name, address.target)))
        plan = kit.plan(post, places, wishes=wishes)
        if plan.refused and not (partial and len(plan.refused) < len(plan.deliveries)):
            raise PlanRefused(plan.problems)
        if too_large := list(_too_large(plan)):
            raise PlanRefused(too_large)
        publication = kit.accept(plan, partial=partial)
        with ProgressLines(quiet=as_json) as progress:
            report = kit.finish(publication, wait=wait, watch=progress)
    if as_json:
        emit(report.to_json())
    else:
        click.echo("A rehearsal on the emulator; nothing was published.")
        print_report(report)
    return worst_exit([report.exit_status, 1 if plan.refused else 0])


def _too_large(plan: Plan) -> Iterator[str]:
    """An emulator would refuse it where the network does not: that is said before."""
    from ..emulator.strict import MOST_FILE

    for planned in plan.deliveries:
        for part in planned.rendition.parts if planned.rendition else ():
            for media in part.media:
                if media.size > MOST_FILE:
                    yield (
                        f"{planned.address}: {media.name} cannot be rehearsed: it has"
                        f" {in_bytes(media.size)}, at most {in_bytes(MOST_FILE)};"
                        " `--dry-run` shows what would be sent."
                    )
