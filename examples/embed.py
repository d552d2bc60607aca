"""A program that embeds postkit. It runs as it is: the emulator stands in for the network."""

from __future__ import annotations

import os
import tempfile

import postkit
from postkit.emulator.server import EmulatorServer
from postkit.plugins import Plugins


def main() -> postkit.Report:
    with (
        tempfile.TemporaryDirectory() as home,
        EmulatorServer(Plugins().emulators()) as emulator,
        # In production: postkit.Kit(), with accounts from `postkit connect`.
        postkit.Kit(home, key=os.urandom(32)) as kit,
    ):
        for account in emulator.accounts():
            kit.connect(
                account.network, account.credentials, name="shop", endpoint=account.endpoint
            )

        post = postkit.Post("Fresh bread from 7 o'clock", tags=["bread"], lang="en")
        plan = kit.plan(post, to=["mastodon:shop", "bluesky:shop"])
        for planned in plan.deliveries:
            print(planned.address, "->", planned.rendition)

        report = kit.publish(post, to=["mastodon:shop", "bluesky:shop"], once="bread-today")
        for delivery in report.deliveries:
            print(delivery.address, delivery.state, *delivery.urls)

        # The same name and content again: the first report, and no second post.
        again = kit.publish(post, to=["mastodon:shop", "bluesky:shop"], once="bread-today")
        assert again.publication == report.publication
        return report


if __name__ == "__main__":
    main()
